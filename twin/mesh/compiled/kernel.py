"""The inner loop of the mesh: order and bookkeeping; what is decided is decided in ``rules``."""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_part, part, prefetch, rule
from twin.draws import fold
from twin.events import NEVER, Answer, Cause, MeshKind, MessageKind
from twin.mesh.compiled.frames import (
    drop,
    first_waiting,
    go_on_air,
    plan_node,
    take_out,
    wait,
    write,
)
from twin.mesh.compiled.messages import answer, knows, note_known, place_in
from twin.mesh.compiled.state import (
    AWAITS,
    FOR_ACK,
    FOR_TURN,
    FOR_TURN_SENSED,
    NOTHING,
    OFF,
    Mesh,
)
from twin.mesh.compiled.unicast import end_unicast, learn, send_on, step_unicast
from twin.mesh.rules.mac import (
    airtime_us,
    busy_wait_us,
    forward_wait_us,
    goes_on,
    is_busy,
    is_meant,
    send_wait_us,
)
from twin.mesh.rules.routing import is_rejected
from twin.mesh.rules.streams import RECEPTION

_NEVER = int(NEVER)
_SENT, _HEARD = int(MeshKind.SENT), int(MeshKind.HEARD)
_REQUEST, _REPLY = int(MessageKind.ROUTE_REQUEST), int(MessageKind.ROUTE_REPLY)
_PING = int(Answer.PING)
_FULL, _BUSY = int(Cause.BUFFER_FULL), int(Cause.CHANNEL_BUSY)
_LARGE = 2048  # nodes: from here on what belongs to them is no longer in the nearest caches
ROWS_OF_A_LINK = 3
"""The most rows that a frame gives at a receiver: heard, not forwarded, not answered."""
ROWS_MORE = 3
"""The most that it gives at its sender: sent or given up, and nobody told."""


@rule
def run(mesh: Mesh, until_us: int, room: int, rows: NDArray[np.void], used: int) -> int:
    """Write the rows of all events before a moment.

    It stops early where there is no room for more, and where a host has to be asked.

    Parameters
    ----------
    room
        The most receivers that any sender has [1].

    Returns
    -------
    how many rows of the chunk are used
    """
    tree, bits = mesh.tree, mesh.bits
    mask = (1 << bits) - 1
    is_large = len(mesh.ears) > _LARGE
    while used + ROWS_OF_A_LINK * room + ROWS_MORE <= len(rows) and mesh.turn[0] == _NEVER:
        if mesh.used[0] + room + 2 > len(mesh.messages) or mesh.used[1] + room > len(mesh.to):
            break
        key = tree[1]
        moment = key >> bits
        if key == _NEVER or (moment >> 1) >= until_us:
            break
        n = mesh.places[key & mask]
        if moment & 1:
            used = _send(mesh, n, moment >> 1, rows, used)
        else:
            used = _end(mesh, n, moment >> 1, rows, used)
        leaf = plan_node(mesh, n, moment >> 1)
        if is_large and leaf < len(mesh.places):
            _fetch(mesh, mesh.places[leaf])
    mesh.turn[1] = tree[1] if tree[1] == _NEVER else tree[1] >> (bits + 1)
    return used


@inlined_part
def _fetch(mesh: Mesh, soon: int) -> None:
    """Bring what belongs to a node that will be next soon near."""
    prefetch(mesh.mouths, soon)
    prefetch(mesh.ears, soon)
    prefetch(mesh.waiting[soon], 0)
    first = mesh.first_link[soon]
    prefetch(mesh.below[0], first)
    prefetch(mesh.below[0], first + 9)
    prefetch(mesh.over, first)
    prefetch(mesh.over, first + 3)
    prefetch(mesh.over, first + 6)
    prefetch(mesh.over, first + 9)


