"""Scans over the day, by zone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from twin.plots import clock
from twin.plots.style import INK, group_codes, legend_above, say_empty, stack, thousands, tidy

__all__ = ["scans_per_hour"]

# No break is this long, and a shift comes again only the next day.
_APART_US = 3 * clock.HOUR_US

# More names than this on one time axis run into each other.
_MOST_NAMES = 9
_MOST_LINES = 30


def scans_per_hour(ax: Axes, events: pd.DataFrame) -> Axes:
    """Draw how many scans were made in each local hour, by zone, and when shifts begin.

    Parameters
    ----------
    ax
        Where to draw.
    events
        Rows of events, with `kind`, `time`, `zone` and `shift`; scans count,
        delivered or not.

    Returns
    -------
    Axes
        x: local time; y: scans per hour [scans/h].
    """
    tidy(ax).set_ylabel("scans per hour [scans/h]")
    scans = events[events["kind"] == "scan"] if len(events) else events
    if scans.empty:
        return say_empty(ax, "no scans")
    edges, places = clock.local_bins(scans["time"], clock.HOUR_US)
    names, groups = group_codes(scans["zone"])
    counts = np.zeros((len(names), len(edges) - 1))
    np.add.at(counts, (groups, places), 1.0)
    stack(ax, counts, clock.date_numbers(edges), names)
    _mark_shifts(ax, scans)
    thousands(ax.yaxis)
    legend_above(ax)
    return clock.show_local_time(ax, scans["time"])


def _mark_shifts(ax: Axes, scans: pd.DataFrame) -> None:
    begins = _shift_begins(scans)
    if len(begins) > _MOST_LINES:
        return
    for moment, name in begins:
        ax.axvline(moment, color=INK, linewidth=0.8, linestyle=":")
        if len(begins) <= _MOST_NAMES:
            ax.annotate(
                name,
                (moment, 0.99),
                xycoords=("data", "axes fraction"),
                xytext=(3, 0),
                textcoords="offset points",
                va="top",
                size=9,
            )


def _shift_begins(scans: pd.DataFrame) -> list[tuple[float, str]]:
    """Find the first scan of each shift on each day: date number [d] and the shift's name."""
    us = clock.utc_us(scans["time"])
    found: list[tuple[float, str]] = []
    for name in scans["shift"].dropna().unique():
        own = np.sort(us[(scans["shift"] == name).to_numpy()])
        first: NDArray[np.bool_] = np.diff(own, prepend=own[0] - 2 * _APART_US) > _APART_US
        found += [(float(moment), str(name)) for moment in clock.date_numbers(own[first])]
    return sorted(found)
