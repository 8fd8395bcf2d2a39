"""The mesh of an open twin: what is sent, what is said of it, and that it comes back."""

from pathlib import Path

import networkx as nx
import pandas as pd
import pytest

import twin
from twin.errors import RunError
from twin.scenario import Scenario
from twin.twin import Twin

MULTICAST = {"name": "hello", "source": "bridge", "every": "1 min", "after": "30 s"}


def scenario(*changes: tuple[str, object]) -> Scenario:
    found = twin.load("quiet_line")
    for key, value in (
        ("mesh.bridges", [{"name": "bridge", "x": "1 m", "y": "10 m"}]),
        ("mesh.nodes", [{"name": "lamp", "zone": "line", "count": 12}]),
        ("mesh.multicasts", [MULTICAST]),
        *changes,
    ):
        found = twin.vary(found, key, value)
    return found


def opened(*changes: tuple[str, object], engine: str = "compiled", **options: object) -> Twin:
    return twin.open(scenario(*changes), engine=engine, **options)  # type: ignore[arg-type]


def test_the_scenario_multicasts_when_it_says() -> None:
    t = opened().run("3 min", progress=False)
    assert t.messages()["made_us"].tolist() == [30_000_000, 90_000_000, 150_000_000]
    assert (t.messages()["reach"] > 0.9).all()
    t.run("30 s", progress=False)
    assert len(t.messages()) == 3  # at the very end is not before it
    t.run("1 s", progress=False)
    assert len(t.messages()) == 4


def test_a_multicast_of_ones_own() -> None:
    t = opened().run("10 s", progress=False)
    number = t.multicast("lamp-003", ttl=1, payload_bytes=30)
    t.run("1 s", progress=False)
    message = t.messages().loc[number]
    assert (message["source"], message["ttl"], message["frame_bytes"]) == ("lamp-003", 1, 46)
    assert message["sent"] == 1
    assert message["made_us"] == 10_000_000
    heard = t.mesh_events("heard")
    assert set(heard["peer"]) == {"lamp-003"}
    assert set(heard["hops"]) == {1}


def test_a_directed_multicast_is_answered_in_turn() -> None:
    t = opened()
    number = t.multicast(to=["lamp"], payload_bytes=10, reply_bytes=8, delay_factor=10)
    t.run("10 s", progress=False)
    messages = t.messages()
    assert messages.loc[number, "directed"] == 12
    answers = messages[messages["asked"] == number]
    places = answers["source"].str.removeprefix("lamp-").astype(int) - 1
    assert len(set(places)) == len(answers) == messages.loc[number, "processed"] >= 10
    late_us = answers["made_us"] - 200_000 * places  # when each heard the question
    assert late_us.between(1_000, 100_000).all()
    assert answers["processed"].mean() > 0.8
    assert messages["asked"].isna().sum() == 1


def test_one_name_may_stand_alone() -> None:
    t = opened()
    number = t.multicast(to="lamp-004", reply_bytes=1)
    t.run("1 s", progress=False)
    assert t.messages().loc[number, "processed"] == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"source": "brigde"}, "did you mean bridge"),
        ({"to": ["lump"]}, "no node of the mesh"),
        ({"ttl": 0}, "from 1 to 255"),
        ({"ttl": 1.5}, "from 1 to 255"),
        ({"groups": 0}, "from 1 to 65,535"),
        ({"payload_bytes": 112}, "from 0 to 111"),
        ({"reply_bytes": 109}, "from 0 to 108"),
        ({"payload_bytes": 100, "to": ["lamp"]}, "which holds 111"),
        ({"delay_factor": 256}, "from 0 to 255"),
    ],
)
def test_what_cannot_be_sent(given: dict[str, object], said: str) -> None:
    t = opened()
    with pytest.raises(RunError, match=said):
        t.multicast(**given)  # type: ignore[arg-type]
    assert len(t.messages()) == 0


