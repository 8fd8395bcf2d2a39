"""The link in time, rule by rule: fades, drops, what they cut, stalls, outages."""

import math
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import twin
from tests.scenarios import H, constant, scanners, scenario, shift
from twin.draws import fold, root, unit
from twin.events import NEVER, Kind, Outcome
from twin.floor.plan import LINK_CLASS
from twin.floor.rules.link import (
    fade_begins_us,
    fade_ends_us,
    fading_attempts,
    fails_us,
    is_cut,
    loss_at,
    misses,
    outage_after,
    reconnects_us,
    stalled_us,
)
from twin.world.build import make_plan
from twin.world.roster import make_roster

S = 1_000_000
INTERVAL_US = 50_000
STREAM = 99
GRID = (np.arange(20_000) + 0.5) / 20_000
LINKS = [fold(root(1), n) for n in range(4_000)]

often = settings(deadline=None, derandomize=True, max_examples=100, database=None)


def link_class(every_s: float = 100, length_s: float = 2, fade_loss: float = 1.0) -> Any:
    """Return a class of links whose fades come so often and last so long."""
    found = np.zeros(1, LINK_CLASS)[0]
    found["drops"] = 1
    found["fade_every_us"], found["fade_length_us"] = int(every_s * S), int(length_s * S)
    found["fade_loss"] = fade_loss
    return found


# --- a run of misses ---------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 8, 100])
def test_without_loss_the_limit_is_never_reached(limit: int) -> None:
    assert {misses(u, 0.0, limit) for u in (1e-12, 0.5, 1 - 1e-12)} == {NEVER}


@pytest.mark.parametrize("limit", [1, 2, 8, 100])
def test_where_all_is_lost_the_limit_is_reached_at_once(limit: int) -> None:
    assert {misses(u, 1.0, limit) for u in (1e-12, 0.5, 1 - 1e-12)} == {limit}


@pytest.mark.parametrize(("loss", "limit"), [(0.3, 1), (0.3, 2), (0.6, 5), (0.95, 8), (0.99, 100)])
def test_misses_have_the_mean_and_the_least_of_runs(loss: float, limit: int) -> None:
    found = np.array([misses(u, loss, limit) for u in GRID.tolist()], float)
    run = loss**limit
    assert found.mean() == pytest.approx((1 - run) / ((1 - loss) * run), rel=0.01)
    assert found.min() == limit
    assert (found == limit).mean() == pytest.approx(run, abs=1e-4)
    assert (np.diff(found) <= 0).all()  # the rarer the number, the longer it lasts


def test_what_takes_a_thousand_years_does_not_come() -> None:
    assert misses(0.5, 0.01, 7) == NEVER  # one run in 1e14
    assert misses(0.5, 0.01, 5) < NEVER
    assert misses(1 - 1e-9, 0.01, 5) < misses(1e-9, 0.01, 5) < NEVER


# --- fades -----------------------------------------------------------------------------


def test_fades_come_and_last_exponentially() -> None:
    facts = link_class(every_s=100, length_s=2)
    begins = np.array([fade_begins_us(facts, link, 0, 7) - 7 for link in LINKS]) / S
    lasts = np.array([fade_ends_us(facts, link, 0, 7) - 7 for link in LINKS]) / S
    for found, mean in ((begins, 100), (lasts, 2)):
        assert found.min() >= 0
        assert found.mean() == pytest.approx(mean, rel=0.05)
        assert (found > mean).mean() == pytest.approx(math.exp(-1), abs=0.025)
    assert abs(np.corrcoef(begins, lasts)[0, 1]) < 0.05


def test_every_stretch_of_every_link_has_fades_of_its_own() -> None:
    facts = link_class()
    found = {fade_begins_us(facts, link, n, 0) for link in LINKS[:20] for n in range(20)}
    assert len(found) == 400
    assert (
        fade_begins_us(facts, LINKS[0], 3, 5 * S) == fade_begins_us(facts, LINKS[0], 3, 0) + 5 * S
    )


def test_loss_is_that_of_the_fade_from_its_first_moment_to_its_last() -> None:
    found = [loss_at(moment_us, 0.1, 0.9, 100, 200) for moment_us in (99, 100, 199, 200)]
    assert found == [0.1, 0.9, 0.9, 0.1]


