"""Two engines, one trace, also where floor and mesh disturb each other."""

import os
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

import twin
from tests.agreement.meshes import GRAPHS, SECOND_US, plan
from tests.agreement.shapes import BAD_LINKS, CHANGES, DENSE, DROPS, LOSSY
from tests.agreement.test_two_engines import assert_same
from tests.agreement.test_two_meshes import sendings
from tests.band import mesh_rows, site
from tests.laws.floors import TAKEN
from twin.events import MESH_EVENT, Kind
from twin.mesh.engines import make_mesh
from twin.mesh.plan import WISH
from twin.scenario import Scenario, load, vary
from twin.twin import Twin

WIFI = [{"channel": 6, "duty": "2 %"}]
BURSTS = [
    # Steady; in bursts with pauses of many steps; with answers long after the question.
    {"name": "often", "after": "20 s", "every": "400 ms", "ttl": 2, "payload_bytes": 90},
    {"name": "seldom", "after": "10 s", "every": "45 s", "ttl": 3, "reply_bytes": 20,
     "reply_window": "8 s"},
]  # fmt: skip


def shared(changes: dict[str, object], seconds: float = 1.0) -> Scenario:
    """Return the reference site with a small mesh and a band that is shared in short steps."""
    found = load("reference_site")
    bridge = found.mesh.bridges[0]
    lamps = {"name": "lamp", "zone": "picking", "count": 24, "placement": "grid"}
    band = {"step": f"{seconds} s", "wifi": WIFI}
    for key, value in {
        **changes,
        "run.horizon": "2 min",
        "mesh.multicasts": [],
        "snap.devices": [],
        "snap.collectors": [],
        "mesh.bridges": [{"name": bridge.name, "x": "60 m", "y": "40 m"}],
        "mesh.nodes": [lamps],
        "mesh.multicasts.": [{**item, "source": bridge.name} for item in BURSTS],
        "coexistence": band,
    }.items():
        found = vary(found, key.removesuffix("."), value)
    return found


