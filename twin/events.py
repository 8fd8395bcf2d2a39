"""Facts that go up: one flat row for every kind of event, and a table that says what it means.

The floor and the site write rows of ``EVENT``; the store, the frames and the APIs read them.
``COLUMNS`` gives the unit and the meaning of every column, kind by kind.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

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
    SWAP = 6
    DROP = 7
    RECONNECT = 8
    ROAM = 9


class Outcome(IntEnum):
    """How it ended."""

    DELIVERED = 0
    LOST_BLE = 1
    NO_FEEDBACK = 2
    NO_SCANNER = 3
    NO_GATEWAY = 4
    NOT_CONNECTED = 5
    LOST_BUFFER = 6


class Role(IntEnum):
    """What a scan is in its job."""

    NONE = 0
    START = 1
    LINE = 2
    END = 3


class Slip(IntEnum):
    """What the worker did wrong."""

    NONE = 0
    WRONG_BARCODE = 1
    END_FORGOTTEN = 2


KIND_MEANING = {
    Kind.SCAN: "a worker scanned a barcode; the row is written when the gateway has it, or when "
    "the scanner gives up",
    Kind.TELEMETRY: "a scanner reported its state; the row is written as for a scan",
    Kind.SESSION_OPEN: "a worker took a scanner and paired it with a gateway",
    Kind.SESSION_CLOSE: "a worker put the scanner back and freed the place at the gateway",
    Kind.UNEQUIPPED: "a worker began a shift, or put an empty scanner down, and found no scanner "
    "or no gateway",
    Kind.SWAP: "a worker put an empty scanner on a charger and took another",
    Kind.DROP: "nothing came through for the supervision timeout: the link is dropped",
    Kind.RECONNECT: "scanner and gateway are connected again",
    Kind.ROAM: "a worker whose link stays down paired the scanner with another gateway",
}

OUTCOME_MEANING = {
    Outcome.DELIVERED: "the gateway has it and the scanner knows",
    Outcome.LOST_BLE: "no attempt reached the gateway before the supervision timeout or the drop "
    "of the link; the worker hears the failure tone and scans again",
    Outcome.NO_FEEDBACK: "the gateway has it, but the scanner did not learn of it within the "
    "supervision timeout; the worker hears the failure tone and scans again",
    Outcome.NO_SCANNER: "no scanner with enough charge was left in the pool",
    Outcome.NO_GATEWAY: "no gateway in range had a free place",
    Outcome.NOT_CONNECTED: "the link was down: the scanner stores nothing, the worker hears the "
    "failure tone at once and scans again when the link is back",
    Outcome.LOST_BUFFER: "the gateway read it, but its buffer for the uplink was full and the "
    "newest is dropped; the worker hears success",
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
_LINK = frozenset({Kind.DROP, Kind.RECONNECT})
_TAKEN = frozenset({Kind.SESSION_OPEN, Kind.SWAP, Kind.ROAM})
_PLACED = _MESSAGE | _TAKEN | _LINK | {Kind.SESSION_CLOSE}

COLUMNS = (
    Column("time_us", "i8", "us", "moment of the row: arrival at the gateway, giving up, or the "
           "site's decision; a row belongs to a run if this is before its end", _ALL),
    Column("beep_us", "i8", "us", "moment the worker hears success or failure, or that the "
           "scanner is connected", _SCAN | _TAKEN, NEVER),
    Column("visible_us", "i8", "us", "moment the cloud shows it; NEVER when it was lost",
           _MESSAGE, NEVER),
    Column("wait_us", "i8", "us", "time in the gateway's queue before its service; for a scan that "
           "was not connected: until the link is back; for a session that opens, a swap, a roam, "
           "or a session that closes without scanner: how long the worker was ready without a "
           "connected scanner; for a reconnect: how long the link was down",
           _MESSAGE | _TAKEN | {Kind.SESSION_CLOSE, Kind.RECONNECT}),
    Column("link_us", "i4", "us", "time since the scanner decoded the barcode or took its reading: "
           "spent waiting for a connection event and on the air", _MESSAGE),
    Column("worker", "i4", "index", "the worker, in the order of the site's roster", _ALL, -1),
    Column("scanner", "i4", "index", "the scanner, in the order of the site's fleet", _PLACED, -1),
    Column("number", "i4", "1", "how-many-eth scan of this worker, or report of this scanner, "
           "counted from 0 at the start of the run", _MESSAGE, -1),
    Column("job", "i4", "1", "how-many-eth job of this worker, from 0", _SCAN, -1),
    Column("gateway", "i2", "index", "the gateway, in the order of the site's fleet", _PLACED, -1),
    Column("line", "i2", "1", "0 for the start barcode, then the lines from 1, then the end "
           "barcode", _SCAN, -1),
    Column("battery", "i2", "0.01 %", "charge of the scanner as the row is written", _PLACED, -1),
    Column("kind", "u1", "enum", "what happened", _ALL),
    Column("outcome", "u1", "enum", "how it ended", _ALL),
    Column("attempts", "u1", "1", "transmissions over BLE, the last one included; connection "
           "attempts of a session", _MESSAGE | _TAKEN),
    Column("role", "u1", "enum", "what the scan is in its job", _SCAN),
    Column("copies", "u1", "1", "how often the cloud got it; all but one are removed by event id",
           _MESSAGE),
    Column("slip", "u1", "enum", "what the worker did wrong", _SCAN),
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


class Asking(NamedTuple):
    """A worker who cannot go on without the site: who, when [us], and after which row.

    After a scan: the scanner is nearly empty, another is due. After a drop: the link stays down,
    another gateway would do; without an answer the worker waits.
    """

    worker: int
    now_us: int
    after: Kind


class MeshKind(IntEnum):
    """What happened on the mesh."""

    SENT = 1
    HEARD = 2
    DROPPED = 3
    ACKED = 4


class Cause(IntEnum):
    """Why a frame was dropped."""

    NONE = 0
    BUFFER_FULL = 1
    CHANNEL_BUSY = 2
    NOT_FORWARDED = 3
    NO_ROUTE = 4
    NO_ACK = 5
    SWITCHED_OFF = 6


class MessageKind(IntEnum):
    """What a message of the mesh is."""

    MULTICAST = 0
    UNICAST = 1
    ROUTE_REQUEST = 2
    ROUTE_REPLY = 3
    ROUTE_ERROR = 4


class Mark(IntEnum):
    """What a node is marked by; it answers no message that says ``unless`` of it."""

    NO_SCRIPT = 1
    COMPLETE = 2


class Answer(IntEnum):
    """How who processes a message answers it."""

    IN_KIND = 0
    PING = 1
    REPORT = 2


MESH_KIND_MEANING = {
    MeshKind.SENT: "a node began to send a message, its own or one that it forwards",
    MeshKind.HEARD: "a node received a message for the first time; later copies are only counted",
    MeshKind.DROPPED: "a node did not send a message that it should have",
    MeshKind.ACKED: "a node began to acknowledge a unicast that it received",
}

CAUSE_MEANING = {
    Cause.NONE: "nothing was dropped",
    Cause.BUFFER_FULL: "as many frames as the node can hold were waiting already",
    Cause.CHANNEL_BUSY: "carrier sense found the channel occupied each time",
    Cause.NOT_FORWARDED: "the bridge does not forward this group: nothing of the host's goes out",
    Cause.NO_ROUTE: "no way to the target is known: its sender asked as often as it may, and who "
    "only forwards does not ask",
    Cause.NO_ACK: "the next hop acknowledged none of the attempts",
    Cause.SWITCHED_OFF: "the node was switched off while the frame waited",
}

MESSAGE_KIND_MEANING = {
    MessageKind.MULTICAST: "to all in reach, hop by hop, or to some that it names",
    MessageKind.UNICAST: "to one node over a route; each hop is acknowledged",
    MessageKind.ROUTE_REQUEST: "asks all within some hops for a node to which a route is sought",
    MessageKind.ROUTE_REPLY: "the sought node's answer, back along the way of the request",
    MessageKind.ROUTE_ERROR: "tells the source of a unicast that a hop of its route failed",
}

MARK_MEANING = {
    Mark.NO_SCRIPT: "it has no script, and so knows none of the functions that are called by name",
    Mark.COMPLETE: "it has every chunk of the image that is sent, or takes none",
}

ANSWER_MEANING = {
    Answer.IN_KIND: "a multicast by a multicast that is directed to its source, a unicast by a "
    "unicast",
    Answer.PING: "by a multicast of one hop, which who hears it reports",
    Answer.REPORT: "by a unicast to the node that the message names, not to its source",
}

_ON_AIR = frozenset({MeshKind.SENT, MeshKind.HEARD, MeshKind.ACKED})
_HEARD = frozenset({MeshKind.HEARD})


@dataclass(frozen=True)
class MeshColumn:
    """One column of the mesh's row, and the kinds for which it is filled."""

    name: str
    dtype: str
    unit: str
    meaning: str
    kinds: frozenset[MeshKind]


