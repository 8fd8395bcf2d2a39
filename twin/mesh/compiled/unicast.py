"""Unicasts of the compiled mesh: routes are asked for, hops acknowledged, failures told."""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import part
from twin.draws import fold
from twin.events import Cause, MeshKind, MessageKind
from twin.mesh.compiled.frames import (
    drop,
    go_on_air,
    own_wait_us,
    plan_node,
    take_out,
    wait_or_drop,
    write,
)
from twin.mesh.compiled.messages import add_message, answer, knows, note_known
from twin.mesh.compiled.state import AWAITS, FOR_ACK, FOR_ROUTE, FOR_TURN, NOTHING, OWES, Mesh
from twin.mesh.rules.mac import airtime_us
from twin.mesh.rules.routing import (
    NO_ROUTE,
    find_route,
    forget_route,
    learn_route,
    renewed_us,
    request_hops,
    request_wait_us,
)
from twin.mesh.rules.streams import ACKNOWLEDGEMENT

_ROUTE_GROUPS = 1
"""Who does not process the broadcast group does not answer or forward route requests."""
_HEARD, _ACKED = int(MeshKind.HEARD), int(MeshKind.ACKED)
_NO_ROUTE, _NO_ACK = int(Cause.NO_ROUTE), int(Cause.NO_ACK)
_UNICAST, _REQUEST = int(MessageKind.UNICAST), int(MessageKind.ROUTE_REQUEST)
_REPLY, _ERROR = int(MessageKind.ROUTE_REPLY), int(MessageKind.ROUTE_ERROR)


@part
def step_unicast(
    mesh: Mesh, n: int, k: int, now_us: int, rows: NDArray[np.void], used: int
) -> tuple[int, int]:
    """Do what comes before a unicast goes out: acknowledge, give up waiting, find the next hop.

    Returns
    -------
    the rows used, and the place of the frame that may go, -1 for none
    """
    urgent = mesh.ears[n]["urgent"]
    if urgent & OWES:
        acknowledge(mesh, n, now_us, rows[used])
        return used + 1, NOTHING
    if urgent & AWAITS:
        for i in range(mesh.mouths[n]["waiting"]):
            if mesh.waiting[n, i]["waits"] == FOR_ACK:
                return unanswered(mesh, n, i, now_us, rows, used), NOTHING
    if has_next(mesh, n, k, now_us):
        return used, k
    return seek(mesh, n, k, now_us, rows, used), NOTHING


@part
def has_next(mesh: Mesh, n: int, k: int, now_us: int) -> bool:
    """Choose the next hop of a unicast that is due; say whether there is one."""
    frame = mesh.waiting[n, k]
    first, end = mesh.first_route[n], mesh.first_route[n + 1]
    target = mesh.messages[frame["message"]]["target"]
    place = find_route(mesh.routes, first, end, target, now_us)
    if place == NO_ROUTE:
        return False
    route = mesh.routes[place]
    frame["peer"] = route["next"]
    route["expires_us"] = renewed_us(mesh.routing[0], route["made_us"], now_us)
    return True


@part
def seek(mesh: Mesh, n: int, k: int, now_us: int, rows: NDArray[np.void], used: int) -> int:
    """A unicast has no next hop: its source asks for a route, others give it up.

    Returns
    -------
    the rows used
    """
    frame, routing = mesh.waiting[n, k], mesh.routing[0]
    m = frame["message"]
    message = mesh.messages[m]
    is_own = message["source"] == n
    if message["kind"] == _UNICAST and is_own and _waits_along(mesh, n, k, now_us):
        return used
    if message["kind"] == _UNICAST and is_own and frame["asks"] < routing["tries"]:
        sought, asks = message["target"], frame["asks"]
        frame["waits"] = FOR_ROUTE
        frame["due_us"] = now_us + request_wait_us(routing, asks)
        frame["asks"] = asks + 1
        request = add_message(mesh, n, _REQUEST, routing["request_bytes"], now_us)
        ttl = request_hops(routing, asks, mesh.mouths[n]["is_host"] != 0)
        mesh.messages[request]["groups"] = _ROUTE_GROUPS
        mesh.messages[request]["ttl"] = ttl
        mesh.messages[request]["subject"] = sought
        due_us = now_us + own_wait_us(mesh, n, request, 0)
        return used + wait_or_drop(mesh, n, request, ttl, due_us, now_us, rows[used])
    take_out(mesh, n, k)
    drop(mesh, n, m, 0, now_us, _NO_ROUTE, rows[used])
    return tell_source(mesh, n, m, now_us, rows, used + 1)


