"""Laws of random durations and counts: records of numbers that rules sample by address.

A law is a mixture of up to ``COMPONENTS`` parts, each with the weight reached, a shape and two
parameters; a plain law is a mixture of one. An empirical law has points instead: values that it
stays below with the probabilities reached, and straight lines between them. A record is passed as
one pointer, where an array would be passed as a dozen words.
"""

import math
from collections.abc import Sequence

import numpy as np

from twin.compiling import inlined_rule, rule
from twin.draws.addressing import fold, inner_unit, unit
from twin.draws.exact import exp, log, to_us
from twin.draws.gauss import normal_quantile

CONSTANT, UNIFORM, LOGNORMAL, NORMAL, WEIBULL, EMPIRICAL = range(6)
COMPONENTS = 8
POINTS = 64
"""The most points of an empirical law [1]."""
LONGEST_US = 400 * 86_400 * 1_000_000
"""No sampled duration is longer: the longest horizon a scenario may have [us]."""

Component = tuple[float, int, float, float]
"""(weight, shape, p, q): constant (value, -), uniform (low, width), lognormal (mu of ln us,
sigma), normal (mean, sd), weibull (ln of the scale, 1 / shape), all in microseconds."""

LAW = np.dtype(
    [
        ("reached", "f8", (COMPONENTS,)),
        ("shape", "i8", (COMPONENTS,)),
        ("p", "f8", (COMPONENTS,)),
        ("q", "f8", (COMPONENTS,)),
        ("points", "i8"),
        ("level", "f8", (POINTS,)),
        ("value", "f8", (POINTS,)),
    ]
)

_LONGEST = float(LONGEST_US)
_PART_VALUE, _PART_COMPONENT = range(2)


def law_record(components: Sequence[Component]) -> np.void:
    """Return a law as a ``LAW`` record, its weights made cumulative and ending at 1."""
    law = np.zeros(1, LAW)[0]
    total = math.fsum(weight for weight, *_ in components)
    reached = 0.0
    for i, (weight, shape, p, q) in enumerate(components):
        reached += weight / total
        law["reached"][i], law["shape"][i], law["p"][i], law["q"][i] = reached, shape, p, q
    law["reached"][len(components) - 1 :] = 1.0
    return law


def points_record(levels: Sequence[float], values: Sequence[float]) -> np.void:
    """Return an empirical law as a ``LAW`` record.

    Parameters
    ----------
    levels
        Probabilities, rising from 0 to 1 [1].
    values
        What the law stays below with each of them, not falling.
    """
    law = law_record([(1.0, EMPIRICAL, 0.0, 0.0)])
    law["points"] = len(levels)
    law["level"][: len(levels)] = levels
    law["value"][: len(values)] = values
    return law


@inlined_rule
def normal(state: int) -> float:
    """Return the standard normal number at an address, by inversion [1]."""
    return normal_quantile(inner_unit(fold(state, _PART_VALUE)))


@inlined_rule
def _component(law: np.void, state: int) -> int:
    """Return which component of a mixture this address falls in."""
    if law["reached"][0] >= 1.0:
        return 0
    u = unit(fold(state, _PART_COMPONENT))
    i = 0
    while u >= law["reached"][i]:
        i += 1
    return i


@rule
def _weibull(log_scale: float, inverse_shape: float, address: int) -> float:
    """Return a Weibull number by inversion: a larger draw gives a larger one, as in other laws."""
    u = inner_unit(fold(address, _PART_VALUE))
    return exp(log_scale + inverse_shape * log(-log(1.0 - u)))


@rule
def _between_points(law: np.void, u: float) -> float:
    """Return the number below which an empirical law stays with a probability, 0 <= u < 1."""
    low, high = 0, law["points"] - 1
    while high - low > 1:
        middle = (low + high) // 2
        if u < law["level"][middle]:
            high = middle
        else:
            low = middle
    from_level, from_value = law["level"][low], law["value"][low]
    way = (u - from_level) / (law["level"][high] - from_level)
    return from_value + way * (law["value"][high] - from_value)


@rule
def sample(law: np.void, state: int, stream: int) -> float:
    """Return the number that a law gives at an address, in the law's own unit.

    Parameters
    ----------
    law
        A ``LAW`` record.
    state, stream
        Address state of who and how-many-eth, and what is decided; not looked at by a constant.
    """
    if law["shape"][0] == CONSTANT and law["reached"][0] >= 1.0:
        return law["p"][0]
    address = fold(state, stream)
    i = _component(law, address)
    shape, p, q = law["shape"][i], law["p"][i], law["q"][i]
    if shape == LOGNORMAL:
        return exp(p + q * normal(address))
    if shape == UNIFORM:
        return p + q * unit(fold(address, _PART_VALUE))
    if shape == NORMAL:
        return p + q * normal(address)
    if shape == EMPIRICAL:
        return _between_points(law, unit(fold(address, _PART_VALUE)))
    return _weibull(p, q, address) if shape == WEIBULL else p


@inlined_rule
def sample_us(law: np.void, state: int, stream: int) -> int:
    """Return the duration that a law gives at an address, cut to 0 .. LONGEST_US [us]."""
    x = sample(law, state, stream)
    return to_us(0.0 if x < 0.0 else (_LONGEST if x > _LONGEST else x))


@rule
def sample_count(law: np.void, state: int, stream: int, smallest: int, largest: int) -> int:
    """Return the whole number that a law gives at an address, cut to its ends [1]."""
    x = sample(law, state, stream) + 0.5
    return int(smallest if x < smallest else (largest if x > largest else x))
