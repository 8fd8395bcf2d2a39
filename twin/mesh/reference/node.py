"""A node of the mesh: what it knows, what waits in its buffer, what its receiver follows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from twin.events import NEVER, MessageKind
from twin.mesh.plan import USE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Link(NamedTuple):
    """A link to a receiver: what of ``LINK`` a transmission needs, and its place in the plan."""

    place: int
    end: int
    state: int
    power_fw: float
    quality: int
    hears: bool


@dataclass
class Message:
    """One message, and what became of it so far; the fields of ``MESSAGE``."""

    made_us: int
    source: int
    groups: int
    ttl: int
    frame_bytes: int
    reply_bytes: int = 0
    reply_window_us: int = 0
    delay_factor: int = 0
    to: list[int] = field(default_factory=list)
    asked: int = -1
    target: int = -1
    subject: int = -1
    report_to: int = -1
    kind: int = MessageKind.MULTICAST
    answer: int = 0
    awaited: int = 0
    unless: int = 0
    state: int = 0
    number: int = 0
    first_to: int = 0  # in a list of the addressees of all
    last_us: int = 0
    sent: int = 0
    heard: int = 0
    processed: int = 0
    dropped: int = 0

    def as_record(self) -> dict[str, int]:
        """Return it as the fields of ``MESSAGE``."""
        found = {**vars(self), "end_to": self.first_to + len(self.to)}
        del found["to"]
        return found


class Wait(IntEnum):
    """What a frame waits for: its turn, its turn after the channel was found free, or an answer."""

    TURN = 0
    SENSED = 1
    ACK = 2
    ROUTE = 3


@dataclass
class Frame:
    """A message that waits at a node or is on the air.

    Of a multicast ``ttl`` counts the hops that are left, of a unicast ``hops`` those made, this
    one included; ``peer`` is who it goes to next, -1 for everybody.
    """

    message: int
    ttl: int = 0
    due_us: int = 0
    tries: int = 0
    resends: int = 0
    hops: int = 0
    asks: int = 0
    peer: int = -1
    waits: Wait = Wait.TURN
    is_ack: bool = False


@dataclass
class Following:
    """A frame that a receiver follows: over which link, how strong [fW], since when [us]."""

    link: int
    signal_fw: float
    since_us: int
    spoilt: bool = False


@dataclass
class Node:
    """One node."""

    index: int
    state: int
    process_groups: int
    forward_groups: int
    is_bridge: bool
    links: list[Link]
    buffers: int
    known: deque[int]
    routes: NDArray[np.void]
    use: dict[str, int] = field(default_factory=lambda: dict.fromkeys(USE.names or (), 0))
    messages: int = 0
    power_fw: float = 0.0
    follows: Following | None = None
    sends: Frame | None = None
    ends_us: int = 0  # the frame on the air
    owes: Frame | None = None  # an acknowledgement
    is_off: bool = False
    marks: int = 0
    waiting: list[Frame] = field(default_factory=list)

    def wait(self, frame: Frame) -> bool:
        """Put a frame into the buffer; say whether there is room for it."""
        if len(self.waiting) == self.buffers:
            return False
        self.waiting.append(frame)
        return True

    @property
    def next_us(self) -> int:
        """When something happens here next, NEVER for not at all [us]."""
        if self.sends is not None:
            return self.ends_us
        first = self.first()
        return NEVER if first is None else first.due_us

    def first(self) -> Frame | None:
        """Return the frame that is due first, the earlier come of two.

        An acknowledgement that the node owes goes before all; while it waits for one nothing goes.
        """
        if self.owes is not None:
            return self.owes
        if not self.waiting:
            return None
        for frame in self.waiting:
            if frame.waits == Wait.ACK:
                return frame
        return min(self.waiting, key=lambda frame: frame.due_us)
