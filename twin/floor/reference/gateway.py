"""A gateway as the reference engine sees it: one server, then one connection to the cloud."""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.events import NEVER, Outcome
from twin.floor.plan import LONG_AGO_US, FloorPlan
from twin.floor.rules.gateway import (
    acknowledged_us,
    copies,
    got_through,
    publishes_us,
    service_us,
    trip_us,
    visible_us,
)
from twin.floor.rules.link import outage_after, stalled_us

_NEVER = int(NEVER)


class Passage(NamedTuple):
    """How a message passed: its wait, when the host was done, when the cloud shows it [us].

    ``copies`` is how often the cloud got it: 0 where the buffer was full.
    """

    wait_us: int
    served_us: int
    visible_us: int
    copies: int

    @property
    def outcome(self) -> Outcome:
        """Whether it got into the buffer."""
        return Outcome.DELIVERED if self.copies else Outcome.LOST_BUFFER


class Gateway:
    """First come, first served, then published in the same order.

    Service is not preempted and arrivals come in order, so the whole passage of a message is
    known when it arrives: it begins when the one before it is done (Lindley, 1952).
    """

    def __init__(self, plan: FloorPlan, index: int) -> None:
        """Start empty."""
        first, end = plan.first_outage[index : index + 2]
        self.facts = plan.link_classes[int(plan.gateway_mobile[index])]
        self.most_held = 0
        self._book = plan.book
        self._buffer = int(plan.book[0]["buffer_messages"])
        self._counted = plan.counted_messages
        self._outages = plan.outages[first:end]
        self._free_us = 0
        self._published_us = LONG_AGO_US
        self._acknowledged_us = 0
        self._cut_us = _NEVER
        self._published_again_us = LONG_AGO_US
        self._acknowledged_again_us = 0
        self._accepted_us = 0
        self._stall_us = (0, 0)
        self._held: deque[int] = deque()

    def accept(self, message: int, now_us: int) -> Passage:
        """Queue a message that arrives now.

        Parameters
        ----------
        message
            Address state of the message.
        now_us
            When it arrives [us].
        """
        begins_us = max(now_us, self._free_us)
        work_us = service_us(self._book, message)
        self._free_us = begins_us + work_us
        self._accepted_us += work_us
        while self._held and self._held[0] <= self._free_us:
            self._held.popleft()
        if 0 < self._buffer <= len(self._held):
            return Passage(begins_us - now_us, self._free_us, _NEVER, 0)
        reached_us, released_us, times = self._publish(message, self._free_us)
        if len(self._held) < self._counted:  # else there is no limit, and nobody counts that far
            self._held.append(released_us)
            self.most_held = max(self.most_held, len(self._held))
        shown_us = visible_us(self._book, message, reached_us)
        return Passage(begins_us - now_us, self._free_us, shown_us, times)

    def _publish(self, message: int, served_us: int) -> tuple[int, int, int]:
        """Publish a message; return when the cloud has it, the gateway knows [us], how often."""
        at_us = self._turn_us(served_us)
        round_trip_us = trip_us(self._book, message)
        done_us = acknowledged_us(at_us, round_trip_us, self._acknowledged_us)
        if at_us >= self._cut_us:
            done_us = max(done_us, self._acknowledged_again_us)
        self._published_us, self._acknowledged_us = at_us, done_us
        reached_us, times = [], copies(self._book, message)
        while (outage := self._next_outage(at_us)) is not None and done_us >= outage[0]:
            if got_through(at_us, round_trip_us, int(outage[0])):
                reached_us.append(done_us)
                times += 1
            at_us, done_us = self._send_again(outage, round_trip_us)
        return min([*reached_us, done_us]), done_us, times

    def _turn_us(self, served_us: int) -> int:
        """Return when it is a message's turn, the network permitting [us]."""
        at_us = publishes_us(self._book, served_us, self._published_us)
        if self._stall_us[1] > at_us:
            stall_us, every_us = self.facts["stall_us"], self.facts["stall_every_us"]
            at_us = stalled_us(at_us, *self._stall_us, int(stall_us), int(every_us))
        if at_us >= self._cut_us:
            at_us = publishes_us(self._book, at_us, self._published_again_us)
        return self._after_outages(at_us)

    def _send_again(self, outage: NDArray[np.int64], round_trip_us: int) -> tuple[int, int]:
        """Publish again what an outage cut; return when, and when it is acknowledged [us]."""
        cut_us, over_us = (int(edge_us) for edge_us in outage)
        turn_us = publishes_us(self._book, over_us, self._published_again_us)
        at_us = self._after_outages(turn_us)
        done_us = acknowledged_us(at_us, round_trip_us, self._acknowledged_again_us)
        self._cut_us = cut_us
        self._published_again_us, self._acknowledged_again_us = at_us, done_us
        return at_us, done_us

    def _next_outage(self, moment_us: int) -> NDArray[np.int64] | None:
        """Return the outage that is on at a moment or comes next, None for none [us]."""
        row = outage_after(self._outages, 0, len(self._outages), moment_us)
        return self._outages[row] if row < len(self._outages) else None

    def _after_outages(self, moment_us: int) -> int:
        """Return the first moment from one on at which no outage is on [us]."""
        while (outage := self._next_outage(moment_us)) is not None and moment_us >= outage[0]:
            moment_us = int(outage[1])
        return moment_us

    def stall(self, from_us: int, to_us: int) -> None:
        """Let connection attempts silence the Wi-Fi now and then, until a link is back."""
        if self.facts["stall_us"] > 0:
            since_us, until_us = self._stall_us
            begins_us = since_us if from_us < until_us else from_us
            self._stall_us = begins_us, max(until_us, to_us)

    def served_us(self, now_us: int) -> int:
        """Return how long it has served until now: accepted less still to do [us]."""
        return self._accepted_us - max(0, self._free_us - now_us)
