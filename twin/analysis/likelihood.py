"""Laws of durations by maximum likelihood, for many samples of one size at once.

Rows are samples: arrays of shape (samples, n) in, parameters of shape (samples, parameters) out.
One row is a fit; many rows are what a parametric bootstrap needs, at hardly more than the cost of
one. Durations are in any unit; those of laws on a logarithm are above 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from twin.analysis.blends import Blend

__all__ = ["FAMILIES", "Family", "Floats"]

Floats = NDArray[np.float64]
_LOG_SQRT_2PI = 0.9189385332046727
_STEPS = 30


@dataclass(frozen=True)
class Family:
    """A family of laws: how its parameters are found, and what they then say.

    Parameters
    ----------
    name, free
        What it is called, and how many parameters are free [1].
    estimate
        Parameters of the most likely law of each row.
    log_density, reached
        The logarithm of the density, and the probability of at most so much, at each value.
    drawn
        Values at two arrays of even numbers in (0, 1).
    positive
        Whether values have to be above 0.
    again
        A quicker estimate for samples whose law is known nearly; none where ``estimate`` is quick.
    """

    name: str
    free: int
    estimate: Callable[[Floats], Floats]
    log_density: Callable[[Floats, Floats], Floats]
    reached: Callable[[Floats, Floats], Floats]
    drawn: Callable[[Floats, Floats, Floats], Floats]
    positive: bool = True
    again: Callable[[Floats, Floats], Floats] | None = None

    def refit(self, x: Floats, near: Floats) -> Floats:
        """Return parameters of samples that come from a law near these parameters."""
        return self.estimate(x) if self.again is None else self.again(x, near)


def _columns(parameters: Floats) -> list[Floats]:
    """Return each parameter as a column beside the values of its row."""
    return [parameters[:, i, None] for i in range(parameters.shape[1])]


# --- uniform: low, high --------------------------------------------------------------------------


def _uniform_estimate(x: Floats) -> Floats:
    return np.stack([x.min(axis=1), x.max(axis=1)], axis=1)


def _uniform_log_density(x: Floats, parameters: Floats) -> Floats:
    low, high = _columns(parameters)
    return np.where((x >= low) & (x <= high), -np.log(high - low), -np.inf)


def _uniform_reached(x: Floats, parameters: Floats) -> Floats:
    low, high = _columns(parameters)
    return np.clip((x - low) / (high - low), 0.0, 1.0)


def _uniform_drawn(u: Floats, _: Floats, parameters: Floats) -> Floats:
    low, high = _columns(parameters)
    return low + u * (high - low)


# --- normal: mean, sd ----------------------------------------------------------------------------


def _normal_estimate(x: Floats) -> Floats:
    return np.stack([x.mean(axis=1), x.std(axis=1)], axis=1)


def _normal_log_density(x: Floats, parameters: Floats) -> Floats:
    mean, sd = _columns(parameters)
    return -0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - _LOG_SQRT_2PI


def _normal_reached(x: Floats, parameters: Floats) -> Floats:
    mean, sd = _columns(parameters)
    return np.asarray(special.ndtr((x - mean) / sd))


def _normal_drawn(u: Floats, _: Floats, parameters: Floats) -> Floats:
    mean, sd = _columns(parameters)
    return np.asarray(mean + sd * special.ndtri(u))


# --- lognormal: mu, sigma of the logarithm -------------------------------------------------------


def _lognormal_estimate(x: Floats) -> Floats:
    return _normal_estimate(np.log(x))


def _lognormal_log_density(x: Floats, parameters: Floats) -> Floats:
    return _normal_log_density(np.log(x), parameters) - np.log(x)


def _lognormal_reached(x: Floats, parameters: Floats) -> Floats:
    return _normal_reached(np.log(x), parameters)


def _lognormal_drawn(u: Floats, v: Floats, parameters: Floats) -> Floats:
    return np.exp(_normal_drawn(u, v, parameters))


# --- gamma: shape, scale -------------------------------------------------------------------------


def _gamma_estimate(x: Floats) -> Floats:
    """Return shape and scale; Newton's method from the start of Minka (2002)."""
    mean = x.mean(axis=1)
    spread = np.log(mean) - np.log(x).mean(axis=1)
    shape = (3.0 - spread + np.sqrt((spread - 3.0) ** 2 + 24.0 * spread)) / (12.0 * spread)
    for _ in range(_STEPS):
        off = np.log(shape) - special.digamma(shape) - spread
        inverse = 1.0 / shape + off / (
            shape**2 * (1.0 / shape - np.asarray(special.polygamma(1, shape)))
        )
        shape = 1.0 / inverse
    return np.stack([shape, mean / shape], axis=1)


