"""The two engines behind one interface."""

from collections.abc import Iterator
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

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment that were not yielded yet, in order, as chunks."""

    def charges_ppb(self, now_us: int) -> NDArray[np.int64]:
        """Return the charge of each worker's scanner now [1e-9]."""

    def busy_us(self, now_us: int) -> NDArray[np.int64]:
        """Return how long each gateway has served until now [us]."""


def make_floor(engine: str, plan: FloorPlan, *, keeps_rows: bool = True) -> FloorEngine:
    """Return a floor run by the engine ``"compiled"`` or ``"reference"``.

    Parameters
    ----------
    engine
        Which of the two.
    plan
        The site as numbers.
    keeps_rows
        Whether chunks of rows stay valid after the next one is asked for.
    """
    if engine == "compiled":
        return CompiledFloor(plan, keeps_rows=keeps_rows)
    return ReferenceFloor(plan)
