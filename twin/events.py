"""Facts that go up: one flat row for every kind of event, and a table that says what it means.

The floor and the site write rows of ``EVENT``; the store, the frames and the APIs read them.
``COLUMNS`` gives the unit and the meaning of every column, kind by kind.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).max
"""A moment that does not come [us]."""


class Kind(IntEnum):
    """What happened."""

    SCAN = 1
    TELEMETRY = 2
    SESSION_OPEN = 3
    SESSION_CLOSE = 4
    UNEQUIPPED = 5


class Outcome(IntEnum):
    """How it ended."""

    DELIVERED = 0
    LOST_BLE = 1
    NO_FEEDBACK = 2
    NO_SCANNER = 3
    NO_GATEWAY = 4


class Role(IntEnum):
    """What a scan is in its job."""

    NONE = 0
    START = 1
    LINE = 2
    END = 3


KIND_MEANING = {
    Kind.SCAN: "a worker scanned a barcode; the row is written when the gateway has it, or when "
    "the scanner gives up",
    Kind.TELEMETRY: "a scanner reported its state; the row is written as for a scan",
    Kind.SESSION_OPEN: "a worker took a scanner and paired it with a gateway",
    Kind.SESSION_CLOSE: "a worker put the scanner back and freed the place at the gateway",
    Kind.UNEQUIPPED: "a worker began a shift and found no scanner or no gateway",
}

OUTCOME_MEANING = {
    Outcome.DELIVERED: "the gateway has it and the scanner knows",
    Outcome.LOST_BLE: "no attempt within the supervision timeout reached the gateway; the worker "
    "hears the failure tone and scans again",
    Outcome.NO_FEEDBACK: "the gateway has it, but the scanner did not learn of it within the "
    "supervision timeout; the worker hears the failure tone and scans again",
    Outcome.NO_SCANNER: "no scanner was left in the pool",
    Outcome.NO_GATEWAY: "no gateway in range had a free place",
}


@dataclass(frozen=True)
class Column:
    """One column of the flat row: its name, numpy type, unit and meaning.

    ``kinds`` are those for which it is filled; for the others it holds ``empty``.
    """

    name: str
    dtype: str
    unit: str
    meaning: str
    kinds: frozenset[Kind]
    empty: int = 0


_ALL = frozenset(Kind)
_MESSAGE = frozenset({Kind.SCAN, Kind.TELEMETRY})
_SCAN = frozenset({Kind.SCAN})
_PLACED = _MESSAGE | {Kind.SESSION_OPEN, Kind.SESSION_CLOSE}

COLUMNS = (
    Column("time_us", "i8", "us", "moment of the row: arrival at the gateway, giving up, or the "
           "site's decision; a row belongs to a run if this is before its end", _ALL),
    Column("beep_us", "i8", "us", "moment the worker hears success or failure", _SCAN, NEVER),
    Column("visible_us", "i8", "us", "moment the cloud shows it; NEVER when it was lost",
           _MESSAGE, NEVER),
    Column("wait_us", "i8", "us", "time in the gateway's queue before its service", _MESSAGE),
    Column("link_us", "i4", "us", "time since the scanner decoded the barcode or took its reading: "
           "spent waiting for a connection event and on the air", _MESSAGE),
    Column("worker", "i4", "index", "the worker, in the order of the site's roster", _ALL, -1),
    Column("scanner", "i4", "index", "the scanner, in the order of the site's fleet", _PLACED, -1),
    Column("gateway", "i4", "index", "the gateway, in the order of the site's fleet", _PLACED, -1),
    Column("number", "i4", "1", "how-many-eth scan of this worker, or report of this scanner, "
           "counted from 0 at the start of the run", _MESSAGE, -1),
    Column("job", "i4", "1", "how-many-eth job of this worker, from 0", _SCAN, -1),
    Column("line", "i2", "1", "0 for the start barcode, then the lines from 1, then the end "
           "barcode", _SCAN, -1),
    Column("battery", "i2", "0.01 %", "charge of the scanner as the row is written", _PLACED, -1),
    Column("kind", "u1", "enum", "what happened", _ALL),
    Column("outcome", "u1", "enum", "how it ended", _ALL),
    Column("attempts", "u1", "1", "transmissions over BLE, the last one included", _MESSAGE),
    Column("role", "u1", "enum", "what the scan is in its job", _SCAN),
)  # fmt: skip

EVENT = np.dtype([(column.name, column.dtype) for column in COLUMNS])
"""The flat row: 64 bytes, one cache line."""

EMPTY = tuple(column.empty for column in COLUMNS)
"""A row in which nothing is filled."""


def scan_us(rows: NDArray[np.void]) -> NDArray[np.int64]:
    """Return when each message was made, NEVER for rows that are no message [us].

    Parameters
    ----------
    rows
        Array of ``EVENT`` rows, shape (n,).
    """
    is_message = np.isin(rows["kind"], (Kind.SCAN, Kind.TELEMETRY))
    return np.where(is_message, rows["time_us"] - rows["link_us"], NEVER)


FULL_BATTERY = 10_000
"""A full charge in the unit of the column ``battery`` [0.01 %]."""
