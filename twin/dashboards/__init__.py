"""Panels for who plans: sliders that the scenario's schema makes, and what they would change.

Nothing here needs a kernel or ipywidgets but the panel itself: ``controls_of`` and ``Plan`` are
plain Python.
"""

from twin.dashboards.controls import Control, controls_of
from twin.dashboards.panel import PlanPanel, plan_panel
from twin.dashboards.plan import Plan

__all__ = ["Control", "Plan", "PlanPanel", "controls_of", "plan_panel"]
