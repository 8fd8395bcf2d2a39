"""The gateway's host as a single server: waits by Pollaczek and Khinchine, and of periodic reports.

Each figure lies in the interval of 20 replications at 99.9 % (Student); the one that a rate or a
service 5 % off would give lies outside: 10 % in the readable engine, which takes its time.
"""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

import twin
from tests.scenarios import MIN, constant, scenario, shift
from tests.theory import intervals
from tests.theory.gates import (
    ENGINES,
    ONE_GATEWAY,
    REPLICATIONS,
    SERVICE,
    SILENT,
    WARM_UP,
    S,
    exponential_us,
    make,
    passed,
    poisson,
)
from twin.analysis.queueing import (
    finite_source,
    md1_wait_s,
    md1k_loss,
    mean_number,
    mg1_wait_s,
    mm1_wait_s,
    mm1k_loss,
)
from twin.events import Kind
from twin.floor.plan import FloorPlan
from twin.floor.rules.streams import SERVICE_TIME

MESSAGES = {"reference": 3_000, "compiled": 60_000}
OFF = {"reference": 1.10, "compiled": 1.05}
"""By how much a rate may be wrong before it is seen."""


def waits_s(engine: str, plan: FloorPlan, load: float, count: int = 0) -> list[float]:
    """Return the mean wait of each replication, one message a second times the load [s]."""
    found = []
    for seed in range(REPLICATIONS):
        messages, moments_us = poisson(seed, S / load, count or MESSAGES[engine])
        rows = passed(engine, plan, messages, moments_us)
        found.append(rows["wait_us"][WARM_UP:].mean() / S)
    return found


# --- the formulas by themselves --------------------------------------------------------


def test_a_server_that_cannot_keep_up_makes_wait_for_ever() -> None:
    assert mg1_wait_s(0.99, 1, 2) == pytest.approx(0.99 / 0.01 * 2.5)
    assert mg1_wait_s(1.0, 1, 0) == math.inf


def test_so_many_places_lose_nothing_and_one_loses_as_erlang_says() -> None:
    for load in (0.3, 0.9, 1.0, 4.0):
        for loss in (mm1k_loss, md1k_loss):
            assert loss(load, 1) == pytest.approx(load / (1 + load))
            assert loss(load, 400) == pytest.approx(max(0, 1 - 1 / load), abs=3e-3)


@pytest.mark.parametrize("load", [0.5, 1.0, 3.0])
def test_what_is_lost_balances_what_the_chain_solves(load: float) -> None:
    # The stationary law of an M/D/1/4 by brute force, from its matrix.
    places = 4
    arrivals = [math.exp(-load) * load**n / math.factorial(n) for n in range(40)]
    step = np.zeros((places, places))
    for here in range(places):
        for n, chance in enumerate(arrivals):
            step[here, min(max(here - 1, 0) + n, places - 1)] += chance
    left = np.linalg.matrix_power(step, 4096)[0]
    assert md1k_loss(load, places) == pytest.approx(1 - 1 / (left[0] + load))
    levels = [load**n for n in range(places + 1)]
    assert mm1k_loss(load, places) == pytest.approx(levels[-1] / sum(levels))


def test_a_finite_source_is_a_birth_and_death() -> None:
    sources, away_s, service_s = 7, 4.0, 1.0
    levels = [
        math.perm(sources, n) * (service_s / away_s) ** n for n in range(sources + 1)
    ]  # Kleinrock, volume 1, section 3.9
    found = finite_source(sources, away_s, service_s)
    busy = 1 - levels[0] / sum(levels)
    queue = sum((n - 1) * level for n, level in enumerate(levels) if n) / sum(levels)
    assert found.use == pytest.approx(busy)
    assert found.rate_hz == pytest.approx(busy / service_s)
    assert mean_number(found.rate_hz, found.wait_s) == pytest.approx(queue)


# --- one gateway, Poisson arrivals ---------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_constant_service_waits_as_md1(engine: str) -> None:
    load = 0.7
    found = intervals.mean(waits_s(engine, make({SERVICE: constant("1 s")}), load))
    assert md1_wait_s(load, 1) in found
    assert md1_wait_s(load * OFF[engine], 1) not in found
    assert mm1_wait_s(load, 1) not in found


