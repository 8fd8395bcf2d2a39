"""What the mesh shows to the service: which node a device is, what it runs, who is upgrading."""

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from twin.api.host import Host
from twin.api.http import Call, Request
from twin.events import NEVER
from twin.mesh.images import script_of
from twin.store.things import Device, StoredImage, Update
from twin.world.hosts.upgrade import Upgrade

__all__ = [
    "API",
    "BASE_URL",
    "UNKNOWN",
    "Seen",
    "base_url",
    "is_done",
    "is_under_way",
    "reference",
    "refers_to",
]

BASE_URL = "https://localhost:3000"
"""Where the service is, if a request does not say under which name it came."""
API = "/api/v1"
UNKNOWN = "Unknown"


def base_url(request: Request) -> str:
    """Return where a client finds the service: as it came."""
    host = request.headers.get("host")
    return f"{request.scheme}://{host}" if host else BASE_URL


def reference(call: Call, kind: str, found: object) -> str:
    """Return the address of something, like ``https://localhost:3000/api/v1/devices/2``."""
    return f"{base_url(call.request)}{API}/{kind}/{found}"


def refers_to(kind: str, href: str) -> str | None:
    """Return the id of what an address leads to, None where it is none of this kind.

    The service goes by many names, so only the path counts.
    """
    try:
        path = urlsplit(href).path
    except ValueError:
        return None
    head, _, found = path.rpartition("/")
    return found if head == f"{API}/{kind}" and found else None


class Seen:
    """What a call sees of the mesh, at its moment."""

    def __init__(self, call: Call) -> None:
        """Look from a call."""
        self._call = call
        self._host: Host = call.host

    @cached_property
    def nodes(self) -> dict[str, int]:
        """The nodes of the mesh by address."""
        return {node.address.lower(): n for n, node in enumerate(self._host.network.nodes)}

    @cached_property
    def _images(self) -> dict[str, StoredImage]:
        """The images by what a node says that runs them; of two alike the older."""
        images = reversed(self._host.things.images())
        return {script_of(one.name, one.crc): one for one in images}

    @cached_property
    def upgrading(self) -> set[str]:
        """The addresses of devices that wait for what becomes of their upgrade."""
        network, now_us = self._host.network, self._host.now_us
        found = set()
        for upgrade in network.jobs.upgrades:
            if is_under_way(upgrade, now_us):
                waiting = (n for n, one in upgrade.records.items() if one.outcome == "pending")
                found |= {network.nodes[n].address.lower() for n in waiting}
        return found

    def image_of(self, addr: str) -> StoredImage | None:
        """Return the image that a device runs, where it is one of the service's."""
        node = self.nodes.get(addr)
        if node is None:
            return None
        return self._images.get(self._host.network.jobs.devices.image[node])

    def firmware_of(self, addr: str) -> str:
        """Return the firmware that a device runs, where it is one of the service's."""
        node = self.nodes.get(addr)
        version = "" if node is None else self._host.network.jobs.devices.firmware[node]
        return version if version in self._host.scenario.snap.firmware else ""

    def device(self, device: Device, expand: str = "") -> dict[str, Any]:
        """Return a device as the document shows it; ``expand`` names what is shown in full."""
        image, version = self.image_of(device.addr), self.firmware_of(device.addr)
        shown_image: dict[str, Any] = {"href": UNKNOWN}
        if image is not None:
            full = self.image(image)
            shown_image = full if "image" in expand else {"href": full["href"]}
        firmware: dict[str, Any] = {"href": UNKNOWN}
        if version:
            full = self.firmware(version)
            firmware = full if "firmware" in expand else {"href": full["href"]}
        return {
            "upgrading": device.addr in self.upgrading,
            "addr": device.addr,
            "firmware": firmware,
            "platform": device.platform,
            "description": device.description,
            "href": reference(self._call, "devices", device.id),
            "deviceType": device.device_type,
            "id": device.id,
            "image": shown_image,
        }

    def image(self, image: StoredImage) -> dict[str, Any]:
        """Return an image as the document shows it; its size is that of the script [B]."""
        return {
            "name": image.name,
            "size": image.size_bytes,
            "id": image.id,
            "href": reference(self._call, "images", image.id),
            "crc": f"0x{image.crc:04x}",
        }

    def firmware(self, version: str) -> dict[str, Any]:
        """Return a version of firmware as the document shows it."""
        return {"version": version, "href": reference(self._call, "firmware", version)}


def is_under_way(upgrade: Upgrade, now_us: int) -> bool:
    """Say whether an upgrade runs, begins now, or waits for another one."""
    waits = upgrade.due_us == NEVER or upgrade.due_us <= now_us
    return upgrade.status == "running" or (upgrade.status == "planned" and waits)


def is_done(host: Host, update: Update) -> bool:
    """Say whether of every device of an update is known what became of it."""
    upgrades = host.network.jobs.upgrades
    mine = [upgrades[group.upgrade] for group in update.groups if group.upgrade >= 0]
    return all(upgrade.ended_us != NEVER for upgrade in mine)
