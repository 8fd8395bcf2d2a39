"""The table of SNAP's operations: the document's headings, paths and statuses as data."""

from collections.abc import Callable

from pydantic import BaseModel

from twin.api.faults import Faults
from twin.api.host import Host
from twin.api.http import Answer, Api, Call, Envelope, Manners, Operation
from twin.api.snap import (
    account,
    administration,
    answers,
    collectors,
    configurations,
    device_types,
    devices,
    licence,
    network,
    shapes,
    sockets,
    software,
    tasks,
    topologies,
    updates,
)
from twin.api.snap.errors import envelope, tell, versioned
from twin.api.snap.login import USER, authenticate
from twin.api.snap.seen import API

__all__ = ["make_snap"]

_Row = tuple[
    str, str, str, Callable[[Call], Answer], tuple[int, ...],
    type[BaseModel] | None, type[BaseModel] | None, type[BaseModel] | None,
]  # fmt: skip
_ENVELOPES: dict[str, Envelope] = {"/network": versioned}
_WORDS = {
    (f"GET {API}/backup", 400): administration.NO_BACKUP,
    (f"GET {API}/network", 400): network.NO_SETTINGS,
}
"""What the document says where no caller is to blame."""


def make_snap(host: Host, tell_news: Callable[[], None]) -> tuple[Api, Faults]:
    """Return the SNAP Thing Services API of a twin, and the faults that its answers may have.

    Parameters
    ----------
    host
        The twin behind it.
    tell_news
        Called after each answer: it may have changed something that somebody listens for.
    """
    rows = [*_SERVICE, *_DEVICES, *_SOFTWARE, *_WORK]
    operations = [_operation(row) for row in rows]
    # Clients of sockets in browsers cannot say name and password.
    operations += [Operation(*row[:5]) for row in _SOCKETS]
    faults = Faults(host, operations, _WORDS)

    def after() -> None:
        host.database.keep_clock(host.now_us)
        tell_news()

    api = Api(operations, host, Manners(envelope, authenticate, tell), faults.meet, after)
    return api, faults


def _operation(row: _Row) -> Operation:
    """Return a row of the table as an operation."""
    method, path, title, handler, statuses, query, body, answer = row
    return Operation(
        method, f"{API}{path}", title, handler, statuses, frozenset({USER}), query, body, answer,
        _ENVELOPES.get(path),
    )  # fmt: skip


