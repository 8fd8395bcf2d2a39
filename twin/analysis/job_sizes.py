"""How many lines jobs have: the lognormal law of a scenario, rounded and cut, from counted jobs.

A job of which only the beginning was seen (the shift was over, the export ended) has at least as
many lines as were counted. Large jobs are cut off more often than small ones: who leaves them out
finds jobs too small.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from twin.errors import RunError

__all__ = ["JobSizes", "fit_job_sizes"]

_FEWEST = 20
_MOST_LINES = 10_000


@dataclass(frozen=True)
class JobSizes:
    """The law of `work.job_lines` [1], and how far off it is at most from the counts (`ks`)."""

    median: float
    mean: float
    least: int
    most: int
    sigma: float
    log_likelihood: float
    ks: float
    jobs: int
    cut_off: int


def fit_job_sizes(
    lines: ArrayLike, at_least: ArrayLike = (), *, least: int = 1, most: int = 150
) -> JobSizes:
    """Return the most likely law of the number of lines in a job.

    Parameters
    ----------
    lines
        Of jobs that were seen whole [1].
    at_least
        What was seen of jobs that were cut off [1].
    least, most
        What the law is cut to [1]; wider where the jobs are.

    Raises
    ------
    RunError
        Too few jobs, or numbers that count nothing.
    """
    whole, begun = np.sort(np.asarray(lines, float)), np.asarray(at_least, float)
    if len(whole) < _FEWEST:
        raise RunError(
            f"{len(whole)} jobs are too few to fit their size to: at least {_FEWEST}",
            hint="take a longer export, or leave work.job_lines as it is",
        )
    counted = np.concatenate([whole, begun])
    if not (np.isfinite(counted).all() and (counted >= 0).all() and whole[0] >= 1):
        raise RunError("jobs have whole numbers of lines, from 1", hint="leave other jobs out")
    least = min(least, int(whole[0]))
    most = max(most, int(counted.max()))
    if most > _MOST_LINES:
        raise RunError(f"a job of {most:,} lines", hint=f"a job has at most {_MOST_LINES:,}")
    counts, times = np.unique(whole, return_counts=True)
    begun = begun[begun > least]  # that a job has the least it can have is no news

    def costs(free: NDArray[np.float64]) -> float:
        mu, sigma = float(free[0]), float(np.exp(free[1]))
        inside = _reached(counts, mu, sigma, least, most)
        inside -= _reached(counts - 1, mu, sigma, least, most)
        beyond = 1.0 - _reached(begun - 1, mu, sigma, least, most)
        found = (times * np.log(np.maximum(inside, 1e-300))).sum()
        return -float(found + np.log(np.maximum(beyond, 1e-300)).sum())

    logs = np.log(whole)
    start = np.array([logs.mean(), np.log(max(float(logs.std()), 0.05))])
    bounds = [(np.log(least) if least > 1 else 0.0, np.log(most)), (np.log(0.01), np.log(3.0))]
    found = optimize.minimize(costs, start, method="Nelder-Mead", bounds=bounds,
                              options={"xatol": 1e-6, "fatol": 1e-8, "maxiter": 2000})  # fmt: skip
    mu, sigma = float(found.x[0]), float(np.exp(found.x[1]))
    off = _kaplan_meier_distance(whole, begun, mu, sigma, least, most)
    median = float(np.exp(mu))
    mean = median * float(np.exp(sigma**2 / 2))
    return JobSizes(median, mean, least, most, sigma, -float(found.fun), off, len(whole),
                    len(np.asarray(at_least)))  # fmt: skip


def _reached(
    lines: NDArray[np.float64], mu: float, sigma: float, least: int, most: int
) -> NDArray[np.float64]:
    """Return the probability of at most so many lines: rounded to whole ones, then cut."""
    edge = np.log(np.maximum(lines + 0.5, 1e-9))
    inside = np.asarray(special.ndtr((edge - mu) / sigma), float)
    return np.where(lines < least, 0.0, np.where(lines >= most, 1.0, inside))


def _kaplan_meier_distance(
    whole: NDArray[np.float64], begun: NDArray[np.float64], mu: float, sigma: float,
    least: int, most: int,
) -> float:  # fmt: skip
    """Return the largest distance of the law from the jobs, those that were cut off included.

    These count up to where they were seen, by the estimate of Kaplan and Meier (1958).
    """
    values, times = np.unique(whole, return_counts=True)
    # A job cut off at c lines has at least c: it was at risk up to c - 1.
    risk = (whole[None, :] >= values[:, None]).sum(axis=1)
    risk = risk + (begun[None, :] > values[:, None]).sum(axis=1)
    left = np.cumprod(1.0 - times / risk)
    return float(np.abs((1.0 - left) - _reached(values, mu, sigma, least, most)).max())
