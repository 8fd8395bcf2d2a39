"""From scan to scan of one scanner: what lies between, as far as an export shows it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.jobs import LINE
from twin.scenario import Scenario
from twin.world.clock import Calendar

__all__ = ["Steps", "steps_of"]

Floats = NDArray[np.float64]
_AWAY_US = 2 * 3_600_000_000
_SHORTEST_US = 1_000.0
"""What the milliseconds of the API tell from nothing [us]."""


@dataclass(frozen=True)
class Steps:
    """From each scan's predecessor to it; arrays of shape (scans,).

    Parameters
    ----------
    before
        The row of the predecessor.
    same_scanner, joined
        Whether it is of the same scanner, and whether nothing but work lies between.
    again, known
        Whether the scan repeats its predecessor, and whether that is known to have failed while
        the link was up.
    gap_us
        From the predecessor's beep to the scan [us].
    stretch
        Which scanner in which shift [1].
    silent
        Whether the export does not say what failed.
    """

    before: NDArray[np.int64]
    same_scanner: NDArray[np.bool_]
    joined: NDArray[np.bool_]
    again: NDArray[np.bool_]
    known: NDArray[np.bool_]
    gap_us: Floats
    stretch: NDArray[np.int64]
    silent: bool


def steps_of(scans: pd.DataFrame, base: Scenario, beep_us: float) -> Steps:
    """Return how each scan follows the one before of the same scanner.

    Parameters
    ----------
    scans
        In the order of device and time, with ``mark``: what each is for the jobs of the base.
    base
        Knows shifts and breaks.
    beep_us
        From scan to beep, where the export does not say it [us].
    """
    n = len(scans)
    before = np.maximum(np.arange(n) - 1, 0)
    device = pd.factorize(scans["device"])[0]
    created_us = scans["created_us"].to_numpy(np.int64)
    same = (np.arange(n) > 0) & (device == device[before])
    heard_us = scans["beep_us"].to_numpy(float)
    heard_us = np.where(np.isnan(heard_us), created_us + beep_us, heard_us)
    ends_us, breaks_us = _edges_us(base, created_us)
    shift = np.searchsorted(ends_us, created_us, side="right")
    pause = np.searchsorted(breaks_us, created_us, side="right")
    stays = same & (shift == shift[before]) & (created_us - created_us[before] < _AWAY_US)
    joined = stays & (pause == pause[before])
    failed = scans["failed"].to_numpy(float)
    mark, code = scans["mark"].to_numpy(), scans["code"].to_numpy(str)
    # A job barcode is only read twice where the first did not count.
    repeated = same & (mark != LINE) & (code == code[before]) & (code != "")
    return Steps(
        before=before,
        same_scanner=same,
        joined=joined,
        again=joined & ((failed[before] > 0) | repeated),
        known=failed[before] == 1.0,
        gap_us=np.maximum(_SHORTEST_US, created_us - heard_us[before]),
        stretch=np.cumsum(~stays) - 1,
        silent=bool(np.isnan(failed).any()),
    )


def _edges_us(
    base: Scenario, created_us: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when shifts begin or end, and when breaks begin, while there were events [us]."""
    ends: list[int] = []
    breaks: list[int] = []
    if not len(created_us):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    calendar = Calendar(base.run.start, base.run.time_zone)
    from_us, until_us = (
        int(moment) - calendar.origin_us for moment in (created_us.min(), created_us.max())
    )
    for shift in base.work.shifts:
        for day, begin_us, end_us in calendar.occurrences(shift.start, shift.duration_us, from_us):
            if begin_us > until_us:
                break
            if day in shift.days:
                ends += [begin_us, end_us]
                breaks += [begin_us + one.after_us for one in shift.breaks]
    origin_us = calendar.origin_us
    return (
        np.unique(ends).astype(np.int64) + origin_us,
        np.unique(breaks).astype(np.int64) + origin_us,
    )
