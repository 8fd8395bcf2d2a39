"""What of a design matters: a bar for each key; and how rows of designs are named."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from twin.plots.style import BLUE, INK, ORANGE, SKY, legend_above, say_empty, tidy

__all__ = ["label", "name_rows", "shortened", "sobol_indices", "tornado", "wider"]

_LONGEST = 34


def tornado(ax: Axes, table: pd.DataFrame, kpi: str, unit: str) -> Axes:
    """Draw what each key does to a figure when it alone is changed, the most on top.

    Parameters
    ----------
    ax
        Where to draw.
    table
        Rows with `factor`, `low_value`, `high_value`, `at_low`, `at_high` and `base`.
    kpi, unit
        The figure and its unit.

    Returns
    -------
    Axes
        x: the figure; y: the keys; at the ends of each bar the value that leads there.
    """
    if table.empty:
        return say_empty(ax, "nothing was varied")
    swing = (table["at_high"] - table["at_low"]).abs()
    found = table.loc[swing.sort_values(ascending=False).index].reset_index(drop=True)
    base = float(found["base"].iloc[0])
    for place, (_, line) in enumerate(found.iterrows()):
        for end, colour in (("low", SKY), ("high", ORANGE)):
            at = float(line[f"at_{end}"])
            ax.barh(place, at - base, left=base, color=colour, height=0.6, gid=end)
        _name_ends(ax, place, line)
    ends = found[["at_low", "at_high"]].to_numpy(np.float64)
    low, high = wider(min(base, float(ends.min())), max(base, float(ends.max())))
    ax.set_xlim(low - 0.1 * (high - low), high + 0.1 * (high - low))
    ax.axvline(base, color=INK, linewidth=1)
    name_rows(ax, found["factor"].tolist())
    ax.set_xlabel(label(kpi, unit))
    return ax


def _name_ends(ax: Axes, place: int, line: pd.Series) -> None:
    """Write the values of a key beside its bar: left of it the one that leads to less.

    Both bars may lie on one side, or be nothing: their values never stand on each other.
    """
    ends = sorted(("low", "high"), key=lambda end: float(line[f"at_{end}"]))
    span = [float(line[name]) for name in ("at_low", "at_high", "base")]
    for end, at, side, shift in zip(
        ends, (min(span), max(span)), ("right", "left"), (-4, 4), strict=True
    ):
        ax.annotate(
            str(line[f"{end}_value"]), (at, place), ha=side, va="center", size=9,
            xytext=(shift, 0), textcoords="offset points",
        )  # fmt: skip


def sobol_indices(ax: Axes, table: pd.DataFrame, kpi: str) -> Axes:
    """Draw how much of a figure's variance each key decides, alone and with others.

    Parameters
    ----------
    ax
        Where to draw.
    table
        Rows with `factor`, `first`, `total` and their bounds `_low` and `_high` [1].
    kpi
        The figure.

    Returns
    -------
    Axes
        x: share of the variance [%]; y: the keys, the strongest on top.
    """
    if table.empty:
        return say_empty(ax, "nothing was varied")
    found = table.sort_values("total", ascending=False, ignore_index=True)
    places = np.arange(len(found))
    name_rows(ax, found["factor"].tolist())
    looks = (("total", ORANGE, "o", "with others", -0.12), ("first", BLUE, "s", "alone", 0.12))
    for name, colour, marker, text, shift in looks:
        share = 100.0 * found[name].to_numpy(np.float64)
        bounds = 100.0 * found[[f"{name}_low", f"{name}_high"]].to_numpy(np.float64).T
        ax.errorbar(
            share, places + shift, xerr=np.abs(bounds - share), fmt=marker, color=colour,
            capsize=3, label=text,
        )  # fmt: skip
    ax.axvline(0.0, color=INK, linewidth=1)
    ax.set_xlim(*_shares(found))
    ax.set_xlabel(f"share of the variance of {kpi} [%]")
    legend_above(ax)
    return ax


def _shares(table: pd.DataFrame) -> tuple[float, float]:
    ends: NDArray[np.float64] = 100.0 * table[["total_high", "first_high"]].to_numpy(np.float64)
    return -8.0, max(105.0, min(150.0, float(ends.max()) + 5.0))


def name_rows(ax: Axes, names: list[str]) -> None:
    """Name the rows of a picture, the first on top.

    Parameters
    ----------
    ax
        Whose rows are at 0, 1, 2 ...
    names
        Their names; long ones lose their front.
    """
    tidy(ax)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x", color="#dddddd", linewidth=0.8)
    ax.set_yticks(range(len(names)), [shortened(str(name)) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)


def shortened(name: str) -> str:
    """Shorten a name at its front, where designs are alike."""
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"


def label(kpi: str, unit: str) -> str:
    """Return what an axis of a figure is called, with its unit."""
    return kpi if unit in kpi.split("_") else f"{kpi} [{unit}]"


def wider(low: float, high: float) -> tuple[float, float]:
    """Return the ends of an axis with a little room beside what is on it.

    Parameters
    ----------
    low, high
        The ends of what is on it, in the axis' unit.
    """
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room
