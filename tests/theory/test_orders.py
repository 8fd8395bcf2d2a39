"""Orders as a Poisson process whose rate follows the day, and workers who take them as they come.

At 99.9 %: Pearson for counts by hour, Kolmogorov for the times between, the root of a Poisson count
for totals. A profile, rate or factor 5 to 10 % off would be seen. What follows from an order is
exact: the start scan of a worker who was waiting comes with it.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

import twin
from tests.scenarios import H, constant, scanners, scenario, shift
from tests.theory import intervals
from tests.theory.gates import ENGINES, ONE_GATEWAY, make
from twin.events import Kind, Role
from twin.floor.plan import start_orders
from twin.floor.rules.orders import next_order_us
from twin.scenario import Scenario
from twin.world.build import make_plan
from twin.world.roster import make_roster

DAYS = 20
BUSY_HOURS = [
    *(1.0, 0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 8.0, 7.0, 5.0),
    *(4.0, 6.0, 9.0, 12.0, 10.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0, 1.0),
]


def orders(document: Scenario, seed: int, until_us: int) -> NDArray[np.int64]:
    """Return when the orders before a moment arrive [us]."""
    plan = make_plan(document, make_roster(document, seed), seed)
    record = start_orders(plan)[0]
    found = [next_order_us(record, plan.orders_per_h)]
    while found[-1] < until_us:
        found.append(next_order_us(record, plan.orders_per_h))
    return np.array(found[:-1])


def day(per_hour: float, peak_factor: float = 1.0, profile: object = None) -> Scenario:
    found = {"per_hour": per_hour, "peak_factor": peak_factor}
    if profile is not None:
        found["profile"] = profile  # type: ignore[assignment]
    return scenario({"work.orders": found, "run.horizon": f"{DAYS} d"})


def test_orders_of_each_hour_are_as_many_as_the_profile_says() -> None:
    found = orders(day(100, profile=BUSY_HOURS), 1, DAYS * 24 * H)
    local_hour = (found // H + 6) % 24  # the run starts at six; no clock changes in these days
    counts = np.bincount(local_hour, minlength=24)
    weights = np.array(BUSY_HOURS)
    expected = DAYS * 24 * 100 * weights / weights.sum()
    assert (counts[weights == 0] == 0).all()
    some = weights > 0
    assert intervals.fits(counts[some], expected[some], fitted=0)
    bent = np.where(np.arange(24) < 12, expected * 1.05, expected * 0.95)
    assert not intervals.fits(counts[some], bent[some], fitted=0)
    shifted = np.roll(expected, 1)
    assert counts[shifted == 0].sum() > 0


def test_counts_of_an_hour_vary_as_poisson_counts_do() -> None:
    found = orders(day(60), 2, DAYS * 24 * H)
    counts = np.bincount(found // H, minlength=DAYS * 24)
    # Variance over mean is 1; its spread over so many hours is the root of two of them.
    index = counts.var(ddof=1) / counts.mean()
    half = intervals.TWO_SIDED * np.sqrt(2 / (len(counts) - 1))
    assert 1 - half < index < 1 + half
    assert abs(np.corrcoef(counts[1:], counts[:-1])[0, 1]) < intervals.TWO_SIDED / np.sqrt(480)


def test_times_between_orders_of_a_flat_day_are_exponential() -> None:
    gaps_h = np.diff(orders(day(60), 3, DAYS * 24 * H), prepend=0) / H
    assert intervals.is_uniform(1 - np.exp(-60 * gaps_h))
    assert not intervals.is_uniform(1 - np.exp(-60 * 1.05 * gaps_h))
    neighbours = np.corrcoef(gaps_h[1:], gaps_h[:-1])[0, 1]
    assert abs(neighbours) < intervals.TWO_SIDED / np.sqrt(len(gaps_h))


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_the_peak_factor_multiplies_the_day(factor: float) -> None:
    document = day(50, factor, BUSY_HOURS)
    found = intervals.poisson(len(orders(document, 4, DAYS * 24 * H)))
    assert DAYS * 24 * 50 * factor in found
    assert DAYS * 24 * 50 * factor * 1.05 not in found


def test_twice_as_many_orders_are_the_same_orders_in_half_the_time() -> None:
    one, twice = (orders(day(30, factor), 5, 10 * 24 * H) for factor in (1.0, 2.0))
    assert np.abs(twice[: len(one)] * 2 - one).max() <= 1


# --- who takes them -------------------------------------------------------------------------

WAITING: Mapping[str, object] = {
    **ONE_GATEWAY,
    "work.shifts": [shift(workers=50, duration="12 h")],
    "work.job_setup": constant("0 s"),
    "work.job_close": constant("5 s"),
    "work.pick_interval": constant("20 s"),
    "work.job_lines": {"median": 2.0, "mean": 3.0, "min": 1, "max": 20},
    "run.horizon": "12 h",
}


def starts_us(document: Scenario, seed: int, engine: str = "compiled") -> NDArray[np.int64]:
    """Return when start barcodes were scanned, in order [us]."""
    rows = twin.open(document, seed=seed, engine=engine).run(progress=False).rows()
    found = rows[(rows["kind"] == Kind.SCAN) & (rows["role"] == Role.START)]
    return np.sort(found["time_us"] - found["link_us"])


@pytest.mark.parametrize("engine", ENGINES)
def test_with_plenty_of_workers_each_order_is_begun_as_it_arrives(engine: str) -> None:
    profile = {"per_hour": 200.0, "profile": BUSY_HOURS}
    document = scenario({**WAITING, "work.orders": profile})
    found = starts_us(document, 6, engine)
    due = orders(document, 6, 12 * H)
    assert len(found) > 1000
    assert found.tolist() == due[: len(found)].tolist()
    assert len(due) - len(found) <= 1  # the last one may come as the run ends


def test_with_too_few_workers_orders_wait_and_none_is_begun_before_it_arrives() -> None:
    few = {"work.shifts": [shift(workers=5, duration="12 h")], "fleet.scanners": scanners(5)}
    document = scenario({**WAITING, **few, "work.orders": {"per_hour": 1000.0}})
    found = starts_us(document, 7)
    due = orders(document, 7, 12 * H)[: len(found)]
    assert (found >= due).all()
    # Five workers, one job after the other: as many as fit into their time, whatever arrives.
    job_s = 5 + 20 * _lines(document)
    assert len(found) == pytest.approx(5 * 12 * 3600 / job_s, rel=0.03)


def _lines(document: Scenario) -> float:
    """The mean lines of a job, from the jobs that were done [1]."""
    rows = twin.open(document, seed=7).run(progress=False).rows()
    scans = rows[rows["kind"] == Kind.SCAN]
    ends = (scans["role"] == Role.END).sum()
    return float((scans["role"] == Role.LINE).sum() / ends)


def test_orders_are_begun_as_they_arrive_across_a_change_of_shifts() -> None:
    two = [shift("early", "06:00", "4 h", 20), shift("late", "10:00", "8 h", 20)]
    document = scenario({**WAITING, "work.shifts": two, "work.orders": {"per_hour": 60.0}})
    found = starts_us(document, 8)
    assert found.tolist() == orders(document, 8, 12 * H)[: len(found)].tolist()


@pytest.mark.parametrize("record", ["rows", "kpis"])
def test_the_orders_that_wait_came_and_were_not_begun(record: Literal["rows", "kpis"]) -> None:
    few = {"work.shifts": [shift(workers=5, duration="3 h")], "fleet.scanners": scanners(5)}
    document = scenario({
        **WAITING, **few, "work.orders": {"per_hour": 150.0, "profile": BUSY_HOURS},
        "links.ble.stationary.loss_far": "90 %", "links.ble.stationary.loss_near": "90 %",
    })  # fmt: skip
    opened = twin.open(document, seed=9, record=record)
    due, begun = orders(document, 9, 12 * H), first_starts_us(document, 9)
    for hour in (1, 3, 6, 12):
        opened.run_to_us(hour * H, progress=False)
        figures = opened.kpis().iloc[0]
        came, served = due[due < hour * H], begun[begun < hour * H]
        waiting = [n + 1 - (served < moment_us).sum() for n, moment_us in enumerate(came)]
        assert figures["orders"] == len(came)
        assert abs(figures["orders_waiting"] - (len(came) - len(served))) <= 1  # on the air then
        assert abs(figures["orders_waiting_max"] - max(waiting)) <= 1
    assert figures["orders_waiting_max"] > 50


def first_starts_us(document: Scenario, seed: int) -> NDArray[np.int64]:
    """Return when each job was begun: the first scan of its start barcode, heard or not [us]."""
    rows = twin.open(document, seed=seed).run(progress=False).rows()
    found = rows[(rows["kind"] == Kind.SCAN) & (rows["role"] == Role.START)]
    begun = dict[tuple[int, int], int]()
    for row in found:
        begun.setdefault((row["worker"], row["job"]), int(row["time_us"]) - int(row["link_us"]))
    assert len(found) > len(begun)  # some had to be repeated
    return np.sort(list(begun.values()))


def test_where_work_never_runs_out_no_orders_are_counted() -> None:
    figures = twin.open(scenario({"run.horizon": "1 h"})).run(progress=False).kpis().iloc[0]
    assert (figures[["orders", "orders_waiting", "orders_waiting_max"]] == 0).all()


def test_without_orders_the_plan_has_none() -> None:
    assert len(make({}).orders_per_h) == 0
