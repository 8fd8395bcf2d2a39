"""Floods over the mesh: what a reception attempt costs, beside Cimba and SimPy, and with size."""

import subprocess
import sys
import time
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from benchmarks.measure import RUNS, median, spread
from twin.draws import entity_word, fold, root
from twin.mesh.engines import make_mesh
from twin.mesh.plan import LINK, MAC, RADIO, ROUTING, MeshPlan, empty_wishes
from twin.mesh.rules.radio import power_fw

SIZES = {100: 2000, 500: 400, 2000: 100, 10_000: 20}
"""How many floods of each size make one run."""
TURNS = 60
"""How often small and large are compared."""
APART_US = 20_000_000
"""From one flood to the next: long after it is over [us]."""
PAYLOAD_BYTES, OVERHEAD_BYTES = 48, 16  # a frame of 64 bytes
FORWARD_US = 100_000
NO_CAPTURE = 1e12
"""Where frames meet both are lost, as in the peers."""


class Flooded(NamedTuple):
    """What came of a run: counts over all floods, mean share of nodes reached, time taken [s]."""

    transmissions: int
    attempts: int
    decoded: int
    reach: float
    seconds: float


def flood_plan(nodes: int) -> tuple[MeshPlan, int]:
    """Return the graph of the peers as a mesh, and the node at which floods begin."""
    from benchmarks.flood_peers import GRAPH_SEED, graph, source  # noqa: PLC0415 - needs scipy

    bounds, receivers, reception = graph(nodes, GRAPH_SEED)
    words = np.array([entity_word(f"node/{n}") for n in range(nodes)], np.int64)
    states = [fold(root(GRAPH_SEED), word) for word in words.tolist()]
    starts = np.repeat(np.arange(nodes), np.diff(bounds))
    links = np.zeros(len(receivers), LINK)
    links["end"], links["reception"], links["hears"] = receivers, reception, 1
    links["power_fw"] = power_fw(-60.0)
    links["state"] = [
        fold(states[a], int(words[b])) for a, b in zip(starts, receivers, strict=True)
    ]
    mac = np.zeros(1, MAC)
    mac["jitter"], mac["slot_us"], mac["forward_jitter_us"] = 1, 1, FORWARD_US
    mac["capture_ratio"], mac["overhead_bytes"] = NO_CAPTURE, OVERHEAD_BYTES
    mac["reference_bytes"] = PAYLOAD_BYTES + OVERHEAD_BYTES
    everybody = np.ones(nodes, np.int32)
    nobody = np.zeros(nodes, bool)
    plan = MeshPlan(
        mac, np.zeros(1, RADIO), np.zeros(1, ROUTING), words, everybody, everybody, nobody, links,
        bounds, 6, 16,
    )  # fmt: skip
    return plan, source(bounds, receivers)


def floods(plan: MeshPlan, begins: int, count: int, engine: str = "compiled") -> Flooded:
    """Return what comes of some floods, one after the other; rows are counted and not kept."""
    mesh = make_mesh(engine, plan, keeps_rows=False)
    wish, nobody = empty_wishes(1), np.zeros(0, np.int32)
    wish["source"], wish["groups"], wish["ttl"] = begins, 1, 255
    wish["payload_bytes"] = PAYLOAD_BYTES
    mesh.offer(wish, nobody, 0)
    rows = sum(len(chunk) for chunk in mesh.advance(APART_US))  # compiled, and warm
    warm = mesh.use()
    before = time.perf_counter()
    for number in range(1, count + 1):
        mesh.offer(wish, nobody, number * APART_US)
        for chunk in mesh.advance((number + 1) * APART_US):
            rows += len(chunk)
    taken = time.perf_counter() - before
    use = mesh.use()
    sent, heard = (use[name] - warm[name] for name in ("sent", "heard"))
    decoded = int((heard + use["duplicates"] - warm["duplicates"]).sum())
    assert rows == use["sent"].sum() + use["heard"].sum()
    attempts = int((sent * np.diff(plan.first_link)).sum())
    reach = 1.0 / plan.nodes + heard.sum() / (plan.nodes * count)
    return Flooded(int(sent.sum()), attempts, decoded, float(reach), taken)


def cimba(nodes: int, count: int) -> Flooded:
    """Return what comes of the same floods in Cimba, in a process of its own."""
    line = [sys.executable, "-m", "benchmarks.flood_peers", "cimba", str(nodes), str(count)]
    told = subprocess.run(line, check=True, capture_output=True, text=True).stdout.split()
    return Flooded(*(int(text) for text in told[:3]), float(told[3]), float(told[4]))


def _growth(small: tuple[MeshPlan, int], large: tuple[MeshPlan, int]) -> float:
    """Return how much more an attempt costs on a large mesh than on a small one [%].

    The small one runs before and after, all within a quarter of a second: the clock of a processor
    that others share changes by a third from one second to the next.
    """
    before, there, after = floods(*small, 400), floods(*large, 4), floods(*small, 400)
    here = (before.seconds + after.seconds) / (before.attempts + after.attempts)
    return 100 * (there.seconds / there.attempts / here - 1)


def flood() -> None:
    """Plain floods on random graphs of degree 10: what a reception attempt costs."""
    if find_spec("scipy") is None:
        print("floods: pip install -e '.[bench]'")
        return
    plans = {nodes: flood_plan(nodes) for nodes in SIZES}
    found: dict[int, list[Flooded]] = {nodes: [] for nodes in SIZES}
    theirs: list[Flooded] = []
    for _ in range(RUNS):
        for nodes, count in SIZES.items():
            found[nodes].append(floods(*plans[nodes], count))
        if find_spec("cimba") is not None:
            theirs.append(cimba(500, SIZES[500]))
    print("plain floods, mean degree 10, loss and collisions, every node sends once, one core")
    for nodes, runs in found.items():
        assert len({run[:4] for run in runs}) == 1, runs
        rates = [run.attempts / run.seconds / 1e6 for run in runs]
        goal = "   (goal: 25)" if nodes == 500 else ""
        print(f"  {nodes:>6,} nodes  {spread(rates)} M reception attempts/s{goal}")
    more = sorted(_growth(plans[100], plans[10_000]) for _ in range(TURNS))
    quarter = f"{more[TURNS // 4]:.1f} to {more[-TURNS // 4]:.1f}"
    print(f"  an attempt with 10,000 nodes against 100 costs {median(more):.1f} % more (goal: 30),")
    print(f"  median of {TURNS} short runs in turn (half of them {quarter})")
    ours = found[500][0]
    for run in theirs:
        assert abs(run.reach - ours.reach) < 0.01
        assert abs(run.decoded / run.attempts / (ours.decoded / ours.attempts) - 1) < 0.01
    if theirs:
        rates = [run.attempts / run.seconds / 1e6 for run in theirs]
        print(f"  Cimba, 500     {spread(rates)} M reception attempts/s")


def meshes() -> None:
    """The compiled mesh against the SimPy mesh, the same trace."""
    if find_spec("scipy") is None:
        return
    plan, begins = flood_plan(500)
    times: dict[str, list[float]] = {"compiled": [], "reference": []}
    for _ in range(RUNS):
        runs = {engine: floods(plan, begins, 20, engine) for engine in times}
        assert runs["compiled"][:4] == runs["reference"][:4]
        for engine, run in runs.items():
            times[engine].append(run.seconds)
    ratio = median(times["reference"]) / median(times["compiled"])
    print(f"20 floods over 500 nodes: SimPy's mesh {ratio:.0f} times slower (goal: 20, aim: 50)")
