"""What the compiled engine knows, as arrays: together with the plan it *is* the floor's state.

Everything about one worker lies in one record: a scan touches few cache lines, and functions of
the kernel pass one pointer instead of the dozen words of an array.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.arrays import empty_tree, leaf_bits, placed, zeros
from twin.compiling import rule
from twin.draws import fold, root
from twin.events import NEVER
from twin.floor.plan import LONG_AGO_US, FloorPlan, start_orders
from twin.floor.rules.orders import ORDER_DUE
from twin.floor.rules.workload import NO_JOB, first_line, job_lines, pace

_NEVER = int(NEVER)

WORKER = np.dtype(
    [
        # The scan that is coming.
        ("scan_us", "i8"),
        ("scan", "i8"),  # address state of this scan
        ("state", "i8"),  # address state of this worker
        ("ready_us", "i8"),  # when the worker was last free to go on
        ("opens_us", "i8"),  # the stretch of work between two breaks
        ("closes_us", "i8"),
        # The session: who with what.
        ("opened_us", "i8"),
        ("loss", "f8"),
        ("pace", "f8"),
        ("anchor_us", "i4"),
        ("interval_us", "i4"),
        ("air_us", "i4"),
        ("limit", "i4"),
        ("charge_ppb", "i4"),  # when the session opened
        ("drain_ppb", "i4"),
        ("scanner", "i4"),
        ("gateway", "i4"),
        ("scans", "i4"),  # scans of this session so far
        # Where in the work the coming scan stands.
        ("number", "i4"),
        ("job", "i4"),
        ("line", "i4"),
        ("lines", "i4"),
        ("tries", "i4"),
    ]
)
"""Two cache lines: with many workers, what a scan costs is the lines that it touches."""

STRETCHES = np.dtype([("here", "i4"), ("end", "i4")])
"""A worker's stretches of work between breaks: which is on, and one past the last."""

EXPOSED = np.dtype([("loss", "f8"), ("until_us", "i8")])
"""What a worker's link loses if nobody else in the band disturbs it, and the end of the session;
0 for none."""

REPORTER = np.dtype(
    [
        ("scanner_state", "i8"),
        ("until_us", "i8"),
        ("made_us", "i8"),
        ("number", "i4"),
        ("tries", "i4"),
    ]
)
"""The report that is coming from the scanner in a worker's hand."""

LINK = np.dtype(
    [
        ("state", "i8"),  # address state of this link
        ("fade_from_us", "i8"),  # the fade that comes next or is on
        ("fade_to_us", "i8"),
        ("fails_us", "i8"),  # when it drops before that fade is over, NEVER if it holds
        ("up_us", "i8"),  # while it is down: when it is back; else NEVER
        ("until_us", "i8"),
        ("dropped_us", "i8"),
        ("kind", "i4"),  # which class of links
        ("number", "i4"),  # of the stretch from one fade to the next
    ]
)
"""The link of a worker's scanner, where links drop: one cache line."""

GATEWAY = np.dtype(
    [
        ("free_us", "i8"),
        ("published_us", "i8"),
        ("acknowledged_us", "i8"),
        ("busy_us", "i8"),
        ("stall_from_us", "i8"),  # the Wi-Fi suffers from a link that reconnects
        ("stall_to_us", "i8"),
        ("outage", "i4"),  # the first that is not over, and one past its last
        ("end_outage", "i4"),
        ("kind", "i4"),  # which class of links
        ("most_held", "i4"),
    ]
)
"""One cache line."""

AGAIN = np.dtype([("cut_us", "i8"), ("published_us", "i8"), ("acknowledged_us", "i8")])
"""What outages made a gateway send again: begin of the last that cut something, and the last
message sent again because of it."""

HELD = np.dtype([("first", "i8"), ("end", "i8")])
"""Which messages wait for the uplink of a gateway, counted from the beginning."""


class Has(NamedTuple):
    """The plan's ``Features`` in the types of fields: an array, or None for what cannot happen.

    So the compiler knows the answer, leaves out what is off, and it costs a scan nothing; each set
    of features that is used has a compilation of its own. Checks at run time took an eighth of
    a scan together, though each took next to nothing.
    """

    links: NDArray[np.int64] | None
    uplink: NDArray[np.int64] | None
    orders: NDArray[np.int64] | None
    slips: NDArray[np.int64] | None
    swaps: NDArray[np.int64] | None


class Floor(NamedTuple):
    """The arguments of the compiled engine.

    Parameters
    ----------
    book
        Array of one ``RULEBOOK`` record.
    tree
        One leaf for each worker's coming scan; behind them, where there are such things, one for
        each worker's coming report, and one for what comes next on each worker's link.
    bits
        How many low bits of a key hold the leaf.
    workers, stretches, reporters, links, gateways, again
        Arrays of ``WORKER``, ``STRETCHES``, ``REPORTER``, ``LINK``, ``GATEWAY`` and ``AGAIN``
        records.
    scanner_states
        Address states of the scanners.
    classes
        Array of two ``LINK_CLASS`` records.
    outages
        Stretches without uplink, shape (n, 2) [us].
    held, held_until_us
        Array of ``HELD`` records, and when the messages in each gateway's buffer are acknowledged:
        a ring for each gateway, as long as a power of two, or empty [us].
    orders, orders_per_h
        Array of one ``ORDERS`` record, and expected orders in each hour [1/h]; empty: no
        orders.
    returned, in_hand
        Arrays of ``ORDER_DUE`` records: orders that were given back, and that of each worker.
    exposed, taken
        Array of ``EXPOSED`` records, one for each worker, and the share of connection events that
        others in the band take at each gateway [1].
    asks
        The worker who asks the site for help, -1 for nobody, when [us], and after which kind of
        row, shape (3,).
    has
        What may happen on this floor, by type: see ``Has``.
    """

    book: NDArray[np.void]
    tree: NDArray[np.int64]
    bits: int
    workers: NDArray[np.void]
    stretches: NDArray[np.void]
    reporters: NDArray[np.void]
    links: NDArray[np.void]
    gateways: NDArray[np.void]
    again: NDArray[np.void]
    scanner_states: NDArray[np.int64]
    classes: NDArray[np.void]
    outages: NDArray[np.int64]
    held: NDArray[np.void]
    held_until_us: NDArray[np.int64]
    orders: NDArray[np.void]
    orders_per_h: NDArray[np.float64]
    returned: NDArray[np.void]
    in_hand: NDArray[np.void]
    exposed: NDArray[np.void]
    taken: NDArray[np.float64]
    asks: NDArray[np.int64]
    has: Has


