"""Who and what is on the site, whose luck it is, and the numbers that rules get from a scenario."""

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

import twin
from tests.scenarios import (
    Table,
    constant,
    fixed,
    phones,
    scanners,
    scenario,
    shift,
    station,
    zone,
)
from twin.draws import LAW, fold, root, sample_us
from twin.draws import laws as shapes
from twin.floor.rules.streams import INTERVAL
from twin.scenario import Scenario, load
from twin.world import roster as rosters
from twin.world.build import make_plan
from twin.world.roster import Roster, make_roster

LOSSLESS = {
    f"links.ble.{kind}.{key}": "0 %"
    for kind in ("stationary", "mobile")
    for key in ("loss_near", "loss_far")
}
ZONES = {
    "site.width": "60 m",
    "site.zones": [zone("line", 0, 30), zone("right", 30, 30)],
    "work.jobs": [],
}


def book(changes: dict[str, object], seed: int = 1) -> Any:
    """Return the rulebook of a scenario."""
    document = scenario(changes)
    return make_plan(document, make_roster(document, seed), seed).book[0]


def law(record: Any) -> list[tuple[float, int, float, float]]:
    """Return a law of the rulebook as (weight reached, shape, p, q), up to the last component."""
    rows = zip(record["reached"], record["shape"], record["p"], record["q"], strict=True)
    found = []
    for reached, shape, p, q in rows:
        found.append((float(reached), int(shape), float(p), float(q)))
        if reached == 1.0:
            break
    return found


# --- the roster ----------------------------------------------------------------


def test_workers_are_dealt_to_the_zones_of_their_shift_in_turn() -> None:
    shifts = [shift("a", workers=3), shift("b", workers=4, zones=["right", "line", "right"])]
    found = make_roster(scenario({**ZONES, "work.shifts": shifts}), 1).workers
    assert [(worker.name, worker.shift, worker.zone) for worker in found] == [
        ("a-01", 0, "line"), ("a-02", 0, "right"), ("a-03", 0, "line"),
        ("b-01", 1, "right"), ("b-02", 1, "line"), ("b-03", 1, "right"), ("b-04", 1, "right"),
    ]  # fmt: skip


def test_workers_stand_in_their_zone_where_the_seed_puts_them() -> None:
    document = scenario({**ZONES, "work.shifts": [shift(workers=60)]})
    first, second = (make_roster(document, seed).workers for seed in (1, 2))
    for worker in (*first, *second):
        assert document.site.zone(worker.zone).holds(worker.x_m, worker.y_m)
    assert all(a.x_m != b.x_m and a.y_m != b.y_m for a, b in zip(first, second, strict=True))
    assert len({(worker.x_m, worker.y_m) for worker in first}) == 60
    assert np.ptp([worker.x_m for worker in first]) > 50
    assert np.ptp([worker.y_m for worker in first]) > 15


def test_a_worker_does_the_first_job_of_its_zone() -> None:
    jobs = [
        {"name": name, "start_barcode": f"{name}-", "end_barcode": f"/{name}", "zones": zones}
        for name, zones in (("pick", ["right"]), ("pack", ["right"]))
    ]
    document = scenario({**ZONES, "work.jobs": jobs, "work.shifts": [shift(workers=2)]})
    workers = make_roster(document, 1).workers
    assert [(worker.zone, worker.job) for worker in workers] == [("line", -1), ("right", 0)]
    plan = make_plan(document, make_roster(document, 1), 1)
    assert plan.works_by_jobs.tolist() == [False, True]


def test_serials_are_unique_and_begin_with_the_prefix_of_their_model() -> None:
    fleet = [*scanners(700, "MARK 2"), *scanners(700, "MARK 3")]
    found = make_roster(scenario({"fleet.scanners": fleet}), 1).scanners
    assert len({scanner.serial for scanner in found}) == 1400
    assert {scanner.serial[:4] for scanner in found[:700]} == {"M2MR"}
    assert all(scanner.serial[4:].isdigit() and len(scanner.serial) == 13 for scanner in found)


def test_serials_stay_unique_where_digits_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "_SERIAL_DIGITS", 3)
    found = make_roster(scenario({"fleet.scanners": scanners(900)}), 1).scanners
    assert len({scanner.serial for scanner in found}) == 900


def test_a_larger_pool_leaves_the_serials_of_the_others_alone() -> None:
    small, large = (
        make_roster(scenario({"fleet.scanners": scanners(count)}), 1).scanners for count in (5, 9)
    )
    assert large[:5] == small


