"""A night's upgrade of 1,000 nodes, and the same of 100 in both engines."""

import resource
import time

import numpy as np
from numpy.typing import NDArray

import twin
from benchmarks.measure import RUNS, median, spread
from twin.scenario import Scenario, load, vary

NODES = 100
_MIB = 1 / 1024


def timed(scenario: Scenario, engine: str = "compiled") -> tuple[twin.Twin, float]:
    """Return the twin after the upgrade, and how long it took to get there [s]."""
    t = twin.open(scenario, engine=engine)
    before = time.perf_counter()
    while t.upgrades()["status"].iloc[0] in ("planned", "running"):
        t.run("2 min", progress=False)
    return t, time.perf_counter() - before


def cut(scenario: Scenario, nodes: int) -> Scenario:
    """Return the same hall with fewer nodes, as dense as before."""
    group, hall = scenario.mesh.nodes[0], scenario.site.zones[0]
    ratio = (nodes / (group.count + 1)) ** 0.5
    width_m, depth_m = hall.width_m * ratio, hall.depth_m * ratio
    for key, value in {
        "mesh.nodes.display.count": nodes - 1,
        "site.zones.hall.width": f"{width_m} m",
        "site.zones.hall.depth": f"{depth_m} m",
        "mesh.bridges.bridge.x": f"{width_m / 2} m",
        "mesh.bridges.bridge.y": f"{depth_m / 2} m",
    }.items():
        scenario = vary(scenario, key, value)
    return scenario


def upgrades() -> None:
    """Multicast with repair over upgrade_night, and against the SimPy mesh."""
    night = load("upgrade_night")
    timed(cut(night, 10))  # compiled
    taken = []
    for _ in range(RUNS):
        t, seconds = timed(night)
        taken.append(seconds)
    line = t.upgrades().iloc[0]
    use = t.nodes()
    attempts = int(((use["sent"] + use["acks"]) * _degrees(t)).sum())
    rate = 59_904 / (line["t95_min"] * 60)
    print(
        f"upgrade_night: {line['succeeded']} of {line['devices']} devices in "
        f"{line['minutes']:.1f} min, 95 % in {line['t95_min']:.1f} min: {rate:.0f} B/s"
    )
    print(f"  {spread(taken)} s for {attempts / 1e6:.0f} M attempts (goal: 4)")
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MIB
    print(f"  {peak_mib:,.0f} MiB at most, {RUNS} runs (goal: 1,024)")
    small = cut(night, NODES)
    ours, mine = timed(small)
    theirs, other = timed(small, "reference")
    assert ours.mesh_rows().tobytes() == theirs.mesh_rows().tobytes()
    again = median([mine, *(timed(small)[1] for _ in range(RUNS - 1))])
    print(f"  cut to {NODES} nodes: SimPy's mesh {other / again:.0f} times slower (goal: 20)")


def large_mesh() -> None:
    """A survey of 10,000 nodes, node by node, and an upgrade of all by multicast."""
    small = load("mesh_10k")
    for number in range(1, 11):
        small = vary(small, f"mesh.nodes.lamp-{number:02d}.count", 3)
    surveyed(small)  # compiled
    taken, parts = [], []
    for _ in range(RUNS):
        t, survey_s = surveyed(load("mesh_10k"))
        before = time.perf_counter()
        t.upgrade(t.make_image("McastCounter", 3489), transport="multicast")
        while t.upgrades()["status"].iloc[0] != "done":
            t.run("1 min", progress=False)
        parts.append((survey_s, time.perf_counter() - before))
        taken.append(sum(parts[-1]))
    survey, line = t.surveys().iloc[0], t.upgrades().iloc[0]
    print(
        f"mesh_10k, {t.nodes().shape[0]:,} nodes with ten bridges: a survey finds "
        f"{survey['links']:,} links in {survey['minutes']:.0f} min, {survey['silent']} silent; "
        f"3.5 KB to {line['succeeded']:,} of {line['devices']:,} in {line['minutes']:.1f} min"
    )
    print(f"  {spread(taken)} s (goal: 60), of which the survey {spread([s for s, _ in parts])}")


def surveyed(scenario: Scenario) -> tuple[twin.Twin, float]:
    """Return the twin after a survey, and how long it took to get there [s]."""
    t = twin.open(scenario)
    before = time.perf_counter()
    t.survey("A")
    while t.surveys()["status"].iloc[0] != "done":
        t.run("1 min", progress=False)
    return t, time.perf_counter() - before


def _degrees(t: twin.Twin) -> NDArray[np.int64]:
    """Return how many receivers each node has in reach."""
    return np.diff(t._site.network.plan.first_link)
