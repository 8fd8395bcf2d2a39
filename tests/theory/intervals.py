"""Intervals at 99.9 %, for figures that a run estimates.

Draws are addressed, so a test that is inside its interval stays inside. Each also says what must
lie outside: the figure that a slightly wrong rate would give.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

TWO_SIDED = NormalDist().inv_cdf(0.9995)
ONE_SIDED = NormalDist().inv_cdf(0.999)
KOLMOGOROV = 1.9495  # sqrt(-log(0.001 / 2) / 2)


class Interval(NamedTuple):
    """Where a figure lies, from ``low`` to ``high``."""

    low: float
    high: float

    def __contains__(self, figure: object) -> bool:
        assert isinstance(figure, (int, float))
        return self.low <= figure <= self.high


def student(freedom: int) -> float:
    """The two-sided quantile of Student's t, good to 0.001 (Abramowitz and Stegun, 26.7.5)."""
    assert freedom >= 12
    z = TWO_SIDED
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / freedom**power for power, term in enumerate(terms))


def mean(samples: ArrayLike) -> Interval:
    """Where the mean of independent samples lies: of replications, or of long batches."""
    found = np.asarray(samples, float)
    half = student(len(found) - 1) * float(found.std(ddof=1)) / math.sqrt(len(found))
    return Interval(float(found.mean()) - half, float(found.mean()) + half)


def share(count: int, of: int) -> Interval:
    """Where a probability lies that came out ``count`` times (Wilson, 1927)."""
    z2 = TWO_SIDED**2
    middle = (count + z2 / 2) / (of + z2)
    half = TWO_SIDED / (of + z2) * math.sqrt(count * (of - count) / of + z2 / 4)
    return Interval(middle - half, middle + half)


def poisson(count: int) -> Interval:
    """Where the expectation of a Poisson count lies (its root is nearly normal, variance 1/4)."""
    root, half = math.sqrt(count + 3 / 8), TWO_SIDED / 2
    return Interval(max(0.0, root - half) ** 2, (root + half) ** 2)


def fits(counts: ArrayLike, expected: ArrayLike, fitted: int = 1) -> bool:
    """Whether counts are as expected, by Pearson's chi-square (limit: Wilson and Hilferty, 1931).

    ``fitted`` is how many sums of the counts were taken over from them: 0 where not even the total.
    """
    found, theory = np.asarray(counts, float), np.asarray(expected, float)
    assert theory.min() >= 5, "a cell that expects less is no cell"
    freedom = len(found) - fitted
    ninth = 2 / (9 * freedom)
    limit = freedom * (1 - ninth + ONE_SIDED * math.sqrt(ninth)) ** 3
    return float(((found - theory) ** 2 / theory).sum()) < limit


def is_uniform(reached: ArrayLike) -> bool:
    """Whether samples, put through the distribution they should have, spread evenly over 0 to 1."""
    found: NDArray[np.float64] = np.sort(np.asarray(reached, float))
    steps = np.arange(len(found) + 1) / len(found)
    farthest = max((steps[1:] - found).max(), (found - steps[:-1]).max())
    return float(farthest) < KOLMOGOROV / math.sqrt(len(found))


def geometric(success: float, cells: Sequence[int]) -> list[float]:
    """The chances that the first success is the n-th trial, for n in ``cells``."""
    return [success * (1 - success) ** (n - 1) for n in cells]
