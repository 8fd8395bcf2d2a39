"""The drawn laws against what they were fitted to, and against their formulas.

Picks: Salling Group fresh-food warehouse, April 2023, 217,963 picks. The shares below were read
off the published histogram of their durations (20 s bins), to which the law with pauses was fitted
within half a percentage point; mean and standard deviation are those of the fit.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import twin
from tests.scenarios import scenario
from twin.draws import fold, root, sample_us
from twin.floor.rules.ble import attempts, exchange_us
from twin.floor.rules.streams import FEEDBACK, INTERVAL, UPLINK
from twin.floor.rules.workload import job_lines
from twin.world.build import make_plan
from twin.world.roster import make_roster

N = 200_000
SD = 5  # standard deviations of sampling that a figure may be off

HISTOGRAM = {20: 0.526, 40: 0.881, 60: 0.948, 80: 0.971, 100: 0.982, 140: 0.989}
PIXELS = 0.005


def drawn(what: Callable[[int], float], count: int = N) -> NDArray[np.float64]:
    """Return what is drawn at many addresses."""
    state = root(20230401)
    return np.array([what(fold(state, number)) for number in range(count)], float)


def plan_book(**changes: object) -> Any:
    document = scenario({key.replace("__", "."): value for key, value in changes.items()})
    return make_plan(document, make_roster(document, 1), 1).book


@pytest.fixture(scope="module")
def picks_s() -> NDArray[np.float64]:
    law = plan_book(work__pick_interval="pick_with_pauses")[0]["pick"]
    return drawn(lambda scan: sample_us(law, scan, INTERVAL)) / 1e6


# --- pick intervals --------------------------------------------------------------


@pytest.mark.parametrize("seconds", HISTOGRAM)
def test_as_many_picks_are_as_short_as_published(
    seconds: int, picks_s: NDArray[np.float64]
) -> None:
    share = HISTOGRAM[seconds]
    sampling = math.sqrt(share * (1 - share) / N)
    assert (picks_s <= seconds).mean() == pytest.approx(share, abs=PIXELS + SD * sampling)


def test_picks_have_the_mean_of_the_fit(picks_s: NDArray[np.float64]) -> None:
    assert picks_s.mean() == pytest.approx(27.9, abs=0.05 + SD * picks_s.std() / math.sqrt(N))


def test_picks_have_the_standard_deviation_of_the_fit(picks_s: NDArray[np.float64]) -> None:
    squares = (picks_s - picks_s.mean()) ** 2
    sampling = squares.std() / math.sqrt(N) / (2 * picks_s.std())
    assert picks_s.std() == pytest.approx(59.1, abs=0.05 + SD * sampling)


def test_the_law_without_pauses_is_the_same_below_the_pauses(
    picks_s: NDArray[np.float64],
) -> None:
    law = plan_book(work__pick_interval="pick_active")[0]["pick"]
    active_s = drawn(lambda scan: sample_us(law, scan, INTERVAL)) / 1e6
    pauses = (picks_s > 700).mean()
    expected = 0.0023 / 1.0003
    assert pauses == pytest.approx(expected, abs=SD * math.sqrt(expected / N) + 1e-5)
    assert (active_s > 700).mean() < 0.1 * expected
    for seconds in HISTOGRAM:
        share = (picks_s <= seconds).mean() / (1 - expected)
        sampling = math.sqrt(2 * share * (1 - share) / N)
        assert (active_s <= seconds).mean() == pytest.approx(share, abs=SD * sampling)


# --- jobs --------------------------------------------------------------------------


def test_jobs_are_as_large_as_their_law_says() -> None:
    book = plan_book()
    lines = drawn(lambda worker: job_lines(book, worker, 0))
    assert (lines.min(), lines.max()) == (1, 150)
    assert np.median(lines) == 12
    # Rounded and cut at its ends: the mean is the sum over k of P(at least k lines).
    lognormal = NormalDist(math.log(12), math.sqrt(2 * math.log(26 / 12)))
    mean = 1 + sum(1 - lognormal.cdf(math.log(k - 0.5)) for k in range(2, 151))
    assert lines.mean() == pytest.approx(mean, abs=SD * lines.std() / math.sqrt(N))
    assert 21 < mean < 26  # 26 is the mean before the cut at 150


# --- BLE ---------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [UPLINK, FEEDBACK])
@pytest.mark.parametrize("loss", [0.0, 0.01, 0.3, 0.9])
@pytest.mark.parametrize("limit", [8, 100])
def test_attempts_are_geometric_and_cut_at_the_timeout(
    stream: int, loss: float, limit: int
) -> None:
    count = N // 4
    tries = drawn(lambda message: attempts(message, stream, loss, limit), count)
    assert tries.min() == 1
    assert tries.max() <= limit + 1
    mean = (1 - loss ** (limit + 1)) / (1 - loss)  # of the smaller of the count and limit + 1
    assert tries.mean() == pytest.approx(mean, abs=SD * tries.std() / math.sqrt(count) + 1e-12)
    for n in (1, 2, limit):
        share = 1 - loss**n
        sampling = math.sqrt(share * (1 - share) / count)
        assert (tries <= n).mean() == pytest.approx(share, abs=SD * sampling + 1e-12)


def test_each_further_attempt_costs_an_interval() -> None:
    times_us = [exchange_us(1_234, 7_000, 50_000, 1_000, tries, 8) for tries in range(1, 10)]
    assert times_us[:8] == [7_000 + 50_000 * n + 1_000 for n in range(8)]
    assert times_us[8] == 7_000 + 50_000 * 8  # gives up, and nothing was on the air
    assert exchange_us(7_000, 7_000, 50_000, 1_000, 1, 8) == 8_000
    assert exchange_us(7_001, 7_000, 50_000, 1_000, 1, 8) == 58_000


def test_a_scan_waits_half_an_interval_for_its_connection_event() -> None:
    lossless = {f"links.ble.stationary.{key}": "0 %" for key in ("loss_near", "loss_far")}
    rows = twin.open(scenario({**lossless, "run.horizon": "5 d"})).run(progress=False).rows()
    scans = rows[rows["kind"] == 1]
    waits_us = scans["link_us"] - 1_000.0
    n = len(scans)
    assert n > 10_000
    assert 0 <= waits_us.min() < waits_us.max() < 50_000
    assert waits_us.mean() == pytest.approx(25_000, abs=SD * 50_000 / math.sqrt(12 * n))
    reached = np.sort(waits_us) / 50_000
    farthest = np.abs(reached - (np.arange(n) + 0.5) / n).max()
    assert farthest < 1.95 / math.sqrt(n)  # Kolmogorov and Smirnov, one in a thousand
