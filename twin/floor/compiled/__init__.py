"""The fast engine: arrays, one tournament tree of pending arrivals, compiled."""

from twin.floor.compiled.engine import CompiledFloor

__all__ = ["CompiledFloor"]
