"""Polls: a host asks devices for what they measure, one after the other or all at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.events import NEVER, Answer, Mark
from twin.world.hosts.work import Call, Work

if TYPE_CHECKING:
    from twin.scenario import Collector as Facts
    from twin.world.hosts.hosts import Hosts

_POLL, _CLOSE = -1, -2


@dataclass
class Poll:
    """One poll: who answered when, and who did not, and why."""

    began_us: int
    ended_us: int = NEVER
    answered_us: dict[int, int] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    left_out: int = 0  # polls before it that could not begin
    late: int = 0  # answers that came after it was over


class Collector(Work):
    """A collector: polls again and again, one poll at a time.

    A poll that is still under way when the next is due lets that one out.
    """

    def __init__(
        self, hosts: Hosts, number: int, facts: Facts, devices: dict[int, list[int]],
        few: dict[int, list[int]] | None = None, unlimited_until_us: int = NEVER,
    ) -> None:  # fmt: skip
        """Plan the polls of some devices, by bridge; from a moment on only of a few [us]."""
        self._hosts, self._number, self._facts = hosts, number, facts
        self._all = self._devices = devices
        self._few, self._unlimited_until_us = few or {}, unlimited_until_us
        self._is_stopped = False
        self._left: dict[int, list[int]] = {}
        self.polls: list[Poll] = []
        self._left_out = 0

    @property
    def name(self) -> str:
        """What the scenario calls it."""
        return self._facts.name

    def stop(self) -> None:
        """Begin no more polls."""
        self._is_stopped = True

    @property
    def device_count(self) -> int:
        """How many devices it polls [1]."""
        return sum(map(len, self._devices.values()))

    def begin(self, now_us: int) -> None:
        """Poll for the first time."""
        self.woken(_POLL, now_us)

    def woken(self, tag: int, now_us: int) -> None:
        """A poll is due, or over."""
        if tag == _CLOSE:
            self._close(now_us)
            return
        if self._is_stopped:
            return
        self._hosts.wake(self._number, _POLL, now_us + self._facts.every_us)
        devices = self._all if now_us < self._unlimited_until_us else self._few
        if not devices:
            return
        if self.polls and self.polls[-1].ended_us == NEVER:
            self._left_out += 1
            return
        self.polls.append(Poll(now_us, left_out=self._left_out))
        self._left_out = 0
        self._devices = devices
        if self._facts.transport == "unicast":
            self._left = {bridge: devices[::-1] for bridge, devices in self._devices.items()}
            for bridge in self._devices:
                self._ask_next(bridge, now_us)
        else:
            self._ask_all(now_us)

    def _call(self, bridge: int) -> Call:
        """Return the query, for one device or for all."""
        facts = self._facts
        return Call(
            bridge=bridge,
            payload_bytes=facts.query_bytes,
            reply_bytes=facts.reply_bytes,
            unless=Mark.NO_SCRIPT,
        )

    def _ask_next(self, bridge: int, now_us: int) -> None:
        """Ask the next device of a bridge, one at a time as the vendor advises."""
        if self._left[bridge]:
            node = self._left[bridge].pop()
            self._hosts.ask(self._number, bridge, self._call(bridge)._replace(to=node), now_us)
        elif not any(self._left.values()) and self._is_complete(self.polls[-1]):
            self.polls[-1].ended_us = now_us

    def _is_complete(self, poll: Poll) -> bool:
        """Say whether of every device is known what became of it."""
        return len(poll.answered_us) + len(poll.failed) >= self.device_count

    def _ask_all(self, now_us: int) -> None:
        """Ask all devices at once, and wait as long as for one answer after the window."""
        facts = self._facts
        for bridge in self._devices:
            call = self._call(bridge)._replace(
                ttl=facts.ttl, window_us=facts.window_us, answer=Answer.REPORT
            )
            self._hosts.say(self._number, len(self.polls) - 1, call, now_us)
        wait_us = facts.window_us + self._hosts.mesh.host.timeout_us
        self._hosts.wake(self._number, _CLOSE, now_us + wait_us)

    def _close(self, now_us: int) -> None:
        """The time for answers to a multicast is over."""
        poll = self.polls[-1]
        poll.ended_us = now_us
        for devices in self._devices.values():
            for node in devices:
                if node not in poll.answered_us:
                    poll.failed[node] = "timeout"

    def answered(self, tag: int, node: int, now_us: int) -> None:
        """A device answered: ask the next."""
        self.polls[-1].answered_us[node] = now_us
        self._ask_next(tag, now_us)

    def unanswered(self, tag: int, node: int, reason: str, now_us: int) -> None:
        """A device did not answer: ask the next."""
        self.polls[-1].failed[node] = reason
        self._ask_next(tag, now_us)

    def reported(self, item: int, about: int, node: int, message: int, now_us: int) -> None:
        """A device answered a multicast."""
        del about, message
        poll = self.polls[item]
        if not any(node in devices for devices in self._devices.values()):
            return  # a multicast asks everybody
        if poll.ended_us == NEVER:
            poll.answered_us.setdefault(node, now_us)
        else:
            poll.late += 1
