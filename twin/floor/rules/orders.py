"""Orders arrive as a Poisson process whose rate changes from hour to hour.

The next arrival of a rate-1 process, mapped back through the expected count, is the next arrival of
ours (Çinlar, "Introduction to Stochastic Processes", 1975; Law, "Simulation Modeling and
Analysis", 8.6.2).
"""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import rule
from twin.draws import fold, inner_unit, log, to_us
from twin.events import NEVER
from twin.floor.rules.streams import ORDER

_NEVER = int(NEVER)
_HOUR_US = 3_600_000_000.0
_DAY_H = 24

ORDERS = np.dtype(
    [
        ("state", "i8"),  # address state of the site's orders
        ("taken", "i8"),
        ("due", "f8"),  # expected orders up to the last one taken
        ("hour", "i8"),  # in which that one came
        ("passed", "f8"),  # expected orders up to that hour
    ]
)
"""How far the orders of the site have come."""


@rule
def take_order(orders: np.void, orders_per_h: NDArray[np.float64]) -> int:
    """Take the next order nobody has taken; return when it arrives or arrived [us].

    Parameters
    ----------
    orders
        An ``ORDERS`` record; it is moved on.
    orders_per_h
        Expected orders in each hour [1/h], shape (hours,); behind its end the last day is repeated.
    """
    u = inner_unit(fold(fold(fold(orders["state"], orders["taken"]), ORDER), 0))
    orders["taken"] += 1
    orders["due"] -= log(u)
    idle_h = 0
    rate = _rate(orders_per_h, orders["hour"])
    while orders["passed"] + rate <= orders["due"]:
        idle_h = 0 if rate > 0.0 else idle_h + 1
        if idle_h > _DAY_H and orders["hour"] > len(orders_per_h):
            return _NEVER
        orders["passed"] += rate
        orders["hour"] += 1
        rate = _rate(orders_per_h, orders["hour"])
    into = (orders["due"] - orders["passed"]) / rate
    return to_us((orders["hour"] + into) * _HOUR_US)


@rule
def _rate(orders_per_h: NDArray[np.float64], hour: int) -> float:
    """Return the expected orders in an hour [1]."""
    if hour < len(orders_per_h):
        return orders_per_h[hour]
    return orders_per_h[len(orders_per_h) - _DAY_H + (hour - len(orders_per_h)) % _DAY_H]
