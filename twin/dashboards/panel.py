"""The panel: a plan with sliders, a button, a table and a picture. The one file with widgets."""

from __future__ import annotations

import base64
import html
import importlib
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from twin.dashboards.controls import Control, Factors
from twin.dashboards.plan import Plan
from twin.dashboards.showing import picture, say_error, say_state, table_html
from twin.errors import RunError, TwinError
from twin.experiments import Comparison
from twin.experiments.how import How
from twin.scenario import Scenario

__all__ = ["PlanPanel", "plan_panel"]

_VIEW = "application/vnd.jupyter.widget-view+json"
_WIDE = "100%"


def plan_panel(
    scenario: str | Path | Scenario,
    factors: Factors | None = None,
    *,
    replications: int = 10,
    **how: Unpack[How],
) -> PlanPanel:
    """Return a panel for a notebook: sliders for a plan, and what it would change.

    Sliders alone simulate nothing: the button does. What was simulated once is there at once.
    Whoever reads the notebook without a kernel sees the site as it stands, in a table and a
    picture.

    Parameters
    ----------
    scenario
        As it stands: a scenario, its path, or the name of a packaged one.
    factors
        What may be changed: keys of the scenario, or for each key a ``Range`` or a list of values;
        default: gateways, workers, their pace, and the Wi-Fi's power save.
    replications
        How many runs of each side [1].
    **how
        See ``twin.experiments.How``: ``until``, ``kpis`` and so on.

    Raises
    ------
    RunError
        There is nothing to change, or no slider for it; or ipywidgets is not installed.
    ScenarioError
        A key or value that no scenario can have.
    """
    how.setdefault("progress", False)
    return PlanPanel(Plan(scenario, factors, replications=replications, **how))


