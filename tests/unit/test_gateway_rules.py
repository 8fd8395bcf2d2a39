"""The uplink of a gateway: spacing, order, outages, the buffer, in both engines."""

from itertools import accumulate
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import twin
from tests.scenarios import MIN, Table, constant, fixed, phones, scanners, scenario, shift
from tests.theory.gates import ENGINES, Rows, make, passed
from twin.draws import fold, root
from twin.events import NEVER, Outcome
from twin.floor.plan import FloorPlan
from twin.floor.reference.gateway import Gateway
from twin.floor.rules.gateway import (
    acknowledged_us,
    got_through,
    publishes_us,
    service_us,
    trip_us,
    visible_us,
)

S = 1_000_000
MS = 1_000
TRIP, DELAY = 100 * MS, 7 * MS  # both ways, and in the cloud
KEPT_FOR_LATER = 2**40
LAWS = {"links.round_trip": constant("100 ms"), "cloud.delay": constant("7 ms")}
both_engines = pytest.mark.parametrize("engine", ENGINES)


def addresses(count: int, seed: int = 1) -> NDArray[np.int64]:
    return np.array([fold(root(seed), n) for n in range(count)], np.int64)


def seen(engine: str, plan: FloorPlan, moments_us: list[int]) -> Rows:
    """Return what becomes of messages that come to a gateway at these moments."""
    return passed(engine, plan, addresses(len(moments_us)), np.array(moments_us, np.int64))


def outage(after_ms: int, lasts_ms: int) -> Table:
    return {"after": f"{after_ms} ms", "duration": f"{lasts_ms} ms"}


def shown_ms(rows: Rows) -> list[float]:
    """Return when the cloud front door had each message [ms], -1 for never."""
    return [-1 if us == NEVER else (us - DELAY) / MS for us in rows["visible_us"].tolist()]


# --- spacing and order -------------------------------------------------------------------


def test_a_publish_waits_for_host_and_limit() -> None:
    plan = make({"links.publish_limit": 4})
    assert plan.book[0]["publish_spacing_us"] == 250 * MS
    found = [publishes_us(plan.book, served, last) for served, last in ((9, 0), (250_001, 0))]
    assert found == [250 * MS, 250_001]
    assert make({"links.publish_limit": 3}).book[0]["publish_spacing_us"] == 333_334


@both_engines
def test_publishes_keep_their_distance(engine: str) -> None:
    moments_us = [0, 0, 0, 600 * MS, 2 * S, 2100 * MS]
    rows = seen(engine, make({"links.publish_limit": 4, **LAWS}), moments_us)
    assert shown_ms(rows) == [100, 350, 600, 850, 2100, 2350]
    rows = seen(engine, make(LAWS), moments_us)
    assert shown_ms(rows) == [100, 100, 100, 700, 2100, 2200]


@both_engines
def test_what_was_sent_first_arrives_first(engine: str) -> None:
    plan = make(
        {
            "links.round_trip": {"law": "uniform", "low": "10 ms", "high": "900 ms"},
            "links.gateway_service": {"law": "uniform", "low": "5 ms", "high": "50 ms"},
            "links.publish_limit": 25,
        }
    )
    messages = addresses(300)
    moments_us = np.arange(300) * 30 * MS
    rows = passed(engine, plan, messages, moments_us)
    free_us = published_us = acknowledged = -KEPT_FOR_LATER
    held_back = 0
    for message, now_us, row in zip(messages.tolist(), moments_us.tolist(), rows, strict=True):
        free_us = max(now_us, free_us) + service_us(plan.book, message)
        published_us = max(free_us, published_us + 40 * MS)
        alone_us = published_us + trip_us(plan.book, message)
        acknowledged = max(acknowledged, alone_us)
        held_back += acknowledged > alone_us
        assert row["visible_us"] == acknowledged
        assert row["wait_us"] == free_us - service_us(plan.book, message) - now_us
    assert 100 < held_back < 300


def test_an_acknowledgement_does_not_overtake() -> None:
    assert [acknowledged_us(500, 100, last) for last in (0, 600, 601)] == [600, 600, 601]


def test_got_through_is_who_was_half_way_before_the_outage() -> None:
    assert [got_through(950 + early, 101, 1000) for early in (-1, 0, 1)] == [True, False, False]


def test_the_cloud_takes_its_time() -> None:
    assert visible_us(make(LAWS).book, addresses(1)[0], 3 * S) == 3 * S + DELAY


# --- outages ------------------------------------------------------------------------------

CUT = {**LAWS, "links.outages": [outage(1000, 1000)]}


