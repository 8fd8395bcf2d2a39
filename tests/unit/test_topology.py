"""Nodes, links and the graph of a mesh: places and walls in, who hears whom and why not out."""

import math
from collections.abc import Mapping

import networkx as nx
import numpy as np
import pytest

import twin
from twin import radio
from twin.mesh.links import make_mesh_plan
from twin.mesh.near import pairs_within, walls_between
from twin.mesh.nodes import MeshNode, make_nodes
from twin.mesh.plan import MeshPlan
from twin.mesh.rules.mac import airtime_us
from twin.mesh.rules.radio import power_fw, reception
from twin.mesh.topology import (
    articulation_nodes,
    components,
    cut_off,
    expected_reach,
    hop_counts,
    make_graph,
    receptions,
    usable,
)
from twin.scenario import Scenario

QUIET = {
    "shadowing": "0 dB", "fading": "0 dB", "node_offset": "0 dB", "direction": "0 dB",
    "meter_error": "0 dB",
}  # fmt: skip
BRIDGE = {"name": "bridge", "x": "1 m", "y": "10 m"}
LAMP = {"name": "lamp", "zone": "line", "count": 8}


def scenario(mesh: Mapping[str, object], **site: object) -> Scenario:
    document = twin.load("pilot_line").document()
    document["mesh"] = {"bridges": [BRIDGE], "nodes": [LAMP], "radio": QUIET, **mesh}
    document["site"] |= site
    return twin.scenario.from_document(document)


def built(of: Scenario, seed: int = 1) -> tuple[tuple[MeshNode, ...], MeshPlan]:
    nodes = make_nodes(of, seed)
    return nodes, make_mesh_plan(of, nodes, seed)


def level(mesh: Mapping[str, object], **site: object) -> float:
    _, plan = built(scenario({"nodes": [{**LAMP, "count": 1}], **mesh}, **site))
    return float(plan.links["level_dbm"][0])


def test_addresses_are_six_digits_and_differ() -> None:
    nodes, _ = built(scenario({"nodes": [{**LAMP, "count": 500}]}))
    addresses = {node.address for node in nodes}
    assert len(addresses) == 501
    assert all(len(address) == 6 and int(address, 16) >= 0x100 for address in addresses)


def test_adding_a_node_leaves_the_others_alone() -> None:
    few, plan = built(scenario({"radio": {}, "nodes": [LAMP]}))
    more, other = built(scenario({"radio": {}, "nodes": [{**LAMP, "name": "a"}, LAMP]}))
    links = {
        (n.name, few[link["end"]].name): link["state"]
        for k, n in enumerate(few)
        for link in plan.links[plan.first_link[k] : plan.first_link[k + 1]]
    }
    again = {
        (n.name, more[link["end"]].name): link["state"]
        for k, n in enumerate(more)
        for link in other.links[other.first_link[k] : other.first_link[k + 1]]
    }
    assert links.items() <= again.items()


def test_the_level_is_that_of_the_formula() -> None:
    distance_m = 14.0  # one lamp stands in the middle of the hall
    loss = radio.path_loss_db(distance_m, exponent=3.3, reference_db=40.2)
    assert level({}) == pytest.approx(3.5 - float(loss), abs=1e-9)


def test_a_wall_on_the_way_takes_its_loss() -> None:
    wall = {"x1": "8 m", "y1": "0 m", "x2": "8 m", "y2": "20 m"}
    aside = {"x1": "8 m", "y1": "0 m", "x2": "8 m", "y2": "9 m"}
    assert level({}, walls=[wall]) == pytest.approx(level({}) - 5.0)
    assert level({}, walls=[wall, wall]) == pytest.approx(level({}) - 10.0)
    assert level({}, walls=[aside]) == pytest.approx(level({}))


def test_a_stronger_sender_is_heard_louder_one_way() -> None:
    nodes, plan = built(scenario({"nodes": [{**LAMP, "count": 1, "transmit_power": "10 dBm"}]}))
    assert [node.power_dbm for node in nodes] == [3.5, 10.0]
    assert np.diff(plan.links["level_dbm"]).tolist() == pytest.approx([6.5])


def test_the_meter_shows_no_less_than_its_floor() -> None:
    weak = {**QUIET, "transmit_power": "-15 dBm"}
    _, plan = built(scenario({"radio": weak, "nodes": [{**LAMP, "count": 1}]}))
    assert plan.links["level_dbm"][0] < -90.0
    assert plan.links["quality"].tolist() == [90, 90]


def test_airtime_and_reception_are_those_of_the_radio() -> None:
    assert [airtime_us(n) for n in range(128)] == [radio.airtime_us(n) for n in range(128)]
    book = built(scenario({}))[1].radio[0]
    for level_dbm in np.linspace(-110.0, -40.0, 30).tolist():
        expected = radio.usable_reception(
            level_dbm, cliff_dbm=-93.0, width_db=0.6, interference=0.22
        )
        found = reception(book, level_dbm, 0.22)
        assert found == pytest.approx(float(expected) * (1.0 - 0.0002), rel=1e-9)


def test_powers_are_whole_femtowatts() -> None:
    assert [power_fw(level) for level in (0.0, -30.0, -100.0)] == [1e12, 1e9, 100.0]


@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_near_pairs_are_those_of_all_pairs(count: int) -> None:
    rng = np.random.default_rng(5)  # noqa: TID251 - places, not luck of a run
    x_m, y_m = rng.uniform(0, 100, (2, count))
    found = pairs_within(x_m, y_m, 13.0)
    expected = [
        (a, b)
        for a in range(count)
        for b in range(a + 1, count)
        if math.hypot(x_m[a] - x_m[b], y_m[a] - y_m[b]) <= 13.0
    ]
    assert [tuple(pair) for pair in found.tolist()] == expected


