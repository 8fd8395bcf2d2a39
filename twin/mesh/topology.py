"""The mesh as a graph: who hears whom, in how many hops, and who is cut off, and why."""

from collections.abc import Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from twin.compiling import rule
from twin.draws import fold, root, unit
from twin.mesh.nodes import MeshNode
from twin.mesh.plan import MeshPlan
from twin.mesh.rules.radio import exponent, reception, threshold
from twin.mesh.rules.streams import RECEPTION

USABLE = 0.1
"""From which reception on a link counts as one [1]."""
NOT_REACHED = -1


def make_graph(nodes: Sequence[MeshNode], plan: MeshPlan) -> "nx.DiGraph[str]":
    """Return the mesh as a directed graph, an edge for each link over which frames are understood.

    Nodes are called by their names and know their ``index``, ``address``, ``group``, ``is_bridge``,
    place (``x_m``, ``y_m`` [m]), ``channel`` and ``network_id``. An edge goes from sender to
    receiver and knows the ``level_dbm`` [dBm], the ``link_quality`` that the receiver's meter shows
    [-dBm], and the mean ``reception`` of a frame of the reference length [1].
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    for index, node in enumerate(nodes):
        graph.add_node(
            node.name, index=index, address=node.address, group=node.group,
            is_bridge=node.is_bridge, x_m=node.x_m, y_m=node.y_m, channel=node.network.channel,
            network_id=node.network.network_id,
        )  # fmt: skip
    names = [node.name for node in nodes]
    chances = receptions(plan)
    for n, name in enumerate(names):
        first, end = plan.first_link[n], plan.first_link[n + 1]
        graph.add_edges_from(
            (name, names[link["end"]], {
                "link_quality": int(link["quality"]),
                "level_dbm": float(link["level_dbm"]),
                "reception": float(chance),
            })
            for link, chance in zip(plan.links[first:end], chances[first:end], strict=True)
            if link["hears"]
        )  # fmt: skip
    return graph


def receptions(plan: MeshPlan) -> NDArray[np.float64]:
    """Return how often a frame of the reference length gets through on each link, on average [1].

    Returns
    -------
    shape (links,); 0 where the receiver does not understand the sender
    """
    chances = np.zeros(len(plan.links))
    fill_chances(plan.radio[0], plan.links, chances)
    return chances


@rule
def fill_chances(radio: np.void, links: NDArray[np.void], chances: NDArray[np.float64]) -> None:
    """Fill the mean reception of links."""
    for k in range(len(links)):
        link = links[k]
        if link["hears"] == 0:
            chances[k] = 0.0
        elif link["reception"] >= 0.0:
            chances[k] = link["reception"]
        else:
            chances[k] = reception(radio, link["level_dbm"], link["interference"])


def usable(graph: "nx.DiGraph[str]", least: float = USABLE) -> "nx.DiGraph[str]":
    """Return the graph with only the links on which frames get through often enough.

    Parameters
    ----------
    graph
        From ``make_graph``.
    least
        The reception of a link that counts [1].
    """
    edges = [(a, b) for a, b, facts in graph.edges(data=True) if facts["reception"] >= least]
    found: nx.DiGraph[str] = nx.DiGraph()
    found.add_nodes_from(graph.nodes(data=True))
    found.add_edges_from((a, b, graph.edges[a, b]) for a, b in edges)
    return found


def components(graph: "nx.DiGraph[str]") -> list[set[str]]:
    """Return the sets of nodes that can all reach each other over usable links, largest first."""
    found = nx.strongly_connected_components(usable(graph))
    return sorted(found, key=lambda names: (-len(names), min(names)))


def articulation_nodes(graph: "nx.DiGraph[str]") -> list[str]:
    """Return the nodes without which others lose each other, in order of their names.

    Only links that are usable both ways count.
    """
    both = usable(graph).to_undirected(reciprocal=True)
    return sorted(nx.articulation_points(both))


def hop_counts(plan: MeshPlan, sources: Sequence[int]) -> NDArray[np.int64]:
    """Return how many usable hops each node is from the nearest source, -1 for unreachable [1].

    Parameters
    ----------
    plan
        Nodes and links.
    sources
        Where floods begin, by index.

    Returns
    -------
    shape (nodes,)
    """
    hops = np.full(plan.nodes, NOT_REACHED, np.int64)
    hops[list(sources)] = 0
    starts = np.repeat(np.arange(plan.nodes), np.diff(plan.first_link))
    counts = receptions(plan) >= USABLE
    starts, ends = starts[counts], plan.links["end"][counts]
    for hop in range(plan.nodes):
        coming = ends[(hops[starts] == hop) & (hops[ends] == NOT_REACHED)]
        if not len(coming):
            break
        hops[coming] = hop + 1
    return hops


def expected_reach(
    plan: MeshPlan,
    source: int,
    ttl: int,
    *,
    frame_bytes: int | None = None,
    runs: int = 200,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return which share of the other nodes a flood reaches within each number of hops [1].

    Every node sends once; links fail by themselves with their mean reception, and nothing
    collides: what a flood reaches at best, to set beside what it does reach.

    Parameters
    ----------
    plan, source
        Nodes and links, and the index of the node that begins.
    ttl
        The most hops.
    frame_bytes
        How long the frame is [B]; the reference length of the receptions where it is not given.
    runs, seed
        How many floods are tried, with which luck.

    Returns
    -------
    shape (ttl,)
    """
    reached = np.zeros(ttl, np.int64)
    hops = np.zeros(plan.nodes, np.int64)
    chances, reference_bytes = receptions(plan), int(plan.mac[0]["reference_bytes"])
    if frame_bytes is not None:
        below = [
            threshold(exponent(chance), frame_bytes, reference_bytes) for chance in chances.tolist()
        ]
        chances = 0.5 + np.array(below, float) / 2**32
    for run in range(runs):
        state = fold(fold(root(seed), RECEPTION), run)
        flood_once(state, source, plan.links, plan.first_link, chances, hops, reached)
    return np.asarray(reached / (runs * max(1, plan.nodes - 1)))


