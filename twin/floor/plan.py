"""What an engine is built from: the site as numbers, without a name in it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.draws import LAW

RULEBOOK = np.dtype(
    [
        ("seed", "i8"),
        ("smallest_job", "i8"),
        ("largest_job", "i8"),
        ("start_spread_us", "i8"),
        ("return_shortest_us", "i8"),
        ("return_spread_us", "i8"),
        ("telemetry_period_us", "i8"),  # 0: no reports
        ("idle_drain_ppm_per_h", "i8"),
        ("pick", LAW),
        ("job_setup", LAW),
        ("job_close", LAW),
        ("rescan", LAW),
        ("job_lines", LAW),
        ("service", LAW),
        ("round_trip", LAW),
        ("cloud_delay", LAW),
        ("trigger", LAW),
    ]
)
"""The numbers that rules need: one record, durations in whole microseconds."""


class FloorPlan(NamedTuple):
    """Everything an engine needs to know before the first session is offered.

    Parameters
    ----------
    book
        Array of one ``RULEBOOK`` record.
    worker_words, scanner_words
        Address words of the entities, arrays of shape (workers,) and (scanners,).
    works_by_jobs
        Whether each worker works by jobs or just picks, shape (workers,).
    gateways
        How many gateways there are.
    """

    book: NDArray[np.void]
    worker_words: NDArray[np.int64]
    scanner_words: NDArray[np.int64]
    works_by_jobs: NDArray[np.bool_]
    gateways: int
