"""Taking times: runs in turn, medians, and what the machine is."""

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

RUNS = 5


def seconds(work: Callable[[], object]) -> float:
    """Return how long one call takes, what came before it swept up [s]."""
    gc.collect()
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def in_turn(works: Sequence[Callable[[], object]], runs: int = RUNS) -> list[list[float]]:
    """Return the times of several pieces of work, taken A B C A B C, so that drift hits all [s]."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for found, work in zip(times, works, strict=True):
            found.append(seconds(work))
    return times


def median(times: Sequence[float]) -> float:
    """Return the median of times [s]."""
    return statistics.median(times)


def spread(times: Sequence[float], scale: float = 1.0, digits: int = 1) -> str:
    """Return the median and, in brackets, the least and the most."""
    shown = [f"{scale * x:,.{digits}f}" for x in (median(times), min(times), max(times))]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"


def machine() -> str:
    """Return what this was measured on."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    name = names[0] if names else platform.machine()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"
