"""The SNAP Thing Services API: its door and its error envelope; no operation is built yet."""

from twin.api.snap.routes import make_snap

__all__ = ["make_snap"]
