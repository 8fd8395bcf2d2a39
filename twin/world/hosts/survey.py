"""Surveys: a host finds out who hears whom, and how well (US 9,226,220, 10,680,899, 11,516,725)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from twin.draws import fold, unit
from twin.events import NEVER, Answer
from twin.mesh.rules.streams import REPLY
from twin.world.hosts.work import Call, Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twin.world.hosts.hosts import Hosts


class Link(NamedTuple):
    """A directed link that a survey found: the end reported that it heard the start [-dBm]."""

    start: int
    end: int
    quality: int


class Survey(Work):
    """A survey of all networks: each host surveys the nodes that it comes to know.

    Duration and what is missed are what comes of it: commands and reports travel over the mesh.
    """

    def __init__(self, hosts: Hosts, number: int, generation: str, bridges: list[int]) -> None:
        """Plan a survey by some bridges."""
        self._hosts, self._number, self._settings = hosts, number, hosts.mesh.survey
        self.generation, self._bridges = generation, bridges
        self.began_us = self.ended_us = NEVER
        self.links: dict[tuple[int, int], int] = {}
        self.commands = self.reports = 0
        self._queues = {bridge: deque([bridge]) for bridge in bridges}
        self._asking = {bridge: (bridge, 0) for bridge in bridges}  # whom now, how often before
        self._known = set(bridges)
        self._answered: set[int] = set()  # who pinged and was heard of
        self._heard: dict[tuple[int, int], int] = {}  # by ping and who heard it: the quality
        self._tables: dict[int, list[Link]] = {}  # generation B: what each node heard
        self._host_of: dict[int, tuple[int, int]] = {}  # since when [us], and which
        self._parts: list[list[Link]] = []  # what each packet of a table carries

    @property
    def status(self) -> str:
        """Whether it is still to come, under way or done."""
        if self.began_us == NEVER:
            return "planned"
        return "running" if self.ended_us == NEVER else "done"

    @property
    def silent(self) -> list[int]:
        """The nodes that were commanded and nobody was heard to report."""
        return sorted(self._known - self._answered) if self.generation != "B" else []

    def begin(self, now_us: int) -> None:
        """Command the bridges themselves first, or everybody."""
        self.began_us = now_us
        for bridge in self._bridges:
            if self.generation == "B":
                self._command_all(bridge, now_us)
            else:
                self._command_next(bridge, now_us)
        self._end_if_done(now_us)

    def _command_next(self, bridge: int, now_us: int) -> None:
        """Command the next node of a host's queue to ping."""
        queue = self._queues[bridge]
        while queue and self._has_good_link(queue[0]):
            queue.popleft()
        if not queue:
            self._asking[bridge] = -1, 0
            return
        self._asking[bridge] = queue.popleft(), 0
        self._command(bridge, now_us)

    def _has_good_link(self, node: int) -> bool:
        """Say whether generation C need not ask a node any more."""
        if self.generation != "C" or node in self._bridges:
            return False
        good = self._settings.good_quality
        return any(node in ends and q <= good for ends, q in self.links.items())

    def _command(self, bridge: int, now_us: int) -> None:
        """Command a node to multicast one hop, and let the time for reports pass."""
        node, _ = self._asking[bridge]
        settings = self._settings
        self.commands += 1
        call = Call(
            bridge=bridge,
            to=-1 if node == bridge else node,
            payload_bytes=settings.command_bytes,
            reply_bytes=settings.report_bytes,
            ttl=1,
            window_us=settings.window_us,
            answer=Answer.REPORT if node == bridge else Answer.PING,
        )
        self._hosts.say(self._number, bridge, call, now_us)
        due_us = now_us + settings.window_us + settings.margin_us
        self._hosts.wake(self._number, bridge, due_us)

    def woken(self, tag: int, now_us: int) -> None:
        """The time for reports is over: command the same node again, or the next."""
        if self.generation == "B":
            self._woken_b(tag, now_us)
            return
        bridge = tag
        node, before = self._asking[bridge]
        if node in self._answered or before + 1 >= self._settings.tries:
            self._command_next(bridge, now_us)
        else:
            self._asking[bridge] = node, before + 1
            self._command(bridge, now_us)
        self._end_if_done(now_us)

    def _end_if_done(self, now_us: int) -> None:
        """Note the end where no host has anybody left to command."""
        if self.generation != "B" and all(node < 0 for node, _ in self._asking.values()):
            self.ended_us = now_us
            self._heard.clear()

    def received(self, item: int, source: int, rows: NDArray[np.void]) -> None:
        """Nodes heard a ping: each knows how well."""
        for row in rows[["message", "node", "quality", "hops", "time_us"]].tolist():
            message, node, quality, hops, now_us = row
            if self.generation != "B":
                self._heard[message, node] = quality
            elif source != item or hops == 1:
                self._tables.setdefault(node, []).append(Link(source, node, quality))
                # Messages may come here in any order: the host that a node heard first is its own.
                first = self._host_of.get(node, (now_us, item))
                self._host_of[node] = min(first, (now_us, item))

    def reported(self, item: int, about: int, node: int, message: int, now_us: int) -> None:
        """A node reported to a host that it heard a ping."""
        del now_us
        self.reports += 1
        if self.generation == "B":
            self.links |= {(link.start, link.end): link.quality for link in self._parts[item]}
            return
        if self.ended_us != NEVER:  # too late
            return
        self.links[about, node] = self._heard[message, node]
        self._answered.add(about)
        if node not in self._known:
            self._known.add(node)
            self._queues[item].append(node)

    def _command_all(self, bridge: int, now_us: int) -> None:
        """Generation B: command everybody to ping at a moment of its own choice."""
        settings = self._settings
        self.commands += 1
        call = Call(
            bridge=bridge, payload_bytes=settings.command_bytes, ttl=settings.ttl,
            window_us=settings.window_us, answer=Answer.PING,
        )  # fmt: skip
        self._hosts.say(self._number, bridge, call, now_us)
        self._hosts.wake(self._number, -1, now_us + settings.window_us + settings.margin_us)

    def _woken_b(self, tag: int, now_us: int) -> None:
        """It is quiet: nodes choose moments for their tables; or such a moment has come."""
        settings = self._settings
        if tag == -1 and self._tables:
            states = self._hosts.node_states
            for node in sorted(self._tables):
                share = unit(fold(fold(states[node], REPLY), self._number))
                self._hosts.wake(self._number, node, now_us + int(share * settings.window_us))
            self._hosts.wake(self._number, -2, now_us + 2 * settings.window_us + settings.margin_us)
        elif tag >= 0:
            self._send_table(tag, now_us)
        elif self.ended_us == NEVER:
            self.ended_us = now_us

    def _send_table(self, node: int, now_us: int) -> None:
        """A node sends what it heard to its host, as many links in a packet as it holds."""
        table, each = sorted(self._tables[node]), self._settings.report_bytes
        room = max(1, self._hosts.mesh.mac.longest_unicast_bytes // each)
        for first in range(0, len(table), room):
            part = table[first : first + room]
            self._parts.append(part)
            (_, bridge), payload_bytes = self._host_of[node], len(part) * each
            self._hosts.tell(
                self._number, len(self._parts) - 1, node, bridge, payload_bytes, now_us
            )
