"""The inner loop of the mesh: order and bookkeeping; what is decided is decided in ``rules``."""

import numpy as np
from numpy.typing import NDArray

from twin.arrays import put
from twin.compiling import inlined_part, part, prefetch, rule
from twin.draws import fold
from twin.events import NEVER, Cause, MeshKind
from twin.mesh.compiled.messages import add_reply, note_known, place_in
from twin.mesh.compiled.state import NOTHING, Mesh
from twin.mesh.rules.mac import (
    airtime_us,
    busy_wait_us,
    forward_wait_us,
    goes_on,
    is_busy,
    is_meant,
    reply_wait_us,
    send_wait_us,
)
from twin.mesh.rules.radio import gets_through, is_clear
from twin.mesh.rules.streams import RECEPTION

_NEVER = int(NEVER)
_SENT, _HEARD, _DROPPED = int(MeshKind.SENT), int(MeshKind.HEARD), int(MeshKind.DROPPED)
_FULL, _BUSY = int(Cause.BUFFER_FULL), int(Cause.CHANNEL_BUSY)
_NO_CAUSE = int(Cause.NONE)
_LOW_BITS = 0x7FFFFFFF
_LARGE = 2048  # nodes: from here on receivers are no longer in the nearest cache
ROWS_OF_A_LINK = 3
"""The most rows that a frame gives at a receiver: heard, not forwarded, not answered."""