LAWS: Mapping[str, tuple[Mapping[str, object], float]] = {
    "uniform": ({"law": "uniform", "low": "0.2 s", "high": "1.8 s"}, 1.6 / math.sqrt(12)),
    "lognormal": (
        {"law": "lognormal", "median": "835270 us", "sigma": 0.6},  # a mean of 1 s
        math.sqrt(math.expm1(0.36)),
    ),
    "mixture": (
        {
            "law": "mixture",
            "components": [
                {"law": "constant", "value": "0.5 s", "weight": 3.0},
                {"law": "constant", "value": "2.5 s", "weight": 1.0},
            ],
        },
        math.sqrt(0.75),
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", LAWS)
def test_any_service_waits_as_mg1(name: str, engine: str) -> None:
    law, variation = LAWS[name]
    load = 0.6
    found = intervals.mean(waits_s(engine, make({SERVICE: law}), load))
    assert mg1_wait_s(load, 1, variation) in found
    assert mg1_wait_s(load * OFF[engine], 1, variation) not in found
    assert md1_wait_s(load, 1) not in found


def test_exponential_service_waits_as_mm1(monkeypatch: pytest.MonkeyPatch) -> None:
    # No scenario has an exponential law: the service rule of the reference engine is replaced.
    mean_us = 1.0 * S
    monkeypatch.setattr(
        "twin.floor.reference.gateway.service_us",
        lambda _book, message: exponential_us(mean_us, message, SERVICE_TIME),
    )
    load = 0.6
    found = intervals.mean(waits_s("reference", make({}), load, 4_000))
    assert mm1_wait_s(load, 1) in found
    assert mm1_wait_s(load * OFF["reference"], 1) not in found
    assert mg1_wait_s(load, 1, 0.8) not in found


# --- whole floors --------------------------------------------------------------------------


def periodic_wait_s(sources: int, period_s: float, service_s: float) -> float:
    """Return the mean wait where so many come once in a period, at moments of their own [s].

    N*D/D/1; Roberts and Virtamo, IEEE Transactions on Communications 39, 1991: the chance of more
    work than x before one of them is that of the others, whose busy period began n arrivals ago.
    """
    others, slots = sources - 1, period_s / service_s

    def more_than(x: float) -> float:
        return math.fsum(
            math.comb(others, n)
            * ((n - x) / slots) ** n
            * (1 - (n - x) / slots) ** (others - n)
            * (slots - others + x)
            / (slots - n + x)
            for n in range(math.floor(x) + 1, others + 1)
        )

    step = 1 / 256
    return service_s * step * math.fsum(more_than((i + 0.5) * step) for i in range(others * 256))


@pytest.mark.parametrize("engine", ENGINES)
def test_reports_of_a_whole_floor_wait_as_periodic_sources(engine: str) -> None:
    # Nobody scans; every scanner reports once in a period, the first at a moment drawn for it.
    document = scenario({
        **ONE_GATEWAY,
        **SILENT,
        "cloud.telemetry_period": "10 s",
        SERVICE: constant("160 ms"),
        "run.horizon": "20 s",
    })  # fmt: skip
    found = []
    for seed in range(150 if engine == "compiled" else 50):
        rows = twin.open(document, seed=seed, engine=engine).run(progress=False).rows()
        reports = rows[(rows["kind"] == Kind.TELEMETRY) & (rows["number"] == 1)]
        found.append(reports["wait_us"].mean() / S)
    interval = intervals.mean(found)
    assert periodic_wait_s(50, 10, 0.160) in interval
    assert periodic_wait_s(50, 10, 0.160 * 1.1) not in interval
    assert md1_wait_s(0.8, 0.160) not in interval  # less than of Poisson reports


def test_scans_of_a_whole_floor_wait_as_mm1(monkeypatch: pytest.MonkeyPatch) -> None:
    # Orders come at random, each of three scans with work of any law between them: an open network
    # of queues, in which the gateway is as if alone (Baskett, Chandy, Muntz and Palacios, JACM 22,
    # 1975). That asks for exponential service: the rule of the reference engine is replaced.
    monkeypatch.setattr(
        "twin.floor.reference.gateway.service_us",
        lambda _book, message: exponential_us(1.0 * S, message, SERVICE_TIME),
    )
    load = 0.6
    document = scenario({
        **ONE_GATEWAY,
        "work.shifts": [shift(workers=50)],
        "work.orders": {"per_hour": load / 3 * 3600},
        "work.job_lines": {"median": 1.0, "mean": 1.0, "min": 1, "max": 1},
        "work.job_setup": constant("0 s"),
        "work.pick_interval": {"law": "lognormal", "median": "15 s", "sigma": 0.5},
        "work.job_close": {"law": "uniform", "low": "2 s", "high": "20 s"},
        "run.horizon": "55 min",
    })  # fmt: skip
    found: list[float] = []
    rates: list[float] = []
    for seed in range(REPLICATIONS):
        opened = twin.open(document, seed=seed, engine="reference").run(progress=False)
        scans = opened.rows()
        scans = scans[(scans["kind"] == Kind.SCAN) & (scans["time_us"] > 5 * MIN)]
        found.append(scans["wait_us"].mean() / S)
        rates.append(len(scans) / 3000)
    assert load in intervals.mean(rates)
    interval = intervals.mean(found)
    assert mm1_wait_s(load, 1) in interval
    assert mm1_wait_s(load * 1.1, 1) not in interval
    assert mg1_wait_s(load, 1, 0.7) not in interval


def test_the_waits_of_both_engines_are_the_same() -> None:
    plan = make({SERVICE: LAWS["lognormal"][0]})
    messages, moments_us = poisson(1, S / 0.8, 2_000)
    one, other = (passed(engine, plan, messages, moments_us) for engine in ENGINES)
    waits: list[NDArray[np.int64]] = [one["wait_us"], other["wait_us"]]
    assert waits[0].tolist() == waits[1].tolist()
