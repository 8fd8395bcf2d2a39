"""What a scenario file says, wherever it says it, is what the scenario holds."""

import pickle
import re
import tomllib
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from twin import resources
from twin.errors import ScenarioError
from twin.scenario import (
    Lognormal,
    Mixture,
    Scenario,
    from_document,
    gateway_model,
    load,
    scanner_model,
    scanner_models,
    vary,
    warnings,
)

NAMES = (
    "cold_store", "measured_mesh", "mesh_10k", "peak_week", "pilot_line", "quiet_line",
    "reference_site", "trial_licence", "upgrade_night", "wifi_outage",
)  # fmt: skip


def starter() -> dict[str, Any]:
    return tomllib.loads(resources.starter_text())


def test_the_packaged_scenarios_are_the_ones_known() -> None:
    assert resources.scenario_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_packaged_scenarios_load_without_warnings(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert warnings(scenario) == ()
    assert scenario.question.endswith("?")
    assert resources.scenario_path(name).read_text().startswith("# The question")


def test_the_starter_loads_without_warnings() -> None:
    assert warnings(from_document(starter())) == ()


def uncommented(text: str) -> str:
    """The starter with every line switched on that shows a key, a table or a row of numbers."""
    told_twice = ('# breaks = "ArbZG"', "# extends")
    shows = re.compile(r"# (?=\[|\w+ = |  \d|\])")
    lines = text.splitlines()
    return "\n".join(
        line if line.startswith(told_twice) else shows.sub("", line, count=1) for line in lines
    )


def test_what_the_starter_shows_is_right() -> None:
    shown = tomllib.loads(uncommented(resources.starter_text()))
    scenario = from_document(shown)
    assert warnings(scenario) == ()
    assert scenario.work.orders is not None
    assert scenario.links.power_save
    assert len(scenario.links.outages) == 1
    links, fleet = vary(load("pilot_line"), "links.power_save", True).links, scenario.fleet
    assert scenario.links.publish_limit == links.publish_limit
    assert scenario.links.ble.stationary.reconnect == links.ble.stationary.reconnect
    assert (fleet.low_charge, fleet.ready_charge) == (0.1, 0.5)


def test_the_reference_site_is_of_the_size_promised() -> None:
    site = load("reference_site")
    assert [shift.workers for shift in site.work.shifts] == [40, 40, 40]
    assert site.fleet.scanner_count == 150
    assert sum(group.count for group in site.fleet.gateways) == 24
    assert {group.kind for group in site.fleet.gateways} == {"mobile", "stationary"}
    assert site.work.most_workers() == 40
    assert sum(group.count for group in site.fleet.chargers) == 150
    assert [outage.gateways for outage in site.links.outages] == [("aisles",)]
    assert min(zone.temperature_degc for zone in site.site.zones) == 6.0


def test_the_pilot_line_is_of_the_size_promised() -> None:
    line = load("pilot_line")
    assert (line.fleet.scanner_count, line.fleet.slots("stationary")) == (5, 5)
    assert line.work.shifts[0].workers == 5
    assert line.run.horizon_us == 28_800_000_000


def test_values_arrive_in_their_base_units() -> None:
    line = load("pilot_line")
    assert line.run.start == datetime(2026, 3, 2, 6)
    assert line.links.ble.stationary.connection_interval_us == 50_000
    assert line.links.ble.mobile.supervision_timeout_us == 5_000_000
    assert line.links.ble.stationary.loss_near == 0.01
    assert line.fleet.battery_idle_drain_ppm_per_h == 40_000
    assert line.site.zones[0].temperature_degc == 20.0
    assert line.work.shifts[0].start == time(6)
    assert line.work.shifts[0].breaks[1].after_us == 16_200_000_000
    assert line.links.round_trip == Lognormal.model_validate(
        {"law": "lognormal", "median": "6 ms", "sigma": 0.6135}
    )


def test_the_default_pick_is_the_fit_without_its_breaks() -> None:
    active = load("pilot_line").work.pick_interval
    paused = vary(load("pilot_line"), "work.pick_interval", "pick_with_pauses").work.pick_interval
    assert isinstance(active, Mixture)
    assert isinstance(paused, Mixture)
    assert active.components == paused.components[:2]
    assert sum(active.shares) == pytest.approx(1.0)
    assert active.shares[0] == pytest.approx(0.888 / 0.998)


@pytest.mark.parametrize("name", NAMES)
def test_a_document_loads_back_to_the_same_scenario(name: str) -> None:
    scenario = load(name)
    again = from_document(scenario.document())
    assert again == scenario
    assert again.document() == scenario.document()
    assert hash(again) == hash(scenario)


def test_telemetry_off_survives_the_round_trip() -> None:
    quiet = vary(load("pilot_line"), "cloud.telemetry_period", "off")
    assert quiet.cloud.telemetry_period_us is None
    assert from_document(quiet.document()).cloud.telemetry_period_us is None


def test_a_scenario_crosses_processes_with_its_provenance() -> None:
    scenario = load("pilot_line")
    again = pickle.loads(pickle.dumps(scenario))
    assert again == scenario
    assert again.provenance == scenario.provenance


def test_a_scenario_cannot_be_changed() -> None:
    scenario = load("pilot_line")
    with pytest.raises(ValidationError, match="frozen"):
        scenario.run.seed = 2


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def test_the_digest_does_not_depend_on_the_spelling() -> None:
    document = load("pilot_line").document()
    digest = load("pilot_line").digest
    assert len(digest) == 64
    assert from_document(reordered(document)).digest == digest
    document["site"]["width"] = "3000 cm"
    document["run"]["horizon"] = "480 min"
    document["work"]["pick_scale"] = 1
    document["work"]["shifts"][0]["days"].reverse()
    assert from_document(document).digest == digest


def test_the_digest_depends_on_every_leaf() -> None:
    scenario = load("pilot_line")
    changes = {
        "name": "other",
        "question": "Why?",
        "run.seed": 2,
        "run.engine": "reference",
        "site.zones.line.temperature": "19 degC",
        "work.shifts.pilot.workers": 4,
        "work.symbologies.EAN_13": 0.5,
        "links.gateway_service": {"law": "constant", "value": "5 ms"},
        "fleet.scanners.MARK 3.firmware": "2.0.1",
        "cloud.telemetry_period": "off",
    }
    digests = {vary(scenario, key, value).digest for key, value in changes.items()}
    assert len(digests | {scenario.digest}) == len(changes) + 1


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_extends_merges_tables_and_replaces_lists(tmp_path: Path) -> None:
    write(tmp_path, "base.toml", 'extends = "pilot_line"\n[run]\nseed = 5\nhorizon = "2 h"\n')
    path = write(
        tmp_path,
        "deep/top.toml",
        'extends = "../base.toml"\nname = "top"\n[run]\nseed = 6\n'
        '[[fleet.scanners]]\nmodel = "LEO"\ncount = 9\n'
        '[links]\ngateway_service = { law = "constant", value = "5 ms" }\n',
    )
    top = load(path)
    assert (top.name, top.run.seed, top.run.horizon_us) == ("top", 6, 7_200_000_000)
    assert [(group.model, group.count) for group in top.fleet.scanners] == [("LEO", 9)]
    assert top.fleet.gateways == load("pilot_line").fleet.gateways
    assert top.links.gateway_service.law == "constant"
    origins = top.provenance.origins
    assert origins["run.seed"] == str(path)
    assert origins["run.horizon"].endswith("base.toml")
    assert origins["site.width"] == "scenarios/pilot_line.toml"
    assert origins["cloud.delay"] == "data/cloud.toml"
    assert origins["fleet.scanners.LEO.firmware"] == "data/scanners.toml"


def test_a_split_scenario_has_the_digest_of_the_whole(tmp_path: Path) -> None:
    split = write(tmp_path, "a.toml", 'extends = "pilot_line"\n')
    assert load(split).digest == load("pilot_line").digest


def test_a_path_that_exists_wins_over_a_packaged_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "pilot_line", 'extends = "pilot_line.toml"\nname = "mine"\n')
    monkeypatch.chdir(tmp_path)
    assert load("pilot_line").name == "mine"
    assert load("pilot_line.toml").name == "pilot_line"


