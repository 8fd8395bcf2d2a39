"""The compiled mesh keeps its nodes in an order of its own, and nobody outside notices."""

import networkx as nx
import numpy as np
import pytest

from tests.agreement.meshes import GRAPHS, Sending, plan, run
from twin.mesh.compiled.order import order_links, order_nodes


@pytest.mark.parametrize("graph", GRAPHS)
def test_every_node_and_link_has_one_place(graph: str) -> None:
    """Orders are permutations, and each sender's links stay together in their order."""
    mesh = plan(GRAPHS[graph], seed=1)
    order = order_nodes(mesh)
    first_link, links = order_links(mesh, order.numbers)
    assert sorted(order.numbers) == list(range(mesh.nodes))
    assert (order.numbers[order.places] == np.arange(mesh.nodes)).all()
    for place, number in enumerate(order.numbers):
        mine = links[first_link[place] : first_link[place + 1]]
        assert mine.tolist() == list(range(*mesh.first_link[number : number + 2]))


def test_who_hear_each_other_lie_together() -> None:
    """On a shuffled line each node lies beside or two from its neighbours."""
    line = nx.relabel_nodes(nx.path_graph(9), dict(enumerate([4, 7, 0, 2, 8, 5, 1, 3, 6])))
    order = order_nodes(plan(line, seed=1))
    assert max(abs(order.places[a] - order.places[b]) for a, b in line.edges) <= 2


def test_a_name_leads_to_the_same_rows_whatever_the_number() -> None:
    """The order matters: rows carry the plan's numbers, not the places in the memory."""
    graph = nx.relabel_nodes(nx.path_graph(7), dict(enumerate([3, 0, 5, 1, 6, 2, 4])))
    mesh = plan(graph, seed=1, reception=1.0)
    assert (order_nodes(mesh).numbers != np.arange(7)).any()
    sent = [Sending(0, source=3, ttl=9, reply_bytes=5)]
    ours, theirs = (run(engine, mesh, sent, 10_000_000) for engine in ("compiled", "reference"))
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.tobytes() == other.tobytes()
    assert len(ours.rows) > 7
