"""Limits: between what a number of the scenario may lie, in the unit that its slider shows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import annotated_types

from twin import units
from twin.scenario.quantities import Quantity
from twin.scenario.schema import Node
from twin.units import Kind

__all__ = ["Limits", "finest_unit", "limits_of", "nice_step", "quantity_of", "rounded", "shown"]

_STEPS = 100
_AROUND = 10.0
_NO_ZERO = (units.POWER, units.TEMPERATURE)
"""Twice a power in dBm, or twice a temperature, is nothing that anybody would ask for."""


@dataclass(frozen=True)
class Limits:
    """What the schema allows of a number; ``above`` and ``below``: the end itself is not."""

    least: float = -math.inf
    most: float = math.inf
    above: bool = False
    below: bool = False

    def hold(self, number: float) -> bool:
        """Whether a number lies between them."""
        high_enough = number > self.least if self.above else number >= self.least
        low_enough = number < self.most if self.below else number <= self.most
        return high_enough and low_enough

    def usual(self, start: float, kind: Kind | None, *, is_whole: bool) -> tuple[float, float]:
        """Return the ends of a slider for which nobody named any, and that begins at ``start``."""
        if kind in _NO_ZERO:
            low, high = start - _AROUND, start + _AROUND
        else:
            span = max(2 * abs(start), abs(start) + 5) if is_whole else 2 * abs(start)
            span = span or _AROUND
            low, high = (0.0, span) if start >= 0 else (-span, 0.0)
        low, high = max(low, self.least), min(high, self.most)
        step = 1.0 if is_whole else nice_step(high - low)
        low += step if self.above and low == self.least else 0.0
        high -= step if self.below and high == self.most else 0.0
        if kind not in _NO_ZERO:
            low = step * math.ceil(low / step - 1e-9)  # from 7.5 ms on, but 8, 9, 10 ms
        return low, high


def quantity_of(node: Node) -> Quantity | None:
    """Return the quantity that a place holds; None where it holds none."""
    return next((extra for extra in node.metadata if isinstance(extra, Quantity)), None)


def limits_of(node: Node, unit: str) -> Limits:
    """Return what the schema allows at a place, in a unit."""
    quantity = quantity_of(node)
    if quantity is None:
        return _plain_limits(node.metadata)
    low, high = quantity.at_least or quantity.above, quantity.at_most or quantity.below
    return Limits(
        shown(quantity, low, unit) if low else -math.inf,
        shown(quantity, high, unit) if high else math.inf,
        above=bool(quantity.above),
        below=bool(quantity.below),
    )


def _plain_limits(metadata: Iterable[Any]) -> Limits:
    found: dict[str, Any] = {}
    for extra in metadata:
        match extra:
            case annotated_types.Ge(ge=bound):
                found["least"] = bound
            case annotated_types.Gt(gt=bound):
                found |= {"least": bound, "above": True}
            case annotated_types.Le(le=bound):
                found["most"] = bound
            case annotated_types.Lt(lt=bound):
                found |= {"most": bound, "below": True}
    return Limits(**found)


def shown(quantity: Quantity, value: Any, unit: str) -> float:
    """Return a quantity, said as a scenario says it, as a number in a unit.

    Raises
    ------
    UnitError
        It has not the unit that is due.
    """
    is_bare = quantity.bare and isinstance(value, (int, float)) and not isinstance(value, bool)
    number = float(value) if is_bare else float(quantity.kind.parse(value))
    return rounded(number / float(quantity.kind.units[unit]))


def finest_unit(kind: Kind, values: Iterable[Any]) -> str:
    """Return the smallest unit in which values are said; "1 h 30 min" is shown in minutes."""
    words = {word for value in values for word in str(value).replace("%", " % ").split()}
    words |= {str(value).strip().lstrip("+-0123456789. ") for value in values}
    said = [unit for unit in kind.units if unit in words]
    return min(said or list(kind.units)[:1], key=lambda unit: kind.units[unit])


def nice_step(width: float) -> float:
    """Return 1, 2 or 5 times a power of ten, so that about a hundred steps fill a width.

    >>> [nice_step(1), nice_step(16), nice_step(0.74), nice_step(300)]
    [0.01, 0.2, 0.01, 5.0]
    """
    if not width > 0:
        return 1.0
    least = width / _STEPS
    power = math.floor(math.log10(least) + 1e-9)
    factor = next(one for one in (1, 2, 5, 10) if one * 10.0**power >= least * (1 - 1e-9))
    return float(f"{factor}e{power}")


def rounded(number: float) -> float:
    """Return a number without what adding steps up leaves in its last digits.

    >>> rounded(0.1 + 0.2)
    0.3
    """
    return float(f"{number:.12g}")
