"""Mixtures of normal laws by maximum likelihood: expectation and maximisation, then Newton's kin.

Of logarithms of durations they are mixtures of lognormals. EM (Dempster, Laird and Rubin, 1977)
finds its way from anywhere but creeps at the end; from where it stands a quasi-Newton method
(L-BFGS-B of scipy) goes to the top.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

__all__ = ["LEAST_SIGMA", "MOST_SIGMA", "Blend"]

Floats = NDArray[np.float64]
LEAST_SIGMA, MOST_SIGMA = 0.02, 3.0
"""Sigma of a part [1]: at 0 the likelihood of one value would be without bound; above 3 a scenario
takes none."""
_LOG_SQRT_2PI = 0.9189385332046727
_FEW, _MANY = 2000, 20_000
_ROUNDS = 100


class Blend:
    """Mixtures of so many normal laws; a row of parameters is weights, means, and sigmas."""

    def __init__(self, parts: int) -> None:
        self.parts = parts

    def _split(self, parameters: Floats) -> tuple[Floats, Floats, Floats]:
        """Return weights, means and sigmas, each of shape (rows, parts, 1)."""
        k = self.parts
        return parameters[:, :k, None], parameters[:, k : 2 * k, None], parameters[:, 2 * k :, None]

    def _logs(self, y: Floats, parameters: Floats) -> Floats:
        """Return the logarithm of each part's share of the density, shape (rows, parts, n)."""
        weights, means, sigmas = self._split(parameters)
        z = (y[:, None, :] - means) / sigmas
        return np.log(weights) - 0.5 * z * z - np.log(sigmas) - _LOG_SQRT_2PI

    def log_density(self, y: Floats, parameters: Floats) -> Floats:
        """Return the logarithm of the density, shape (rows, n)."""
        logs = self._logs(y, parameters)
        most = logs.max(axis=1)
        return np.asarray(most + np.log(np.exp(logs - most[:, None, :]).sum(axis=1)))

    def reached(self, y: Floats, parameters: Floats) -> Floats:
        """Return the probability of at most so much, shape (rows, n)."""
        weights, means, sigmas = self._split(parameters)
        return np.asarray((weights * special.ndtr((y[:, None, :] - means) / sigmas)).sum(axis=1))

    def drawn(self, u: Floats, v: Floats, parameters: Floats) -> Floats:
        """Return values at even numbers: the first decides the value, the other its part."""
        weights, means, sigmas = self._split(parameters)
        bounds = np.cumsum(weights, axis=1)[:, :-1]
        part = (v[:, None, :] >= bounds).sum(axis=1)
        rows = np.arange(len(part))[:, None]
        return np.asarray(means[rows, part, 0] + sigmas[rows, part, 0] * special.ndtri(u))

    def better(self, y: Floats, parameters: Floats, rounds: int = _ROUNDS) -> Floats:
        """Return what so many rounds of EM make of parameters, row by row."""
        for _ in range(rounds):
            logs = self._logs(y, parameters)
            shares = np.exp(logs - logs.max(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
            mass = shares.sum(axis=2) + 1e-9
            means = (shares * y[:, None, :]).sum(axis=2) / mass
            off = y[:, None, :] - means[:, :, None]
            sigmas = np.sqrt((shares * off * off).sum(axis=2) / mass)
            sigmas = np.clip(sigmas, LEAST_SIGMA, MOST_SIGMA)
            parameters = np.concatenate([mass / mass.sum(axis=1)[:, None], means, sigmas], axis=1)
        return parameters

    def estimate(self, y: Floats) -> Floats:
        """Return the most likely parameters of each row, parts in the order of their means."""
        return np.stack([self._one(row) for row in y])

    def _one(self, y: Floats) -> Floats:
        """Return the most likely parameters of one sample."""
        # So many, taken evenly of the ordered values, tell all but the same as all of them.
        y = np.sort(y)
        few, y = _thinned(y, _FEW), _thinned(y, _MANY)
        starts = self._starts(few)
        tried = np.broadcast_to(few, (len(starts), len(few)))
        found = self.better(tried, starts)
        best = found[int(self.log_density(tried, found).sum(axis=1).argmax())]
        return self._in_order(self._climbed(y, best))

    def _starts(self, y: Floats) -> Floats:
        """Return where EM begins: parts beside each other, around each other, and in the tail."""
        k, spread = self.parts, max(float(y.std()), LEAST_SIGMA)
        beside = np.quantile(y, (np.arange(k) + 0.5) / k)
        even, one = np.full(k, 1.0 / k), np.ones(k)
        around = spread * np.geomspace(0.5, 2.0, k)
        rare = np.array([0.95, *np.full(k - 1, 0.05 / (k - 1))])
        middle = np.full(k, float(np.median(y)))
        tail = np.quantile(y, [0.47, *np.linspace(0.97, 0.999, k - 1)])
        head = np.quantile(y, [0.53, *np.linspace(0.03, 0.001, k - 1)])
        rows = [
            (even, beside, spread / k * one),
            (even, middle + 0.01 * np.arange(k), around),
            (rare, tail, spread * np.array([0.8, *np.full(k - 1, 0.4)])),
            (rare, head, spread * np.array([0.8, *np.full(k - 1, 0.4)])),
        ]
        found = np.array([np.concatenate(row) for row in rows])
        found[:, 2 * k :] = np.clip(found[:, 2 * k :], LEAST_SIGMA, MOST_SIGMA)
        return found

    def _climbed(self, y: Floats, parameters: Floats) -> Floats:
        """Return the parameters at the top of the hill on whose slope these stand."""
        k = self.parts
        least, most = float(np.log(LEAST_SIGMA)), float(np.log(MOST_SIGMA))
        low = [*[-15.0] * (k - 1), *[-np.inf] * k, *[least] * k]
        high = [*[15.0] * (k - 1), *[np.inf] * k, *[most] * k]
        weights = np.maximum(parameters[:k], 1e-6)
        begin = np.concatenate(
            [np.log(weights[1:] / weights[0]), parameters[k : 2 * k], np.log(parameters[2 * k :])]
        )
        found = optimize.minimize(
            partial(self._slope, y[None, :]), np.clip(begin, low, high), jac=True,
            method="L-BFGS-B", bounds=optimize.Bounds(low, high),
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9},
        )  # fmt: skip
        return self._row(found.x)

    def _row(self, free: Floats) -> Floats:
        """Return a row of parameters from what is searched: logits, means, logs of sigmas."""
        k = self.parts
        logits = np.concatenate([[0.0], free[: k - 1]])
        weights = np.exp(logits - logits.max())
        return np.concatenate(
            [weights / weights.sum(), free[k - 1 : 2 * k - 1], np.exp(free[2 * k - 1 :])]
        )

    def _slope(self, y: Floats, free: Floats) -> tuple[float, Floats]:
        """Return the mean of the negative log-likelihood and its derivatives."""
        k, row = self.parts, self._row(free)
        logs = self._logs(y, row[None, :])[0]
        most = logs.max(axis=0)
        shares = np.exp(logs - most)
        total = shares.sum(axis=0)
        shares /= total
        z = (y - row[k : 2 * k, None]) / row[2 * k :, None]
        gradient = np.concatenate([
            (shares.mean(axis=1) - row[:k])[1:],
            (shares * z).mean(axis=1) / row[2 * k :],
            (shares * (z * z - 1.0)).mean(axis=1),
        ])  # fmt: skip
        return -float((most + np.log(total)).mean()), -gradient

    def _in_order(self, row: Floats) -> Floats:
        """Return a row with its parts in the order of their means."""
        parts = row.reshape(3, self.parts)
        return np.asarray(parts[:, np.argsort(parts[1], kind="stable")].ravel())


def _thinned(y: Floats, most: int) -> Floats:
    """Return so many of the ordered values, evenly taken, or all where there are no more."""
    if len(y) <= most:
        return y
    places = (np.arange(most) + 0.5) / most * len(y)
    return np.asarray(y[places.astype(np.int64)])
