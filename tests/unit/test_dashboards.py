"""Plans and their controls: what the schema makes of a key, and what the panel's table says."""

import subprocess
import sys
from typing import Any

import pandas as pd
import pytest

import twin
from tests.experiments.lines import line
from twin.dashboards import Control, Plan, controls_of
from twin.dashboards.words import numbers
from twin.errors import RunError, ScenarioError
from twin.experiments import Range, compare, replicate
from twin.scenario import Scenario, vary_all

WORKERS, PACE = "work.shifts.pilot.workers", "work.pick_scale"
KPIS = ("scans", "beep_mean_ms")
HOW: dict[str, Any] = {
    "until": "1 h", "kpis": KPIS, "executor": "serial", "cache": False, "progress": False,
}  # fmt: skip


def site() -> Scenario:
    return twin.load("reference_site")


def one(key: str, factor: Any = None, scenario: Scenario | None = None) -> Control:
    (control,) = controls_of(scenario or site(), {key: factor})
    return control


def plan(**changed: Any) -> Plan:
    return Plan(line(), [WORKERS, PACE], replications=4, **{**HOW, **changed})


@pytest.fixture(scope="module")
def simulated() -> Plan:
    found = plan()
    found.set(WORKERS, 2)
    found.simulate()
    return found


# --- controls --------------------------------------------------------------------------------


ENDS = [
    ("fleet.gateways.phones.count", "whole", (0, 14, 28), ""),
    ("fleet.gateways.phones.scanner_limit", "whole", (1, 1, 1), ""),  # a phone serves its worker
    ("fleet.gateways.aisles.count", "whole", (0, 4, 4), ""),  # not more than stations
    ("mesh.upgrade.ttl", "whole", (1, 5, 10), ""),
    (PACE, "number", (0.02, 1.0, 2.0), ""),  # above 0 begins one step above
    ("work.forgotten_end", "number", (0.0, 2.0, 4.0), "%"),
    ("fleet.ready_charge", "number", (0.0, 50.0, 99.0), "%"),  # below 100 % ends one step below
    ("work.start_spread", "number", (0.0, 5.0, 10.0), "min"),
    (
        "links.ble.stationary.connection_interval",
        "number",
        (8.0, 50.0, 100.0),
        "ms",
    ),  # from 7.5 ms on
    ("site.zones.chilled.temperature", "number", (-4.0, 6.0, 16.0), "degC"),
    ("mesh.radio.transmit_power", "number", (-6.5, 3.5, 13.5), "dBm"),
    ("site.zones.chilled.x", "number", (0.0, 0.0, 10.0), "m"),
]


@pytest.mark.parametrize(("key", "kind", "ends", "unit"), ENDS)
def test_the_schema_gives_a_slider_its_ends(
    key: str, kind: str, ends: tuple[float, float, float], unit: str
) -> None:
    control = one(key)
    assert (control.kind, control.unit) == (kind, unit)
    assert (control.low, control.start, control.high) == ends
    assert control.tooltip.startswith(f"{key}: ")
    assert (f"[{unit}]" in control.label) == bool(unit)


@pytest.mark.parametrize("key", [key for key, *_ in ENDS])
def test_what_a_slider_says_the_scenario_reads_back_the_same(key: str) -> None:
    control = one(key)
    assert vary_all(site(), {key: control.said(control.start)}).digest == site().digest
    for end in (control.low, control.high):
        if key != "fleet.ready_charge":  # which has to be above the low charge
            assert one(key, None, vary_all(site(), {key: control.said(end)})).start == end


def test_choices_and_switches() -> None:
    kinds = one("mesh.upgrade.transport")
    assert (kinds.kind, kinds.start) == ("choice", "auto")
    assert kinds.choices == ("auto", "unicast", "multicast")
    power_save = one("links.power_save")
    assert (power_save.kind, power_save.start) == ("switch", False)
    with pytest.raises(RunError, match="choose of auto, unicast, multicast"):
        kinds.said("broadcast")
    with pytest.raises(RunError, match="not offered"):
        power_save.said(1)


def test_a_range_names_the_ends_and_a_list_the_values() -> None:
    spread = one("work.start_spread", Range("30 s", "2 min"))
    assert (spread.unit, spread.low, spread.high) == ("s", 30.0, 300.0)  # 5 min, as it is now
    assert spread.said(45.0) == "45.0 s"
    counts = one("fleet.gateways.phones.count", [8, 20])
    assert counts.choices == (14, 8, 20)
    assert one("fleet.gateways.phones.count", [8, 14]).choices == (8, 14)


def test_steps_that_add_up_are_said_without_their_last_digits() -> None:
    assert one(PACE).said(0.1 + 0.2) == 0.3


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        (["fleet.gateways.phone.count"], "did you mean fleet.gateways.phones.count"),
        (["work.pick_scal"], "did you mean work.pick_scale"),
        (["work.orders.per_hour"], "does not say|orders"),
        (["run.horizon"], "both sides of a plan"),
        (["cloud.delay"], "no slider can show"),
        (["run"], "both sides of a plan"),
        ({PACE: Range(0, 2)}, "no slider can go from 0 to 2"),
        ({PACE: Range(2.0, 1.0)}, "from less to more"),
        ({"work.start_spread": Range(1, 2)}, "no slider can show 1 to 2"),
        ({"fleet.gateways.phones.count": Range(1, 2.5)}, "no slider can show 1 to 2.5"),
        ({"fleet.gateways.aisles.count": [4, 5]}, "more gateways than stations"),
        ({PACE: "fast"}, "no list of values"),
        ([], "without anything to change"),
    ],
)
def test_what_no_slider_can_be_made_of_is_said(factors: Any, said: str) -> None:
    with pytest.raises((RunError, ScenarioError), match=said):
        controls_of(site(), factors)


