"""What every frame of the compiled mesh needs: a place in a buffer, its moment, its receivers."""

import numpy as np

from twin.arrays import put
from twin.compiling import inlined_part, part
from twin.draws import fold
from twin.events import NEVER, Cause, MeshKind, MessageKind
from twin.mesh.compiled.state import FOR_TURN, NOTHING, OWES, SENDS, Mesh
from twin.mesh.rules.mac import send_wait_us
from twin.mesh.rules.radio import gets_through, is_clear

_NEVER = int(NEVER)
_DROPPED, _UNICAST = int(MeshKind.DROPPED), int(MessageKind.UNICAST)
_NO_CAUSE, _FULL = int(Cause.NONE), int(Cause.BUFFER_FULL)
_LOW_BITS = 0x7FFFFFFF


@inlined_part
def plan_node(mesh: Mesh, n: int, now_us: int) -> int:
    """Note what comes next at a node: the end of its frame, or the begin of the next.

    An acknowledgement that it owes goes before all; while it waits for one nothing goes.

    Returns
    -------
    the leaf of a node that will be next soon; any number where nothing is pending
    """
    mouth, waiting, ear = mesh.mouths[n], mesh.waiting[n], mesh.ears[n]
    due_us = _NEVER
    for k in range(mouth["waiting"]):
        due_us = min(due_us, waiting[k]["due_us"])
    if ear["urgent"]:
        line = mesh.lines[n]
        due_us = line["owes_us"] if ear["urgent"] & OWES else line["awaits_us"]
    moment = _NEVER if due_us == _NEVER else 2 * max(due_us, now_us) + 1
    if ear["deaf"] & SENDS:
        moment = 2 * mouth["ends_us"]
    return put(mesh.tree, mesh.bits, mouth["number"], moment)


@inlined_part
def first_waiting(mesh: Mesh, n: int) -> int:
    """Return the place of the frame that is due first at a node, the earlier come of two.

    While one waits for an acknowledgement that is the first, whatever else is due.
    """
    mouth, waiting = mesh.mouths[n], mesh.waiting[n]
    first = 0
    for k in range(1, mouth["waiting"]):
        if waiting[k]["due_us"] < waiting[first]["due_us"]:
            first = k
    return first


@inlined_part
def wait(mesh: Mesh, n: int, m: int, ttl: int, due_us: int, resends: int) -> bool:
    """Let a frame wait at a node; say whether there is room for it."""
    mouth = mesh.mouths[n]
    if mouth["waiting"] == mesh.waiting.shape[1]:
        return False
    frame = mesh.waiting[n, mouth["waiting"]]
    frame["due_us"] = due_us
    frame["message"] = m
    frame["peer"] = NOTHING
    frame["ttl"] = ttl
    frame["hops"] = 1
    frame["tries"] = 0
    frame["resends"] = resends
    frame["asks"] = 0
    frame["waits"] = FOR_TURN
    mouth["waiting"] += 1
    return True


@part
def wait_or_drop(
    mesh: Mesh, n: int, m: int, ttl: int, due_us: int, now_us: int, row: np.void
) -> int:
    """Let a frame wait at a node, or drop it where the buffer is full.

    Returns
    -------
    how many rows were written: 1 where it was dropped
    """
    if wait(mesh, n, m, ttl, due_us, 0):
        return 0
    drop(mesh, n, m, ttl, now_us, _FULL, row)
    return 1


@inlined_part
def take_out(mesh: Mesh, n: int, k: int) -> None:
    """Take a frame out of a node's buffer; the others keep their order."""
    mouth, waiting = mesh.mouths[n], mesh.waiting[n]
    mouth["waiting"] -= 1
    for i in range(k, mouth["waiting"]):
        for_next, behind = waiting[i], waiting[i + 1]
        for_next["due_us"] = behind["due_us"]
        for_next["message"] = behind["message"]
        for_next["peer"] = behind["peer"]
        for_next["ttl"] = behind["ttl"]
        for_next["hops"] = behind["hops"]
        for_next["tries"] = behind["tries"]
        for_next["resends"] = behind["resends"]
        for_next["asks"] = behind["asks"]
        for_next["waits"] = behind["waits"]


@inlined_part
def own_wait_us(mesh: Mesh, n: int, m: int, tries: int) -> int:
    """Return how long a node waits before it sends a message that it does not flood on [us]."""
    state = fold(mesh.messages[m]["state"], mesh.mouths[n]["state"])
    return send_wait_us(mesh.mac[0], state, tries)


@inlined_part
def go_on_air(mesh: Mesh, n: int, frame_bytes: int, state: int, now_us: int) -> None:
    """Let every receiver in reach notice that a frame begins.

    What happens at each is as good as random: it is computed without branches, each of which the
    processor would mispredict every other time.

    Parameters
    ----------
    state
        Address state of the transmission; whether it gets through a link is drawn from it.
    """
    mouth, me = mesh.mouths[n], mesh.ears[n]
    me["deaf"] |= SENDS
    deaf, faint, crossed = 0, 0, 0
    if me["link"] != NOTHING:
        me["link"] = NOTHING
        deaf = 1
    ratio, window_us = mesh.mac[0]["capture_ratio"], mesh.mac[0]["capture_window_us"]
    length = mesh.length_of[frame_bytes]
    since = now_us & _LOW_BITS
    for link in range(mesh.first_link[n], mesh.first_link[n + 1]):
        at = np.uint32(link)  # an index with a sign is looked at twice
        over = mesh.over[at]
        ear = mesh.ears[over["end"]]
        signal_fw, others_fw, kept_fw = over["power_fw"], ear["power_fw"], ear["signal_fw"]
        ear["power_fw"] = others_fw + signal_fw
        noticed = gets_through(fold(state, over["state"]), mesh.below[length, at])
        listens = ear["deaf"] == 0
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
        one = int(takes)  # reckoned, not chosen: a choice would become a branch
        ear["signal_fw"] = signal_fw * float(one) + kept_fw * float(1 - one)
        ear["link"] += (link - ear["link"]) * one
        ear["since"] += (since - ear["since"]) * one
    mouth["lost_sending"] += deaf
    mouth["lost_link"] += faint
    mouth["lost_collision"] += crossed


@part
def drop(mesh: Mesh, n: int, m: int, ttl: int, now_us: int, cause: int, row: np.void) -> None:
    """Write the row of a frame that a node does not send; tell the host that waits for it."""
    mouth, message = mesh.mouths[n], mesh.messages[m]
    mouth["dropped"] += 1
    message["dropped"] += 1
    write(row, now_us, _DROPPED, mouth["number"], m, ttl)
    row["cause"] = cause
    is_own = message["source"] == n and message["asked"] == NOTHING
    if message["awaited"] and message["kind"] == _UNICAST and is_own:
        mesh.turn[0] = now_us


@inlined_part
def write(row: np.void, now_us: int, kind: int, number: int, m: int, ttl: int) -> None:
    """Fill what all rows have, and empty the rest."""
    row["time_us"] = now_us
    row["message"] = m
    row["node"] = number
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
