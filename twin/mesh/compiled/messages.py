"""Messages come into the mesh: from outside, as answers, and to find routes."""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_part, part, rule
from twin.draws import fold
from twin.events import Answer, MessageKind
from twin.mesh.compiled.frames import own_wait_us, wait_or_drop
from twin.mesh.compiled.state import NOTHING, Mesh
from twin.mesh.rules.mac import answer_window_us, multicast_bytes, reply_wait_us
from twin.mesh.rules.radio import disturbed_reception, exponent, hourly_reception, threshold

_MULTICAST, _UNICAST = int(MessageKind.MULTICAST), int(MessageKind.UNICAST)
_IN_KIND, _PING, _REPORT = int(Answer.IN_KIND), int(Answer.PING), int(Answer.REPORT)


@inlined_part
def place_in(to: NDArray[np.int32], first: int, end: int, n: int) -> int:
    """Return a node's place in a list of addressees, -1 where it is not in it."""
    for k in range(first, end):
        if to[k] == n:
            return k - first
    return -1


@inlined_part
def note_known(mesh: Mesh, n: int, m: int) -> None:
    """Let a node remember a message instead of the oldest that it knows."""
    mouth = mesh.mouths[n]
    mesh.known[n, mouth["next_known"]] = m
    mesh.ears[n]["latest"] = m
    mouth["next_known"] += 1
    if mouth["next_known"] == mesh.known.shape[1]:
        mouth["next_known"] = 0


@inlined_part
def knows(mesh: Mesh, n: int, m: int) -> bool:
    """Say whether a node remembers a message."""
    found = False
    for k in range(mesh.known.shape[1]):  # to the end: a loop of known length is one of vectors
        found |= mesh.known[n, k] == m
    return found


@part
def add_message(mesh: Mesh, n: int, kind: int, frame_bytes: int, made_us: int) -> int:
    """Add a message of a node, everything else still empty; return its place."""
    m = mesh.used[0]
    mesh.used[0] = m + 1
    mouth, message = mesh.mouths[n], mesh.messages[m]
    message["state"] = fold(mouth["state"], mouth["messages"])
    message["made_us"] = made_us
    message["last_us"] = made_us
    message["source"] = n
    message["number"] = mouth["messages"]
    message["kind"] = kind
    message["frame_bytes"] = frame_bytes
    message["asked"] = message["target"] = message["subject"] = message["report_to"] = NOTHING
    message["groups"] = message["ttl"] = 0
    message["reply_bytes"] = message["reply_window_us"] = message["delay_factor"] = 0
    message["first_to"] = message["end_to"] = mesh.used[1]
    message["answer"] = message["awaited"] = message["unless"] = 0
    message["sent"] = message["heard"] = message["processed"] = message["dropped"] = 0
    mouth["messages"] += 1
    note_known(mesh, n, m)
    return m


@part
def _add_ping(mesh: Mesh, asked: int, n: int, made_us: int) -> int:
    """Add a multicast of one hop, which who hears it reports to the question's source."""
    frame_bytes = mesh.messages[asked]["frame_bytes"]
    m = add_message(mesh, n, _MULTICAST, frame_bytes, made_us)
    question, message = mesh.messages[asked], mesh.messages[m]
    message["asked"] = asked
    message["groups"] = question["groups"]
    message["ttl"] = 1
    message["reply_bytes"] = question["reply_bytes"]
    message["reply_window_us"] = question["reply_window_us"]
    message["delay_factor"] = question["delay_factor"]
    message["answer"] = _REPORT
    message["report_to"] = question["source"]
    return m


