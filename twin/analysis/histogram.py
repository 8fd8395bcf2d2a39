"""One fixed logarithmic histogram for every duration: bins 0.5 % wide, counts are integers.

Percentiles read from it are the same whether rows were kept or not, in whatever slices they came;
they lie within 0.25 % of the exact order statistic.
"""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import rule
from twin.draws import exp, log

_LOG_WIDTH = 0.004987541511038968  # ln 1.005; a literal, because importing must not compile
_BINS_PER_LOG = 1.0 / _LOG_WIDTH
BINS = 6400
"""Bin 0 holds 0 us; the last one begins at about two years."""


def empty_histogram() -> NDArray[np.int64]:
    """Return the histogram of nothing, shape (BINS,)."""
    return np.zeros(BINS, np.int64)


@rule
def bin_of(duration_us: int) -> int:
    """Return the bin of a duration [us]."""
    if duration_us < 1:
        return 0
    return min(BINS - 1, 1 + int(log(float(duration_us)) * _BINS_PER_LOG))


def percentile_us(histogram: NDArray[np.int64], share: float) -> float:
    """Return the duration that a share of all does not exceed, by nearest rank [us].

    Parameters
    ----------
    histogram
        Counts, shape (BINS,).
    share
        0 < share <= 1.

    Returns
    -------
    the geometric middle of the bin; NaN of an empty histogram
    """
    reached = np.cumsum(histogram)
    if reached[-1] == 0:
        return float("nan")
    rank = max(1, int(np.ceil(share * reached[-1])))
    found = int(np.searchsorted(reached, rank))
    return 0.0 if found == 0 else exp((found - 0.5) * _LOG_WIDTH)
