"""The compiled engine: takes the earliest arrival, lets the rules decide, writes the row."""

import numpy as np
from numpy.typing import NDArray

from twin.events import EVENT
from twin.floor.compiled.kernel import open_sessions, run, session_charges
from twin.floor.compiled.state import build_floor
from twin.floor.plan import FloorPlan

CHUNK_ROWS = 1 << 18
"""Rows of one chunk: 16 MiB, which the system backs with few large pages as they are touched."""


class CompiledFloor:
    """The floor as arrays; same rows as ``ReferenceFloor``, byte for byte."""

    def __init__(self, plan: FloorPlan) -> None:
        """Build a floor on which nobody works yet."""
        self._floor = build_floor(plan)
        self._windows = np.zeros((0, 2), np.int64)
        self._chunk = np.zeros(CHUNK_ROWS, EVENT)
        self._used = 0

    def offer(self, sessions: NDArray[np.void], windows: NDArray[np.int64]) -> None:
        """Open sessions now.

        Parameters
        ----------
        sessions
            Array of ``SESSION`` rows.
        windows
            Array of shape (n, 2), the working stretches that the sessions refer to [us].
        """
        shifted = sessions.copy()
        for name in ("first_window", "end_window"):
            shifted[name] += len(self._windows)
        self._windows = np.concatenate([self._windows, windows])
        open_sessions(self._floor, self._windows, shifted)

    def advance(self, until_us: int) -> list[NDArray[np.void]]:
        """Return the rows before a moment that were not returned yet, in order, as chunks."""
        chunks = []
        while True:
            first = self._used
            self._used = run(self._floor, self._windows, until_us, self._chunk, first)
            if self._used > first:
                chunks.append(self._chunk[first : self._used])
            if self._used < len(self._chunk):
                return chunks
            self._chunk, self._used = np.zeros(CHUNK_ROWS, EVENT), 0

    def charges_ppb(self, now_us: int) -> NDArray[np.int64]:
        """Return the charge of each worker's scanner now, scans before now counted [1e-9]."""
        out = np.zeros(len(self._floor.workers), np.int64)
        session_charges(self._floor, now_us, out)
        return out

    def busy_us(self) -> NDArray[np.int64]:
        """Return how much service each gateway has taken on since the start [us]."""
        return np.array(self._floor.gateways["busy_us"])
