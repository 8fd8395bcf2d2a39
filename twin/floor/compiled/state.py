"""What the compiled engine knows, as arrays: together with the plan it *is* the floor's state.

Everything about one worker lies in one record: a scan touches few cache lines, and functions of
the kernel pass one pointer instead of the dozen words of an array.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.compiling import rule
from twin.draws import fold, root
from twin.events import NEVER
from twin.floor.compiled.memory import zeros
from twin.floor.compiled.tournament import empty_tree, leaf_bits
from twin.floor.plan import FloorPlan
from twin.floor.rules.workload import first_line, job_lines

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
        ("anchor_us", "i4"),
        ("interval_us", "i4"),
        ("air_us", "i4"),
        ("limit", "i4"),
        ("charge_ppb", "i4"),  # when the session opened
        ("drain_ppb", "i4"),
        ("scanner", "i4"),
        ("gateway", "i4"),
        ("scans", "i4"),  # scans of this session so far
        ("window", "i4"),
        ("end_window", "i4"),
        # Where in the work the coming scan stands.
        ("number", "i4"),
        ("job", "i4"),
        ("line", "i4"),
        ("lines", "i4"),
        ("tries", "i4"),
    ]
)
"""Two cache lines: with many workers, what a scan costs is the lines that it touches."""

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

GATEWAY = np.dtype([("free_us", "i8"), ("uplinked_us", "i8"), ("busy_us", "i8")])


class Floor(NamedTuple):
    """The arguments of the compiled engine.

    Parameters
    ----------
    book
        Array of one ``RULEBOOK`` record.
    tree
        One leaf for each worker's coming scan, behind them one for each worker's coming report.
    bits
        How many low bits of a key hold the leaf.
    workers, reporters, gateways
        Arrays of ``WORKER``, ``REPORTER`` and ``GATEWAY`` records.
    scanner_states
        Address states of the scanners.
    """

    book: NDArray[np.void]
    tree: NDArray[np.int64]
    bits: int
    workers: NDArray[np.void]
    reporters: NDArray[np.void]
    gateways: NDArray[np.void]
    scanner_states: NDArray[np.int64]


def build_floor(plan: FloorPlan) -> Floor:
    """Return a floor on which nobody works yet."""
    workers = zeros(len(plan.worker_words), WORKER)
    scanner_states = np.zeros(len(plan.scanner_words), np.int64)
    _begin(plan.book, plan.worker_words, plan.works_by_jobs, workers)
    _address(plan.book, plan.scanner_words, scanner_states)
    leaves_each = 2 if plan.book[0]["telemetry_period_us"] > 0 else 1
    bits = leaf_bits(leaves_each * len(workers))
    return Floor(
        book=plan.book,
        tree=empty_tree(bits),
        bits=bits,
        workers=workers,
        reporters=np.zeros(len(workers), REPORTER),
        gateways=np.zeros(plan.gateways, GATEWAY),
        scanner_states=scanner_states,
    )


@rule
def _begin(
    book: NDArray[np.void],
    words: NDArray[np.int64],
    works_by_jobs: NDArray[np.bool_],
    workers: NDArray[np.void],
) -> None:
    """Give every worker its address and its first job; nobody scans yet."""
    seed_state = root(book[0]["seed"])
    for w in range(len(workers)):
        me = workers[w]
        me["state"] = fold(seed_state, words[w])
        me["scan_us"] = _NEVER
        me["lines"] = job_lines(book, me["state"], 0) if works_by_jobs[w] else 0
        me["line"] = first_line(me["lines"])


@rule
def _address(book: NDArray[np.void], words: NDArray[np.int64], states: NDArray[np.int64]) -> None:
    """Fill the address states of entities."""
    seed_state = root(book[0]["seed"])
    for i in range(len(words)):
        states[i] = fold(seed_state, words[i])