def test_a_group_at_stations_is_as_large_as_they_are() -> None:
    group = load("reference_site").fleet.gateways[0]
    assert (group.name, group.count, group.scanner_limit) == ("aisles", 4, 5)


def test_zones_of_resolves_all() -> None:
    site = load("reference_site")
    assert site.zones_of(()) == ("goods_in", "chilled", "picking", "packing")
    assert site.zones_of(("packing",)) == ("packing",)


def test_spots_lie_inside_their_zone_and_apart() -> None:
    zone = load("reference_site").site.zone("picking")
    for count in (1, 2, 5, 10, 23):
        spots = zone.spots(count)
        assert len(set(spots)) == count
        assert all(zone.holds(x, y) for x, y in spots)
    assert zone.spots(0) == ()


def test_a_shift_over_sunday_midnight_meets_the_first_on_monday() -> None:
    shifts = [
        {"name": "a", "start": "22:00", "duration": "8 h", "workers": 3, "days": ["sun"]},
        {"name": "b", "start": "05:00", "duration": "1 h", "workers": 4, "days": ["mon"]},
        {"name": "c", "start": "06:00", "duration": "1 h", "workers": 5, "days": ["mon"]},
    ]
    assert vary(load("pilot_line"), "work.shifts", shifts).work.most_workers() == 7


