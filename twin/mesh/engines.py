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

    def offer(self, wishes: NDArray[np.void], to: NDArray[np.int32], now_us: int) -> None:
        """Multicast messages now."""

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment, in order."""

    def disturb(self, shares: NDArray[np.float64]) -> None:
        """Let others in the band take a share of the frames that each node would hear."""

    @property
    def next_us(self) -> int:
        """When something may happen next, NEVER for not at all [us]."""

    def messages(self) -> NDArray[np.void]:
        """Return all messages so far."""

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