@part
def _add_directed(mesh: Mesh, asked: int, n: int, made_us: int) -> int:
    """Add an answer: a multicast directed to who asked, or a unicast."""
    question, mac = mesh.messages[asked], mesh.mac[0]
    in_kind = question["answer"] == _IN_KIND
    is_unicast = not in_kind or question["kind"] == _UNICAST
    to = question["source"] if in_kind else question["report_to"]
    if is_unicast:
        frame_bytes = question["reply_bytes"] + mac["unicast_overhead_bytes"]
        m = add_message(mesh, n, _UNICAST, frame_bytes, made_us)
        mesh.messages[m]["target"] = to
    else:
        frame_bytes = multicast_bytes(question["reply_bytes"], 1, mac["overhead_bytes"])
        m = add_message(mesh, n, _MULTICAST, frame_bytes, made_us)
        mesh.to[mesh.used[1]] = to
        mesh.used[1] += 1
        mesh.messages[m]["end_to"] = mesh.used[1]
        mesh.messages[m]["ttl"] = question["ttl"]
    message = mesh.messages[m]
    message["asked"] = asked
    message["groups"] = question["groups"]
    message["awaited"] = question["awaited"]
    return m


@part
def answer(
    mesh: Mesh, n: int, asked: int, place: int, now_us: int, rows: NDArray[np.void], used: int
) -> int:
    """A node answers what it processed, if it is to; return the rows used."""
    mouth, question, mac = mesh.mouths[n], mesh.messages[asked], mesh.mac[0]
    if question["reply_bytes"] == 0 and question["answer"] != _PING:
        return used
    if question["unless"] & mouth["marks"]:
        return used
    frame = fold(question["state"], mouth["state"])
    window_us = answer_window_us(question["kind"], question["answer"], question["reply_window_us"])
    made_us = now_us + reply_wait_us(mac, frame, place, question["delay_factor"], window_us)
    if question["answer"] == _PING:
        m = _add_ping(mesh, asked, n, made_us)
    else:
        m = _add_directed(mesh, asked, n, made_us)
    due_us = made_us + own_wait_us(mesh, n, m, 0)
    return used + wait_or_drop(mesh, n, m, mesh.messages[m]["ttl"], due_us, now_us, rows[used])


@part
def add_wish(mesh: Mesh, wish: np.void, now_us: int) -> int:
    """Add the message that a wish asks for; its addressees are the next of the list."""
    n, mac = mesh.places[wish["source"]], mesh.mac[0]
    addressees = wish["end_to"] - wish["first_to"]
    if wish["target"] >= 0:
        frame_bytes = wish["payload_bytes"] + mac["unicast_overhead_bytes"]
        m = add_message(mesh, n, _UNICAST, frame_bytes, now_us)
        mesh.messages[m]["target"] = mesh.places[wish["target"]]
    else:
        frame_bytes = multicast_bytes(wish["payload_bytes"], addressees, mac["overhead_bytes"])
        m = add_message(mesh, n, _MULTICAST, frame_bytes, now_us)
        mesh.messages[m]["ttl"] = wish["ttl"]
    message = mesh.messages[m]
    message["groups"] = wish["groups"]
    message["reply_bytes"] = wish["reply_bytes"]
    message["reply_window_us"] = wish["reply_window_us"]
    message["delay_factor"] = wish["delay_factor"]
    message["answer"] = wish["answer"]
    message["awaited"] = wish["awaited"]
    message["unless"] = wish["unless"]
    message["report_to"] = n
    mesh.used[1] += addressees
    message["end_to"] = mesh.used[1]
    return m


@rule
def fill_exponents(
    mesh: Mesh, hour: int, shares: NDArray[np.float64], exponents: NDArray[np.float64]
) -> None:
    """Fill the logarithm of how often frames get through on each link in an hour [1].

    ``shares`` are those that others in the band take at each receiver [1].
    """
    radio = mesh.radio[0]
    for link in range(len(exponents)):
        chance = hourly_reception(radio, mesh.links[link], hour)
        share = shares[mesh.links[link]["end"]]
        chance = disturbed_reception(chance, mesh.links[link]["level_dbm"], share)
        exponents[link] = exponent(chance)


@rule
def fill_below(
    mesh: Mesh, frame_bytes: int, exponents: NDArray[np.float64], below: NDArray[np.int32]
) -> None:
    """Fill below which number frames of a length get through on each link."""
    reference_bytes = mesh.mac[0]["reference_bytes"]
    for link in range(len(below)):
        below[link] = threshold(exponents[link], frame_bytes, reference_bytes)