def test_without_a_mesh() -> None:
    t = twin.open("quiet_line").run("1 min", progress=False)
    with pytest.raises(RunError, match="no mesh"):
        t.multicast()
    assert t.mesh.number_of_nodes() == 0
    assert t.nodes().empty
    assert t.links().empty
    assert t.messages().empty
    assert t.mesh_events().empty
    assert not [name for name in t.kpis() if name.startswith("mesh_")]


def test_one_node_and_no_links() -> None:
    t = opened(("mesh.nodes", [])).run("2 min", progress=False)
    assert len(t.nodes()) == 1
    assert t.messages()["sent"].tolist() == [1, 1]
    assert t.kpis()["mesh_reach_mean"].iloc[0] == 0.0
    assert t.kpis()["mesh_cut_off"].iloc[0] == 0
    far = opened(("mesh.radio.transmit_power", "-100 dBm")).run("2 min", progress=False)
    assert far.links().empty
    assert (far.nodes()["hops"][1:] == -1).all()
    assert far.kpis()["mesh_cut_off"].iloc[0] == 12


def test_a_bridge_that_does_not_forward() -> None:
    t = opened(("mesh.bridges.bridge.forward_groups", 0)).run("1 min", progress=False)
    events = t.mesh_events()
    assert events["kind"].tolist() == ["dropped"]
    assert events["cause"].tolist() == ["not_forwarded"]
    assert "forwards no group" in t.nodes()["cut_off"].iloc[0]


def test_the_graph_and_the_tables_agree() -> None:
    t = opened()
    assert isinstance(t.mesh, nx.DiGraph)
    assert t.mesh.number_of_edges() == len(t.links())
    assert t.mesh is t.mesh
    assert t.nodes()["node"].tolist() == list(t.mesh)
    reach = t.expected_reach("bridge", 3)
    assert reach.index.tolist() == [1, 2, 3]
    assert reach.is_monotonic_increasing
    with pytest.raises(RunError, match="nodes"):
        t.expected_reach("brigde")


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_any_slicing_gives_the_same_rows(engine: str) -> None:
    whole = opened(engine=engine).run("5 min", progress=False)
    sliced = opened(engine=engine)
    for _ in range(300):
        sliced.run("1 s", progress=False)
    assert whole.mesh_rows().tobytes() == sliced.mesh_rows().tobytes()
    assert whole.messages().equals(sliced.messages())
    assert whole.kpis().equals(sliced.kpis())


def test_both_engines_say_the_same() -> None:
    one, other = (
        opened(engine=engine).run("20 min", progress=False) for engine in ("compiled", "reference")
    )
    assert one.mesh_rows().tobytes() == other.mesh_rows().tobytes()
    assert one.nodes().equals(other.nodes())
    assert one.kpis().equals(other.kpis())


def test_rows_are_not_needed_for_key_figures() -> None:
    rows, kpis = (opened(record=record).run("5 min", progress=False) for record in ("rows", "kpis"))
    assert rows.kpis().equals(kpis.kpis())
    with pytest.raises(RunError, match="keeps no rows"):
        kpis.mesh_rows()


def test_the_floor_does_not_notice_the_mesh() -> None:
    with_mesh = opened().run("10 min", progress=False)
    without = twin.open("quiet_line").run("10 min", progress=False)
    assert with_mesh.rows().tobytes() == without.rows().tobytes()


def test_multicasts_are_in_the_journal(tmp_path: Path) -> None:
    before = opened(state=tmp_path / "t.sqlite").run("1 min", progress=False)
    before.multicast(to=["lamp-001"], reply_bytes=3)
    before.run("1 min", progress=False)
    before.save()
    rows = before.mesh_rows().copy()
    again = twin.open(tmp_path / "t.sqlite")
    assert again.mesh_rows().tobytes() == rows.tobytes()
    pd.testing.assert_frame_equal(again.messages(), before.messages())


def test_events_of_a_kind_that_does_not_exist() -> None:
    with pytest.raises(RunError, match="sent, heard, dropped"):
        opened().mesh_events("lost")