@rule
def run(mesh: Mesh, until_us: int, room: int, rows: NDArray[np.void], used: int) -> int:
    """Write the rows of all events before a moment; stop early when there is no room for more.

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
    soon = 0
    while used + ROWS_OF_A_LINK * room + 2 <= len(rows):
        if mesh.used[0] + room > len(mesh.messages) or mesh.used[1] + room > len(mesh.to):
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
            _fetch_receivers(mesh, soon)
            soon = mesh.places[leaf]
            _fetch(mesh, soon)
    return used


@inlined_part
def _fetch_receivers(mesh: Mesh, n: int) -> None:
    """Bring the receivers of a node near, all at once instead of one after the other."""
    for link in range(mesh.first_link[n], mesh.first_link[n + 1]):
        prefetch(mesh.ears, mesh.over[link]["end"])


@inlined_part
def plan_node(mesh: Mesh, n: int, now_us: int) -> int:
    """Note what comes next at a node: the end of its frame, or the begin of the next.

    Returns
    -------
    the leaf of a node that will be next soon; any number where nothing is pending
    """
    mouth, waiting = mesh.mouths[n], mesh.waiting[n]
    due_us = _NEVER
    for k in range(mouth["waiting"]):
        due_us = min(due_us, waiting[k]["due_us"])
    moment = _NEVER if due_us == _NEVER else 2 * max(due_us, now_us) + 1
    if mesh.ears[n]["sending"]:
        moment = 2 * mouth["ends_us"]
    return put(mesh.tree, mesh.bits, mouth["number"], moment)


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


@inlined_part
def _send(mesh: Mesh, n: int, now_us: int, rows: NDArray[np.void], used: int) -> int:
    """A frame is due at a node: it goes out, waits, or is given up; return the rows used."""
    mouth, waiting, mac = mesh.mouths[n], mesh.waiting[n], mesh.mac[0]
    k = 0
    for i in range(1, mouth["waiting"]):
        if waiting[i]["due_us"] < waiting[k]["due_us"]:
            k = i
    if mac["carrier_sense"] and not waiting[k]["sensed"]:
        return _sense(mesh, n, k, now_us, rows, used)
    m = waiting[k]["message"]
    mouth["message"], mouth["ttl"] = m, waiting[k]["ttl"]
    mouth["resends"] = waiting[k]["resends"]
    _take_out(mesh, n, k)
    message = mesh.messages[m]
    air_us = airtime_us(message["frame_bytes"])
    _write(rows[used], now_us, _SENT, mouth["number"], m, mouth["ttl"])
    rows[used]["air_us"] = air_us
    rows[used]["attempt"] = mouth["resends"]
    mouth["sent"] += 1
    mouth["air_us"] += air_us
    message["sent"] += 1
    mouth["ends_us"] = now_us + air_us
    _go_on_air(mesh, n, now_us)
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
        frame["sensed"] = 1
        frame["due_us"] = now_us + mac["turnaround_us"]
        return used
    frame["tries"] += 1
    if frame["tries"] <= mac["busy_tries"]:
        state = fold(mesh.messages[frame["message"]]["state"], mouth["state"])
        frame["due_us"] = now_us + busy_wait_us(mac, state, frame["tries"])
        return used
    drop(mesh, n, frame["message"], frame["ttl"], now_us, _BUSY, rows[used])
    _take_out(mesh, n, k)
    return used + 1


@inlined_part
def _go_on_air(mesh: Mesh, n: int, now_us: int) -> None:
    """Let every receiver in reach notice that a frame begins.

    What happens at each is as good as random: it is computed without branches, each of which the
    processor would mispredict every other time.
    """
    mouth, me = mesh.mouths[n], mesh.ears[n]
    message = mesh.messages[mouth["message"]]
    me["sending"] = 1
    deaf, faint, crossed = 0, 0, 0
    if me["link"] != NOTHING:
        me["link"] = NOTHING
        deaf = 1
    ratio, window_us = mesh.mac[0]["capture_ratio"], mesh.mac[0]["capture_window_us"]
    frame = fold(fold(message["state"], RECEPTION), mouth["resends"])
    length = mesh.length_of[message["frame_bytes"]]
    since = now_us & _LOW_BITS
    for link in range(mesh.first_link[n], mesh.first_link[n + 1]):
        over = mesh.over[link]
        ear = mesh.ears[over["end"]]
        signal_fw, others_fw, kept_fw = over["power_fw"], ear["power_fw"], ear["signal_fw"]
        ear["power_fw"] = others_fw + signal_fw
        noticed = gets_through(fold(frame, over["state"]), mesh.below[length, link])
        listens = ear["sending"] == 0
        is_free = ear["link"] == NOTHING
        early = is_free | ((since - ear["since"]) & _LOW_BITS <= window_us)
        reaches = listens & noticed
        takes = reaches & early & is_clear(signal_fw, others_fw, ratio)
        disturbed = not is_clear(kept_fw, others_fw + signal_fw - kept_fw, ratio)
        deaf += not listens
        faint += listens & (not noticed)
        # Where another frame is followed, one of the two is lost.
        crossed += reaches & ((not is_free) | (not takes))
        ear["spoilt"] = (not takes) & ((ear["spoilt"] != 0) | disturbed)
        ear["link"] = link if takes else ear["link"]
        ear["signal_fw"] = signal_fw if takes else kept_fw
        ear["since"] = since if takes else ear["since"]
    mouth["lost_sending"] += deaf
    mouth["lost_link"] += faint
    mouth["lost_collision"] += crossed


@inlined_part
def _end(mesh: Mesh, n: int, now_us: int, rows: NDArray[np.void], used: int) -> int:
    """A transmission ends: who followed it has it; return the rows used."""
    mouth, mac = mesh.mouths[n], mesh.mac[0]
    m, ttl = mouth["message"], mouth["ttl"]
    mesh.ears[n]["sending"] = 0
    followed, count, spoilt, known = mesh.followed, 0, 0, 0
    for link in range(mesh.first_link[n], mesh.first_link[n + 1]):
        over = mesh.over[link]
        ear = mesh.ears[over["end"]]
        ear["power_fw"] -= over["power_fw"]
        mine, bad = ear["link"] == link, ear["spoilt"] != 0
        ear["link"] = NOTHING if mine else ear["link"]
        received, again = mine & (not bad), ear["latest"] == m
        spoilt += mine & bad
        known += received & again
        followed[count] = link
        count += received & (not again)
    mouth["lost_collision"] += spoilt
    mouth["duplicates"] += known
    for i in range(count):
        end = mesh.over[followed[i]]["end"]
        prefetch(mesh.mouths, end)
        prefetch(mesh.known[end], 0)
        prefetch(mesh.waiting[end], 0)
    for i in range(count):
        end = mesh.over[followed[i]]["end"]
        # A node knows its own messages by their source, however long ago it made them.
        if mesh.messages[m]["source"] == end or _knows(mesh, end, m):
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
    if resends > mac["resends"]:
        return used
    m, ttl = mouth["message"], mouth["ttl"]
    frame = fold(mesh.messages[m]["state"], mouth["state"])
    due_us = now_us + send_wait_us(mac, frame, resends)
    if not wait(mesh, n, m, ttl, due_us, resends):
        drop(mesh, n, m, ttl, now_us, _FULL, rows[used])
        used += 1
    return used


@inlined_part
def _knows(mesh: Mesh, n: int, m: int) -> bool:
    """Say whether a node remembers a message."""
    found = False
    for k in range(mesh.known.shape[1]):  # to the end: a loop of known length is one of vectors
        found |= mesh.known[n, k] == m
    return found


@inlined_part
def _hear(
    mesh: Mesh, sender: int, link: int, m: int, ttl: int, now_us: int,
    rows: NDArray[np.void], used: int,
) -> int:  # fmt: skip
    """A node receives a message for the first time; return the rows used."""
    over, mac = mesh.over[link], mesh.mac[0]
    n = over["end"]
    mouth, message = mesh.mouths[n], mesh.messages[m]
    if over["hears"] == 0:
        mouth["foreign"] += 1
        return used
    note_known(mesh, n, m)
    place = place_in(mesh.to, message["first_to"], message["end_to"], n)
    is_directed = message["end_to"] > message["first_to"]
    meant = is_meant(message["groups"], mouth["process_groups"], is_directed, place)
    forwards = goes_on(message["groups"], mouth["forward_groups"], ttl)
    mouth["heard"] += 1
    message["heard"] += 1
    row = rows[used]
    used += 1
    _write(row, now_us, _HEARD, mouth["number"], m, ttl)
    row["peer"] = mesh.mouths[sender]["number"]
    row["air_us"] = airtime_us(message["frame_bytes"])
    row["hops"] = message["ttl"] - ttl + 1
    row["quality"] = over["quality"]
    row["processed"] = 1 if meant else 0
    row["forwards"] = 1 if forwards else 0
    frame = fold(message["state"], mouth["state"])
    if meant:
        message["processed"] += 1
        message["last_us"] = now_us
    if forwards:
        due_us = now_us + forward_wait_us(mac, frame)
        if not wait(mesh, n, m, ttl - 1, due_us, 0):
            drop(mesh, n, m, ttl - 1, now_us, _FULL, rows[used])
            used += 1
    if meant and message["reply_bytes"] > 0:
        used = _answer(mesh, n, m, place, now_us, rows, used)
    plan_node(mesh, n, now_us)
    return used


@part
def _answer(
    mesh: Mesh, n: int, asked: int, place: int, now_us: int, rows: NDArray[np.void], used: int
) -> int:
    """A node answers what it processed; return the rows used."""
    mouth, message, mac = mesh.mouths[n], mesh.messages[asked], mesh.mac[0]
    frame, ttl = fold(message["state"], mouth["state"]), message["ttl"]
    wait_us = reply_wait_us(mac, frame, place, message["delay_factor"], message["reply_window_us"])
    reply = add_reply(mesh, asked, n, now_us + wait_us)
    own = fold(mesh.messages[reply]["state"], mouth["state"])
    due_us = now_us + wait_us + send_wait_us(mac, own, 0)
    if wait(mesh, n, reply, ttl, due_us, 0):
        return used
    drop(mesh, n, reply, ttl, now_us, _FULL, rows[used])
    return used + 1


@inlined_part
def wait(mesh: Mesh, n: int, m: int, ttl: int, due_us: int, resends: int) -> bool:
    """Let a frame wait at a node; say whether there is room for it."""
    mouth = mesh.mouths[n]
    if mouth["waiting"] == mesh.waiting.shape[1]:
        return False
    frame = mesh.waiting[n, mouth["waiting"]]
    frame["due_us"] = due_us
    frame["message"] = m
    frame["ttl"] = ttl
    frame["tries"] = 0
    frame["resends"] = resends
    frame["sensed"] = 0
    mouth["waiting"] += 1
    return True


@inlined_part
def _take_out(mesh: Mesh, n: int, k: int) -> None:
    """Take a frame out of a node's buffer; the others keep their order."""
    mouth, waiting = mesh.mouths[n], mesh.waiting[n]
    mouth["waiting"] -= 1
    for i in range(k, mouth["waiting"]):
        for_next, behind = waiting[i], waiting[i + 1]
        for_next["due_us"] = behind["due_us"]
        for_next["message"] = behind["message"]
        for_next["ttl"] = behind["ttl"]
        for_next["tries"] = behind["tries"]
        for_next["resends"] = behind["resends"]
        for_next["sensed"] = behind["sensed"]


@part
def drop(mesh: Mesh, n: int, m: int, ttl: int, now_us: int, cause: int, row: np.void) -> None:
    """Write the row of a frame that a node does not send."""
    mouth = mesh.mouths[n]
    mouth["dropped"] += 1
    mesh.messages[m]["dropped"] += 1
    _write(row, now_us, _DROPPED, mouth["number"], m, ttl)
    row["cause"] = cause


@inlined_part
def _write(row: np.void, now_us: int, kind: int, n: int, m: int, ttl: int) -> None:
    """Fill what all rows have, and empty the rest."""
    row["time_us"] = now_us
    row["message"] = m
    row["node"] = n
    row["peer"] = NOTHING
    row["air_us"] = 0
    row["ttl"] = ttl
    row["hops"] = 0
    row["quality"] = 0
    row["kind"] = kind
    row["cause"] = _NO_CAUSE
    row["attempt"] = 0
    row["processed"] = 0
    row["forwards"] = 0