def test_gateway_ids_are_uuids_that_customer_and_name_decide() -> None:
    def ids(seed: int, customer: str = "warehouse-1") -> list[str]:
        document = scenario({"cloud.customer_id": customer}, "reference_site")
        return [gateway.id for gateway in make_roster(document, seed).gateways]

    found = ids(1)
    assert len(set(found)) == 24
    assert {(UUID(text).version, str(UUID(text)) == text) for text in found} == {(4, True)}
    assert ids(2) == found
    assert not set(ids(1, "warehouse-2")) & set(found)


def test_gateways_stand_at_their_stations_or_spread_over_their_zone() -> None:
    groups = [
        fixed("spots", "s2", "s1"),
        {"name": "even", "kind": "stationary", "count": 2, "zone": "right", "usecase": "Packing"},
        phones("walk", 1, at="right"),
    ]
    stations = [station("s1", 5), station("s2", 25, 15)]
    document = scenario({**ZONES, "site.stations": stations, "fleet.gateways": groups})
    found = make_roster(document, 1).gateways
    assert [(g.name, g.station, g.zone, g.x_m, g.y_m) for g in found] == [
        ("spots-01", "s2", "line", 25, 15),
        ("spots-02", "s1", "line", 5, 10),
        ("even-01", "even-01", "right", 37.5, 10),
        ("even-02", "even-02", "right", 52.5, 10),
        ("walk-01", "walk-01", "right", None, None),
    ]


# --- the same people and the same luck -------------------------------------------


def luck(document: Scenario) -> pd.DataFrame:
    """Return what each worker's chance decided, scan by scan: position, work, text, size of job."""
    opened = twin.open(document).run("3 h", progress=False)
    rows, roster = opened.rows(), opened._site.roster
    rows = rows[rows["kind"] == 1]
    rows = rows[np.lexsort((rows["number"], rows["worker"]))]
    made_us = rows["time_us"] - rows["link_us"]
    before_us = np.where(rows["number"] > 0, np.roll(rows["beep_us"], 1), 0)
    frame = pd.DataFrame(
        {
            "worker": [roster.workers[w].name for w in rows["worker"]],
            "x_m": [roster.workers[w].x_m for w in rows["worker"]],
            "number": rows["number"],
            "interval_us": made_us - before_us,
            "line": rows["line"],
            "role": rows["role"],
        }
    )
    return frame.set_index(["worker", "number"])


BASE: dict[str, object] = {
    **LOSSLESS,
    "work.shifts": [shift("a", workers=3), shift("b")],
    "fleet.scanners": scanners(9),
    "fleet.gateways": [fixed("line", "line-middle", limit=9)],
}


def more_gateways(groups: list[Table]) -> list[Table]:
    return [phones("extra", 3), *groups]


CHANGES: dict[str, tuple[str, Callable[[list[Table]], list[Table]]]] = {
    "a gateway group": ("fleet.gateways", more_gateways),
    "a worker": ("work.shifts", lambda _: [shift("a", workers=4), shift("b")]),
    "a shift": ("work.shifts", lambda shifts: [shift("c", workers=1), *shifts]),
    "scanners": ("fleet.scanners", lambda groups: [*scanners(3, "MARK 2"), *groups]),
}


@pytest.mark.parametrize("what", CHANGES)
def test_adding_something_leaves_everyone_elses_luck_alone(what: str) -> None:
    key, change = CHANGES[what]
    before = scenario(BASE)
    section, name = key.split(".")
    after = scenario({**BASE, key: change(before.document()[section][name])})
    old, new = luck(before), luck(after)
    assert set(old.index.get_level_values("worker")) <= set(new.index.get_level_values("worker"))
    both = old.join(new.add_suffix("_after"), how="inner")
    assert len(both) > 0.98 * len(old) > 500  # at the end of the run, a scan more or less
    for column in old.columns:
        assert both[column].equals(both[f"{column}_after"].rename(column)), column


def test_another_seed_is_another_luck() -> None:
    one, other = luck(scenario(BASE)), luck(scenario({**BASE, "run.seed": 2}))
    both = one.join(other.add_suffix("_other"), how="inner")
    assert (both["interval_us"] != both["interval_us_other"]).mean() > 0.99


# --- the rulebook ----------------------------------------------------------------