def test_pairs_at_one_place() -> None:
    assert len(pairs_within(np.zeros(4), np.zeros(4), 1.0)) == 6


def test_walls_between() -> None:
    walls = np.array([[5.0, -1.0, 5.0, 1.0], [7.0, 1.0, 7.0, 2.0]])
    assert walls_between(walls, 0.0, 0.0, 10.0, 0.0) == 1
    assert walls_between(walls, 0.0, 0.0, 4.0, 0.0) == 0


def chain(spots: int) -> tuple[tuple[MeshNode, ...], MeshPlan]:
    """Return a bridge and nodes in a line that hear only their neighbours."""
    lamps = {"name": "lamp", "zone": "line", "count": spots - 1}
    document = twin.load("pilot_line").document()
    document["site"] |= {"width": f"{10 * spots} m", "depth": "2 m", "stations": []}
    document["site"]["zones"][0] |= {"x": "10 m", "width": f"{10 * (spots - 1)} m", "depth": "2 m"}
    document["fleet"] |= {"gateways": []}
    bridge = {"name": "bridge", "x": "5 m", "y": "1 m"}
    weak = {**QUIET, "transmit_power": "-20 dBm", "path_loss_exponent": 3.0}
    document["mesh"] = {"bridges": [bridge], "nodes": [lamps], "radio": weak}
    return built(twin.scenario.from_document(document))


def test_a_chain_hop_by_hop() -> None:
    nodes, plan = chain(6)
    graph = make_graph(nodes, plan)
    assert hop_counts(plan, [0]).tolist() == [0, 1, 2, 3, 4, 5]
    assert articulation_nodes(graph) == [f"lamp-00{n}" for n in range(1, 5)]
    assert len(components(graph)) == 1
    reach = expected_reach(plan, 0, 5)
    assert reach[0] == pytest.approx(0.2, abs=0.01)
    assert (np.diff(reach) > 0).all()


def test_the_graph_knows_its_nodes_and_links() -> None:
    nodes, plan = built(scenario({}))
    graph = make_graph(nodes, plan)
    assert isinstance(graph, nx.DiGraph)
    assert set(graph) == {node.name for node in nodes}
    assert graph.number_of_edges() == len(plan.links)
    facts = graph.edges["bridge", "lamp-001"]
    assert facts["link_quality"] == round(-facts["level_dbm"])
    assert sorted(d["reception"] for *_, d in graph.edges(data=True)) == sorted(receptions(plan))
    assert usable(graph, 2.0).number_of_edges() == 0


def why(mesh: Mapping[str, object]) -> set[str]:
    return {item.why for item in cut_off(*built(scenario(mesh)))}


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ({"channel": 5}, "channel 5, not 4"),
        ({"network_id": "0x1234"}, "network id 0x1234, not 0x1C2C"),
        ({"encryption": "aes-128", "encryption_key": "a" * 16}, "encryption aes-128, not none"),
        ({"feature_bits": 0x41F}, "packet checksum"),
        ({"feature_bits": 0x11F}, "call checksum"),
    ],
)
def test_who_is_cut_off_by_what_it_is(own: Mapping[str, object], reason: str) -> None:
    found = why({"nodes": [LAMP, {**LAMP, "name": "other", "count": 2, **own}]})
    assert len(found) >= 1
    assert all(reason in text for text in found)


def test_other_keys_cut_off_and_a_wildcard_does_not() -> None:
    keyed = {"encryption": "basic", "encryption_key": "a" * 16}
    other = {**LAMP, "name": "other", "encryption_key": "b" * 16}
    assert any("another encryption key" in text for text in why({**keyed, "nodes": [LAMP, other]}))
    wild = {**LAMP, "name": "other", "network_id": "0xFFFF"}
    assert not why({"nodes": [LAMP, wild]})


def test_a_node_without_the_call_checksum_hears_but_cannot_answer() -> None:
    nodes, plan = built(scenario({"feature_bits": 0x11F, "nodes": [{**LAMP, "feature_bits": 31}]}))
    graph = make_graph(nodes, plan)
    assert graph.has_edge("bridge", "lamp-001")
    assert not graph.has_edge("lamp-001", "bridge")


def test_who_is_cut_off_by_distance_and_by_the_bridge() -> None:
    nodes, plan = chain(3)
    far = plan._replace(links=plan.links[:0], first_link=np.zeros(4, np.int64))
    assert {item.why for item in cut_off(nodes, far)} == {
        "out of range: the nearest node that is reached, bridge, is 10 m away",
        "out of range: the nearest node that is reached, bridge, is 20 m away",
    }
    deaf = why({"bridges": [{**BRIDGE, "forward_groups": 0}]})
    assert any("forwards no group" in text for text in deaf)
    assert "no bridge forwards anything" in deaf


def test_a_weak_link_is_named() -> None:
    weak = {**QUIET, "transmit_power": "-18 dBm"}
    found = why({"radio": weak, "nodes": [{**LAMP, "count": 1}]})
    assert found == {"the best link, from bridge, is too weak: -96 dBm"}


def test_ten_thousand_nodes_need_no_table_of_all_pairs() -> None:
    scenario_10k = twin.load("mesh_10k")
    nodes = make_nodes(scenario_10k, 1)
    plan = make_mesh_plan(scenario_10k, nodes, 1)
    assert len(nodes) == 10_000
    assert 20 < len(plan.links) / len(nodes) < 200
