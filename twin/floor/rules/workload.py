"""What a worker does next: jobs, lines, intervals, breaks."""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_rule, rule
from twin.draws import fold, normal, sample_count, sample_us, to_us, unit
from twin.events import NEVER, Role
from twin.floor.rules.streams import (
    END_FORGOTTEN,
    INTERVAL,
    LINES,
    OPENING,
    PACE,
    WRONG_BARCODE,
)

_NEVER = int(NEVER)
NO_JOB = -1
"""Instead of the line of a worker who has no job at hand."""
_SLOWEST, _FASTEST = 3.0, 0.3  # times the mean pick
_NONE, _START, _LINE, _END = int(Role.NONE), int(Role.START), int(Role.LINE), int(Role.END)


@rule
def job_lines(book: NDArray[np.void], worker: int, job: int) -> int:
    """Return how many lines a worker's job has [1]."""
    smallest, largest = book[0]["smallest_job"], book[0]["largest_job"]
    return sample_count(book[0]["job_lines"], fold(worker, job), LINES, smallest, largest)


@rule
def first_line(lines: int) -> int:
    """Return the line a job begins with: its start barcode, or the pick where there are no jobs."""
    return 0 if lines > 0 else 1


@rule
def next_line(line: int, lines: int) -> int:
    """Return the line after a successful scan; 0 after the end barcode, for the next job."""
    if lines == 0:
        return 1
    return 0 if line > lines else line + 1


@rule
def role_of(line: int, lines: int) -> int:
    """Return what a line is in its job."""
    if lines == 0:
        return _NONE
    if line == 0:
        return _START
    return _LINE if line <= lines else _END


@rule
def forgets_end(book: NDArray[np.void], worker: int, job: int) -> bool:
    """Say whether a worker goes on to the next job without the end barcode of this one."""
    chance = book[0]["forgotten_end"]
    return chance > 0.0 and unit(fold(fold(fold(worker, job), END_FORGOTTEN), 0)) < chance


@inlined_rule
def is_wrong(book: NDArray[np.void], scan: int, role: int) -> bool:
    """Say whether the barcode scanned was not the one asked for; job barcodes are not mistaken."""
    chance = book[0]["wrong_scan"]
    if chance == 0.0 or role in (_START, _END):
        return False
    return unit(fold(fold(scan, WRONG_BARCODE), 0)) < chance


@rule
def pace(book: NDArray[np.void], worker: int) -> float:
    """Return how many times the mean pick this worker takes [1]."""
    sd = book[0]["picker_sd"]
    if sd == 0.0:
        return 1.0
    return min(_SLOWEST, max(_FASTEST, 1.0 + sd * normal(fold(fold(worker, 0), PACE))))


@inlined_rule
def interval_us(
    book: NDArray[np.void], scan: int, role: int, repeated: bool, picker_pace: float
) -> int:
    """Return the working time that leads to a scan [us].

    Parameters
    ----------
    scan
        Address state of this scan of this worker.
    role
        What the scan is in its job.
    repeated
        Whether the worker scans again what failed.
    picker_pace
        What ``pace`` gives for this worker [1].
    """
    law = book[0]["pick"]
    if repeated:
        law = book[0]["rescan"]
    elif role == _START:
        law = book[0]["job_setup"]
    elif role == _END:
        law = book[0]["job_close"]
    work_us = sample_us(law, scan, INTERVAL)
    if picker_pace == 1.0 or repeated or role in (_START, _END):
        return work_us
    return to_us(work_us * picker_pace)


@rule
def opening_us(book: NDArray[np.void], worker: int, from_us: int, first: bool) -> int:
    """Return when a worker really begins a stretch of work that the roster opens [us].

    At the start of a shift workers begin spread over some minutes; after a break they walk back.
    """
    u = unit(fold(fold(fold(worker, from_us), OPENING), 0))
    if first:
        return from_us + to_us(u * book[0]["start_spread_us"])
    return from_us + book[0]["return_shortest_us"] + to_us(u * book[0]["return_spread_us"])


@rule
def done_us(ready_us: int, opens_us: int, closes_us: int, work_us: int) -> int:
    """Return when a stretch of work is done, or NEVER where the break comes first [us]."""
    moment_us = max(ready_us, opens_us) + work_us
    return moment_us if moment_us < closes_us else _NEVER


@rule
def left_us(ready_us: int, opens_us: int, closes_us: int, work_us: int) -> int:
    """Return how much of a stretch of work is left for after the break [us]."""
    return work_us - max(0, closes_us - max(ready_us, opens_us))
