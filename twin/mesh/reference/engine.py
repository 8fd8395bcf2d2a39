"""The mesh as SimPy events: frames become due, begin, and end.

Read it beside ``twin.mesh.rules``: here stands in which order things happen, a rule decides what
happens. Of two events at the same microsecond the end of a frame goes before the begin of another,
each in the order of the nodes: a frame that ends as another begins does not meet it.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twin.draws import fold
from twin.events import MESH_EVENT, NEVER, Answer, Cause, MeshKind, MessageKind
from twin.mesh.plan import FACTS, MESSAGE, USE
from twin.mesh.reference.node import Frame, Message, Node, Wait
from twin.mesh.reference.routing import Routing
from twin.mesh.rules.mac import (
    airtime_us,
    answer_window_us,
    busy_wait_us,
    forward_wait_us,
    goes_on,
    is_busy,
    is_meant,
    multicast_bytes,
    reply_wait_us,
    send_wait_us,
)
from twin.mesh.rules.streams import RECEPTION


class ReferenceMesh(Routing):
    """The mesh as events; same rows as ``CompiledMesh``, byte for byte."""

    def offer(self, wishes: NDArray[np.void], to: NDArray[np.int32], now_us: int) -> None:
        """Say something now.

        Parameters
        ----------
        wishes
            Array of ``WISH`` rows.
        to
            The nodes to which directed multicasts go, one list behind the other.
        now_us
            The moment, no earlier than any up to which the mesh was advanced [us].
        """
        for wish in wishes:
            named = to[wish["first_to"] : wish["end_to"]].tolist()
            self._offer_one(wish, named, now_us)

    def _offer_one(self, wish: np.void, named: list[int], now_us: int) -> None:
        """Let one message begin its way, or not begin it."""
        node, target = self._nodes[int(wish["source"])], int(wish["target"])
        payload_bytes = int(wish["payload_bytes"])
        is_unicast = target >= 0
        m = self._add(node, Message(
            made_us=now_us,
            source=node.index,
            groups=int(wish["groups"]),
            ttl=0 if is_unicast else int(wish["ttl"]),
            frame_bytes=self._unicast_bytes(payload_bytes) if is_unicast
                else self._multicast_bytes(payload_bytes, len(named)),
            reply_bytes=int(wish["reply_bytes"]),
            reply_window_us=int(wish["reply_window_us"]),
            delay_factor=int(wish["delay_factor"]),
            to=named,
            target=target,
            kind=MessageKind.UNICAST if is_unicast else MessageKind.MULTICAST,
            answer=int(wish["answer"]),
            awaited=int(wish["awaited"]),
            unless=int(wish["unless"]),
            report_to=node.index,
        ))  # fmt: skip
        message = self._messages[m]
        frame = Frame(m, message.ttl, hops=1)
        if node.is_off:
            self._drop(node, frame, now_us, Cause.SWITCHED_OFF)
        elif node.is_bridge and not is_unicast and not message.groups & node.forward_groups:
            self._drop(node, frame, now_us, Cause.NOT_FORWARDED)
        else:
            frame.due_us = now_us + self._own_wait_us(node, message)
            self._wait(node, frame, now_us)

    def _multicast_bytes(self, payload_bytes: int, addressees: int) -> int:
        """Return how long the frame of a multicast is [B]."""
        overhead_bytes = int(self._mac["overhead_bytes"])
        return int(multicast_bytes(payload_bytes, addressees, overhead_bytes))

    def _unicast_bytes(self, payload_bytes: int) -> int:
        """Return how long the frame of a unicast is [B]."""
        return payload_bytes + int(self._mac["unicast_overhead_bytes"])

    def switch(self, nodes: NDArray[np.int64], is_on: bool, now_us: int) -> None:
        """Switch nodes on or off: what is off hears and sends nothing, and forgets all it held.

        A frame that is on the air already ends as if its sender were on.
        """
        for n in nodes.tolist():
            node = self._nodes[n]
            if not is_on and not node.is_off:
                for frame in node.waiting:
                    self._drop(node, frame, now_us, Cause.SWITCHED_OFF)
                if node.follows is not None:
                    self._lose_followed(node)
                node.waiting.clear()
                node.known.clear()
                node.routes[:] = 0
                node.owes = None
            node.is_off = not is_on

    def _lose_followed(self, node: Node) -> None:
        """A receiver goes while it follows a frame."""
        node.follows = None
        node.use["lost_sending"] += 1

    def mark(self, nodes: NDArray[np.int64], mark: int, is_set: bool) -> None:
        """Set a mark at nodes, or take it away; see ``twin.events.Mark``."""
        for n in nodes.tolist():
            node = self._nodes[n]
            node.marks = node.marks | mark if is_set else node.marks & ~mark

    def _due(self, node: Node) -> None:
        """What is first at a node may be due: it goes out, or the node listens or asks first.

        While the node sends it waits; the end of that transmission looks again.
        """
        frame = node.first()
        if node.sends is not None or frame is None or frame.due_us > self._now_us:
            return
        if frame.is_ack:
            self._acknowledge(node)
            self._at(node.ends_us, self._end, node, link_free=True)
            return
        if frame.waits == Wait.ACK:
            self._unanswered(node, frame)
        elif self._messages[frame.message].target < 0 or self._has_next(node, frame):
            if self._mac["carrier_sense"] and frame.waits != Wait.SENSED:
                self._sense(node, frame)
            else:
                self._begin(node, frame)
        self._look(node, self._now_us)

    def _sense(self, node: Node, frame: Frame) -> None:
        """A node listens before it sends: it turns around, tries again later, or gives up."""
        now_us = self._now_us
        if not is_busy(self._mac, node.power_fw):
            frame.waits = Wait.SENSED
            frame.due_us = now_us + int(self._mac["turnaround_us"])
        elif frame.tries < self._mac["busy_tries"]:
            frame.waits = Wait.TURN
            frame.tries += 1
            state = fold(self._messages[frame.message].state, node.state)
            frame.due_us = now_us + busy_wait_us(self._mac, state, frame.tries)
        else:
            node.waiting.remove(frame)
            self._drop(node, frame, now_us, Cause.CHANNEL_BUSY)

    def _begin(self, node: Node, frame: Frame) -> None:
        """A transmission begins: whoever is in reach and free follows it.

        A unicast stays in the buffer until it is acknowledged.
        """
        now_us, message = self._now_us, self._messages[frame.message]
        air_us = airtime_us(message.frame_bytes)
        if message.target < 0:
            node.waiting.remove(frame)
        else:
            frame.waits = Wait.ACK
            frame.due_us = now_us + air_us + int(self._mac["ack_wait_us"])
        self._write(
            MeshKind.SENT, node, frame, peer=frame.peer, air_us=air_us, attempt=frame.resends
        )
        node.use["sent"] += 1
        node.use["air_us"] += air_us
        message.sent += 1
        state = fold(fold(message.state, RECEPTION), frame.resends)
        self._transmit(node, frame, message.frame_bytes, state)
        self._at(node.ends_us, self._end, node, link_free=True)

    def _end(self, node: Node) -> None:
        """A transmission ends: who followed it undisturbed has it."""
        frame = node.sends
        assert frame is not None
        node.sends = None
        received = self._received(node)
        source = self._messages[frame.message].source
        for other, link in received:
            if frame.peer >= 0:
                self._end_at(node, other, frame, link.quality if link.hears else -1)
            # A node knows its own messages by their source, however long ago it made them.
            elif other.index == source or frame.message in other.known:
                node.use["duplicates"] += 1
            elif link.hears and not self._is_rejected(frame, link.quality):
                self._hear(node, other, frame, link.quality)
            else:
                other.use["foreign"] += 1
        repeats = frame.peer < 0 and self._mac["collision_detect"]
        if repeats and is_busy(self._mac, node.power_fw):
            self._send_again(node, frame)
        self._look(node, self._now_us)

    def _end_at(self, node: Node, other: Node, frame: Frame, quality: int) -> None:
        """A frame that goes to one node has ended at a receiver.

        Parameters
        ----------
        quality
            As the receiver's meter shows it, -1 where it does not understand the frame.
        """
        if other.index != frame.peer:
            node.use["overheard"] += 1
        elif quality < 0:
            other.use["foreign"] += 1
        elif not frame.is_ack:
            self._arrive(node, other, frame, quality)
        elif self._acknowledged(other, frame.message):
            node.use["acks_heard"] += 1
        else:
            node.use["overheard"] += 1

    def _send_again(self, node: Node, frame: Frame) -> None:
        """A node that heard another as it ended repeats its multicast."""
        resends = frame.resends + 1
        if resends <= self._mac["resends"] and not node.is_off:
            state = fold(self._messages[frame.message].state, node.state)
            due_us = self._now_us + send_wait_us(self._mac, state, resends)
            again = Frame(frame.message, frame.ttl, due_us, resends=resends)
            self._wait(node, again, self._now_us)

    def _hear(self, sender: Node, node: Node, frame: Frame, quality: int) -> None:
        """A node receives a flooded message for the first time: process, send on, answer."""
        now_us, message = self._now_us, self._messages[frame.message]
        node.known.append(frame.message)
        place = message.to.index(node.index) if node.index in message.to else -1
        meant = is_meant(message.groups, node.process_groups, bool(message.to), place)
        forwards = goes_on(message.groups, node.forward_groups, frame.ttl)
        is_request = message.kind == MessageKind.ROUTE_REQUEST
        if is_request:
            forwards = forwards and meant and message.subject != node.index
            meant = meant and message.subject == node.index
        node.use["heard"] += 1
        message.heard += 1
        self._write(
            MeshKind.HEARD, node, frame, peer=sender.index,
            air_us=airtime_us(message.frame_bytes), hops=message.ttl - frame.ttl + 1,
            quality=quality, processed=int(meant), forwards=int(forwards),
        )  # fmt: skip
        if meant:
            message.processed += 1
            message.last_us = now_us
        if is_request:
            self._learn(node, message.source, sender.index, is_fresh=True)
        if forwards:
            state = fold(message.state, node.state)
            due_us = now_us + forward_wait_us(self._mac, state)
            self._wait(node, Frame(frame.message, frame.ttl - 1, due_us), now_us)
        if meant and is_request:
            self._send_on(node, MessageKind.ROUTE_REPLY, message.source, node.index)
        elif meant:
            self._answer(node, frame.message, place)
        self._look(node, now_us)

    def _answer(self, node: Node, asked: int, place: int) -> None:
        """A node answers what it processed: in kind, by a ping, or by a report to somebody else."""
        question = self._messages[asked]
        if question.reply_bytes == 0 and question.answer != Answer.PING:
            return
        if question.unless & node.marks:
            return
        state = fold(question.state, node.state)
        window_us = answer_window_us(question.kind, question.answer, question.reply_window_us)
        wait_us = reply_wait_us(self._mac, state, place, question.delay_factor, window_us)
        made_us = self._now_us + wait_us
        if question.answer == Answer.PING:
            answer = self._ping(node, question, made_us)
        elif question.answer == Answer.REPORT:
            answer = self._directed(node, question, made_us, question.report_to)
        else:
            answer = self._directed(node, question, made_us, question.source)
        answer.asked = asked
        m = self._add(node, answer)
        due_us = made_us + self._own_wait_us(node, answer)
        self._wait(node, Frame(m, answer.ttl, due_us, hops=1), self._now_us)

    def _ping(self, node: Node, question: Message, made_us: int) -> Message:
        """Return a multicast of one hop, which who hears it reports to the question's source."""
        return Message(
            made_us=made_us,
            source=node.index,
            groups=question.groups,
            ttl=1,
            frame_bytes=question.frame_bytes,
            reply_bytes=question.reply_bytes,
            reply_window_us=question.reply_window_us,
            delay_factor=question.delay_factor,
            answer=Answer.REPORT,
            report_to=question.source,
        )

    def _directed(self, node: Node, question: Message, made_us: int, to: int) -> Message:
        """Return an answer: a multicast directed to who asked, or a unicast."""
        in_kind = question.answer == Answer.IN_KIND
        is_unicast = not in_kind or question.kind == MessageKind.UNICAST
        reply_bytes = question.reply_bytes
        return Message(
            made_us=made_us,
            source=node.index,
            groups=question.groups,
            ttl=0 if is_unicast else question.ttl,
            frame_bytes=self._unicast_bytes(reply_bytes) if is_unicast
                else self._multicast_bytes(reply_bytes, 1),
            to=[] if is_unicast else [to],
            target=to if is_unicast else -1,
            kind=MessageKind.UNICAST if is_unicast else MessageKind.MULTICAST,
            awaited=question.awaited,
        )  # fmt: skip

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment that were not yielded yet, in order.

        It ends early, at ``halted_us``, where a host has to be asked what it does next.
        """
        while self._halt_us == NEVER and self._env.peek() < until_us:
            self._env.step()
        self.halted_us, self._halt_us = self._halt_us, NEVER
        rows, self._rows = self._rows, []
        if rows:
            yield np.array(rows, MESH_EVENT)

    def disturb(self, shares: NDArray[np.float64]) -> None:
        """Let others in the band take a share of the frames that begin from now on.

        Parameters
        ----------
        shares
            Of frames of the reference length at -88 dBm at each node, shape (nodes,) [1].
        """
        self._shares = shares.tolist()
        self._below.clear()

    @property
    def next_us(self) -> int:
        """When something happens next, NEVER for not at all [us]."""
        return min((node.next_us for node in self._nodes), default=int(NEVER))

    def messages(self) -> NDArray[np.void]:
        """Return all messages so far, an array of ``MESSAGE`` records."""
        found = np.zeros(self.count, MESSAGE)
        for record, message in zip(found, self._messages, strict=True):
            for name, value in message.as_record().items():
                record[name] = value
        return found

    @property
    def count(self) -> int:
        """How many messages there are so far [1]."""
        return len(self._messages)

    def facts(self, first: int) -> NDArray[np.void]:
        """Return what hosts have to know of all messages from one on, an array of ``FACTS``."""
        fresh = self._messages[first:]
        return np.array([(m.source, m.asked, -1, m.kind, m.answer) for m in fresh], FACTS)

    def use(self) -> NDArray[np.void]:
        """Return what each node's radio did so far, an array of ``USE`` records."""
        names = USE.names or ()
        return np.array([tuple(node.use[name] for name in names) for node in self._nodes], USE)
