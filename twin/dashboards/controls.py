"""Controls: what kind of slider a key of the scenario gets, and from where to where it goes."""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from twin.dashboards.limits import (
    finest_unit,
    limits_of,
    nice_step,
    quantity_of,
    rounded,
    shown,
)
from twin.errors import RunError, ScenarioError, UnitError
from twin.experiments import Range
from twin.scenario import Scenario, vary
from twin.scenario.quantities import Quantity
from twin.scenario.schema import Node, node_at

__all__ = ["Control", "Factor", "Factors", "controls_of", "usual_keys"]

Factor = Range | Sequence[Any] | None
"""What a slider may be set to: a range, some values, or as far as is usual."""
Factors = Mapping[str, Factor] | Sequence[str]

_NOT_VARIED = ("run", "name", "question")


@dataclass(frozen=True)
class Control:
    """One key that the planner may change: which kind of widget, its ends, its steps.

    What is shown is a number in ``unit``, or one of ``choices``; ``start`` is what the scenario
    says now, ``low``, ``high`` and ``step`` are shown numbers.
    """

    key: str
    kind: Literal["whole", "number", "choice", "switch"]
    start: Any
    unit: str = ""
    low: float = 0
    high: float = 0
    step: float = 1
    choices: tuple[Any, ...] = ()
    tooltip: str = ""
    is_quantity: bool = False

    @property
    def label(self) -> str:
        """What stands beside the slider: the end of the key, and the unit of a quantity."""
        steps = self.key.split(".")
        words = " ".join(steps[-2:] if len(steps) > 2 else steps[-1:]).replace("_", " ")
        return f"{words} [{self.unit}]" if self.unit else words

    def said(self, value: Any) -> Any:
        """Return what is shown as the scenario would say it: 50 as "50 ms".

        Raises
        ------
        RunError
            The control cannot show such a value.
        """
        if self.kind in {"choice", "switch"}:
            if not any(value == one and type(value) is type(one) for one in self.choices):
                allowed = ", ".join(str(one) for one in self.choices)
                raise RunError(f"{self.key}: {value!r} is not offered", hint=f"choose of {allowed}")
            return value
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (is_number and self.low <= value <= self.high):
            raise RunError(
                f"{self.key}: {value!r} is not on the slider",
                hint=f"it goes from {self.low:g} to {self.high:g} {self.unit}".rstrip(),
            )
        if self.kind == "whole":
            return int(value)
        # A slider adds steps up: 0.30000000000000004 is 0.3.
        number = rounded(float(value))
        return f"{number!r} {self.unit}" if self.is_quantity else number


def controls_of(scenario: Scenario, factors: Factors | None = None) -> tuple[Control, ...]:
    """Return a control for each key, made from the schema and from what the scenario says.

    Where no range is given, a slider goes from the least that the schema allows to twice what the
    scenario says, and not beyond what the schema allows; from 0 it goes to 10; of powers and
    temperatures, whose zero is nothing special, 10 to both sides. Counts end where the scenario
    refuses them, such as at its last station. What the scenario says now can always be set.

    Parameters
    ----------
    scenario
        Whose keys they are.
    factors
        Keys, or a range or list of values for each; default: how many gateways and workers there
        are, their pace, and the Wi-Fi's power save.

    Raises
    ------
    ScenarioError
        A key or value that no scenario can have.
    RunError
        There are no keys, or one of which no slider can be made.
    """
    asked = usual_keys(scenario) if factors is None else factors
    if isinstance(asked, str):
        asked = (asked,)
    given = dict(asked) if isinstance(asked, Mapping) else dict.fromkeys(asked)
    if not given:
        raise RunError("a plan without anything to change", hint='name keys: ["work.pick_scale"]')
    document = scenario.document()
    return tuple(_control(scenario, document, key, factor) for key, factor in given.items())


def usual_keys(scenario: Scenario) -> list[str]:
    """Return the keys that a planner changes first."""
    gateways = [f"fleet.gateways.{group.name}.count" for group in scenario.fleet.gateways]
    workers = [f"work.shifts.{shift.name}.workers" for shift in scenario.work.shifts]
    rest = ["work.pick_scale", "links.power_save"] if gateways and workers else []
    return [*gateways, *workers, *rest]


def _control(scenario: Scenario, document: Mapping[str, Any], key: str, factor: Factor) -> Control:
    """Return the control of one key."""
    if key.split(".", 1)[0] in _NOT_VARIED:
        raise RunError(
            f"{key}: both sides of a plan have the same",
            hint="say how long and with what luck with until=... and seed=...",
        )
    node, value = _found(scenario, document, key)
    tooltip = f"{key}: {_allowed(node)}"
    if isinstance(factor, Range):
        return _slider(key, node, value, factor, tooltip)
    if factor is not None:
        return _choice(scenario, key, value, factor, tooltip)
    words = typing.get_args(node.annotation)
    if typing.get_origin(node.annotation) is Literal:
        return Control(key, "choice", value, choices=words, tooltip=tooltip)
    if isinstance(value, bool):
        return Control(key, "switch", value, choices=(False, True), tooltip=tooltip)
    return _possible(scenario, _slider(key, node, value, None, tooltip))


