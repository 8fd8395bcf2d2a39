"""What runs on the nodes: firmware, scripts, and what of an image each has received so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from twin.draws import fold, root, unit
from twin.mesh.rules.streams import DEFECT, VOLTAGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twin.mesh.plan import MeshPlan
    from twin.scenario import MeshUpgrade


class Devices:
    """All nodes of a mesh as things that run something."""

    def __init__(self, plan: MeshPlan, settings: MeshUpgrade) -> None:
        """Let every node run what it came with."""
        self._seed = root(int(plan.mac[0]["seed"]))
        self._words, self._settings = plan.words, settings
        self.image = [""] * plan.nodes
        self.firmware = [""] * plan.nodes

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
class Transfer:
    """An image on its way to some devices: who has which chunk of it, and since when.

    Parameters
    ----------
    nodes
        Which devices, shape (devices,).
    of_nodes
        How many nodes there are in all [1].
    chunks
        How many chunks it has [1].
    """

    nodes: NDArray[np.int64]
    of_nodes: int
    chunks: int
    has: NDArray[np.bool_] = field(init=False)
    erased: NDArray[np.bool_] = field(init=False)
    first_us: NDArray[np.int64] = field(init=False)
    last_us: NDArray[np.int64] = field(init=False)
    is_settled: NDArray[np.bool_] = field(init=False)
    place: NDArray[np.int64] = field(init=False)
    """Where each node stands among the devices, -1 for who is none, shape (of_nodes,)."""

    def __post_init__(self) -> None:
        """Begin with nothing received."""
        count = len(self.nodes)
        self.has = np.zeros((count, self.chunks), bool)
        self.erased = np.zeros(count, bool)
        self.first_us, self.last_us = np.full(count, -1), np.full(count, -1)
        self.is_settled = np.zeros(count, bool)
        self.place = np.full(self.of_nodes, -1)
        self.place[self.nodes] = np.arange(count)

    @property
    def is_complete(self) -> NDArray[np.bool_]:
        """Which devices have every chunk, shape (devices,)."""
        return np.asarray(self.has.all(axis=1))

    def take(self, chunk: int, places: NDArray[np.int64], times_us: NDArray[np.int64]) -> None:
        """Devices that have erased what they had take a chunk."""
        ready = self.erased[places]
        places, times_us = places[ready], times_us[ready]
        self.has[places, chunk] = True
        self.first_us[places] = np.where(self.first_us[places] < 0, times_us, self.first_us[places])
        self.last_us[places] = times_us

    def missing(self, place: int) -> list[int]:
        """Return the chunks that a device has not."""
        return np.flatnonzero(~self.has[place]).tolist()


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


@dataclass(frozen=True)
class Part:
    """One image to be brought: its kind, name or version, and size [B]."""

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
