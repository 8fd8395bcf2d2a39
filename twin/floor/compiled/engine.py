"""The compiled engine: takes the earliest arrival, lets the rules decide, writes the row."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.events import EVENT, Asking, Kind
from twin.floor.compiled.charge import session_charges
from twin.floor.compiled.kernel import open_sessions, run
from twin.floor.compiled.links import disturb
from twin.floor.compiled.state import build_floor, placed_floor, with_gateways
from twin.floor.plan import FloorPlan

KEPT_CHUNK_ROWS = 1 << 18
"""Rows of a chunk that is kept: 16 MiB."""
PASSING_CHUNK_ROWS = 1 << 13
"""Rows of the chunk that is used again and again: it stays in the cache beside the workers."""


class CompiledFloor:
    """The floor as arrays; same rows as ``ReferenceFloor``, byte for byte."""

    def __init__(self, plan: FloorPlan, *, keeps_rows: bool = True) -> None:
        """Build a floor on which nobody works yet.

        Parameters
        ----------
        plan
            The site as numbers.
        keeps_rows
            Whether chunks stay valid; else each is overwritten after the next one is asked for.
        """
        self._floor = build_floor(plan)
        self._windows = np.zeros((64, 2), np.int64)
        self._used_windows = 0
        self._keeps_rows = keeps_rows
        self._chunk = np.empty(KEPT_CHUNK_ROWS if keeps_rows else PASSING_CHUNK_ROWS, EVENT)
        self._used = 0

    def __getstate__(self) -> dict[str, Any]:
        """Return the state between two advances: rows that were yielded are no part of it."""
        return self.__dict__ | {
            "_chunk": len(self._chunk), "_used": 0, "_windows": self._windows[: self._used_windows],
        }  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on from there, arrays in memory as the kernel likes them."""
        self.__dict__.update(state)
        self._chunk = np.empty(state["_chunk"], EVENT)
        self._floor = placed_floor(self._floor)

    def grow(self, plan: FloorPlan) -> None:
        """Take up the gateways that a plan has more than the one before.

        Parameters
        ----------
        plan
            The site as numbers, the known gateways and their outages first.
        """
        self._floor = with_gateways(self._floor, plan)

    def offer(self, sessions: NDArray[np.void], windows: NDArray[np.int64]) -> None:
        """Open sessions now; where a worker asks for help, this is the answer.

        Parameters
        ----------
        sessions
            Array of ``SESSION`` rows.
        windows
            Array of shape (n, 2), the working stretches that the sessions refer to [us].
        """
        shifted = sessions.copy()
        for name in ("first_window", "end_window"):
            shifted[name] += self._used_windows
        self._keep_windows(windows)
        open_sessions(self._floor, self._windows, shifted)

    def _keep_windows(self, windows: NDArray[np.int64]) -> None:
        """Put stretches of work behind those that are kept."""
        end = self._used_windows + len(windows)
        if end > len(self._windows):
            self._windows = np.concatenate([self._windows, np.zeros((end, 2), np.int64)])
        self._windows[self._used_windows : end] = windows
        self._used_windows = end

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment that were not yielded yet, in order, as chunks.

        It ends early after the row with which a worker asks the site for help (``asking``).
        """
        full = True
        while full:
            first = self._used
            self._used = run(self._floor, self._windows, until_us, self._chunk, first)
            full = self._used == len(self._chunk)
            if self._used > first:
                yield self._chunk[first : self._used]
            if full or not self._keeps_rows:
                self._used = 0
                self._chunk = np.empty_like(self._chunk) if self._keeps_rows else self._chunk

    def disturb(self, shares: NDArray[np.float64], now_us: int) -> None:
        """Let others in the band take a share of the connection events from now on.

        Parameters
        ----------
        shares
            At each gateway, shape (gateways,) [1].
        now_us
            The moment, no earlier than any up to which the floor was advanced [us].
        """
        self._floor.taken[:] = shares
        disturb(self._floor, now_us)

    @property
    def asking(self) -> Asking | None:
        """The worker who asks the site for help, None for nobody."""
        worker, now_us, kind = self._floor.asks.tolist()
        return None if worker < 0 else Asking(worker, now_us, Kind(kind))

    def charges_ppb(self, now_us: int) -> NDArray[np.int64]:
        """Return the charge of each worker's scanner now, scans before now counted [1e-9]."""
        out = np.zeros(len(self._floor.workers), np.int64)
        session_charges(self._floor, 0, now_us, out)
        return out

    def charge_ppb(self, worker: int, now_us: int) -> int:
        """Return the same of one worker's scanner [1e-9]."""
        out = np.zeros(1, np.int64)
        session_charges(self._floor, worker, now_us, out)
        return int(out[0])

    def busy_us(self, now_us: int) -> NDArray[np.int64]:
        """Return how long each gateway has served until now: accepted less still to do [us]."""
        gateways = self._floor.gateways
        return np.asarray(gateways["busy_us"] - np.maximum(0, gateways["free_us"] - now_us))

    def most_held(self) -> NDArray[np.int64]:
        """Return the most messages that each gateway held for the uplink so far [1]."""
        return self._floor.gateways["most_held"].astype(np.int64)