def test_what_is_off_has_no_place_on_a_slider_but_in_a_list() -> None:
    silent = vary_all(site(), {"cloud.telemetry_period": "off"})
    with pytest.raises(RunError, match=r"no slider can show 'off'(.|\n)*give a list"):
        one("cloud.telemetry_period", None, silent)
    assert one("cloud.telemetry_period", ["off", "5 min"], silent).choices == ("off", "5 min")


def test_who_names_no_key_gets_those_that_planners_change_first() -> None:
    keys = [control.key for control in controls_of(line())]
    assert keys == ["fleet.gateways.line.count", WORKERS, PACE, "links.power_save"]


# --- plans -----------------------------------------------------------------------------------


def test_a_moved_slider_is_not_simulated_yet() -> None:
    found = plan()
    assert found.state == "as it stands"
    assert found.set(WORKERS, 2) == "not simulated yet"
    assert found.changes == {WORKERS: 2}
    assert found.planned.work.shifts[0].workers == 2
    assert "planned" not in found.table
    assert found.set(WORKERS, 5) == "as it stands"
    assert found.simulate() == "as it stands"  # there is nothing to compare


def test_to_look_at_a_plan_starts_no_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = plan()
    with monkeypatch.context() as patched:
        patched.setattr("twin.dashboards.plan.replicate", None)
        assert repr(found) == "pilot_line: as it stands"
    assert found.table["now"].notna().all()
    assert repr(found) == "\n".join(found.answer())


def test_the_table_says_what_compare_says(simulated: Plan) -> None:
    changed = vary_all(line(), {WORKERS: 2})
    expected = compare({"now": line(), "planned": changed}, 4, **HOW)
    table = simulated.table.set_index("kpi")
    assert list(table.index) == list(KPIS)
    for side in ("now", "planned"):
        of_side = expected.table[expected.table["design"] == side].set_index("kpi")
        pd.testing.assert_series_equal(table[side], of_side["mean"], check_names=False)
        pd.testing.assert_series_equal(table[f"{side}_high"], of_side["high"], check_names=False)
    paired = expected.differences.set_index("kpi")
    for name, source in (("", "difference"), ("_low", "low"), ("_high", "high")):
        column = table[f"difference{name}"]
        pd.testing.assert_series_equal(column, paired[source], check_names=False)
    assert table.loc["scans", "difference_high"] < 0  # fewer workers scan less


def test_the_site_as_it_stands_is_what_replicate_says(simulated: Plan) -> None:
    alone = replicate(line(), 4, **HOW).table
    assert simulated.table["now"].tolist() == alone["mean"].tolist()


def test_what_was_simulated_once_is_there_at_once() -> None:
    found, told = plan(), []
    found.set(WORKERS, 2)
    found.simulate(lambda done, total: told.append((done, total)))
    assert told[-1] == (8, 8)
    found.set(WORKERS, 3)
    found.set(WORKERS, 2)
    assert found.state == "simulated"
    told.clear()
    found.simulate(lambda done, total: told.append((done, total)))
    assert not told
    assert found.reset() == "as it stands"
    assert found.planned is found.now


def test_a_plan_that_cannot_be_says_why_until_it_is_mended() -> None:
    found = Plan(site(), {"fleet.gateways.aisles.count": Range(1, 8)}, replications=2, **HOW)
    assert found.set("fleet.gateways.aisles.count", 6) == "refused"
    assert "more gateways than stations" in found.refusal
    assert "next:" in found.refusal
    assert found.simulate() == "refused"
    assert found.set("fleet.gateways.aisles.count", 3) == "not simulated yet"
    assert not found.refusal


def test_a_control_that_there_is_not_and_a_value_beyond_its_ends() -> None:
    found = plan()
    with pytest.raises(RunError, match=f"did you mean {WORKERS}"):
        found.set("work.shifts.pilot.worker", 2)
    with pytest.raises(RunError, match="not on the slider"):
        found.set(WORKERS, 11)
    assert found.state == "as it stands"


def test_answers_and_code_say_the_plan(simulated: Plan) -> None:
    scans, beep, foot = simulated.answer()
    assert scans.startswith("scans: now ")
    assert scans.endswith("smaller")
    assert beep.startswith("beep_mean_ms: now ")
    assert foot == "means of 4 runs, 95 % intervals, the same luck on both sides"
    planned = eval(simulated.code(), {"twin": twin, "scenario": line()})
    assert planned.digest == simulated.planned.digest


@pytest.mark.parametrize(
    ("bounds", "written"),
    [
        ((-1.9, -3.4, -0.33), ("-1.9", "-3.4", "-0.3")),  # not "-0", which would say the contrary
        ((5.1, 0.9, 9.3), ("5.1", "0.9", "9.3")),
        ((-1.4, -2.9, 0.1), ("-1", "-3", "0")),
        ((121.2, 116.4, 125.6), ("121", "116", "126")),
    ],
)
def test_a_decided_difference_is_not_rounded_to_zero(
    bounds: tuple[float, float, float], written: tuple[str, str, str]
) -> None:
    columns = ["difference", "difference_low", "difference_high"]
    assert numbers(pd.Series(bounds, index=columns), "difference") == written


# --- what is imported ------------------------------------------------------------------------


def test_a_plan_needs_neither_ipywidgets_nor_a_notebook() -> None:
    code = "import sys, twin.dashboards; print({'ipywidgets', 'IPython'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
