"""Warm-up: from where on a run is itself, whatever it began with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.errors import RunError

__all__ = ["WarmUp", "mser5", "welch"]

_BATCH = 5
_LEAST = 10 * _BATCH


class WarmUp(NamedTuple):
    """Where MSER-5 cuts a series.

    ``cut`` observations are left out, ``mean`` is that of the rest, in the series' unit;
    ``is_trusted`` is False where the cut falls at half of the series: then it is too short to
    tell. ``statistic`` is what was minimised, one for each candidate, ``batch`` observations
    apart, in the unit squared.
    """

    cut: int
    mean: float
    is_trusted: bool
    statistic: NDArray[np.float64]
    batch: int


def mser5(series: ArrayLike) -> WarmUp:
    """Return the cut after which the mean of a series has the smallest standard error.

    White, "An effective truncation heuristic for bias reduction in simulation output",
    Simulation 69, 1997; in batches of 5 as Spratt (1998).

    Parameters
    ----------
    series
        Observations in order, or their means over replications, shape (n,).

    Raises
    ------
    RunError
        It has fewer than 50 observations, or one that is no number.
    """
    found = np.asarray(series, np.float64)
    if len(found) < _LEAST or not np.isfinite(found).all():
        raise RunError(
            f"a warm-up is looked for in {_LEAST} numbers or more, not in {len(found)}",
            hint="run longer, or count in shorter windows",
        )
    whole = len(found) // _BATCH
    batches = found[: whole * _BATCH].reshape(whole, _BATCH).mean(axis=1)
    left = np.arange(whole, 0, -1)
    apart = batches - batches.mean()
    sums = np.cumsum(apart[::-1])[::-1]
    squares = np.cumsum((apart**2)[::-1])[::-1]
    statistic = (np.maximum(0.0, squares - sums**2 / left) / left**2)[: whole // 2 + 1]
    best = int(statistic.argmin())
    rest = found[best * _BATCH :]
    return WarmUp(best * _BATCH, float(rest.mean()), best < whole // 2, statistic, _BATCH)


def welch(replications: ArrayLike, window: int) -> NDArray[np.float64]:
    """Return the moving mean of a series, averaged over replications: where it is flat, it is warm.

    Welch, "The statistical analysis of simulation results", 1983. Near the begin the window is
    as wide as there is room on both sides.

    Parameters
    ----------
    replications
        Shape (replications, n), or (n,) of one.
    window
        How many observations on each side, from 0 on [1].

    Returns
    -------
    shape (n - window,), in the unit of the series
    """
    mean = np.atleast_2d(np.asarray(replications, np.float64)).mean(axis=0)
    if not np.isfinite(mean).all():
        raise RunError("a moving mean is of numbers, and some are none")
    if type(window) is not int or not 0 <= window < len(mean) // 2:
        raise RunError(f"a window of {window!r} does not fit {len(mean)} observations twice")
    sums = np.concatenate([[0.0], np.cumsum(mean)])
    at = np.arange(len(mean) - window)
    reach = np.minimum(at, window)
    smooth: NDArray[np.float64] = (sums[at + reach + 1] - sums[at - reach]) / (2 * reach + 1)
    return smooth
