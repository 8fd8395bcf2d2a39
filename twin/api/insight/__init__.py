"""The Insight API, as ``insight-api.txt`` describes it, answered by the twin."""

from twin.api.insight.routes import make_insight

__all__ = ["make_insight"]