@inlined_part
def _send(mesh: Mesh, n: int, now_us: int, rows: NDArray[np.void], used: int) -> int:
    """Something is due at a node: a frame goes out, waits, or is given up; return the rows used."""
    mouth, mac = mesh.mouths[n], mesh.mac[0]
    k = first_waiting(mesh, n)
    frame = mesh.waiting[n, k]
    if mesh.ears[n]["urgent"] or mesh.messages[frame["message"]]["target"] != NOTHING:
        used, k = step_unicast(mesh, n, k, now_us, rows, used)
        if k == NOTHING:
            return used
        frame = mesh.waiting[n, k]
    if mac["carrier_sense"] and frame["waits"] != FOR_TURN_SENSED:
        return _sense(mesh, n, k, now_us, rows, used)
    m = frame["message"]
    message = mesh.messages[m]
    air_us = airtime_us(message["frame_bytes"])
    row = rows[used]
    write(row, now_us, _SENT, mouth["number"], m, frame["ttl"])
    row["air_us"] = air_us
    row["attempt"] = frame["resends"]
    mouth["message"], mouth["resends"], mouth["is_ack"] = m, frame["resends"], 0
    mouth["ttl"], mouth["peer"] = frame["ttl"], frame["peer"]
    if message["target"] == NOTHING:
        take_out(mesh, n, k)
    else:  # it stays in the buffer until it is acknowledged
        row["peer"] = mesh.mouths[frame["peer"]]["number"]
        mouth["ttl"] = frame["hops"]
        frame["waits"] = FOR_ACK
        frame["due_us"] = now_us + air_us + mac["ack_wait_us"]
        mesh.ears[n]["urgent"] |= AWAITS
        mesh.lines[n]["awaits_us"] = frame["due_us"]
    mouth["sent"] += 1
    mouth["air_us"] += air_us
    message["sent"] += 1
    mouth["ends_us"] = now_us + air_us
    state = fold(fold(message["state"], RECEPTION), mouth["resends"])
    go_on_air(mesh, n, message["frame_bytes"], state, now_us)
    return used + 1


@part
def _sense(mesh: Mesh, n: int, k: int, now_us: int, rows: NDArray[np.void], used: int) -> int:
    """A node listens before it sends: it turns around, tries again later, or gives up.

    Returns
    -------
    the rows used
    """
    mouth, frame, mac = mesh.mouths[n], mesh.waiting[n, k], mesh.mac[0]
    if not is_busy(mac, mesh.ears[n]["power_fw"]):
        frame["waits"] = FOR_TURN_SENSED
        frame["due_us"] = now_us + mac["turnaround_us"]
        return used
    frame["waits"] = FOR_TURN
    frame["tries"] += 1
    if frame["tries"] <= mac["busy_tries"]:
        state = fold(mesh.messages[frame["message"]]["state"], mouth["state"])
        frame["due_us"] = now_us + busy_wait_us(mac, state, frame["tries"])
        return used
    drop(mesh, n, frame["message"], frame["ttl"], now_us, _BUSY, rows[used])
    take_out(mesh, n, k)
    return used + 1


@inlined_part
def _end(mesh: Mesh, n: int, now_us: int, rows: NDArray[np.void], used: int) -> int:
    """A transmission ends: who followed it has it; return the rows used."""
    mouth, mac = mesh.mouths[n], mesh.mac[0]
    m, ttl = mouth["message"], mouth["ttl"]
    mesh.ears[n]["deaf"] &= OFF
    followed, count, spoilt, known = mesh.followed, 0, 0, 0
    is_flooded = mouth["peer"] == NOTHING
    for link in range(mesh.first_link[n], mesh.first_link[n + 1]):
        over = mesh.over[np.uint32(link)]
        ear = mesh.ears[over["end"]]
        ear["power_fw"] -= over["power_fw"]
        mine, bad = ear["link"] == link, ear["spoilt"] != 0
        ear["link"] = NOTHING if mine else ear["link"]
        received, again = mine & (not bad), is_flooded & (ear["latest"] == m)
        spoilt += mine & bad
        known += received & again
        followed[count] = link
        count += received & (not again)
    mouth["lost_collision"] += spoilt
    mouth["duplicates"] += known
    if not is_flooded:
        return end_unicast(mesh, n, count, now_us, rows, used)
    for i in range(count):
        end = mesh.over[followed[i]]["end"]
        prefetch(mesh.mouths, end)
        prefetch(mesh.known[end], 0)
        prefetch(mesh.waiting[end], 0)
    for i in range(count):
        end = mesh.over[followed[i]]["end"]
        # A node knows its own messages by their source, however long ago it made them.
        if mesh.messages[m]["source"] == end or knows(mesh, end, m):
            mouth["duplicates"] += 1
        else:
            used = _hear(mesh, n, followed[i], m, ttl, now_us, rows, used)
    if mac["collision_detect"] and is_busy(mac, mesh.ears[n]["power_fw"]):
        used = _send_again(mesh, n, now_us, rows, used)
    return used


