"""How many messages the gateways hold for the uplink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from twin.plots import clock
from twin.plots.rows import arrivals, group_of
from twin.plots.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    VERMILLION,
    draw_steps,
    legend_above,
    say_empty,
    thousands,
    tidy,
)

__all__ = ["Peak", "backlog", "peak"]

_COLUMNS = ("time", "outcome", "gateway", "wait_ms", "visible_time")
_BACKLOG = 10  # messages; lines of gateways that hold fewer only hide each other
_WORST = (VERMILLION, BLUE, GREEN)
_MOST_BINS = 400
_MINUTES = (1, 2, 5, 10, 15, 30, 60)


@dataclass(frozen=True)
class Peak:
    """Where most messages were held: how many [messages], at which gateway, since 1970 [us]."""

    held: int
    gateway: str
    at_us: int


@dataclass(frozen=True)
class _Steps:
    """Every moment at which a number held changes: [us], by one more or less, whose, to what."""

    us: NDArray[np.int64]
    change: NDArray[np.int64]
    group: NDArray[np.int64]
    level: NDArray[np.int64]


def backlog(ax: Axes, events: pd.DataFrame) -> Axes:
    """Draw how many messages are held for the uplink: all gateways, and the three worst.

    A message is held from the end of its wait in the gateway's queue until the
    cloud shows it.

    Parameters
    ----------
    ax
        Where to draw.
    events
        Rows of events, with `time`, `kind`, `outcome`, `gateway`, `wait_ms` [ms]
        and `visible_time`; scans and telemetry are held alike.

    Returns
    -------
    Axes
        x: local time; y: most messages held at once in each bin [messages];
        messages dropped because a buffer was full are marked.
    """
    tidy(ax).set_ylabel("messages held for the uplink\n[messages]")
    messages = arrivals(events, *_COLUMNS)
    if messages.empty:
        return say_empty(ax, "no message reached a gateway")
    edges = _edges(messages["time"])
    ax.set_ylabel(f"messages held for the uplink,\nmost in {_width(edges)} [messages]")
    total = _draw(ax, messages, edges)
    _mark_dropped(ax, messages, edges, total)
    days = clock.date_numbers(edges)
    ax.set_xlim(days[0], days[-1])
    ax.set_ylim(0, 1.15 * max(1.0, float(total.max())))
    thousands(ax.yaxis)
    legend_above(ax)
    return clock.show_local_time(ax, messages["time"])


def peak(events: pd.DataFrame) -> Peak | None:
    """Find where most messages were held at once; None where none was.

    Parameters
    ----------
    events
        Rows of events, as for the picture.
    """
    messages = arrivals(events, *_COLUMNS)
    steps, names = _by_gateway(messages) if len(messages) else (None, [])
    if steps is None or not len(steps.us):
        return None
    most = int(steps.level.argmax())
    return Peak(int(steps.level[most]), names[steps.group[most]], int(steps.us[most]))


def _edges(times: pd.Series) -> NDArray[np.int64]:
    """Cut the time into bins, not too many to be seen [us]."""
    us = clock.utc_us(times)
    widths = [minutes * clock.MINUTE_US for minutes in _MINUTES]
    span_us = int(us.max() - us.min())
    width_us = next((width for width in widths if width * _MOST_BINS >= span_us), widths[-1])
    return clock.local_bins(times, width_us)[0]


def _width(edges: NDArray[np.int64]) -> str:
    return f"{int(edges[1] - edges[0]) // clock.MINUTE_US} min"


def _by_gateway(messages: pd.DataFrame) -> tuple[_Steps, list[str]]:
    """Give the steps of each gateway, one gateway after the other, and their names."""
    gateway, names = group_of(messages["gateway"])
    held = messages["visible_time"].notna().to_numpy()
    kept, gateway = messages[held], gateway[held]
    waits_us = np.rint(1000.0 * kept["wait_ms"].to_numpy(np.float64)).astype(np.int64)
    starts_us = clock.utc_us(kept["time"]) + waits_us
    us = np.concatenate([clock.utc_us(kept["visible_time"]), starts_us])
    change = np.repeat(np.array([-1, 1]), len(kept))
    group = np.concatenate([gateway, gateway])
    # At one moment the ends come first, since they stand first.
    order = np.argsort(us, kind="stable")
    order = order[np.argsort(group[order].astype(np.int16), kind="stable")]
    # What comes goes: each gateway ends with nothing, and the next begins so.
    return _Steps(us[order], change[order], group[order], change[order].cumsum()), names


def _together(steps: _Steps) -> _Steps:
    """Give the steps of all gateways as one."""
    order = np.lexsort((steps.change, steps.us))
    change = steps.change[order]
    return _Steps(steps.us[order], change, np.zeros_like(change), change.cumsum())


def _tops(steps: _Steps, groups: int, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the most of each group in each bin, shape (groups, bins) [messages]."""
    bins = len(edges) - 1
    place = (steps.us - edges[0]) // (edges[1] - edges[0])
    inside = place < bins  # the cloud shows some after the last row
    cell = steps.group[inside] * bins + place[inside]
    tops = np.zeros(groups * bins, np.int64)
    np.maximum.at(tops, cell, steps.level[inside])
    changes = np.bincount(cell, steps.change[inside], minlength=groups * bins)
    ends = changes.reshape(groups, bins).cumsum(axis=1).astype(np.int64)
    # A bin begins with what the one before left.
    before = np.hstack([np.zeros((groups, 1), np.int64), ends[:, :-1]])
    return np.asarray(np.maximum(tops.reshape(groups, bins), before))


def _draw(ax: Axes, messages: pd.DataFrame, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw all gateways and the worst; give the most of all in each bin [messages]."""
    steps, names = _by_gateway(messages)
    tops = _tops(steps, len(names), edges)
    total: NDArray[np.int64] = _tops(_together(steps), 1, edges)[0]
    days = clock.date_numbers(edges)
    draw_steps(ax, total, days, colour=GREY, alpha=0.5, label=_all(len(names)))
    most = tops.max(axis=1)
    ranked = np.argsort(-most, kind="stable")[: len(_WORST)]
    worst = [int(g) for n, g in enumerate(ranked) if most[g] >= (_BACKLOG if n else 1)]
    style: dict[str, Any] = {"base": None, "linewidth": 1.2}
    for gateway, colour in zip(worst, _WORST, strict=False):
        label = f"{names[gateway]}: {most[gateway]:,}"
        draw_steps(ax, tops[gateway], days, colour=colour, label=label, **style)
    return total


def _all(gateways: int) -> str:
    return f"all {gateways:,} gateways" if gateways > 1 else "the gateway"


def _mark_dropped(
    ax: Axes, messages: pd.DataFrame, edges: NDArray[np.int64], total: NDArray[np.int64]
) -> None:
    """Mark the bins in which a full buffer dropped messages."""
    times = messages.loc[messages["outcome"] == "lost_buffer", "time"]
    if times.empty:
        return
    places = np.unique((clock.utc_us(times) - edges[0]) // (edges[1] - edges[0]))
    middle = clock.date_numbers((edges[places] + edges[places + 1]) // 2)
    ax.plot(middle, total[places], linestyle="none", marker="x", markersize=5, color=INK)
    # Not in the legend, whose one line is full.
    text = f"\N{MULTIPLICATION SIGN} dropped, buffer full: {len(times):,}"
    ax.text(0.995, 0.99, text, transform=ax.transAxes, ha="right", va="top", size=9)
