"""Experiments: many designs of a shift, by one process and by two, and once more from the cache."""

import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import twin
from benchmarks.measure import spread
from twin.experiments import Design, grid, sweep

SHIFT = "8 h"
REPLICATIONS = 30
ROUNDS = 3


def designs() -> list[Design]:
    """Return 20 designs of the reference site."""
    return grid(
        twin.load("reference_site"),
        {
            "fleet.gateways.phones.count": [6, 8, 10, 12, 14],
            "work.pick_scale": [0.8, 0.9, 1.0, 1.1],
        },
    )


def _call(found: list[Design], workers: int) -> None:
    """Let so many workers come: enough runs that the last of them has some."""
    sweep(
        found[:2], REPLICATIONS, until=SHIFT, cache=False, progress=False, executor="processes",
        workers=workers,
    )  # fmt: skip


def _swept(found: list[Design], cache: Any, workers: int, kpis: list[str] | None) -> float:
    """Return how long the sweep takes with workers that are there [s]."""
    began_s = time.perf_counter()
    runs = sweep(
        found, REPLICATIONS, until=SHIFT, kpis=kpis, cache=cache, progress=False,
        executor="processes", workers=workers,
    )  # fmt: skip
    assert len(runs.frame) == REPLICATIONS * len(found) == 600
    return time.perf_counter() - began_s


class _Clocked:
    """An executor that knows how long its tasks alone took."""

    workers = 1

    def __init__(self) -> None:
        self.inside_s = 0.0

    def results(
        self, work: Callable[[Any], Any], tasks: Sequence[Any]
    ) -> Generator[tuple[int, Any]]:
        for place, task in enumerate(tasks):
            began_s = time.perf_counter()
            result = work(task)
            self.inside_s += time.perf_counter() - began_s
            yield place, result


def _floor_ms(found: list[Design]) -> float:
    """Return what the experiment floor costs a run beside the run itself, in one process [ms]."""
    few, clock = found[:4], _Clocked()
    began_s = time.perf_counter()
    runs = sweep(
        few, 10, until=SHIFT, kpis=["beep_p95_ms"], executor=clock, progress=False, cache=False
    )
    runs.answer()
    return 1e3 * (time.perf_counter() - began_s - clock.inside_s) / len(runs.frame)


def experiments() -> None:
    """30 replications of 20 designs of an 8 h shift of the reference site, key figures only."""
    began_s = time.perf_counter()
    found = designs()
    print(f"20 designs made in {time.perf_counter() - began_s:.2f} s")
    times: dict[str, list[float]] = {"one": [], "two": [], "all": [], "again": []}
    with TemporaryDirectory() as folder:
        for round_ in range(ROUNDS):
            kept = Path(folder) / str(round_)
            _call(found, 1)
            times["one"].append(_swept(found, False, 1, ["beep_p95_ms"]))
            _call(found, 2)
            times["two"].append(_swept(found, kept, 2, ["beep_p95_ms"]))
            times["again"].append(_swept(found, kept, 2, ["beep_p95_ms"]))
            times["all"].append(_swept(found, False, 2, None))
    ratios = [one / two for one, two in zip(times["one"], times["two"], strict=True)]
    print("600 runs of 8 h, key figures of the floor")
    print(f"  one process      {spread(times['one'])} s")
    print(f"  two processes    {spread(times['two'])} s   (goal: under 15)")
    print(f"  ratio            {spread(ratios)}   (goal: at least 1.8)")
    print(f"  all key figures  {spread(times['all'])} s, the mesh with them, by two")
    print(f"  from the cache   {spread(times['again'])} s   (goal: under 1)")
    beside = [_floor_ms(found) for _ in range(ROUNDS)]
    print(f"  beside the runs  {spread(beside)} ms a run   (goal: at most 3)")