@part
def _send_again(mesh: Mesh, n: int, now_us: int, rows: NDArray[np.void], used: int) -> int:
    """A node that heard another as it ended repeats its multicast; return the rows used."""
    mouth, mac = mesh.mouths[n], mesh.mac[0]
    resends = mouth["resends"] + 1
    if resends > mac["resends"] or mesh.ears[n]["deaf"] & OFF:
        return used
    m, ttl = mouth["message"], mouth["ttl"]
    frame = fold(mesh.messages[m]["state"], mouth["state"])
    due_us = now_us + send_wait_us(mac, frame, resends)
    if not wait(mesh, n, m, ttl, due_us, resends):
        drop(mesh, n, m, ttl, now_us, _FULL, rows[used])
        used += 1
    return used


@inlined_part
def _hear(
    mesh: Mesh, sender: int, link: int, m: int, ttl: int, now_us: int,
    rows: NDArray[np.void], used: int,
) -> int:  # fmt: skip
    """A node receives a message for the first time; return the rows used."""
    over, mac = mesh.over[link], mesh.mac[0]
    n = over["end"]
    mouth, message = mesh.mouths[n], mesh.messages[m]
    is_request = message["kind"] == _REQUEST
    if over["hears"] == 0 or is_rejected(mesh.routing[0], is_request, over["quality"]):
        mouth["foreign"] += 1
        return used
    note_known(mesh, n, m)
    place = place_in(mesh.to, message["first_to"], message["end_to"], n)
    is_directed = message["end_to"] > message["first_to"]
    meant = is_meant(message["groups"], mouth["process_groups"], is_directed, place)
    forwards = goes_on(message["groups"], mouth["forward_groups"], ttl)
    if is_request:
        forwards = forwards and meant and message["subject"] != n
        meant = meant and message["subject"] == n
    mouth["heard"] += 1
    message["heard"] += 1
    row = rows[used]
    used += 1
    write(row, now_us, _HEARD, mouth["number"], m, ttl)
    row["peer"] = mesh.mouths[sender]["number"]
    row["air_us"] = airtime_us(message["frame_bytes"])
    row["hops"] = message["ttl"] - ttl + 1
    row["quality"] = over["quality"]
    row["processed"] = 1 if meant else 0
    row["forwards"] = 1 if forwards else 0
    if meant:
        message["processed"] += 1
        message["last_us"] = now_us
    if is_request:
        learn(mesh, n, message["source"], sender, True, now_us)
    if forwards:
        due_us = now_us + forward_wait_us(mac, fold(message["state"], mouth["state"]))
        if not wait(mesh, n, m, ttl - 1, due_us, 0):
            drop(mesh, n, m, ttl - 1, now_us, _FULL, rows[used])
            used += 1
    if meant and is_request:
        used = send_on(mesh, n, _REPLY, message["source"], n, now_us, rows, used)
    elif meant and (message["reply_bytes"] > 0 or message["answer"] == _PING):
        used = answer(mesh, n, m, place, now_us, rows, used)
    plan_node(mesh, n, now_us)
    return used
