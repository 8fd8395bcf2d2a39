"""Workers who wait for the beep before they go on: a gateway as the server of a finite source.

Means lie in the interval of replications at 99.9 % (Student), what a service 10 % off would give
lies outside. What holds for every law (use, response time, Little) holds to the last microsecond,
but for what is under way at the ends.
"""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

import twin
from tests.scenarios import MIN, constant, fixed, phones, scanners, scenario, shift, station
from tests.theory import intervals
from tests.theory.gates import ENGINES, ONE_GATEWAY, REPLICATIONS, SERVICE, Rows, S, exponential_us
from twin.analysis.queueing import finite_source
from twin.events import Kind, Outcome
from twin.floor.reference.gateway import Gateway
from twin.floor.rules.streams import SERVICE_TIME
from twin.twin import Twin

EVENT_S = 0.0075 / 2
"""The mean wait for a connection event, to the gateway and back [s]."""
LOOP: Mapping[str, object] = {**ONE_GATEWAY, "work.jobs": []}


def ran(changes: Mapping[str, object], seed: int, engine: str = "compiled") -> Twin:
    return twin.open(scenario({**LOOP, **changes}), seed=seed, engine=engine).run(progress=False)


def steady(opened: Twin, from_us: int) -> Rows:
    """Return the scans made from a moment on."""
    rows = opened.rows()
    found: Rows = rows[(rows["kind"] == Kind.SCAN) & (rows["time_us"] >= from_us)]
    return found


# --- what the law of service decides ---------------------------------------------------


