"""The two engines behind one interface."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin.events import Asking
from twin.floor.compiled import CompiledFloor
from twin.floor.plan import FloorPlan
from twin.floor.reference import ReferenceFloor


class FloorEngine(Protocol):
    """What the site may ask of a floor, whichever engine runs it."""

    def offer(self, sessions: NDArray[np.void], windows: NDArray[np.int64]) -> None:
        """Open sessions now."""

    def grow(self, plan: FloorPlan) -> None:
        """Take up the gateways that a plan has more than the one before."""

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment, in order; end early where a worker asks for help."""

    def disturb(self, shares: NDArray[np.float64], now_us: int) -> None:
        """Let others in the band take a share of each gateway's connection events from now on."""

    @property
    def asking(self) -> Asking | None:
        """The worker who asks the site for help, None for nobody."""

    def charges_ppb(self, now_us: int) -> NDArray[np.int64]:
        """Return the charge of each worker's scanner now [1e-9]."""

    def charge_ppb(self, worker: int, now_us: int) -> int:
        """Return the same of one worker's scanner [1e-9]."""

    def busy_us(self, now_us: int) -> NDArray[np.int64]:
        """Return how long each gateway has served until now [us]."""

    def most_held(self) -> NDArray[np.int64]:
        """Return the most messages that each gateway held for the uplink so far [1]."""


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
