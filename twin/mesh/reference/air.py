"""What every frame of the SimPy mesh needs: its moment, its place in a buffer, its receivers."""

from collections import deque

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.draws import fold, root
from twin.events import MESH_EVENT, NEVER, Cause, MeshKind, MessageKind
from twin.mesh.plan import ROUTE, MeshPlan
from twin.mesh.reference.node import Following, Frame, Link, Message, Node
from twin.mesh.rules.mac import airtime_us
from twin.mesh.rules.radio import (
    disturbed_reception,
    exponent,
    gets_through,
    hour_of,
    hourly_reception,
    is_clear,
    threshold,
)

SIMPY_OWN_PRIORITIES = 2  # 0 and 1 belong to SimPy
_NOTHING = -1


class Air:
    """Nodes, messages, rows, and the order in which things happen."""

    def __init__(self, plan: MeshPlan) -> None:
        """Build a mesh on which nobody sends yet."""
        self._plan = plan
        self._mac, self._radio = plan.mac[0], plan.radio[0]
        self._capture = float(self._mac["capture_ratio"]), int(self._mac["capture_window_us"])
        self._env = simpy.Environment()
        seed = root(int(self._mac["seed"]))
        self._nodes = [self._node(n, fold(seed, int(word))) for n, word in enumerate(plan.words)]
        self._messages: list[Message] = []
        self._addressees = 0
        self._below: dict[tuple[int, int], int] = {}  # by length and link, in this hour
        self._hour = 0
        self._shares = [0.0] * plan.nodes  # that others in the band take at each node
        self._rows: list[tuple[int, ...]] = []
        self._halt_us = self.halted_us = NEVER

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
            routes=np.zeros(int(np.diff(plan.first_route)[n]), ROUTE),
        )

    def _links(self, n: int) -> list[Link]:
        """Return the links of a sender as plain numbers."""
        first, end = self._plan.first_link[n : n + 2].tolist()
        columns = (self._plan.links[name][first:end].tolist() for name in Link._fields[1:])
        return [
            Link(place, *facts)
            for place, facts in enumerate(zip(*columns, strict=True), start=first)
        ]

    @property
    def _now_us(self) -> int:
        """The moment the events have reached [us]."""
        return int(self._env.now)

    def _add(self, node: Node, message: Message) -> int:
        """Take up a message of a node; return its place."""
        message.state = fold(node.state, node.messages)
        message.number = node.messages
        message.last_us = message.made_us
        message.first_to = self._addressees
        self._addressees += len(message.to)
        node.messages += 1
        self._messages.append(message)
        node.known.append(len(self._messages) - 1)
        return len(self._messages) - 1

    def _wait(self, node: Node, frame: Frame, now_us: int) -> None:
        """Let a frame wait until it is due, or drop it where the buffer is full."""
        if node.wait(frame):
            self._look(node, now_us)
        else:
            self._drop(node, frame, now_us, Cause.BUFFER_FULL)

    def _look(self, node: Node, now_us: int) -> None:
        """Let a node look again when what is first there becomes due.

        While it sends it waits; the end of that transmission looks again.
        """
        first = node.first()
        if first is not None and node.sends is None:
            self._at(max(first.due_us, now_us), self._due, node)

    def _due(self, node: Node) -> None:
        """A frame may be due at a node."""
        raise NotImplementedError

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

    def rewire(self, plan: MeshPlan, nodes: NDArray[np.int64]) -> None:
        """Let nodes be in other networks from now on.

        Parameters
        ----------
        plan
            The same nodes with the links that there are now.
        nodes
            Those that moved. What they have on the air goes on in the new network, and disturbs
            there; who followed it has lost it.
        """
        moved = set(nodes.tolist())
        kept = self._let_go(moved)
        sending = [node for node in self._nodes if node.sends is not None]
        for sender in sending:
            if sender.index in moved:
                for link in sender.links:
                    self._nodes[link.end].power_fw -= link.power_fw
        self._plan = plan
        self._below.clear()
        for node in self._nodes:
            node.links = self._links(node.index)
        for n in moved:
            self._nodes[n].power_fw = 0.0
        for sender in sending:
            for link in sender.links:
                if sender.index in moved or link.end in moved:
                    self._nodes[link.end].power_fw += link.power_fw
        for following, sender, receiver in kept:
            following.link = next(link.place for link in sender.links if link.end == receiver)

    def _let_go(self, moved: set[int]) -> list[tuple[Following, Node, int]]:
        """Let receivers lose the frames of who moved, and who moved those of others.

        Returns
        -------
        what goes on being followed: of whom, and by whom
        """
        kept = []
        for node in self._nodes:
            if node.follows is not None:
                after = np.searchsorted(self._plan.first_link, node.follows.link, side="right")
                sender = self._nodes[int(after) - 1]
                if node.index in moved or sender.index in moved:
                    node.follows = None
                    sender.use["lost_link"] += 1
                else:
                    kept.append((node.follows, sender, node.index))
        return kept

    def _transmit(self, node: Node, frame: Frame, frame_bytes: int, state: int) -> None:
        """Let every receiver in reach notice that a frame begins.

        Parameters
        ----------
        state
            Address state of the transmission; whether it gets through a link is drawn from it.
        """
        node.sends, node.ends_us = frame, self._now_us + airtime_us(frame_bytes)
        if node.follows is not None:
            node.follows = None
            node.use["lost_sending"] += 1
        if hour_of(self._now_us) != self._hour:
            self._hour = hour_of(self._now_us)
            self._below.clear()
        for link in node.links:
            below = self._chance(link.place, frame_bytes)
            noticed = gets_through(fold(state, link.state), below)
            self._notice(node, self._nodes[link.end], link, noticed)

    def _chance(self, link: int, frame_bytes: int) -> int:
        """Return below which number a frame gets through on a link in this hour."""
        key = frame_bytes, link
        if key not in self._below:
            facts = self._plan.links[link]
            chance = hourly_reception(self._radio, facts, self._hour)
            share = self._shares[int(facts["end"])]
            chance = disturbed_reception(chance, float(facts["level_dbm"]), share)
            reference_bytes = int(self._mac["reference_bytes"])
            self._below[key] = threshold(exponent(chance), frame_bytes, reference_bytes)
        return self._below[key]

    def _notice(self, sender: Node, node: Node, link: Link, noticed: bool) -> None:
        """A frame begins at a receiver, which follows it, goes on with another, or hears neither.

        A frame that noise or interference takes is not noticed: it only disturbs.
        """
        ratio, window_us = self._capture
        signal_fw, others_fw, followed = link.power_fw, node.power_fw, node.follows
        node.power_fw += signal_fw
        if node.sends is not None or node.is_off:
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

    def _received(self, node: Node) -> list[tuple[Node, Link]]:
        """Return who followed a transmission undisturbed that ends now, and over which link."""
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
        return received

    def _drop(self, node: Node, frame: Frame, now_us: int, cause: Cause) -> None:
        """Write the row of a frame that a node does not send; tell the host that waits for it."""
        message = self._messages[frame.message]
        node.use["dropped"] += 1
        message.dropped += 1
        self._write(MeshKind.DROPPED, node, frame, now_us=now_us, cause=cause)
        is_own = message.source == node.index and message.asked == _NOTHING
        if message.awaited and message.kind == MessageKind.UNICAST and is_own:
            self._halt_us = now_us

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
