"""How long jobs take, from the start barcode to the end barcode."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from twin.plots.style import (
    INK,
    Mark,
    group_codes,
    legend_above,
    mark_values,
    say_empty,
    stack,
    thousands,
    tidy,
)

__all__ = ["job_durations"]

_BINS = 50
_WIDTHS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)


def job_durations(ax: Axes, jobs: pd.DataFrame) -> Axes:
    """Draw how many jobs took how long, by kind of job.

    Parameters
    ----------
    ax
        Where to draw.
    jobs
        Rows of the job analysis, with `job_config` and `duration_s` [s].

    Returns
    -------
    Axes
        x: duration [min]; y: jobs in each bin [jobs]; p50 and p95 are marked.
        Jobs far beyond the p99 are counted in a note, not drawn.
    """
    tidy(ax).set_xlabel("job duration [min]")
    ax.set_ylabel("jobs [jobs]")
    done = jobs[jobs["duration_s"].notna()] if len(jobs) else jobs
    if done.empty:
        return say_empty(ax, "no jobs")
    minutes = done["duration_s"].to_numpy(np.float64) / 60.0
    edges = _edges(minutes)
    names, groups = group_codes(done["job_config"])
    counts = np.array(
        [np.histogram(minutes[groups == group], edges)[0] for group in range(len(names))], float
    )
    stack(ax, counts, edges, names)
    _mark(ax, minutes, edges)
    thousands(ax.yaxis)
    legend_above(ax)
    return ax


def _edges(minutes: NDArray[np.float64]) -> NDArray[np.float64]:
    reach = min(float(minutes.max()), 1.2 * float(np.percentile(minutes, 99)))
    width = next((item for item in _WIDTHS if item * _BINS >= reach), reach / _BINS)
    return np.asarray(np.arange(int(reach // width) + 2) * width, dtype=np.float64)


def _mark(ax: Axes, minutes: NDArray[np.float64], edges: NDArray[np.float64]) -> None:
    found = {rank: float(np.percentile(minutes, rank, method="inverted_cdf")) for rank in (50, 95)}
    mark_values(ax, [Mark(x, f"p{rank} {x:.1f} min", INK) for rank, x in found.items()])
    beyond = int((minutes > edges[-1]).sum())
    if beyond:
        note = f"{beyond:,} longer, up to {minutes.max():,.0f} min, not drawn"
        ax.text(0.99, 0.6, note, transform=ax.transAxes, ha="right", size=9)