def _gamma_log_density(x: Floats, parameters: Floats) -> Floats:
    shape, scale = _columns(parameters)
    return (shape - 1.0) * np.log(x) - x / scale - shape * np.log(scale) - special.gammaln(shape)


def _gamma_reached(x: Floats, parameters: Floats) -> Floats:
    shape, scale = _columns(parameters)
    return np.asarray(special.gammainc(shape, x / scale))


def _gamma_drawn(u: Floats, _: Floats, parameters: Floats) -> Floats:
    shape, scale = _columns(parameters)
    return np.asarray(scale * special.gammaincinv(shape, u))


# --- Weibull: scale, shape -----------------------------------------------------------------------


def _weibull_estimate(x: Floats) -> Floats:
    """Return scale and shape; Newton's method on the shape, from that of the logarithms."""
    logs = np.log(x)
    centre = logs.mean(axis=1, keepdims=True)
    y = logs - centre  # what is raised to the shape stays near 1
    shape = np.pi / np.sqrt(6.0) / y.std(axis=1, keepdims=True)
    for _ in range(_STEPS):
        power = np.exp(shape * y)
        total = power.sum(axis=1, keepdims=True)
        first = (power * y).sum(axis=1, keepdims=True) / total
        second = (power * y * y).sum(axis=1, keepdims=True) / total
        step = (1.0 / shape - first) / (-1.0 / shape**2 - second + first**2)
        shape = np.maximum(shape - step, shape / 2.0)
    log_scale = centre + np.log(np.exp(shape * y).mean(axis=1, keepdims=True)) / shape
    return np.concatenate([np.exp(log_scale), shape], axis=1)


def _weibull_log_density(x: Floats, parameters: Floats) -> Floats:
    scale, shape = _columns(parameters)
    ratio = np.log(x) - np.log(scale)
    return np.log(shape) - np.log(x) + shape * ratio - np.exp(shape * ratio)


def _weibull_reached(x: Floats, parameters: Floats) -> Floats:
    scale, shape = _columns(parameters)
    return -np.expm1(-((x / scale) ** shape))


def _weibull_drawn(u: Floats, _: Floats, parameters: Floats) -> Floats:
    scale, shape = _columns(parameters)
    return scale * (-np.log1p(-u)) ** (1.0 / shape)


def _blended(parts: int) -> Family:
    """Return the family of mixtures of so many lognormals."""
    blend = Blend(parts)
    return Family(
        f"mixture of {parts} lognormals",
        3 * parts - 1,
        lambda x: blend.estimate(np.log(x)),
        lambda x, parameters: blend.log_density(np.log(x), parameters) - np.log(x),
        lambda x, parameters: blend.reached(np.log(x), parameters),
        lambda u, v, parameters: np.exp(blend.drawn(u, v, parameters)),
        again=lambda x, near: blend.better(np.log(x), near, 40),
    )


FAMILIES = (
    Family("uniform", 2, _uniform_estimate, _uniform_log_density, _uniform_reached,
           _uniform_drawn, positive=False),
    Family("normal", 2, _normal_estimate, _normal_log_density, _normal_reached, _normal_drawn,
           positive=False),
    Family("lognormal", 2, _lognormal_estimate, _lognormal_log_density, _lognormal_reached,
           _lognormal_drawn),
    Family("gamma", 2, _gamma_estimate, _gamma_log_density, _gamma_reached, _gamma_drawn),
    Family("weibull", 2, _weibull_estimate, _weibull_log_density, _weibull_reached,
           _weibull_drawn),
    _blended(2),
    _blended(3),
)  # fmt: skip
"""What is tried, in the order in which a tie is decided."""
