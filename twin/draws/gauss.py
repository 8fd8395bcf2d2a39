"""The normal law by inversion: Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37, 1988.

One uniform number gives one normal number, and the larger the one the larger the other: a change
of a law's parameters moves every draw the same way, which is what makes two runs on common random
numbers alike. The relative error is about 1e-16.
"""

import math

from twin.compiling import inlined_rule, rule
from twin.draws.exact import log

_CENTRE = 0.425
_NEAR_TAIL = 5.0


@inlined_rule
def _degree_7(
    x: float,
    c0: float,
    c1: float,
    c2: float,
    c3: float,
    c4: float,
    c5: float,
    c6: float,
    c7: float,
) -> float:
    """Return a polynomial of degree 7, added in pairs so that few steps wait for others."""
    x2 = x * x
    return ((c0 + c1 * x) + x2 * (c2 + c3 * x)) + (x2 * x2) * ((c4 + c5 * x) + x2 * (c6 + c7 * x))


@inlined_rule
def _centre(q: float) -> float:
    """Return the quantile at 0.5 + q for abs(q) <= 0.425."""
    r = 0.180625 - q * q
    above = _degree_7(
        r, 3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
        1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
        3.3430575583588128105e4, 2.5090809287301226727e3,
    )  # fmt: skip
    below = _degree_7(
        r, 1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
        2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
        5.2264952788528545610e3,
    )  # fmt: skip
    return q * above / below


@rule
def _near_tail(r: float) -> float:
    """Return the distance of the quantile from 0, r = sqrt(-log p) at most 5."""
    r = r - 1.6
    above = _degree_7(
        r, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
        3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
        2.27238449892691845833e-2, 7.74545014278341407640e-4,
    )  # fmt: skip
    below = _degree_7(
        r, 1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
        1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    )  # fmt: skip
    return above / below


@rule
def _far_tail(r: float) -> float:
    """Return the distance of the quantile from 0, r = sqrt(-log p) above 5."""
    r = r - 5.0
    above = _degree_7(
        r, 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
        2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
        2.71155556874348757815e-5, 2.01033439929228813265e-7,
    )  # fmt: skip
    below = _degree_7(
        r, 1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
        7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    )  # fmt: skip
    return above / below


@inlined_rule
def normal_quantile(p: float) -> float:
    """Return the standard normal quantile of a probability, 0 < p < 1 [1]."""
    q = p - 0.5
    if abs(q) <= _CENTRE:
        return _centre(q)
    r = math.sqrt(-log(p if q < 0.0 else 1.0 - p))
    distance = _near_tail(r) if r <= _NEAR_TAIL else _far_tail(r)
    return -distance if q < 0.0 else distance
