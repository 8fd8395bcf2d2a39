"""What SNAP Thing Services answers, field for field as its document has it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = [
    "Batch",
    "BothSettings",
    "Capabilities",
    "Capability",
    "CollectorList",
    "ConfigurationList",
    "DeviceList",
    "DeviceTypeList",
    "FirmwareList",
    "ImageList",
    "Link",
    "ModuleType",
    "ModuleTypeList",
    "NetworkConfiguration",
    "NetworkPut",
    "NetworkSeen",
    "OneBatch",
    "OneCollector",
    "OneConfiguration",
    "OneDevice",
    "OneDeviceType",
    "OneFirmware",
    "OneImage",
    "OneTopology",
    "PasswordChanged",
    "Problem",
    "Refusal",
    "Result",
    "Results",
    "Running",
    "ShownCollector",
    "ShownConfiguration",
    "ShownDevice",
    "ShownDeviceType",
    "ShownFirmware",
    "ShownGroup",
    "ShownImage",
    "ShownLink",
    "ShownSettings",
    "Task",
    "Topology",
    "TopologyList",
    "UpdateResults",
]


class _Shown(BaseModel):
    """What the document shows, and nothing beside it."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Refusal(_Shown):
    """What was wrong, or what was wrong with each field; ``/network`` adds the status."""

    message: str | dict[str, str]
    code: int | None = None


class Problem(_Shown):
    """The body of an error."""

    error: Refusal
    apiVersion: str | None = None


class PasswordChanged(_Shown):
    """The answer of ``POST /changePassword``."""

    data: str


class ShownSettings(_Shown):
    """The settings of a network."""

    networkId: str
    featureBits: str
    channel: int
    encryptionKey: str
    encryptionType: Literal["None", "AES-128", "Basic"]


class BothSettings(_Shown):
    """What was configured, and what the bridge has."""

    configured_settings: ShownSettings
    bridge_addr: str
    actual_settings: ShownSettings


class NetworkSeen(_Shown):
    """The answer of ``GET /network``."""

    data: BothSettings


class NetworkPut(_Shown):
    """The answer of ``PUT /network``."""

    apiVersion: str
    data: ShownSettings


class ShownCollector(_Shown):
    """A data collector; ``pollInterval`` in seconds."""

    name: str
    deviceTypes: list[str]
    href: str
    queryFunction: str
    id: int
    pollInterval: int


class CollectorList(_Shown):
    """The answer of ``GET /dc``."""

    data: list[ShownCollector]


class OneCollector(_Shown):
    """One data collector."""

    data: ShownCollector


class Capability(_Shown):
    """What a licence allows."""

    customer: str
    siteDirector: bool
    dataCollector: bool
    types: list[str]
    expiration: str
    siteDoctor: bool


class Capabilities(_Shown):
    """The answer of ``GET /licenseCapabilities``."""

    data: Capability


class ShownFirmware(_Shown):
    """A firmware package."""

    version: str
    href: str


class FirmwareList(_Shown):
    """The answer of ``GET /firmware``."""

    data: list[ShownFirmware]


class OneFirmware(_Shown):
    """One firmware package."""

    data: ShownFirmware


class ShownImage(_Shown):
    """A SPY image; ``size`` in bytes."""

    name: str
    size: int
    id: str
    href: str
    crc: str


class ImageList(_Shown):
    """The answer of ``GET /images``."""

    data: list[ShownImage]


class OneImage(_Shown):
    """One SPY image."""

    data: ShownImage


class Link(_Shown):
    """Where something is; "Unknown" where nobody knows."""

    href: str


class ShownDevice(_Shown):
    """A device, with firmware and image in full where that was asked for."""

    upgrading: bool
    addr: str
    firmware: Link | ShownFirmware
    platform: str
    description: str
    href: str
    deviceType: str
    id: int
    image: Link | ShownImage


class DeviceList(_Shown):
    """The answer of ``GET /devices``."""

    data: list[ShownDevice]


class OneDevice(_Shown):
    """One device."""

    data: ShownDevice


class Batch(_Shown):
    """Devices that were made together."""

    devices: list[ShownDevice]
    href: str


class OneBatch(_Shown):
    """One batch of devices."""

    data: Batch


class ShownDeviceType(_Shown):
    """A type of devices."""

    id: int
    href: str
    description: str


class DeviceTypeList(_Shown):
    """All types of devices, or a list of the one that was asked for."""

    data: list[ShownDeviceType]


class OneDeviceType(_Shown):
    """One type of devices."""

    data: ShownDeviceType


class ModuleType(_Shown):
    """A module by the name of its part."""

    partName: str
    href: str


class ModuleTypeList(_Shown):
    """The answer of ``GET /moduleTypes``."""

    data: list[ModuleType]


class ShownConfiguration(_Shown):
    """What devices are to run: what is left out stays."""

    image: Link | None = None
    firmware: Link | None = None


class ShownGroup(_Shown):
    """Devices, and what they are to run."""

    configuration: ShownConfiguration
    devices: list[str]


class NetworkConfiguration(_Shown):
    """A network configuration."""

    deviceGroupConfigurations: list[ShownGroup]
    id: str
    href: str


class ConfigurationList(_Shown):
    """The answer of ``GET /networkConfigurations``."""

    data: list[NetworkConfiguration]


class OneConfiguration(_Shown):
    """One network configuration."""

    data: NetworkConfiguration


class Result(_Shown):
    """What became of a device."""

    result: Literal["success", "failure"]
    address: str


class Results(_Shown):
    """What became of all devices of an update."""

    firmware_results: list[Result]
    id: str
    href: str
    image_results: list[Result]


class UpdateResults(_Shown):
    """The answer of ``GET /networkConfigurationUpdates/{networkConfigurationUpdateId}``."""

    data: Results


class Running(_Shown):
    """A task that is under way."""

    id: str
    href: str


class Task(_Shown):
    """The answer of ``GET /tasks/{taskId}``."""

    data: Running


class ShownLink(_Shown):
    """A directed link; ``linkQuality`` in -dBm."""

    end: str
    linkQuality: int
    start: str


class Topology(_Shown):
    """Who hears whom."""

    links: list[ShownLink]
    id: str
    createdAt: str
    href: str
    gateways: list[str]


class TopologyList(_Shown):
    """The answer of ``GET /topologies``."""

    data: list[Topology]


class OneTopology(_Shown):
    """One topology."""

    data: Topology
