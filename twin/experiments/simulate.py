"""One task of an experiment, as a worker does it: some runs of one part of a scenario."""

from __future__ import annotations

import gc
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from twin.analysis.kpis import Counted, between, figures
from twin.opening import open as open_twin
from twin.scenario import Scenario, from_document
from twin.twin import Twin

__all__ = ["Figures", "Task", "simulate"]

Figures = list[dict[str, float]]
"""Of one run: its key figures in each window, by name."""

_OBJECTS_BETWEEN_SWEEPS = 200_000
_DESIGNS_KEPT = 8
_MINUTE_US = 60e6
_BUILT: dict[str, Scenario] = {}
"""The scenarios that this process simulated last, the oldest first."""


class Task(NamedTuple):
    """Some runs: of which ``document``, named by its ``digest``, with which ``seeds``.

    ``edges_us`` are the moments between which key figures are counted, at least two, in order
    [us]. ``completions`` asks for the moments at which devices were through instead.
    """

    document: dict[str, Any]
    digest: str
    seeds: tuple[int, ...]
    edges_us: tuple[int, ...]
    completions: bool = False


def simulate(task: Task) -> list[Figures]:
    """Return the key figures of each run of a task."""
    # Runs make many objects and hardly a circle: looking for circles by default takes a tenth.
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_SWEEPS, 50, 100)
    try:
        scenario = _scenario(task)
        measure = _completions if task.completions else _windows
        return [measure(_opened(scenario, seed), task.edges_us) for seed in task.seeds]
    finally:
        gc.set_threshold(*before)


def _opened(scenario: Scenario, seed: int) -> Twin:
    return open_twin(scenario, seed=seed, engine="compiled", record="kpis")


def _windows(twin: Twin, edges_us: tuple[int, ...]) -> Figures:
    """Return the key figures between each two edges."""
    twin.run_to_us(edges_us[0], progress=False)
    before: Counted | None = twin.counted() if edges_us[0] > 0 else None
    found = []
    for edge_us in edges_us[1:]:
        twin.run_to_us(edge_us, progress=False)
        after = twin.counted()
        found.append(_whole(twin, after) if before is None else figures(between(before, after)))
        before = after
    return found


def _whole(twin: Twin, counted: Counted) -> dict[str, float]:
    """Return the key figures since the start, those of the mesh with them."""
    rows = [row.iloc[0] for row in twin.mesh_kpis() if len(row)]  # no host, no row
    beside = {str(name): _plain(value) for row in rows for name, value in row.items()}
    return figures(counted) | beside


def _plain(value: Any) -> float:
    """Return a number of numpy's as one of Python's, as a file gives it back."""
    return int(value) if isinstance(value, (int, np.integer)) else float(value)


def _completions(twin: Twin, edges_us: tuple[int, ...]) -> Figures:
    """Return for each upgrade which share of its devices was through at which minute."""
    twin.run_to_us(edges_us[-1], progress=False)
    found: Figures = []
    for number, began_us in enumerate(twin.upgrades()["began_us"].tolist()):
        found += _completion(twin.upgraded(number), number, began_us)
    return found


def _completion(devices: pd.DataFrame, number: int, began_us: int) -> Figures:
    """Return the steps of one upgrade's curve, one for each device that was through."""
    done_us = devices.loc[devices["outcome"] == "success", "done_us"].sort_values()
    minutes = ((done_us - began_us) / _MINUTE_US).tolist()
    shares = [(n + 1) / len(devices) for n in range(len(minutes))]
    steps = zip([0.0, *minutes], [0.0, *shares], strict=True)
    return [{"upgrade": number, "minutes": at, "share": share} for at, share in steps]


def _scenario(task: Task) -> Scenario:
    """Return the scenario of a task, built once for many tasks of the same."""
    if task.digest not in _BUILT:
        while len(_BUILT) >= _DESIGNS_KEPT:
            del _BUILT[next(iter(_BUILT))]
        _BUILT[task.digest] = from_document(task.document)
    return _BUILT[task.digest]
