"""Run with ``make bench``: prints each figure with its goal, and what it was measured on."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

import twin
from benchmarks.durable import forks
from benchmarks.experiments import experiments
from benchmarks.flood import flood, meshes
from benchmarks.measure import RUNS, in_turn, machine, median, seconds, spread
from benchmarks.upgrades import large_mesh, upgrades
from twin.api.clients import INSIGHT_URL
from twin.api.http import Request
from twin.events import EVENT, Kind
from twin.scenario import Scenario
from twin.twin import Twin
from twin.world.roster import make_roster
from twin.world.site import Site

HERE = Path(__file__).parent
HARDLY = "0.0000001 %"
ON_BUT_UNUSED = {
    "swaps": ("fleet.low_charge", HARDLY),
    "slips": ("work.wrong_scan", HARDLY),
    "uplink": ("links.acknowledgement_loss", HARDLY),
}
"""Features that are on and of which nothing comes: the engine has to look each time."""
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US


def started(scenario: Scenario, engine: str = "compiled") -> Twin:
    """Return a twin whose first sessions are open."""
    opened = twin.open(scenario, engine=engine)
    opened.run_to_us(1, progress=False)
    return opened


def site_scenario() -> Scenario:
    """Return eight hours of the reference site."""
    return twin.vary(twin.load("reference_site"), "run.horizon", "8 h")


def engines() -> None:
    """Compiled floor against the SimPy floor, the same trace, rows kept in memory."""
    scenario = site_scenario()
    kept: dict[str, Twin] = {}
    times: dict[str, list[float]] = {"compiled": [], "reference": []}
    for _ in range(RUNS):
        for engine, found in times.items():
            kept[engine] = started(scenario, engine)
            found.append(seconds(lambda e=engine: kept[e].run_to_us(8 * HOUR_US, progress=False)))
    rows = {engine: opened.rows().tobytes() for engine, opened in kept.items()}
    assert rows["compiled"] == rows["reference"]
    count = len(rows["compiled"]) // EVENT.itemsize
    ratio = median(times["reference"]) / median(times["compiled"])
    print(f"reference site, 8 h, {count:,} rows, byte for byte the same")
    print(f"  compiled   {spread(times['compiled'], 1e3)} ms")
    print(f"  SimPy      {spread(times['reference'], 1e3)} ms")
    print(f"  ratio      {ratio:.0f}   (goal: at least 50)")


def pipeline_scenario(workers: int, *changes: tuple[str, object]) -> Scenario:
    """Return the plain pipeline with so many workers, a gateway for every twenty."""
    scenario = twin.load(HERE / "pipeline.toml")
    for key, value in (
        ("work.shifts.day.workers", workers),
        ("fleet.scanners", [{"model": "MARK 3", "count": workers}]),
        ("fleet.gateways.hall.count", workers // 20),
        ("run.horizon", "8 h" if workers <= 2000 else "2 h"),
        *changes,
    ):
        scenario = twin.vary(scenario, key, value)
    return scenario


def pipeline_ns(
    workers: int, *changes: tuple[str, object]
) -> tuple[Callable[[], float], list[int]]:
    """Return what measures nanoseconds a scan of the pipeline, and where it puts its counts."""
    scenario, counts = pipeline_scenario(workers, *changes), list[int]()

    def measure() -> float:
        sizes: list[int] = []

        def count(chunk: object) -> None:
            sizes.append(len(chunk))  # type: ignore[arg-type]

        site = Site(scenario, 7, "compiled", count, keeps_rows=False)
        site.run(MINUTE_US)
        before = sum(sizes)
        taken = seconds(lambda: site.run(scenario.run.horizon_us))
        counts.append(sum(sizes) - before)
        return 1e9 * taken / counts[-1]

    return measure, counts


def pipeline() -> None:
    """The plain pipeline beside what users of other tools would write."""
    measures = {"plain": pipeline_ns(2000)}
    measures |= {name: pipeline_ns(2000, change) for name, change in ON_BUT_UNUSED.items()}
    found_ns: dict[str, list[float]] = {name: [] for name in measures}
    for measure, _ in measures.values():
        measure()  # compiled before it is measured
    for _ in range(RUNS):
        for name, (measure, _) in measures.items():
            found_ns[name].append(measure())
    counts = {count for _, each in measures.values() for count in each}
    assert len(counts) == 1, counts
    scans = counts.pop()
    assert scans > 2_500_000
    print(f"plain pipeline, 2,000 scanners, 100 gateways, 8 h, {scans:,} scans, one core")
    rates = [1e3 / ns for ns in found_ns["plain"]]
    print(f"  twin       {spread(rates, digits=2)} M scans/s   (goal: 6)")
    for name in ON_BUT_UNUSED:
        pairs = zip(found_ns["plain"], found_ns[name], strict=True)
        more = spread([on - off for off, on in pairs], digits=0)
        print(f"  with {name} alone on, and nothing coming of it: {more} ns more a scan")
    if find_spec("cimba") is None:
        print("  Cimba and SimPy: pip install -e '.[bench]'")
        return
    for name, duration_s in (("cimba", 8 * 3600), ("simpy", 1800)):
        found = [peer(name, duration_s) for _ in range(RUNS)]
        expected = scans * duration_s / (8 * 3600)
        assert all(abs(theirs / expected - 1) < 0.06 for theirs, _ in found)
        rates = [theirs / taken / 1e6 for theirs, taken in found]
        print(f"  {name:<10} {spread(rates, digits=3)} M scans/s")


def peer(name: str, duration_s: float) -> tuple[int, float]:
    """Return the scans of a peer and how long they took [s]."""
    line = [sys.executable, "-m", "benchmarks.peers", name, str(duration_s)]
    told = subprocess.run(line, check=True, capture_output=True, text=True).stdout.split()
    return int(told[0]), float(told[1])


def scale() -> None:
    """What a scan costs with more scanners."""
    sizes = (100, 2000, 20_000)
    measures = [pipeline_ns(size)[0] for size in sizes]
    found: list[list[float]] = [[] for _ in sizes]
    for _ in range(RUNS):
        for times, measure in zip(found, measures, strict=True):
            times.append(measure())
    print("a scan of the plain pipeline")
    for size, times in zip(sizes, found, strict=True):
        print(f"  {size:>6,} scanners  {spread(times, digits=0)} ns")
    more = median(found[-1]) - median(found[0])
    print(f"  from 100 to 20,000: {more:+.0f} ns   (goal: at most +120)")
    print(f"  a row takes {EVENT.itemsize} bytes   (goal: at most 64)")


def full() -> None:
    """Every feature on: the rate of the compiled floor, of the whole site, and the SimPy floor."""
    scenario = twin.load(HERE / "full.toml")
    rates = [scan_rates(scenario) for _ in range(RUNS)]
    print("every feature on, 1,000 workers, 8 h, one core")
    print(
        f"  the floor       {spread([r[0] for r in rates], 1e-6, 2)} M scans/s   (goal: 2, aim: 4)"
    )
    print(f"  the whole site  {spread([r[1] for r in rates], 1e-6, 2)} M scans/s")
    hour = twin.vary(scenario, "run.horizon", "1 h")
    times: dict[str, list[float]] = {"compiled": [], "reference": []}
    kept: dict[str, Twin] = {}
    for _ in range(RUNS):
        for engine, found in times.items():
            kept[engine] = started(hour, engine)
            found.append(seconds(lambda e=engine: kept[e].run_to_us(HOUR_US, progress=False)))
    rows = {engine: opened.rows().tobytes() for engine, opened in kept.items()}
    assert rows["compiled"] == rows["reference"]
    count = len(rows["compiled"]) // EVENT.itemsize
    ratio = median(times["reference"]) / median(times["compiled"])
    print(
        f"  SimPy's site    {ratio:.0f} times slower over an hour, {count:,} equal rows (goal: 50)"
    )


def scan_rates(scenario: Scenario) -> tuple[float, float]:
    """Return scans a second of the floor alone, and with what the site decides [1/s].

    Rows are counted and not kept.
    """
    scans, floor_s = 0, 0.0
    site = Site(scenario, 7, "compiled", lambda _: None, keeps_rows=False)
    advance = site.floor.advance

    def timed(until_us: int) -> Iterator[NDArray[np.void]]:
        nonlocal scans, floor_s
        begins = time.perf_counter()
        for chunk in advance(until_us):
            floor_s += time.perf_counter() - begins
            scans += int((chunk["kind"] == Kind.SCAN).sum())
            yield chunk
            begins = time.perf_counter()
        floor_s += time.perf_counter() - begins

    site.floor.advance = timed  # type: ignore[method-assign]
    taken = seconds(lambda: site.run(scenario.run.horizon_us))
    assert scans > 1_000_000
    return scans / floor_s, scans / taken


def analysis() -> None:
    """Job analysis of a day."""
    day = twin.open("reference_site").run(progress=False)
    day.rows()
    jobs = len(day.jobs())
    assert jobs == day.kpis()["jobs"].iloc[0] > 1000
    (times,) = in_turn([day.jobs])
    print(f"job analysis of a day, {jobs:,} jobs")
    print(f"  {spread(times, 1e3)} ms   (goal: under 100)")


def api() -> None:
    """Calls of the façade, on the thread of the caller."""
    day = twin.open("reference_site").run("8 h", progress=False)
    customer = day.customer_id
    login = day.insight.get(f"/{customer}/me").request.headers["authorization"]
    token = {"authorization": login}
    session = day.requests()
    session.headers["Authorization"] = login
    small, page = f"/{customer}/features", f"/{customer}/events"
    assert len(day.insight.get(page).json()["items"]) == 500

    def dispatched(path: str) -> None:
        assert day.call_insight(Request("GET", path, "", token)).status == 200

    def through_requests() -> None:
        assert session.get(INSIGHT_URL + small).status_code == 200

    calls = (
        ("a small GET, plain dispatch", lambda: dispatched(small), 500, "under 20"),
        ("the same through requests", through_requests, 100, "under 250"),
        ("a page of 500 events, plain dispatch", lambda: dispatched(page), 10, "under 4,000"),
    )
    print("Insight")
    for name, call, times, goal in calls:
        call()
        taken = [
            seconds(lambda c=call, n=times: [c() for _ in range(n)]) / times for _ in range(RUNS)
        ]
        print(f"  {name:<37} {spread(taken, 1e6, 0)} us   (goal: {goal})")


def pages() -> None:
    """Pages of a long list of events: the first ones, and those behind the thousandth."""
    busy = twin.vary(pipeline_scenario(2000), "work.pick_scale", 0.25)
    full = twin.open(busy)
    passing = seconds(lambda: full.run(progress=False))
    token = {"authorization": full.login(*full.insight_user).get(
        f"/{full.customer_id}/me").request.headers["authorization"]}  # fmt: skip

    def page(query: str) -> tuple[float, str]:
        before = time.perf_counter()
        found = full.call_insight(Request("GET", f"/{full.customer_id}/events", query, token))
        taken, content = time.perf_counter() - before, found.json()
        assert len(content["items"]) == 500
        return taken, urlsplit(content["links"]["next"]).query

    begun, query = page("limit=500")
    taken: list[float] = []
    for _ in range(1010):
        now, query = page(query)
        taken.append(now)
    again = [page("limit=500")[0] for _ in range(10)]
    count = len(full.rows())
    assert count > 10_000_000
    print(f"pages of 500 of {count:,} events, run in {passing:.1f} s")
    print(f"  the very first, which takes all up  {begun:.2f} s")
    print(f"  page 1, asked again                 {spread(again, 1e3, 2)} ms")
    print(f"  pages 2 to 11                       {spread(taken[:10], 1e3, 2)} ms")
    print(f"  pages 1,001 to 1,010                {spread(taken[999:1009], 1e3, 2)} ms")


def commands() -> None:
    """The commands as a user waits for them."""
    with tempfile.TemporaryDirectory() as folder:
        run = ["run", "reference_site", "--out", folder]
        first = [command(run, {"XDG_CACHE_HOME": tempfile.mkdtemp(dir=folder)})]
        cached = [command(run, {}) for _ in range(RUNS + 1)][1:]
        bare = [command(None, {}, "pass") for _ in range(RUNS)]
        imports = [command(None, {}, "import twin") for _ in range(RUNS)]
    print("twin run reference_site: a day, table, report, CSV and SQLite")
    print(f"  nothing compiled yet  {first[0]:.1f} s   (goal: under 30)")
    print(f"  compiled code cached  {spread(cached)} s   (goal: under 5)")
    extra = median(imports) - median(bare)
    print(f"import twin, beyond python's own start: {extra * 1e3:.0f} ms   (goal: under 500)")


def command(arguments: list[str] | None, environment: dict[str, str], code: str = "") -> float:
    """Return how long a command of ours takes, or a line of Python [s]."""
    line = ["-m", "twin", *arguments] if arguments is not None else ["-c", code]
    return seconds(
        lambda: subprocess.run(
            [sys.executable, *line],
            env=os.environ | environment, check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )  # fmt: skip


PARTS = {
    part.__name__: part
    for part in (
        engines, pipeline, scale, full, flood, meshes, upgrades, large_mesh, analysis, api,
        experiments,
        pages, forks, commands,
    )
}  # fmt: skip


def main(chosen: list[str]) -> None:
    """Measure everything, or the parts that are named."""
    print(f"{machine()}; median of {RUNS} runs (least to most)\n")
    assert len(make_roster(site_scenario(), 1).gateways) == 24
    twin.open("pilot_line").run("1 h", progress=False).kpis()  # compiled before it is measured
    for name in chosen or PARTS:
        PARTS[name]()
        print()


main(sys.argv[1:])
