"""Every default has a data row with a source, and a scenario lists those it rests on."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from twin import resources
from twin.scenario import assumptions, load, vary
from twin.scenario.defaults import rows
from twin.scenario.schema import law_keys, node_at, schema_keys

CATALOGUES = ("breaks", "gateways", "laws", "models", "platforms")


def tables(table: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every deepest table of tables: what should be a row."""
    inner = {name: item for name, item in table.items() if isinstance(item, dict)}
    if "value" in table or not inner:
        yield key, table
    else:
        for name, item in inner.items():
            yield from tables(item, f"{key}.{name}" if key else name)


FOUND = [
    (name, key, table)
    for name in resources.data_names()
    for key, table in tables(tomllib.loads(resources.data_text(name)), "")
]


@pytest.mark.parametrize(("file", "key", "table"), FOUND)
def test_every_row_has_value_unit_source_certainty(
    file: str, key: str, table: dict[str, Any]
) -> None:
    assert table.keys() == {"value", "unit", "source", "certainty"}, (file, key)
    assert table["certainty"] in {"A", "B", "C", "D"}
    assert len(table["source"]) > 10
    assert table["unit"]
    assumed = table["source"].startswith(("assumed:", "our choice:"))
    assert assumed or table["certainty"] != "D" or key == "gateways.stationary.model"


def test_every_scenario_row_is_a_key_of_the_schema() -> None:
    sections = {key.partition(".")[0] for key in schema_keys()}
    for key in rows():
        head = key.partition(".")[0]
        if head in sections:
            assert key in schema_keys()


def test_every_field_without_a_row_is_required_or_empty_by_design() -> None:
    empty = {
        "cloud.assets",
        "cloud.device_configs",
        "cloud.features",
        "cloud.users",
        "coexistence.wifi",
        "fleet.chargers",
        "fleet.gateways",
        "fleet.gateways.*.stations",
        "fleet.gateways.*.zone",
        "fleet.scanners",
        "links.outages",
        "links.outages.*.gateways",
        "mesh.bridges",
        "mesh.bridges.*.x",
        "mesh.bridges.*.y",
        "mesh.changes",
        "mesh.changes.*.bridges",
        "mesh.collectors",
        "mesh.collectors.*.devices",
        "mesh.firmware",
        "mesh.image",
        "mesh.image_bytes",
        "mesh.multicasts",
        "mesh.multicasts.*.to",
        "mesh.nodes",
        "mesh.surveys",
        "mesh.surveys.*.generation",
        "mesh.upgrades",
        "mesh.upgrades.*.devices",
        "mesh.upgrades.*.transport",
        "site.stations",
        "site.walls",
        "snap.collectors",
        "snap.device_types",
        "snap.devices",
        "snap.firmware",
        "snap.images",
        "snap.users",
        "work.jobs",
        "work.jobs.*.zones",
        "work.shifts",
        "work.shifts.*.breaks",
        "work.shifts.*.zones",
    }
    network = ("channel", "network_id", "feature_bits", "encryption", "encryption_key")
    own = (*network, "transmit_power", "firmware", "image", "image_bytes")
    empty |= {f"mesh.{group}.*.{name}" for group in ("nodes", "bridges") for name in own}
    empty |= {f"mesh.changes.*.{name}" for name in network}
    # As the document's own examples have it: a licence allows everything, a device is an RF200.
    allowed = ("site_director", "data_collector", "site_doctor", "types")
    empty |= {f"snap.licence.{name}" for name in allowed} | {"snap.devices.*.platform"}
    optional = {key for key in schema_keys() if not node_of(key).required}
    assert optional == empty
    assert not optional & rows().keys()


def node_of(key: str) -> Any:
    return node_at([0 if step == "*" else step for step in key.split(".")])


def test_the_laws_of_the_schema_are_found() -> None:
    assert len(law_keys()) == 14
    assert "work.trigger" in law_keys()
    assert "cloud.delay" in law_keys()
    assert "links.ble.mobile.reconnect" in law_keys()


def test_the_starter_and_the_scenarios_rest_on_the_rows_they_do_not_set() -> None:
    found = {item.key: item for item in assumptions(load("pilot_line"))}
    assert list(found) == sorted(found)
    interval = found["links.ble.stationary.connection_interval"]
    assert (interval.value, interval.unit, interval.certainty) == ("50", "ms", "C")
    assert interval.origin == "data/links.toml"
    assert not interval.unsourced
    assert found["cloud.delay"].unsourced
    assert found["laws.pick_active"].origin == "data/laws.toml"
    assert found["models.MARK 3.scans_per_charge"].value == "12000"
    assert "models.LEO.scans_per_charge" not in found
    assert "gateways.stationary.scanner_limit" in found
    assert "gateways.mobile.scanner_limit" not in found
    assert found["work.shifts.pilot.days"].certainty == "D"


def test_a_key_set_over_a_default_says_so() -> None:
    found = {item.key: item for item in assumptions(load("pilot_line"))}
    horizon = found["run.horizon"]
    assert (horizon.value, horizon.unit) == ("8", "h")
    assert (horizon.source, horizon.certainty) == ("set in the scenario", "-")
    assert horizon.origin == "scenarios/pilot_line.toml"


def test_what_vary_sets_is_no_longer_assumed() -> None:
    line = load("pilot_line")
    changed = vary(line, "fleet.gateways.line.scanner_limit", 7)
    found = {item.key: item for item in assumptions(changed)}
    assert found["fleet.gateways.line.scanner_limit"].origin == "vary"
    changed = vary(line, "work.pick_interval", {"law": "constant", "value": "20 s"})
    found = {item.key: item for item in assumptions(changed)}
    assert "laws.pick_active" not in found
    assert found["work.pick_interval"].value == "constant(value 20 s)"
    assert found["work.pick_interval"].certainty == "-"


def test_every_default_of_the_sections_is_listed() -> None:
    shared = vary(load("peak_week"), "coexistence", {})
    keys = {item.key for item in assumptions(shared)}
    plain = {key for key in rows() if key.partition(".")[0] not in CATALOGUES and "*" not in key}
    assert plain <= keys


def test_the_rows_of_a_part_that_is_absent_are_not_listed() -> None:
    keys = {item.key for item in assumptions(load("reference_site"))}
    assert not [key for key in keys if key.startswith("work.orders")]
    orders = vary(load("reference_site"), "work.orders", {"per_hour": 50})
    found = {item.key: item for item in assumptions(orders)}
    assert found["work.orders.peak_factor"].origin == "data/work.toml"
    assert found["work.orders.peak_factor"].certainty == "D"


# As mark-scanners.md has them: published (A), derived from what is published (C), assumed (D).
CERTAINTIES = {
    "links.ble.stationary.reconnect": "A",
    "links.ble.mobile.pairing_timer": "A",
    "links.ble.scan_starts": "A",
    "links.ble.scan_starts_window": "A",
    "links.publish_limit": "A",
    "links.round_trip_power_save": "C",
    "work.picker_sd": "C",
    "links.ble.stationary.fade_every": "D",
    "links.ble.mobile.reconnect": "D",
    "links.buffer_messages": "D",
    "fleet.low_charge": "D",
    "fleet.ready_charge": "D",
    "work.wrong_scan": "D",
    "work.forgotten_end": "D",
}


def test_what_is_published_and_what_is_assumed_is_told_apart() -> None:
    found = {item.key: item.certainty for item in assumptions(load("reference_site"))}
    assert {key: found[key] for key in CERTAINTIES} == CERTAINTIES
