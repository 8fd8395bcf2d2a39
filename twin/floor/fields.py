"""What an observer reads off a row: fields that are pure functions of its columns.

The engines do not store them: a scan's text, symbology, trigger time and id follow from who
scanned, the how-many-eth time, and the seed.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.compiling import rule
from twin.draws import fold, root, sample, unit
from twin.events import Kind, Role
from twin.floor.plan import FloorPlan
from twin.floor.rules.streams import EVENT_ID, ITEM, ITEM_SYMBOLOGY, TRIGGER_TIME

_ITEM_NUMBERS = 10**12
_UUID_VERSION = (0xFFFFFFFFFFFF0FFF, 0x0000000000004000)
_UUID_VARIANT = (0x3FFFFFFFFFFFFFFF, 0x8000000000000000)


class JobTexts(NamedTuple):
    """The prefixes of one job configuration."""

    start_barcode: str
    end_barcode: str


def message_states(plan: FloorPlan, rows: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the address state of each message, shape (n,): of its worker, or of its scanner."""
    seed_state = root(int(plan.book[0]["seed"]))
    words = np.where(
        rows["kind"] == Kind.TELEMETRY,
        _taken(plan.scanner_words, rows["scanner"]),
        _taken(plan.worker_words, rows["worker"]),
    )
    out = np.zeros(len(rows), np.int64)
    _fold_all(seed_state, words, rows["number"].astype(np.int64), out)
    return out


def _taken(words: NDArray[np.int64], index: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the words at these indices, 0 where there is none."""
    return np.append(words, 0)[index]


@rule
def _fold_all(
    seed_state: int, words: NDArray[np.int64], numbers: NDArray[np.int64], out: NDArray[np.int64]
) -> None:
    """Fill the state of every (word, number) below a seed."""
    for i in range(len(words)):
        out[i] = fold(fold(seed_state, words[i]), numbers[i])


@rule
def _words(states: NDArray[np.int64], stream: int, part: int, out: NDArray[np.int64]) -> None:
    """Fill one address word per state."""
    for i in range(len(states)):
        out[i] = fold(fold(states[i], stream), part)


@rule
def _units(states: NDArray[np.int64], stream: int, out: NDArray[np.float64]) -> None:
    """Fill one uniform number per state."""
    for i in range(len(states)):
        out[i] = unit(fold(fold(states[i], stream), 0))


@rule
def _triggers(
    book: NDArray[np.void], states: NDArray[np.int64], stream: int, out: NDArray[np.float64]
) -> None:
    """Fill one trigger time per state."""
    for i in range(len(states)):
        out[i] = sample(book[0]["trigger"], states[i], stream)


def trigger_s(plan: FloorPlan, states: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how long the trigger was held for each scan, to 10 ms as the API gives it [s]."""
    out = np.zeros(len(states))
    _triggers(plan.book, states, TRIGGER_TIME, out)
    return np.round(np.maximum(out, 0.0) / 1e6, 2)


def event_ids(states: NDArray[np.int64]) -> list[str]:
    """Return the UUID of each event (version 4 in form; its bits come from the address)."""
    high, low = np.zeros(len(states), np.int64), np.zeros(len(states), np.int64)
    _words(states, EVENT_ID, 0, high)
    _words(states, EVENT_ID, 1, low)
    highs = (high.view(np.uint64) & _UUID_VERSION[0]) | np.uint64(_UUID_VERSION[1])
    lows = (low.view(np.uint64) & _UUID_VARIANT[0]) | np.uint64(_UUID_VARIANT[1])
    t = np.column_stack([highs, lows]).astype(">u8").tobytes().hex()  # all texts in one
    return [
        f"{t[i : i + 8]}-{t[i + 8 : i + 12]}-{t[i + 12 : i + 16]}-"
        f"{t[i + 16 : i + 20]}-{t[i + 20 : i + 32]}"
        for i in range(0, len(t), 32)
    ]


def symbologies(
    states: NDArray[np.int64], roles: NDArray[np.uint8], weights: NDArray[np.float64], job: int
) -> NDArray[np.int64]:
    """Return the symbology of each scan as an index, shape (n,).

    Parameters
    ----------
    states, roles
        Of each scan, shape (n,).
    weights
        How often each symbology comes on items, shape (symbologies,).
    job
        The index for job barcodes.
    """
    u = np.zeros(len(states))
    _units(states, ITEM_SYMBOLOGY, u)
    reached = np.cumsum(weights) / weights.sum()
    items = np.minimum(np.searchsorted(reached, u, side="right"), len(weights) - 1)
    return np.where((roles == Role.START) | (roles == Role.END), job, items).astype(np.int64)


def scan_codes(
    states: NDArray[np.int64], rows: NDArray[np.void], jobs: list[JobTexts], job_of: list[int]
) -> list[str]:
    """Return the text of each scan.

    Start and end barcodes are the configured prefix and the number of worker and job; an item is
    thirteen digits with the check digit of EAN-13.

    Parameters
    ----------
    states, rows
        Of each scan, shape (n,).
    jobs
        The job configurations.
    job_of
        Which of them each worker works by, -1 for none.
    """
    words = np.zeros(len(states), np.int64)
    _words(states, ITEM, 0, words)
    codes = _items(words.view(np.uint64) % np.uint64(_ITEM_NUMBERS), jobs)
    for role in (Role.START, Role.END):
        found = np.flatnonzero(rows["role"] == role)
        workers, numbers = rows["worker"][found].tolist(), rows["job"][found].tolist()
        for i, worker, number in zip(found.tolist(), workers, numbers, strict=True):
            texts = jobs[job_of[worker]]
            prefix = texts.start_barcode if role == Role.START else texts.end_barcode
            codes[i] = f"{prefix}{worker + 1:05d}{number + 1:06d}"
    return codes


def _items(numbers: NDArray[np.uint64], jobs: list[JobTexts]) -> list[str]:
    """Return item codes; one that a job's prefix would claim gets a sign in front."""
    digits = [(numbers // np.uint64(10**k)) % np.uint64(10) for k in range(11, -1, -1)]
    weighted = sum((3 if k % 2 else 1) * digit for k, digit in enumerate(digits))
    checks = (10 - np.asarray(weighted, np.uint64).astype(np.int64) % 10) % 10
    codes = [f"{n:013d}" for n in (numbers.astype(np.int64) * 10 + checks).tolist()]
    prefixes = tuple(text for job in jobs for text in job if text[0].isdigit())
    if prefixes:
        codes = [f"#{code}" if code.startswith(prefixes) else code for code in codes]
    return codes
