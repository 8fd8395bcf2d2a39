"""Frames that meet: the vulnerable window, carrier sense, capture.

Means over batches of messages, intervals at 99.9 % (Student): neighbours in time share their fate.
Offers come as in a Poisson process; their senders take turns, so nobody sends two at once.
"""

import math
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.theory import intervals, meshes
from tests.theory.meshes import AIR_US, Links, Offer
from twin.events import MeshKind
from twin.mesh.plan import MeshPlan
from twin.radio import airtime_us

SENDERS, MESSAGES, BATCHES = 200, 20_000, 40
TURNAROUND_US = 192  # aTurnaroundTime, IEEE 802.15.4-2006, 6.4.1


def star(*, hidden: bool, **mac: float) -> MeshPlan:
    """Senders of equal level around one receiver, node 0; they hear it, and perhaps each other."""
    around = np.arange(1, SENDERS + 1)
    pairs = np.stack([np.zeros(SENDERS, int), around], 1)
    if not hidden:
        pairs = np.argwhere(np.triu(np.ones((SENDERS + 1, SENDERS + 1)), 1))
    return meshes.plan(meshes.both_ways(pairs), SENDERS + 1, seed=4, **mac)


def received(mesh: MeshPlan, load: float) -> NDArray[np.float64]:
    """The share of messages that the receiver has, in each batch; ``load`` is offered [Erlang]."""
    apart_us = -np.log(1 - meshes.chances(9, MESSAGES)) * AIR_US / load
    moments_us = np.cumsum(apart_us).astype(int).tolist()
    run = meshes.run(mesh, [Offer(now, [1 + n % SENDERS]) for n, now in enumerate(moments_us)])
    heard = run.rows[run.rows["node"] == 0]["message"]
    assert len(run.messages) == MESSAGES
    return np.isin(np.arange(MESSAGES), heard).reshape(BATCHES, -1).mean(axis=1)


