"""The mesh as SimPy events: frames become due, begin, and end.

Read it beside ``twin.mesh.rules``: here stands in which order things happen, a rule decides what
happens. Of two events at the same microsecond the end of a frame goes before the begin of another,
each in the order of the nodes: a frame that ends as another begins does not meet it.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.draws import fold, root
from twin.events import MESH_EVENT, NEVER, Cause, MeshKind
from twin.mesh.plan import MESSAGE, USE, MeshPlan
from twin.mesh.reference.node import Following, Frame, Link, Message, Node
from twin.mesh.rules.mac import (
    airtime_us,
    busy_wait_us,
    forward_wait_us,
    goes_on,
    is_busy,
    is_meant,
    multicast_bytes,
    reply_wait_us,
    send_wait_us,
)
from twin.mesh.rules.radio import (
    disturbed_reception,
    gets_through,
    hour_of,
    hourly_reception,
    is_clear,
    threshold,
)
from twin.mesh.rules.streams import RECEPTION

SIMPY_OWN_PRIORITIES = 2  # 0 and 1 belong to SimPy
_NOTHING = -1


class ReferenceMesh:
    """The mesh as events; same rows as ``CompiledMesh``, byte for byte."""

    def __init__(self, plan: MeshPlan) -> None:
        """Build a mesh on which nobody sends yet."""
        self._plan = plan
        self._mac, self._radio = plan.mac[0], plan.radio[0]
        self._capture = float(self._mac["capture_ratio"]), int(self._mac["capture_window_us"])
        self._env = simpy.Environment()
        seed = root(int(self._mac["seed"]))
        self._nodes = [self._node(n, fold(seed, int(word))) for n, word in enumerate(plan.words)]
        self._messages: list[Message] = []
        self._below: dict[tuple[int, int], int] = {}  # by length and link, in this hour
        self._hour = 0
        self._shares = [0.0] * plan.nodes  # that others in the band take at each node
        self._rows: list[tuple[int, ...]] = []

    def _node(self, n: int, state: int) -> Node:
        """Return a node that has heard nothing yet."""
        plan = self._plan
        return Node(
            index=n,
            state=state,
            process_groups=int(plan.process_groups[n]),
            forward_groups=int(plan.forward_groups[n]),
            is_bridge=bool(plan.is_bridge[n]),
            links=self._links(n),
            buffers=plan.buffers,
            known=deque(maxlen=plan.remembered),
        )

    def _links(self, n: int) -> list[Link]:
        """Return the links of a sender as plain numbers."""
        first, end = self._plan.first_link[n : n + 2].tolist()
        columns = (self._plan.links[name][first:end].tolist() for name in Link._fields[1:])
        return [
            Link(place, *facts)
            for place, facts in enumerate(zip(*columns, strict=True), start=first)
        ]

    def offer(self, wishes: NDArray[np.void], to: NDArray[np.int32], now_us: int) -> None:
        """Multicast messages now.

        Parameters
        ----------
        wishes
            Array of ``WISH`` rows.
        to
            The nodes to which directed ones go, one list behind the other.
        now_us
            The moment, no earlier than any up to which the mesh was advanced [us].
        """
        for wish in wishes:
            named = to[wish["first_to"] : wish["end_to"]].tolist()
            self._offer_one(wish, named, now_us)

    def _offer_one(self, wish: np.void, named: list[int], now_us: int) -> None:
        """Let one message begin its way, or not begin it."""
        node = self._nodes[int(wish["source"])]
        m = self._add(node, Message(
            state=0,
            made_us=now_us,
            source=node.index,
            number=0,
            groups=int(wish["groups"]),
            ttl=int(wish["ttl"]),
            frame_bytes=self._frame_bytes(int(wish["payload_bytes"]), len(named)),
            reply_bytes=int(wish["reply_bytes"]),
            reply_window_us=int(wish["reply_window_us"]),
            delay_factor=int(wish["delay_factor"]),
            to=named,
        ))  # fmt: skip
        message = self._messages[m]
        if node.is_bridge and not message.groups & node.forward_groups:
            self._drop(node, m, message.ttl, now_us, Cause.NOT_FORWARDED)
            return
        due_us = now_us + send_wait_us(self._mac, fold(message.state, node.state), 0)
        self._wait(node, Frame(m, message.ttl, due_us), now_us)

    def _frame_bytes(self, payload_bytes: int, addressees: int) -> int:
        """Return how long a frame is [B]."""
        overhead_bytes = int(self._mac["overhead_bytes"])
        return int(multicast_bytes(payload_bytes, addressees, overhead_bytes))

    def _add(self, node: Node, message: Message) -> int:
        """Take up a message of a node; return its place."""
        message.state = fold(node.state, node.messages)
        message.number = node.messages
        message.last_us = message.made_us
        node.messages += 1
        self._messages.append(message)
        node.known.append(len(self._messages) - 1)
        return len(self._messages) - 1

    def _wait(self, node: Node, frame: Frame, now_us: int) -> None:
        """Let a frame wait until it is due, or drop it where the buffer is full."""
        if node.wait(frame):
            self._at(frame.due_us, self._due, node)
        else:
            self._drop(node, frame.message, frame.ttl, now_us, Cause.BUFFER_FULL)

    def _at(self, moment_us: int, what: object, node: Node, link_free: bool = False) -> None:
        """Let something happen at a node at a moment, in the total order of (moment, kind, node).

        A frame's end (``link_free``) goes before any begin.
        """
        event = simpy.Event(self._env)
        event._ok, event._value = True, None
        event.callbacks = [lambda _: what(node)]  # type: ignore[operator]
        rank = node.index + (0 if link_free else len(self._nodes))
        delay_us = moment_us - self._now_us
        self._env.schedule(event, SIMPY_OWN_PRIORITIES + rank, delay_us)  # type: ignore[arg-type]

    def _due(self, node: Node) -> None:
        """A frame is due: it goes out, or the node listens first.

        While the node sends it waits; the end of that transmission looks again.
        """
        frame = node.due(self._now_us)
        if node.sends is not None or frame is None:
            return
        if self._mac["carrier_sense"] and not frame.sensed:
            self._sense(node, frame)
        else:
            node.waiting.remove(frame)
            self._begin(node, frame)

    def _sense(self, node: Node, frame: Frame) -> None:
        """A node listens before it sends: it turns around, tries again later, or gives up."""
        now_us = self._now_us
        if not is_busy(self._mac, node.power_fw):
            frame.sensed = True
            frame.due_us = now_us + int(self._mac["turnaround_us"])
            self._at(frame.due_us, self._due, node)
        elif frame.tries < self._mac["busy_tries"]:
            frame.tries += 1
            state = fold(self._messages[frame.message].state, node.state)
            frame.due_us = now_us + busy_wait_us(self._mac, state, frame.tries)
            self._at(frame.due_us, self._due, node)
        else:
            node.waiting.remove(frame)
            self._drop(node, frame.message, frame.ttl, now_us, Cause.CHANNEL_BUSY)
        if node.due(now_us) is not None:
            self._at(now_us, self._due, node)

    def _begin(self, node: Node, frame: Frame) -> None:
        """A transmission begins: whoever is in reach and free follows it."""
        now_us, message = self._now_us, self._messages[frame.message]
        air_us = airtime_us(message.frame_bytes)
        self._write(MeshKind.SENT, node, frame, air_us=air_us, attempt=frame.resends)
        node.use["sent"] += 1
        node.use["air_us"] += air_us
        message.sent += 1
        node.sends = frame
        if node.follows is not None:
            node.follows = None
            node.use["lost_sending"] += 1
        if hour_of(now_us) != self._hour:
            self._hour = hour_of(now_us)
            self._below.clear()
        state = fold(fold(message.state, RECEPTION), frame.resends)
        for link in node.links:
            below = self._chance(link.place, message.frame_bytes)
            noticed = gets_through(fold(state, link.state), below)
            self._notice(node, self._nodes[link.end], link, noticed)
        self._at(now_us + air_us, self._end, node, link_free=True)

    def _chance(self, link: int, frame_bytes: int) -> int:
        """Return below which number a frame gets through on a link in this hour."""
        key = frame_bytes, link
        if key not in self._below:
            facts = self._plan.links[link]
            chance = hourly_reception(self._radio, facts, self._hour)
            share = self._shares[int(facts["end"])]
            chance = disturbed_reception(chance, float(facts["level_dbm"]), share)
            reference_bytes = int(self._mac["reference_bytes"])
            self._below[key] = threshold(chance, frame_bytes, reference_bytes)
        return self._below[key]

    def _notice(self, sender: Node, node: Node, link: Link, noticed: bool) -> None:
        """A frame begins at a receiver, which follows it, goes on with another, or hears neither.

        A frame that noise or interference takes is not noticed: it only disturbs.
        """
        ratio, window_us = self._capture
        signal_fw, others_fw, followed = link.power_fw, node.power_fw, node.follows
        node.power_fw += signal_fw
        if node.sends is not None:
            sender.use["lost_sending"] += 1
            return
        if not noticed:
            sender.use["lost_link"] += 1
        elif followed is None and is_clear(signal_fw, others_fw, ratio):
            node.follows = Following(link.place, signal_fw, self._now_us)
        else:
            sender.use["lost_collision"] += 1  # this one, or the one whose place it takes
            if followed is not None:
                early = self._now_us - followed.since_us <= window_us
                if early and is_clear(signal_fw, others_fw, ratio):
                    node.follows = Following(link.place, signal_fw, self._now_us)
                    return
        if followed is not None:
            rest_fw = node.power_fw - followed.signal_fw
            followed.spoilt |= not is_clear(followed.signal_fw, rest_fw, ratio)

    def _end(self, node: Node) -> None:
        """A transmission ends: who followed it undisturbed has it."""
        frame = node.sends
        assert frame is not None
        node.sends = None
        received = []
        for link in node.links:
            other = self._nodes[link.end]
            other.power_fw -= link.power_fw
            if other.follows is not None and other.follows.link == link.place:
                if other.follows.spoilt:
                    node.use["lost_collision"] += 1
                else:
                    received.append((other, link))
                other.follows = None
        source = self._messages[frame.message].source
        for other, link in received:
            # A node knows its own messages by their source, however long ago it made them.
            if other.index == source or frame.message in other.known:
                node.use["duplicates"] += 1
            elif link.hears:
                self._hear(node, other, frame, link.quality)
            else:
                other.use["foreign"] += 1
        if self._mac["collision_detect"] and is_busy(self._mac, node.power_fw):
            self._send_again(node, frame)
        if node.due(self._now_us) is not None:
            self._at(self._now_us, self._due, node)

    def _send_again(self, node: Node, frame: Frame) -> None:
        """A node that heard another as it ended repeats its multicast."""
        resends = frame.resends + 1
        if resends <= self._mac["resends"]:
            state = fold(self._messages[frame.message].state, node.state)
            due_us = self._now_us + send_wait_us(self._mac, state, resends)
            self._wait(node, Frame(frame.message, frame.ttl, due_us, 0, resends), self._now_us)

    def _hear(self, sender: Node, node: Node, frame: Frame, quality: int) -> None:
        """A node receives a message for the first time: process, send on, answer."""
        now_us, message = self._now_us, self._messages[frame.message]
        node.known.append(frame.message)
        place = message.to.index(node.index) if node.index in message.to else -1
        meant = is_meant(message.groups, node.process_groups, bool(message.to), place)
        forwards = goes_on(message.groups, node.forward_groups, frame.ttl)
        node.use["heard"] += 1
        message.heard += 1
        self._write(
            MeshKind.HEARD, node, frame, peer=sender.index,
            air_us=airtime_us(message.frame_bytes), hops=message.ttl - frame.ttl + 1,
            quality=quality, processed=int(meant), forwards=int(forwards),
        )  # fmt: skip
        state = fold(message.state, node.state)
        if meant:
            message.processed += 1
            message.last_us = now_us
        if forwards:
            due_us = now_us + forward_wait_us(self._mac, state)
            self._wait(node, Frame(frame.message, frame.ttl - 1, due_us), now_us)
        if meant and message.reply_bytes > 0:
            wait_us = reply_wait_us(
                self._mac, state, place, message.delay_factor, message.reply_window_us
            )
            self._reply(node, frame.message, now_us + wait_us)

    def _reply(self, node: Node, asked: int, made_us: int) -> None:
        """A node answers: a multicast directed to who asked."""
        question = self._messages[asked]
        m = self._add(node, Message(
            state=0,
            made_us=made_us,
            source=node.index,
            number=0,
            groups=question.groups,
            ttl=question.ttl,
            frame_bytes=self._frame_bytes(question.reply_bytes, 1),
            reply_bytes=0,
            reply_window_us=0,
            delay_factor=0,
            to=[question.source],
            asked=asked,
        ))  # fmt: skip
        answer = self._messages[m]
        due_us = made_us + send_wait_us(self._mac, fold(answer.state, node.state), 0)
        self._wait(node, Frame(m, answer.ttl, due_us), self._now_us)

    def _drop(self, node: Node, m: int, ttl: int, now_us: int, cause: Cause) -> None:
        """Write the row of a frame that a node does not send."""
        node.use["dropped"] += 1
        self._messages[m].dropped += 1
        self._write(MeshKind.DROPPED, node, Frame(m, ttl), now_us=now_us, cause=cause)

    def _write(
        self, kind: MeshKind, node: Node, frame: Frame, now_us: int | None = None, **columns: int
    ) -> None:
        """Write a row; a column that is not given is empty."""
        given = {
            "time_us": self._now_us if now_us is None else now_us,
            "message": frame.message, "node": node.index, "peer": _NOTHING,
            "ttl": frame.ttl, "kind": kind, **columns,
        }  # fmt: skip
        self._rows.append(tuple(int(given.get(name, 0)) for name in MESH_EVENT.names or ()))

    @property
    def _now_us(self) -> int:
        """The moment the events have reached [us]."""
        return int(self._env.now)

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment that were not yielded yet, in order."""
        while self._env.peek() < until_us:
            self._env.step()
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
        """When something may happen next, NEVER for not at all [us]."""
        due_us = self._env.peek()
        return int(NEVER) if due_us == float("inf") else int(due_us)

    def messages(self) -> NDArray[np.void]:
        """Return all messages so far, an array of ``MESSAGE`` records."""
        found, first_to = np.zeros(len(self._messages), MESSAGE), 0
        for record, message in zip(found, self._messages, strict=True):
            for name, value in message.as_record(first_to).items():
                record[name] = value
            first_to += len(message.to)
        return found

    def use(self) -> NDArray[np.void]:
        """Return what each node's radio did so far, an array of ``USE`` records."""
        names = USE.names or ()
        return np.array([tuple(node.use[name] for name in names) for node in self._nodes], USE)
