"""The `[mesh]` section: reserved for the SNAP RF mesh; it has no keys yet."""

from __future__ import annotations

from twin.scenario.base import Part

__all__ = ["Mesh"]


class Mesh(Part):
    """Reserved: the mesh is not simulated yet, so that any key here is refused."""
