"""Designs: which values of which keys are tried together."""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import RunError, UnitError
from twin.experiments.how import Design, as_scenario, is_whole
from twin.scenario import Scenario, vary_all
from twin.scenario.quantities import Quantity
from twin.scenario.schema import node_at

__all__ = [
    "Range",
    "checked_seed",
    "design_of",
    "designs_at",
    "dimensions",
    "grid",
    "latin_hypercube",
    "levels_of",
    "one_at_a_time",
    "read_factor",
    "sobol",
]

Levels = Mapping[str, Sequence[Any]]
_MOST_DESIGNS = 10_000
_NOT_VARIED = {
    "run.seed": "replications have seeds of their own: give the first with seed=, or --seed",
    "run.horizon": "all runs are of one length: give it with until=, or --until",
    "run.engine": "both engines give the same rows",
}
"""Keys that no design can differ in, and why."""


@dataclass(frozen=True)
class Range:
    """All values of a key from ``low`` to ``high``, both as a scenario would say them."""

    low: Any
    high: Any

    def value_at(self, key: str) -> Callable[[float], Any]:
        """Return what gives the value at a share of the way from low to high [1].

        Raises
        ------
        RunError
            Between such values there is nothing, or high is not above low.
        """
        kinds = [one.kind for one in _metadata(key) if isinstance(one, Quantity)]
        if kinds and isinstance(self.low, str) and isinstance(self.high, str):
            kind = kinds[0]
            try:
                low, high = float(kind.parse(self.low)), float(kind.parse(self.high))
            except UnitError as error:
                raise RunError(f"{key}: {error}") from error
            is_whole = isinstance(kind.parse(self.low), int)
            self._check_order(key, low, high)
            return lambda share: kind.format(_between(low, high, share, is_whole=is_whole))
        if not all(
            isinstance(end, (int, float)) and not isinstance(end, bool) and math.isfinite(end)
            for end in (self.low, self.high)
        ):
            raise RunError(
                f"{key}: between {self.low!r} and {self.high!r} there is nothing",
                hint="a range has numbers, or quantities with units, at both ends",
            )  # fmt: skip
        self._check_order(key, self.low, self.high)
        if isinstance(self.low, int) and isinstance(self.high, int):
            # Each whole number has an equal share of the way.
            count = self.high - self.low + 1
            return lambda share: self.low + min(int(share * count), count - 1)
        return lambda share: _between(self.low, self.high, share, is_whole=False)

    def _check_order(self, key: str, low: float, high: float) -> None:
        if not low < high:
            raise RunError(
                f"{key}: {self.high!r} is not above {self.low!r}", hint="a range goes up: LOW..HIGH"
            )


def read_factor(text: str) -> tuple[str, list[Any] | Range]:
    """Read "KEY=A,B,C" as a key with its levels, "KEY=A..B" as one with a range.

    Raises
    ------
    RunError
        It is neither.

    >>> read_factor("work.pick_scale=0.8,1")
    ('work.pick_scale', [0.8, 1])
    >>> read_factor("links.ble.loss=1 %..5 %")[1]
    Range(low='1 %', high='5 %')
    """
    key, equals, values = text.partition("=")
    levels = [_value(one) for one in values.split(",") if one.strip()]
    if not (key.strip() and equals and levels):
        raise RunError(f"{text!r} varies nothing", hint="write KEY=A,B,C, or KEY=A..B for a range")
    low, dots, high = values.partition("..")
    if dots and len(levels) == 1:
        return key.strip(), Range(_value(low), _value(high))
    return key.strip(), levels


def grid(scenario: str | Path | Scenario, levels: Levels) -> list[Design]:
    """Return every combination of levels, the last key changing first.

    Parameters
    ----------
    scenario
        What all designs begin with: a scenario, its path, or the name of a packaged one.
    levels
        Of each key, as a scenario would say them.

    Raises
    ------
    RunError
        There are no levels, or more than 10,000 combinations.
    ScenarioError
        A key or value that no scenario can have.
    """
    base = as_scenario(scenario)
    levels = {key: levels_of(key, values) for key, values in levels.items()}
    count = math.prod(len(values) for values in levels.values())
    if not levels or not 1 <= count <= _MOST_DESIGNS:
        raise RunError(
            f"a grid of {count if levels else 0:,} designs",
            hint=f"give each key a level, and at most {_MOST_DESIGNS:,} combinations",
        )
    combinations = itertools.product(*levels.values())
    return [design_of(base, dict(zip(levels, values, strict=True))) for values in combinations]


def one_at_a_time(
    scenario: str | Path | Scenario, levels: Mapping[str, Sequence[Any] | Range]
) -> list[Design]:
    """Return the scenario as it is, called "base", and designs with one key changed each.

    Parameters
    ----------
    scenario
        What all designs begin with: a scenario, its path, or the name of a packaged one.
    levels
        Of each key; of a range its two ends.

    Raises
    ------
    RunError
        There is no key, or one without a level.
    ScenarioError
        A key or value that no scenario can have.
    """
    if not levels:
        raise RunError("nothing is varied", hint="give a key and its levels, or a range")
    base = as_scenario(scenario)
    designs = [Design("base", base, dict.fromkeys(levels))]
    for key, given in levels.items():
        if isinstance(given, Range):
            given.value_at(key)
        values = (given.low, given.high) if isinstance(given, Range) else levels_of(key, given)
        if not values:
            raise RunError(f"{key} has no level", hint="give it a value or more, or a range")
        for value in values:
            changed = design_of(base, {key: value})
            factors = {**dict.fromkeys(levels), key: value}
            designs.append(Design(changed.name, changed.scenario, factors))
    return designs


