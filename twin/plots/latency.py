"""How long a worker waits for the beep, and a scan for the cloud."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from twin.plots.rows import arrivals
from twin.plots.style import (
    BLUE,
    VERMILLION,
    Mark,
    draw_steps,
    legend_above,
    mark_values,
    say_empty,
    tidy,
    two_digits,
)

__all__ = ["latency_distribution"]

_SERIES = (
    ("scan_to_beep_ms", "scan to beep", BLUE),
    ("scan_to_cloud_ms", "scan to cloud", VERMILLION),
)
_BINS_PER_DECADE = 40
_FEW_DECADES = 1_000.0
_PERCENTILES = (50, 95, 99)


def latency_distribution(ax: Axes, events: pd.DataFrame) -> Axes:
    """Draw how latencies are spread, from the scan to the beep and to the cloud.

    Parameters
    ----------
    ax
        Where to draw.
    events
        Rows of events, with `kind`, `outcome`, `scan_to_beep_ms` and `scan_to_cloud_ms`
        [ms]; scans that reached a gateway count.

    Returns
    -------
    Axes
        x: latency [ms], logarithmic; y: share of the scans in each bin [%];
        p50, p95 and p99 are marked.
    """
    tidy(ax).set_xlabel("latency [ms]")
    ax.set_ylabel("share of scans [%]")
    found = _latencies(events)
    if not found:
        return say_empty(ax, "no scans")
    edges = _edges(list(found.values()))
    marks: list[Mark] = []
    top = 0.0
    for column, name, colour in _SERIES:
        if column in found:
            top = max(top, _draw(ax, found[column], edges, name, colour))
            marks += _marks(found[column], colour)
    _finish(ax, edges, top)
    mark_values(ax, marks)
    return ax


def _latencies(events: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Give the latencies of scans that have one, by column [ms]; shape (scans,)."""
    # A lost scan has a tone too, of failure: as in the KPIs, only what arrived counts.
    messages = arrivals(events, "kind", *(column for column, _, _ in _SERIES))
    if messages.empty:
        return {}
    scans = messages[messages["kind"] == "scan"]
    values = {column: scans[column].to_numpy(np.float64) for column, _, _ in _SERIES}
    # A latency of exactly zero has no place on a logarithmic axis.
    kept = {column: item[np.isfinite(item) & (item > 0)] for column, item in values.items()}
    return {column: item for column, item in kept.items() if len(item)}


def _edges(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    low = np.floor(np.log10(min(item.min() for item in values)) * _BINS_PER_DECADE)
    high = np.floor(np.log10(max(item.max() for item in values)) * _BINS_PER_DECADE) + 1
    steps: NDArray[np.float64] = np.arange(low, high + 1) / _BINS_PER_DECADE
    return 10.0**steps


def _draw(
    ax: Axes, values: NDArray[np.float64], edges: NDArray[np.float64], name: str, colour: str
) -> float:
    """Draw the shares of one latency; give the largest [%]."""
    # The last value can lie on the last edge by rounding: clip it into its bin.
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    shares = 100.0 * counts / len(values)
    draw_steps(ax, shares, edges, colour=colour, alpha=0.25)
    draw_steps(ax, shares, edges, colour=colour, base=None, label=name)
    return float(shares.max())


def _marks(values: NDArray[np.float64], colour: str) -> list[Mark]:
    found = np.percentile(values, _PERCENTILES, method="inverted_cdf")
    return [
        Mark(float(value), f"p{rank} {two_digits(float(value))} ms", colour)
        for rank, value in zip(_PERCENTILES, found, strict=True)
    ]


def _finish(ax: Axes, edges: NDArray[np.float64], top: float) -> None:
    ax.set_xscale("log")
    # Room for the texts to the right of the last marks and above the steps.
    ax.set_xlim(edges[0], edges[-1] * (edges[-1] / edges[0]) ** 0.08)
    ax.set_ylim(0, top * 1.3)
    # After an outage scans are minutes late: over many decades only the tens have room.
    few = edges[-1] < _FEW_DECADES * edges[0]
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    ax.xaxis.set_minor_locator(NullLocator())  # dozens, which take half of the drawing
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    legend_above(ax)
