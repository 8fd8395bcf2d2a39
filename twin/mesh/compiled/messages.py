"""Messages come into the mesh: from outside, and as answers."""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_part, rule
from twin.draws import fold
from twin.mesh.compiled.state import NOTHING, Mesh
from twin.mesh.rules.mac import multicast_bytes
from twin.mesh.rules.radio import disturbed_reception, hourly_reception, threshold


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
def _new_message(mesh: Mesh, n: int, made_us: int) -> int:
    """Add a message of a node, everything else still empty; return its place."""
    m = mesh.used[0]
    mesh.used[0] = m + 1
    mouth, message = mesh.mouths[n], mesh.messages[m]
    message["state"] = fold(mouth["state"], mouth["messages"])
    message["made_us"] = made_us
    message["last_us"] = made_us
    message["source"] = n
    message["number"] = mouth["messages"]
    message["asked"] = NOTHING
    message["sent"] = message["heard"] = message["processed"] = message["dropped"] = 0
    mouth["messages"] += 1
    note_known(mesh, n, m)
    return m


@inlined_part
def add_reply(mesh: Mesh, asked: int, n: int, made_us: int) -> int:
    """Add the answer of a node to a message: directed to its source; return its place."""
    m = _new_message(mesh, n, made_us)
    question, message = mesh.messages[asked], mesh.messages[m]
    to = mesh.used[1]
    mesh.used[1] = to + 1
    mesh.to[to] = question["source"]
    message["asked"] = asked
    message["groups"] = question["groups"]
    message["ttl"] = question["ttl"]
    message["frame_bytes"] = multicast_bytes(
        question["reply_bytes"], 1, mesh.mac[0]["overhead_bytes"]
    )
    message["reply_bytes"] = 0
    message["reply_window_us"] = 0
    message["delay_factor"] = 0
    message["first_to"] = to
    message["end_to"] = to + 1
    return m


@inlined_part
def add_message(mesh: Mesh, wish: np.void, now_us: int) -> int:
    """Add the message that a wish asks for; its addressees are the next of the list."""
    m = _new_message(mesh, mesh.places[wish["source"]], now_us)
    message = mesh.messages[m]
    message["groups"] = wish["groups"]
    message["ttl"] = wish["ttl"]
    message["frame_bytes"] = multicast_bytes(
        wish["payload_bytes"], wish["end_to"] - wish["first_to"], mesh.mac[0]["overhead_bytes"]
    )
    message["reply_bytes"] = wish["reply_bytes"]
    message["reply_window_us"] = wish["reply_window_us"]
    message["delay_factor"] = wish["delay_factor"]
    message["first_to"] = mesh.used[1]
    mesh.used[1] += wish["end_to"] - wish["first_to"]
    message["end_to"] = mesh.used[1]
    return m


@rule
def fill_below(
    mesh: Mesh, frame_bytes: int, hour: int, shares: NDArray[np.float64], below: NDArray[np.int32]
) -> None:
    """Fill below which number frames of a length get through on each link in an hour.

    ``shares`` are those that others in the band take at each receiver [1].
    """
    radio, reference_bytes = mesh.radio[0], mesh.mac[0]["reference_bytes"]
    for link in range(len(below)):
        chance = hourly_reception(radio, mesh.links[link], hour)
        share = shares[mesh.links[link]["end"]]
        chance = disturbed_reception(chance, mesh.links[link]["level_dbm"], share)
        below[link] = threshold(chance, frame_bytes, reference_bytes)