@part
def _waits_along(mesh: Mesh, n: int, k: int, now_us: int) -> bool:
    """Let a unicast wait for a route that another is being asked for; say whether there is one."""
    frame = mesh.waiting[n, k]
    target = mesh.messages[frame["message"]]["target"]
    for i in range(mesh.mouths[n]["waiting"]):
        other = mesh.waiting[n, i]
        is_for = mesh.messages[other["message"]]["target"] == target
        if is_for and other["waits"] == FOR_ROUTE and other["due_us"] > now_us:
            frame["waits"] = FOR_ROUTE
            frame["due_us"] = other["due_us"]
            frame["asks"] = other["asks"]
            return True
    return False


@part
def send_on(
    mesh: Mesh, n: int, kind: int, target: int, subject: int, now_us: int,
    rows: NDArray[np.void], used: int,
) -> int:  # fmt: skip
    """A node tells another something about routes; return the rows used."""
    routing = mesh.routing[0]
    frame_bytes = routing["reply_bytes"] if kind == _REPLY else routing["error_bytes"]
    m = add_message(mesh, n, kind, frame_bytes, now_us)
    message = mesh.messages[m]
    message["groups"] = _ROUTE_GROUPS
    message["target"] = target
    message["subject"] = subject
    due_us = now_us + own_wait_us(mesh, n, m, 0)
    return used + wait_or_drop(mesh, n, m, 0, due_us, now_us, rows[used])


@part
def tell_source(
    mesh: Mesh, n: int, lost: int, now_us: int, rows: NDArray[np.void], used: int
) -> int:
    """Who could not forward a unicast tells its source, if it knows a way to it.

    Returns
    -------
    the rows used
    """
    message = mesh.messages[lost]
    source, target = message["source"], message["target"]
    if message["kind"] != _UNICAST or source == n:
        return used
    first, end = mesh.first_route[n], mesh.first_route[n + 1]
    if find_route(mesh.routes, first, end, source, now_us) == NO_ROUTE:
        return used
    return send_on(mesh, n, _ERROR, source, target, now_us, rows, used)


@part
def learn(mesh: Mesh, n: int, target: int, via: int, is_fresh: bool, now_us: int) -> None:
    """A node learns a way to another; frames that waited for one may go."""
    first, end = mesh.first_route[n], mesh.first_route[n + 1]
    if learn_route(mesh.routing[0], mesh.routes, first, end, target, via, is_fresh, now_us):
        for k in range(mesh.mouths[n]["waiting"]):
            frame = mesh.waiting[n, k]
            is_for = mesh.messages[frame["message"]]["target"] == target
            if frame["waits"] == FOR_ROUTE and is_for:
                frame["waits"] = FOR_TURN
                frame["due_us"] = now_us


@part
def end_unicast(
    mesh: Mesh, n: int, count: int, now_us: int, rows: NDArray[np.void], used: int
) -> int:
    """A frame that goes to one node has ended; return the rows used.

    Parameters
    ----------
    count
        How many have followed it, their links in ``mesh.followed``.
    """
    mouth, line = mesh.mouths[n], mesh.lines[n]
    for i in range(count):
        over = mesh.over[mesh.followed[i]]
        p = over["end"]
        if p != mouth["peer"]:
            line["overheard"] += 1
        elif over["hears"] == 0:
            mesh.mouths[p]["foreign"] += 1
        elif not mouth["is_ack"]:
            used = _arrive(mesh, n, p, over["quality"], now_us, rows, used)
        elif _acknowledged(mesh, p, mouth["message"], now_us):
            line["acks_heard"] += 1
        else:
            line["overheard"] += 1
    return used


@part
def _arrive(
    mesh: Mesh, sender: int, n: int, quality: int, now_us: int, rows: NDArray[np.void], used: int
) -> int:
    """A unicast has come over its hop: it is acknowledged, and goes on if it is new.

    Returns
    -------
    the rows used
    """
    mouth, line = mesh.mouths[sender], mesh.lines[n]
    m = mouth["message"]
    mesh.ears[n]["urgent"] |= OWES
    line["owes_us"] = now_us + mesh.mac[0]["turnaround_us"]
    line["owes_message"] = m
    line["owes_to"] = sender
    line["owes_attempt"] = mouth["resends"]
    if mesh.messages[m]["source"] == n or knows(mesh, n, m):
        mouth["duplicates"] += 1
    else:
        used = _take(mesh, sender, n, quality, now_us, rows, used)
    plan_node(mesh, n, now_us)
    return used


