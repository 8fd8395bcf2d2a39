"""Counts and integer sums over rows, chunk by chunk: what KPIs need, whether rows stay or go."""

import numpy as np
from numpy.typing import NDArray

from twin.analysis.histogram import BINS, bin_of
from twin.compiling import rule
from twin.events import NEVER, Kind, Outcome, Role

_NEVER = int(NEVER)
_SCAN, _TELEMETRY = int(Kind.SCAN), int(Kind.TELEMETRY)
_OPEN, _CLOSE, _UNEQUIPPED = int(Kind.SESSION_OPEN), int(Kind.SESSION_CLOSE), int(Kind.UNEQUIPPED)
_LOST, _NO_FEEDBACK = int(Outcome.LOST_BLE), int(Outcome.NO_FEEDBACK)
_START, _END = int(Role.START), int(Role.END)

SUMS = np.dtype(
    [
        ("scans", "i8"),  # that reached a gateway
        ("scans_lost", "i8"),
        ("no_feedback", "i8"),
        ("reports", "i8"),
        ("reports_lost", "i8"),
        ("unequipped", "i8"),
        ("session_us", "i8"),  # of sessions that are closed
        ("beep_us", "i8"),
        ("cloud_us", "i8"),
        ("wait_us", "i8"),
        ("jobs", "i8"),
        ("job_us", "i8"),
        ("beep_bins", "i8", (BINS,)),
        ("cloud_bins", "i8", (BINS,)),
        ("job_bins", "i8", (BINS,)),
    ]
)

WORKER = np.dtype([("opened_us", "i8"), ("job_from_us", "i8")])
GATEWAY = np.dtype([("messages", "i8"), ("wait_us", "i8")])


class Tally:
    """What has been counted so far; the same for any chunking of the same rows."""

    def __init__(self, workers: int, gateways: int) -> None:
        """Begin at nothing."""
        self.sums = np.zeros(1, SUMS)
        self.workers = np.full(workers, _NEVER, np.dtype("i8")).repeat(2).view(WORKER)
        self.gateways = np.zeros(gateways, GATEWAY)
        # Messages whose service had not begun at the last row: (gateway, when it begins).
        self._waiting = np.zeros((0, 2), np.int64)

    def add(self, rows: NDArray[np.void]) -> None:
        """Count a chunk of rows, the next in order."""
        _add(self.sums, self.workers, self.gateways, rows)
        held = rows[(rows["wait_us"] > 0) & (rows["gateway"] >= 0)]
        begins_us = np.column_stack([held["gateway"], held["time_us"] + held["wait_us"]])
        waiting = np.concatenate([self._waiting, begins_us])
        last_us = rows["time_us"][-1] if len(rows) else 0
        self._waiting = waiting[waiting[:, 1] > last_us]

    def waited_us(self, now_us: int) -> NDArray[np.int64]:
        """Return how long messages have waited at each gateway until now, shape (gateways,) [us].

        Parameters
        ----------
        now_us
            The moment, not before the last row [us].
        """
        gateway, begins_us = self._waiting.T
        waited = self.gateways["wait_us"].copy()
        np.subtract.at(waited, gateway, np.maximum(0, begins_us - now_us))
        return waited

    def session_us(self, now_us: int) -> int:
        """Return the time that workers have spent in sessions, open ones included [us]."""
        opened = self.workers["opened_us"]
        under_way = opened[opened != _NEVER]
        return int(self.sums["session_us"][0] + (now_us - under_way).sum())


@rule
def _add(
    sums: NDArray[np.void],
    workers: NDArray[np.void],
    gateways: NDArray[np.void],
    rows: NDArray[np.void],
) -> None:
    """Count rows."""
    total = sums[0]
    for i in range(len(rows)):
        row = rows[i]
        kind = row["kind"]
        if kind == _SCAN:
            _add_scan(total, workers[row["worker"]], gateways[row["gateway"]], row)
        elif kind == _TELEMETRY:
            _add_report(total, gateways[row["gateway"]], row)
        else:
            _add_session(total, workers[row["worker"]], row)


@rule
def _add_scan(total: np.void, worker: np.void, gateway: np.void, row: np.void) -> None:
    """Count a scan."""
    if row["outcome"] == _LOST:
        total["scans_lost"] += 1
        return
    total["scans"] += 1
    if row["outcome"] == _NO_FEEDBACK:
        total["no_feedback"] += 1
    scan_us = row["time_us"] - row["link_us"]
    beep_us = row["beep_us"] - scan_us
    cloud_us = row["visible_us"] - scan_us
    total["beep_us"] += beep_us
    total["beep_bins"][bin_of(beep_us)] += 1
    total["cloud_us"] += cloud_us
    total["cloud_bins"][bin_of(cloud_us)] += 1
    _add_wait(total, gateway, row)
    _add_to_job(total, worker, row["role"], scan_us)


@rule
def _add_wait(total: np.void, gateway: np.void, row: np.void) -> None:
    """Count a message at its gateway."""
    total["wait_us"] += row["wait_us"]
    gateway["messages"] += 1
    gateway["wait_us"] += row["wait_us"]


@rule
def _add_to_job(total: np.void, worker: np.void, role: int, scan_us: int) -> None:
    """Pair start and end barcodes as job analysis does: a new start drops an unfinished job."""
    if role == _START:
        worker["job_from_us"] = scan_us
    elif role == _END and worker["job_from_us"] != _NEVER:
        job_us = scan_us - worker["job_from_us"]
        worker["job_from_us"] = _NEVER
        total["jobs"] += 1
        total["job_us"] += job_us
        total["job_bins"][bin_of(job_us)] += 1


@rule
def _add_report(total: np.void, gateway: np.void, row: np.void) -> None:
    """Count a report."""
    if row["outcome"] == _LOST:
        total["reports_lost"] += 1
        return
    total["reports"] += 1
    _add_wait(total, gateway, row)


@rule
def _add_session(total: np.void, worker: np.void, row: np.void) -> None:
    """Count a session's opening or closing, or a worker without equipment."""
    if row["kind"] == _OPEN:
        worker["opened_us"] = row["time_us"]
    elif row["kind"] == _CLOSE:
        total["session_us"] += row["time_us"] - worker["opened_us"]
        worker["opened_us"] = _NEVER
    elif row["kind"] == _UNEQUIPPED:
        total["unequipped"] += 1
