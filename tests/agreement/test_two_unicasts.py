"""Unicasts in two engines, one trace: routes, acknowledgements, pings, reports, power cuts."""

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pytest

from tests.agreement.meshes import (
    GRAPHS,
    PROTOCOLS,
    SECOND_US,
    Moving,
    Run,
    Sending,
    Switching,
    plan,
    run,
)
from tests.agreement.test_two_meshes import assert_same
from twin.events import Answer, Cause, Mark, MeshKind, MessageKind
from twin.mesh.plan import MeshPlan

UNTIL_US = 15 * SECOND_US


def sendings(nodes: int) -> list[Sending]:
    """Return unicasts far and near, several at once, questions, pings, and floods among them."""
    last, middle = nodes - 1, nodes // 2
    found = [
        Sending(0, 0, target=last, reply_bytes=8, awaited=1),
        Sending(0, 0, target=middle, reply_bytes=8, awaited=1),
        Sending(1000, last, target=0),
        Sending(5 * SECOND_US, 0, ttl=5),
        Sending(5 * SECOND_US, 0, target=middle, answer=Answer.PING, reply_bytes=6, awaited=1),
        Sending(6 * SECOND_US, middle, target=0, reply_bytes=80, unless=Mark.NO_SCRIPT),
        Sending(7 * SECOND_US, 0, ttl=5, answer=Answer.PING, window_us=SECOND_US),
        Sending(9 * SECOND_US, 0, ttl=3, answer=Answer.REPORT, reply_bytes=10),
        *(Sending(12 * SECOND_US, 0, target=n, reply_bytes=5, awaited=1) for n in range(1, nodes)),
    ]
    return [sending for sending in found if sending.source != sending.target]


def both(
    mesh: MeshPlan,
    changes: Sequence[Switching | Moving] = (),
    cuts: tuple[int, ...] = (),
) -> Run:
    messages = sendings(mesh.nodes)
    compiled = run("compiled", mesh, messages, UNTIL_US, cuts, changes)
    reference = run("reference", mesh, messages, UNTIL_US, cuts, changes)
    assert_same(compiled, reference)
    assert compiled.halts_us.tolist() == reference.halts_us.tolist()
    return compiled


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("graph", GRAPHS)
def test_same_rows(graph: str, protocol: str, seed: int) -> None:
    both(plan(GRAPHS[graph], seed, PROTOCOLS[protocol], reception=0.8))


@pytest.mark.parametrize("seed", range(10, 22))
def test_same_rows_over_many_seeds(seed: int) -> None:
    graph = nx.random_geometric_graph(40, 0.25, seed=seed)
    both(plan(graph, seed, PROTOCOLS["carrier sense"] | {"attempts": 3}, memory=(2, 4)))


@pytest.mark.parametrize("seed", range(4))
def test_same_rows_when_nodes_go_and_come(seed: int) -> None:
    mesh = plan(GRAPHS["grid"], seed, reception=0.9)
    switchings = [
        Switching(4_000, (1, 6), is_on=False),
        Switching(200_000, (7,), is_on=False, is_script=True),
        Switching(600_000, (5,), is_on=False),
        Switching(5 * SECOND_US + 3_000, (12, 13, 0), is_on=False),
        Switching(6 * SECOND_US, (0, 1, 5, 6, 7, 12, 13), is_on=True),
        Switching(12 * SECOND_US + 20_000, (11, 12, 13), is_on=False),
    ]
    found = both(mesh, switchings)
    assert (found.rows["cause"] == Cause.SWITCHED_OFF).any()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("graph", ["grid", "random", "everyone hears everyone"])
def test_same_rows_when_nodes_move_to_another_channel(graph: str, seed: int) -> None:
    """In the midst of frames, too: of theirs, and of those that they follow."""
    mesh = plan(GRAPHS[graph], seed, reception=0.9)
    busy = [sending.now_us for sending in sendings(mesh.nodes)]
    moments = [moment_us + offset_us for moment_us in sorted({*busy}) for offset_us in
               (2_500, 4_100, 24_300, 60_000 + 700 * seed)]  # fmt: skip
    movings = [
        Moving(moment_us, tuple({(7 * k + n) % mesh.nodes for n in (0, 1, 5)}), k % 3)
        for k, moment_us in enumerate(moments)
    ]
    whole = both(mesh, changes=movings)
    assert whole.rows.tobytes() != both(mesh).rows.tobytes()
    assert_same(whole, both(mesh, changes=movings, cuts=(2_600, 24_301, 9 * SECOND_US)))


def test_who_moves_in_the_midst_of_a_frame_loses_it_and_hears_its_new_channel() -> None:
    line = plan(nx.path_graph(3), 1, {"jitter": 0}, reception=1.0)
    one = Sending(0, 1, ttl=1)
    for engine in ("compiled", "reference"):
        for moved, heard in (((2,), 1), ((1,), 0), ((0, 2), 0), ((0, 1, 2), 0)):
            found = run(engine, line, [one], SECOND_US, changes=[Moving(500, moved, 3)])
            assert found.messages["heard"].tolist() == [heard]
        there = run(
            engine, line, [one._replace(now_us=2_000)], SECOND_US, changes=[Moving(500, (1, 2), 3)]
        )
        assert there.rows["node"][there.rows["kind"] == MeshKind.HEARD].tolist() == [2]


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("graph", ["grid", "random"])
def test_same_rows_however_sliced(engine: str, graph: str) -> None:
    mesh = plan(GRAPHS[graph], 5, reception=0.7)
    messages = sendings(mesh.nodes)
    whole = run(engine, mesh, messages, UNTIL_US)
    on_rows = np.unique(whole.rows["time_us"])[::7].tolist()
    cuts = tuple(sorted({*on_rows, *(moment_us + 1 for moment_us in on_rows)}))
    sliced = run(engine, mesh, messages, UNTIL_US, cuts)
    assert_same(whole, sliced)
    assert whole.halts_us.tolist() == sliced.halts_us.tolist()


def test_a_small_chunk_gives_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = plan(GRAPHS["random"], 2, reception=0.8)
    whole = run("compiled", mesh, sendings(mesh.nodes), UNTIL_US)
    monkeypatch.setattr("twin.mesh.compiled.engine.KEPT_CHUNK_ROWS", 8)
    assert_same(whole, run("compiled", mesh, sendings(mesh.nodes), UNTIL_US))


def test_everything_happens() -> None:
    found = [
        both(plan(GRAPHS[graph], 3, {"attempts": 2}, reception=0.6, memory=(3, 16)))
        for graph in ("grid", "random", "line")
    ]
    rows = np.concatenate([run.rows for run in found])
    assert set(rows["kind"].tolist()) == set(MeshKind)
    assert set(rows["cause"].tolist()) >= {Cause.NO_ROUTE, Cause.NO_ACK, Cause.BUFFER_FULL}
    messages = np.concatenate([run.messages for run in found])
    assert set(messages["kind"].tolist()) == set(MessageKind)
    assert set(messages["answer"].tolist()) == set(Answer)
    use = np.concatenate([run.use for run in found])
    for name in ("acks", "acks_heard", "overheard", "duplicates", "lost_collision"):
        assert use[name].sum() > 0, name
    assert all(len(run.halts_us) > 0 for run in found)
