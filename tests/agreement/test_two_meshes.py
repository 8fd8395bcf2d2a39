"""Two engines of the mesh, one trace: byte for byte, over graphs, protocols, seeds and slicings."""

import os
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest

from tests.agreement.meshes import GRAPHS, PROTOCOLS, SECOND_US, Run, Sending, plan, run
from twin.events import Cause, MeshKind
from twin.mesh.plan import MeshPlan
from twin.mesh.reference import air as reference_air
from twin.mesh.reference import engine as reference_engine

UNTIL_US = 3 * SECOND_US
HOUR_US = 3600 * SECOND_US


def sendings(nodes: int) -> list[Sending]:
    """Return messages that get in each other's way: at once, to all, to some, with answers."""
    last = nodes - 1
    return [
        Sending(0, 0),
        Sending(0, last, ttl=2),
        Sending(0, nodes // 2, groups=2),
        Sending(0, 0, groups=4),
        Sending(SECOND_US, 0, reply_bytes=10),
        Sending(SECOND_US, nodes // 2, to=(0, last), reply_bytes=4),
        Sending(2 * SECOND_US, last, ttl=1),
        Sending(2 * SECOND_US, 0, ttl=255),
        Sending(2 * SECOND_US, 0, ttl=255),
    ]


def assert_same(one: Run, other: Run) -> None:
    for i in range(min(len(one.rows), len(other.rows))):
        if one.rows[i] != other.rows[i]:
            names = one.rows.dtype.names
            pytest.fail(f"row {i} differs:\n{names}\n{one.rows[i]}\n{other.rows[i]}")
    assert len(one.rows) == len(other.rows)
    assert one.rows.tobytes() == other.rows.tobytes()
    for name in one.messages.dtype.names or ():
        assert one.messages[name].tolist() == other.messages[name].tolist(), name
    for name in one.use.dtype.names or ():
        assert one.use[name].tolist() == other.use[name].tolist(), name


def both(mesh: MeshPlan, *, until_us: int = UNTIL_US) -> Run:
    messages = sendings(mesh.nodes)
    compiled = run("compiled", mesh, messages, until_us)
    assert_same(compiled, run("reference", mesh, messages, until_us))
    return compiled


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("graph", GRAPHS)
def test_same_rows(graph: str, protocol: str, seed: int) -> None:
    both(plan(GRAPHS[graph], seed, PROTOCOLS[protocol]))


@pytest.mark.parametrize("seed", range(10, 30))
def test_same_rows_over_many_seeds(seed: int) -> None:
    graph = nx.random_geometric_graph(60, 0.22, seed=seed)
    both(plan(graph, seed, PROTOCOLS["carrier sense"] | {"collision_detect": 1}))


@pytest.mark.parametrize("seed", range(5))
def test_same_rows_with_little_memory(seed: int) -> None:
    mesh = plan(GRAPHS["random"], seed, PROTOCOLS["few slots"], memory=(1, 1))
    found = both(mesh)
    assert (found.rows["cause"] == Cause.BUFFER_FULL).any()
    heard = found.rows[found.rows["kind"] == MeshKind.HEARD]
    assert (found.messages["source"][heard["message"]] != heard["node"]).all()


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("graph", ["grid", "everyone hears everyone", "random"])
def test_same_rows_however_sliced(engine: str, graph: str) -> None:
    mesh = plan(GRAPHS[graph], 5)
    messages = sendings(mesh.nodes)
    whole = run(engine, mesh, messages, UNTIL_US)
    on_rows = np.unique(whole.rows["time_us"])[::7].tolist()
    cuts = tuple(sorted({*on_rows, *(moment_us + 1 for moment_us in on_rows)}))
    assert_same(whole, run(engine, mesh, messages, UNTIL_US, cuts))


def test_same_rows_over_hours() -> None:
    mesh = plan(GRAPHS["random"], 1, interference=0.6)
    messages = [Sending(hour * HOUR_US - 20_000, 0) for hour in range(1, 6)]
    one = run("compiled", mesh, messages, 6 * HOUR_US)
    assert_same(one, run("reference", mesh, messages, 6 * HOUR_US))
    assert len({int(row) for row in one.messages["heard"]}) > 1


def test_a_small_chunk_gives_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = plan(GRAPHS["random"], 2)
    whole = run("compiled", mesh, sendings(mesh.nodes), UNTIL_US)
    monkeypatch.setattr("twin.mesh.compiled.engine.KEPT_CHUNK_ROWS", 8)
    assert_same(whole, run("compiled", mesh, sendings(mesh.nodes), UNTIL_US))


def test_every_kind_of_row_and_loss_happens() -> None:
    found = [both(plan(GRAPHS["random"], 3, PROTOCOLS[name])) for name in PROTOCOLS]
    rows = np.concatenate([run.rows for run in found])
    assert set(rows["kind"].tolist()) == set(MeshKind) - {MeshKind.ACKED}
    assert set(rows["cause"].tolist()) >= {Cause.NONE, Cause.CHANNEL_BUSY, Cause.NOT_FORWARDED}
    use = np.concatenate([run.use for run in found])
    for name in {*(use.dtype.names or ())} - {"acks", "acks_heard", "overheard"}:
        assert use[name].sum() > 0, name


def _sloppy(self: reference_engine.ReferenceMesh, moment_us: int, what: object, node: object,
            link_free: bool = False) -> None:  # fmt: skip
    """Things that happen at the same moment happen in the order in which they were planned."""
    event = reference_air.simpy.Event(self._env)
    event._ok, event._value = True, None
    event.callbacks = [lambda _: what(node)]  # type: ignore[operator]
    self._env.schedule(event, 2, moment_us - self._now_us)  # type: ignore[arg-type]


@pytest.mark.parametrize("graph", ["grid", "random"])
def test_without_the_tie_rule_they_differ(graph: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = plan(GRAPHS[graph], 5, PROTOCOLS["few slots"])
    messages = sendings(mesh.nodes)
    right = run("compiled", mesh, messages, UNTIL_US)
    monkeypatch.setattr(reference_engine.ReferenceMesh, "_at", _sloppy)
    wrong = run("reference", mesh, messages, UNTIL_US)
    assert right.rows.tobytes() != wrong.rows.tobytes()


OFF = """
from tests.agreement.meshes import GRAPHS, PROTOCOLS, plan, run
from tests.agreement.test_two_meshes import UNTIL_US, assert_same, sendings
from twin.compiling import COMPILED
import hashlib
assert COMPILED is {compiled}
mesh = plan(GRAPHS["grid"], 7, PROTOCOLS["carrier sense"] | {{"collision_detect": 1}})
one = run("compiled", mesh, sendings(mesh.nodes), UNTIL_US)
assert_same(one, run("reference", mesh, sendings(mesh.nodes), UNTIL_US))
print(hashlib.sha256(one.rows.tobytes()).hexdigest(), len(one.rows))
"""


def test_same_rows_with_the_compiler_off() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", OFF.format(compiled=off == "0")],
            env={**os.environ, "NUMBA_DISABLE_JIT": off},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for off in ("0", "1")
    ]
    assert said[0] == said[1]
    assert int(said[0].split()[1]) > 100
