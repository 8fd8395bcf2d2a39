"""What the compiled mesh knows, as arrays: together with the plan it *is* the mesh's state.

What every frame touches at every receiver is as small as can be (``EAR``); what only new messages
touch lies elsewhere.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.arrays import empty_tree, leaf_bits, placed, zeros
from twin.draws import fold, root
from twin.events import NEVER
from twin.mesh.compiled.order import order_links, order_nodes
from twin.mesh.plan import MESSAGE, ROUTE, MeshPlan

NOTHING = -1
"""Instead of a link: the receiver is free. Instead of a message: none."""

EAR = np.dtype(
    [
        ("power_fw", "f8"),  # of all frames that arrive now
        ("signal_fw", "f8"),  # of the one that is being received
        ("since", "i4"),  # when that began, the low bits of the moment
        ("link", "i4"),  # over which it comes
        ("latest", "i4"),  # the message that was heard last
        ("deaf", "u1"),  # SENDS and OFF
        ("spoilt", "u1"),
        ("urgent", "u1"),  # OWES and AWAITS
        ("unused", "u1"),
    ]
)
"""A node as receiver: two in a cache line, for this is what every frame touches at each."""

SENDS, OFF = 1, 2
"""Why a node hears nothing."""
OWES, AWAITS = 1, 2
"""What comes before all else that waits at a node: an acknowledgement that it owes, or awaits."""

MOUTH = np.dtype(
    [
        ("state", "i8"),
        ("message", "i4"),  # on the air now
        ("ttl", "i4"),
        ("resends", "i4"),
        ("waiting", "i4"),  # frames in its buffer
        ("next_known", "i4"),  # where the next message is noted
        ("messages", "i4"),  # of its own so far
        ("process_groups", "u2"),
        ("forward_groups", "u2"),
        ("is_ack", "u1"),  # the frame on the air
        ("marks", "u1"),  # of ``Mark``
        ("is_host", "u1"),  # 1: a host is behind it
        ("unused", "u1"),
        ("heard", "i8"),
        ("foreign", "i8"),
        ("dropped", "i8"),
        ("sent", "i8"),
        ("air_us", "i8"),
        ("duplicates", "i8"),
        ("lost_link", "i8"),
        ("lost_collision", "i8"),
        ("lost_sending", "i8"),
        ("ends_us", "i8"),  # the frame on the air
        ("number", "i4"),  # of the node in the plan
        ("peer", "i4"),  # who the frame on the air goes to, -1 for all
    ]
)
"""A node as sender, and what it knows: two cache lines."""

LINE = np.dtype(
    [
        ("owes_us", "i8"),
        ("owes_message", "i4"),
        ("owes_to", "i4"),
        ("owes_attempt", "i8"),
        ("awaits_us", "i8"),
        ("acks", "i8"),
        ("acks_heard", "i8"),
        ("overheard", "i8"),
    ]
)
"""What a node does for unicasts: the acknowledgement that it owes, and its counters."""

WAITING = np.dtype(
    [
        ("due_us", "i8"),
        ("message", "i4"),
        ("peer", "i4"),  # the next hop of a unicast
        ("ttl", "u1"),
        ("hops", "u1"),
        ("tries", "u1"),
        ("resends", "u1"),
        ("asks", "u1"),
        ("waits", "u1"),
        ("unused", "u2"),
    ]
)
"""A frame that waits at a node."""

FOR_TURN, FOR_TURN_SENSED, FOR_ACK, FOR_ROUTE = range(4)
"""What a frame waits for: its turn, its turn after the channel was found free, or an answer."""

OVER = np.dtype(
    [("state", "i8"), ("power_fw", "f8"), ("end", "u4"), ("quality", "i2"), ("hears", "i2")]
)
"""What a transmission needs of a link: links of one sender lie behind each other."""

LENGTHS = 128
"""Frames have 0 to 127 bytes."""


class Mesh(NamedTuple):
    """The arguments of the compiled engine.

    Parameters
    ----------
    mac, radio, routing
        Arrays of one ``MAC``, one ``RADIO`` and one ``ROUTING`` record.
    tree, bits
        One leaf for each node, in the order of the plan: twice the moment of what comes next
        there, one more where it is the begin of a transmission: frames end before others begin.
        And how many low bits of a key hold the leaf.
    places
        Where the plan's nodes lie in all other arrays (``order``), shape (nodes,).
    ears, mouths, lines
        Arrays of ``EAR``, ``MOUTH`` and ``LINE`` records, one for each node.
    routes, first_route
        Array of ``ROUTE`` records, and where those of each node begin.
    waiting, known
        Frames that wait at each node, shape (nodes, buffers), in the order in which they came; and
        the messages that each node heard last, shape (nodes, remembered).
    links, over, first_link
        Arrays of ``LINK`` and ``OVER`` records, and where those of each sender begin.
    below
        Below which signed 32-bit number a frame gets through in this hour, shape (lengths in use,
        links).
    length_of
        Which row of ``below`` belongs to a frame of so many bytes, -1 where none is made yet,
        shape (128,).
    messages, to
        Array of ``MESSAGE`` records, and the nodes to which directed ones go, one list behind
        the other.
    followed
        Room for the links over which a frame was followed to its end, shape (most_links + 1,).
    used
        How many messages and how many addressees there are, shape (2,).
    turn
        Since when a host has to be asked what it does next, and when something happens next, as
        the last run left them; NEVER for not at all, shape (2,).
    """

    mac: NDArray[np.void]
    radio: NDArray[np.void]
    routing: NDArray[np.void]
    tree: NDArray[np.int64]
    bits: int
    places: NDArray[np.int32]
    ears: NDArray[np.void]
    mouths: NDArray[np.void]
    lines: NDArray[np.void]
    routes: NDArray[np.void]
    first_route: NDArray[np.int64]
    waiting: NDArray[np.void]
    known: NDArray[np.int32]
    links: NDArray[np.void]
    over: NDArray[np.void]
    first_link: NDArray[np.int64]
    below: NDArray[np.int32]
    length_of: NDArray[np.int64]
    messages: NDArray[np.void]
    to: NDArray[np.int32]
    followed: NDArray[np.int64]
    used: NDArray[np.int64]
    turn: NDArray[np.int64]


class Laid(NamedTuple):
    """The links of a plan, those of one sender behind each other; see ``Mesh``."""

    links: NDArray[np.void]
    over: NDArray[np.void]
    first_link: NDArray[np.int64]


def lay_links(plan: MeshPlan, numbers: NDArray[np.int32], places: NDArray[np.int32]) -> Laid:
    """Return the links of a plan in the order of the nodes here; see ``Order``."""
    first_link, which = order_links(plan, numbers)
    links = plan.links[which]
    links["end"] = places[links["end"]]
    over = zeros(len(links), OVER)
    for name in ("state", "power_fw", "end", "quality", "hears"):
        over[name] = links[name]
    return Laid(links, over, first_link)


def build_mesh(plan: MeshPlan) -> Mesh:
    """Return a mesh on which nobody sends yet."""
    nodes, order = plan.nodes, order_nodes(plan)
    bits = leaf_bits(max(nodes, 1))
    ears, mouths = zeros(nodes, EAR), zeros(nodes, MOUTH)
    ears["link"] = ears["latest"] = NOTHING
    seed = root(int(plan.mac[0]["seed"]))
    mouths["state"] = [fold(seed, word) for word in plan.words[order.numbers].tolist()]
    mouths["process_groups"] = plan.process_groups[order.numbers]
    mouths["forward_groups"] = plan.forward_groups[order.numbers]
    mouths["number"] = order.numbers
    mouths["is_host"] = plan.is_bridge[order.numbers]
    mouths["peer"] = NOTHING
    routes = np.diff(plan.first_route)[order.numbers]
    known = zeros(nodes * plan.remembered, np.int32).reshape(nodes, plan.remembered)
    known[:] = NOTHING
    laid = lay_links(plan, order.numbers, order.places)
    return Mesh(
        mac=plan.mac,
        radio=plan.radio,
        routing=plan.routing,
        tree=empty_tree(bits),
        bits=bits,
        places=order.places,
        ears=ears,
        mouths=mouths,
        lines=zeros(nodes, LINE),
        routes=zeros(int(routes.sum()), ROUTE),
        first_route=np.concatenate([[0], np.cumsum(routes)]).astype(np.int64),
        waiting=zeros(nodes * plan.buffers, WAITING).reshape(nodes, plan.buffers),
        known=known,
        links=laid.links,
        over=laid.over,
        first_link=laid.first_link,
        below=np.zeros((0, len(laid.links)), np.int32),
        length_of=np.full(LENGTHS, NOTHING, np.int64),
        messages=np.zeros(64, MESSAGE),
        to=np.zeros(64, np.int32),
        followed=np.zeros(plan.most_links + 1, np.int64),
        used=np.zeros(2, np.int64),
        turn=np.full(2, NEVER, np.int64),
    )


def placed_mesh(mesh: Mesh) -> Mesh:
    """Return a mesh that was copied, what the kernel visits at random where that is quick."""
    visited = ("tree", "ears", "mouths", "lines", "routes", "waiting", "known", "below")
    arrays: dict[str, Any] = {name: placed(getattr(mesh, name)) for name in visited}
    return mesh._replace(**arrays)
