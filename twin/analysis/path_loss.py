"""The radio's law from link qualities between known places, weak links included.

A level is the transmit power less a loss that grows with the logarithm of the distance, less the
walls, and varies around it. A pair of nodes that hear nothing of each other is no missing value: it
says that the level lies below what can be heard. Who leaves it out finds only the lucky links of
large distances, and both the exponent and the spread too small. So the law is fitted as a censored
one (Tobin, 1958): what is shown counts with its density, what the meter shows as its weakest with
the probability to lie between hearing and there, and what is not heard with that to lie below.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from twin.errors import RunError

__all__ = ["FEWEST_LINKS", "Pairs", "PathLoss", "fit_path_loss"]

FEWEST_LINKS = 20
"""Fewer links that are heard tell no exponent [1]."""
_MOST_MISSED = 0.9
_LOG_SQRT_2PI = 0.9189385332046727

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Who could hear whom: directed pairs of nodes, arrays of shape (n,).

    Parameters
    ----------
    distance_m
        Between them [m].
    level_dbm
        As the receiver's meter shows it [dBm]; NaN where nothing was heard.
    power_dbm
        Of the sender, less what walls on the way take [dBm].
    floor_dbm
        The weakest level that the meter shows [dBm].
    heard_dbm
        The weakest level that is heard at all [dBm].
    meter_db
        Standard deviation of the meters' errors [dB].
    pair
        A number of the two nodes, the same in both directions [1].
    """

    distance_m: Floats
    level_dbm: Floats
    power_dbm: Floats
    floor_dbm: float
    heard_dbm: float
    meter_db: float
    pair: NDArray[np.int64]


@dataclass(frozen=True)
class PathLoss:
    """The most likely law, with standard errors in fields that end in `_se`.

    Parameters
    ----------
    exponent
        How the loss grows with distance [1].
    reference_loss_db
        At one metre [dB].
    spread_db
        Standard deviation of all that makes a level differ from the law, without the meters'
        errors [dB].
    missed
        Share of links that are strong enough and were not reported [1].
    links, silent
        How many links were heard, and how many pairs were silent [1].
    ks
        Largest distance of the levels above the floor from the law [1].
    """

    exponent: float
    reference_loss_db: float
    spread_db: float
    missed: float
    exponent_se: float
    reference_loss_se: float
    spread_se: float
    log_likelihood: float
    links: int
    silent: int
    ks: float


def fit_path_loss(pairs: Pairs) -> PathLoss:
    """Return the most likely law of levels by distance.

    The two directions of a pair share most of their luck: they count as they are for the law, and
    as one for the standard errors (the sandwich of Huber and White, clustered by pair).

    Raises
    ------
    RunError
        Too few links, or all of one distance.
    """
    shown = pairs.level_dbm > pairs.floor_dbm + 0.5
    heard = np.isfinite(pairs.level_dbm)
    far = np.log10(np.maximum(pairs.distance_m, 1.0))
    if heard.sum() < FEWEST_LINKS or shown.sum() < FEWEST_LINKS // 2:
        raise RunError(
            f"{int(heard.sum())} links between known places, {int(shown.sum())} of them stronger "
            f"than the meter's weakest: too few for a law, at least {FEWEST_LINKS}",
            hint="give the places of more nodes, or use the topology as it is",
        )
    if float(np.ptp(far[heard])) < 0.1:
        raise RunError("all links are of nearly one distance: no exponent follows from them",
                       hint="give links of different lengths")  # fmt: skip
    losses = _Losses(pairs, far, shown, heard)
    found = _searched(losses)
    errors = _errors(losses, found, np.unique(pairs.pair, return_inverse=True)[1])
    exponent, loss_db, log_spread = found[:3]
    return PathLoss(
        exponent=float(exponent),
        reference_loss_db=float(loss_db),
        spread_db=float(np.exp(log_spread)),
        missed=_share(found[3]),
        exponent_se=float(errors[0]),
        reference_loss_se=float(errors[1]),
        spread_se=float(errors[2] * np.exp(log_spread)),
        log_likelihood=float(losses.of(found).sum()),
        links=int(heard.sum()),
        silent=int((~heard).sum()),
        ks=losses.distance(found),
    )


def _share(logit: float) -> float:
    """Return a share from what is searched, between 0 and the most [1]."""
    return _MOST_MISSED * float(special.expit(logit))