def test_scalars_reach_the_rulebook() -> None:
    found = book(
        {
            "work.start_spread": "7 min",
            "work.break_return_min": "3 min",
            "work.break_return_max": "11 min",
            "work.job_lines": {"median": 12, "mean": 26, "min": 2, "max": 99},
            "cloud.telemetry_period": "90 s",
            "fleet.battery_idle_drain": "3 %/h",
        },
        seed=2**63 - 1,
    )
    assert found["seed"] == 2**63 - 1
    assert (found["smallest_job"], found["largest_job"]) == (2, 99)
    assert found["start_spread_us"] == 420_000_000
    assert found["return_shortest_us"] == 180_000_000
    assert found["return_spread_us"] == 480_000_000
    assert found["telemetry_period_us"] == 90_000_000
    assert found["idle_drain_ppm_per_h"] == 30_000
    (job_lines,) = law(found["job_lines"])
    expected = (1.0, shapes.LOGNORMAL, math.log(12), math.sqrt(2 * math.log(26 / 12)))
    assert job_lines == pytest.approx(expected)


def test_no_reports_are_a_period_of_0() -> None:
    assert book({"cloud.telemetry_period": "off"})["telemetry_period_us"] == 0


LAWS: list[tuple[Table, list[tuple[float, int, float, float]]]] = [
    (constant("40 ms"), [(1.0, shapes.CONSTANT, 40_000, 0)]),
    (
        {"law": "uniform", "low": "5 ms", "high": "20 ms"},
        [(1.0, shapes.UNIFORM, 5_000, 15_000)],
    ),
    ({"law": "normal", "mean": "1 s", "sd": "250 ms"}, [(1.0, shapes.NORMAL, 1e6, 250_000)]),
    (
        {"law": "lognormal", "median": "1 s", "sigma": 0.5},
        [(1.0, shapes.LOGNORMAL, math.log(1e6), 0.5)],
    ),
    (
        {
            "law": "mixture",
            "components": [
                {"weight": 3, **constant("1 ms")},
                {"weight": 1, "law": "uniform", "low": "2 ms", "high": "3 ms"},
            ],
        },
        [(0.75, shapes.CONSTANT, 1_000, 0), (1.0, shapes.UNIFORM, 2_000, 1_000)],
    ),
]
KEYS = {
    "pick": "work.pick_interval",
    "job_setup": "work.job_setup",
    "job_close": "work.job_close",
    "rescan": "work.rescan_delay",
    "trigger": "work.trigger",
    "service": "links.gateway_service",
    "round_trip": "links.round_trip",
    "cloud_delay": "cloud.delay",
}


@pytest.mark.parametrize("field", KEYS)
@pytest.mark.parametrize(("given", "expected"), LAWS, ids=lambda item: str(item)[:30])
def test_laws_reach_the_rulebook(
    field: str, given: Table, expected: list[tuple[float, int, float, float]]
) -> None:
    found = law(book({KEYS[field]: given})[field])
    assert found == [pytest.approx(part, rel=1e-15) for part in expected]


def test_every_law_of_the_rulebook_is_looked_at_here() -> None:
    dtype = make_plan(load("pilot_line"), Roster((), (), ()), 1).book.dtype
    assert {name for name in dtype.names or () if dtype[name] == LAW} == {*KEYS, "job_lines"}


@pytest.mark.parametrize(("given", "expected"), LAWS, ids=lambda item: str(item)[:30])
def test_pick_scale_makes_every_pick_so_many_times_longer(
    given: Table, expected: list[tuple[float, int, float, float]]
) -> None:
    plain, slow = (
        book({"work.pick_interval": given, "work.pick_scale": scale}) for scale in (1.0, 2.5)
    )
    assert law(plain["pick"]) == [pytest.approx(part, rel=1e-15) for part in expected]
    for number in range(200):
        scan = fold(root(1), number)
        usual_us = sample_us(plain["pick"], scan, INTERVAL)
        assert sample_us(slow["pick"], scan, INTERVAL) == pytest.approx(2.5 * usual_us, abs=2)
    for field in set(KEYS) - {"pick"}:
        assert plain[field] == slow[field]


def test_entities_are_addressed_by_kind_and_name() -> None:
    document = scenario({"work.shifts": [shift("line", workers=1)]})
    plan = make_plan(document, make_roster(document, 1), 1)
    roster = make_roster(document, 1)
    words = [*plan.worker_words, *plan.scanner_words]
    words += [rosters.gateway_word(gateway) for gateway in roster.gateways]
    assert roster.workers[0].name == roster.gateways[0].name == "line-01"
    assert len(set(words)) == 1 + 5 + 1
    assert plan.gateways == 1
    assert [field.name for field in fields(Roster)] == ["workers", "scanners", "gateways"]
