"""A small site for experiments, and workers that go wrong."""

import os
from pathlib import Path
from typing import Any

import twin
from twin.experiments.simulate import Figures, Task, simulate
from twin.scenario import Scenario

UNTIL = "40 min"
KPIS = ("beep_mean_ms", "beep_p95_ms", "scans")


def line() -> Scenario:
    return twin.load("pilot_line")


def dying(task: Task) -> list[Figures]:
    """Kill the worker that does the first task, once: a file remembers it."""
    mark = Path(os.environ["TWIN_TEST_MARK"])
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return simulate(task)
    os.kill(os.getpid(), 9)
    return []


def always_dying(task: Any) -> None:
    os.kill(os.getpid(), 9)


def slow(seconds: float) -> float:
    import time

    time.sleep(seconds)
    return seconds


def failing(task: Any) -> None:
    raise ValueError(f"no {task}")
