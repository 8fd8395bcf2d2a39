"""Job analysis as the Insight document means it: start and end barcodes paired per gateway.

Within each gateway the scans of each device are read in time order. A start barcode opens a job,
the next end barcode closes it; a start that comes while a job is open drops that job, an end
without a start is dropped. The document leaves these cases open; this is the house's rule.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

START, LINE, END = 1, 0, 2


def pair_jobs(
    gateway: NDArray[np.int64],
    device: NDArray[np.int64],
    time: NDArray[np.int64],
    mark: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the finished jobs, ordered by gateway, then start.

    Parameters
    ----------
    gateway, device, time
        Of each scan, arrays of shape (n,).
    mark
        ``START``, ``END`` or ``LINE`` of each scan, shape (n,).

    Returns
    -------
    (row of the start scan, row of the end scan, scans in the job, both ends included), each of
    shape (jobs,)
    """
    order = np.lexsort((time, device, gateway))
    group = _changes(gateway[order], device[order])
    marks = mark[order]
    places = np.arange(len(order))
    ends = np.flatnonzero(marks != LINE)
    # Of the marked scans, a job is an end whose marked predecessor is a start of the same group.
    is_job = (marks[ends[1:]] == END) & (marks[ends[:-1]] == START)
    is_job &= group[ends[1:]] == group[ends[:-1]]
    first, last = ends[:-1][is_job], ends[1:][is_job]
    starts = order[first]
    by_start = np.lexsort((starts, time[starts], gateway[starts]))
    scans = places[last] - places[first] + 1
    return starts[by_start], order[last][by_start], scans[by_start]


def _changes(gateway: NDArray[np.int64], device: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the group of equal gateway and device, along sorted scans."""
    change = (np.diff(gateway) != 0) | (np.diff(device) != 0)
    return np.concatenate([[0], np.cumsum(change)]) if len(gateway) else np.zeros(0, np.int64)


def marks(codes: "pd.Series[str]", start_barcode: str, end_barcode: str) -> NDArray[np.int64]:
    """Return what each scan is for a job configuration, by the prefix of its text.

    Parameters
    ----------
    codes
        Scan texts, shape (n,).
    start_barcode, end_barcode
        What the text of a start, or of an end, begins with.
    """
    found = np.full(len(codes), LINE, np.int64)
    found[codes.str.startswith(end_barcode).to_numpy(bool)] = END
    found[codes.str.startswith(start_barcode).to_numpy(bool)] = START
    return found
