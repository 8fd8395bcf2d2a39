"""The uplink as a loss system: its publish limit is a constant service, its buffer the queue.

Shares lost lie in the interval of 20 replications at 99.9 % (Student); what a rate 5 % off, or one
place more, would lose lies outside.
"""

from collections.abc import Mapping

import numpy as np
import pytest

import twin
from tests.scenarios import constant, scenario
from tests.theory import intervals
from tests.theory.gates import (
    ENGINES,
    ONE_GATEWAY,
    REPLICATIONS,
    SERVICE,
    SILENT,
    WARM_UP,
    S,
    make,
    passed,
    poisson,
)
from twin.analysis.queueing import md1_wait_s, md1k_loss
from twin.events import NEVER, Kind, Outcome
from twin.floor.plan import FloorPlan
from twin.scenario import Scenario

MESSAGES = {"reference": 3_000, "compiled": 40_000}
OFF = 1.05
ONE_A_SECOND: Mapping[str, object] = {"links.publish_limit": 1}


def lost(engine: str, plan: FloorPlan, load: float) -> list[float]:
    """Return the share of messages that find the buffer full, of each replication."""
    shares = []
    for seed in range(REPLICATIONS):
        messages, moments_us = poisson(seed, S / load, MESSAGES[engine])
        rows = passed(engine, plan, messages, moments_us)
        assert ((rows["visible_us"] == NEVER) == (rows["copies"] == 0)).all()
        shares.append((rows["copies"] == 0)[WARM_UP:].mean())
    return shares


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("load", "buffer"), [(0.8, 3), (1.0, 2), (1.4, 3)])
def test_a_message_is_held_until_it_is_published(load: float, buffer: int, engine: str) -> None:
    # The cloud acknowledges at once: what is in service holds no place, the time to the next
    # publish runs without it. So there is one place more than the buffer has.
    plan = make({**ONE_A_SECOND, "links.buffer_messages": buffer})
    found = intervals.mean(lost(engine, plan, load))
    assert md1k_loss(load, buffer + 1) in found
    assert md1k_loss(load * OFF, buffer + 1) not in found
    assert md1k_loss(load, buffer) not in found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("load", "buffer"), [(0.7, 2), (1.1, 4), (3.0, 1)])
def test_a_message_is_held_until_it_is_acknowledged(load: float, buffer: int, engine: str) -> None:
    # The acknowledgement takes as long as the publish limit keeps the next one back.
    trip = {"links.round_trip": constant("1 s")}
    plan = make({**ONE_A_SECOND, **trip, "links.buffer_messages": buffer})
    found = intervals.mean(lost(engine, plan, load))
    assert md1k_loss(load, buffer) in found
    assert md1k_loss(load * OFF, buffer) not in found
    assert md1k_loss(load, buffer + 1) not in found


@pytest.mark.parametrize("engine", ENGINES)
def test_without_a_limit_of_the_buffer_the_uplink_waits_as_md1(engine: str) -> None:
    load, found = 0.7, []
    for seed in range(REPLICATIONS):
        messages, moments_us = poisson(seed, S / load, 2 * MESSAGES[engine])
        rows = passed(engine, make(ONE_A_SECOND), messages, moments_us)
        found.append((rows["visible_us"] - rows["time_us"])[WARM_UP:].mean() / S)
    interval = intervals.mean(found)
    assert md1_wait_s(load, 1) in interval
    assert md1_wait_s(load * OFF, 1) not in interval


@pytest.mark.parametrize("engine", ENGINES)
def test_an_overloaded_uplink_of_a_whole_floor_shows_what_its_limit_lets_through(
    engine: str,
) -> None:
    # Five reports a second to a gateway that publishes two: so many are shown, three of five lost,
    # whatever the laws. One message in a buffer of 20 either way is the whole uncertainty.
    document = twin.vary(_reporting(), "links.publish_limit", 2)
    opened = twin.open(document, engine=engine).run(progress=False)
    rows = opened.rows()
    reports = rows[(rows["kind"] == Kind.TELEMETRY) & (rows["time_us"] > 60 * S)]
    seconds = opened.now_us / S - 60
    assert len(reports) == pytest.approx(5 * seconds, abs=50)
    assert set(np.unique(reports["outcome"])) == {Outcome.DELIVERED, Outcome.LOST_BUFFER}
    shown = reports["visible_us"][reports["copies"] > 0]
    assert len(shown) == pytest.approx(2 * seconds, abs=20)
    assert (np.diff(shown) == S // 2).all()
    assert opened.kpis()["backlog_max"].iloc[0] == 20


def _reporting() -> Scenario:
    """Fifty scanners that report every ten seconds, and nobody who scans."""
    document = {**ONE_GATEWAY, **SILENT, "cloud.telemetry_period": "10 s"}
    return scenario({**document, "links.buffer_messages": 20, "run.horizon": "10 min"})


@pytest.mark.parametrize("engine", ENGINES)
def test_as_many_are_sent_twice_as_acknowledgements_are_lost(engine: str) -> None:
    plan = make({"links.acknowledgement_loss": "20 %"})
    copies = []
    for seed in range(REPLICATIONS):
        messages, moments_us = poisson(seed, S, MESSAGES[engine])
        copies += (passed(engine, plan, messages, moments_us)["copies"] == 2).tolist()
    found = intervals.share(sum(copies), len(copies))
    assert 0.20 in found
    assert 0.20 * 1.1 not in found


@pytest.mark.parametrize("engine", ENGINES)
def test_what_waits_for_the_host_takes_no_place_in_the_buffer_for_the_uplink(engine: str) -> None:
    # Eight at once, a second each: the uplink takes no time, so it never holds more than one.
    plan = make({SERVICE: constant("1 s"), "links.buffer_messages": 2})
    rows = passed(engine, plan, np.arange(8), np.arange(8))
    assert (rows["copies"] == 1).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_shown_in_an_outage_but_what_was_sent_before_it(engine: str) -> None:
    outages = [{"after": "20 s", "duration": "10 s"}, {"after": "30 s", "duration": "30 s"}]
    plan = make({"links.round_trip": constant("2 s"), "links.outages": outages})
    rows = passed(engine, plan, np.arange(1), np.array([int(19.5 * S)]))
    assert rows["visible_us"][0] >= 60 * S
