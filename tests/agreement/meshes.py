"""Meshes on which the engines are compared: small, varied, and rich in ties."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from twin.draws import entity_word, fold, root
from twin.events import MESH_EVENT, NEVER, Mark
from twin.mesh.engines import MeshEngine, make_mesh
from twin.mesh.plan import LINK, MAC, RADIO, ROUTING, MeshPlan, empty_wishes
from twin.mesh.rules.radio import power_fw

SECOND_US = 1_000_000
SIDE = 5

GRAPHS = {
    "line": nx.path_graph(7),
    "star": nx.star_graph(8),
    "grid": nx.convert_node_labels_to_integers(nx.grid_2d_graph(SIDE, SIDE)),
    "random": nx.random_geometric_graph(40, 0.25, seed=3),
    "two clusters and a bridge": nx.barbell_graph(8, 1),
    "everyone hears everyone": nx.complete_graph(9),
    "one node": nx.empty_graph(1),
    "no links": nx.empty_graph(5),
}

PROTOCOLS: Mapping[str, Mapping[str, float]] = {
    "as shipped": {},
    "no jitter": {"jitter": 0},
    "few slots": {"send_jitter_us": 640, "forward_jitter_us": 640, "forward_delay_us": 0},
    "carrier sense": {"carrier_sense": 1, "forward_jitter_us": 640},
    "carrier sense, one try": {"carrier_sense": 1, "busy_tries": 0, "forward_jitter_us": 640},
    "collision detect": {"collision_detect": 1, "forward_jitter_us": 1280},
    "capture of all": {"capture_ratio": 1.0, "capture_window_us": 5000},
    "no capture": {"capture_ratio": 1e12},
}


class Sending(NamedTuple):
    """A message that is offered: when [us], and the fields of ``WISH`` that matter."""

    now_us: int
    source: int
    ttl: int = 5
    groups: int = 1
    to: tuple[int, ...] = ()
    reply_bytes: int = 0
    target: int = -1
    answer: int = 0
    awaited: int = 0
    unless: int = 0
    window_us: int = SECOND_US // 20


class Switching(NamedTuple):
    """Nodes are switched on or off, or get a script or lose it, at a moment [us]."""

    now_us: int
    nodes: tuple[int, ...]
    is_on: bool
    is_script: bool = False


class Moving(NamedTuple):
    """Nodes move to another channel, or back to the first, 0, at a moment [us]."""

    now_us: int
    nodes: tuple[int, ...]
    channel: int


def plan(
    graph: nx.Graph,
    seed: int,
    protocol: Mapping[str, float] | None = None,
    *,
    reception: float = -1.0,
    interference: float = 0.1,
    memory: tuple[int, int] = (6, 16),
) -> MeshPlan:
    """Return a graph as a plan, its levels drawn between -95 and -60 dBm, two networks in it."""
    nodes, state = graph.number_of_nodes(), root(seed)
    words = [entity_word(f"node/{n}") for n in range(nodes)]
    links = np.zeros(2 * graph.number_of_edges(), LINK)
    pairs = sorted([*graph.edges, *((b, a) for a, b in graph.edges)])
    for link, (start, end) in zip(links, pairs, strict=True):
        link["state"] = fold(fold(state, words[start]), words[end])
        level_dbm = -60.0 - (int(link["state"]) >> 8) % 36
        link["end"] = end
        link["level_dbm"] = level_dbm
        link["power_fw"] = power_fw(level_dbm)
        link["quality"] = min(90, -int(level_dbm))
        link["reception"] = reception
        link["interference"] = interference
        link["hears"] = (start % 11 == 10) == (end % 11 == 10)
    groups = np.where(np.arange(nodes) % 7 == 6, 2, 3).astype(np.int32)
    return MeshPlan(
        mac=_mac(seed, protocol or {}),
        radio=_radio(),
        routing=_routing(),
        words=np.array(words, np.int64),
        process_groups=groups,
        forward_groups=np.full(nodes, 3, np.int32),
        is_bridge=np.arange(nodes) == 0,
        links=links,
        first_link=_first([start for start, _ in pairs], nodes),
        buffers=memory[0],
        remembered=memory[1],
    )


def _first(starts: Iterable[int], nodes: int) -> NDArray[np.int64]:
    counts = np.bincount(np.array([*starts], np.int64), minlength=nodes)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _mac(seed: int, protocol: Mapping[str, float]) -> NDArray[np.void]:
    mac = np.zeros(1, MAC)
    numbers = {
        "seed": seed, "jitter": 1, "slot_us": 320, "send_jitter_us": 5000,
        "forward_delay_us": 20_000, "forward_jitter_us": 20_000, "busy_fw": power_fw(-90.0),
        "busy_tries": 4, "turnaround_us": 192, "resends": 3, "capture_window_us": 128,
        "reference_bytes": 100, "overhead_bytes": 16, "delay_factor_us": 20_000,
        "capture_ratio": 2.0, "attempts": 8, "ack_bytes": 5, "ack_wait_us": 864,
        "unicast_overhead_bytes": 19, **protocol,
    }  # fmt: skip
    for name, value in numbers.items():
        mac[0][name] = value
    return mac


def _radio() -> NDArray[np.void]:
    radio = np.zeros(1, RADIO)
    for name, value in {"cliff_dbm": -93.0, "cliff_width_db": 0.6, "residual_loss": 2e-4}.items():
        radio[0][name] = value
    return radio


def _routing() -> NDArray[np.void]:
    routing = np.zeros(1, ROUTING)
    numbers = {
        "tries": 3, "wait_us": 500_000, "first_hops": 1, "host_first_hops": 2, "most_hops": 5,
        "idle_us": 5 * SECOND_US, "most_us": 60 * SECOND_US, "least_us": SECOND_US,
        "request_bytes": 30, "reply_bytes": 33, "error_bytes": 27, "entries": 10,
        "host_entries": 100, "worst_quality": 88,
    }  # fmt: skip
    for name, value in numbers.items():
        routing[0][name] = value
    return routing


class Run(NamedTuple):
    """What came of a run."""

    rows: NDArray[np.void]
    messages: NDArray[np.void]
    use: NDArray[np.void]
    halts_us: NDArray[np.int64]


def run(
    engine: str,
    mesh: MeshPlan,
    sendings: Iterable[Sending],
    until_us: int,
    cuts: tuple[int, ...] = (),
    changes: Iterable[Switching | Moving] = (),
) -> Run:
    """Return what comes of messages on a mesh, stopped at some moments on the way."""
    found, built, halts = [np.zeros(0, MESH_EVENT)], make_mesh(engine, mesh), list[int]()
    offers = sorted(sendings, key=lambda sending: sending.now_us)
    changed, channels = (
        {change.now_us: change for change in changes},
        np.zeros(mesh.nodes, np.int64),
    )
    moments = {*cuts, *changed, *(s.now_us for s in offers), until_us}
    for moment_us in sorted(moments):
        found += built.advance(moment_us)
        while built.halted_us != NEVER:
            halts.append(built.halted_us)
            found += built.advance(moment_us)
        change = changed.get(moment_us)
        if isinstance(change, Switching):
            _switch(built, change)
        elif change is not None:
            _move(built, mesh, change, channels)
        due = [sending for sending in offers if sending.now_us == moment_us]
        if due:
            wishes, to = _wishes(due)
            built.offer(wishes, to, moment_us)
    return Run(np.concatenate(found), built.messages(), built.use(), np.array(halts))


def _switch(built: MeshEngine, what: Switching) -> None:
    nodes = np.array(what.nodes, np.int64)
    if what.is_script:
        built.mark(nodes, Mark.NO_SCRIPT, not what.is_on)
    else:
        built.switch(nodes, what.is_on, what.now_us)


def _move(built: MeshEngine, mesh: MeshPlan, what: Moving, channels: NDArray[np.int64]) -> None:
    nodes = np.array(what.nodes, np.int64)
    channels[nodes] = what.channel
    starts = np.repeat(np.arange(mesh.nodes), np.diff(mesh.first_link))
    shared = channels[starts] == channels[mesh.links["end"]]
    first_link = _first(starts[shared].tolist(), mesh.nodes)
    built.rewire(mesh._replace(links=mesh.links[shared], first_link=first_link), nodes)


def _wishes(due: list[Sending]) -> tuple[NDArray[np.void], NDArray[np.int32]]:
    wishes, to = empty_wishes(len(due)), list[int]()
    for wish, sending in zip(wishes, due, strict=True):
        wish["source"], wish["ttl"], wish["groups"] = sending.source, sending.ttl, sending.groups
        wish["payload_bytes"], wish["reply_bytes"] = 20, sending.reply_bytes
        wish["reply_window_us"], wish["delay_factor"] = sending.window_us, 1
        for name in ("target", "answer", "awaited", "unless"):
            wish[name] = getattr(sending, name)
        wish["first_to"] = len(to)
        to += sending.to
        wish["end_to"] = len(to)
    return wishes, np.array(to, np.int32)