def latin_hypercube(
    scenario: str | Path | Scenario, ranges: Mapping[str, Range], count: int, *, seed: int = 1
) -> list[Design]:
    """Return designs that fill the ranges evenly: each key has each of its shares once.

    McKay, Beckman and Conover, Technometrics 21, 1979.

    Parameters
    ----------
    scenario
        What all designs begin with: a scenario, its path, or the name of a packaged one.
    ranges
        Of each key.
    count
        How many designs [1].
    seed
        Of the shuffling.
    """
    from scipy.stats import qmc  # noqa: PLC0415 - takes a second, and few need it

    points = qmc.LatinHypercube(dimensions(ranges, count), rng=checked_seed(seed)).random(count)
    return designs_at(as_scenario(scenario), ranges, points)


def sobol(
    scenario: str | Path | Scenario, ranges: Mapping[str, Range], count: int, *, seed: int = 1
) -> list[Design]:
    """Return designs at the points of a scrambled Sobol sequence, evener still than by shuffling.

    Sobol, 1967; Owen's scrambling, 1995.

    Parameters
    ----------
    scenario
        What all designs begin with: a scenario, its path, or the name of a packaged one.
    ranges
        Of each key.
    count
        How many designs, a power of two [1].
    seed
        Of the scrambling.

    Raises
    ------
    RunError
        The count is no power of two: the sequence would not be even.
    """
    from scipy.stats import qmc  # noqa: PLC0415 - takes a second, and few need it

    keys = dimensions(ranges, count)
    if count & (count - 1):
        below = 1 << (count.bit_length() - 1)
        raise RunError(
            f"{count} points of a Sobol sequence are not even", hint=f"take {below} or {2 * below}"
        )
    points = qmc.Sobol(keys, rng=checked_seed(seed)).random(count)
    return designs_at(as_scenario(scenario), ranges, points)


def dimensions(ranges: Mapping[str, Range], count: int) -> int:
    """Return how many keys there are to vary.

    Parameters
    ----------
    ranges
        Of each key.
    count
        How many designs there are to be [1].

    Raises
    ------
    RunError
        A key has no range, or there are too many designs.
    """
    for key, given in ranges.items():
        if not isinstance(given, Range):
            raise RunError(f"{key}: a range is due, not {given!r}", hint="write KEY=LOW..HIGH")
    if not ranges or not is_whole(count) or not 1 <= count <= _MOST_DESIGNS:
        raise RunError(
            f"{count!r} designs of {len(ranges)} ranges",
            hint=f"vary one key or more, in 1 to {_MOST_DESIGNS:,} designs",
        )
    return len(ranges)


def designs_at(
    scenario: Scenario, ranges: Mapping[str, Range], points: NDArray[np.float64]
) -> list[Design]:
    """Return designs at points of the unit cube.

    Parameters
    ----------
    scenario
        What all designs begin with: a scenario, its path, or the name of a packaged one.
    ranges
        Of each key.
    points
        Shares of the way from low to high, shape (designs, keys) [1].
    """
    values = [given.value_at(key) for key, given in ranges.items()]
    found = []
    for number, point in enumerate(points.tolist(), 1):
        chosen = {key: at(share) for key, at, share in zip(ranges, values, point, strict=True)}
        design = design_of(scenario, chosen)
        found.append(Design(f"design {number}", design.scenario, chosen))
    return found


def levels_of(key: str, given: Any) -> tuple[Any, ...]:
    """Return the levels of a key.

    Raises
    ------
    RunError
        They are no list.
    """
    if isinstance(given, (str, Range)) or not isinstance(given, Iterable):
        raise RunError(f"{key}: levels are a list, not {given!r}", hint="write [A, B, C]")
    return tuple(given)


def checked_seed(seed: int) -> int:
    """Return a seed of points.

    Raises
    ------
    RunError
        It is no whole number from 0 on.
    """
    if not is_whole(seed) or seed < 0:
        raise RunError(f"seed is a whole number from 0 on, not {seed!r}")
    return int(seed)


def design_of(scenario: Scenario, chosen: Mapping[str, Any]) -> Design:
    """Return a design that is called by what was chosen.

    Raises
    ------
    RunError
        A key in which designs cannot differ.
    ScenarioError
        A key or value that no scenario can have.
    """
    for key in chosen:
        if key in _NOT_VARIED:
            raise RunError(f"{key} cannot be varied", hint=_NOT_VARIED[key])
    name = ", ".join(f"{key}={value}" for key, value in chosen.items())
    return Design(name, vary_all(scenario, chosen), dict(chosen))


def _between(low: float, high: float, share: float, *, is_whole: bool) -> float:
    value = low + share * (high - low)
    if is_whole:
        return round(value)
    # Steps of some hundred thousandth of the range: nobody reads more digits, or sets them.
    return round(value, 4 - math.floor(math.log10(high - low)))


def _metadata(key: str) -> tuple[Any, ...]:
    node = node_at(key.split("."))
    return node.metadata if node is not None else ()


def _value(text: str) -> Any:
    """Return a value as TOML has it; what TOML cannot read is a text."""
    try:
        return tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
