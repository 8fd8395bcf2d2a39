"""The readable engine: the floor as SimPy processes."""

from twin.floor.reference.engine import ReferenceFloor

__all__ = ["ReferenceFloor"]
