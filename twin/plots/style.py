"""How every picture looks: colours that the colour-blind can tell apart, readable numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.patches import StepPatch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PALETTE",
    "SKY",
    "VERMILLION",
    "Mark",
    "colours",
    "draw_steps",
    "group_codes",
    "house_style",
    "legend_above",
    "mark_values",
    "say_empty",
    "stack",
    "thousands",
    "tidy",
    "two_digits",
]

# Okabe and Ito, Color Universal Design (2008): told apart with any colour vision.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, VERMILLION, YELLOW = "#56B4E9", "#D55E00", "#F0E442"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW)
GREY = "#999999"
INK = "#222222"

OTHERS = "others"

_MOST_EDGES = 100

# Of a legend: its size [points]; what a letter and the sign before a text take then [inches].
_LEGEND_SIZE, _LETTER, _SIGN = 10.0, 0.083, 0.52

_RC: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    # One salt: the same run draws the same bytes.
    "svg.hashsalt": "twin",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save within this, and pictures look alike whatever the user's settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def colours(count: int) -> tuple[str, ...]:
    """Give `count` colours; those beyond the palette are grey."""
    return (*PALETTE, *[GREY] * max(0, count - len(PALETTE)))[:count]


def tidy(ax: Axes) -> Axes:
    """Take away the frame that says nothing, and help the eye along the y axis."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="#dddddd", linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def say_empty(ax: Axes, what: str) -> Axes:
    """Write `what` in the middle of axes that have nothing to show."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.text(0.5, 0.5, what, transform=ax.transAxes, ha="center", va="center", color=GREY, size=14)
    return ax


def thousands(axis: Axis) -> None:
    """Write the ticks of an axis of counts as 12,000."""
    axis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def two_digits(value: float) -> str:
    """Write a number to two significant digits, from a hundred on to whole ones: "0.42", "123"."""
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else "-"
    if abs(value) >= 99.5:
        return f"{value:,.0f}"
    # Rounded before its digits are counted: 9.96 is "10", not "10.0".
    rounded = float(f"{value:.2g}")
    places = max(0, 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:.{places}f}"


@dataclass(frozen=True)
class Mark:
    """A value on the x axis that is worth a line: where [data], what to write, its colour."""

    x: float
    text: str
    colour: str


# What the text of a mark takes of the axes: width and height [1].
_TEXT_WIDTH, _TEXT_HEIGHT = 0.15, 0.075


def mark_values(ax: Axes, marks: Sequence[Mark]) -> None:
    """Draw a line at each mark, and texts beside them that do not run into each other.

    Parameters
    ----------
    ax
        Where to draw; its x axis has its final scale and limits.
    marks
        In any order.
    """
    to_axes = ax.transData + ax.transAxes.inverted()
    ends: list[float] = []
    for mark in sorted(marks, key=lambda mark: mark.x):
        place = float(to_axes.transform((mark.x, 1.0))[0])
        # A line reaches up to its text: it must pass right of every text below that.
        level = max((level + 1 for level, end in enumerate(ends) if end > place), default=0)
        ends[level:] = [place + _TEXT_WIDTH]
        _mark(ax, mark, 0.98 - _TEXT_HEIGHT * level)


def _mark(ax: Axes, mark: Mark, top: float) -> None:
    ax.axvline(mark.x, ymax=top, color=mark.colour, linewidth=1, linestyle="--")
    ax.annotate(
        mark.text,
        (mark.x, top),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        color=mark.colour,
        size=9,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
    )


def legend_above(ax: Axes, handles: Sequence[Artist] | None = None) -> None:
    """Put the legend above the axes, where no data can be under it; of `handles`, if given.

    It is one line, and a small one where there is much to say.
    """
    shown, labels = ax.get_legend_handles_labels()
    if handles is not None:
        shown, labels = [*handles], [str(handle.get_label()) for handle in handles]
    room = ax.get_window_extent().width / ax.figure.dpi
    needed = sum(_SIGN + _LETTER * len(label) for label in labels)
    ax.legend(
        shown,
        labels,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.01),
        ncols=max(1, len(labels)),
        fontsize=_LEGEND_SIZE * min(1.0, room / max(needed, room)),
        frameon=False,
        borderaxespad=0.0,
        handlelength=1.2,
    )


def group_codes(column: pd.Series) -> tuple[list[str], NDArray[np.int64]]:
    """Name the groups in a column, the largest first, and give each row its group.

    Parameters
    ----------
    column
        Names, shape (rows,); rows without a name are counted with the others.

    Returns
    -------
    tuple
        Names, at most as many as there are colours and then "others", and the
        index into them, shape (rows,).
    """
    counts = column.value_counts()
    names = [str(name) for name in counts[counts > 0].index[: len(PALETTE)]]
    codes = column.map({name: code for code, name in enumerate(names)}).to_numpy(np.float64)
    rest = np.isnan(codes)
    if rest.any():
        codes = np.where(rest, len(names), codes)
        names.append(OTHERS)
    return names, codes.astype(np.int64)


def draw_steps(
    ax: Axes,
    heights: NDArray[Any],
    edges: NDArray[np.float64],
    *,
    colour: str,
    base: NDArray[Any] | float | None = 0.0,
    **style: Any,
) -> StepPatch:
    """Draw steps, filled down to a base, or a line where that is None.

    Unlike `Axes.stairs` it does not look at the limits of the axes, which takes long.

    Parameters
    ----------
    ax
        Where to draw; its limits are set by the caller.
    heights
        Shape (bins,), in the unit of the y axis; nothing is drawn where one is NaN.
    edges
        Shape (bins + 1,), in the unit of the x axis.
    colour
        Of the area, or of the line.
    base
        One for all bins, or shape (bins,), in the unit of the y axis.
    **style
        What else a matplotlib StepPatch takes.
    """
    line = {"fill": False, "edgecolor": colour}
    area = {"fill": True, "facecolor": colour, "linewidth": 0.0}
    look: dict[str, Any] = {"baseline": base, **(line if base is None else area), **style}
    patch = StepPatch(heights, edges, **look)
    ax.add_artist(patch)
    return patch


def stack(
    ax: Axes, heights: NDArray[np.float64], edges: NDArray[np.float64], names: Sequence[str]
) -> Axes:
    """Draw steps on top of each other, one colour for each group.

    Parameters
    ----------
    ax
        Where to draw.
    heights
        Shape (groups, bins), in the unit of the y axis.
    edges
        Shape (bins + 1,), in the unit of the x axis.
    names
        Of the groups, shape (groups,).
    """
    base = np.zeros(heights.shape[1])
    # White edges part the bins, until there is nothing else left to see.
    gap = 0.4 if heights.shape[1] <= _MOST_EDGES else 0.0
    # One patch for each group: a month of hours as single bars takes seconds to draw.
    for row, name, colour in zip(heights, names, colours(len(names)), strict=True):
        shade = GREY if name == OTHERS else colour
        style: dict[str, Any] = {"label": name, "edgecolor": "white", "linewidth": gap}
        draw_steps(ax, base + row, edges, colour=shade, base=base, **style)
        base = base + row
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, max(1.0, float(base.max(initial=0.0))) * 1.18)
    return ax
