"""What a host does: a piece of work is told what happened, and asks for more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from twin.events import Answer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Call(NamedTuple):
    """What a host says over its bridge: to one node, or (``to`` is -1) to all, or to some.

    ``payload_bytes``, ``reply_bytes`` [B] and the rest as in ``twin.mesh.plan.WISH``.
    """

    bridge: int
    to: int = -1
    payload_bytes: int = 20
    reply_bytes: int = 0
    ttl: int = 0
    window_us: int = 0
    answer: Answer = Answer.IN_KIND
    unless: int = 0


@dataclass
class Question:
    """A call that a host waits for the answer of; ``tag`` is what its work calls it."""

    work: int
    tag: int
    call: Call
    timeout_us: int
    tries: int
    asked: int = 0
    is_over: bool = False


class Work:
    """A survey, a poll, an upgrade: state in plain fields, told what happens at moments [us].

    What does not concern it, it does not write.
    """

    def begin(self, now_us: int) -> None:
        """The moment for it has come."""

    def woken(self, tag: int, now_us: int) -> None:
        """A moment that it asked to be woken at has come."""

    def answered(self, tag: int, node: int, now_us: int) -> None:
        """A node's answer to a question has come to the host."""

    def unanswered(self, tag: int, node: int, reason: str, now_us: int) -> None:
        """A question was asked as often as may be, and no answer came."""

    def heeded(self, tag: int, node: int) -> None:
        """A node processed a unicast of this work."""

    def reported(self, item: int, about: int, node: int, message: int, now_us: int) -> None:
        """A node's report about a message of another has come to the host.

        Parameters
        ----------
        item
            What the work called the call that this goes back to.
        about, node, message
            Whose message it is about, who reports, and the message.
        """

    def received(self, item: int, source: int, rows: NDArray[np.void]) -> None:
        """Nodes processed a multicast of this work, or one that it had a node make.

        Parameters
        ----------
        item
            What the work called the call.
        source
            Who multicast it.
        rows
            Array of ``MESH_EVENT`` rows.
        """
