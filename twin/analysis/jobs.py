"""Job analysis as the Insight document means it: start and end barcodes paired per gateway.

Within each gateway the scans of each device are read in time order. A start barcode opens a job,
the next end barcode closes it; a start that comes while a job is open drops that job, an end
without a start is dropped. The document leaves these cases open; this is the house's rule.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

START, LINE, END = 1, 0, 2


class Reading(NamedTuple):
    """Scans in the order in which job analysis reads them.

    ``order`` are the rows by gateway, device and time, ``group`` numbers the (gateway, device) of
    each of them; ``gateway`` and ``time`` are as given. Arrays of shape (n,).
    """

    order: NDArray[np.int64]
    group: NDArray[np.int64]
    gateway: NDArray[np.int64]
    time: NDArray[np.int64]


def read_scans(
    gateway: NDArray[np.int64], device: NDArray[np.int64], time: NDArray[np.int64]
) -> Reading:
    """Return scans in reading order: two stable sorts.

    Rows come nearly in the order of time, which the first is quick on, and few groups sort by
    radix, which the second is quick on.

    Parameters
    ----------
    gateway, device, time
        Of each scan, arrays of shape (n,).
    """
    by_time = np.argsort(time, kind="stable")
    _, group = np.unique(gateway * (1 << 32) + device, return_inverse=True)
    small = group.astype(np.uint16) if group.max(initial=0) < 1 << 16 else group
    order = by_time[np.argsort(small[by_time], kind="stable")]
    return Reading(order, group[order], gateway, time)


def pair_jobs(
    scans: Reading, mark: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the finished jobs, ordered by gateway, then start.

    Parameters
    ----------
    scans
        The scans in reading order.
    mark
        ``START``, ``END`` or ``LINE`` of each scan, shape (n,).

    Returns
    -------
    (row of the start scan, row of the end scan, scans in the job, both ends included), each of
    shape (jobs,)
    """
    marks_read = mark[scans.order]
    ends = np.flatnonzero(marks_read != LINE)
    # Of the marked scans, a job is an end whose marked predecessor is a start of the same group.
    is_job = (marks_read[ends[1:]] == END) & (marks_read[ends[:-1]] == START)
    is_job &= scans.group[ends[1:]] == scans.group[ends[:-1]]
    first, last = ends[:-1][is_job], ends[1:][is_job]
    starts = scans.order[first]
    by_start = np.lexsort((starts, scans.time[starts], scans.gateway[starts]))
    return starts[by_start], scans.order[last][by_start], (last - first + 1)[by_start]


def marks(codes: Sequence[str], start_barcode: str, end_barcode: str) -> NDArray[np.int64]:
    """Return what each scan is for a job configuration, by the prefix of its text.

    Parameters
    ----------
    codes
        Scan texts, shape (n,).
    start_barcode, end_barcode
        What the text of a start, or of an end, begins with.
    """
    found = np.full(len(codes), LINE, np.int64)
    for prefix, mark in ((end_barcode, END), (start_barcode, START)):
        begins = (code.startswith(prefix) for code in codes)
        found[np.fromiter(begins, bool, len(codes))] = mark
    return found