@pytest.mark.parametrize(
    "pick",
    [
        {"law": "lognormal", "median": "7.5 s", "sigma": 0.8},
        {"law": "uniform", "low": "1 s", "high": "19 s"},
    ],
)
def test_exponential_service_is_a_machine_repair(
    pick: Mapping[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Exact for any law of picks, but only for exponential service, which no scenario has: the
    # service rule of the reference engine is replaced.
    monkeypatch.setattr(
        "twin.floor.reference.gateway.service_us",
        lambda _book, message: exponential_us(1.0 * S, message, SERVICE_TIME),
    )
    changes = {
        "work.shifts": [shift(workers=8)], "work.pick_interval": pick, "run.horizon": "22 min"
    }  # fmt: skip
    law = scenario({**LOOP, **changes}).work.pick_interval
    away_s = law.expected_us / S + 2 * EVENT_S
    uses, rates, waits = [], [], []
    for seed in range(REPLICATIONS):
        opened = ran(changes, seed, "reference")
        before_us = 5 * MIN
        scans = steady(opened, before_us)
        uses.append(_busy_us(scans, opened.now_us) / (opened.now_us - before_us))
        rates.append(len(scans) / (opened.now_us - before_us) * S)
        waits.append(scans["wait_us"].mean() / S)
    theory = finite_source(8, away_s, 1.0)
    assert theory.use in intervals.mean(uses)
    assert theory.rate_hz in intervals.mean(rates)
    assert theory.wait_s in intervals.mean(waits)
    assert finite_source(8, away_s, 1.1).use not in intervals.mean(uses)
    assert finite_source(8, away_s, 1.1).wait_s not in intervals.mean(waits)
    assert finite_source(9, away_s, 1.0).rate_hz not in intervals.mean(rates)


def _busy_us(scans: Rows, now_us: int) -> int:
    """How long the gateway served these scans, each from its turn until the beep sets out [us]."""
    begins_us = scans["time_us"] + scans["wait_us"]
    return int((np.minimum(scans["visible_us"], now_us) - np.minimum(begins_us, now_us)).sum())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("workers", [1, 4, 10, 11, 25])
def test_constant_work_and_service_are_as_good_as_can_be(workers: int, engine: str) -> None:
    # The bounds of every closed loop (Denning and Buzen, ACM Computing Surveys 10, 1978), reached
    # where nothing varies: first everybody is served at once, then the gateway without a pause.
    changes = {
        "work.shifts": [shift(workers=workers)],
        "work.pick_interval": constant("9 s"),
        SERVICE: constant("1 s"),
        "run.horizon": "40 min",
    }
    opened = ran(changes, 1, engine)
    scans = steady(opened, 10 * MIN)
    seconds = 30 * 60
    # Wherever the connection events lie, a cycle is longer by at most two of their distances.
    shortest, longest = workers / (10 + 4 * EVENT_S), workers / 10
    assert min(1, shortest) * seconds - workers <= len(scans) <= min(1, longest) * seconds + workers
    use = opened.kpis()["gateway_use_max"].iloc[0]
    assert use == pytest.approx(min(1.0, workers / 10), abs=0.006)
    if workers > 10:
        assert scans["wait_us"].mean() / S == pytest.approx(workers - 10, abs=4 * EVENT_S)


# --- what holds for every law ------------------------------------------------------------

BUSY: Mapping[str, object] = {
    "work.shifts": [shift(workers=30)],
    "work.pick_interval": {"law": "lognormal", "median": "10 s", "sigma": 1.0},
    SERVICE: {"law": "uniform", "low": "100 ms", "high": "900 ms"},
    "run.horizon": "1 h",
}


def test_use_is_the_rate_times_the_mean_service() -> None:
    uses, rates = [], []
    for seed in range(16):
        opened = ran(BUSY, seed)
        uses.append(opened.kpis()["gateway_use_max"].iloc[0])
        rates.append(len(steady(opened, 0)) / 3600)
    ratios = np.array(uses) / np.array(rates)
    assert 0.5 in intervals.mean(ratios)
    assert 0.5 * 1.01 not in intervals.mean(ratios)


def test_a_cycle_of_all_workers_is_their_number_over_the_rate() -> None:
    # N = X (Z + W + S): the response time law, of whatever is drawn. One unfinished cycle of each
    # worker, and the one with which each begins, are all that is missing.
    opened = ran(BUSY, 1)
    scans = steady(opened, 0)
    whole = [scans[scans["worker"] == worker] for worker in range(30)]
    cycles_us = np.concatenate([np.diff(own["beep_us"]) for own in whole])
    picks_us = np.concatenate(
        [own["time_us"][1:] - own["link_us"][1:] - own["beep_us"][:-1] for own in whole]
    )
    there_us = np.concatenate([own["beep_us"] - own["time_us"] + own["link_us"] for own in whole])
    assert cycles_us.mean() == pytest.approx(picks_us.mean() + there_us.mean(), rel=1e-3)
    rate_hz = len(scans) / 3600
    assert rate_hz * cycles_us.mean() / S == pytest.approx(30, rel=60 / len(scans) + 0.01)
    drawn = scenario({**LOOP, **BUSY}).work.pick_interval.expected_us
    batches = np.array_split(picks_us, 30)
    assert drawn in intervals.mean([batch.mean() for batch in batches])
    assert drawn * 1.05 not in intervals.mean([batch.mean() for batch in batches])


# --- Little, on the queues of a whole run ---------------------------------------------------

TWO_QUEUES: Mapping[str, object] = {
    "site.stations": [station("west", 5), station("east", 25)],
    "fleet.gateways": [fixed("posts", "west", "east", limit=20), phones("walk", 3)],
    "fleet.scanners": scanners(40),
    "work.shifts": [shift(workers=40)],
    "work.pick_interval": {"law": "lognormal", "median": "10 s", "sigma": 1.0},
    "cloud.telemetry_period": "20 s",
    SERVICE: {"law": "uniform", "low": "50 ms", "high": "400 ms"},
    "links.publish_limit": 4,
    "links.round_trip": {"law": "lognormal", "median": "300 ms", "sigma": 1.0},
    "links.buffer_messages": 100,
    "run.horizon": "1 h",
}


def _number(enter_us: NDArray[np.int64], leave_us: NDArray[np.int64], until_us: int) -> float:
    """Return the time-average number inside, counted step by step."""
    moments_us = np.minimum(np.concatenate([enter_us, leave_us]), until_us)
    steps = np.repeat([1, -1], len(enter_us))
    order = np.lexsort((-steps, moments_us))
    inside = np.cumsum(steps[order])
    assert inside.min() >= 0
    return float((inside[:-1] * np.diff(moments_us[order])).sum() / until_us)


def test_littles_law_at_the_host_of_every_gateway() -> None:
    # Three columns that do not know of each other: the number in the system from arrival and
    # publish (where the uplink takes no time), what is served from the engine, and the waits.
    opened = ran({**TWO_QUEUES, "links.publish_limit": 0, "links.round_trip": constant("0 s")}, 1)
    use = opened.gateways()["use"].to_numpy()
    found = _arrived(opened.rows())
    for gateway in np.unique(found["gateway"]):
        own = found[found["gateway"] == gateway]
        there = _number(own["time_us"], own["visible_us"], opened.now_us)
        begins_us = np.minimum(own["time_us"] + own["wait_us"], opened.now_us)
        waiting = len(own) / opened.now_us * (begins_us - own["time_us"]).mean()
        assert there - use[gateway] == pytest.approx(waiting, rel=1e-9)
        assert waiting > 0.01 or use[gateway] < 0.1


def _arrived(rows: Rows) -> Rows:
    messages = rows[np.isin(rows["kind"], (Kind.SCAN, Kind.TELEMETRY))]
    return messages[~np.isin(messages["outcome"], (Outcome.LOST_BLE, Outcome.NOT_CONNECTED))]


def test_littles_law_of_the_uplink(monkeypatch: pytest.MonkeyPatch) -> None:
    # What waits for an acknowledgement, looked at now and then, against rate times mean stay.
    # Reports come every 20 s, so looks must not come so many times in 20 s.
    stays: dict[Gateway, list[tuple[int, int]]] = {}
    publish = Gateway._publish

    def noted(gateway: Gateway, message: int, served_us: int) -> tuple[int, int, int]:
        found = publish(gateway, message, served_us)
        stays.setdefault(gateway, []).append((served_us, found[1]))
        return found

    monkeypatch.setattr(Gateway, "_publish", noted)
    opened = twin.open(scenario({**LOOP, **TWO_QUEUES}), engine="reference")
    opened.run(progress=False)
    end_us, means = opened.now_us, []
    looks_us = 987_659 * np.arange(1, end_us // 987_659)
    for gateway, pairs in stays.items():
        enter_us, leave_us = np.array(pairs).T
        came, went = (
            np.searchsorted(np.sort(edge_us), looks_us) for edge_us in (enter_us, leave_us)
        )
        inside = enter_us < end_us
        stay_us = np.minimum(leave_us, end_us)[inside] - enter_us[inside]
        theory = inside.sum() / end_us * stay_us.mean()
        # Batches of two minutes, long against the seconds of a stay.
        held = came - went
        sampled = held[: len(held) // 120 * 120].reshape(-1, 120).mean(axis=1)
        assert theory in intervals.mean(sampled)
        assert theory == pytest.approx(_number(enter_us[inside], leave_us[inside], end_us))
        assert held.max() <= gateway.most_held <= held.max() + 5
        means.append(held.mean())
    assert max(means) > 2
    assert len(means) > 3