@given(
    link=st.integers(0, 3_999),
    number=st.integers(0, 9),
    lengths=st.tuples(st.integers(0, 400), st.integers(0, 400)),
    losses=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    limit=st.integers(1, 10),
)
@often
def test_a_link_fails_inside_its_stretch(
    link: int,
    number: int,
    lengths: tuple[int, int],
    losses: tuple[float, float],
    limit: int,
) -> None:
    since_us = 3 * S + 17
    fade_from_us = since_us + lengths[0] * INTERVAL_US // 3
    fade_to_us = fade_from_us + lengths[1] * INTERVAL_US // 3
    found = fails_us(
        link_class(fade_loss=losses[1]), LINKS[link], number,
        since_us, fade_from_us, fade_to_us, losses[0], INTERVAL_US, limit,
    )  # fmt: skip
    if found == NEVER:
        return
    begins_us = since_us if found < fade_from_us else fade_from_us
    events, rest = divmod(found - begins_us, INTERVAL_US)
    assert rest == 0
    assert events >= limit
    assert found < fade_to_us


def fails(loss: float, fade_loss: float, good: int, bad: int, limit: int = 8) -> list[int]:
    """Return when many links fail, NEVER included, in stretches of so many events [events]."""
    facts, ends_us = (
        link_class(fade_loss=fade_loss),
        (good * INTERVAL_US, (good + bad) * INTERVAL_US),
    )
    found = [fails_us(facts, link, 0, 0, *ends_us, loss, INTERVAL_US, limit) for link in LINKS]
    return [NEVER if us == NEVER else us // INTERVAL_US for us in found]


def test_a_fade_in_which_all_is_lost_drops_the_link_if_it_lasts() -> None:
    assert set(fails(0, 1, 100, 9)) == {108}
    assert set(fails(0, 1, 100, 8)) == {NEVER}
    assert set(fails(1, 1, 9, 100)) == {8}
    assert set(fails(1, 0, 8, 100)) == {NEVER}


def test_as_many_links_fail_as_runs_of_misses_are_long_enough() -> None:
    # In 30 events at a loss of 80 %: counted by a chain of runs.
    runs = np.zeros(9)
    runs[0] = 1
    for _ in range(29):
        runs = np.array([0.2 * runs[:8].sum(), *(0.8 * runs[:7]), runs[8] + 0.8 * runs[7]])
    good = np.mean([events < 30 for events in fails(0.8, 0, 30, 0)])
    bad = np.mean([events < NEVER for events in fails(0, 0.8, 0, 30)])
    assert good == pytest.approx(runs[8], abs=0.06)
    assert bad == pytest.approx(runs[8], abs=0.06)


def test_both_parts_of_a_stretch_have_luck_of_their_own() -> None:
    facts = link_class(fade_loss=0.8)
    good = [fails_us(facts, link, 0, 0, 2 * S, 2 * S, 0.8, INTERVAL_US, 8) for link in LINKS]
    bad = [fails_us(facts, link, 0, 0, 0, 2 * S, 0.0, INTERVAL_US, 8) for link in LINKS]
    pairs = np.array([(a != NEVER, b != NEVER) for a, b in zip(good, bad, strict=True)], float)
    assert 0.1 < pairs.mean() < 0.9
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.06


# --- what a drop cuts ----------------------------------------------------------------------


def test_cut_is_what_falls_into_the_last_run_of_misses() -> None:
    drop_us = 10 * S
    begins_us = drop_us - 8 * INTERVAL_US
    found = [is_cut(begins_us + more_us, drop_us, INTERVAL_US, 8) for more_us in (-1, 0, 1, S, H)]
    assert found == [False, True, True, True, True]
    assert not is_cut(H, NEVER, INTERVAL_US, 8)


@given(
    message=st.integers(0, 3_999),
    losses=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    fade=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    limit=st.integers(1, 12),
)
@often
def test_a_message_goes_through_at_the_first_event_that_does_not_fail(
    message: int, losses: tuple[float, float], fade: tuple[int, int], limit: int
) -> None:
    from_us, to_us = fade[0] * INTERVAL_US, (fade[0] + fade[1]) * INTERVAL_US
    found = fading_attempts(
        LINKS[message], STREAM, 0, INTERVAL_US, limit, *losses, from_us, to_us
    )  # fmt: skip
    u = unit(fold(fold(LINKS[message], STREAM), 0))
    each = [losses[fade[0] <= event < sum(fade)] for event in range(limit)]
    lost_so_far = np.cumprod(each)
    through = np.flatnonzero(u >= lost_so_far)
    assume(np.abs(lost_so_far - u).min() > 1e-12)
    assert found == (through[0] + 1 if len(through) else limit)


# --- the Wi-Fi beside it, and the uplink ------------------------------------------------------


@given(
    moment=st.integers(0, 300),
    start=st.integers(0, 100),
    length=st.integers(0, 150),
    stall=st.integers(0, 20),
    more=st.integers(0, 20),
)
@often
def test_a_stalled_moment_is_the_first_without_an_attempt(
    moment: int, start: int, length: int, stall: int, more: int
) -> None:
    every, end = max(1, stall + more), start + length
    expected = moment
    if start <= moment < end:
        attempt = max(range(start, moment + 1, every))
        expected = max(moment, attempt + stall)
    assert stalled_us(moment, start, end, stall, every) == expected


def test_attempts_come_again_and_again() -> None:
    found = [
        stalled_us(at, 100, 200, 20, 50) for at in (99, 100, 119, 120, 149, 150, 169, 170, 200)
    ]
    assert found == [99, 120, 120, 120, 149, 170, 170, 170, 200]


@given(
    st.lists(st.integers(1, 9), max_size=12).map(np.cumsum),
    st.integers(0, 6),
    st.integers(0, 120),
)
@often
def test_the_next_outage_is_the_first_that_is_not_over(
    edges: NDArray[np.int64], here: int, moment: int
) -> None:
    outages = np.asarray(edges[: len(edges) // 2 * 2], np.int64).reshape(-1, 2)
    here = min(here, len(outages))
    after = [n for n in range(here, len(outages)) if outages[n, 1] > moment]
    assert outage_after(outages, here, len(outages), moment) == min(after, default=len(outages))


def test_outages_of_others_are_not_looked_at() -> None:
    outages = np.array([[0, 5], [10, 15], [2, 4], [30, 35]])
    assert outage_after(outages, 0, 2, 5) == 1  # the first moment with an uplink
    assert outage_after(outages, 0, 2, 15) == 2
    assert outage_after(outages, 2, 4, 3) == 2
    assert outage_after(outages, 2, 4, 4) == 3


# --- on the floor --------------------------------------------------------------------------------

FADING: dict[str, object] = {
    "work.shifts": [shift(workers=4)],
    "work.start_spread": "0 s",
    "work.pick_scale": 0.2,
    "fleet.scanners": scanners(4),
    "links.ble.stationary.drops": True,
    "links.ble.stationary.fade_every": "5 min",
    "links.ble.stationary.fade_length": "2 s",
    "links.ble.stationary.fade_loss": "99 %",
    "links.ble.stationary.loss_near": "0 %",
    "links.ble.stationary.loss_far": "0 %",
    "links.ble.stationary.reconnect": constant("90 s"),
    "run.horizon": "2 h",
}


def turns(facts: Any, link: int) -> Iterator[tuple[int, int]]:
    """Yield the drops and reconnects of a link that is used from 0 to the end of the run."""
    since_us = 0
    for number in count():
        fade_us = fade_begins_us(facts, link, number, since_us)
        ends_us = fade_ends_us(facts, link, number, fade_us)
        drop_us = fails_us(facts, link, number, since_us, fade_us, ends_us, 0.0, INTERVAL_US, 8)
        since_us = ends_us
        if drop_us < min(ends_us, 2 * H):
            yield drop_us, Kind.DROP
            since_us = reconnects_us(facts, link, number, drop_us)
            if since_us < 2 * H:
                yield since_us, Kind.RECONNECT
        if since_us >= 2 * H:
            return


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_links_drop_after_the_timeout_in_a_fade_and_are_back_after_the_reconnect(
    engine: str,
) -> None:
    document = scenario(FADING)
    rows = twin.open(document, engine=engine).run(progress=False).rows()
    plan = make_plan(document, make_roster(document, 1), 1)
    drops = 0
    for w, word in enumerate(plan.worker_words.tolist()):
        expected = list(turns(plan.link_classes[0], fold(fold(root(1), word), 0)))
        own = rows[(rows["worker"] == w) & np.isin(rows["kind"], (Kind.DROP, Kind.RECONNECT))]
        found = list(zip(own["time_us"].tolist(), own["kind"].tolist(), strict=True))
        assert found == expected
        assert set(own["wait_us"].tolist()) == {0, 90 * S}
        drops += len(own)
        assert_silence(rows[(rows["worker"] == w) & (rows["kind"] == Kind.SCAN)], expected)
    assert drops > 50


def assert_silence(scans: NDArray[np.void], expected: list[tuple[int, int]]) -> None:
    """While a link is down nothing gets through, and the first to try waits until it is back."""
    down = [(moment_us, moment_us + 90 * S) for moment_us, _ in expected[::2]]
    unsent = scans[scans["outcome"] == Outcome.NOT_CONNECTED]
    assert len(unsent) > 3
    for scan in unsent:
        (until_us,) = (to_us for from_us, to_us in down if from_us <= scan["time_us"] < to_us)
        assert scan["time_us"] + scan["wait_us"] == until_us
    sent = scans[scans["outcome"] == Outcome.DELIVERED]
    for from_us, to_us in down:
        assert not ((from_us <= sent["time_us"]) & (sent["time_us"] < to_us)).any()
