"""The inner loop: order and bookkeeping; what is decided is decided in ``rules``."""

import numpy as np
from numpy.typing import NDArray

from twin.arrays import put
from twin.commands import FRESH, RESCANS
from twin.compiling import inlined_part, part, prefetch, rule
from twin.draws import fold
from twin.events import NEVER, Kind, Outcome, Role, Slip
from twin.floor.compiled.charge import charge_ppb
from twin.floor.compiled.links import (
    NOT_CONNECTED,
    ask,
    close_link,
    cross,
    decide_report,
    decide_scan,
    link_turns,
    open_link,
)
from twin.floor.compiled.passage import accept
from twin.floor.compiled.state import Floor
from twin.floor.rules.link import disturbed_loss
from twin.floor.rules.orders import return_order, take_order
from twin.floor.rules.scanner import battery_column, is_low, report_number, report_us
from twin.floor.rules.streams import FEEDBACK
from twin.floor.rules.workload import (
    NO_JOB,
    done_us,
    first_line,
    forgets_end,
    interval_us,
    is_wrong,
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
_NO_FEEDBACK, _NOT_CONNECTED = int(Outcome.NO_FEEDBACK), int(Outcome.NOT_CONNECTED)
_LOST_BUFFER = int(Outcome.LOST_BUFFER)
_FRESH, _RESCANS = FRESH, RESCANS
_NONE = int(Role.NONE)
_WRONG, _FORGOTTEN = int(Slip.WRONG_BARCODE), int(Slip.END_FORGOTTEN)


@rule
def run(
    floor: Floor,
    windows: NDArray[np.int64],
    until_us: int,
    rows: NDArray[np.void],
    used: int,
) -> int:
    """Write the rows of all events before a moment; stop early when the chunk is full.

    It also stops after the row of a worker who asks the site for help: ``floor.asks``.

    Returns
    -------
    how many rows of the chunk are used
    """
    tree, bits, workers = floor.tree, floor.bits, floor.workers
    leaf_mask = (1 << bits) - 1
    while used < len(rows):
        key = tree[1]
        now_us = key >> bits
        if now_us >= until_us or key == _NEVER:
            break
        leaf = key & leaf_mask
        if leaf < len(workers):
            row = rows[used]
            row["worker"] = leaf
            arrival_us = _scan_ends(floor, windows, leaf, now_us, row)
            soon = put(tree, bits, leaf, arrival_us)
            prefetch(workers, _worker(soon, len(workers)))
            used += 1
            asks = arrival_us == _NEVER and floor.has.swaps is not None and floor.asks[0] >= 0
        else:
            used += _other_ends(floor, leaf, now_us, rows[used])
            asks = floor.asks[0] >= 0
        if asks:
            break
    return used


@part
def _other_ends(floor: Floor, leaf: int, now_us: int, row: np.void) -> int:
    """A report ends, or something comes next on a link; return how many rows that takes."""
    w = _worker(leaf, len(floor.workers))
    row["worker"] = w
    if leaf >= 2 * len(floor.workers):
        return int(link_turns(floor, w, now_us, row))
    soon = put(floor.tree, floor.bits, leaf, _report_ends(floor, w, now_us, row))
    prefetch(floor.workers, _worker(soon, len(floor.workers)))
    return 1


@inlined_part
def _worker(leaf: int, workers: int) -> int:
    """Return whose a leaf is: first the scans of all workers, then the reports, the links."""
    if leaf >= workers:
        leaf -= workers
    return leaf if leaf < workers else leaf - workers


@inlined_part
def _scan_ends(floor: Floor, windows: NDArray[np.int64], w: int, now_us: int, row: np.void) -> int:
    """A scan reaches its gateway or fails; return when the worker's next one does [us]."""
    book, me = floor.book, floor.workers[w]
    scan = me["scan"]
    me["scans"] += 1
    row["slip"] = 0
    row["copies"] = 0
    ready_us, failed = now_us, True
    if floor.has.links is not None and me["tries"] == NOT_CONNECTED:
        ready_us = floor.links[w]["up_us"]
        _write_unsent(row, _NOT_CONNECTED, ready_us - now_us)
        row["beep_us"] = now_us
    elif me["tries"] > me["limit"]:
        _write_unsent(row, _LOST, 0)
        row["beep_us"] = now_us
    else:
        ready_us, failed = _scan_arrives(floor, me, w, scan, now_us, row)
    _write_message(book, me, row, now_us, me["scan_us"], me["tries"])
    row["kind"] = _SCAN
    row["number"] = me["number"]
    row["job"] = me["job"] if me["lines"] > 0 else -1
    row["line"] = me["line"] if me["lines"] > 0 else -1
    row["role"] = role_of(me["line"], me["lines"])
    me["ready_us"] = ready_us
    return _next_scan(floor, me, w, windows, failed, row)


@inlined_part
def _scan_arrives(
    floor: Floor, me: np.void, w: int, scan: int, now_us: int, row: np.void
) -> tuple[int, bool]:
    """A scan is at its gateway; return when the worker hears of it [us] and must scan again."""
    served_us = accept(floor, me["gateway"], scan, now_us, row)
    tries, beep_us = cross(floor, me, w, scan, FEEDBACK, served_us)
    failed = tries > me["limit"]
    row["beep_us"] = beep_us
    row["outcome"] = _NO_FEEDBACK if failed else _DELIVERED
    if floor.has.uplink is not None and row["copies"] == 0:
        row["outcome"] = _LOST_BUFFER
    if floor.has.slips is not None and not failed:
        failed = is_wrong(floor.book, scan, role_of(me["line"], me["lines"]))
        row["slip"] = _WRONG if failed else 0
    return beep_us, failed


@inlined_part
def _next_scan(
    floor: Floor,
    me: np.void,
    w: int,
    windows: NDArray[np.int64],
    failed: bool,
    row: np.void,
) -> int:
    """After the beep: the next line, or the same again; return when that ends [us]."""
    me["number"] += 1
    if not failed:
        me["line"] = next_line(me["line"], me["lines"])
        if floor.has.slips is not None and _forgets_end(floor, me):
            row["slip"] = _FORGOTTEN
            me["line"] = 0
        if me["lines"] > 0 and me["line"] == 0:
            _next_job(floor, me, w)
        if floor.has.swaps is not None and is_low(floor.book, row["battery"]):
            return _ask_for_scanner(floor, w, row["time_us"])
    return _plan_scan(floor, me, w, windows, failed)


@inlined_part
def _forgets_end(floor: Floor, me: np.void) -> bool:
    """Say whether a worker whose job lacks only its end barcode goes on to the next without it."""
    return me["line"] > me["lines"] > 0 and forgets_end(floor.book, me["state"], me["job"])


@part
def _ask_for_scanner(floor: Floor, w: int, now_us: int) -> int:
    """A worker puts a nearly empty scanner down; nothing comes until the site has answered."""
    ask(floor, w, now_us, _SCAN)
    me = floor.workers[w]
    me["scan_us"] = _NEVER
    floor.exposed[w]["until_us"] = 0
    if floor.has.orders is not None and me["line"] == 0:
        _return_order(floor, me, w)
    if floor.book[0]["telemetry_period_us"] > 0:
        floor.reporters[w]["made_us"] = _NEVER
        put(floor.tree, floor.bits, len(floor.workers) + w, _NEVER)
    if floor.has.links is not None:
        close_link(floor, w)
    return _NEVER


@part
def _next_job(floor: Floor, me: np.void, w: int) -> None:
    """A worker takes the next job: the next of its own, or the site's next order."""
    me["job"] += 1
    if floor.has.orders is not None:
        orders, in_hand = floor.orders[0], floor.in_hand[w]
        take_order(orders, floor.orders_per_h, floor.returned, in_hand)
        me["ready_us"] = max(me["ready_us"], in_hand["due_us"])
        me["lines"] = job_lines(floor.book, orders["state"], in_hand["number"])
    else:
        me["lines"] = job_lines(floor.book, me["state"], me["job"])
    me["line"] = first_line(me["lines"])


@part
def _return_order(floor: Floor, me: np.void, w: int) -> None:
    """A worker who does not come to begin an order leaves it to the next who is free."""
    return_order(floor.orders[0], floor.returned, floor.in_hand[w])
    me["job"] -= 1
    me["line"] = NO_JOB
    me["ready_us"] = 0


@inlined_part
def _plan_scan(
    floor: Floor, me: np.void, w: int, windows: NDArray[np.int64], repeated: bool
) -> int:
    """Decide when a worker scans next; return when that ends, if that is known [us]."""
    book = floor.book
    scan = fold(me["state"], me["number"])
    role = role_of(me["line"], me["lines"])
    pace = 1.0 if floor.has.slips is None else me["pace"]
    work_us = interval_us(book, scan, role, repeated, pace)
    scan_us = done_us(me["ready_us"], me["opens_us"], me["closes_us"], work_us)
    stretches = floor.stretches[w]
    while scan_us == _NEVER and stretches["here"] + 1 < stretches["end"]:
        work_us = left_us(me["ready_us"], me["opens_us"], me["closes_us"], work_us)
        stretches["here"] += 1
        _come_back(book, me, windows, stretches["here"])
        scan_us = done_us(me["ready_us"], me["opens_us"], me["closes_us"], work_us)
    if floor.has.orders is not None and scan_us == _NEVER and _leaves_order(me):
        _return_order(floor, me, w)
    me["scan"] = scan
    me["scan_us"] = scan_us
    return decide_scan(floor, me, w)


@inlined_part
def _leaves_order(me: np.void) -> bool:
    """Say whether a worker who does not come back to work today has an order not yet begun."""
    return me["line"] == 0 and me["lines"] > 0


@part
def _come_back(
    book: NDArray[np.void], me: np.void, windows: NDArray[np.int64], window: int
) -> None:
    """A worker comes back from a break."""
    me["opens_us"] = opening_us(book, me["state"], windows[window, 0], False)
    me["closes_us"] = windows[window, 1]


@part
def _report_ends(floor: Floor, w: int, now_us: int, row: np.void) -> int:
    """A scanner's report reaches its gateway or fails; return when the next one does [us].

    Nobody repeats a report.
    """
    me, mine = floor.workers[w], floor.reporters[w]
    row["copies"] = 0
    if mine["tries"] == NOT_CONNECTED:
        _write_unsent(row, _NOT_CONNECTED, floor.links[w]["up_us"] - now_us)
    elif mine["tries"] > me["limit"]:
        _write_unsent(row, _LOST, 0)
    else:
        report = fold(mine["scanner_state"], mine["number"])
        accept(floor, me["gateway"], report, now_us, row)
        row["outcome"] = _DELIVERED if row["copies"] > 0 else _LOST_BUFFER
    _write_message(floor.book, me, row, now_us, mine["made_us"], mine["tries"])
    row["kind"] = _TELEMETRY
    row["beep_us"] = _NEVER
    row["number"] = mine["number"]
    row["job"] = -1
    row["line"] = -1
    row["role"] = _NONE
    row["slip"] = 0
    return _next_report(floor, me, mine, w, mine["number"] + 1)


@part
def _next_report(floor: Floor, me: np.void, mine: np.void, w: int, number: int) -> int:
    """Decide when a scanner reports next; return when that ends, if that is known [us]."""
    moment_us = report_us(mine["scanner_state"], number, floor.book[0]["telemetry_period_us"])
    mine["number"] = number
    mine["made_us"] = moment_us if moment_us < mine["until_us"] else _NEVER
    return decide_report(floor, me, mine, w)


@inlined_part
def _write_unsent(row: np.void, outcome: int, wait_us: int) -> None:
    """Fill what a message that never arrived has."""
    row["wait_us"] = wait_us
    row["visible_us"] = _NEVER
    row["outcome"] = outcome


@inlined_part
def _write_message(
    book: NDArray[np.void], me: np.void, row: np.void, now_us: int, made_us: int, tries: int
) -> None:
    """Fill what scans and reports have in common."""
    row["time_us"] = now_us
    row["link_us"] = now_us - made_us
    row["scanner"] = me["scanner"]
    row["gateway"] = me["gateway"]
    row["attempts"] = min(tries, me["limit"], _MOST_TRIES)
    row["battery"] = battery_column(charge_ppb(book, me, now_us, me["scans"]))


@rule
def open_sessions(floor: Floor, windows: NDArray[np.int64], sessions: NDArray[np.void]) -> None:
    """Let workers begin: the session's facts, a new job, the first scan, the first report."""
    floor.asks[0] = -1
    for i in range(len(sessions)):
        session = sessions[i]
        w = session["worker"]
        me = floor.workers[w]
        _take(me, session, windows)
        floor.exposed[w]["loss"] = session["loss"]
        floor.exposed[w]["until_us"] = session["until_us"]
        me["loss"] = disturbed_loss(session["loss"], floor.taken[session["gateway"]])
        floor.stretches[w]["here"] = session["first_window"]
        floor.stretches[w]["end"] = session["end_window"]
        if floor.has.links is not None:
            open_link(floor, w, session["opened_us"], session["until_us"])
        if _begins_job(me, session["resumes"] != _FRESH):
            _next_job(floor, me, w)
        rescans = session["resumes"] == _RESCANS
        put(floor.tree, floor.bits, w, _plan_scan(floor, me, w, windows, rescans))
        if floor.book[0]["telemetry_period_us"] > 0:
            mine = floor.reporters[w]
            mine["scanner_state"] = floor.scanner_states[session["scanner"]]
            mine["until_us"] = session["until_us"]
            first = report_number(
                mine["scanner_state"], session["opened_us"], floor.book[0]["telemetry_period_us"]
            )
            arrival_us = _next_report(floor, me, mine, w, first)
            put(floor.tree, floor.bits, len(floor.workers) + w, arrival_us)


@inlined_part
def _begins_job(me: np.void, resumes: bool) -> bool:
    """Say whether a session begins with a new job: not where a scanner was swapped in one."""
    if me["line"] == NO_JOB:
        return True
    return not resumes and me["line"] != first_line(me["lines"])


@part
def _take(me: np.void, session: np.void, windows: NDArray[np.int64]) -> None:
    """Copy a session's facts."""
    me["scanner"] = session["scanner"]
    me["gateway"] = session["gateway"]
    me["anchor_us"] = session["anchor_us"]
    me["interval_us"] = session["interval_us"]
    me["air_us"] = session["air_us"]
    me["limit"] = session["attempts"]
    me["scans"] = 0
    me["opened_us"] = session["opened_us"]
    me["charge_ppb"] = session["charge_ppb"]
    me["drain_ppb"] = session["drain_ppb"]
    me["ready_us"] = max(me["ready_us"], session["opened_us"])
    me["opens_us"] = max(session["opened_us"], windows[session["first_window"], 0])
    me["closes_us"] = windows[session["first_window"], 1]