def _found(scenario: Scenario, document: Mapping[str, Any], key: str) -> tuple[Node, Any]:
    """Return the place of a key in the schema, and what the scenario says there."""
    here: Any = document
    for step in key.split("."):
        here = _below(here, step)
    node = node_at(key.split("."))
    if here is None or node is None:
        # Whoever misspelt a key or a name is told the nearest one.
        vary(scenario, key, 0)
        raise RunError(f"{scenario.name} does not say {key}", hint="set it in the scenario first")
    return node, here


def _below(here: Any, step: str) -> Any:
    if isinstance(here, Mapping):
        return here.get(step)
    if isinstance(here, (list, tuple)):
        named = (one for one in here if isinstance(one, Mapping) and one.get("name") == step)
        found = next(named, None)
        if found is None and step.isascii() and step.isdigit() and int(step) < len(here):
            return here[int(step)]
        return found
    return None


def _choice(
    scenario: Scenario, key: str, value: Any, values: Sequence[Any], tooltip: str
) -> Control:
    """Return a control with some values, each of which the scenario can have."""
    if isinstance(values, str) or not values:
        raise RunError(f"{key}: {values!r} is no list of values", hint="give a list, or a Range")
    for one in values:
        vary(scenario, key, one)
    known = any(one == value and type(one) is type(value) for one in values)
    choices = tuple(values) if known else (value, *values)
    return Control(key, "choice", value, choices=choices, tooltip=tooltip)


def _slider(key: str, node: Node, value: Any, given: Range | None, tooltip: str) -> Control:
    """Return a slider for a number, or for a quantity in the finest unit of those given."""
    quantity = quantity_of(node)
    said = [value] if given is None else [value, given.low, given.high]
    unit = finest_unit(quantity.kind, said) if quantity else ""
    is_whole = quantity is None and isinstance(value, int)
    try:
        numbers = [_number(quantity, one, unit, is_whole=is_whole) for one in said]
    except (UnitError, TypeError) as error:
        values = " to ".join(repr(one) for one in said[-2:])
        raise RunError(
            f"{key}: no slider can show {values}",
            hint=f"give a list of values, or a Range; allowed: {_allowed(node)}",
        ) from error
    limits, start = limits_of(node, unit), numbers[0]
    if given is None:
        low, high = limits.usual(start, quantity.kind if quantity else None, is_whole=is_whole)
    else:
        low, high = numbers[1:]
        if not (low < high and limits.hold(low) and limits.hold(high)):
            raise RunError(
                f"{key}: no slider can go from {given.low!r} to {given.high!r}",
                hint=f"from less to more; allowed: {_allowed(node)}",
            )
    low, high = min(low, start), max(high, start)
    if is_whole:
        return Control(
            key, "whole", int(start), low=int(low), high=int(high), tooltip=tooltip
        )  # fmt: skip
    step = nice_step(high - low)
    if quantity is not None and isinstance(quantity.kind.parse(quantity.kind.example), int):
        step = max(step, 1 / float(quantity.kind.units[unit]))  # a part of a microsecond is none
    return Control(
        key, "number", start, unit, rounded(low), rounded(high), step,
        tooltip=tooltip, is_quantity=quantity is not None,
    )  # fmt: skip


def _possible(scenario: Scenario, control: Control) -> Control:
    """Return a slider of whole numbers without the ends that the scenario refuses.

    Nobody named these ends, and there may be fewer stations than gateways on the slider.
    """
    if control.kind != "whole":
        return control
    start = int(control.start)
    low = start - _reach(scenario, control.key, start, -1, start - int(control.low))
    high = start + _reach(scenario, control.key, start, 1, int(control.high) - start)
    return replace(control, low=low, high=high)


def _reach(scenario: Scenario, key: str, start: int, way: int, most: int) -> int:
    """Return how many steps one way, up to ``most``, the scenario can be told to go."""
    can, cannot = 0, most + 1
    if most and not _refuses(scenario, key, start + way * most):
        return most
    while cannot - can > 1:
        middle = (can + cannot) // 2
        if _refuses(scenario, key, start + way * middle):
            cannot = middle
        else:
            can = middle
    return can


def _refuses(scenario: Scenario, key: str, value: int) -> bool:
    try:
        vary(scenario, key, value)
    except ScenarioError:
        return True
    return False


def _number(quantity: Quantity | None, value: Any, unit: str, *, is_whole: bool) -> float:
    """Return a value as a slider shows it; raises UnitError and TypeError."""
    if quantity is not None:
        return shown(quantity, value, unit)
    kinds = int if is_whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        raise TypeError(value)
    return value


def _allowed(node: Node) -> str:
    told = f"{node.description}; " if node.description and quantity_of(node) else ""
    return told + node.allowed