@dataclass(frozen=True)
class _Losses:
    """The log-likelihood of pairs."""

    pairs: Pairs
    far: Floats
    shown: NDArray[np.bool_]
    heard: NDArray[np.bool_]

    def expected_dbm(self, free: Floats) -> Floats:
        """Return the mean level of each pair [dBm]."""
        return np.asarray(self.pairs.power_dbm - free[1] - 10.0 * free[0] * self.far)

    def of(self, free: Floats) -> Floats:
        """Return the log-likelihood of each pair."""
        spread, missed = float(np.exp(free[2])), _share(free[3])
        mean, heard_dbm = self.expected_dbm(free), self.pairs.heard_dbm
        deaf = special.ndtr((heard_dbm - mean) / spread)
        # What the meter shows has its error; whether anything is heard, has not.
        meter = max(self.pairs.meter_db, 0.05)
        wide = float(np.hypot(spread, meter))
        level_dbm = np.where(self.shown, self.pairs.level_dbm, 0.0)
        z = (level_dbm - mean) / wide
        true_dbm = mean + (spread / wide) ** 2 * (level_dbm - mean)
        density = -0.5 * z * z - np.log(wide) - _LOG_SQRT_2PI
        density += special.log_ndtr((true_dbm - heard_dbm) / (spread * meter / wide))
        weak = self.heard & ~self.shown
        density[weak] = np.log(np.maximum(self._weak(mean[weak], spread, meter), 1e-300))
        silent = np.log(np.maximum(deaf + missed * (1.0 - deaf), 1e-300))
        return np.asarray(np.where(self.heard, density + np.log1p(-missed), silent))

    def _weak(self, mean_dbm: Floats, spread: float, meter: float) -> Floats:
        """Return the probability of being heard and shown as the meter's weakest."""
        edge_dbm = self.pairs.floor_dbm + 0.5
        nodes, weights = np.polynomial.legendre.leggauss(24)
        half = (edge_dbm + 5.0 * meter - self.pairs.heard_dbm) / 2.0
        at_dbm = self.pairs.heard_dbm + half * (1.0 + nodes)
        z = (at_dbm[None, :] - mean_dbm[:, None]) / spread
        inside = np.exp(-0.5 * z * z - _LOG_SQRT_2PI) / spread
        low = special.ndtr((edge_dbm - at_dbm) / meter)
        return np.asarray((inside * (low * weights * half)[None, :]).sum(axis=1))

    def distance(self, free: Floats) -> float:
        """Return how far the levels above the floor are from the law at most [1]."""
        mean = self.expected_dbm(free)[self.shown]
        spread = float(np.hypot(np.exp(free[2]), self.pairs.meter_db))
        below = special.ndtr((self.pairs.floor_dbm + 0.5 - mean) / spread)
        reached = special.ndtr((self.pairs.level_dbm[self.shown] - mean) / spread)
        inside = np.sort((reached - below) / np.maximum(1.0 - below, 1e-12))
        steps = np.arange(len(inside) + 1) / len(inside)
        return float(max((steps[1:] - inside).max(), (inside - steps[:-1]).max()))


def _searched(losses: _Losses) -> Floats:
    """Return where the likelihood is largest: exponent, loss, logarithm of the spread, logit."""
    pairs, shown = losses.pairs, losses.shown
    loss_db = pairs.power_dbm[shown] - pairs.level_dbm[shown]
    slope, level = np.polyfit(10.0 * losses.far[shown], loss_db, 1)
    low = np.array([0.5, -50.0, np.log(0.2), -9.0])
    high = np.array([10.0, 150.0, np.log(40.0), 9.0])

    def costs(free: Floats) -> float:
        return -float(losses.of(free).mean())

    starts = [(slope, level, 6.0), (3.0, 40.0, 6.0), (4.5, 40.0, 9.0)]
    found = []
    for n, loss, spread in starts:
        start = np.clip(np.array([n, loss, np.log(spread), -3.0]), low, high)
        found.append(optimize.minimize(
            costs, start, method="L-BFGS-B",
            bounds=optimize.Bounds(low, high), options={"ftol": 1e-13, "gtol": 1e-9},
        ))  # fmt: skip
    return np.asarray(min(found, key=lambda one: float(one.fun)).x)


def _errors(losses: _Losses, free: Floats, clusters: NDArray[np.int64]) -> Floats:
    """Return the standard errors of what was found, by pairs."""
    steps = np.array([1e-4, 1e-3, 1e-4, 1e-3])
    slopes = _slopes(losses.of, free, steps)
    curves = _slopes(lambda at: _slopes(losses.of, at, steps).sum(axis=0), free, steps)
    sums = np.zeros((int(clusters.max()) + 1, len(free)))
    np.add.at(sums, clusters, slopes)
    # What stands at its bound, as nothing missed does, has no slope and no error.
    inside = np.abs(np.diag(curves)) > 1e-3
    bread = np.linalg.pinv(-(curves + curves.T)[np.ix_(inside, inside)] / 2)
    kept = sums[:, inside]
    errors = np.zeros(len(free))
    errors[inside] = np.sqrt(np.maximum(np.diag(bread @ (kept.T @ kept) @ bread), 0.0))
    return errors


def _slopes(of: Callable[[Floats], Floats], free: Floats, steps: Floats) -> Floats:
    """Return the derivatives of each line by each parameter, shape (n, parameters)."""
    found = []
    for i, step in enumerate(steps):
        shift = np.zeros(len(free))
        shift[i] = step
        found.append((of(free + shift) - of(free - shift)) / (2.0 * step))
    return np.stack(found, axis=1)
