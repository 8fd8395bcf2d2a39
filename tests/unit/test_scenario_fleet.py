"""Chargers and charges: what the scenario says of batteries."""

from typing import Any

import pytest

from tests.scenarios import QUIET, scenario
from twin.errors import ScenarioError
from twin.scenario import (
    Uniform,
    from_document,
    load,
    scanner_model,
    scanner_models,
    vary,
    warnings,
)

LINE = load("pilot_line")
COLD = load("cold_store")


def refused(key: str, value: Any) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        vary(LINE, key, value)
    assert len(caught.value.problems) == 1
    return caught.value


def charger(name: str, zone: str = "line", count: int = 5) -> dict[str, Any]:
    return {"name": name, "zone": zone, "count": count}


def test_charges_are_fractions_and_a_swap_takes_minutes() -> None:
    fleet = LINE.fleet
    assert (fleet.low_charge, fleet.ready_charge) == (0.1, 0.5)
    law = {"law": "uniform", "low": "60 s", "high": "180 s"}
    assert fleet.swap_time == Uniform.model_validate(law)
    assert fleet.chargers == ()


def test_chargers_survive_the_round_trip() -> None:
    changed = vary(LINE, "fleet.chargers", [charger("a"), charger("b", count=0)])
    assert [(item.name, item.zone, item.count) for item in changed.fleet.chargers] == [
        ("a", "line", 5),
        ("b", "line", 0),
    ]
    assert from_document(changed.document()) == changed
    assert changed.digest != LINE.digest


SLIPS = [
    ("fleet.low_charge", "50 %", "fleet.ready_charge", "above low_charge, 50 %", "at once"),
    ("fleet.ready_charge", "10 %", "fleet.ready_charge", "above low_charge, 10 %", "at once"),
    ("fleet.low_charge", "-1 %", "fleet.low_charge", "at least 0 %", ""),
    ("fleet.ready_charge", "100 %", "fleet.ready_charge", "below 100 %", ""),
    ("fleet.swap_time", "1 min", "fleet.swap_time", "a table with law", ""),
    ("fleet.chargers", [charger("a", "lien")], "fleet.chargers.a.zone", "line", "mean line?"),
    ("fleet.chargers", [charger("a"), charger("a")], "fleet.chargers", "each name once", "rename"),
    ("fleet.chargers", [charger("a", count=-1)], "fleet.chargers.a.count", "at least 0", ""),
    ("fleet.chargers", [{"name": "a", "count": 1}], "fleet.chargers.a.zone", "", "add zone"),
]


@pytest.mark.parametrize(("key", "value", "told", "allowed", "hint"), SLIPS)
def test_a_slip_is_told_with_what_is_allowed(
    key: str, value: Any, told: str, allowed: str, hint: str
) -> None:
    error = refused(key, value)
    assert error.key == told
    assert allowed in error.allowed
    assert hint in error.hint


def test_a_scanner_charges_from_5_to_40_degc_and_some_operate_in_a_freezer() -> None:
    for name in scanner_models():
        model = scanner_model(name)
        assert (model.charge_min_degc, model.charge_max_degc) == (5.0, 40.0)
        assert model.operate_max_degc == 50.0
    colder = {name for name in scanner_models() if scanner_model(name).operate_min_degc == -20.0}
    assert colder == {"MARK 2", "MARK 3"}


def test_chargers_in_the_freezer_are_a_warning() -> None:
    assert warnings(COLD) == ()
    (text,) = warnings(vary(COLD, "fleet.chargers.warm.zone", "freezer"))
    assert text == (
        "fleet.chargers.warm: -20 degC in freezer, but a MARK 3 charges from 5 to 40 degC, "
        "so nothing charges there"
    )


@pytest.mark.parametrize(("degrees", "warned"), [("4.9", 1), ("5", 0), ("40", 0), ("40.1", 1)])
def test_the_ends_of_the_charging_range_are_in_it(degrees: str, warned: int) -> None:
    with_charger = vary(LINE, "fleet.chargers", [charger("a")])
    found = warnings(vary(with_charger, "site.zones.line.temperature", f"{degrees} degC"))
    assert len(found) == warned


def test_no_charger_and_no_scanner_is_no_warning() -> None:
    none = vary(COLD, "fleet.chargers", [charger("a", "freezer", 0)])
    assert warnings(none) == ()
    without = vary(vary(COLD, "fleet.chargers", [charger("a", "freezer")]), "fleet.scanners", [])
    assert not [text for text in warnings(without) if "charges" in text]


def test_a_model_that_does_not_work_in_the_cold_is_a_warning() -> None:
    found = warnings(vary(COLD, "fleet.scanners.MARK 3.model", "MARK Display"))
    assert found == ("site.zones.freezer: -20 degC, but a MARK Display operates from 0 to 50 degC",)


# --- the quiet scenario of the other tests -------------------------------------


def at(document: Any, key: str) -> Any:
    for step in key.split("."):
        document = document[step]
    return document


@pytest.mark.parametrize("base", ["pilot_line", "reference_site"])
def test_a_scenario_of_the_tests_is_quiet_unless_told(base: str) -> None:
    document = scenario({}, base).document()
    assert {key: at(document, key) for key in QUIET} == dict(QUIET)
    assert scenario({}, base, before={}) == load(base)
    loud = scenario({"links.ble.mobile.drops": True, "links.buffer_messages": 7}, base)
    assert loud.links.ble.mobile.drops
    assert not loud.links.ble.stationary.drops
    assert loud.links.buffer_messages == 7


def test_what_a_test_changes_does_not_reach_the_next() -> None:
    scenario({"links.ble.mobile.connect.value": "9 s"})
    assert scenario({}).document()["links"]["ble"]["mobile"]["connect"]["value"] == "0 s"


def test_the_pipeline_measured_is_quiet() -> None:
    document = load("benchmarks/pipeline.toml").document()
    assert {key: at(document, key) for key in QUIET} == dict(QUIET)
