"""exp, log and cos2pi from + - * / and bit moves only, so that every machine gives the same bits.

The processor's mathematical library differs between machines (with and without fused
multiply-add) and between Python, numpy and compiled code; a time that came out of one of them
would not be the same bytes elsewhere. Reduction, logarithm, sine and cosine follow
FreeBSD msun (e_exp.c, e_log.c, k_sin.c, k_cos.c); the error is at most one unit in the last place.
"""

import math

from twin.compiling import inlined_rule, rule
from twin.draws.bits import bits_of, float_of

_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10
_INV_LN2 = 1.44269504088896338700e00
_TWO_PI = 6.28318530717958647693e00
_EXPONENT_BIAS = 1023
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
_MANTISSA = (1 << 52) - 1
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11, _C12, _C13 = (
    1.0 / math.factorial(n) for n in range(2, 14)
)
_LARGEST_LOG = 709.0
_SMALLEST_LOG = -708.0


@inlined_rule
def exp(x: float) -> float:
    """Return e to the power x, for -708 <= x <= 709; beyond, the value at that end."""
    x = _SMALLEST_LOG if x < _SMALLEST_LOG else (_LARGEST_LOG if x > _LARGEST_LOG else x)
    k = int(x * _INV_LN2 + (0.5 if x >= 0.0 else -0.5))
    hi = x - k * _LN2_HI
    lo = k * _LN2_LO
    r = hi - lo  # abs(r) <= ln 2 / 2
    r2 = r * r
    r4 = r2 * r2
    # The Taylor series of (e^r - 1 - r) / r^2 in pairs (Estrin), so that few steps wait for others.
    low = (_C2 + _C3 * r) + r2 * (_C4 + _C5 * r)
    middle = (_C6 + _C7 * r) + r2 * (_C8 + _C9 * r)
    high = (_C10 + _C11 * r) + r2 * (_C12 + _C13 * r)
    y = 1.0 + (hi + (r2 * ((low + r4 * middle) + (r4 * r4) * high) - lo))
    return y * float_of((k + _EXPONENT_BIAS) << 52)


@rule
def log(x: float) -> float:
    """Return the natural logarithm of a positive normal number."""
    bits = bits_of(x) - _SQRT_HALF_BITS
    k = bits >> 52
    f = float_of((bits & _MANTISSA) + _SQRT_HALF_BITS) - 1.0
    half_square = 0.5 * f * f
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (
        3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01)
    )
    odd = z * (
        6.666666666666735130e-01
        + w
        * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    return s * (half_square + (odd + even)) + k * _LN2_LO - half_square + f + k * _LN2_HI


@rule
def _sin_kernel(x: float) -> float:
    """Return sin x for abs(x) <= pi / 4."""
    z = x * x
    r = 8.33333333332248946124e-03 + z * (
        -1.98412698298579493134e-04
        + z
        * (
            2.75573137070700676789e-06
            + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)
        )
    )
    return x + z * x * (-1.66666666666666324348e-01 + z * r)


@rule
def _cos_kernel(x: float) -> float:
    """Return cos x for abs(x) <= pi / 4."""
    z = x * x
    r = z * (
        4.16666666666666019037e-02
        + z
        * (
            -1.38888888888741095749e-03
            + z
            * (
                2.48015872894767294178e-05
                + z
                * (
                    -2.75573143513906633035e-07
                    + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)
                )
            )
        )
    )
    half = 0.5 * z
    w = 1.0 - half
    return w + (((1.0 - w) - half) + z * r)


@rule
def cos2pi(turns: float) -> float:
    """Return the cosine of an angle given in turns, 0 <= turns < 1 [1]."""
    quadrant = int(4.0 * turns + 0.5)
    x = (turns - 0.25 * quadrant) * _TWO_PI  # the difference is exact
    c, s = bits_of(_cos_kernel(x)), bits_of(_sin_kernel(x))
    # Chosen by mask: the quadrant is random, so a branch would be mispredicted half the time.
    value = c ^ ((c ^ s) & -(quadrant & 1))
    return float_of(value ^ (-(((quadrant + 1) >> 1) & 1) << 63))


@inlined_rule
def to_us(x: float) -> int:
    """Round a duration that is not negative to whole microseconds, halves up [us]."""
    return int(x + 0.5)
