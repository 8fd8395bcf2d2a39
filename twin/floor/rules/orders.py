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

NO_MORE_US = int(NEVER) // 2
"""When an order comes where no more come: never, with room to add working times [us]."""
_HOUR_US = 3_600_000_000.0
_DAY_H = 24

ORDERS = np.dtype(
    [
        ("state", "i8"),  # address state of the site's orders
        ("arrived", "i8"),
        ("due", "f8"),  # expected orders up to the last one
        ("hour", "i8"),  # in which that one came
        ("passed", "f8"),  # expected orders up to that hour
        ("returned", "i8"),  # orders that were taken and given back
    ]
)
"""How far the orders of the site have come."""

ORDER_DUE = np.dtype([("number", "i8"), ("due_us", "i8")])
"""An order and when it arrives or arrived."""


@rule
def next_order_us(orders: np.void, orders_per_h: NDArray[np.float64]) -> int:
    """Let the next order arrive; return when that is, or NO_MORE_US [us].

    Parameters
    ----------
    orders
        An ``ORDERS`` record; it is moved on.
    orders_per_h
        Expected orders in each hour [1/h], shape (hours,); behind its end the last day is repeated.
    """
    u = inner_unit(fold(fold(fold(orders["state"], orders["arrived"]), ORDER), 0))
    orders["arrived"] += 1
    orders["due"] -= log(u)
    idle_h = 0
    rate = _rate(orders_per_h, orders["hour"])
    while orders["passed"] + rate <= orders["due"]:
        idle_h = 0 if rate > 0.0 else idle_h + 1
        if idle_h > _DAY_H and orders["hour"] > len(orders_per_h):
            return NO_MORE_US
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


@rule
def take_order(
    orders: np.void,
    orders_per_h: NDArray[np.float64],
    returned: NDArray[np.void],
    in_hand: np.void,
) -> None:
    """Take the first order that nobody has.

    Parameters
    ----------
    orders, orders_per_h
        As for ``next_order_us`` [1/h].
    returned
        Array of ``ORDER_DUE`` records, room for one of each worker.
    in_hand
        The ``ORDER_DUE`` record to fill.
    """
    if orders["returned"] == 0:
        in_hand["number"] = orders["arrived"]
        in_hand["due_us"] = next_order_us(orders, orders_per_h)
        return
    orders["returned"] -= 1
    first, last = 0, orders["returned"]
    for i in range(1, last + 1):
        if returned[i]["number"] < returned[first]["number"]:
            first = i
    _copy(in_hand, returned[first])
    _copy(returned[first], returned[last])


@rule
def return_order(orders: np.void, returned: NDArray[np.void], in_hand: np.void) -> None:
    """Give an order back that was not begun: whoever is free next takes it."""
    _copy(returned[orders["returned"]], in_hand)
    orders["returned"] += 1


@rule
def _copy(to: np.void, order: np.void) -> None:
    """Copy an order."""
    to["number"] = order["number"]
    to["due_us"] = order["due_us"]
