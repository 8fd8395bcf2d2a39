"""Meshes of which a closed form is known, many copies side by side, and messages on them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.draws import entity_word, fold, root, unit
from twin.events import MESH_EVENT, MeshKind, MessageKind
from twin.mesh.engines import make_mesh
from twin.mesh.plan import LINK, MAC, RADIO, ROUTING, MeshPlan, empty_wishes
from twin.mesh.rules.radio import power_fw

S = 1_000_000
H = 3600 * S
OVERHEAD_BYTES, PAYLOAD_BYTES = 16, 20
FRAME_BYTES = OVERHEAD_BYTES + PAYLOAD_BYTES
AIR_US = (6 + FRAME_BYTES) * 32
UNICAST_OVERHEAD_BYTES = OVERHEAD_BYTES + 3
ENGINES = ("compiled", "reference")

MAC_NUMBERS: Mapping[str, float] = {
    "jitter": 1,
    "slot_us": 320,
    "send_jitter_us": 5000,
    "forward_delay_us": 20_000,
    "forward_jitter_us": 20_000,
    "busy_fw": power_fw(-90.0),
    "busy_tries": 4,
    "turnaround_us": 192,
    "resends": 3,
    "capture_window_us": 128,
    "reference_bytes": FRAME_BYTES,
    "overhead_bytes": OVERHEAD_BYTES,
    "delay_factor_us": 20_000,
    "capture_ratio": 2.0,
    "attempts": 8,
    "ack_bytes": 5,
    "ack_wait_us": 864,
    "unicast_overhead_bytes": UNICAST_OVERHEAD_BYTES,
}
ROUTING_NUMBERS: Mapping[str, float] = {
    "tries": 3, "wait_us": 500_000, "first_hops": 1, "host_first_hops": 2, "most_hops": 5,
    "idle_us": 5 * S, "most_us": 60 * S, "least_us": S, "request_bytes": 30, "reply_bytes": 33,
    "error_bytes": 27, "entries": 32, "host_entries": 1024, "worst_quality": 127,
}  # fmt: skip
"""As shipped, but the frames are as long as those of which the reception of links is given."""

RADIO_NUMBERS: Mapping[str, float] = {
    "cliff_dbm": -93.0, "cliff_width_db": 0.6, "residual_loss": 2e-4,
}  # fmt: skip


class Links(NamedTuple):
    """Directed links: who sends, who hears, how often a frame gets through, at which level."""

    starts: ArrayLike
    ends: ArrayLike
    reception: ArrayLike = 1.0
    level_dbm: ArrayLike = -60.0


def both_ways(pairs: ArrayLike, reception: ArrayLike = 1.0) -> Links:
    """The links of an undirected graph, given as pairs of nodes."""
    a, b = np.asarray(pairs, np.int64).reshape(-1, 2).T
    return Links(np.concatenate([a, b]), np.concatenate([b, a]), reception)


def copies(links: Links, nodes: int, count: int) -> Links:
    """Links again and again, each time between nodes of their own."""
    shift = nodes * np.arange(count)[:, None]
    starts, ends, reception, level_dbm = (
        np.broadcast_to(np.asarray(part), np.shape(links.starts)) for part in links
    )
    return Links(
        (starts + shift).ravel(), (ends + shift).ravel(),
        np.tile(reception, count), np.tile(level_dbm, count),
    )  # fmt: skip


def plan(
    links: Links, nodes: int, seed: int, routing: Mapping[str, float] | None = None,
    hosts: Sequence[int] = (), **mac: float,
) -> MeshPlan:  # fmt: skip
    """The links as a plan; ``routing`` and ``mac`` replace numbers, behind ``hosts`` is a host."""
    starts = np.asarray(links.starts, np.int64)
    order = np.lexsort((np.asarray(links.ends), starts))
    words = np.array([entity_word(f"node/{n}") for n in range(nodes)], np.int64)
    found, state = np.zeros(len(starts), LINK), root(seed)
    found["end"], found["hears"] = links.ends, 1
    found["reception"], found["level_dbm"] = links.reception, links.level_dbm
    found["power_fw"] = [power_fw(level) for level in found["level_dbm"].tolist()]
    found["state"] = [
        fold(fold(state, words[a]), words[b]) for a, b in zip(starts, found["end"], strict=True)
    ]
    counts = np.bincount(starts, minlength=nodes)
    masks = np.ones(nodes, np.int32)
    return MeshPlan(
        mac=record(MAC, {**MAC_NUMBERS, "seed": seed, **mac}), radio=record(RADIO, RADIO_NUMBERS),
        routing=record(ROUTING, {**ROUTING_NUMBERS, **(routing or {})}),
        words=words, process_groups=masks, forward_groups=masks,
        is_bridge=np.isin(np.arange(nodes), hosts),
        links=found[order], first_link=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        buffers=16, remembered=16,
    )  # fmt: skip


def record(kind: np.dtype[np.void], numbers: Mapping[str, float]) -> NDArray[np.void]:
    """An array of one record with these numbers, 0 elsewhere."""
    found = np.zeros(1, kind)
    for name, value in numbers.items():
        found[0][name] = value
    return found


class Run(NamedTuple):
    """What came of a run."""

    rows: NDArray[np.void]
    messages: NDArray[np.void]
    use: NDArray[np.void]

    def of(self, kind: MeshKind) -> NDArray[np.void]:
        """The rows of one kind."""
        return self.rows[self.rows["kind"] == kind]

    def about(self, kind: MessageKind) -> NDArray[np.int64]:
        """Which messages are of one kind."""
        return np.flatnonzero(self.messages["kind"] == kind)

    def rows_about(self, what: MeshKind, kind: MessageKind) -> NDArray[np.void]:
        """The rows of one kind, of messages of one kind."""
        rows = self.of(what)
        return rows[self.messages["kind"][rows["message"]] == kind]


class Offer(NamedTuple):
    """Who begins a message each at one moment [us], and to whom; to all where nobody is named."""

    now_us: int
    sources: Sequence[int]
    ttl: int = 1
    payload_bytes: int = PAYLOAD_BYTES
    targets: Sequence[int] = ()


class Cut(NamedTuple):
    """Who is switched off, or on again, at one moment [us]."""

    now_us: int
    nodes: Sequence[int]
    is_on: bool = False


def run(mesh: MeshPlan, offers: Iterable[Offer | Cut], engine: str = "compiled") -> Run:
    """What comes of offers, in the order of their moments, when all has become quiet."""
    built, found = make_mesh(engine, mesh), [np.zeros(0, MESH_EVENT)]
    for offer in offers:
        found += built.advance(offer.now_us)
        if isinstance(offer, Cut):
            built.switch(np.array(offer.nodes, np.int64), offer.is_on, offer.now_us)
        else:
            built.offer(_wishes(offer), np.zeros(0, np.int32), offer.now_us)
        last_us = offer.now_us
    found += built.advance(last_us + 1000 * H)
    return Run(np.concatenate(found), built.messages(), built.use())


def _wishes(offer: Offer) -> NDArray[np.void]:
    wishes = empty_wishes(len(offer.sources))
    wishes["source"], wishes["groups"], wishes["ttl"] = offer.sources, 1, offer.ttl
    wishes["payload_bytes"] = offer.payload_bytes
    if offer.targets:
        wishes["target"] = offer.targets
    return wishes


def floods(
    mesh: MeshPlan, sources: Sequence[int], rounds: int, every_us: int = S, ttl: int = 255
) -> Run:
    """What comes of messages that all sources begin at once, again and again."""
    return run(mesh, (Offer(n * every_us, sources, ttl) for n in range(rounds)))


def chances(seed: int, count: int) -> NDArray[np.float64]:
    """So many numbers spread evenly over 0 to 1."""
    state = root(seed)
    return np.array([unit(fold(state, n)) for n in range(count)])
