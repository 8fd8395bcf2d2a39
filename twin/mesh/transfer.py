"""What of an image each device has received so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.compiling import rule, settled
from twin.events import NEVER


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
    """When each device took its first chunk, NEVER for not yet, shape (devices,) [us]."""
    last_us: NDArray[np.int64] = field(init=False)
    """When it took its latest, -1 for not yet, shape (devices,) [us]."""
    is_settled: NDArray[np.bool_] = field(init=False)
    place: NDArray[np.int64] = field(init=False)
    """Where each node stands among the devices, -1 for who is none, shape (of_nodes,)."""
    _take: Callable[..., None] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Begin with nothing received."""
        count = len(self.nodes)
        self.has = np.zeros((count, self.chunks), bool)
        self.erased = np.zeros(count, bool)
        self.first_us, self.last_us = np.full(count, NEVER), np.full(count, -1)
        self.is_settled = np.zeros(count, bool)
        self.place = np.full(self.of_nodes, -1)
        self.place[self.nodes] = np.arange(count)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state: the compiled rule is no part of it."""
        return self.__dict__ | {"_take": None}

    @property
    def is_complete(self) -> NDArray[np.bool_]:
        """Which devices have every chunk, shape (devices,)."""
        return np.asarray(self.has.all(axis=1))

    def take(self, chunk: int, rows: NDArray[np.void]) -> None:
        """Those devices of some ``MESH_EVENT`` rows that have erased what they had take a chunk."""
        arguments = rows, chunk, self.place, self.erased, self.has, self.first_us, self.last_us
        if self._take is None:
            self._take = settled(_take, *arguments)
        self._take(*arguments)

    def take_one(self, chunk: int, place: int, now_us: int) -> None:
        """A device takes a chunk now."""
        self.has[place, chunk] = True
        self.first_us[place] = min(self.first_us[place], now_us)
        self.last_us[place] = now_us

    def missing(self, place: int) -> list[int]:
        """Return the chunks that a device has not."""
        return np.flatnonzero(~self.has[place]).tolist()


@rule
def _take(
    rows: NDArray[np.void], chunk: int, place: NDArray[np.int64], erased: NDArray[np.bool_],
    has: NDArray[np.bool_], first_us: NDArray[np.int64], last_us: NDArray[np.int64],
) -> None:  # fmt: skip
    """Note a chunk at every device of some rows that may take it; see ``Transfer``."""
    for i in range(len(rows)):
        k = place[rows[i]["node"]]
        if k >= 0 and erased[k]:
            has[k, chunk] = True
            first_us[k] = min(first_us[k], rows[i]["time_us"])
            last_us[k] = max(last_us[k], rows[i]["time_us"])