@both_engines
def test_an_outage_holds_and_doubles_what_was_under_way(engine: str) -> None:
    expected = {
        850: (950, 1), 899: (999, 1),  # acknowledged before
        900: (1000, 2), 930: (1030, 2), 949: (1049, 2),  # through, but nobody here knows
        950: (2100, 1), 970: (2100, 1), 999: (2100, 1),  # lost on the way
        1000: (2100, 1), 1500: (2100, 1), 1999: (2100, 1),  # waited
        2000: (2100, 1), 2300: (2400, 1),
    }  # fmt: skip
    plan = make(CUT)
    for moment, (shown, copies) in expected.items():
        before, one, behind = seen(engine, plan, [0, moment * MS, 3000 * MS])
        assert [*shown_ms(np.array([before, one, behind]))] == [100, shown, 3100]
        assert [row["copies"] for row in (before, one, behind)] == [1, copies, 1]


@both_engines
def test_an_outage_doubles_all_that_had_got_through(engine: str) -> None:
    rows = seen(engine, make(CUT), [ms * MS for ms in (920, 940, 960, 1500)])
    assert shown_ms(rows) == [1020, 1040, 2100, 2100]
    assert rows["copies"].tolist() == [2, 2, 1, 1]


@both_engines
def test_after_an_outage_the_limit_holds_as_always(engine: str) -> None:
    moments_us = [970 * MS, 1100 * MS, 1200 * MS, 1300 * MS]
    rows = seen(engine, make({**CUT, "links.publish_limit": 4}), moments_us)
    assert shown_ms(rows) == [2100, 2350, 2600, 2850]


@both_engines
def test_an_outage_cuts_off_the_groups_it_names(engine: str) -> None:
    groups = {"fleet.gateways": [fixed("line", "line-middle"), phones("walk", 2)]}
    for name, first, shown in (("line", [0, 1, 1, 1], 1100), ("walk", [0, 0, 1, 2], 100)):
        cut = {"links.outages": [{**outage(0, 1000), "gateways": [name]}]}
        plan = make({**LAWS, **groups, **cut})
        assert plan.first_outage.tolist() == first
        assert shown_ms(seen(engine, plan, [0])) == [shown]


class Sent(NamedTuple):
    """What the slow uplink makes of a message."""

    reached_us: int
    copies: int


def slow_uplink(
    moments_us: list[int], outages: list[tuple[int, int]], spacing_us: int
) -> list[Sent]:
    """Return the same, message by message and outage by outage; less where one cuts several."""
    found, first_us, last_us, told_us = list[Sent](), -KEPT_FOR_LATER, -KEPT_FOR_LATER, 0
    cut_us = 0
    for moment_us in moments_us:
        if max(moment_us, first_us + spacing_us) < cut_us:
            return found
        sent_us = max(moment_us, last_us + spacing_us)
        for begins_us, ends_us in outages:
            if begins_us <= sent_us < ends_us:
                sent_us = ends_us
        reached_us, times = max(told_us, sent_us + TRIP), 1
        first_us, last_us, told_us = sent_us, sent_us, reached_us
        for begins_us, ends_us in outages:
            if sent_us < begins_us <= reached_us:
                cut_us, last_us, told_us = begins_us, ends_us, ends_us + TRIP
                times = 2 if sent_us + TRIP // 2 < begins_us else 1
                reached_us = reached_us if times == 2 else told_us
                break
        found.append(Sent(reached_us, times))
    return found


STEPS = st.lists(
    st.sampled_from([0, 1, 20, 49, 50, 51, 99, 100, 101, 400]), min_size=1, max_size=30
)
GAPS = st.lists(st.tuples(st.integers(201, 900), st.integers(1, 700)), max_size=4)


def sums(steps: list[int]) -> list[int]:
    return list(accumulate(steps))


