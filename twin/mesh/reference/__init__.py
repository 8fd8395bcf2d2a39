"""The mesh in SimPy: written to be read."""

from twin.mesh.reference.engine import ReferenceMesh

__all__ = ["ReferenceMesh"]
