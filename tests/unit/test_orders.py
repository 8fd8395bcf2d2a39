"""Orders: as many as the rates say, in their hours, one after the other; and who takes them."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import twin.world.site as sites
from tests.scenarios import NOTHING, H, Table, constant, scanners, scenario, shift
from twin.draws import entity_word, fold, root
from twin.events import EVENT, Kind, Role
from twin.floor.plan import FloorPlan, start_orders
from twin.floor.rules.orders import NO_MORE_US, ORDERS, next_order_us
from twin.floor.rules.workload import job_lines
from twin.scenario import Scenario
from twin.world.build import make_plan
from twin.world.roster import Roster, make_roster
from twin.world.site import Site

Rows = NDArray[np.void]
LONG_RUN_H = 400


def beginning(seed: int = 1) -> Any:
    """Return orders of which nobody has taken one yet."""
    orders = np.zeros(1, ORDERS)[0]
    orders["state"] = fold(root(seed), entity_word("orders"))
    return orders


def arrivals_h(rates: Sequence[float], until_h: float, seed: int = 1) -> NDArray[np.float64]:
    """Return when orders arrive before an hour [h]."""
    orders, per_h = beginning(seed), np.array(rates, float)
    found = []
    while (moment_us := next_order_us(orders, per_h)) < until_h * H:
        found.append(moment_us / H)
    return np.array(found)


def counts(rates: Sequence[float], hours: int, seeds: int = 1) -> NDArray[np.int64]:
    """Return how many orders arrive in each hour, of all seeds."""
    found = Counter[int]()
    for seed in range(seeds):
        found.update(np.floor(arrivals_h(rates, hours, seed)).astype(int).tolist())
    return np.array([found[hour] for hour in range(hours)])


def assert_poisson(found: NDArray[np.int64], expected: Sequence[float]) -> None:
    """Counts are what Poisson numbers of these means may be."""
    means = np.array(expected, float)
    assert (found[means == 0] == 0).all()
    found, means = found[means > 0], means[means > 0]
    assert (np.abs(found - means) <= 4.5 * np.sqrt(means) + 1).all()
    chi2 = ((found - means) ** 2 / means).sum()
    assert abs(chi2 - len(means)) < 4 * math.sqrt(2 * len(means))


# --- how many, and when -----------------------------------------------------------------------


def test_counts_follow_the_rates() -> None:
    rates = [float(5 + 40 * (hour % 7)) for hour in range(LONG_RUN_H)]
    found = counts(rates, LONG_RUN_H)
    assert_poisson(found, rates)
    assert np.corrcoef(found, rates)[0, 1] > 0.98
    assert found.sum() == pytest.approx(sum(rates), rel=0.02)


def test_orders_are_spread_evenly_over_an_hour_and_independent_of_each_other() -> None:
    moments_h = arrivals_h([50.0] * 24, 400)
    into = np.sort(moments_h % 1)
    assert np.abs(into - (np.arange(len(into)) + 0.5) / len(into)).max() < 1.95 / math.sqrt(
        len(into)
    )
    gaps_h = np.diff(moments_h)
    assert (gaps_h >= 0).all()
    assert gaps_h.mean() == pytest.approx(1 / 50, rel=0.04)
    assert (gaps_h > 1 / 50).mean() == pytest.approx(math.exp(-1), abs=0.02)
    assert abs(np.corrcoef(gaps_h[1:], gaps_h[:-1])[0, 1]) < 0.03


def test_nothing_arrives_in_hours_of_rate_0() -> None:
    rates = [0.0, 0, 30, 0, 0, 0, 60, 1, *[0.0] * 15, 20]
    assert_poisson(counts(rates, 24, seeds=30), [30 * rate for rate in rates])


def test_hours_of_few_orders_are_not_forgotten() -> None:
    assert_poisson(counts([0.1] * 24, 24, seeds=400), [40.0] * 24)


def test_longer_than_a_day_without_orders_is_no_end_where_more_come() -> None:
    rates = [*[0.0] * 60, 20, *[0.0] * 23]
    assert_poisson(counts(rates, 84, seeds=20), [20 * rate for rate in rates])
    assert set(np.floor(arrivals_h(rates, 200)).tolist()) == {60, 84, 108, 132, 156, 180}


# --- behind the end of the list ------------------------------------------------------------------


def test_behind_the_end_the_last_day_is_repeated() -> None:
    first, last = [80.0] * 24, [0.0 if hour < 6 else 4.0 * hour for hour in range(24)]
    assert_poisson(counts([*first, *last], 24 * 6), [*first, *(5 * last)])
    assert_poisson(counts([*first[:7], *last], 7 + 24 * 4), [*first[:7], *(4 * last)])
    assert_poisson(counts(last, 24 * 4), 4 * last)


def test_a_last_day_without_orders_is_the_end() -> None:
    orders, per_h = beginning(), np.array([*[10.0] * 5, *[0.0] * 24])
    found = [next_order_us(orders, per_h) for _ in range(500)]
    coming = [moment_us for moment_us in found if moment_us < NO_MORE_US]
    assert 20 < len(coming) < 90
    assert max(coming) < 5 * H
    assert found == coming + [NO_MORE_US] * (500 - len(coming))
    assert next_order_us(beginning(), np.zeros(24)) == NO_MORE_US


# --- whose luck it is ---------------------------------------------------------------------------


def test_the_orders_of_a_site_are_decided_by_its_seed() -> None:
    assert (arrivals_h([9.0] * 24, 48) == arrivals_h([9.0] * 24, 48)).all()
    assert set(arrivals_h([9.0] * 24, 48)).isdisjoint(arrivals_h([9.0] * 24, 48, seed=2))


def test_an_hour_of_more_orders_leaves_the_hours_before_alone() -> None:
    usual, busy = (arrivals_h([*[9.0] * 20, rate, *[9.0] * 10], 31) for rate in (9.0, 90.0))
    assert usual[usual < 20].tolist() == busy[busy < 20].tolist()
    assert ((busy >= 20) & (busy < 21)).sum() > 50


# --- on the floor -------------------------------------------------------------------------------

ENGINES = ("compiled", "reference")
PROMPT: Table = {
    "work.shifts": [shift(workers=4, duration="16 h")],
    "work.start_spread": "0 s",
    "work.pick_interval": constant("2 s"),
    "work.job_setup": NOTHING,
    "work.job_close": NOTHING,
    "work.job_lines": {"median": 3, "mean": 4, "min": 1, "max": 9},
    "work.orders": {"per_hour": 30.0, "peak_factor": 1.0, "profile": [1.0] * 24},
    "cloud.telemetry_period": "off",
    "fleet.scanners": scanners(4),
    "fleet.battery_idle_drain": "0 %/h",
}


def worked(
    engine: str,
    monkeypatch: pytest.MonkeyPatch,
    per_h: Sequence[float],
    hours: int,
    **changes: object,
) -> tuple[FloorPlan, Rows]:
    """Return what is scanned where orders come at these rates, and the plan."""
    document = scenario({**PROMPT, **{f"work.{key}": value for key, value in changes.items()}})
    plans: list[FloorPlan] = []

    def with_rates(given: Scenario, roster: Roster, seed: int) -> FloorPlan:
        plan = make_plan(given, roster, seed)
        plans.append(plan._replace(orders_per_h=np.array(per_h, float)))
        return plans[-1]

    monkeypatch.setattr(sites, "make_plan", with_rates)
    chunks: list[Rows] = []
    Site(document, 1, engine, lambda chunk: chunks.append(chunk.copy())).run(hours * H)
    rows = np.concatenate([np.zeros(0, EVENT), *chunks])
    return plans[0], rows[rows["kind"] == Kind.SCAN]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rate", [30.0, 3000.0])
def test_who_is_free_first_takes_the_order_that_came_first(
    engine: str, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, rows = worked(engine, monkeypatch, [rate] * 24, 3 if rate == 30.0 else 1)
    orders = start_orders(plan)[0]
    next_up = [(0, w, 0, 0) for w in range(4)]  # when it takes one, who, free since when, which job
    starts = rows[rows["role"] == Role.START]
    waited = 0
    for number in range(len(starts)):
        taken_us, w, free_us, job = min(next_up)
        due_us = next_order_us(orders, plan.orders_per_h)
        own = rows[(rows["worker"] == w) & (rows["job"] == job)]
        assert own[0]["time_us"] - own[0]["link_us"] == max(free_us, due_us)
        waited += due_us > free_us
        if own[-1]["role"] != Role.END:
            break  # the run ends in it
        assert own[-1]["line"] == 1 + job_lines(plan.book, orders["state"], number)
        next_up[next_up.index((taken_us, w, free_us, job))] = (
            int(own[-1]["time_us"]), w, int(own[-1]["beep_us"]), job + 1
        )  # fmt: skip
    assert number > 80
    assert waited > 60 if rate == 30.0 else waited < 10


@pytest.mark.parametrize("engine", ENGINES)
def test_as_many_jobs_are_done_as_orders_come(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = [0.0, 40, 10, 0, 0, 60, 0, 20, *[10.0] * 16]
    plan, rows = worked(engine, monkeypatch, rates, 16)
    starts = rows[rows["role"] == Role.START]
    hours, times = np.unique((starts["time_us"] // H), return_counts=True)
    orders = start_orders(plan)[0]
    due_h = np.array([next_order_us(orders, plan.orders_per_h) // H for _ in range(len(starts))])
    assert hours.tolist() == np.unique(due_h).tolist()
    assert np.abs(times - np.unique(due_h, return_counts=True)[1]).max() <= 1
    assert not {0, 3, 4, 6} & set(hours.tolist())


@pytest.mark.parametrize("engine", ENGINES)
def test_where_no_more_orders_come_work_ends(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    per_h = [20.0, *[0.0] * 24]
    _, rows = worked(engine, monkeypatch, per_h, 3, job_setup=constant("1 s"))
    assert 5 < (rows["role"] == Role.START).sum() < 50
    assert (rows["time_us"] < 1.1 * H).all()


def test_the_rates_of_a_scenario_are_those_of_its_local_hours() -> None:
    profile = [float(hour) for hour in range(24)]
    orders = {"per_hour": 30.0, "peak_factor": 2.0, "profile": profile}
    document = scenario({"run.start": "2026-03-28T20:00:00", "work.orders": orders})
    found = make_plan(document, make_roster(document, 1), 1).orders_per_h
    local = [20, 21, 22, 23, 0, 1, *range(3, 9)]  # at 2 o'clock it was 3
    assert found[:12] == pytest.approx([24 * 60 * hour / 276 for hour in local])
    assert len(found) == 8 + 24
