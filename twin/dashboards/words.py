"""What a row of a plan's table says in words: the figure, its numbers, what is decided."""

from __future__ import annotations

import math

import pandas as pd

from twin.experiments.tables import number

__all__ = ["DIFFERENCE", "NOW", "PLANNED", "line_of", "name_of", "numbers", "verdict"]

NOW, PLANNED, DIFFERENCE = "now", "planned", "difference"


def line_of(line: pd.Series) -> str:
    """Return a key figure now, planned, and by how much it differs, as far as it is known."""
    sides = [f"{NOW} {_said(line, NOW)}"]
    if PLANNED in line:
        sides += [f"{PLANNED} {_said(line, PLANNED)}"]
        sides += [f"difference {_said(line, DIFFERENCE)}, {verdict(line)}"]
    return f"{name_of(line)}: {'; '.join(sides)}"


def name_of(line: pd.Series) -> str:
    """Return the name of a key figure, with the unit where it does not say it."""
    name, unit = str(line["kpi"]), str(line["unit"])
    return name if unit in name.split("_") else f"{name} [{unit}]"


def numbers(line: pd.Series, side: str) -> tuple[str, str, str]:
    """Write an estimate and its bounds with as many digits as they are good for.

    A difference that is decided shows it: its bounds are not rounded to zero.
    """
    value, low, high = (float(line[f"{side}{end}"]) for end in ("", "_low", "_high"))
    width = high - low
    if low > 0 or high < 0:
        width = max(min(width, abs(low), abs(high)), width / 100)
    return number(value, width), number(low, width), number(high, width)


def _said(line: pd.Series, side: str) -> str:
    value, low, high = numbers(line, side)
    return f"{value} ({low} to {high})"


def verdict(line: pd.Series) -> str:
    """Say what the interval of the difference decides."""
    low, high = float(line["difference_low"]), float(line["difference_high"])
    if low == high == 0:
        return "the same"
    if high < 0:
        return "smaller"
    if low > 0:
        return "larger"
    return "not decided" if math.isfinite(low + high) else "unknown"