_SERVICE: list[_Row] = [
    ("POST", "/changePassword", "Update password for currently authenticated user",
     account.change_password, (200, 400), None, shapes.NewPassword, answers.PasswordChanged),
    ("GET", "/backup", "Backup database",
     administration.backup, (200, 400), None, None, None),
    ("GET", "/network", "Get the current network settings",
     network.get_network, (200, 400), None, None, answers.NetworkSeen),
    ("PUT", "/network", "Update the current network settings",
     network.put_network, (200, 400), None, shapes.NetworkSettings, answers.NetworkPut),
    ("GET", "/dc", "Get the list of data collectors",
     collectors.list_collectors, (200,), None, None, answers.CollectorList),
    ("POST", "/dc", "Create a data collector",
     collectors.create_collector, (201, 409), None, shapes.NewCollector, answers.OneCollector),
    ("DELETE", "/dc/{name}", "Delete a data collector",
     collectors.delete_collector, (204, 404), None, None, None),
    ("GET", "/dc/{name}/config", "Get a single data collector's configuration",
     collectors.get_collector, (200,), None, None, answers.OneCollector),
    ("PUT", "/dc/{name}/config", "Update a single data collector",
     collectors.update_collector, (200,), None, shapes.NewCollector, answers.OneCollector),
    ("PUT", "/license", "Apply a SNAP Thing Services License",
     licence.apply_licence, (200,), None, None, None),
    ("DELETE", "/license", "Delete the license",
     licence.delete_licence, (204,), None, None, None),
    ("GET", "/licenseCapabilities", "Get license capabilities",
     licence.get_capabilities, (200,), None, None, answers.Capabilities),
]  # fmt: skip
_DEVICES: list[_Row] = [
    ("GET", "/devices", "Get list of devices",
     devices.list_devices, (200,), shapes.DevicesAsked, None, answers.DeviceList),
    ("POST", "/devices", "Create a device",
     devices.create_device, (201, 400, 404, 409), None, shapes.NewDevice, answers.OneDevice),
    ("GET", "/devices/{deviceId}", "Get a single device",
     devices.get_device, (200, 404), None, None, answers.OneDevice),
    ("PUT", "/devices/{deviceId}", "Update Device",
     devices.update_device, (200, 400, 404, 409), None, shapes.NewDevice, answers.OneDevice),
    ("DELETE", "/devices/{deviceId}", "Delete Device",
     devices.delete_device, (204, 404), None, None, None),
    ("POST", "/devices/batches", "Create a Batch of Devices",
     devices.create_batch, (201, 400, 404, 409), None, shapes.NewBatch, answers.OneBatch),
    ("GET", "/devices/batches/{batchId}", "What the Location of a new batch leads to",
     devices.get_batch, (200, 404), None, None, answers.OneBatch),
    ("GET", "/deviceTypes", "Get list of device types",
     device_types.list_device_types, (200,), None, None, answers.DeviceTypeList),
    ("POST", "/deviceTypes", "Create device type",
     device_types.create_device_type, (201, 409), None, shapes.NewDeviceType,
     answers.OneDeviceType),
    ("GET", "/deviceTypes/{deviceTypeId}", "Get a single device type",
     device_types.get_device_type, (200,), None, None, answers.DeviceTypeList),
    ("PUT", "/deviceTypes/{deviceTypeId}", "Update device type",
     device_types.update_device_type, (200, 404, 409), None, shapes.NewDeviceType,
     answers.OneDeviceType),
    ("DELETE", "/deviceTypes/{deviceTypeId}", "Delete device type",
     device_types.delete_device_type, (204, 404), None, None, None),
]  # fmt: skip
_SOFTWARE: list[_Row] = [
    ("GET", "/firmware", "Retrieve list of available firmware",
     software.list_firmware, (200,), None, None, answers.FirmwareList),
    ("GET", "/firmware/{firmwareVersion}", "Retrieve specifc firmware resource",
     software.get_firmware, (200, 404), None, None, answers.OneFirmware),
    ("GET", "/images", "Get all SPY images",
     software.list_images, (200,), None, None, answers.ImageList),
    ("POST", "/images", "Create a new SPY image",
     software.create_image, (201,), None, shapes.NewImage, answers.OneImage),
    ("DELETE", "/images", "Delete all SPY images",
     software.delete_images, (204,), None, None, None),
    ("GET", "/images/{imageId}", "Get a single SPY image",
     software.get_image, (200, 404), None, None, answers.OneImage),
    ("DELETE", "/images/{imageId}", "Delete a SPY image",
     software.delete_image, (204, 404), None, None, None),
    ("GET", "/moduleTypes", "Get Module Types",
     software.list_module_types, (200,), None, None, answers.ModuleTypeList),
]  # fmt: skip
_RESULTS = "/networkConfigurationUpdates/{networkConfigurationUpdateId}"
_WORK: list[_Row] = [
    ("GET", "/networkConfigurations", "Get a List of All Network Configurations",
     configurations.list_configurations, (200,), None, None, answers.ConfigurationList),
    ("POST", "/networkConfigurations", "Create a Network Configuration",
     configurations.create_configuration, (201,), None, shapes.NewConfiguration,
     answers.OneConfiguration),
    ("GET", "/networkConfigurations/{networkConfigurationId}", "Get a Network Configuration",
     configurations.get_configuration, (200, 404), None, None, answers.OneConfiguration),
    ("POST", "/networkConfigurationUpdates", "Initiate a Network Configuration Update",
     updates.start_update, (202, 400, 403, 404), None, shapes.NewUpdate, None),
    ("GET", _RESULTS, "Get results of a network configuration update",
     updates.get_results, (200, 404), None, None, answers.UpdateResults),
    ("GET", "/tasks/{taskId}", "Get task status",
     tasks.get_task, (200, 303, 404), None, None, answers.Task),
    ("GET", "/topologies", "Get all topologies",
     topologies.list_topologies, (200,), None, None, answers.TopologyList),
    ("POST", "/topologies", "Initiate Generation of the SNAP Network Topology",
     topologies.start_survey, (202,), None, None, None),
    ("DELETE", "/topologies", "Delete all topologies",
     topologies.delete_topologies, (204,), None, None, None),
    ("GET", "/topologies/{topologyId}", "Get topology",
     topologies.get_topology, (200, 404), None, None, answers.OneTopology),
    ("DELETE", "/topologies/{topologyId}", "Delete topology",
     topologies.delete_topology, (204, 404), None, None, None),
]  # fmt: skip
_SOCKETS: list[_Row] = [
    ("GET", "/ws", "Connect SockJS", sockets.greet, (200,), None, None, None),
    ("GET", "/ws/websocket", "Connect Websocket", sockets.open_socket, (200,), None, None, None),
]
