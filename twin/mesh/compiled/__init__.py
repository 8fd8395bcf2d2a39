"""The fast engine of the mesh: arrays and one tournament tree, compiled."""

from twin.mesh.compiled.engine import CompiledMesh

__all__ = ["CompiledMesh"]
