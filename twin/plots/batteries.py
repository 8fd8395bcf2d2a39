"""How full the scanners in hand are over the day, and when workers exchange them."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from twin.plots import clock
from twin.plots.rows import end_us, group_of, in_order
from twin.plots.style import BLUE, SKY, VERMILLION, draw_steps, legend_above, say_empty, tidy

__all__ = ["battery", "without_scanner_us"]

_BIN_US = 15 * clock.MINUTE_US
_MOMENT = pd.Timedelta(1, "us")
_SHARES = (0.05, 0.5, 0.95)
_SCANNERLESS = ("unequipped", "session_open", "session_close")


def battery(ax: Axes, events: pd.DataFrame) -> Axes:
    """Draw how full the scanners in hand are, and where workers swapped them or found none.

    Of each worker's scanner the last charge in a quarter of an hour counts.

    Parameters
    ----------
    ax
        Where to draw.
    events
        Rows of events, with `time`, `kind`, `outcome`, `worker` and `battery_percent` [%].

    Returns
    -------
    Axes
        x: local time; y: charge [%], 5 %, 50 % and 95 % of the scanners below;
        a swap stands at the charge of the scanner that is put down.
    """
    tidy(ax).set_ylabel("charge of the scanners\nin hand [%]")
    ax.set_ylim(0, 105)
    held = in_order(events[events["battery_percent"].notna()]) if len(events) else events
    if held.empty:
        return say_empty(ax, "no scanner in hand")
    # A scanner that is put back was in hand before, not after.
    back = held["kind"] == "session_close"
    edges, places = clock.local_bins(held["time"].mask(back, held["time"] - _MOMENT), _BIN_US)
    low, half, high = _quantiles(held, places, len(edges) - 1)
    days = clock.date_numbers(edges)
    text = "5 % to 95 % of scanners"
    draw_steps(ax, high, days, colour=SKY, base=low, alpha=0.45, label=text)
    draw_steps(ax, half, days, colour=BLUE, base=None, linewidth=1.6, label="median")
    _mark_swaps(ax, held, events)
    ax.set_xlim(days[0], days[-1])
    legend_above(ax)
    return clock.show_local_time(ax, held["time"])


def without_scanner_us(events: pd.DataFrame, until: datetime | None = None) -> int:
    """Add up how long workers were without a scanner that they wanted [us].

    On the way to the chargers and back, waiting for a charged scanner or for a
    place at a gateway, and pairing it then; not where one is paired at the start
    of a shift, or with another gateway after a drop.

    Parameters
    ----------
    events
        Rows of events, with `time`, `beep_time`, `kind` and `worker`.
    until
        When the run ended: who waits then has waited until then. None for the last row.
    """
    swaps = events[events["kind"] == "swap"]
    walked_us = clock.utc_us(swaps["beep_time"]) - clock.utc_us(swaps["time"])
    rows = in_order(events[events["kind"].isin(_SCANNERLESS)])
    if rows.empty:
        return int(walked_us.sum())
    worker, _ = group_of(rows["worker"])
    by_worker = np.argsort(worker, kind="stable")
    rows, worker = rows.iloc[by_worker], worker[by_worker]
    # A wait ends with the worker's next row: connected again, or the shift is over.
    connected = rows["beep_time"].where(rows["kind"] == "session_open", rows["time"])
    ends_us = np.append(clock.utc_us(connected)[1:], 0)
    ends_us[np.append(worker[1:] != worker[:-1], True)] = end_us(events, until)
    waits = (rows["kind"] == "unequipped").to_numpy()
    waited_us = ends_us[waits] - clock.utc_us(rows["time"])[waits]
    return int(walked_us.sum() + waited_us.sum())


def _quantiles(held: pd.DataFrame, places: NDArray[np.int64], bins: int) -> NDArray[np.float64]:
    """Rank the last charges of each bin, NaN where there is none: shape (shares, bins) [%]."""
    worker, names = group_of(held["worker"])
    last = np.full((len(names), bins), np.nan)
    # Rows are in order: of several in one cell the last one stays.
    last[worker, places] = held["battery_percent"].to_numpy(np.float64)
    last.sort(axis=0)  # those without a charge come last
    count = np.isfinite(last).sum(axis=0)
    ranks = [np.maximum(np.ceil(share * count).astype(np.int64) - 1, 0) for share in _SHARES]
    return np.array([last[rank, np.arange(bins)] for rank in ranks])


def _mark_swaps(ax: Axes, held: pd.DataFrame, events: pd.DataFrame) -> None:
    moments, charges = _put_down(held)
    style: dict[str, Any] = {"linestyle": "none", "color": VERMILLION, "clip_on": False}
    if len(moments):
        text = f"{len(moments):,} swap{'s' if len(moments) > 1 else ''}"
        ax.plot(moments, charges, marker="v", markersize=4, label=text, **style)
    missed = events.loc[events["outcome"] == "no_scanner", "time"]
    if len(missed):
        days = clock.date_numbers(clock.utc_us(missed))
        text = f"found no scanner: {len(missed):,}"
        ax.plot(days, np.full(len(days), 1.5), marker="x", markersize=5, label=text, **style)


def _put_down(held: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the swaps: date numbers [d], and the charges of the scanners that are put down [%]."""
    worker, _ = group_of(held["worker"])
    by_worker = np.argsort(worker, kind="stable")
    swapped = np.flatnonzero((held["kind"] == "swap").to_numpy()[by_worker])
    before = by_worker[np.maximum(swapped - 1, 0)]
    swaps = by_worker[swapped]
    charges = held["battery_percent"].to_numpy(np.float64)[before]
    charges[worker[before] != worker[swaps]] = math.nan
    return clock.date_numbers(clock.utc_us(held["time"].iloc[swaps])), charges
