"""Intervals hold as often as they say, selections are right as often: on queues that are known.

M/M/1 with an arrival rate of 0.6 or 0.8 and a service rate of 1: the wait in the queue is
load / (1 - load) in the mean, and zero or exponential with rate 1 - load in the stationary state.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from twin.analysis.intervals import (
    batch_means,
    mean_interval,
    paired,
    quantile_interval,
    share_interval,
)
from twin.analysis.selection import Feasibility, KimNelson
from twin.analysis.warmup import mser5, welch
from twin.compiling import rule
from twin.draws import draw, log, normal_quantile

ARRIVAL, SERVICE, FIRST, LUCK = range(4)


@rule
def _waits(seed: int, load: float, rate: float, start: float, waits: NDArray[np.float64]) -> None:
    """Fill in the waits of customers, shape (runs, customers); a start below 0: stationary."""
    for run in range(waits.shape[0]):
        wait = start
        if start < 0:
            chance = draw(seed, FIRST, run, 0, 0)
            wait = 0.0 if chance >= load else -log((chance + 1e-18) / load) / (rate - load)
        for i in range(waits.shape[1]):
            waits[run, i] = wait
            served = -log(1.0 - draw(seed, SERVICE, run, i, 0)) / rate
            gap = -log(1.0 - draw(seed, ARRIVAL, run, i, 0)) / load
            wait = max(0.0, wait + served - gap)


def waits(
    seed: int, runs: int, customers: int, load: float, rate: float = 1.0, start: float = -1.0
) -> NDArray[np.float64]:
    found = np.empty((runs, customers))
    _waits(seed, load, rate, start, found)
    return found


def luck(seed: int, count: int) -> NDArray[np.float64]:
    return np.array([draw(seed, LUCK, i, 0, 0) for i in range(count)])


def held(intervals: list[bool]) -> float:
    return sum(intervals) / len(intervals)


def test_95_percent_intervals_of_the_mean_hold_for_95_percent_of_experiments() -> None:
    means = waits(1, 1500 * 20, 1000, 0.6).mean(axis=1).reshape(1500, 20)
    found = [mean_interval(samples) for samples in means]
    assert 0.93 <= held([one.low <= 1.5 <= one.high for one in found]) <= 0.97
    narrow = [mean_interval(samples, 0.8) for samples in means]
    assert 0.77 <= held([one.low <= 1.5 <= one.high for one in narrow]) <= 0.83


def test_intervals_of_quantiles_and_shares_hold() -> None:
    true = -math.log(0.05)
    samples = -np.log(1.0 - luck(2, 1000 * 200).reshape(1000, 200))
    quantiles = [quantile_interval(one, 0.95) for one in samples]
    assert 0.95 <= held([one.low <= true <= one.high for one in quantiles]) <= 0.985
    counts = (luck(3, 1000 * 60).reshape(1000, 60) < 0.9).sum(axis=1).tolist()
    shares = [share_interval(count, 60) for count in counts]
    assert 0.93 <= held([one.low <= 0.9 <= one.high for one in shares]) <= 0.97


def test_batches_of_one_long_run_tell_what_its_customers_cannot() -> None:
    runs = waits(4, 120, 20 * 4000, 0.8)
    batches = [batch_means(series, 20) for series in runs]
    intervals = [one.interval for one in batches]
    assert 0.91 <= held([one.low <= 4.0 <= one.high for one in intervals]) <= 0.98
    naive = [mean_interval(series) for series in runs]
    assert held([one.low <= 4.0 <= one.high for one in naive]) < 0.3
    assert abs(np.mean([one.correlation for one in batches])) < 0.15


def test_mser_cuts_a_queue_that_begins_full() -> None:
    runs = waits(5, 60, 5000, 0.8, start=60.0)
    found = [mser5(series) for series in runs]
    raw, cut = runs.mean(), np.mean([one.mean for one in found])
    assert raw > 5.0
    assert abs(cut - 4.0) < 0.4
    assert 150 <= np.median([one.cut for one in found]) <= 500  # 60 / (1 - 0.8) = 300 customers
    assert held([one.is_trusted for one in found]) > 0.95
    smooth = welch(runs, 100)
    assert smooth[0] == 60.0
    assert abs(smooth[1000:].mean() - 4.0) < 0.5


def test_mser_leaves_a_stationary_queue_nearly_whole_and_doubts_a_trend() -> None:
    found = [mser5(series) for series in waits(6, 60, 5000, 0.6)]
    assert np.median([one.cut for one in found]) < 500
    assert not mser5(np.arange(1000.0)).is_trusted


def test_common_random_numbers_win_more_than_five_times_the_variance() -> None:
    slow = waits(7, 40, 4000, 0.8, 1.0).mean(axis=1)
    fast = waits(7, 40, 4000, 0.8, 1.05).mean(axis=1)
    other = waits(8, 40, 4000, 0.8, 1.05).mean(axis=1)
    common, apart = paired(fast, slow), paired(other, slow)
    assert common.variance_ratio > 5
    assert common.better > 0.999
    assert apart.variance_ratio < 2
    true = 0.8 / 1.05 / (1.05 - 0.8) - 4.0
    assert common.low <= true <= common.high


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_kim_and_nelson_select_the_best_as_often_as_they_say(correlation: float) -> None:
    truth = np.array([0.5, 1.0, 1.0, 1.0, 1.0])
    right, spent = 0, 0
    for seed in range(400):
        z = np.array([normal_quantile(max(u, 1e-12)) for u in luck(100 + seed, 6 * 200)])
        z = z.reshape(200, 6)
        selection = KimNelson(5, 0.5, first=20)
        for row in z:
            samples = truth + math.sqrt(correlation) * row[0]
            samples = samples + math.sqrt(1 - correlation) * row[1:]
            selection.add(samples[selection.survivors])
            if selection.best is not None:
                break
        right += selection.best == 0
        spent += selection.spent
    assert right / 400 >= 0.95
    assert spent / 400 < (110 if correlation else 200)


@pytest.mark.parametrize(
    ("true", "verdict"), [(0.985, "enough"), (0.9, "not enough"), (0.95, "at the limit")]
)
def test_the_sequential_test_errs_no_more_often_than_it_says(true: float, verdict: str) -> None:
    found, runs = [], []
    for seed in range(300):
        test = Feasibility(0.95)
        for u in luck(1000 + seed, 5000):
            test.add(bool(u < true))
            if test.verdict is not None:
                break
        found.append(test.verdict == verdict)
        runs.append(test.of)
    # At what was asked for itself each of the two errors is as large as it may be.
    assert held(found) >= (0.88 if verdict == "at the limit" else 0.95)
    assert np.mean(runs) < (1400 if verdict == "at the limit" else 350)