class PlanPanel:
    """A plan that a notebook shows: first what needs no kernel, then what does.

    Parameters
    ----------
    plan
        What is shown; it can be used beside the panel.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        make = self._make = _widgets()
        self.inputs: dict[str, Any] = {one.key: _input(make, one) for one in plan.controls}
        """The widget of each control, by key."""
        self.simulate = make.Button(description="Simulate", button_style="primary")
        self.reset = make.Button(description="As it stands")
        self.status, self.table, self.picture = make.HTML(), make.HTML(), make.HTML()
        self.progress = make.IntProgress(layout={"width": _WIDE, "visibility": "hidden"})
        self.pictured = make.Dropdown(options=plan.kpis, description="picture of")
        for key, widget in self.inputs.items():
            widget.observe(partial(self._moved, key), names="value")
        self.simulate.on_click(lambda _: self._guarded(self._simulate))
        self.reset.on_click(lambda _: self._guarded(self._reset))
        self.pictured.observe(lambda _: self._guarded(lambda: None), names="value")
        self.box = self._laid_out()
        self._drawn: tuple[str, Comparison | None] | None = None
        self._guarded(lambda: None)

    def _ipython_display_(self, **_: Any) -> None:
        """Show the table and a picture to who has no kernel, and below them the panel."""
        kpi, text = self.plan.kpis[0], "\n".join(self.plan.answer())
        image = base64.b64encode(picture(self.plan, kpi)).decode()
        _display({"image/png": image, "text/plain": f"<picture of {kpi}>"})
        _display({"text/html": table_html(self.plan, is_static=True), "text/plain": text})
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        _display({_VIEW: view, "text/plain": "Run this notebook to move the sliders."})

    def _laid_out(self) -> Any:
        """Return all widgets in their places: beside each other, or below where it is narrow."""
        make = self._make
        title = make.HTML(f"<b>{html.escape(self.plan.now.name)}: what if?</b>")
        buttons = make.HBox([self.simulate, self.reset])
        left = make.VBox(
            [title, *self.inputs.values(), buttons, self.progress, self.status],
            layout={"flex": "1 1 340px", "max_width": "480px"},
        )
        right = make.VBox([self.table], layout={"flex": "2 1 460px", "overflow": "auto"})
        top = make.HBox([left, right], layout={"flex_flow": "row wrap", "grid_gap": "16px"})
        return make.VBox([top, self.pictured, self.picture], layout={"width": _WIDE})

    def _guarded(self, action: Callable[[], None]) -> None:
        """Do what a widget asks for, then show how things are; what is refused is said in words."""
        try:
            action()
            told = say_state(self.plan)
        except TwinError as error:
            told = say_error(str(error))
        except KeyboardInterrupt:
            told = "Stopped. Runs that were done are kept: press Simulate to go on."
        self._show(told)

    def _moved(self, key: str, change: dict[str, Any]) -> None:
        """Take over into the plan what a control shows now."""
        self._guarded(lambda: self._set(key, change["new"]))

    def _set(self, key: str, value: Any) -> None:
        self.plan.set(key, value)

    def _simulate(self) -> None:
        self.simulate.disabled = self.reset.disabled = True
        self.progress.value, self.progress.layout.visibility = 0, "visible"
        self.status.value = "Simulating; to stop it, interrupt the kernel."
        try:
            self.plan.simulate(self._tell)
        finally:
            self.progress.layout.visibility = "hidden"

    def _tell(self, done: int, total: int) -> None:
        self.progress.max, self.progress.value = total, done
        self.status.value = f"Simulating: {done} of {total} runs; to stop, interrupt the kernel."

    def _reset(self) -> None:
        self.plan.reset()
        for control in self.plan.controls:
            self.inputs[control.key].value = control.start

    def _show(self, told: str) -> None:
        """Show the plan as it is."""
        kpi, state = self.pictured.value, self.plan.state
        self.simulate.disabled = state != "not simulated yet"
        self.reset.disabled = self.plan.shown == {one.key: one.start for one in self.plan.controls}
        self.status.value = f'<div class="twin-plan-state" data-state="{state}">{told}</div>'
        self.table.value = table_html(self.plan)
        # To draw takes longer than all else: whoever moves a slider shall not wait for it.
        found = self.plan.found
        if self._drawn is not None and self._drawn[0] == kpi and self._drawn[1] is found:
            return
        self._drawn = (kpi, found)
        image = base64.b64encode(picture(self.plan, kpi)).decode()
        # On a narrow screen it is moved aside rather than too small to be read.
        self.picture.value = (
            f'<div style="overflow-x:auto"><img alt="{html.escape(kpi)}, drawn run by run" '
            'style="width:100%;min-width:560px;max-width:800px" '
            f'src="data:image/png;base64,{image}"></div>'
        )


def _widgets() -> Any:
    """Return ipywidgets, which a notebook needs and nothing else here."""
    try:
        return importlib.import_module("ipywidgets")
    except ImportError as error:
        raise RunError(
            "a panel needs ipywidgets, which is not installed here",
            hint=".venv/bin/pip install -e '.[notebook]' -c constraints.txt",
        ) from error


def _display(data: dict[str, Any]) -> None:
    """Put an output of some kinds below the cell; a reader's program shows the best it can."""
    importlib.import_module("IPython.display").display(data, raw=True)


def _input(make: Any, control: Control) -> Any:
    """Return the widget of a control; it tells of a move when the move is over."""
    common = {
        "value": control.start, "description": control.label, "tooltip": control.tooltip,
        "style": {"description_width": "11em"}, "layout": {"width": _WIDE},
    }  # fmt: skip
    if control.kind == "switch":
        return make.Checkbox(**common, indent=True)
    if control.kind == "choice":
        return make.Dropdown(**common, options=[(str(one), one) for one in control.choices])
    ends = {"min": control.low, "max": control.high, "step": control.step}
    if control.kind == "whole":
        return make.IntSlider(**common, **ends, continuous_update=False)
    digits = max(0, -math.floor(math.log10(control.step)))
    return make.FloatSlider(
        **common, **ends, readout_format=f".{digits}f", continuous_update=False
    )  # fmt: skip