@part
def _take(
    mesh: Mesh, sender: int, n: int, quality: int, now_us: int, rows: NDArray[np.void], used: int
) -> int:
    """A node receives a unicast for the first time: for itself, or to send it on.

    Returns
    -------
    the rows used
    """
    mouth, hops = mesh.mouths[n], mesh.mouths[sender]["ttl"]
    m = mesh.mouths[sender]["message"]
    message = mesh.messages[m]
    is_mine = message["target"] == n
    note_known(mesh, n, m)
    mouth["heard"] += 1
    message["heard"] += 1
    row = rows[used]
    used += 1
    write(row, now_us, _HEARD, mouth["number"], m, 0)
    row["peer"] = mesh.mouths[sender]["number"]
    row["air_us"] = airtime_us(message["frame_bytes"])
    row["hops"] = hops
    row["quality"] = quality
    row["processed"] = 1 if is_mine else 0
    row["forwards"] = 0 if is_mine else 1
    learn(mesh, n, message["source"], sender, message["kind"] == _REPLY, now_us)
    if message["kind"] == _ERROR:
        first, end = mesh.first_route[n], mesh.first_route[n + 1]
        forget_route(mesh.routes, first, end, message["subject"], sender)
    if is_mine:
        return _deliver(mesh, n, m, now_us, rows, used)
    due_us = now_us + own_wait_us(mesh, n, m, 0)
    dropped = wait_or_drop(mesh, n, m, 0, due_us, now_us, rows[used])
    if dropped == 0:
        mesh.waiting[n, mouth["waiting"] - 1]["hops"] = hops + 1
    return used + dropped


@part
def _deliver(mesh: Mesh, n: int, m: int, now_us: int, rows: NDArray[np.void], used: int) -> int:
    """A unicast has come to its target; return the rows used."""
    message = mesh.messages[m]
    message["processed"] += 1
    message["last_us"] = now_us
    if message["awaited"] and message["asked"] != NOTHING:
        mesh.turn[0] = now_us
    if message["kind"] == _UNICAST:
        return answer(mesh, n, m, -1, now_us, rows, used)
    return used


@part
def _acknowledged(mesh: Mesh, n: int, m: int, now_us: int) -> bool:
    """Say whether a node that heard an acknowledgement waits for it; then its frame is done."""
    for k in range(mesh.mouths[n]["waiting"]):
        frame = mesh.waiting[n, k]
        if frame["waits"] == FOR_ACK and frame["message"] == m:
            take_out(mesh, n, k)
            mesh.ears[n]["urgent"] &= OWES
            plan_node(mesh, n, now_us)
            return True
    return False


@part
def unanswered(mesh: Mesh, n: int, k: int, now_us: int, rows: NDArray[np.void], used: int) -> int:
    """No acknowledgement came: the node tries again, or gives the hop up; return the rows used."""
    frame = mesh.waiting[n, k]
    m = frame["message"]
    mesh.ears[n]["urgent"] &= OWES
    frame["resends"] += 1
    if frame["resends"] < mesh.mac[0]["attempts"]:
        frame["waits"] = FOR_TURN
        frame["tries"] = 0
        frame["due_us"] = now_us + own_wait_us(mesh, n, m, frame["resends"])
        return used
    peer = frame["peer"]
    take_out(mesh, n, k)
    first, end = mesh.first_route[n], mesh.first_route[n + 1]
    forget_route(mesh.routes, first, end, mesh.messages[m]["target"], peer)
    drop(mesh, n, m, 0, now_us, _NO_ACK, rows[used])
    return tell_source(mesh, n, m, now_us, rows, used + 1)


@part
def acknowledge(mesh: Mesh, n: int, now_us: int, row: np.void) -> None:
    """A node acknowledges a unicast that it received."""
    mouth, line = mesh.mouths[n], mesh.lines[n]
    ack_bytes = mesh.mac[0]["ack_bytes"]
    air_us = airtime_us(ack_bytes)
    m, attempt, to = line["owes_message"], line["owes_attempt"], line["owes_to"]
    mesh.ears[n]["urgent"] &= AWAITS
    write(row, now_us, _ACKED, mouth["number"], m, 0)
    row["peer"] = mesh.mouths[to]["number"]
    row["air_us"] = air_us
    row["attempt"] = attempt
    line["acks"] += 1
    mouth["air_us"] += air_us
    mouth["message"] = m
    mouth["peer"] = to
    mouth["is_ack"] = 1
    mouth["ends_us"] = now_us + air_us
    state = fold(fold(mesh.messages[m]["state"], ACKNOWLEDGEMENT), attempt)
    go_on_air(mesh, n, ack_bytes, state, now_us)