@given(STEPS, GAPS, st.sampled_from([0, 4, 25]))
@settings(deadline=None, derandomize=True, max_examples=150, database=None)
def test_the_uplink_does_what_a_slow_one_does(
    steps: list[int], gaps: list[tuple[int, int]], limit: int
) -> None:
    moments_us = [ms * MS for ms in sums(steps)]
    edges_us = [ms * MS for ms in sums([ms for pair in gaps for ms in pair])]
    outages = list(zip(edges_us[::2], edges_us[1::2], strict=True))
    plan = BARE._replace(
        book=LIMITED[limit].book,
        outages=np.array(outages, np.int64).reshape(-1, 2),
        first_outage=np.array([0, len(outages)]),
    )
    expected = slow_uplink(moments_us, outages, S // limit if limit else 0)
    for engine in ENGINES:
        rows = seen(engine, plan, moments_us)
        found = zip((rows["visible_us"] - DELAY).tolist(), rows["copies"].tolist(), strict=True)
        assert list(found)[: len(expected)] == expected


BARE = make(LAWS)
LIMITED = {limit: make({**LAWS, "links.publish_limit": limit}) for limit in (0, 4, 25)}


@both_engines
def test_what_is_sent_again_may_be_cut_again(engine: str) -> None:
    plan = make({**LAWS, "links.outages": [outage(1000, 1000), outage(2020, 1000)]})
    rows = seen(engine, plan, [970 * MS])
    assert shown_ms(rows) == [3120]


# --- the buffer ----------------------------------------------------------------------------


@both_engines
def test_a_full_buffer_drops_the_newest_until_one_is_acknowledged(engine: str) -> None:
    plan = make({**LAWS, "links.round_trip": constant("1 s"), "links.buffer_messages": 2})
    moments = [0, 100, 200, 999, 1000, 1001, 1100, 1101, 5000]
    rows = seen(engine, plan, [ms * MS for ms in moments])
    assert shown_ms(rows) == [1000, 1100, -1, -1, 2000, -1, 2100, -1, 6000]
    assert rows["copies"].tolist() == [1, 1, 0, 0, 1, 0, 1, 0, 1]


@both_engines
def test_a_message_that_is_dropped_has_kept_the_host_busy(engine: str) -> None:
    service = {"links.gateway_service": constant("300 ms"), "links.buffer_messages": 1}
    rows = seen(engine, make({**CUT, **service}), [0, 100 * MS, 200 * MS, 300 * MS])
    assert shown_ms(rows) == [400, 700, 1000, -1]
    assert rows["wait_us"].tolist() == [0, 200 * MS, 400 * MS, 600 * MS]


@both_engines
def test_what_was_not_acknowledged_holds_its_place_through_an_outage(engine: str) -> None:
    # Both under way when the uplink goes: the one that is through too, until it is acknowledged.
    rows = seen(engine, make({**CUT, "links.buffer_messages": 2}),
                [ms * MS for ms in (930, 970, 1030, 2099, 2100)])  # fmt: skip
    assert shown_ms(rows) == [1030, 2100, -1, -1, 2200]
    assert rows["copies"].tolist() == [2, 1, 0, 0, 1]


def test_the_most_that_was_held_is_counted() -> None:
    gateway = Gateway(make({**CUT, "links.buffer_messages": 3}), 0)
    held = []
    for message, ms in enumerate([0, 500, 1000, 1100, 1200, 1300, 3000]):
        gateway.accept(message, ms * MS)
        held.append(gateway.most_held)
    assert held == [1, 1, 1, 2, 3, 3, 3]


# --- acknowledgements that are lost ------------------------------------------------------------


@both_engines
def test_a_share_of_messages_comes_twice(engine: str) -> None:
    moments_us = (np.arange(2000) * S).tolist()
    rows = seen(engine, make({"links.acknowledgement_loss": "30 %"}), moments_us)
    assert set(rows["copies"].tolist()) == {1, 2}
    assert (rows["copies"] == 2).mean() == pytest.approx(0.3, abs=0.035)
    assert (seen(engine, make({}), moments_us)["copies"] == 1).all()


# --- on the floor --------------------------------------------------------------------------------


def test_both_engines_pass_messages_alike() -> None:
    document = scenario(
        {
            "run.horizon": "20 min",
            "work.shifts": [shift(workers=5)],
            "work.start_spread": "10 s",
            "work.pick_scale": 0.05,
            "fleet.scanners": scanners(5),
            "links.gateway_service": {"law": "uniform", "low": "5 ms", "high": "20 ms"},
            "links.round_trip": {"law": "lognormal", "median": "300 ms", "sigma": 1.0},
            "links.publish_limit": 2,
            "links.buffer_messages": 6,
            "links.acknowledgement_loss": "20 %",
            "links.outages": [outage(120_000, 60_000), outage(181_000, 5_000)],
        }
    )
    one, other = (twin.open(document, engine=engine).run(progress=False) for engine in ENGINES)
    rows = one.rows()
    assert rows.tobytes() == other.rows().tobytes()
    assert one.gateways().equals(other.gateways())
    lost = rows[rows["outcome"] == Outcome.LOST_BUFFER]
    assert len(lost) > 20
    assert set(lost["copies"]) == {0}
    assert set(lost["visible_us"]) == {NEVER}
    assert ((lost["time_us"] >= 2 * MIN) & (lost["time_us"] < 4 * MIN)).any()
    assert (rows["copies"] == 2).sum() > 100
