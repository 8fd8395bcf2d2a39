"""Intervals against values of books, of scipy, and laws that hold for any samples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twin.analysis.intervals import (
    Precision,
    batch_means,
    bonferroni,
    mean_interval,
    paired,
    quantile_interval,
    replications_enough,
    share_interval,
)
from twin.errors import RunError

# Law, "Simulation Modeling and Analysis", example 4.27: ten densities, 90 % interval 1.34 +- 0.24.
DENSITIES = [1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09]
SAMPLES = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=40)


def test_the_book_has_the_same_interval() -> None:
    found = mean_interval(DENSITIES, 0.9)
    assert (round(found.estimate, 2), round(found.high - found.estimate, 2)) == (1.34, 0.24)


@given(SAMPLES, st.floats(0.5, 0.999))
def test_the_mean_is_as_scipy_has_it(samples: list[float], confidence: float) -> None:
    found = mean_interval(samples, confidence)
    spread = np.std(samples, ddof=1) / math.sqrt(len(samples))
    half = stats.t.ppf(0.5 + confidence / 2, len(samples) - 1) * spread
    assert found.estimate == pytest.approx(np.mean(samples), abs=1e-9)
    assert found.high - found.low == pytest.approx(2 * half, rel=1e-6, abs=1e-6)


@given(SAMPLES, st.floats(-1e3, 1e3), st.floats(0.1, 10))
def test_an_interval_moves_and_grows_with_its_samples(
    samples: list[float], by: float, times: float
) -> None:
    before = mean_interval(samples)
    after = mean_interval([times * x + by for x in samples])
    expected = [times * x + by for x in before[:3]]
    assert after[:3] == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_one_sample_has_no_bounds_and_equal_ones_no_width() -> None:
    assert mean_interval([3.0])[:3] == (3.0, -math.inf, math.inf)
    assert mean_interval([3.0, 3.0, 3.0]) == (3.0, 3.0, 3.0, 3)


def test_what_is_no_number_makes_all_unknown() -> None:
    assert all(map(math.isnan, mean_interval([1.0, math.nan])[:3]))
    assert all(map(math.isnan, quantile_interval([1.0, math.nan], 0.5)[:3]))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: bonferroni(0.95, 0),
        lambda: mean_interval(["a", "b"]),  # type: ignore[list-item]
        lambda: mean_interval([1.0, 2.0], "0.95"),  # type: ignore[arg-type]
        lambda: mean_interval([[1.0, 2.0]]),
        lambda: share_interval(1.5, 3),  # type: ignore[arg-type]
        lambda: share_interval(4, 3),
        lambda: paired([1.0], [1.0, 2.0]),
    ],
)
def test_what_is_no_sample_is_refused(wrong: object) -> None:
    with pytest.raises(RunError):
        wrong()  # type: ignore[operator]


def test_what_is_infinite_is_unknown_without_a_warning() -> None:
    assert all(map(math.isnan, mean_interval([1.0, math.inf])[:3]))
    assert all(map(math.isnan, paired([math.inf, 1.0], [math.inf, 2.0])[:3]))


def test_a_difference_that_is_rounding_is_none() -> None:
    base = np.array([0.1, 0.7, 0.3, 1e3])
    found = paired(base + 0.3, base)
    assert (found.low, found.high) == (found.difference, found.difference)
    assert found.variance_ratio == math.inf
    assert math.isnan(paired(base, np.full(4, 0.1) * 3).correlation)


def test_a_share_that_never_came_out_begins_at_nothing() -> None:
    assert [share_interval(0, of).low for of in (1, 7, 10, 33)] == [0.0] * 4
    assert [share_interval(of, of).high for of in (1, 7, 10, 33)] == [1.0] * 4


def test_a_large_mean_keeps_the_digits_of_the_spread() -> None:
    small, large = mean_interval([1.0, 2.0, 4.0]), mean_interval([1e9 + 1, 1e9 + 2, 1e9 + 4])
    assert large.high - large.low == pytest.approx(small.high - small.low, rel=1e-6)


@given(st.integers(5, 300), st.sampled_from([0.05, 0.25, 0.5, 0.9, 0.95]))
def test_quantile_bounds_are_the_order_statistics_of_the_binomial(n: int, share: float) -> None:
    found = quantile_interval(np.arange(1, n + 1), share)
    binomial = stats.binom(n, share)
    if math.isfinite(found.low):  # the true quantile lies below it with 2.5 % at most
        assert binomial.cdf(found.low - 1) <= 0.025 < binomial.cdf(found.low)
    else:
        assert binomial.cdf(0) > 0.025
    if math.isfinite(found.high):
        assert binomial.cdf(found.high - 1) >= 0.975 > binomial.cdf(found.high - 2)
    else:
        assert binomial.cdf(n - 1) < 0.975


@given(st.integers(0, 60), st.integers(1, 60))
def test_a_share_is_as_scipy_has_it(count: int, of: int) -> None:
    count = min(count, of)
    expected = stats.binomtest(count, of).proportion_ci(0.95, method="wilson")
    assert share_interval(count, of)[1:3] == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.lists(st.tuples(st.floats(-99, 99), st.floats(-99, 99)), min_size=4, max_size=30))
def test_pairs_are_as_scipy_has_them(pairs: list[tuple[float, float]]) -> None:
    one, other = np.array(pairs).T
    found = paired(one, other)
    if np.std(one - other) > 1e-6:
        expected = stats.ttest_rel(one, other)
        assert found.better == pytest.approx(stats.t.cdf(-expected.statistic, len(one) - 1))
        low, high = expected.confidence_interval()
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)
        ratio = (one.var(ddof=1) + other.var(ddof=1)) / (one - other).var(ddof=1)
        assert found.variance_ratio == pytest.approx(ratio)


def test_pairs_that_differ_by_one_constant_are_told_apart_at_once() -> None:
    found = paired([1.0, 2.0, 5.0], [2.0, 3.0, 6.0])
    assert found[:3] == (-1.0, -1.0, -1.0)
    assert (found.better, found.variance_ratio) == (1.0, math.inf)
    assert math.isnan(paired([1.0, 1.0], [1.0, 1.0]).variance_ratio)
    assert paired([1.0, 1.0], [1.0, 1.0]).better == 0.5


def test_batches_leave_out_what_is_over_at_the_front() -> None:
    series = [1e6, *[0.0, 1.0] * 10]
    found = batch_means(series, 5)
    assert found.means.tolist() == [0.5] * 5
    assert (found.interval.low, found.interval.high, found.correlation) == (0.5, 0.5, 0.0)
    rising = batch_means(np.arange(100.0), 10)
    assert rising.correlation > 0.5


@pytest.mark.parametrize(
    ("given", "expected"),
    [("2 %", (0.02, 0.0)), ("0.5%", (0.005, 0.0)), (3, (0.0, 3.0)), ("1.5", (0.0, 1.5))],
)
def test_precisions_are_read(given: str | float, expected: tuple[float, float]) -> None:
    assert Precision.parse(given) == pytest.approx(expected)


@pytest.mark.parametrize(
    "given", ["", "2 ms", "0 %", -1, "-3 %", "many", None, math.inf, True, "200 %"]
)
def test_what_is_no_precision_is_refused(given: object) -> None:
    with pytest.raises(RunError, match="precision"):
        Precision.parse(given)  # type: ignore[arg-type]


def test_enough_is_where_it_stays_enough() -> None:
    by_luck = [10.0, 10.0, 10.0, 10.0, 40.0] + [10.0, 12.0] * 200
    found = replications_enough(by_luck, Precision.parse("5 %"))
    assert found is not None
    assert found > 50
    half = mean_interval(by_luck[:found])
    assert (half.high - half.low) / 2 <= half.estimate * 0.05 / 1.05
    before = mean_interval(by_luck[: found - 1])
    assert (before.high - before.low) / 2 > before.estimate * 0.05 / 1.05
    assert replications_enough(by_luck[: found + 2], Precision.parse("5 %")) is None  # no ahead


def test_an_absolute_precision_is_in_the_unit() -> None:
    samples = [1.0, 3.0] * 100
    found = replications_enough(samples, Precision.parse(0.5))
    assert found is not None
    assert 15 <= found <= 25  # 1.96 * 1 / sqrt(n) = 0.5
    assert replications_enough([7.0] * 20, Precision.parse(1e-9)) == 10
    assert replications_enough([7.0] * 20, Precision.parse(1e-9), first=3) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: mean_interval([]),
        lambda: mean_interval([1.0, 2.0], 1.0),
        lambda: quantile_interval([1.0], 1.0),
        lambda: share_interval(3, 2),
        lambda: paired([1.0], [1.0, 2.0]),
        lambda: batch_means([1.0] * 30, 20),
        lambda: batch_means([1.0] * 30, 2),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    with pytest.raises(RunError):
        wrong()  # type: ignore[operator]


def test_bonferroni_shares_the_error() -> None:
    assert bonferroni(0.95, 1) == pytest.approx(0.95)
    assert bonferroni(0.9, 10) == pytest.approx(0.99)