FLOORS = {
    "lossy": {**DENSE, **LOSSY},
    "bad links": {**DENSE, **BAD_LINKS, **DROPS},
    "swaps": {**CHANGES["site with everything"][1], "links.outages": [],
              "fleet.ready_charge": "99.8 %", "fleet.low_charge": "99.5 %",
              "fleet.scanners": [{"model": "MARK 3", "count": 42}]},
    "everything": {**CHANGES["site with everything"][1]},
    "links that hold": {**DENSE, **LOSSY, "links.ble.stationary.drops": False,
                        "links.ble.mobile.drops": False},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _strong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let BLE hop over few channels: what others take is then large, and links drop of it."""
    monkeypatch.setattr("twin.world.coexistence.BLE_DATA_CHANNELS", 2)


def run(scenario: Scenario, engine: str, seed: int, cuts: Sequence[int] = ()) -> Twin:
    opened = twin.open(scenario, seed=seed, engine=engine)
    for moment_us in (*cuts, scenario.run.horizon_us):
        opened.run_to_us(moment_us, progress=False)
    return opened


def assert_both_same(one: Twin, other: Twin) -> None:
    assert_same(one, other)
    assert mesh_rows(one).tobytes() == mesh_rows(other).tobytes()


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
@pytest.mark.parametrize("name", FLOORS)
def test_same_rows(name: str, seed: int) -> None:
    scenario = shared(FLOORS[name])
    compiled = run(scenario, "compiled", seed)
    assert_both_same(compiled, run(scenario, "reference", seed))
    figures = compiled.kpis().iloc[0]
    assert figures["ble_taken_max"] > figures["ble_taken_mean"] > 0.01
    assert figures["mesh_taken_max"] > 0.0


@pytest.mark.parametrize("seed", range(20, 24))
def test_same_rows_over_many_seeds(seed: int) -> None:
    scenario = vary(shared(FLOORS["everything"], 0.7), "run.horizon", "60 s")
    assert_both_same(run(scenario, "compiled", seed), run(scenario, "reference", seed))


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_same_rows_however_sliced(engine: str) -> None:
    scenario = shared(FLOORS["everything"])
    whole = run(scenario, "compiled", 5)
    times = np.concatenate([whole.rows()["time_us"], mesh_rows(whole)["time_us"]])
    on_rows = np.unique(times)[:: max(1, len(np.unique(times)) // 9)].tolist()
    steps = [10 * SECOND_US, 31 * SECOND_US, 95 * SECOND_US]
    cuts = sorted({*steps, *on_rows, *(moment_us + 1 for moment_us in on_rows)})
    assert_both_same(whole, run(scenario, engine, 5, cuts))


def test_drops_come_of_the_disturbance() -> None:
    """The comparison means something only where what is taken changes drops, scans and frames."""
    scenario = shared(FLOORS["bad links"])
    one, other = run(scenario, "compiled", 1), run(vary(scenario, "coexistence.near", "0 dBm"),
                                                   "compiled", 1)  # fmt: skip
    drops = [t.rows()["time_us"][t.rows()["kind"] == Kind.DROP].tolist() for t in (one, other)]
    assert set(drops[0]) != set(drops[1])
    assert len(drops[0]) > len(drops[1])
    assert mesh_rows(one).tobytes() != mesh_rows(other).tobytes()
    phones = [g for g, gateway in enumerate(one.roster.gateways) if gateway.kind == "mobile"]
    taken = one.rows()[np.isin(one.rows()["kind"], TAKEN)]
    assert np.isin(taken["gateway"], phones).any()


@pytest.mark.parametrize("graph", ["grid", "random", "everyone hears everyone"])
def test_a_mesh_that_is_disturbed_now_and_then(graph: str) -> None:
    mesh = plan(GRAPHS[graph], 3, interference=0.3)
    found = []
    for engine in ("compiled", "reference"):
        built, rows = make_mesh(engine, mesh), [np.zeros(0, MESH_EVENT)]
        for step in range(40):
            now_us = step * SECOND_US // 10
            rows += built.advance(now_us)
            built.disturb(np.arange(mesh.nodes) * (step % 7) / (7.0 * mesh.nodes))
            due = [s for s in sendings(mesh.nodes) if s.now_us == now_us]
            wishes = np.zeros(len(due), WISH)
            for wish, sending in zip(wishes, due, strict=True):
                wish["source"], wish["ttl"], wish["groups"] = sending.source, sending.ttl, 1
                wish["payload_bytes"] = 20
            if due:
                built.offer(wishes, np.zeros(0, np.int32), now_us)
        found.append((np.concatenate(rows).tobytes(), built.use()["lost_link"].tolist()))
    assert found[0] == found[1]
    assert sum(found[0][1]) > 0


def test_the_mesh_says_when_something_comes_next() -> None:
    mesh = plan(GRAPHS["line"], 1)
    for engine in ("compiled", "reference"):
        built = make_mesh(engine, mesh)
        assert built.next_us == 2**63 - 1
        wishes = np.zeros(1, WISH)
        wishes["ttl"] = wishes["groups"] = wishes["payload_bytes"] = 1
        built.offer(wishes, np.zeros(0, np.int32), 5)
        assert 5 <= built.next_us <= 5 + 5000


def test_same_rows_with_the_compiler_off() -> None:
    program = (
        "import twin, hashlib;"
        "from tests.band import mesh_rows, site, upgrade;"
        "sent = upgrade(after='5 s', every='1 s');"
        "s = site({'step': '1 s'}, run__horizon='20 s', mesh__multicasts=sent);"
        "runs = [twin.open(s, engine=e).run(progress=False) for e in ('compiled', 'reference')];"
        "rows = [t.rows().tobytes() + mesh_rows(t).tobytes() for t in runs];"
        "print([hashlib.sha256(r).hexdigest() for r in rows], len(rows[0]))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"NUMBA_DISABLE_JIT": off}, capture_output=True, text=True, check=True,
        ).stdout
        for off in ("0", "1")
    ]  # fmt: skip
    assert outputs[0] == outputs[1]
    first, second = outputs[0].split("'")[1::2]
    assert first == second


def test_a_section_that_disturbs_nobody_changes_no_row() -> None:
    """Steps, exchanges and all: only what is taken may make a difference."""
    far = {"near": "0 dBm"}
    for scenario in (site(None), shared(FLOORS["everything"])):
        apart = run(_without(scenario), "compiled", 3)
        together = run(vary(scenario, "coexistence", far), "compiled", 3)
        assert apart.rows().tobytes() == together.rows().tobytes()
        assert mesh_rows(apart).tobytes() == mesh_rows(together).tobytes()
        assert "ble_taken_mean" in together.kpis()
        assert "ble_taken_mean" not in apart.kpis()


def _without(scenario: Scenario) -> Scenario:
    document = scenario.document()
    document.pop("coexistence", None)
    return twin.scenario.from_document(document)