@rule
def flood_once(
    state: int,
    source: int,
    links: NDArray[np.void],
    first_link: NDArray[np.int64],
    chances: NDArray[np.float64],
    hops: NDArray[np.int64],
    reached: NDArray[np.int64],
) -> None:
    """Add how many nodes one flood without collisions reaches within each number of hops."""
    hops[:] = NOT_REACHED
    hops[source] = 0
    count = 0
    for hop in range(len(reached)):
        for n in range(len(hops)):
            if hops[n] == hop:
                for k in range(first_link[n], first_link[n + 1]):
                    end = links[k]["end"]
                    if hops[end] < 0 and unit(fold(state, links[k]["state"])) < chances[k]:
                        hops[end] = hop + 1
                        count += 1
        reached[hop] += count


class CutOff(NamedTuple):
    """A node that no bridge reaches, and why."""

    name: str
    why: str


def cut_off(nodes: Sequence[MeshNode], plan: MeshPlan) -> list[CutOff]:
    """Return the nodes to which no usable path leads from any bridge, and the reason of each."""
    hops = hop_counts(plan, bridges(nodes))
    reached = {node.name for node, count in zip(nodes, hops, strict=True) if count != NOT_REACHED}
    return [
        CutOff(node.name, _why(n, nodes, plan, reached))
        for n, node in enumerate(nodes)
        if node.name not in reached
    ]


def bridges(nodes: Sequence[MeshNode]) -> list[int]:
    """Return the bridges that forward any group, by index."""
    return [n for n, node in enumerate(nodes) if node.is_bridge and node.forward_groups]


def _why(n: int, nodes: Sequence[MeshNode], plan: MeshPlan, reached: set[str]) -> str:
    """Say why nothing reaches a node."""
    node = nodes[n]
    if node.is_bridge:
        return "the bridge forwards no group: nothing of its host's goes out"
    if not any(other.is_bridge and other.forward_groups for other in nodes):
        return "no bridge forwards anything"
    best = _best_link(n, nodes, plan, reached)
    if best is not None:
        other, level_dbm, hears = best
        if not hears:
            return node.network.why_deaf(other.network) + f" of {other.name}, which it would hear"
        return f"the best link, from {other.name}, is too weak: {level_dbm:.0f} dBm"
    gates = [other for other in nodes if other.is_bridge]
    if all(other.network.channel != node.network.channel for other in gates):
        return node.network.why_deaf(gates[0].network) + f" of {gates[0].name}"
    return _nearest(node, [other for other in nodes if other.name in reached])


def _best_link(
    n: int, nodes: Sequence[MeshNode], plan: MeshPlan, reached: set[str]
) -> tuple[MeshNode, float, bool] | None:
    """Return the strongest sender among nodes that are reached, its level [dBm], and if it is
    understood.
    """
    found = []
    for a, other in enumerate(nodes):
        if other.name in reached:
            links = plan.links[plan.first_link[a] : plan.first_link[a + 1]]
            mine = links[links["end"] == n]
            if len(mine):
                found.append((float(mine["level_dbm"][0]), a, bool(mine["hears"][0])))
    if not found:
        return None
    level_dbm, a, hears = max(found)
    return nodes[a], level_dbm, hears


def _nearest(node: MeshNode, reached: Sequence[MeshNode]) -> str:
    """Say how far away the nearest node is that is reached."""
    if node.x_m is None or node.y_m is None or not reached:
        return "no link from any node that is reached"
    places = [
        (float(np.sqrt((o.x_m - node.x_m) * (o.x_m - node.x_m)
                       + (o.y_m - node.y_m) * (o.y_m - node.y_m))), o.name)
        for o in reached if o.x_m is not None and o.y_m is not None
    ]  # fmt: skip
    distance_m, name = min(places)
    return f"out of range: the nearest node that is reached, {name}, is {distance_m:.0f} m away"
