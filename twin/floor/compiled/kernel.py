"""The inner loop: order and bookkeeping; what is decided is decided in ``rules``."""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_rule, prefetch, rule
from twin.draws import fold
from twin.events import NEVER, Kind, Outcome, Role
from twin.floor.compiled.state import Floor
from twin.floor.compiled.tournament import put
from twin.floor.rules.ble import attempts, exchange_us
from twin.floor.rules.gateway import service_us, uplinked_us, visible_us
from twin.floor.rules.scanner import battery_column, charge_left_ppb, report_number, report_us
from twin.floor.rules.streams import FEEDBACK, UPLINK
from twin.floor.rules.workload import (
    done_us,
    first_line,
    interval_us,
    job_lines,
    left_us,
    next_line,
    opening_us,
    role_of,
)

_NEVER = int(NEVER)
_MOST_TRIES = 255
_SCAN, _TELEMETRY = int(Kind.SCAN), int(Kind.TELEMETRY)
_DELIVERED, _LOST = int(Outcome.DELIVERED), int(Outcome.LOST_BLE)
_NO_FEEDBACK = int(Outcome.NO_FEEDBACK)
_NONE = int(Role.NONE)


@rule
def run(
    floor: Floor,
    windows: NDArray[np.int64],
    until_us: int,
    rows: NDArray[np.void],
    used: int,
) -> int:
    """Write the rows of all arrivals before a moment; stop early when the chunk is full.

    Returns
    -------
    how many rows of the chunk are used
    """
    book, tree, bits = floor.book, floor.tree, floor.bits
    workers, reporters, gateways = floor.workers, floor.reporters, floor.gateways
    leaf_mask = (1 << bits) - 1
    while used < len(rows):
        key = tree[1]
        now_us = key >> bits
        if now_us >= until_us or key == _NEVER:
            break
        leaf = key & leaf_mask
        w = _worker(leaf, len(workers))
        me = workers[w]
        row = rows[used]
        row["worker"] = w
        if leaf == w:
            failed = _scan_arrives(book, me, gateways[me["gateway"]], now_us, row)
            arrival_us = _next_scan(book, me, windows, failed)
        else:
            mine = reporters[w]
            _report_arrives(book, me, mine, gateways[me["gateway"]], now_us, row)
            arrival_us = _next_report(book, me, mine, mine["number"] + 1)
        soon = put(tree, bits, leaf, arrival_us)
        prefetch(workers, _worker(soon, len(workers)))
        used += 1
    return used


@inlined_rule
def _worker(leaf: int, workers: int) -> int:
    """Return whose arrival a leaf holds: first the scans of all workers, then the reports."""
    return leaf if leaf < workers else leaf - workers


@inlined_rule
def _scan_arrives(
    book: NDArray[np.void], me: np.void, gateway: np.void, now_us: int, row: np.void
) -> bool:
    """A scan reaches its gateway, or its scanner gives up; return whether it failed."""
    me["scans"] += 1
    beep_us, failed = now_us, True
    if me["tries"] > me["limit"]:
        _write_lost(row)
    else:
        served_us = _accept(book, gateway, me["scan"], now_us, row)
        tries = attempts(me["scan"], FEEDBACK, me["loss"], me["limit"])
        beep_us = _exchange_us(me, served_us, tries)
        failed = tries > me["limit"]
        row["outcome"] = _NO_FEEDBACK if failed else _DELIVERED
    _write_message(book, me, row, now_us, me["scan_us"], me["tries"])
    row["kind"] = _SCAN
    row["beep_us"] = beep_us
    row["number"] = me["number"]
    row["job"] = me["job"] if me["lines"] > 0 else -1
    row["line"] = me["line"] if me["lines"] > 0 else -1
    row["role"] = role_of(me["line"], me["lines"])
    me["ready_us"] = beep_us
    return failed


@inlined_rule
def _next_scan(
    book: NDArray[np.void], me: np.void, windows: NDArray[np.int64], failed: bool
) -> int:
    """After the beep: the next line, or the same again; return when that arrives [us]."""
    me["number"] += 1
    if not failed:
        me["line"] = next_line(me["line"], me["lines"])
        if me["lines"] > 0 and me["line"] == 0:
            _next_job(book, me)
    return _plan_scan(book, me, windows, failed)


@rule
def _next_job(book: NDArray[np.void], me: np.void) -> None:
    """A worker takes the next job."""
    me["job"] += 1
    me["lines"] = job_lines(book, me["state"], me["job"])
    me["line"] = first_line(me["lines"])


@inlined_rule
def _plan_scan(
    book: NDArray[np.void], me: np.void, windows: NDArray[np.int64], repeated: bool
) -> int:
    """Decide when a worker scans next; return when that reaches the gateway [us]."""
    scan = fold(me["state"], me["number"])
    role = role_of(me["line"], me["lines"])
    work_us = interval_us(book, scan, role, repeated)
    scan_us = done_us(me["ready_us"], me["opens_us"], me["closes_us"], work_us)
    while scan_us == _NEVER and me["window"] + 1 < me["end_window"]:
        work_us = left_us(me["ready_us"], me["opens_us"], me["closes_us"], work_us)
        _open_window(book, me, windows, me["window"] + 1, False)
        scan_us = done_us(me["ready_us"], me["opens_us"], me["closes_us"], work_us)
    me["scan"] = scan
    me["scan_us"] = scan_us
    if scan_us == _NEVER:
        return _NEVER
    me["tries"] = attempts(scan, UPLINK, me["loss"], me["limit"])
    return _exchange_us(me, scan_us, me["tries"])


@rule
def _open_window(
    book: NDArray[np.void], me: np.void, windows: NDArray[np.int64], window: int, first: bool
) -> None:
    """A worker turns to the next stretch of work."""
    me["window"] = window
    me["opens_us"] = opening_us(book, me["state"], windows[window, 0], first)
    me["closes_us"] = windows[window, 1]


