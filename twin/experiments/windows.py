"""One run in windows: where it is warm, and what a single long run tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.intervals import Batches, batch_means
from twin.analysis.warmup import mser5
from twin.errors import RunError
from twin.experiments.how import Design, How, as_scenario, checked_count
from twin.experiments.parts import FLOOR_KPIS, unit_of
from twin.experiments.running import Runner
from twin.experiments.tables import number
from twin.scenario import Scenario
from twin.units import format_duration, parse_duration

__all__ = ["LongRun", "WarmedUp", "find_warm_up", "long_run"]

_US_PER_MIN = 60e6


@dataclass(frozen=True)
class WarmedUp:
    """From where on a run is itself.

    ``series`` is the figure in each window, mean of the replications, in its ``unit``, shape
    (windows,); ``minutes`` where each window begins. ``warm_up`` is what ``How`` takes;
    ``is_trusted`` is False where the run is too short to tell.
    """

    kpi: str
    unit: str
    warm_up: str
    is_trusted: bool
    series: NDArray[np.float64]
    minutes: NDArray[np.float64]
    frame: pd.DataFrame

    @property
    def cut_min(self) -> float:
        """How long the warm-up is [min]."""
        return parse_duration(self.warm_up) / _US_PER_MIN

    def __repr__(self) -> str:
        trust = "" if self.is_trusted else "; not to be trusted: run longer (until)"
        cold = self.series[self.minutes < self.cut_min]
        before = f", {cold.mean():.4g} {self.unit} before" if len(cold) else ""
        warm = self.series[self.minutes >= self.cut_min].mean()
        return f"{self.kpi}: warm after {self.warm_up}, {warm:.4g} {self.unit} then{before}{trust}"


def find_warm_up(
    scenario: str | Path | Scenario,
    kpi: str,
    *,
    step: str = "1 min",
    replications: int = 5,
    **how: Unpack[How],
) -> WarmedUp:
    """Find how long a figure takes to forget how the run began: MSER-5 on its mean course.

    A shift that begins with nobody at work is no stationary run: its first minutes are part of
    what a planner asks about. Leave them out only where the question is about the rest.

    Parameters
    ----------
    scenario
        A scenario, its path, or the name of a packaged one.
    kpi
        A figure of the floor that every window has, like ``beep_mean_ms``.
    step
        How long a window is.
    replications
        Whose mean course is looked at [1].
    **how
        See ``How``; ``warm_up`` and ``kpis`` are not taken.

    Raises
    ------
    RunError
        There are fewer than 50 windows, or too many without a figure.
    """
    edges_us = _edges(as_scenario(scenario), how, parse_duration(step))
    frame = _counted(as_scenario(scenario), kpi, checked_count(replications), edges_us, how)
    by_window = frame.groupby("from_us")[kpi].mean()
    known = by_window.interpolate(limit_direction="both").to_numpy(np.float64)
    if not len(known) or by_window.isna().mean() > 0.5:
        raise RunError(
            f"most windows of {step} have no {kpi}", hint="take longer windows (step)"
        )  # fmt: skip
    found = mser5(known)
    begins_us = by_window.index.to_numpy()
    cut_us = int(begins_us[found.cut]) if found.cut < len(begins_us) else edges_us[-1]
    return WarmedUp(
        kpi, unit_of(kpi), format_duration(cut_us), found.is_trusted, known,
        begins_us / _US_PER_MIN, frame,
    )  # fmt: skip


@dataclass(frozen=True)
class LongRun:
    """What one long run tells of a figure, by the means of its batches."""

    kpi: str
    unit: str
    batches: Batches
    frame: pd.DataFrame

    def __repr__(self) -> str:
        found, correlation = self.batches.interval, self.batches.correlation
        width = found.high - found.low
        doubt = "; batches are too short" if correlation > 0.3 else ""
        low, high = number(found.low, width), number(found.high, width)
        return (
            f"{self.kpi}: {number(found.estimate, width)} {self.unit}, 95 % interval {low} to "
            f"{high}, {found.n} batches, correlation of neighbours {correlation:.2f}{doubt}"
        )


def long_run(
    scenario: str | Path | Scenario, kpi: str, *, batches: int = 20, **how: Unpack[How]
) -> LongRun:
    """Run once for long, and take the interval of a figure from batches of equal time.

    For a site whose days do not differ: where they do, replicate days instead. What is told is the
    mean over batches: of a quantile like ``beep_p95_ms`` the mean of those of the batches, which
    is not that of the whole run.

    Parameters
    ----------
    scenario
        A scenario, its path, or the name of a packaged one.
    kpi
        A figure of the floor.
    batches
        Into how many the time after the warm-up is cut, from 5 on [1].
    **how
        See ``How``; ``kpis`` is not taken.
    """
    given = as_scenario(scenario)
    if type(batches) is not int or batches < 5:
        raise RunError(f"batches is a whole number from 5 on, not {batches!r}")
    begin_us, end_us = Runner(given, how).edges_us
    edges_us = [begin_us + n * (end_us - begin_us) // batches for n in range(batches + 1)]
    frame = _counted(given, kpi, 1, edges_us, how)
    values = frame[kpi].to_numpy(np.float64)
    # Each figure is a batch's own already: two of each keep the arithmetic of batches.
    found = batch_means(np.repeat(values, 2), batches)
    return LongRun(kpi, unit_of(kpi), found, frame)


def _edges(scenario: Scenario, how: How, step_us: int) -> list[int]:
    """Return the moments between windows, without a last one that is shorter [us]."""
    end_us = Runner(scenario, how).edges_us[-1]
    if not 0 < step_us <= end_us:
        raise RunError(
            f"in windows of {format_duration(step_us)} a run of {format_duration(end_us)} cannot "
            "be counted",
            hint='step="1 min"',
        )
    return list(range(0, end_us + 1, step_us))


def _counted(
    scenario: Scenario, kpi: str, replications: int, edges_us: list[int], how: How
) -> pd.DataFrame:
    """Return one figure in each window of some replications."""
    if kpi not in FLOOR_KPIS or kpi == "backlog_max":
        raise RunError(
            f"{kpi!r} cannot be counted in windows",
            hint="take a figure of the floor, such as beep_mean_ms",
        )
    runner = Runner(scenario, how | {"kpis": [kpi]})
    return runner.windows(Design(scenario.name, scenario), range(replications), edges_us)
