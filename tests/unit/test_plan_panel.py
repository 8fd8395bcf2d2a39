"""The panel without a browser: what its widgets show, and what a reader without a kernel sees."""

import base64
import sys
from typing import Any

import pytest

from tests.experiments.lines import line
from twin.dashboards import Plan, PlanPanel, panel, plan_panel
from twin.dashboards.showing import picture, say_state, table_html
from twin.errors import RunError
from twin.experiments import Range

WORKERS, COUNT = "work.shifts.pilot.workers", "fleet.gateways.line.count"
PNG = b"\x89PNG\r\n"


def made(**changed: Any) -> PlanPanel:
    how: dict[str, Any] = {
        "until": "1 h", "kpis": ["scans", "beep_mean_ms"], "executor": "serial", "cache": False,
    }  # fmt: skip
    factors = {
        WORKERS: None, COUNT: Range(0, 4), "work.start_spread": None, "links.power_save": None,
        "links.ble.stationary.range": ["20 m", "30 m"],
    }  # fmt: skip
    return plan_panel(line(), factors, replications=3, **{**how, **changed})


@pytest.fixture(scope="module")
def shown() -> PlanPanel:
    return made()


@pytest.fixture(autouse=True)
def _as_it_stands(shown: PlanPanel) -> None:
    shown.reset.click()


def test_each_kind_of_control_has_its_widget(shown: PlanPanel) -> None:
    names = [type(widget).__name__ for widget in shown.inputs.values()]
    assert names == ["IntSlider", "IntSlider", "FloatSlider", "Checkbox", "Dropdown"]
    spread = shown.inputs["work.start_spread"]
    assert spread.description == "start spread [min]"
    assert spread.tooltip.startswith("work.start_spread: a duration at least 0 s")
    assert not spread.continuous_update


def test_a_move_simulates_nothing_and_a_click_does(shown: PlanPanel) -> None:
    assert shown.simulate.disabled
    shown.inputs[WORKERS].value = 4
    assert "pilot workers 5 → 4" in shown.status.value
    assert not shown.simulate.disabled
    assert shown.plan.found is None
    assert shown.table.value.count("&ndash;") == 4  # two figures: planned, and the difference
    before = shown.picture.value
    shown.simulate.click()
    assert shown.plan.found is not None
    assert "&ndash;" not in shown.table.value
    assert shown.simulate.disabled
    assert shown.progress.value == shown.progress.max == 6
    assert shown.progress.layout.visibility == "hidden"
    assert shown.picture.value != before


def test_a_plan_that_cannot_be_is_said_in_the_house_words(shown: PlanPanel) -> None:
    shown.inputs[COUNT].value = 3
    assert 'data-state="refused"' in shown.status.value
    assert "more gateways than stations" in shown.status.value
    assert "allowed: 0 to 1, the number of stations" in shown.status.value
    assert shown.simulate.disabled
    shown.reset.click()
    assert shown.inputs[COUNT].value == 1
    assert 'data-state="as it stands"' in shown.status.value


@pytest.mark.parametrize(
    ("workers", "raised", "said"),
    [(2, RunError("no room", hint="buy some"), "buy some"), (3, KeyboardInterrupt(), "Stopped.")],
)
def test_runs_that_fail_or_are_stopped_leave_a_panel_that_works(
    shown: PlanPanel,
    monkeypatch: pytest.MonkeyPatch,
    workers: int,
    raised: BaseException,
    said: str,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised

    shown.inputs[WORKERS].value = workers
    with monkeypatch.context() as patched:
        patched.setattr("twin.dashboards.plan.compare", fail)
        shown.simulate.click()
    assert said in shown.status.value
    assert not shown.simulate.disabled
    assert shown.progress.layout.visibility == "hidden"
    shown.simulate.click()
    assert 'data-state="simulated"' in shown.status.value


def test_another_figure_can_be_pictured(shown: PlanPanel) -> None:
    assert 'alt="scans, ' in shown.picture.value
    shown.pictured.value = "beep_mean_ms"
    assert 'alt="beep_mean_ms, ' in shown.picture.value
    shown.pictured.value = "scans"


def test_who_has_no_kernel_sees_a_picture_and_a_table_first(
    shown: PlanPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr(panel, "_display", outputs.append)
    shown._ipython_display_()
    image, table, view = outputs
    assert base64.b64decode(image["image/png"]).startswith(PNG)
    assert "planned" not in table["text/html"]
    assert table["text/plain"] == "\n".join(shown.plan.answer())
    assert view["application/vnd.jupyter.widget-view+json"]["model_id"] == shown.box.model_id
    assert "Run this notebook" in view["text/plain"]


def test_without_ipywidgets_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(RunError, match=r"pip install -e '\.\[notebook\]'"):
        made()


def test_a_table_and_a_picture_of_what_is_known(shown: PlanPanel) -> None:
    plan: Plan = shown.plan
    assert table_html(plan).count("<tr") == 3
    assert picture(plan, "scans").startswith(PNG)
    assert picture(plan, "scans") == picture(plan, "scans")
    assert "move something" in say_state(plan)
    with pytest.raises(RunError, match="there are scans, beep_mean_ms"):
        picture(plan, "jobs")