def test_the_sigma_of_job_lines_gives_their_mean() -> None:
    lines = load("pilot_line").work.job_lines
    assert lines.sigma == pytest.approx(1.2435, abs=1e-4)


def test_catalogues_are_typed_and_in_base_units() -> None:
    assert scanner_models() == ("LEO", "MARK 2", "MARK 3", "MARK Basic", "MARK Display")
    mark = scanner_model("MARK 3")
    assert (mark.scans_per_charge, mark.charge_time_us) == (12_000, 7_200_000_000)
    assert (mark.operate_min_degc, mark.charge_min_degc) == (-20.0, 5.0)
    assert scanner_model("LEO").charge_time_us == 3_600_000_000
    assert gateway_model("mobile").scanner_limit == 1
    with pytest.raises(ScenarioError) as caught:
        scanner_model("MARK3")
    assert caught.value.hint == "did you mean MARK 3?"


WARNED = [
    ("fleet.gateways", [], "no gateway"),
    ("fleet.gateways.line.count", 0, "no gateway"),
    ("fleet.gateways.line.scanner_limit", 4, "1 find no gateway"),
    ("fleet.scanners", [], "0 scanners for 5 workers"),
    ("fleet.scanners.MARK 3.count", 3, "2 go without"),
    ("work.shifts", [], "nobody works"),
    ("work.shifts.pilot.workers", 0, "nobody works"),
    ("work.jobs", [], "no jobs"),
    ("site.zones.line.temperature", "-25 degC", "operates from -20 to 50 degC"),
    ("links.ble.stationary.range", "1 m", ""),
]


@pytest.mark.parametrize(("key", "value", "text"), WARNED)
def test_what_runs_but_is_odd_is_a_warning(key: str, value: Any, text: str) -> None:
    found = warnings(vary(load("pilot_line"), key, value))
    assert len(found) == (1 if text else 0)
    assert all(text in sentence for sentence in found)


def test_a_zone_out_of_range_is_a_warning() -> None:
    reference = load("reference_site")
    alone = vary(reference, "fleet.gateways.benches.count", 0)
    assert any(
        "packing" in sentence
        for sentence in warnings(vary(alone, "links.ble.stationary.range", "20 m"))
    )
    assert isinstance(alone, Scenario)
