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
from twin.draws import sample_us
from twin.scenario import Scenario
from twin.world.build import record_of
from twin.world.clock import Calendar

__all__ = ["Work", "recognise"]

Floats = NDArray[np.float64]
_HOUR_US = 3_600_000_000
_AWAY_US = 2 * _HOUR_US
_TAKEN = 200


@dataclass(frozen=True)
class Work:
    """Samples of what workers did, in [us] where they are times.

    Parameters
    ----------
    picks_us, stretch
        Between lines of a job, and of which scanner in which shift [1].
    setups_us, closes_us, rescans_us
        From a job to the next start barcode, from the last line to the end barcode, from a failure
        to the next scan.
    lines, lines_at_least
        Of whole jobs, and of jobs that the end of work cut off [1].
    forgotten, finished
        Jobs without end barcode, and with one [1].
    slips_known, wrong, scans
        Whether the export says what was scanned wrongly, how often it was, of so many [1].
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


def recognise(events: pd.DataFrame, base: Scenario, beep_us: float) -> Work:
    """Return what workers did by the events of an export.

    Parameters
    ----------
    events
        From ``twin.experiments.exports``.
    base
        Knows job barcodes, shifts and breaks.
    beep_us
        From scan to beep, where the export does not say it [us].
    """
    scans = _scans(events, base)
    steps = _steps(scans, base, beep_us)
    # A wrong barcode that nobody told of is scanned again at once: the second is no line more.
    again = steps.again | _unseen_rescans(steps, base, beep_us)
    before, mark = steps.before, scans["mark"].to_numpy()
    joined, first = steps.joined, mark[before]
    line = joined & ~again & (mark == LINE) & (first != END)
    picks = line & ((first == LINE) | (first == START))
    closes = joined & ~again & (mark == END) & (first == LINE)
    setups = joined & ~again & (mark == START) & (first != START)
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
        scans=len(scans),
        left_out={
            "over a break or the end of a shift": outside,
            "scanned again": int((joined & again).sum()),
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


@dataclass(frozen=True)
class _Steps:
    """From each scan's predecessor to it; arrays of shape (scans,).

    ``joined``: with nothing between them but work; ``again``: it repeats the one before, which is
    ``known`` to have failed with the link up; ``silent``: the export does not say what failed.
    """

    before: NDArray[np.int64]
    same_scanner: NDArray[np.bool_]
    joined: NDArray[np.bool_]
    again: NDArray[np.bool_]
    known: NDArray[np.bool_]
    gap_us: Floats
    stretch: NDArray[np.int64]
    silent: bool


def _steps(scans: pd.DataFrame, base: Scenario, beep_us: float) -> _Steps:
    """Return how each scan follows the one before of the same scanner."""
    n = len(scans)
    before = np.maximum(np.arange(n) - 1, 0)
    device = pd.factorize(scans["device"])[0]
    created_us = scans["created_us"].to_numpy(np.int64)
    same = (np.arange(n) > 0) & (device == device[before])
    heard_us = scans["beep_us"].to_numpy(float)
    heard_us = np.where(np.isnan(heard_us), created_us + beep_us, heard_us)
    gap_us = np.maximum(0.0, created_us - heard_us[before])
    ends_us, breaks_us = _edges_us(base, created_us)
    shift, pause = np.searchsorted(ends_us, created_us), np.searchsorted(breaks_us, created_us)
    stays = same & (shift == shift[before]) & (created_us - created_us[before] < _AWAY_US)
    joined = stays & (pause == pause[before])
    failed = scans["failed"].to_numpy(float)
    mark, code = scans["mark"].to_numpy(), scans["code"].to_numpy(str)
    # A job barcode is only read twice where the first did not count.
    repeated = same & (mark != LINE) & (code == code[before]) & (code != "")
    return _Steps(
        before=before,
        same_scanner=same,
        joined=joined,
        again=joined & ((failed[before] > 0) | repeated),
        known=failed[before] == 1.0,
        gap_us=gap_us,
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
    from_us, until_us = (int(end) - calendar.origin_us for end in
                         (created_us.min(), created_us.max()))  # fmt: skip
    for shift in base.work.shifts:
        for day, begin_us, end_us in calendar.occurrences(shift.start, shift.duration_us, from_us):
            if begin_us > until_us:
                break
            if day in shift.days:
                ends += [begin_us, end_us]
                breaks += [begin_us + one.after_us for one in shift.breaks]
    origin_us = calendar.origin_us
    return np.unique(ends).astype(np.int64) + origin_us, np.unique(breaks).astype(
        np.int64
    ) + origin_us


def _unseen_rescans(steps: _Steps, base: Scenario, beep_us: float) -> NDArray[np.bool_]:
    """Say which scans most likely repeat a wrong barcode, where the export does not say it.

    As many as the base expects, spread evenly over those that came within its rescan delay: they
    are few, and it is the same to the samples which ones they were.
    """
    none = np.zeros(len(steps.gap_us), bool)
    expected = round(base.work.wrong_scan * int(steps.joined.sum()))
    if not expected or not steps.silent:
        return none
    record = record_of(base.work.rescan_delay)
    longest_us = max(sample_us(record, n, 0) for n in range(_TAKEN)) + beep_us
    quick = np.flatnonzero(steps.joined & ~steps.again & (steps.gap_us <= longest_us))
    if len(quick) > expected:
        quick = quick[np.linspace(0, len(quick) - 1, expected).round().astype(int)]
    none[quick] = True
    return none


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
