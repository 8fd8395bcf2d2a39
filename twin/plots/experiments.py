"""Experiments: estimates with their intervals, differences, risk, and what matters most."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from twin.analysis.intervals import Interval, mean_interval, quantile_interval
from twin.plots.designs import label, name_rows, shortened, wider
from twin.plots.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALETTE,
    SKY,
    VERMILLION,
    Mark,
    legend_above,
    mark_values,
    say_empty,
    tidy,
    two_digits,
)

__all__ = [
    "completion_band",
    "differences",
    "intervals",
    "more",
    "response",
    "warm_up",
]

_LIKELY = (0.05, 0.95)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def intervals(
    ax: Axes, table: pd.DataFrame, kpi: str, *, limit: float | None = None,
    runs: pd.DataFrame | None = None,
) -> Axes:  # fmt: skip
    """Draw the mean of each design with its interval.

    Parameters
    ----------
    ax
        Where to draw.
    table
        Rows with `design`, `kpi`, `unit`, `mean`, `low` and `high`.
    kpi
        Which of them.
    limit
        Where a line is drawn, such as what was promised, in the figure's unit.
    runs
        Rows with `design` and the figure: single runs, drawn as dots behind.

    Returns
    -------
    Axes
        x: the figure in its unit; y: the designs, the first on top.
    """
    found = table[table["kpi"] == kpi]
    if found["mean"].notna().sum() == 0:
        return say_empty(ax, "no runs")
    places = np.arange(len(found))
    if runs is not None:
        for place, design in zip(places, found["design"], strict=True):
            own = runs.loc[runs["design"] == design, kpi].to_numpy(np.float64)
            ax.plot(
                own, np.full(len(own), place), "o", color=GREY, markersize=3, alpha=0.5, gid="runs"
            )
    _bars(ax, found.assign(middle=found["mean"]), places, BLUE, "o")
    name_rows(ax, found["design"].tolist())
    ax.set_xlabel(label(kpi, found["unit"].iloc[0]))
    if limit is not None:
        low, high = ax.get_xlim()
        room = high - low
        ax.set_xlim(min(low, limit - 0.02 * room), max(high, limit + 0.15 * room))
        mark_values(ax, [Mark(limit, f"limit {two_digits(limit)}", VERMILLION)])
    return ax


def differences(ax: Axes, table: pd.DataFrame, kpi: str) -> Axes:
    """Draw by how much each design differs from the baseline, pair by pair.

    Parameters
    ----------
    ax
        Where to draw.
    table
        Rows with `design`, `baseline`, `kpi`, `unit`, `difference`, `low` and `high`.
    kpi
        Which of them.

    Returns
    -------
    Axes
        x: design less baseline, in the figure's unit; y: the designs, the first on top; colour
        and marker say whether the interval lies below zero, above it, or across.
    """
    found = table[table["kpi"] == kpi].reset_index(drop=True)
    if found["difference"].notna().sum() == 0:
        return say_empty(ax, "no pairs of runs")
    kinds = (
        (found["high"] < 0, BLUE, "v", "smaller"),
        (found["low"] > 0, VERMILLION, "^", "larger"),
        ((found["low"] <= 0) & (found["high"] >= 0), GREY, "o", "not decided"),
    )
    handles = []
    for which, colour, marker, name in kinds:
        own = found[which]
        if len(own):
            places = own.index.to_numpy()
            _bars(ax, own.assign(middle=own["difference"]), places, colour, marker)
            handles.append(Line2D([], [], color=colour, marker=marker, linestyle="", label=name))
    ax.axvline(0.0, color=INK, linewidth=1)
    name_rows(ax, found["design"].tolist())
    base = shortened(str(found["baseline"].iloc[0]))
    ax.set_xlabel(f"{label(kpi, found['unit'].iloc[0])}, difference to {base}")
    legend_above(ax, handles)
    return ax


def more(ax: Axes, runs: pd.DataFrame, kpi: str, unit: str) -> Axes:
    """Draw a measure of risk and error: how runs are spread, and how well that is known.

    Nelson, "The MORE plot: displaying measures of risk and error from simulation output", Winter
    Simulation Conference 2008.

    Parameters
    ----------
    ax
        Where to draw.
    runs
        Rows of runs with the figure.
    kpi, unit
        The figure and its unit.

    Returns
    -------
    Axes
        x: the figure; y: number of runs; what is likely (between the 5 % and the 95 % quantile)
        is shaded; below, intervals of the mean and of both quantiles, an arrow where a bound is
        not known.
    """
    samples = runs[kpi].to_numpy(np.float64)
    samples = samples[np.isfinite(samples)]
    ax.set_xlabel(label(kpi, unit))
    if len(samples) < 2:
        return say_empty(ax, "fewer than two runs")
    counts, edges, _ = ax.hist(samples, bins="auto", color=SKY, edgecolor="white", gid="runs")
    low, high = (quantile_interval(samples, share) for share in _LIKELY)
    ax.axvspan(low.estimate, high.estimate, color=BLUE, alpha=0.1, linewidth=0, gid="likely")
    top = float(np.max(counts))
    ax.set_xlim(wider(float(edges[0]), float(edges[-1])))
    ax.set_ylim(-0.45 * top, 1.1 * top)
    rows = (("5 %", low, ORANGE), ("mean", mean_interval(samples), BLUE), ("95 %", high, ORANGE))
    for level, (name, interval, colour) in enumerate(rows):
        _whisker(ax, interval, -(0.1 + 0.13 * level) * top, name, colour)
    ax.axhline(0.0, color=INK, linewidth=0.8)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= 1.1 * top])
    ax.set_ylabel("number of runs")
    ax.set_title(f"{len(samples)} runs, nine of ten in the shade", fontsize=10, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def response(
    ax: Axes, table: pd.DataFrame, factor: str, kpi: str, *, by: str | None = None,
    limit: float | None = None,
) -> Axes:  # fmt: skip
    """Draw how a figure follows a key, with the band of its intervals.

    Parameters
    ----------
    ax
        Where to draw.
    table
        Rows with `kpi`, `unit`, `mean`, `low`, `high` and the key as a column of numbers.
    factor, kpi
        The key and the figure.
    by
        Another key: a line for each of its values.
    limit
        Where a line is drawn, in the figure's unit.

    Returns
    -------
    Axes
        x: the key; y: the figure in its unit.
    """
    found = table[table["kpi"] == kpi]
    tidy(ax).set_xlabel(factor)
    if found.empty:
        return say_empty(ax, "no runs")
    groups = [("", found)] if by is None else list(found.groupby(by, sort=True))
    for place, (value, own) in enumerate(groups):
        own = own.sort_values(factor)  # noqa: PLW2901 - the same in order
        x = own[factor].to_numpy(np.float64)
        colour, marker = PALETTE[place % len(PALETTE)], _MARKERS[place % len(_MARKERS)]
        ax.fill_between(x, own["low"], own["high"], color=colour, alpha=0.2, linewidth=0)
        ax.plot(
            x,
            own["mean"],
            color=colour,
            marker=marker,
            label=f"{by.split('.')[-1] if by else ''}={value!s}",
        )
    if (found[factor] == found[factor].round()).all():
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylabel(label(kpi, found["unit"].iloc[0]))
    if limit is not None:
        ax.axhline(limit, color=VERMILLION, linestyle="--", linewidth=1, label="limit", gid="limit")
    if by is not None or limit is not None:
        handles = [line for line in ax.get_lines() if by is not None or line.get_gid() == "limit"]
        legend_above(ax, handles)
    return ax


def completion_band(ax: Axes, curves: pd.DataFrame) -> Axes:
    """Draw when the devices of an upgrade are through: the median of runs, and eight of ten.

    Parameters
    ----------
    ax
        Where to draw.
    curves
        Rows with `design`, `replication`, `minutes` and `share`, a step each.

    Returns
    -------
    Axes
        x: minutes since the begin; y: share of the devices [%]; a line and a band, from the 10 %
        to the 90 % quantile of runs, for each design.
    """
    tidy(ax).set_xlabel("time since the begin of the upgrade [min]")
    ax.set_ylabel("devices that are through [%]")
    if curves.empty or curves["minutes"].max() <= 0:
        return say_empty(ax, "no device is through")
    at = np.linspace(0.0, 1.05 * float(curves["minutes"].max()), 400)
    for place, (design, own) in enumerate(curves.groupby("design", sort=False)):
        each = np.stack([_steps(one, at) for _, one in own.groupby("replication")])
        low, middle, high = np.quantile(each, [0.1, 0.5, 0.9], axis=0)
        colour = PALETTE[place % len(PALETTE)]
        ax.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0, step="post")
        ax.step(at, middle, where="post", color=colour, label=shortened(str(design)))
    ax.set_xlim(0.0, at[-1])
    ax.set_ylim(0.0, 105.0)
    legend_above(ax)
    return ax


def warm_up(
    ax: Axes, minutes: NDArray[np.float64], series: NDArray[np.float64], cut_min: float, label: str
) -> Axes:
    """Draw a figure over a run, and where its warm-up ends.

    Parameters
    ----------
    ax
        Where to draw.
    minutes
        When each window begins, shape (windows,) [min].
    series
        The figure in each window, shape (windows,), in its unit.
    cut_min
        Where the warm-up ends [min].
    label
        The figure with its unit.

    Returns
    -------
    Axes
        x: time [min]; y: the figure, and its moving mean; what is left out is shaded.
    """
    tidy(ax).set_xlabel("time since the start [min]")
    ax.set_ylabel(label)
    if not len(series):
        return say_empty(ax, "no windows")
    reach = max(1, len(series) // 40)
    smooth = pd.Series(series).rolling(2 * reach + 1, center=True, min_periods=1).mean()
    ax.plot(minutes, series, color=SKY, linewidth=0.8, label="each window")
    ax.plot(minutes, smooth, color=BLUE, linewidth=2, label="moving mean")
    ax.axvspan(minutes[0], cut_min, color=GREY, alpha=0.25, linewidth=0, label="warm-up", gid="cut")
    ax.set_xlim(minutes[0], minutes[-1])
    legend_above(ax)
    return ax


def _bars(
    ax: Axes, found: pd.DataFrame, places: NDArray[np.int64], colour: str, marker: str
) -> None:
    """Draw estimates, ``middle``, with their bounds; one that is not known is left out."""
    middle, low, high = (found[name].to_numpy(np.float64) for name in ("middle", "low", "high"))
    widths = np.nan_to_num(np.stack([middle - low, high - middle]), posinf=0.0)
    ax.errorbar(middle, places, xerr=widths, fmt=marker, color=colour, capsize=4, linewidth=2)


def _whisker(ax: Axes, interval: Interval, at: float, name: str, colour: str) -> None:
    """Draw an interval below the axis; an arrow goes to the edge where a bound is not known."""
    left, right = ax.get_xlim()
    low, high = max(interval.low, left), min(interval.high, right)
    ax.plot([low, high], [at, at], color=colour, linewidth=3, solid_capstyle="butt", gid=name)
    for bound, edge, marker in ((interval.low, left, "<"), (interval.high, right, ">")):
        if not np.isfinite(bound):
            ax.plot([edge], [at], marker, color=colour, clip_on=False)
    ax.plot([interval.estimate], [at], "|", color=INK, markersize=9, markeredgewidth=2)
    text = f"{name} {two_digits(interval.estimate)}"
    ax.annotate(text, (right, at), xytext=(6, 0), textcoords="offset points", va="center", size=9)


def _steps(curve: pd.DataFrame, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of devices at some minutes [%]."""
    ordered = curve.sort_values("minutes")
    place = np.searchsorted(ordered["minutes"].to_numpy(np.float64), at, side="right") - 1
    shares = ordered["share"].to_numpy(np.float64)
    return np.asarray(np.where(place >= 0, 100.0 * shares[place], 0.0), np.float64)
