"""The SNAP Thing Services API, as its document describes it, answered by the mesh."""

from twin.api.snap.routes import make_snap

__all__ = ["make_snap"]