MESH_COLUMNS = (
    MeshColumn("time_us", "i8", "us", "begin of a transmission, end of one that was heard, or the "
               "moment of dropping; a row belongs to a run if this is before its end",
               frozenset(MeshKind)),
    MeshColumn("message", "i4", "index", "the message, in the order in which they were made",
               frozenset(MeshKind)),
    MeshColumn("node", "i4", "index", "who sent, heard or dropped, in the order of the mesh",
               frozenset(MeshKind)),
    MeshColumn("peer", "i4", "index", "whom it was heard from; whom a unicast or an "
               "acknowledgement goes to, -1 for a multicast", _ON_AIR),
    MeshColumn("air_us", "i4", "us", "how long the frame is on the air", _ON_AIR),
    MeshColumn("ttl", "u1", "hops", "hops that a multicast may still make, this one included; 0 "
               "for a unicast",
               frozenset(MeshKind)),
    MeshColumn("hops", "u1", "hops", "hops that the message made up to here", _HEARD),
    MeshColumn("quality", "u1", "-dBm", "link quality as the receiver's meter shows it", _HEARD),
    MeshColumn("kind", "u1", "enum", "what happened", frozenset(MeshKind)),
    MeshColumn("cause", "u1", "enum", "why it was dropped", frozenset({MeshKind.DROPPED})),
    MeshColumn("attempt", "u1", "1", "how often the node sent this before",
               frozenset({MeshKind.SENT, MeshKind.ACKED})),
    MeshColumn("processed", "u1", "1", "1 if the message was for this node", _HEARD),
    MeshColumn("forwards", "u1", "1", "1 if the node is to send it on", _HEARD),
)  # fmt: skip

MESH_EVENT = np.dtype([(column.name, column.dtype) for column in MESH_COLUMNS])
"""The flat row of the mesh: 32 bytes, two in a cache line."""
