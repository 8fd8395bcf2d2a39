"""Floods as percolation: disks at random places, and the square lattice, whose threshold is 1/2.

A flood over independent links, each used in one direction at most, is bond percolation: what it
reaches is the cluster of its source. Forward jitters of minutes keep frames of 1.3 ms apart.
"""

from functools import lru_cache

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.theory import intervals, meshes
from twin.events import MeshKind
from twin.mesh.topology import expected_reach

LONG_US = 600 * meshes.S
DISKS, SOURCES = 1500, 40


def disk_pairs(degree: float, seed: int) -> NDArray[np.int64]:
    """Pairs of points on a torus of area 1 whose distance gives a mean degree."""
    x, y = meshes.chances(2 * seed, DISKS), meshes.chances(2 * seed + 1, DISKS)
    squared = sum(
        np.minimum(apart, 1 - apart) ** 2
        for apart in (np.abs(x[:, None] - x), np.abs(y[:, None] - y))
    )
    return np.argwhere(np.triu(squared < degree / (DISKS * np.pi), 1))


def disk_shares(degree: float, seed: int) -> NDArray[np.float64]:
    """The share of all nodes that floods reach, their source included, over perfect links."""
    pairs = disk_pairs(degree, seed)
    mesh = meshes.plan(meshes.both_ways(pairs), DISKS, seed, forward_jitter_us=LONG_US)
    sources = range(0, DISKS, DISKS // SOURCES)
    offers = [meshes.Offer(n * 20 * meshes.H, [source], 255) for n, source in enumerate(sources)]
    reached = meshes.run(mesh, offers).messages["heard"] + 1
    graph = nx.empty_graph(DISKS)
    graph.add_edges_from(pairs.tolist())
    expected = [len(nx.node_connected_component(graph, source)) for source in sources]
    assert reached.tolist() == expected
    return reached / DISKS


@pytest.mark.parametrize(("degree", "low", "high"), [(3.0, 0.0, 0.1), (6.5, 0.9, 1.0)])
def test_disks_have_a_giant_component_above_four_and_a_half_neighbours(
    degree: float, low: float, high: float
) -> None:
    # The threshold is a mean degree of 4.512 (Mertens and Moore, Phys. Rev. E 86, 2012).
    shares = [disk_shares(degree, seed).mean() for seed in range(4)]
    assert low <= np.mean(shares) <= high


def lattice(side: int, q: float) -> tuple[meshes.Links, int]:
    """The square lattice of Kesten's rectangle: side + 1 columns of side nodes, and two more.

    Node 0 reaches the first column for sure. At q = 1/2 a path to the last column exists with
    probability 1/2 exactly, whatever the size: the rectangle is its own dual (Kesten, 1980).
    """
    at = 1 + np.arange((side + 1) * side).reshape(side + 1, side)
    across = np.stack([at[:-1].ravel(), at[1:].ravel()], 1)
    along = np.stack([at[1:-1, :-1].ravel(), at[1:-1, 1:].ravel()], 1)
    inside = meshes.both_ways(np.concatenate([across, along]), q)
    starts = np.concatenate([np.zeros(side, int), np.asarray(inside.starts)])
    ends = np.concatenate([at[0], np.asarray(inside.ends)])
    reception = np.repeat([1.0, q], [side, len(starts) - side])
    return meshes.Links(starts, ends, reception), 1 + at.size


@lru_cache
def crossings(side: int, q: float) -> tuple[int, int]:
    """How many floods crossed the rectangle, of how many."""
    count, rounds = 50, 120
    links, nodes = lattice(side, q)
    mesh = meshes.plan(
        meshes.copies(links, nodes, count), count * nodes, seed=side, forward_jitter_us=LONG_US
    )
    run = meshes.floods(mesh, range(0, count * nodes, nodes), rounds, 20 * meshes.H)
    heard = run.of(MeshKind.HEARD)
    last = heard[heard["node"] % nodes >= nodes - side]
    return len(np.unique(last["message"])), count * rounds


@pytest.mark.parametrize("side", [1, 4, 9])
def test_half_of_all_floods_cross_a_lattice_of_which_half_the_links_work(side: int) -> None:
    assert 0.5 in intervals.share(*crossings(side, 0.5))
    assert 0.5 not in intervals.share(*crossings(side, 0.45))
    assert 0.5 not in intervals.share(*crossings(side, 0.55))


def test_the_threshold_of_the_lattice_gets_sharper_with_its_size() -> None:
    below = [crossings(side, 0.45)[0] for side in (1, 4, 9)]
    above = [crossings(side, 0.55)[0] for side in (1, 4, 9)]
    assert below == sorted(below, reverse=True)
    assert above == sorted(above)


@pytest.mark.parametrize(("q", "low", "high"), [(0.4, 0.0, 0.05), (0.6, 0.6, 1.0)])
def test_what_is_expected_of_a_lattice_is_little_below_one_half_and_much_above(
    q: float, low: float, high: float
) -> None:
    side = 41
    graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(side, side, periodic=True))
    mesh = meshes.plan(meshes.both_ways([*graph.edges], q), side * side, seed=1)
    share = expected_reach(mesh, 0, 500, runs=200)[-1]
    assert low <= share <= high


def test_the_engine_reaches_what_is_expected() -> None:
    # The same graph with perfect and poor links: two ways to the same mean.
    side, q, rounds = 7, 0.55, 2000
    graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(side, side))
    mesh = meshes.plan(
        meshes.both_ways([*graph.edges], q), side * side, seed=5, forward_jitter_us=LONG_US
    )
    heard = meshes.floods(mesh, [24], rounds, 20 * meshes.H).messages["heard"]
    expected = expected_reach(mesh, 24, 100, runs=20_000)[-1] * (side * side - 1)
    assert expected in intervals.mean(heard)
    assert expected * 1.1 not in intervals.mean(heard)
