"""How many messages wait at the gateways over the day."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from twin.plots import clock
from twin.plots.rows import arrivals
from twin.plots.style import BLUE, GREY, VERMILLION, legend_above, say_empty, tidy

__all__ = ["queue_over_day"]

_BIN_US = 5 * clock.MINUTE_US
_RAISED = str.maketrans("-0123456789", "\N{SUPERSCRIPT MINUS}⁰¹²³⁴⁵⁶⁷⁸⁹")


def queue_over_day(ax: Axes, events: pd.DataFrame) -> Axes:
    """Draw the mean number of waiting messages: the busiest queue, and the mean of all gateways.

    By Little's law that is the sum of the waits that began in five minutes,
    divided by five minutes.

    Parameters
    ----------
    ax
        Where to draw.
    events
        Rows of events, with `time`, `kind`, `outcome`, `gateway` and `wait_ms` [ms];
        scans and telemetry wait alike.

    Returns
    -------
    Axes
        x: local time; y: messages waiting, mean over 5 min [messages].
    """
    tidy(ax).set_ylabel("messages waiting,\nmean over 5 min [messages]")
    messages = arrivals(events, "time", "gateway", "wait_ms")
    if messages.empty:
        return say_empty(ax, "no scans")
    edges, queues, names = _queues(messages)
    middle = clock.date_numbers(edges[:-1] + _BIN_US // 2)
    worst = int(queues.sum(axis=1).argmax())
    ax.plot(
        middle, queues[worst], color=VERMILLION, linewidth=1.2, label=f"longest: {names[worst]}"
    )
    ax.plot(middle, queues.mean(axis=0), color=BLUE, linewidth=1.6, label=_mean_label(names))
    ax.set_xlim(*clock.date_numbers(edges[[0, -1]]))
    _scale(ax, float(queues[worst].max()))
    legend_above(ax)
    return clock.show_local_time(ax, messages["time"])


def _mean_label(names: list[str]) -> str:
    return f"mean of {len(names):,} gateway{'s' if len(names) > 1 else ''}"


def _queues(
    messages: pd.DataFrame,
) -> tuple[NDArray[np.int64], NDArray[np.float64], list[str]]:
    """Mean queues by gateway and bin: edges [us], shape (gateways, bins) [1], gateway names."""
    edges, places = clock.local_bins(messages["time"], _BIN_US)
    # Categories that never occur are gateways that stood idle: they count in the mean.
    gateways = messages["gateway"].astype("category").cat
    waits_us = 1000.0 * np.nan_to_num(messages["wait_ms"].to_numpy(np.float64))
    sums = np.zeros((len(gateways.categories), len(edges) - 1))
    np.add.at(sums, (gateways.codes.to_numpy(), places), waits_us)
    return edges, sums / _BIN_US, [str(name) for name in gateways.categories]


def _scale(ax: Axes, top: float) -> None:
    """Scale the y axis, in thousandths or millionths of a message where queues are short."""
    ax.set_ylim(0, 1.15 * top if top > 0 else 1.0)
    power = 3 * math.floor(math.log10(top) / 3) if 0 < top < 0.1 else 0
    unit = f"10{str(power).translate(_RAISED)} messages" if power else "messages"
    ax.set_ylabel(f"messages waiting,\nmean over 5 min [{unit}]")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 10.0**power:,.6g}"))
    if top <= 0:
        middle: dict[str, Any] = {"transform": ax.transAxes, "ha": "center", "va": "center"}
        ax.text(0.5, 0.5, "no message waited", color=GREY, size=14, **middle)
