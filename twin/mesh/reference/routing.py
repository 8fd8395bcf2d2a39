"""Unicasts of the SimPy mesh: routes are asked for, hops acknowledged, failures told."""

from twin.draws import fold
from twin.events import Cause, MeshKind, MessageKind
from twin.mesh.plan import MeshPlan
from twin.mesh.reference.air import Air
from twin.mesh.reference.node import Frame, Message, Node, Wait
from twin.mesh.rules.mac import airtime_us, send_wait_us
from twin.mesh.rules.routing import (
    NO_ROUTE,
    find_route,
    forget_route,
    is_rejected,
    learn_route,
    renewed_us,
    request_hops,
    request_wait_us,
)
from twin.mesh.rules.streams import ACKNOWLEDGEMENT

_ROUTE_GROUPS = 1
"""Who does not process the broadcast group does not answer or forward route requests."""


class Routing(Air):
    """What nodes do with messages that have one target."""

    def __init__(self, plan: MeshPlan) -> None:
        """Build a mesh on which no route is known yet."""
        super().__init__(plan)
        self._routing = plan.routing[0]

    def _is_rejected(self, frame: Frame, quality: int) -> bool:
        """Say whether a route request came over a hop that is too weak for a route."""
        is_request = self._messages[frame.message].kind == MessageKind.ROUTE_REQUEST
        return bool(is_rejected(self._routing, is_request, quality))

    def _has_next(self, node: Node, frame: Frame) -> bool:
        """Choose the next hop of a unicast that is due; without one its source asks for a route."""
        now_us, message = self._now_us, self._messages[frame.message]
        place = int(find_route(node.routes, 0, len(node.routes), message.target, now_us))
        if place != NO_ROUTE:
            route = node.routes[place]
            frame.peer = int(route["next"])
            route["expires_us"] = renewed_us(self._routing, int(route["made_us"]), now_us)
            return True
        is_own = message.source == node.index
        if message.kind == MessageKind.UNICAST and is_own and self._waits_along(node, frame):
            return False
        if message.kind == MessageKind.UNICAST and is_own and frame.asks < self._routing["tries"]:
            self._ask(node, frame, message.target)
        else:
            node.waiting.remove(frame)
            self._drop(node, frame, now_us, Cause.NO_ROUTE)
            self._tell_source(node, message)
        return False

    def _waits_along(self, node: Node, frame: Frame) -> bool:
        """Let a unicast wait for a route that another is being asked for; say if there is one."""
        target = self._messages[frame.message].target
        for other in node.waiting:
            is_for = self._messages[other.message].target == target
            if is_for and other.waits == Wait.ROUTE and other.due_us > self._now_us:
                frame.waits, frame.due_us, frame.asks = Wait.ROUTE, other.due_us, other.asks
                return True
        return False

    def _ask(self, node: Node, frame: Frame, target: int) -> None:
        """A node asks all around for a route, and waits for the answer."""
        now_us = self._now_us
        m = self._add(node, Message(
            made_us=now_us,
            source=node.index,
            groups=_ROUTE_GROUPS,
            ttl=int(request_hops(self._routing, frame.asks, node.is_bridge)),
            frame_bytes=int(self._routing["request_bytes"]),
            subject=target,
            kind=MessageKind.ROUTE_REQUEST,
        ))  # fmt: skip
        request = self._messages[m]
        frame.waits = Wait.ROUTE
        frame.due_us = now_us + int(request_wait_us(self._routing, frame.asks))
        frame.asks += 1
        due_us = now_us + self._own_wait_us(node, request)
        self._wait(node, Frame(m, request.ttl, due_us), now_us)

    def _own_wait_us(self, node: Node, message: Message, tries: int = 0) -> int:
        """Return how long a node waits before it sends a message that it does not flood on [us]."""
        return int(send_wait_us(self._mac, fold(message.state, node.state), tries))

    def _send_on(self, node: Node, kind: MessageKind, target: int, subject: int) -> None:
        """A node tells another something about routes."""
        name = "reply_bytes" if kind == MessageKind.ROUTE_REPLY else "error_bytes"
        m = self._add(node, Message(
            made_us=self._now_us,
            source=node.index,
            groups=_ROUTE_GROUPS,
            ttl=0,
            frame_bytes=int(self._routing[name]),
            target=target,
            subject=subject,
            kind=kind,
        ))  # fmt: skip
        due_us = self._now_us + self._own_wait_us(node, self._messages[m])
        self._wait(node, Frame(m, due_us=due_us, hops=1), self._now_us)

    def _tell_source(self, node: Node, lost: Message) -> None:
        """Who could not forward a unicast tells its source, if it knows a way to it."""
        if lost.kind != MessageKind.UNICAST or lost.source == node.index:
            return
        table = node.routes, 0, len(node.routes)
        if find_route(*table, lost.source, self._now_us) != NO_ROUTE:
            self._send_on(node, MessageKind.ROUTE_ERROR, lost.source, lost.target)

    def _learn(self, node: Node, target: int, via: int, *, is_fresh: bool) -> None:
        """A node learns a way to another; frames that waited for one may go."""
        now_us = self._now_us
        table = node.routes, 0, len(node.routes)
        if learn_route(self._routing, *table, target, via, is_fresh, now_us):
            for frame in node.waiting:
                if frame.waits == Wait.ROUTE and self._messages[frame.message].target == target:
                    frame.waits, frame.due_us = Wait.TURN, now_us

    def _arrive(self, sender: Node, node: Node, frame: Frame, quality: int) -> None:
        """A unicast has come over its hop: it is acknowledged, and goes on if it is new."""
        message = self._messages[frame.message]
        node.owes = Frame(
            frame.message,
            due_us=self._now_us + int(self._mac["turnaround_us"]),
            resends=frame.resends,
            peer=sender.index,
            is_ack=True,
        )
        if message.source == node.index or frame.message in node.known:
            sender.use["duplicates"] += 1
        else:
            self._take(sender, node, frame, quality)
        self._look(node, self._now_us)

    def _take(self, sender: Node, node: Node, frame: Frame, quality: int) -> None:
        """A node receives a unicast for the first time: for itself, or to send it on."""
        now_us, message = self._now_us, self._messages[frame.message]
        is_mine = message.target == node.index
        node.known.append(frame.message)
        node.use["heard"] += 1
        message.heard += 1
        self._write(
            MeshKind.HEARD, node, frame, peer=sender.index,
            air_us=airtime_us(message.frame_bytes), hops=frame.hops, quality=quality,
            processed=int(is_mine), forwards=int(not is_mine),
        )  # fmt: skip
        is_fresh = message.kind == MessageKind.ROUTE_REPLY
        self._learn(node, message.source, sender.index, is_fresh=is_fresh)
        if message.kind == MessageKind.ROUTE_ERROR:
            forget_route(node.routes, 0, len(node.routes), message.subject, sender.index)
        if is_mine:
            self._deliver(node, frame.message)
        else:
            due_us = now_us + self._own_wait_us(node, message)
            self._wait(node, Frame(frame.message, due_us=due_us, hops=frame.hops + 1), now_us)

    def _deliver(self, node: Node, m: int) -> None:
        """A unicast has come to its target."""
        message = self._messages[m]
        message.processed += 1
        message.last_us = self._now_us
        if message.awaited and message.asked >= 0:
            self._halt_us = self._now_us
        if message.kind == MessageKind.UNICAST:
            self._answer(node, m, -1)

    def _answer(self, node: Node, asked: int, place: int) -> None:
        """A node answers what it processed, if it is to."""
        raise NotImplementedError

    def _acknowledged(self, node: Node, m: int) -> bool:
        """Say whether a node that heard an acknowledgement waits for it; then its frame is done."""
        for frame in node.waiting:
            if frame.waits == Wait.ACK and frame.message == m:
                node.waiting.remove(frame)
                self._look(node, self._now_us)
                return True
        return False

    def _unanswered(self, node: Node, frame: Frame) -> None:
        """No acknowledgement came: the node tries again, or gives the hop up."""
        now_us, message = self._now_us, self._messages[frame.message]
        frame.resends += 1
        if frame.resends < self._mac["attempts"]:
            frame.waits, frame.tries = Wait.TURN, 0
            frame.due_us = now_us + self._own_wait_us(node, message, frame.resends)
            return
        node.waiting.remove(frame)
        forget_route(node.routes, 0, len(node.routes), message.target, frame.peer)
        self._drop(node, frame, now_us, Cause.NO_ACK)
        self._tell_source(node, message)

    def _acknowledge(self, node: Node) -> None:
        """A node acknowledges a unicast that it received."""
        frame, node.owes = node.owes, None
        assert frame is not None
        ack_bytes = int(self._mac["ack_bytes"])
        air_us = airtime_us(ack_bytes)
        self._write(
            MeshKind.ACKED, node, frame, peer=frame.peer, air_us=air_us, attempt=frame.resends
        )
        node.use["acks"] += 1
        node.use["air_us"] += air_us
        state = fold(self._messages[frame.message].state, ACKNOWLEDGEMENT)
        self._transmit(node, frame, ack_bytes, fold(state, frame.resends))
