"""Counts and integer sums over rows, chunk by chunk: what KPIs need, whether rows stay or go."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.analysis.histogram import BINS, bin_of
from twin.compiling import part, rule
from twin.events import NEVER, Kind, Outcome, Role, Slip

_NEVER = int(NEVER)
_SCAN, _TELEMETRY = int(Kind.SCAN), int(Kind.TELEMETRY)
_OPEN, _CLOSE, _UNEQUIPPED = int(Kind.SESSION_OPEN), int(Kind.SESSION_CLOSE), int(Kind.UNEQUIPPED)
_SWAP, _DROP, _RECONNECT = int(Kind.SWAP), int(Kind.DROP), int(Kind.RECONNECT)
_ROAM = int(Kind.ROAM)
_LOST, _NO_FEEDBACK = int(Outcome.LOST_BLE), int(Outcome.NO_FEEDBACK)
_NOT_CONNECTED, _LOST_BUFFER = int(Outcome.NOT_CONNECTED), int(Outcome.LOST_BUFFER)
_WRONG = int(Slip.WRONG_BARCODE)
_START, _END = int(Role.START), int(Role.END)

SUMS = np.dtype(
    [
        ("scans", "i8"),  # that reached a gateway
        ("scans_lost", "i8"),
        ("scans_shown", "i8"),  # that the cloud shows
        ("no_feedback", "i8"),
        ("lost_buffer", "i8"),
        ("duplicates", "i8"),
        ("wrong_scans", "i8"),
        ("swaps", "i8"),
        ("drops", "i8"),
        ("roams", "i8"),
        ("down_us", "i8"),  # of links that are back
        ("blocked_us", "i8"),  # of scans that found the link down
        ("without_us", "i8"),  # of workers who have a scanner again, or went home
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

WORKER = np.dtype(
    [
        ("opened_us", "i8"),  # NEVER: holds no scanner
        ("without_from_us", "i8"),  # NEVER: does not wait for one
        ("down_from_us", "i8"),  # NEVER: the link holds
        ("worked", "i8"),
        ("first_pair", "i8"),  # where the starts of this worker's kind of job begin
    ]
)
GATEWAY = np.dtype([("messages", "i8"), ("wait_us", "i8")])


class Tally:
    """What has been counted so far; the same for any chunking of the same rows."""

    def __init__(self, jobs: Sequence[int], scanners: int, gateways: int) -> None:
        """Begin at nothing.

        Parameters
        ----------
        jobs
            Which job configuration each worker works by, -1 for none.
        scanners, gateways
            How many there are.
        """
        self._jobs = np.array(jobs, np.int64)
        self._scanners = scanners
        self._starts = self._no_starts(gateways)
        self.sums = np.zeros(1, SUMS)
        self.workers = np.zeros(len(jobs), WORKER)
        self.workers["first_pair"] = self._jobs * scanners * gateways
        for name in ("opened_us", "without_from_us", "down_from_us"):
            self.workers[name] = _NEVER
        self.gateways = np.zeros(gateways, GATEWAY)
        # Messages whose service had not begun at the last row: (gateway, when it begins).
        self._waiting = np.zeros((0, 2), np.int64)
        self._begun = [np.zeros((0, 3), np.int64)]  # start barcodes: (worker, job, scan)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state: where jobs are under way, not the room for all that could be."""
        begun = np.flatnonzero(self._starts)
        return self.__dict__ | {"_starts": (len(self._starts), begun, self._starts[begun])}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.__dict__.update(state)
        room, begun, moments_us = state["_starts"]
        self._starts = np.zeros(room, np.int64)
        self._starts[begun] = moments_us

    def _no_starts(self, gateways: int) -> NDArray[np.int64]:
        """Return room for when jobs under way began, of each kind, scanner and gateway [us].

        Pages that no job touches are never really there.
        """
        kinds = max(self._jobs.tolist(), default=-1) + 1
        return np.zeros(kinds * self._scanners * gateways, np.int64)

    def grow(self, gateways: int) -> None:
        """Make room for so many gateways: more than before."""
        known = len(self.gateways)
        begun = np.flatnonzero(self._starts)
        kind_and_scanner, gateway = np.divmod(begun, max(known, 1))
        starts = self._no_starts(gateways)
        starts[kind_and_scanner * gateways + gateway] = self._starts[begun]
        self._starts = starts
        self.workers["first_pair"] = self._jobs * self._scanners * gateways
        counted, self.gateways = self.gateways, np.zeros(gateways, GATEWAY)
        self.gateways[:known] = counted

    def add(self, rows: NDArray[np.void]) -> None:
        """Count a chunk of rows, the next in order."""
        _add(self.sums, self.workers, self.gateways, self._starts, rows)
        held, begun = np.empty((len(rows), 2), np.int64), np.empty((len(rows), 3), np.int64)
        counts = np.zeros(2, np.int64)
        _pick(rows, held, begun, counts)
        waiting = np.concatenate([self._waiting, held[: counts[0]]])
        last_us = rows["time_us"][-1] if len(rows) else 0
        self._waiting = waiting[waiting[:, 1] > last_us]
        if counts[1]:
            self._begun.append(begun[: counts[1]].copy())

    def begun_us(self) -> NDArray[np.int64]:
        """Return when each job was begun, its first start barcode, in order, shape (jobs,) [us]."""
        self._begun = [np.concatenate(self._begun)]
        worker, job, scan_us = self._begun[0].T
        _, first = np.unique(worker << 32 | job, return_index=True)
        return np.sort(scan_us[first])

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
        return self._with_open("session_us", "opened_us", now_us)

    def without_us(self, now_us: int) -> int:
        """Return the time that workers were ready to work without a connected scanner [us]."""
        return self._with_open("without_us", "without_from_us", now_us)

    def down_us(self, now_us: int) -> int:
        """Return the time that links in use were down [us]."""
        return self._with_open("down_us", "down_from_us", now_us)

    def _with_open(self, name: str, begun: str, now_us: int) -> int:
        """Return a sum of what has ended and of what has begun and goes on [us]."""
        begun_us = self.workers[begun]
        under_way = begun_us[begun_us != _NEVER]
        return int(self.sums[name][0] + (now_us - under_way).sum())