@pytest.mark.parametrize("load", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("jitter", [0, 1])
def test_a_frame_survives_where_no_other_begins_within_two_airtimes(
    load: float, jitter: int
) -> None:
    # The window of pure ALOHA (Abramson, 1970). Jitter moves a Poisson process to another one.
    found = intervals.mean(received(star(hidden=True, jitter=jitter), load))
    assert math.exp(-2 * load) in found
    assert math.exp(-2 * load * 1.15) not in found
    assert math.exp(-2 * load * 0.85) not in found


def test_carrier_sense_does_not_help_against_who_is_hidden() -> None:
    found = intervals.mean(received(star(hidden=True, carrier_sense=1), 0.2))
    assert math.exp(-0.4) in found


@lru_cache
def lost_in_earshot(load: float) -> float:
    """The share of messages that carrier sense does not save where all hear each other."""
    mesh = star(hidden=False, carrier_sense=1, busy_tries=200)
    return float(1 - received(mesh, load).mean())


@pytest.mark.parametrize("load", [0.05, 0.2])
def test_carrier_sense_saves_who_hears_the_others(load: float) -> None:
    # Two collide that begin within the turnaround of each other; those who waited for one frame
    # to end do so a little more often than by chance.
    by_chance = 1 - math.exp(-2 * load * TURNAROUND_US / AIR_US)
    assert 0.9 * by_chance < lost_in_earshot(load) < 1.3 * by_chance
    assert 1.3 * by_chance < (1 - math.exp(-2 * load)) / 4


def test_without_carrier_sense_who_hears_the_others_collides_all_the_same() -> None:
    found = intervals.mean(received(star(hidden=False, jitter=0), 0.2))
    assert math.exp(-0.4) in found


# --- capture ------------------------------------------------------------------------------


def heard_from(levels_dbm: list[float], begins_us: list[int], capture_db: float = 3.0) -> set[int]:
    """Whom node 0 receives, when nodes at these levels begin to send at these moments."""
    count = len(levels_dbm)
    links = Links(np.arange(1, count + 1), np.zeros(count, int), 1.0, levels_dbm)
    mesh = meshes.plan(
        links, count + 1, seed=1, jitter=0, capture_ratio=math.pow(10, capture_db / 10)
    )
    order = sorted(range(count), key=begins_us.__getitem__)
    run = meshes.run(mesh, [Offer(begins_us[n], [n + 1]) for n in order])
    return set(run.rows[run.rows["node"] == 0]["peer"].tolist())


@pytest.mark.parametrize("begins_us", [0, 1, 128, 129, AIR_US // 2, AIR_US - 1])
@pytest.mark.parametrize("level_dbm", [-50.0, -75.0, -90.0])
def test_a_frame_survives_a_later_one_that_is_three_decibels_weaker(
    begins_us: int, level_dbm: float
) -> None:
    assert heard_from([level_dbm, level_dbm - 3.01], [0, begins_us]) == {1}
    assert heard_from([level_dbm, level_dbm - 2.99], [0, begins_us]) == set()
    assert heard_from([level_dbm, level_dbm], [0, begins_us]) == set()


def test_frames_that_do_not_overlap_both_arrive() -> None:
    assert heard_from([-60.0, -60.0], [0, AIR_US]) == {1, 2}
    assert heard_from([-60.0, -60.0], [0, AIR_US - 1]) == set()


def test_a_stronger_frame_takes_the_receiver_over_during_the_preamble_only() -> None:
    for begins_us in (1, 127, 128):
        assert heard_from([-63.01, -60.0], [0, begins_us]) == {2}
        assert heard_from([-62.99, -60.0], [0, begins_us]) == set()
    for begins_us in (129, 500, AIR_US - 1):
        assert heard_from([-63.01, -60.0], [0, begins_us]) == set()


@pytest.mark.parametrize("count", [2, 3, 5])
def test_what_counts_is_the_power_of_all_others_together(count: int) -> None:
    # Gezer, Alenmyr and others, Sensors 14(3):5622, 2014: their total, not their number.
    for total_db, survives in ((-3.01, True), (-2.99, False)):
        each_dbm = -60.0 + total_db - 10 * math.log10(count)
        begins_us = [0, *(100 * n + 300 for n in range(count))]
        found = heard_from([-60.0, *[each_dbm] * count], begins_us)
        assert (found == {1}) == survives


def test_two_that_follow_each_other_do_no_more_harm_than_one() -> None:
    levels_dbm = [-63.01, -60.0, -63.01]  # the second takes the receiver over
    assert heard_from(levels_dbm, [0, 100, AIR_US]) == {2}
    assert heard_from(levels_dbm, [0, 100, AIR_US - 1]) == set()


def test_a_weak_frame_is_lost_beside_a_strong_one_that_was_there_before() -> None:
    assert heard_from([-60.0, -70.0], [0, 1]) == {1}
    assert heard_from([-70.0, -60.0], [200, 0]) == {2}


def test_who_sends_hears_nothing() -> None:
    # Two nodes that hear each other, and begin within an airtime: neither has the other's.
    mesh = meshes.plan(meshes.both_ways([(0, 1)]), 2, seed=1, jitter=0)
    for apart_us, heard in ((0, 0), (AIR_US - 1, 0), (AIR_US, 2)):
        run = meshes.run(mesh, [Offer(0, [0]), Offer(apart_us, [1])])
        assert run.messages["heard"].sum() == heard
        assert run.use["lost_sending"].sum() == 2 - heard


# --- airtime ------------------------------------------------------------------------------


def test_a_frame_is_on_the_air_for_32_us_a_byte_and_6_bytes() -> None:
    mesh = meshes.plan(meshes.both_ways([(0, 1)]), 2, seed=1)
    offers = [Offer(n * meshes.S, [0], 1, n) for n in range(112)]
    run = meshes.run(mesh, offers)
    sent, heard = run.of(MeshKind.SENT), run.of(MeshKind.HEARD)
    lengths = range(16, 128)
    assert run.messages["frame_bytes"].tolist() == [*lengths]
    assert sent["air_us"].tolist() == [(6 + length) * 32 for length in lengths]
    assert sent["air_us"].tolist() == [airtime_us(length) for length in lengths]
    assert heard["message"].tolist() == sent["message"].tolist()
    assert (heard["time_us"] - sent["time_us"]).tolist() == sent["air_us"].tolist()
    assert run.use["air_us"].tolist() == [sent["air_us"].sum(), 0]
