"""What the floor did, from its events: which interval is a pick, which a set-up, which a pause.

Events say when a barcode was scanned, and by prefix whether it begins or ends a job. The time
between two scans of a scanner is then work of a known kind, once the time is taken off that the
worker waited for the beep.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.jobs import END, LINE, START, marks
from twin.experiments.steps import steps_of
from twin.experiments.usual import Usual
from twin.scenario import Scenario

__all__ = ["Work", "recognise"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Work:
    """Samples of what workers did.

    Parameters
    ----------
    picks_us, stretch
        Between lines of a job [us], and of which scanner in which shift [1].
    setups_us, closes_us, rescans_us
        From a job to the next start barcode, from the last line to the end barcode, from a failure
        to the next scan [us].
    lines, lines_at_least
        Of whole jobs, and of jobs that the end of work cut off [1].
    forgotten, finished
        Jobs without end barcode, and with one [1].
    slips_known, wrong, scans
        Whether the export says what was scanned wrongly, how often it was, of so many lines [1].
    left_out
        How many intervals were left out, by reason [1].
    """

    picks_us: Floats
    stretch: NDArray[np.int64]
    setups_us: Floats
    closes_us: Floats
    rescans_us: Floats
    lines: NDArray[np.int64]
    lines_at_least: NDArray[np.int64]
    forgotten: int
    finished: int
    slips_known: bool
    wrong: int
    scans: int
    left_out: dict[str, int]


def recognise(events: pd.DataFrame, base: Scenario, usual: Usual) -> Work:
    """Return what workers did by the events of an export.

    Parameters
    ----------
    events
        From ``twin.experiments.exports``.
    base
        Knows job barcodes, shifts and breaks.
    usual
        What the base does by itself.
    """
    scans = _scans(events, base)
    steps = steps_of(scans, base, usual.beep_us)
    # A scan that nobody said to be wrong is made again at once: the second is no line more.
    unseen, cut = usual.unseen(steps)
    again = steps.again | unseen
    before, mark = steps.before, scans["mark"].to_numpy()
    joined, first = steps.joined, mark[before]
    plain = joined & ~again & ~cut
    picks = plain & (mark == LINE) & (first != END)
    closes = plain & (mark == END) & (first == LINE)
    setups = plain & (mark == START) & (first != START)
    rescans = joined & steps.known
    jobs = _jobs(mark, again, steps.stretch)
    known = scans["failed"].notna().to_numpy()
    outside = int((~joined & steps.same_scanner).sum())
    return Work(
        picks_us=steps.gap_us[picks],
        stretch=steps.stretch[picks],
        setups_us=steps.gap_us[setups],
        closes_us=steps.gap_us[closes],
        rescans_us=steps.gap_us[rescans],
        lines=jobs[0],
        lines_at_least=jobs[1],
        forgotten=jobs[2],
        finished=jobs[3],
        slips_known=bool(known.all()) and len(scans) > 0,
        wrong=int((scans["slip"] == "wrong_barcode").sum()),
        scans=int((mark == LINE).sum()),
        left_out={
            "over a break or the end of a shift": outside,
            "scanned again": int((joined & again).sum()),
            "over scans that were lost": int(cut.sum()),
        },
    )


def _scans(events: pd.DataFrame, base: Scenario) -> pd.DataFrame:
    """Return the scans by device and time, with what each is for the jobs of the base."""
    scans = events[events["is_scan"]].sort_values(
        ["device", "created_us"], kind="stable", ignore_index=True
    )
    mark = np.full(len(scans), LINE, np.int64)
    codes = scans["code"].astype(str).tolist()
    for job in base.work.jobs:
        own = marks(codes, job.start_barcode, job.end_barcode)
        mark = np.where(own != LINE, own, mark)
    return scans.assign(mark=mark)


def _jobs(
    mark: NDArray[np.int64], again: NDArray[np.bool_], stretch: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int]:
    """Return the lines of whole jobs and of begun ones, jobs without and with end barcode.

    A job goes on over a break; another scanner, or another shift, ends what can be seen of it.
    """
    whole, begun, forgotten, finished = [], [], 0, 0
    lines, last = -1, -1
    for kind, repeated, place in zip(mark.tolist(), again.tolist(), stretch.tolist(), strict=True):
        if place != last and lines >= 0:
            begun.append(lines)
            lines = -1
        last = place
        if repeated:
            continue
        if kind == START:
            if lines > 0:
                whole.append(lines)
                forgotten += 1
            lines = 0
        elif kind == END and lines > 0:
            whole.append(lines)
            finished += 1
            lines = -1
        elif kind == END:
            lines = -1
        elif lines >= 0:
            lines += 1
    if lines >= 0:
        begun.append(lines)
    return np.array(whole, np.int64), np.array(begun, np.int64), forgotten, finished
