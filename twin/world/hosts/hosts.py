"""The hosts in time: an agenda of plain rows, questions that wait, and who is told what.

The mesh runs ahead to the next row of the agenda; where an awaited answer comes to a bridge it
stops before, so that the host can act on it when the serial line has passed it.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from twin.compiling import settled
from twin.draws import fold, root
from twin.events import NEVER, Answer, Cause
from twin.mesh.plan import FACTS, empty_wishes
from twin.mesh.sift import make_sieve, sift
from twin.world.hosts.line import Line
from twin.world.hosts.work import Call, Question, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from twin.mesh.engines import MeshEngine
    from twin.mesh.nodes import Network
    from twin.mesh.plan import MeshPlan
    from twin.scenario import Mesh

_NOTHING = -1
_BEGIN, _SAY, _WAKE, _LATE, _ANSWERED, _REPORTED, _DROPPED, _SWITCH = range(8)
_REASONS = {
    Cause.NO_ROUTE: "no_route", Cause.NO_ACK: "no_ack", Cause.BUFFER_FULL: "buffer_full",
    Cause.CHANNEL_BUSY: "channel_busy", Cause.SWITCHED_OFF: "bridge_off",
}  # fmt: skip
TIMEOUT = "timeout"
# Plain numbers: arrays are compared with these at every step.
_REPORT = int(Answer.REPORT)
_PASSED = ["time_us", "message", "node", "air_us"]
_HEEDED = ["message", "node"]
_FEW_ROWS = 1 << 10


class Networks(Protocol):
    """Who is in which network, and how nodes come into another."""

    moves: int
    """How often nodes moved so far."""

    def of(self, node: int) -> Network:
        """Return the network of a node."""

    def move(self, to: dict[int, Network]) -> None:
        """Let nodes be in other networks from now on."""


class Due(NamedTuple):
    """A row of the agenda: when, in which order, what, for which work, and what it says of it."""

    due_us: int
    order: int
    what: int
    work: int
    tag: int
    more: tuple[int, ...] = ()


class Hosts:
    """All hosts of a mesh; state is the agenda, the questions, the lines, and the works."""

    def __init__(self, mesh: Mesh, plan: MeshPlan, engine: MeshEngine, networks: Networks) -> None:
        """Begin with nothing to do."""
        self.mesh, self.plan, self.engine = mesh, plan, engine
        self.networks = networks
        self._saved: dict[int, Network] = {}  # of nodes that have not restarted since
        self._off: dict[int, int] = {}  # until when nodes are [us]
        self.works: list[Work] = []
        self._agenda: list[Due] = []
        self._orders = 0
        self._questions: list[Question] = []
        self._question_of: dict[int, int] = {}  # by message
        self._work_of: dict[int, tuple[int, int]] = {}  # by multicast: work and item
        self._told: dict[int, tuple[int, int]] = {}  # by what nodes say: work and item
        self._facts, self._sieve = np.zeros(0, FACTS), make_sieve(_FEW_ROWS)
        self._known = 0  # of how many messages there are facts
        self._sift: Callable[..., None] | None = None
        seed = root(int(plan.mac[0]["seed"]))
        self.node_states = [fold(seed, int(word)) for word in plan.words.tolist()]
        bridges = np.flatnonzero(plan.is_bridge).tolist()
        settings = mesh.host.uart_baud, mesh.host.uart_framing_bytes, mesh.host.uart_packets
        self._down = {bridge: Line(*settings) for bridge in bridges}
        self._up = {bridge: Line(*settings) for bridge in bridges}

    def __getstate__(self) -> dict[str, Any]:
        """Return the state; the sieve is room to work in, and its rule is found again."""
        return self.__dict__ | {"_sieve": make_sieve(0), "_sift": None}

    @property
    def next_us(self) -> int:
        """When the next row of the agenda is due, NEVER for not at all [us]."""
        return self._agenda[0].due_us if self._agenda else NEVER

    @property
    def lines_lost(self) -> int:
        """How many packets found a serial line full so far [1]."""
        return sum(line.lost for lines in (self._down, self._up) for line in lines.values())

    def add(self, work: Work, begin_us: int) -> int:
        """Take up a piece of work that begins at a moment [us]; return its number."""
        self.works.append(work)
        number = len(self.works) - 1
        self._post(begin_us, _BEGIN, number, 0)
        return number

    def wake(self, work: int, tag: int, due_us: int) -> None:
        """Wake a piece of work at a moment [us]."""
        self._post(due_us, _WAKE, work, tag)

    def ask(self, work: int, tag: int, call: Call, now_us: int, *, timeout_us: int = 0,
            tries: int = 0) -> int:  # fmt: skip
        """Ask a node something and wait for its answer, as often as a host does by default.

        Parameters
        ----------
        timeout_us, tries
            How long for an answer, and how often in all; 0 for what ``[mesh.host]`` says [us], [1].

        Returns
        -------
        the number of the question
        """
        host = self.mesh.host
        self._questions.append(
            Question(work, tag, call, timeout_us or host.timeout_us, tries or 1 + host.retries)
        )
        self._ask_again(len(self._questions) - 1, now_us)
        return len(self._questions) - 1

    def withdraw(self, question: int) -> None:
        """Wait no longer for the answer to a question."""
        self._questions[question].is_over = True

    def say(self, work: int, item: int, call: Call, now_us: int) -> None:
        """Multicast something, or tell a node, and wait for nothing; ``item`` names it."""
        self._pass_down(call, work, item, _NOTHING, now_us)

    def tell(
        self, work: int, item: int, node: int, bridge: int, payload_bytes: int, now_us: int
    ) -> None:
        """Let a node say something to a host by itself, now; its work hears of it as a report."""
        wish = empty_wishes(1)
        wish["source"], wish["target"], wish["payload_bytes"] = node, bridge, payload_bytes
        wish["groups"] = 1
        self._told[self.engine.count] = work, item
        self.engine.offer(wish, np.zeros(0, np.int32), now_us)

    def restart(self, nodes: Sequence[int], after_us: int, now_us: int) -> None:
        """Let those of some nodes that are on go off, and on again after a while [us]."""
        self.switch_off([node for node in nodes if node not in self._off], after_us, now_us)

    def switch_off(self, nodes: Sequence[int], after_us: int, now_us: int) -> None:
        """Switch nodes off, and on again after a while [us], or later where they are off longer.

        When they come back they take the settings that they saved.
        """
        due_us = now_us + after_us
        self.engine.switch(np.array(nodes, np.int64), False, now_us)
        self._off.update({node: max(due_us, self._off.get(node, 0)) for node in nodes})
        self._post(due_us, _SWITCH, _NOTHING, 0, tuple(nodes))

    def save(self, node: int, network: Network) -> None:
        """Let a node keep the settings of a network for its next restart."""
        self._saved[node] = network

    def _switch_on(self, nodes: list[int], now_us: int) -> None:
        """Switch nodes on that are not off for longer, in the network that they saved."""
        back = [node for node in nodes if self._off.get(node, NEVER) <= now_us]
        for node in back:
            del self._off[node]
        self.networks.move({n: self._saved.pop(n) for n in back if n in self._saved})
        self.engine.switch(np.array(back, np.int64), True, now_us)

    def _post(
        self, due_us: int, what: int, work: int, tag: int, more: tuple[int, ...] = ()
    ) -> None:
        """Put a row on the agenda; of two at the same moment that which was posted first goes."""
        heappush(self._agenda, Due(due_us, self._orders, what, work, tag, more))
        self._orders += 1

    def happen(self) -> None:
        """Carry out the next row of the agenda; the mesh has come up to it."""
        due = heappop(self._agenda)
        now_us, more = due.due_us, due.more
        if due.what == _BEGIN:
            self.works[due.work].begin(now_us)
        elif due.what == _SAY:
            self._offer(due)
        elif due.what == _WAKE:
            self.works[due.work].woken(due.tag, now_us)
        elif due.what == _REPORTED:
            self.works[due.work].reported(due.tag, more[0], more[1], more[2], now_us)
        elif due.what == _SWITCH:
            self._switch_on(list(more), now_us)
        else:
            self._happen_to(self._questions[due.tag], due)

    def _happen_to(self, question: Question, due: Due) -> None:
        """A question is answered, or not: unless that is settled already."""
        if question.is_over:
            return
        if due.what == _ANSWERED:
            question.is_over = True
            self.works[question.work].answered(question.tag, question.call.to, due.due_us)
        elif due.what == _DROPPED:
            self._fail(due.tag, _REASONS[Cause(due.more[0])], due.due_us)
        elif question.asked == due.more[0]:
            self._fail(due.tag, TIMEOUT, due.due_us)

    def _ask_again(self, q: int, now_us: int) -> None:
        """Ask a question, for the first time or again."""
        question = self._questions[q]
        question.asked += 1
        self._post(now_us + question.timeout_us, _LATE, question.work, q, (question.asked,))
        self._pass_down(question.call, question.work, question.tag, q, now_us)

    def _pass_down(self, call: Call, work: int, tag: int, q: int, now_us: int) -> None:
        """Give a packet to the serial line; when it has passed the bridge has it."""
        mac = self.mesh.mac
        header_bytes = mac.header_bytes if call.to < 0 else mac.unicast_header_bytes
        passed_us = self._down[call.bridge].pass_us(call.payload_bytes + header_bytes, now_us)
        if passed_us is not None:
            self._post(passed_us, _SAY, work, tag, (q, *(int(x) for x in call)))

    def _offer(self, due: Due) -> None:
        """A packet has come to the bridge: it goes out."""
        q, call = due.more[0], Call(*due.more[1:])  # type: ignore[arg-type]
        if q != _NOTHING and self._questions[q].is_over:
            return
        wish = empty_wishes(1)
        wish["source"], wish["target"], wish["ttl"] = call.bridge, call.to, call.ttl
        wish["groups"], wish["awaited"] = 1, q != _NOTHING
        wish["payload_bytes"], wish["reply_bytes"] = call.payload_bytes, call.reply_bytes
        wish["reply_window_us"] = call.window_us
        wish["answer"], wish["unless"] = call.answer, call.unless
        message = self.engine.count
        self.engine.offer(wish, np.zeros(0, np.int32), due.due_us)
        self._work_of[message] = due.work, due.tag
        if q != _NOTHING:
            self._question_of[message] = q

    def _fail(self, q: int, reason: str, now_us: int) -> None:
        """A question found no answer this time: it is asked again, or given up.

        Who found no route has asked for one as often as it may: the host does not ask again.
        """
        question = self._questions[q]
        if question.asked < question.tries and reason != "no_route":
            self._ask_again(q, now_us)
            return
        question.is_over = True
        self.works[question.work].unanswered(question.tag, question.call.to, reason, now_us)

    def see(self, rows: NDArray[np.void]) -> None:
        """Learn from rows of the mesh what came to the bridges, and who has what was multicast."""
        if not self.works or len(rows) == 0:
            return
        self._learn_messages()
        if len(rows) > len(self._sieve.flooded):
            self._sieve = make_sieve(2 * len(rows))
        sieve = self._sieve
        arguments = rows, self._facts, self.plan.is_bridge, sieve
        if self._sift is None:
            self._sift = settled(sift, *arguments)
        self._sift(*arguments)
        dropped, to_host, to_node, groups = sieve.used.tolist()
        # Of records ``take`` is far quicker than an index.
        if dropped:
            self._see_drops(rows.take(sieve.dropped[:dropped]))
        if to_host:
            for row in rows.take(sieve.to_host[:to_host])[_PASSED].tolist():
                self._pass_up(row)
        if to_node:
            self._see_heeded(rows.take(sieve.to_node[:to_node]))
        first = 0
        for message, end in sieve.groups[:groups].tolist():
            self._see_received(message, rows, sieve.flooded[first:end])
            first = end

    def _learn_messages(self) -> None:
        """Note what matters of the messages that are new."""
        known, count = self._known, self.engine.count
        if count == known:
            return
        if count > len(self._facts):
            more = np.zeros(max(count, 2 * len(self._facts)) - len(self._facts), FACTS)
            self._facts = np.concatenate([self._facts, more])
        self._facts[known:count] = self.engine.facts(known)
        self._known = count

    def _see_drops(self, dropped: NDArray[np.void]) -> None:
        """Tell hosts of questions that their bridges gave up."""
        for row in dropped:
            q = self._question_of.get(int(row["message"]))
            if q is not None and row["node"] == self._questions[q].call.bridge:
                work = self._questions[q].work
                self._post(int(row["time_us"]), _DROPPED, work, q, (int(row["cause"]),))

    def _see_heeded(self, heard: NDArray[np.void]) -> None:
        """Tell each piece of work which nodes processed what they were told."""
        for message, node in heard[_HEEDED].tolist():
            work, tag = self._work_of.get(message, (_NOTHING, 0))
            if work != _NOTHING:
                self.works[work].heeded(tag, node)

    def _see_received(
        self, message: int, rows: NDArray[np.void], places: NDArray[np.int32]
    ) -> None:
        """Tell the work that multicast a message who processed it."""
        work, item = self._whose(message)
        if work != _NOTHING:
            source = int(self._facts["source"][message])
            self.works[work].received(item, source, rows.take(places))

    def _pass_up(self, row: tuple[int, int, int, int]) -> None:
        """Pass an answer or a report up to the host behind a bridge; see ``_PASSED``."""
        now_us, message, node, air_us = row
        asked = int(self._facts["asked"][message])
        passed_us = self._up[node].pass_us(self._packet_bytes(air_us), now_us)
        if passed_us is None:
            return
        speaker = int(self._facts["source"][message])
        if asked < 0:
            work, item = self._told.get(message, (_NOTHING, 0))
            about, asked = _NOTHING, message
        elif self._facts["answer"][asked] == _REPORT:
            work, item = self._whose(asked)
            about = int(self._facts["source"][asked])
        else:
            q = self._question_of.get(asked)
            if q is not None:
                self._post(passed_us, _ANSWERED, self._questions[q].work, q)
            return
        if work != _NOTHING:
            self._post(passed_us, _REPORTED, work, item, (about, speaker, asked))

    def _whose(self, message: int) -> tuple[int, int]:
        """Return whose work a message is, or the call that it answers, and what that calls it."""
        return self._work_of.get(
            message, self._work_of.get(int(self._facts["asked"][message]), (_NOTHING, 0))
        )

    def _packet_bytes(self, air_us: int) -> int:
        """Return how long the packet of a frame is that was so long on the air [B]."""
        return (air_us - 192) // 32 - self.mesh.mac.frame_bytes