def build_floor(plan: FloorPlan) -> Floor:
    """Return a floor on which nobody works yet."""
    workers = zeros(len(plan.worker_words), WORKER)
    scanner_states = np.zeros(len(plan.scanner_words), np.int64)
    _begin(plan.book, plan.worker_words, plan.works_by_jobs, len(plan.orders_per_h) > 0, workers)
    _address(plan.book, plan.scanner_words, scanner_states)
    leaves_each = 3 if plan.links_drop else 2 if plan.book[0]["telemetry_period_us"] > 0 else 1
    bits = leaf_bits(leaves_each * len(workers))
    links = zeros(len(workers) if plan.links_drop else 0, LINK)
    links["up_us"] = _NEVER
    return Floor(
        book=plan.book,
        tree=empty_tree(bits),
        bits=bits,
        workers=workers,
        stretches=np.zeros(len(workers), STRETCHES),
        reporters=np.zeros(len(workers), REPORTER),
        links=links,
        gateways=_gateways(plan),
        again=_again(plan),
        scanner_states=scanner_states,
        classes=plan.link_classes,
        outages=plan.outages,
        held=np.zeros(plan.gateways, HELD),
        held_until_us=_rings(plan),
        orders=start_orders(plan),
        orders_per_h=plan.orders_per_h,
        returned=np.zeros(len(workers), ORDER_DUE),
        in_hand=np.zeros(len(workers), ORDER_DUE),
        exposed=np.zeros(len(workers), EXPOSED),
        taken=np.zeros(plan.gateways),
        asks=np.full(3, -1, np.int64),
        has=_has(plan),
    )


def placed_floor(floor: Floor) -> Floor:
    """Return a floor that was copied, what the kernel visits at random where that is quick."""
    visited = ("tree", "workers", "links", "gateways")
    arrays: dict[str, Any] = {name: placed(getattr(floor, name)) for name in visited}
    return floor._replace(**arrays)


def with_gateways(floor: Floor, plan: FloorPlan) -> Floor:
    """Return a floor with the gateways that a plan has more than the one before."""
    known = len(floor.gateways)
    gateways, again, held = _gateways(plan), _again(plan), np.zeros(plan.gateways, HELD)
    rings, taken = _rings(plan), np.zeros(plan.gateways)
    taken[:known] = floor.taken
    gateways[:known], again[:known], held[:known] = floor.gateways, floor.again, floor.held
    if known:  # else nothing was counted, and nobody knew how far to
        rings[:known] = floor.held_until_us
    return floor._replace(
        gateways=gateways, again=again, held=held, held_until_us=rings,
        outages=plan.outages, taken=taken, has=_has(plan),
    )  # fmt: skip


def _again(plan: FloorPlan) -> NDArray[np.void]:
    """Return gateways that had to send nothing again."""
    return np.array([(_NEVER, LONG_AGO_US, 0)] * plan.gateways, AGAIN)


def _rings(plan: FloorPlan) -> NDArray[np.int64]:
    """Return empty buffers, each a ring as long as a power of two, or nothing to count in."""
    counted = plan.counted_messages
    ring = 1 << (counted - 1).bit_length() if counted else 0
    return np.zeros((plan.gateways, ring), np.int64)


def _has(plan: FloorPlan) -> Has:
    """Return what the types of its fields say."""
    return Has(*(np.zeros(0, np.int64) if on else None for on in plan.features))


def _gateways(plan: FloorPlan) -> NDArray[np.void]:
    """Return gateways to which nothing has come yet."""
    gateways = zeros(plan.gateways, GATEWAY)
    gateways["published_us"] = LONG_AGO_US
    gateways["kind"] = plan.gateway_mobile
    gateways["outage"], gateways["end_outage"] = plan.first_outage[:-1], plan.first_outage[1:]
    return gateways


@rule
def _begin(
    book: NDArray[np.void],
    words: NDArray[np.int64],
    works_by_jobs: NDArray[np.bool_],
    by_orders: bool,
    workers: NDArray[np.void],
) -> None:
    """Give every worker its address and its first job; nobody scans yet.

    Who works by orders has none before the first session.
    """
    seed_state = root(book[0]["seed"])
    for w in range(len(workers)):
        me = workers[w]
        me["state"] = fold(seed_state, words[w])
        me["scan_us"] = _NEVER
        me["pace"] = pace(book, me["state"])
        me["lines"] = job_lines(book, me["state"], 0) if works_by_jobs[w] else 0
        me["line"] = first_line(me["lines"])
        if by_orders and works_by_jobs[w]:
            me["job"] = -1
            me["line"] = NO_JOB


@rule
def _address(book: NDArray[np.void], words: NDArray[np.int64], states: NDArray[np.int64]) -> None:
    """Fill the address states of entities."""
    seed_state = root(book[0]["seed"])
    for i in range(len(words)):
        states[i] = fold(seed_state, words[i])
