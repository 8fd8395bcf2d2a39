"""When the links between scanners and gateways were down."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from twin.plots import clock
from twin.plots.rows import end_us, group_of
from twin.plots.style import BLUE, VERMILLION, draw_steps, legend_above, say_empty, tidy, two_digits

__all__ = ["MOST_GATEWAYS", "links", "outages"]

MOST_GATEWAYS = 25
"""More rows than this cannot be read."""

_LINK = ("drop", "reconnect", "roam", "session_open", "session_close", "swap")
_LOST = ("lost_ble", "not_connected")
_STRIP = 0.85  # height of the row of losses [inches]


def links(ax: Axes, events: pd.DataFrame, until: datetime | None = None) -> Axes:
    """Draw when links were down, gateway by gateway, and how many scans were lost to it.

    Parameters
    ----------
    ax
        Where to draw.
    events
        Rows of events, with `time`, `beep_time`, `kind`, `outcome`, `worker` and `gateway`.
    until
        When the run ended; None for the last row.

    Returns
    -------
    Axes
        x: local time; y: gateways with their minutes down [min], the worst first,
        at most 25. Above them a row of its own: scans lost or not connected [scans/h].
    """
    tidy(ax).set_ylabel("gateway,\nminutes down [min]")
    down = outages(events, until)
    if down.empty:
        return say_empty(ax, "no link was dropped")
    minutes = _minutes(down)
    worst = minutes.iloc[:MOST_GATEWAYS]
    place = down["gateway"].map({name: row for row, name in enumerate(worst.index)})
    shown = down[place.notna()].assign(row=place)
    # Not add_patch: it looks at every corner for the limits, which are set by hand.
    ax.add_artist(_bars(shown, _label(minutes, len(shown), len(down))))
    names = [f"{name}  {two_digits(float(value))}" for name, value in worst.items()]
    ax.set_yticks(range(len(worst)), names, size=8)
    days = _losses(ax, events, _share(ax))
    # The worst is on top; the rows end where the losses begin.
    ax.set_ylim(len(worst) - 0.4, -1.0 - _share(ax) / (1.0 - _share(ax)) * len(worst))
    last = clock.date_numbers(down["end_us"].to_numpy()).max()
    ax.set_xlim(days[0], max(days[-1], last))
    legend_above(ax)
    return clock.show_local_time(ax, events["time"])


def outages(events: pd.DataFrame, until: datetime | None = None) -> pd.DataFrame:
    """Pair each drop of a link with what ends it.

    That is its reconnect, or that the worker pairs the scanner with another
    gateway, or puts it down before.

    Parameters
    ----------
    events
        Rows of events, with `time`, `beep_time`, `kind`, `worker` and `gateway`.
    until
        When the run ended, and with it the outages under way; None for the last row.

    Returns
    -------
    DataFrame
        One row each: `gateway`, `start_us` and `end_us` since 1970 [us], and
        `roamed`: whether another gateway took over.
    """
    rows = events[events["kind"].isin(_LINK)] if len(events) else events
    if rows.empty:
        return pd.DataFrame({"gateway": [], "start_us": [], "end_us": [], "roamed": []})
    worker, _ = group_of(rows["worker"])
    us = clock.utc_us(rows["time"])
    order = np.lexsort((us, worker))  # rows of one moment stay as they stand
    rows, worker, us = rows.iloc[order], worker[order], us[order]
    roams = (rows["kind"] == "roam").to_numpy()
    # Who roams is connected only at the beep.
    there_us = np.where(roams, clock.utc_us(rows["beep_time"].fillna(rows["time"])), us)
    last, ended_us = np.append(worker[1:] != worker[:-1], True), end_us(events, until)
    ends_us = np.where(last, ended_us, np.minimum(np.roll(there_us, -1), ended_us))
    roamed = np.roll(roams, -1) & ~last
    found = rows[["gateway"]].assign(start_us=us, end_us=ends_us, roamed=roamed)
    return found[(rows["kind"] == "drop").to_numpy()].reset_index(drop=True)


def _minutes(down: pd.DataFrame) -> pd.Series:
    """Add up the outages of each gateway, the worst first [min]."""
    lasted = (down["end_us"] - down["start_us"]) / clock.MINUTE_US
    sums = lasted.groupby(down["gateway"].astype(str)).sum()
    return sums.sort_values(ascending=False, kind="stable")


def _label(minutes: pd.Series, shown: int, count: int) -> str:
    if len(minutes) <= MOST_GATEWAYS:
        return "link down"
    rows = f"the worst {MOST_GATEWAYS} of {len(minutes):,} gateways"
    return f"link down: {rows}, {shown:,} of {count:,} outages"


def _bars(shown: pd.DataFrame, label: str) -> PathPatch:
    """Make one patch of all bars: thousands of single ones take seconds to draw."""
    start, end = (clock.date_numbers(shown[name].to_numpy()) for name in ("start_us", "end_us"))
    row = shown["row"].to_numpy(np.float64)
    low, high = row - 0.36, row + 0.36
    x = np.stack([start, end, end, start, start], axis=1)
    y = np.stack([low, low, high, high, low], axis=1)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    path = Path(np.stack([x, y], axis=2).reshape(-1, 2), np.tile(codes, len(row)))
    # The edge lets the shortest be seen.
    return PathPatch(path, facecolor=VERMILLION, edgecolor=VERMILLION, linewidth=0.5, label=label)


def _losses(ax: Axes, events: pd.DataFrame, share: float) -> NDArray[np.float64]:
    """Draw above the bars how many scans were lost in each hour; give the hours [d]."""
    # A shift ends on the hour: what is put back then begins no other.
    rows = events[events["kind"] != "session_close"]
    edges, places = clock.local_bins(rows["time"], clock.HOUR_US)
    lost = (rows["kind"] == "scan") & rows["outcome"].isin(_LOST)
    counts = np.bincount(places[lost.to_numpy()], minlength=len(edges) - 1)
    days = clock.date_numbers(edges)
    above = ax.inset_axes((0.0, 1.0 - share, 1.0, share), sharex=ax)
    tidy(above).patch.set_visible(False)
    draw_steps(above, counts, days, colour=BLUE, alpha=0.8)
    _name(above, counts)
    return days


def _share(ax: Axes) -> float:
    """Choose how much of the axes the row of losses takes [1]."""
    height = ax.get_window_extent().height / ax.figure.dpi
    return min(0.4, _STRIP / height)


def _name(above: Axes, counts: NDArray[np.int64]) -> None:
    top = max(1, int(counts.max()))
    above.set_ylim(0, 1.9 * top)
    above.set_yticks([0, top], ["0", f"{top:,}"], size=8)
    above.tick_params(bottom=False, labelbottom=False)
    place: dict[str, Any] = {"transform": above.transAxes, "va": "top", "size": 8}
    text = "scans lost or not connected, per hour [scans/h]"
    above.text(0.005, 0.96, text, color=BLUE, **place)
