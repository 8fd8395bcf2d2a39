"""What independent runs tell: estimates with intervals, and whether they are enough.

Intervals are two-sided and hold with the probability ``confidence``. Observations within one run
are no independent runs: a naive interval of their mean holds for one experiment in eight; batches
of them, or replications, are what these functions take.
"""

from __future__ import annotations

import math
import operator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, ndtri, stdtr, stdtrit

from twin.errors import RunError, UnitError
from twin.units import parse_ratio

__all__ = [
    "Batches",
    "Interval",
    "Paired",
    "Precision",
    "batch_means",
    "bonferroni",
    "checked_confidence",
    "mean_interval",
    "paired",
    "quantile_interval",
    "replications_enough",
    "share_interval",
]

_LOOK_AHEAD = 5
"""kLimit of Hoad, Robinson and Davies (2010): so many more have to agree that it is enough."""
_LEAST_BATCHES = 5


class Interval(NamedTuple):
    """An estimate between its bounds, from ``n`` samples; all in the unit of the samples."""

    estimate: float
    low: float
    high: float
    n: int


class Paired(NamedTuple):
    """How far samples are from a baseline, pair by pair.

    ``difference`` of the means with its bounds, in the samples' unit; ``better`` is the
    probability that the true one is below zero, ``variance_ratio`` how many times more variance
    the difference of unpaired samples would have (inf where all differences are equal, nan where
    nothing varies), ``correlation`` that of the pairs [1].
    """

    difference: float
    low: float
    high: float
    n: int
    better: float
    variance_ratio: float
    correlation: float


class Batches(NamedTuple):
    """The mean of one long run, from the means of its batches.

    ``correlation`` is that of neighbouring batches [1]: well above zero, they are too short, and
    the interval is too narrow.
    """

    interval: Interval
    means: NDArray[np.float64]
    correlation: float