@rule
def _add(
    sums: NDArray[np.void],
    workers: NDArray[np.void],
    gateways: NDArray[np.void],
    starts: NDArray[np.int64],
    rows: NDArray[np.void],
) -> None:
    """Count rows."""
    total = sums[0]
    for i in range(len(rows)):
        row = rows[i]
        kind = row["kind"]
        if kind == _SCAN:
            _add_scan(total, workers[row["worker"]], gateways, starts, row)
        elif kind == _TELEMETRY:
            _add_report(total, gateways[row["gateway"]], row)
        else:
            _add_session(total, workers[row["worker"]], row)


@rule
def _pick(
    rows: NDArray[np.void],
    held: NDArray[np.int64],
    begun: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Fill which messages had to wait, and the start barcodes; in ``counts`` how many of each."""
    for i in range(len(rows)):
        row = rows[i]
        if row["wait_us"] > 0 and _has_arrived(row):
            held[counts[0], 0] = row["gateway"]
            held[counts[0], 1] = row["time_us"] + row["wait_us"]
            counts[0] += 1
        if row["role"] == _START:
            begun[counts[1], 0] = row["worker"]
            begun[counts[1], 1] = row["job"]
            begun[counts[1], 2] = row["time_us"] - row["link_us"]
            counts[1] += 1


@part
def _has_arrived(row: np.void) -> bool:
    """Return whether a row is of a message that a gateway got."""
    is_message = row["kind"] == _SCAN or row["kind"] == _TELEMETRY
    return is_message and row["outcome"] != _LOST and row["outcome"] != _NOT_CONNECTED


@part
def _add_scan(
    total: np.void,
    worker: np.void,
    gateways: NDArray[np.void],
    starts: NDArray[np.int64],
    row: np.void,
) -> None:
    """Count a scan."""
    outcome = row["outcome"]
    if outcome in (_LOST, _NOT_CONNECTED):
        total["scans_lost"] += 1
        if outcome == _NOT_CONNECTED:
            total["blocked_us"] += row["wait_us"]
        return
    total["scans"] += 1
    if outcome == _NO_FEEDBACK:
        total["no_feedback"] += 1
    if row["slip"] == _WRONG:
        total["wrong_scans"] += 1
    scan_us = row["time_us"] - row["link_us"]
    beep_us = row["beep_us"] - scan_us
    total["beep_us"] += beep_us
    total["beep_bins"][bin_of(beep_us)] += 1
    _add_passage(total, gateways[row["gateway"]], row)
    if row["copies"] > 0:
        cloud_us = row["visible_us"] - scan_us
        total["scans_shown"] += 1
        total["cloud_us"] += cloud_us
        total["cloud_bins"][bin_of(cloud_us)] += 1
        if row["role"] in (_START, _END):
            pair = row["scanner"] * len(gateways) + row["gateway"]
            _add_to_job(total, starts, worker["first_pair"] + pair, row)


@part
def _add_passage(total: np.void, gateway: np.void, row: np.void) -> None:
    """Count a message at its gateway."""
    if row["copies"] == 0:
        total["lost_buffer"] += 1
    else:
        total["duplicates"] += row["copies"] - 1
    total["wait_us"] += row["wait_us"]
    gateway["messages"] += 1
    gateway["wait_us"] += row["wait_us"]


@part
def _add_to_job(total: np.void, starts: NDArray[np.int64], pair: int, row: np.void) -> None:
    """Pair barcodes as job analysis does: per kind, device and gateway; a new start drops the last.

    ``starts`` holds when the job under way began and 1 more, 0 for none [us].
    """
    scan_us = row["time_us"] - row["link_us"]
    if row["role"] == _START:
        starts[pair] = scan_us + 1
    elif starts[pair] > 0:
        job_us = scan_us + 1 - starts[pair]
        starts[pair] = 0
        total["jobs"] += 1
        total["job_us"] += job_us
        total["job_bins"][bin_of(job_us)] += 1


@part
def _add_report(total: np.void, gateway: np.void, row: np.void) -> None:
    """Count a report."""
    if row["outcome"] in (_LOST, _NOT_CONNECTED):
        total["reports_lost"] += 1
        return
    total["reports"] += 1
    _add_passage(total, gateway, row)


@part
def _add_session(total: np.void, worker: np.void, row: np.void) -> None:
    """Count what happens between a worker and a scanner."""
    kind, time_us = row["kind"], row["time_us"]
    if kind == _DROP:
        total["drops"] += 1
        worker["down_from_us"] = time_us
    elif kind == _RECONNECT:
        total["down_us"] += row["wait_us"]
        worker["down_from_us"] = _NEVER
    elif kind == _UNEQUIPPED:
        total["unequipped"] += 1
        worker["without_from_us"] = time_us
    else:
        _end_session(total, worker, time_us)
        total["without_us"] += row["wait_us"]
        worker["without_from_us"] = _NEVER
        if kind == _SWAP:
            total["swaps"] += 1
        elif kind == _ROAM:
            total["roams"] += 1
        if kind != _CLOSE:
            worker["opened_us"] = time_us
            worker["worked"] = 1


@part
def _end_session(total: np.void, worker: np.void, time_us: int) -> None:
    """Count the session that ends, if there was one."""
    if worker["opened_us"] != _NEVER:
        total["session_us"] += time_us - worker["opened_us"]
        worker["opened_us"] = _NEVER
    if worker["down_from_us"] != _NEVER:
        total["down_us"] += time_us - worker["down_from_us"]
        worker["down_from_us"] = _NEVER
