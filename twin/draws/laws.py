"""Laws of random durations and counts: records of numbers that rules sample by address.

A law is a mixture of up to ``COMPONENTS`` parts, each with the weight reached, a shape and two
parameters; a plain law is a mixture of one. A record is passed as one pointer, where an array
would be passed as a dozen words.
"""

import math
from collections.abc import Sequence

import numpy as np

from twin.compiling import inlined_rule, rule
from twin.draws.addressing import fold, inner_unit, unit
from twin.draws.exact import exp, to_us
from twin.draws.gauss import normal_quantile

CONSTANT, UNIFORM, LOGNORMAL, NORMAL = range(4)
COMPONENTS = 8
LONGEST_US = 400 * 86_400 * 1_000_000
"""No sampled duration is longer: the longest horizon a scenario may have [us]."""

Component = tuple[float, int, float, float]
"""(weight, shape, p, q): constant (value, -), uniform (low, width), lognormal (mu of ln us,
sigma), normal (mean, sd), all in microseconds."""

LAW = np.dtype(
    [
        ("reached", "f8", (COMPONENTS,)),
        ("shape", "i8", (COMPONENTS,)),
        ("p", "f8", (COMPONENTS,)),
        ("q", "f8", (COMPONENTS,)),
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
    return p


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