class Precision(NamedTuple):
    """How narrow half an interval has to be: a ``share`` of the mean [1], or a ``width``."""

    share: float = 0.0
    width: float = 0.0

    @classmethod
    def parse(cls, given: str | float) -> Precision:
        """Read "2 %" as a share of the mean, a number as a width in the unit of the figure.

        Raises
        ------
        RunError
            It is neither, or not above zero.
        """
        hint = 'write "2 %" for a share of the mean, or a number in the unit of the figure'
        try:
            is_share = isinstance(given, str) and "%" in given
            value = parse_ratio(given) if is_share else float(given)
        except (UnitError, ValueError, TypeError) as error:
            raise RunError(f"{given!r} is no precision", hint=hint) from error
        if not (0 < value < math.inf) or isinstance(given, bool):
            raise RunError(f"a precision is above zero, not {given!r}", hint=hint)
        if is_share and value >= 1:
            raise RunError(f"a precision of {given} of the mean says nothing", hint=hint)
        return cls(share=value) if is_share else cls(width=value)

    def allowed(self, means: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how wide half of the interval may be at some means, in their unit.

        A share is taken of the true mean, which lies up to half an interval below the one that
        was found: g of the one is g / (1 + g) of the other (Law, section 9.4.1).
        """
        if self.width:
            return np.full_like(means, self.width)
        return np.abs(means) * (self.share / (1.0 + self.share))


def bonferroni(confidence: float, comparisons: int) -> float:
    """Return the confidence of each of some intervals, so that all hold at once with this one.

    Parameters
    ----------
    confidence
        That all of them hold [1].
    comparisons
        How many there are, from 1 on [1].

    >>> bonferroni(0.95, 5)
    0.99
    """
    if comparisons < 1:
        raise RunError(f"an error is shared by one comparison or more, not by {comparisons!r}")
    return 1.0 - (1.0 - checked_confidence(confidence)) / comparisons


def mean_interval(samples: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the mean of independent samples with Student's interval.

    One sample alone has no bounds (they are infinite). A sample that is not finite makes all of it
    NaN: where a figure does not exist in a run, its mean over runs does not, either.

    Parameters
    ----------
    samples
        Shape (n,).
    confidence
        Above 0 and below 1 [1].
    """
    found = _samples(samples)
    n = len(found)
    if not np.isfinite(found).all():
        return Interval(math.nan, math.nan, math.nan, n)
    mean = float(found.mean())
    half = float(_half_widths(found, confidence)[-1]) if n > 1 else math.inf
    return Interval(mean, mean - half, mean + half, n)


def quantile_interval(samples: ArrayLike, share: float, confidence: float = 0.95) -> Interval:
    """Return a quantile of independent samples with an interval of any law, by order statistics.

    How many samples lie below the true quantile is binomial (Conover, "Practical Nonparametric
    Statistics", section 3.2). Where there are too few samples for a bound, it is infinite.

    Parameters
    ----------
    samples
        Shape (n,).
    share
        Which quantile, above 0 and below 1 [1].
    confidence
        Above 0 and below 1 [1].

    >>> quantile_interval(range(1, 101), 0.5)
    Interval(estimate=50.0, low=40.0, high=61.0, n=100)
    """
    if not 0 < share < 1:
        raise RunError(f"a quantile lies above 0 and below 1, not at {share!r}")
    found = np.sort(_samples(samples))
    n, tail = len(found), (1.0 - checked_confidence(confidence)) / 2.0
    if np.isnan(found).any():
        return Interval(math.nan, math.nan, math.nan, n)
    below = bdtr(np.arange(n), n, share)  # at most so many samples below the quantile
    lows = np.flatnonzero(below <= tail)
    highs = np.flatnonzero(below >= 1.0 - tail)
    low = float(found[lows[-1]]) if len(lows) else -math.inf
    high = float(found[highs[0]]) if len(highs) else math.inf
    rank = min(n, max(1, math.ceil(round(share * n, 9))))
    return Interval(float(found[rank - 1]), low, high, n)


def share_interval(count: int, of: int, confidence: float = 0.95) -> Interval:
    """Return a probability that came out some times, with Wilson's interval.

    Wilson, Journal of the American Statistical Association 22, 1927.

    Parameters
    ----------
    count, of
        How often it came out, of how many times [1].
    confidence
        Above 0 and below 1 [1].

    >>> share_interval(8, 10).estimate
    0.8
    """
    if not all(_is_whole(number) for number in (count, of)) or not 0 <= count <= of or of < 1:
        raise RunError(
            f"{count!r} of {of!r} is no share", hint="count from 0 to how many there are"
        )
    z = float(ndtri(0.5 + checked_confidence(confidence) / 2.0))
    middle = (count + z * z / 2.0) / (of + z * z)
    half = z / (of + z * z) * math.sqrt(count * (of - count) / of + z * z / 4.0)
    # At the ends the formula gives the end itself, but for rounding.
    low = middle - half if count > 0 else 0.0
    high = middle + half if count < of else 1.0
    return Interval(count / of, max(0.0, low), min(1.0, high), of)


def paired(samples: ArrayLike, baseline: ArrayLike, confidence: float = 0.95) -> Paired:
    """Return the difference of the means of samples and of a baseline, taken pair by pair.

    Parameters
    ----------
    samples, baseline
        Of the same replications, shape (n,).
    confidence
        Above 0 and below 1 [1].

    Raises
    ------
    RunError
        They are not as many.
    """
    one, other = _samples(samples), _samples(baseline)
    if len(one) != len(other):
        raise RunError(f"{len(one)} samples cannot be paired with {len(other)}")
    n = len(one)
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return Paired(math.nan, math.nan, math.nan, n, math.nan, math.nan, math.nan)
    size = float(max(np.abs(one).max(), np.abs(other).max()))
    own = _variance(one - other, size)
    apart = _variance(one, size) + _variance(other, size)
    found = mean_interval(one - other, confidence)
    if own == 0:  # what is left of an interval is rounding
        found = found._replace(low=found.estimate, high=found.estimate)
    ratio = apart / own if own > 0 else (math.inf if apart > 0 else math.nan)
    varies = min(_variance(one, size), _variance(other, size)) > 0
    correlation = float(np.corrcoef(one, other)[0, 1]) if varies else math.nan
    better = _below_zero(found.estimate, own, n)
    return Paired(*found[:3], n, better, ratio, correlation)


def batch_means(series: ArrayLike, batches: int = 20) -> Batches:
    """Return the mean of one long run by the means of its batches, with a 95 % interval.

    What does not fill a batch is left out at the front, where a run is least itself. Law,
    "Simulation Modeling and Analysis", section 9.5.3: 20 to 30 batches.

    Parameters
    ----------
    series
        Observations of a run without its warm-up, in order, shape (n,).
    batches
        How many, from 5 on [1].

    Raises
    ------
    RunError
        There are not two observations for each batch.
    """
    found = _samples(series)
    size = len(found) // max(batches, 1)
    if batches < _LEAST_BATCHES or size < 2:
        raise RunError(
            f"{len(found)} observations in {batches} batches tell nothing",
            hint=f"take {_LEAST_BATCHES} batches or more, of two observations or more",
        )
    means = found[len(found) - size * batches :].reshape(batches, size).mean(axis=1)
    apart = means - means.mean()
    square = float((apart**2).sum())
    correlation = float((apart[1:] * apart[:-1]).sum()) / square if square > 0 else 0.0
    return Batches(mean_interval(means), means, correlation)


def replications_enough(
    samples: ArrayLike, precision: Precision, confidence: float = 0.95, first: int = 10
) -> int | None:
    """Return how many replications were enough for a precision, None where it takes more.

    Enough is where half the interval is narrow enough and stays so for some replications more:
    an interval can be narrow by luck, once (Hoad, Robinson and Davies, Journal of the Operational
    Research Society 61, 2010).

    Parameters
    ----------
    samples
        Of the replications in their order, shape (n,).
    precision
        What is wanted.
    confidence
        Above 0 and below 1 [1].
    first
        So many are taken at least: the spread of fewer is luck itself [1].
    """
    found = _samples(samples)
    if len(found) < max(first, 2) or not np.isfinite(found).all():
        return None
    counts = np.arange(2, len(found) + 1)
    means = np.cumsum(found)[1:] / counts
    narrow = _half_widths(found, confidence) <= precision.allowed(means)
    for n in range(max(first, 2), len(found) + 1):
        more = max(_LOOK_AHEAD, _LOOK_AHEAD * n // 100)
        if n + more <= len(found) and narrow[n - 2 : n + more - 1].all():
            return n
    return None


def _half_widths(samples: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Return half of Student's interval after two samples, three ... all, shape (n - 1,)."""
    counts = np.arange(2, len(samples) + 1)
    # Differences from the first sample keep their digits where all are far from zero.
    apart = samples - samples[0]
    sums, squares = np.cumsum(apart)[1:], np.cumsum(apart**2)[1:]
    variances = np.maximum(0.0, squares - sums**2 / counts) / (counts - 1)
    quantiles = stdtrit(counts - 1, 0.5 + checked_confidence(confidence) / 2.0)
    return np.asarray(quantiles * np.sqrt(variances / counts), np.float64)


def _variance(samples: NDArray[np.float64], size: float) -> float:
    """Return the variance of samples, none where all of it is rounding of numbers of a size."""
    if len(samples) < 2:
        return math.nan
    found = float(samples.var(ddof=1))
    return found if found > (4.0 * np.finfo(np.float64).eps * size) ** 2 else 0.0


def _is_whole(number: object) -> bool:
    try:
        operator.index(number)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def _below_zero(mean: float, variance: float, n: int) -> float:
    """Return the probability that a true mean is below zero, by Student's law [1]."""
    if n < 2 or math.isnan(mean):
        return math.nan
    if variance == 0:
        return 0.5 if mean == 0 else float(mean < 0)
    return float(stdtr(n - 1, -mean / math.sqrt(variance / n)))


def _samples(given: ArrayLike) -> NDArray[np.float64]:
    """Return samples as numbers; there has to be one."""
    try:
        found = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise RunError(f"samples are numbers: {error}") from error
    if found.ndim != 1 or not len(found):
        raise RunError("samples are a list of one number or more", hint="one for each replication")
    return found


def checked_confidence(confidence: float) -> float:
    """Return a confidence that can be one: above 0 and below 1 [1].

    Raises
    ------
    RunError
        It cannot.
    """
    try:
        is_one = bool(0 < confidence < 1)
    except TypeError:
        is_one = False
    if not is_one:
        raise RunError(f"a confidence lies above 0 and below 1, not at {confidence!r}")
    return confidence