@rule
def _report_arrives(
    book: NDArray[np.void],
    me: np.void,
    mine: np.void,
    gateway: np.void,
    now_us: int,
    row: np.void,
) -> None:
    """A scanner's report reaches its gateway, or is given up; nobody repeats it."""
    if mine["tries"] > me["limit"]:
        _write_lost(row)
    else:
        _accept(book, gateway, fold(mine["scanner_state"], mine["number"]), now_us, row)
        row["outcome"] = _DELIVERED
    _write_message(book, me, row, now_us, mine["made_us"], mine["tries"])
    row["kind"] = _TELEMETRY
    row["beep_us"] = _NEVER
    row["number"] = mine["number"]
    row["job"] = -1
    row["line"] = -1
    row["role"] = _NONE


@rule
def _next_report(book: NDArray[np.void], me: np.void, mine: np.void, number: int) -> int:
    """Decide when a scanner reports next; return when that reaches the gateway [us]."""
    moment_us = report_us(mine["scanner_state"], number, book[0]["telemetry_period_us"])
    if moment_us >= mine["until_us"]:
        return _NEVER
    mine["number"] = number
    mine["made_us"] = moment_us
    report = fold(mine["scanner_state"], number)
    mine["tries"] = attempts(report, UPLINK, me["loss"], me["limit"])
    return _exchange_us(me, moment_us, mine["tries"])


@inlined_rule
def _exchange_us(me: np.void, ready_us: int, tries: int) -> int:
    """Return when a message of this session is across [us]."""
    return exchange_us(
        ready_us, me["anchor_us"], me["interval_us"], me["air_us"], tries, me["limit"]
    )


@inlined_rule
def _accept(
    book: NDArray[np.void], gateway: np.void, message: int, now_us: int, row: np.void
) -> int:
    """Queue a message at its gateway; return when the gateway is done with it [us]."""
    begins_us = max(now_us, gateway["free_us"])
    work_us = service_us(book, message)
    served_us = begins_us + work_us
    up_us = uplinked_us(book, message, served_us, gateway["uplinked_us"])
    gateway["free_us"] = served_us
    gateway["uplinked_us"] = up_us
    gateway["busy_us"] += work_us
    row["wait_us"] = begins_us - now_us
    row["visible_us"] = visible_us(book, message, up_us)
    return served_us


@rule
def _write_lost(row: np.void) -> None:
    """Fill what a message that never arrived has."""
    row["wait_us"] = 0
    row["visible_us"] = _NEVER
    row["outcome"] = _LOST


@inlined_rule
def _write_message(
    book: NDArray[np.void], me: np.void, row: np.void, now_us: int, made_us: int, tries: int
) -> None:
    """Fill what scans and reports have in common."""
    row["time_us"] = now_us
    row["link_us"] = now_us - made_us
    row["scanner"] = me["scanner"]
    row["gateway"] = me["gateway"]
    row["attempts"] = min(tries, me["limit"], _MOST_TRIES)
    row["battery"] = battery_column(_charge_ppb(book, me, now_us, me["scans"]))


@inlined_rule
def _charge_ppb(book: NDArray[np.void], me: np.void, now_us: int, scans: int) -> int:
    """Return the charge of a worker's scanner after some scans [1e-9]."""
    return charge_left_ppb(
        me["charge_ppb"],
        scans,
        me["drain_ppb"],
        now_us - me["opened_us"],
        book[0]["idle_drain_ppm_per_h"],
    )


@rule
def session_charges(floor: Floor, now_us: int, out: NDArray[np.int64]) -> None:
    """Fill the charge of every worker's scanner, its scans before now counted [1e-9]."""
    for w in range(len(floor.workers)):
        me = floor.workers[w]
        under_way = 1 if me["scan_us"] < now_us else 0
        out[w] = _charge_ppb(floor.book, me, now_us, me["scans"] + under_way)


@rule
def open_sessions(floor: Floor, windows: NDArray[np.int64], sessions: NDArray[np.void]) -> None:
    """Let workers begin: the session's facts, a new job, the first scan, the first report."""
    book = floor.book
    for i in range(len(sessions)):
        session = sessions[i]
        w = session["worker"]
        me = floor.workers[w]
        _take(me, session)
        if me["line"] != first_line(me["lines"]):
            _next_job(book, me)
        _open_window(book, me, windows, session["first_window"], True)
        put(floor.tree, floor.bits, w, _plan_scan(book, me, windows, False))
        if book[0]["telemetry_period_us"] > 0:
            mine = floor.reporters[w]
            mine["scanner_state"] = floor.scanner_states[session["scanner"]]
            mine["until_us"] = session["until_us"]
            first = report_number(
                mine["scanner_state"], session["opened_us"], book[0]["telemetry_period_us"]
            )
            arrival_us = _next_report(book, me, mine, first)
            put(floor.tree, floor.bits, len(floor.workers) + w, arrival_us)


@rule
def _take(me: np.void, session: np.void) -> None:
    """Copy a session's facts."""
    me["scanner"] = session["scanner"]
    me["gateway"] = session["gateway"]
    me["anchor_us"] = session["anchor_us"]
    me["interval_us"] = session["interval_us"]
    me["air_us"] = session["air_us"]
    me["loss"] = session["loss"]
    me["limit"] = session["attempts"]
    me["scans"] = 0
    me["end_window"] = session["end_window"]
    me["opened_us"] = session["opened_us"]
    me["charge_ppb"] = session["charge_ppb"]
    me["drain_ppb"] = session["drain_ppb"]
    me["ready_us"] = max(me["ready_us"], session["opened_us"])
