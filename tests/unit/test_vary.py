"""One thing changed: the rest, its digest and the account of its origins stay."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import ScenarioError
from twin.scenario import from_document, load, vary

LINE = load("pilot_line")
SITE = load("reference_site")


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


CHANGES = [
    ("run.horizon", "12 min", ("run", "horizon")),
    ("site.zones.picking.temperature", "18 degC", ("site", "zones", 2, "temperature")),
    ("site.walls.1.x1", "29 m", ("site", "walls", 1, "x1")),
    ("work.shifts.late.workers", 41, ("work", "shifts", 1, "workers")),
    ("work.shifts.late.zones.0", "chilled", ("work", "shifts", 1, "zones", 0)),
    ("work.shifts.0.breaks.1.duration", "45 min", ("work", "shifts", 0, "breaks", 1, "duration")),
    ("work.pick_interval.components.0.sigma", 0.6,
     ("work", "pick_interval", "components", 0, "sigma")),
    ("work.symbologies.EAN_13", 0.7, ("work", "symbologies", "EAN_13")),
    ("fleet.gateways.aisles.count", 3, ("fleet", "gateways", 0, "count")),
    ("fleet.scanners.MARK 3.count", 71, ("fleet", "scanners", 0, "count")),
    ("fleet.chargers.packing.count", 60, ("fleet", "chargers", 0, "count")),
    ("links.ble.mobile.drops", False, ("links", "ble", "mobile", "drops")),
    ("links.outages.0.duration", "1 h", ("links", "outages", 0, "duration")),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "path"), CHANGES)
def test_only_the_key_changes(key: str, value: Any, path: tuple[str | int, ...]) -> None:
    changed = vary(SITE, key, value)
    assert at(changed.document(), path) == value
    assert changed.digest != SITE.digest
    before = at(SITE.document(), path)
    assert vary(changed, key, before) == SITE


def test_numbers_of_numpy_are_numbers() -> None:
    for workers in np.arange(3, 5):
        assert vary(LINE, "work.shifts.0.workers", workers).work.shifts[0].workers == workers
    slower = vary(LINE, "work.pick_scale", np.float32(1.5))
    assert slower.digest == vary(LINE, "work.pick_scale", 1.5).digest
    assert not vary(LINE, "links.ble.mobile.drops", False).links.ble.mobile.drops


def test_the_given_scenario_stays_as_it_was() -> None:
    digest = SITE.digest
    vary(SITE, "run.seed", 99)
    assert load("reference_site").digest == digest
    assert SITE.run.seed == 1


@given(st.integers(0, 2**63 - 1))
@settings(deadline=None, max_examples=25)
def test_the_digest_changes_exactly_when_the_value_does(seed: int) -> None:
    assert (vary(LINE, "run.seed", seed).digest == LINE.digest) == (seed == LINE.run.seed)


def test_an_absent_optional_key_can_be_set() -> None:
    phones = vary(SITE, "fleet.gateways.phones.zone", "picking")
    assert phones.fleet.gateways[-1].zone == "picking"


def test_what_follows_from_a_field_follows_it() -> None:
    two = vary(SITE, "fleet.gateways.aisles.stations", ["aisle-south-west", "aisle-north-east"])
    assert two.fleet.gateways[0].count == 2
    phones = vary(SITE, "fleet.gateways.phones.kind", "mobile")
    assert phones == SITE


def test_laws_can_be_named_or_written() -> None:
    paused = vary(LINE, "work.pick_interval", "pick_with_pauses")
    assert paused.provenance.laws["work.pick_interval"] == "pick_with_pauses"
    constant = vary(paused, "work.pick_interval", {"law": "constant", "value": "20 s"})
    assert "work.pick_interval" not in constant.provenance.laws
    assert constant.work.pick_interval.law == "constant"


def test_provenance_survives() -> None:
    changed = vary(vary(SITE, "run.seed", 5), "fleet.gateways.aisles.count", 3)
    origins, before = changed.provenance.origins, SITE.provenance.origins
    assert {key for key in origins if origins[key] != before.get(key)} == {
        "run.seed",
        "fleet.gateways.aisles.count",
    }
    assert origins["run.seed"] == "vary"
    assert changed.provenance.laws == SITE.provenance.laws


def test_provenance_survives_of_what_a_rule_wrote_out(tmp_path: Path) -> None:
    path = tmp_path / "rule.toml"
    path.write_text(
        'extends = "pilot_line"\n[[work.shifts]]\nname = "day"\nstart = "06:00"\n'
        'duration = "8 h"\nworkers = 5\nbreaks = "ArbZG"\n'
    )
    origins = vary(load(path), "run.seed", 5).provenance.origins
    assert origins["work.shifts.day.breaks.1.after"] == str(path)


def test_orders_can_be_set_and_taken_away() -> None:
    orders = vary(SITE, "work.orders.per_hour", 50)
    assert orders.provenance.origins["work.orders.per_hour"] == "vary"
    assert orders.provenance.origins["work.orders.profile"] == "data/work.toml"
    assert vary(orders, "work.orders.peak_factor", 2.0).work.orders is not None
    assert vary(orders, "work.orders", None) == SITE


BAD = [
    ("run.hoizon", "1 h", "run.hoizon", "did you mean run.horizon?"),
    ("fleet.gateways.aisle.count", 1, "fleet.gateways.aisle.count",
     "did you mean fleet.gateways.aisles.count?"),
    ("site.walls.4.x1", "1 m", "site.walls.4.x1", ""),
    ("connection_interval", "1 ms", "connection_interval",
     "did you mean links.ble.mobile.connection_interval?"),
    ("run.seed.more", 1, "run.seed.more", ""),
    ("", 1, "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "told", "hint"), BAD)
def test_an_unknown_key_names_the_nearest(key: str, value: Any, told: str, hint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        vary(SITE, key, value)
    assert caught.value.key == told
    assert caught.value.allowed
    assert caught.value.hint == hint or not hint


def test_a_bad_value_is_told_with_its_range() -> None:
    with pytest.raises(ScenarioError) as caught:
        vary(SITE, "fleet.gateways.aisles.count", 5)
    assert (caught.value.key, caught.value.value) == ("fleet.gateways.aisles.count", "5")
    assert "0 to 4" in caught.value.allowed
    with pytest.raises(ScenarioError) as caught:
        vary(SITE, "run.horizon", 5)
    assert caught.value.file == "vary"


def test_varying_a_document_without_files_works() -> None:
    assert vary(from_document(LINE.document()), "run.seed", 2).run.seed == 2


def test_the_value_handed_in_is_not_touched() -> None:
    groups = [{"model": "LEO", "count": 5}]
    assert vary(LINE, "fleet.scanners", groups).fleet.scanners[0].name == "LEO"
    assert groups == [{"model": "LEO", "count": 5}]
