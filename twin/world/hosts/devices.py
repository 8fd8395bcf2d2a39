"""What runs on the nodes: firmware and scripts, and what an upgrade did to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from twin.draws import fold, root, unit
from twin.mesh.images import make_image, read_image
from twin.mesh.rules.streams import DEFECT, VOLTAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.mesh.nodes import MeshNode
    from twin.mesh.plan import MeshPlan
    from twin.mesh.transfer import Transfer
    from twin.scenario import MeshUpgrade


class Devices:
    """All nodes of a mesh as things that run something."""

    def __init__(self, plan: MeshPlan, settings: MeshUpgrade, nodes: Sequence[MeshNode]) -> None:
        """Let every node run what it came with; "" where nobody knows what that is."""
        self._seed = root(int(plan.mac[0]["seed"]))
        self._words, self._settings = plan.words, settings
        scripts = {(node.image, node.image_bytes) for node in nodes if node.image}
        known = {script: read_image(make_image(*script)).script for script in scripts}
        self.image = [known.get((node.image, node.image_bytes), "") for node in nodes]
        self.firmware = [node.firmware for node in nodes]

    def _share(self, stream: int, node: int) -> float:
        """Return a node's luck in something that does not change, from 0 to 1."""
        return float(unit(fold(fold(fold(self._seed, int(self._words[node])), stream), 0)))

    def refuses(self, node: int) -> bool:
        """Say whether a node's supply is too low for it to write."""
        return self._share(VOLTAGE, node) < self._settings.low_voltage

    def fails_to_take_firmware(self, node: int) -> bool:
        """Say whether a node's old firmware does not get to the new one."""
        old = self.firmware[node] or "0"
        is_sound = _parts(old) >= _parts(self._settings.sound_firmware)
        return not is_sound and self._share(DEFECT, node) < self._settings.defects


def _parts(version: str) -> tuple[int, ...]:
    """Return the numbers of a version like 2.8.1."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@dataclass
class Record:
    """What an upgrade did to one device; ``reason`` is empty where it went well."""

    node: int
    outcome: str = "pending"  # success, failure, cancelled
    reason: str = ""
    first_us: int = -1
    last_us: int = -1
    done_us: int = -1
    received_bytes: int = 0
    retries: int = 0
    failed: str = ""  # which kind of part did not get there


@dataclass(frozen=True)
class Part:
    """One image to be brought: its kind, what a node says that runs it, and size [B]."""

    kind: str
    name: str
    size_bytes: int


class Order(Protocol):
    """What a transfer belongs to: an upgrade, as those see it who bring its parts."""

    records: dict[int, Record]
    is_cancelled: bool
    rounds: int
    """How often what was missed was sent again, by the bridge that did so most."""

    def refuses(self, node: int) -> bool:
        """Say whether a node refuses to write."""

    def runs_it(self, node: int) -> bool:
        """Say whether a node runs what is being brought."""

    def erase(self, nodes: list[int]) -> None:
        """Nodes have erased their script."""

    def restart(self, nodes: list[int], now_us: int) -> None:
        """Nodes that have all chunks restart."""

    def settle(self, node: int, transfer: Transfer, reason: str, now_us: int) -> None:
        """Note what became of a device."""

    def go_on_by_unicast(self, bridge: int, transfer: Transfer, now_us: int) -> None:
        """Bring what devices miss to one after the other."""

    def end_transfer(self, now_us: int) -> None:
        """A bridge is through with the part."""
