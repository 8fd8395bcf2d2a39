"""The two engines behind one interface."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin.floor.compiled import CompiledFloor
from twin.floor.plan import FloorPlan
from twin.floor.reference import ReferenceFloor


class FloorEngine(Protocol):
    """What the site may ask of a floor, whichever engine runs it."""

    def offer(self, sessions: NDArray[np.void], windows: NDArray[np.int64]) -> None:
        """Open sessions now."""

    def advance(self, until_us: int) -> list[NDArray[np.void]]:
        """Return the rows before a moment that were not returned yet, in order, as chunks."""

    def charges_ppb(self, now_us: int) -> NDArray[np.int64]:
        """Return the charge of each worker's scanner now [1e-9]."""

    def busy_us(self) -> NDArray[np.int64]:
        """Return how much service each gateway has taken on since the start [us]."""


def make_floor(engine: str, plan: FloorPlan) -> FloorEngine:
    """Return a floor run by the engine ``"compiled"`` or ``"reference"``."""
    return CompiledFloor(plan) if engine == "compiled" else ReferenceFloor(plan)
