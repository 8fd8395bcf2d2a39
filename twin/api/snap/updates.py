"""Network Configuration Updates: bring a network configuration to its devices, over the air."""

from collections import Counter
from typing import Any

from twin.api.http import Answer, ApiError, Call
from twin.api.snap.errors import in_short
from twin.api.snap.seen import Seen, is_done, reference, refers_to
from twin.api.snap.trial import licence_of
from twin.commands import StartUpgrade, StartUpgrades
from twin.errors import ImageError, RunError
from twin.store.things import Group, StoredImage, Things, Update

__all__ = ["get_results", "start_update"]

_NOT_LICENSED = (
    "Your license only permits upgrading one device at a time. Please contact your sales "
    "representative to discuss upgrading your license to support upgrading multiple device at the "
    "same time."
)
_NOTHING = -1


def start_update(call: Call) -> Answer:
    """Begin to bring a network configuration to its devices, group after group, firmware first.

    How, the scenario says (``[mesh.upgrade]``): by multicast from some number of devices on. It
    begins when all updates before it are over: on trial, too, one device after the other may be
    asked for. A device that the mesh does not have fails.
    """
    host, things = call.host, call.host.things
    found = refers_to("networkConfigurations", call.body.href)
    given = things.configuration(found) if found else None
    if given is None:
        raise ApiError(404, "Network configuration could not be found")
    wanted = _Wanted(call, given)
    if wanted.problems:
        raise _unable("; ".join(wanted.problems))
    licence = licence_of(host)
    if wanted.device_count > 1 and not (licence and licence.siteDirector):
        raise ApiError(403, _NOT_LICENSED)
    try:
        with host.database.transaction():
            made = things.add_update(wanted.groups)
            if wanted.upgrades:
                host.submit(StartUpgrades(tuple(wanted.upgrades)))
    except (RunError, ImageError) as error:
        raise _unable(in_short(error)) from error
    return Answer(headers={"Location": reference(call, "tasks", made.task_id)})


def get_results(call: Call) -> Answer:
    """Answer what became of each device, firmware and image apart, once the update is over.

    Where nothing was attempted the result is "success", as the document says.
    """
    things: Things = call.host.things
    wanted = call.params["networkConfigurationUpdateId"]
    update = next((one for one in things.updates() if one.id == wanted), None)
    if update is None or not is_done(call.host, update):
        raise ApiError(404, "Network configuration update results could not be found")
    return Answer({"data": {
        "firmware_results": _results(call, update, "firmware"),
        "id": update.id,
        "href": reference(call, "networkConfigurationUpdates", update.id),
        "image_results": _results(call, update, "image"),
    }})  # fmt: skip


def _unable(words: str) -> ApiError:
    return ApiError(400, f"Unable to update network configuration: {words}")


class _Wanted:
    """What a network configuration asks of the site, and what of it cannot be."""

    def __init__(self, call: Call, given: list[dict[str, Any]]) -> None:
        """Look at all groups."""
        self._call, self._things = call, call.host.things
        self.problems: list[str] = []
        self.groups: list[Group] = []
        self.upgrades: list[StartUpgrade] = []
        addresses = [addr for group in given for addr in group["devices"]]
        self.device_count = len(addresses)
        self._check_devices(addresses)
        for group in given:
            self._add(group["devices"], group["configuration"])

    def _check_devices(self, addresses: list[str]) -> None:
        """Note devices that there are not, or that cannot be upgraded now."""
        seen, host = Seen(self._call), self._call.host
        if host.network.jobs.is_changing(host.now_us):
            self.problems.append("A change of the network is under way")
        bridges = {node.address.lower() for node in host.network.nodes if node.is_bridge}
        for addr, times in Counter(addresses).items():
            if self._things.device_at(addr) is None:
                self.problems.append(f"No devices found with address {addr}")
            elif times > 1:
                self.problems.append(f"Device {addr} is in more than one group")
            elif addr in bridges:
                self.problems.append(f"Device {addr} is the bridge: nothing reaches it by air")
            elif addr in seen.upgrading:
                self.problems.append(f"Device {addr} is upgrading already")

    def _add(self, addresses: list[str], configuration: dict[str, Any]) -> None:
        """Add a group, and the upgrade that brings what it is to run."""
        host = self._call.host
        image = self._image(configuration.get("image"))
        firmware = self._firmware(configuration.get("firmware"))
        nodes = Seen(self._call).nodes
        names = [host.network.nodes[nodes[addr]].name for addr in addresses if addr in nodes]
        number = _NOTHING
        if names and (image is not None or firmware):
            number = len(host.network.jobs.upgrades) + len(self.upgrades)
            self.upgrades.append(StartUpgrade(
                image=image.name if image else "",
                size_bytes=image.size_bytes if image else 0,
                firmware=firmware,
                devices=tuple(names),
                transport=host.scenario.mesh.upgrade.transport,
                crc=image.crc if image else 0,
            ))  # fmt: skip
        self.groups.append(Group(tuple(addresses), firmware, image.id if image else "", number))

    def _image(self, given: dict[str, str] | None) -> StoredImage | None:
        """Return the image of a group, None for none."""
        if given is None:
            return None
        found = refers_to("images", given["href"])
        image = self._things.image(found) if found else None
        if image is None:
            self.problems.append(f"No image found at {given['href']}")
        return image

    def _firmware(self, given: dict[str, str] | None) -> str:
        """Return the version of firmware of a group, "" for none."""
        if given is None:
            return ""
        found = refers_to("firmware", given["href"])
        if found not in self._call.host.scenario.snap.firmware:
            self.problems.append(f"No firmware found at {given['href']}")
            return ""
        return str(found)


def _results(call: Call, update: Update, kind: str) -> list[dict[str, str]]:
    """Return the results of one kind of part, a row for each device."""
    network, nodes = call.host.network, Seen(call).nodes
    found = []
    for group in update.groups:
        first = "firmware" if group.firmware else "image" if group.image else ""
        for addr in group.addresses:
            failed = first  # a device that the mesh does not have is never reached
            if first and addr in nodes:
                failed = network.jobs.upgrades[group.upgrade].records[nodes[addr]].failed
            found.append({"result": "failure" if failed == kind else "success", "address": addr})
    return found
