"""The two engines of the mesh behind one interface."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin.mesh.compiled import CompiledMesh
from twin.mesh.plan import MeshPlan
from twin.mesh.reference import ReferenceMesh


class MeshEngine(Protocol):
    """What the site may ask of a mesh, whichever engine runs it."""

    halted_us: int
    """When the last ``advance`` ended early for a host that waits for something [us]."""

    def offer(self, wishes: NDArray[np.void], to: NDArray[np.int32], now_us: int) -> None:
        """Say something now."""

    def switch(self, nodes: NDArray[np.int64], is_on: bool, now_us: int) -> None:
        """Switch nodes on or off."""

    def mark(self, nodes: NDArray[np.int64], mark: int, is_set: bool) -> None:
        """Set a mark at nodes, or take it away: see ``Mark``."""

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment, in order; end early at ``halted_us``."""

    def disturb(self, shares: NDArray[np.float64]) -> None:
        """Let others in the band take a share of the frames that each node would hear."""

    def rewire(self, plan: MeshPlan, nodes: NDArray[np.int64]) -> None:
        """Let nodes be in other networks from now on: links are those of another plan."""

    @property
    def next_us(self) -> int:
        """When something may happen next, NEVER for not at all [us]."""

    def messages(self) -> NDArray[np.void]:
        """Return all messages so far."""

    @property
    def count(self) -> int:
        """How many messages there are so far [1]."""

    def facts(self, first: int) -> NDArray[np.void]:
        """Return what hosts have to know of all messages from one on."""

    def use(self) -> NDArray[np.void]:
        """Return what each node's radio did so far."""


def make_mesh(engine: str, plan: MeshPlan, *, keeps_rows: bool = True) -> MeshEngine:
    """Return a mesh run by the engine ``"compiled"`` or ``"reference"``.

    Parameters
    ----------
    engine
        Which of the two.
    plan
        Nodes and links as numbers.
    keeps_rows
        Whether chunks of rows stay valid after the next one is asked for.
    """
    if engine == "compiled":
        return CompiledMesh(plan, keeps_rows=keeps_rows)
    return ReferenceMesh(plan)
