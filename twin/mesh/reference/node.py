"""A node of the mesh: what it knows, what waits in its buffer, what its receiver follows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from twin.mesh.plan import USE


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
    """One multicast, and what became of it so far; the fields of ``MESSAGE``."""

    state: int
    made_us: int
    source: int
    number: int
    groups: int
    ttl: int
    frame_bytes: int
    reply_bytes: int
    reply_window_us: int
    delay_factor: int
    to: list[int]
    asked: int = -1
    last_us: int = 0
    sent: int = 0
    heard: int = 0
    processed: int = 0
    dropped: int = 0

    def as_record(self, first_to: int) -> dict[str, int]:
        """Return it as the fields of ``MESSAGE``, its addressees from a place of the list on."""
        found = {**vars(self), "first_to": first_to, "end_to": first_to + len(self.to)}
        del found["to"]
        return found


@dataclass
class Frame:
    """A message that waits at a node or is on the air, with so many hops left."""

    message: int
    ttl: int
    due_us: int = 0
    tries: int = 0
    resends: int = 0
    sensed: bool = False


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
    use: dict[str, int] = field(default_factory=lambda: dict.fromkeys(USE.names or (), 0))
    messages: int = 0
    power_fw: float = 0.0
    follows: Following | None = None
    sends: Frame | None = None
    waiting: list[Frame] = field(default_factory=list)

    def wait(self, frame: Frame) -> bool:
        """Put a frame into the buffer; say whether there is room for it."""
        if len(self.waiting) == self.buffers:
            return False
        self.waiting.append(frame)
        return True

    def due(self, now_us: int) -> Frame | None:
        """Return the frame that is due first, the earlier come of two, None if none is due yet."""
        if not self.waiting:
            return None
        first = min(self.waiting, key=lambda frame: frame.due_us)
        return first if first.due_us <= now_us else None
