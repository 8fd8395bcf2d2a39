"""BLE links: geometric retransmissions, fades in two states, drops after a run of misses.

Intervals at 99.9 %: Wilson for shares, Pearson for counts, Student for means over links, Kolmogorov
for durations. What a probability or rate 5 to 10 % off would give lies outside.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import twin
from tests.scenarios import constant, scenario
from tests.theory import intervals
from tests.theory.gates import ONE_GATEWAY, SILENT, Rows, S, make
from twin.draws import fold, inner_unit, root
from twin.events import NEVER, Kind, Outcome
from twin.floor.rules.link import fade_begins_us, fade_ends_us, fails_us, misses
from twin.twin import Twin

BLE = "links.ble.stationary"
INTERVAL_US = 50_000
LIMIT = 420_000 // INTERVAL_US  # connection events in a supervision timeout
LINKS: Mapping[str, object] = {
    **ONE_GATEWAY,
    **SILENT,
    f"{BLE}.connection_interval": "50 ms",
    f"{BLE}.packet_air": "1 ms",
    f"{BLE}.fade_every": "400 d",
    "cloud.telemetry_period": "1 s",
    "run.horizon": "20 min",
}
LOST, NO_FEEDBACK = Outcome.LOST_BLE, Outcome.NO_FEEDBACK


def ran(loss: str, **changes: object) -> Twin:
    """Return a run of fifty links of a constant loss."""
    own = {f"{BLE}.{key}": value for key, value in changes.items()}
    losses = {f"{BLE}.loss_near": loss, f"{BLE}.loss_far": loss}
    return twin.open(scenario({**LINKS, **losses, **own}), seed=3).run(progress=False)


def by_link(rows: Rows) -> list[Rows]:
    return [rows[rows["worker"] == worker] for worker in range(50)]


# --- retransmissions ----------------------------------------------------------------------


@pytest.mark.parametrize("loss", [0.3, 0.6])
def test_attempts_of_a_whole_floor_are_geometric(loss: float) -> None:
    document = scenario({
        **LINKS,
        f"{BLE}.loss_near": f"{loss * 100:g} %",
        f"{BLE}.loss_far": f"{loss * 100:g} %",
        "work.pick_interval": constant("3 s"),
    })  # fmt: skip
    rows = twin.open(document, seed=1).run(progress=False).rows()
    messages = rows[np.isin(rows["kind"], (Kind.SCAN, Kind.TELEMETRY))]
    across = messages[messages["outcome"] != LOST]
    counts = [(across["attempts"] == n).sum() for n in range(1, LIMIT + 1)]
    counts.append(len(messages) - len(across))

    def cells(p: float) -> NDArray[np.float64]:
        return len(messages) * np.array(
            [*intervals.geometric(1 - p, range(1, LIMIT + 1)), p**LIMIT]
        )

    assert len(messages) > 50_000
    several = len(counts) if loss > 0.5 else 6  # else the last ones are too rare for a cell each
    for p, as_it_should in ((loss, True), (loss * 1.05, False)):
        expected = [*cells(p)[: several - 1], cells(p)[several - 1 :].sum()]
        found = [*counts[: several - 1], sum(counts[several - 1 :])]
        assert intervals.fits(found, expected) == as_it_should


def test_a_message_and_an_answer_are_lost_where_every_event_is() -> None:
    opened = ran("60 %")
    slow = twin.vary(opened.scenario, "work.pick_interval.value", "3 s")
    rows = twin.open(slow, seed=1).run(progress=False).rows()
    scans = rows[rows["kind"] == Kind.SCAN]
    lost = (scans["outcome"] == LOST).sum()
    unheard = (scans["outcome"] == NO_FEEDBACK).sum()
    for found in (
        intervals.share(int((rows["outcome"] == LOST).sum()), int((rows["kind"] <= 2).sum())),
        intervals.share(int(unheard), len(scans) - int(lost)),
    ):
        assert 0.6**LIMIT in found
        assert 0.63**LIMIT not in found
        assert 0.6 ** (LIMIT - 1) not in found


# --- fades ----------------------------------------------------------------------------------

EVERY_US, LENGTH_US = 20 * S, 5 * S
FADES = {"fade_every": "20 s", "fade_length": "5 s"}


def link_class(**changes: object) -> Any:
    return make({f"{BLE}.{key}": value for key, value in changes.items()}).link_classes[0]


def test_stays_inside_and_outside_fades_are_exponential() -> None:
    facts, link = link_class(**FADES), root(11)
    begins = np.array([fade_begins_us(facts, link, n, 0) for n in range(20_000)])
    lasts = np.array([fade_ends_us(facts, link, n, 0) for n in range(20_000)])
    for stays_us, mean_us in ((begins, EVERY_US), (lasts, LENGTH_US)):
        assert mean_us in intervals.mean(stays_us)
        assert mean_us * 1.05 not in intervals.mean(stays_us)
        assert intervals.is_uniform(1 - np.exp(-stays_us / mean_us))
        assert not intervals.is_uniform(1 - np.exp(-stays_us / mean_us / 1.05))
    # The share of time: what a stay in a fade has too much, the stretch around it has too little.
    for share, as_it_should in ((0.2, True), (0.21, False), (0.19, False)):
        assert (0.0 in intervals.mean(lasts - share * (begins + lasts))) == as_it_should
    assert abs(np.corrcoef(begins, lasts)[0, 1]) < intervals.TWO_SIDED / math.sqrt(20_000)


def first_misses(**changes: object) -> NDArray[np.float64]:
    """Return for each link and second whether the first event of its report was missed."""
    opened = ran("5 %", supervision_timeout="32 s", fade_loss="60 %", **changes)
    twice = twin.vary(opened.scenario, "run.horizon", "40 min")
    rows = twin.open(twice, seed=3).run(progress=False).rows()
    rows = rows[rows["time_us"] > 60 * S]  # every link begins outside a fade
    return np.array([own["attempts"][:2_300] > 1 for own in by_link(rows)], float)


def test_losses_come_in_bursts_as_long_as_fades() -> None:
    found = first_misses(drops=True, **FADES)
    fading, p, fade_loss = LENGTH_US / (EVERY_US + LENGTH_US), 0.05, 0.60
    chance = fading * fade_loss + (1 - fading) * p
    assert chance in intervals.mean(found.mean(axis=1))
    assert chance * 1.1 not in intervals.mean(found.mean(axis=1))
    assert p not in intervals.mean(found.mean(axis=1))
    # Two states forget at the sum of the rates at which they end.
    ends_hz = S / EVERY_US + S / LENGTH_US
    variance = fading * (1 - fading) * (fade_loss - p) ** 2
    for lag_s in (1, 3, 6):
        products = (found[:, lag_s:] - chance) * (found[:, :-lag_s] - chance)
        together = intervals.mean(products.mean(axis=1))
        assert variance * math.exp(-ends_hz * lag_s) in together
        assert variance * math.exp(-ends_hz * lag_s * 1.6) not in together
        assert 0.0 not in together


def test_losses_of_fades_are_more_spread_than_of_chance() -> None:
    bursts = first_misses(drops=True, **FADES)
    alone = first_misses(drops=False)
    of, fading, ends_hz = 20, 0.2, S / EVERY_US + S / LENGTH_US
    covariance = fading * (1 - fading) * 0.55**2
    together = sum(2 * (of - k) * math.exp(-ends_hz * k) for k in range(1, of)) * covariance
    for found, chance, more in ((bursts, 0.16, together), (alone, 0.05, 0.0)):
        windows = found.reshape(50, -1, of).sum(axis=2)
        squares = ((windows - of * chance) ** 2).mean(axis=1)
        assert of * chance * (1 - chance) + more in intervals.mean(squares)
        assert of * chance * (1 - chance) + more * 1.2 + 0.1 not in intervals.mean(squares)
    assert together > of * 0.16  # twice the variance of chance alone, at least


# --- drops ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "limit"), [(0.3, 3), (0.6, 8), (0.9, 8), (0.95, 8), (0.95, 100)])
def test_a_run_of_misses_takes_as_long_as_feller_says(loss: float, limit: int) -> None:
    link = root(7)
    found = np.array([misses(inner_unit(fold(link, n)), loss, limit) for n in range(30_000)])
    theory = (1 - loss**limit) / ((1 - loss) * loss**limit)
    # Runs that end early are counted in whole events: that moves the mean by up to 1 %.
    assert any(theory * (1 + off) in intervals.mean(found) for off in (-0.01, 0, 0.01))
    assert theory * 1.05 not in intervals.mean(found)
    assert theory * 0.95 not in intervals.mean(found)
    assert found.min() >= limit
    at_once = intervals.share(int((found == limit).sum()), len(found))
    assert loss**limit in at_once
    assert loss ** (limit + 1) not in at_once or loss**limit < 0.01


def test_what_is_never_missed_and_what_always_is() -> None:
    assert misses(0.5, 0.0, 8) == NEVER
    assert misses(0.5, 0.01, 8) == NEVER
    assert misses(0.5, 1.0, 8) == 8


def test_links_of_constant_loss_drop_as_often_as_feller_says() -> None:
    reconnect = {"law": "uniform", "low": "1 s", "high": "5 s"}
    opened = ran("60 %", drops=True, reconnect=reconnect)
    rows = opened.rows()
    up_us, down_us, unreachable, cut = [], [], [], []
    for own in by_link(rows):
        turns = own[np.isin(own["kind"], (Kind.DROP, Kind.RECONNECT))]["time_us"].astype(np.int64)
        turns = np.concatenate([[0], turns])  # up, down, up ...
        up_us.append(np.diff(turns)[::2])
        down_us.append(own[own["kind"] == Kind.RECONNECT]["wait_us"])
        reports = own[own["kind"] == Kind.TELEMETRY]
        unreachable.append((reports["outcome"] == Outcome.NOT_CONNECTED).mean())
        sent = reports[reports["outcome"] != Outcome.NOT_CONNECTED]
        cut.append((sent["outcome"] == LOST).mean())
    run = 0.6**LIMIT
    theory_us = (1 - run) / (0.4 * run) * INTERVAL_US
    found = intervals.mean(np.concatenate(up_us))
    assert theory_us in found
    assert theory_us * 1.05 not in found
    drops_per_h = [len(stays) / stays.sum() * 3600 * S for stays in up_us]
    assert 3600 * S / theory_us in intervals.mean(drops_per_h)
    waits_us = np.concatenate(down_us)
    assert 3 * S in intervals.mean(waits_us)
    assert 3 * S * 1.05 not in intervals.mean(waits_us)
    assert intervals.is_uniform((waits_us / S - 1) / 4)
    share = 3 * S / (3 * S + theory_us)
    assert share in intervals.mean(unreachable)
    assert share * 1.1 not in intervals.mean(unreachable)
    # What is made in the run of misses before a drop is lost: so much of the time between drops.
    assert LIMIT * INTERVAL_US / theory_us in intervals.mean(cut)
    assert 0.6**LIMIT not in intervals.mean(cut)
    assert opened.kpis()["drops"].iloc[0] == (rows["kind"] == Kind.DROP).sum()


def test_a_fade_drops_the_link_where_it_lasts_as_long_as_the_timeout() -> None:
    # Nothing comes through in a fade. It covers the timeout's events for sure where it lasts one
    # connection interval longer than all of them, and never where one shorter.
    facts, link = link_class(fade_every="1 h", fade_length="1 s", fade_loss="99.999 %"), root(5)
    drops, count = 0, 10_000
    for n in range(count):
        begins_us = fade_begins_us(facts, link, n, 0)
        ends_us = fade_ends_us(facts, link, n, begins_us)
        drop_us = fails_us(facts, link, n, 0, begins_us, ends_us, 0.0, INTERVAL_US, LIMIT)
        drops += drop_us != NEVER
        assert drop_us == NEVER or begins_us + LIMIT * INTERVAL_US <= drop_us <= ends_us
    found = intervals.share(drops, count)
    assert found.high > math.exp(-(LIMIT + 1) * INTERVAL_US / S)
    assert found.low < math.exp(-(LIMIT - 1) * INTERVAL_US / S)
