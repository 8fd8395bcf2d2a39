"""Which keys decide a figure: Sobol's indices of its variance."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.intervals import checked_confidence
from twin.errors import RunError
from twin.experiments.designs import Range, designs_at, dimensions
from twin.experiments.executors import installed
from twin.experiments.how import How, as_scenario, checked_count, is_whole
from twin.experiments.parts import unit_of
from twin.experiments.running import Runner, finite
from twin.scenario import Scenario

__all__ = ["Sensitivity", "sensitivity"]


@dataclass(frozen=True)
class Sensitivity:
    """How much of a figure's variance each key decides, where all of them vary at once.

    ``table`` has a row for each ``factor``, the strongest first: ``first``, the share of the
    variance that it decides alone, and ``total``, with all that it decides together with others,
    each with its interval (``_low``, ``_high``) [1]. ``frame`` has a row for each run.
    """

    kpi: str
    table: pd.DataFrame
    frame: pd.DataFrame
    confidence: float
    simulated: int

    @property
    def provenance(self) -> dict[str, str]:
        """What makes these runs again."""
        found: dict[str, str] = self.frame.attrs["provenance"]
        return found

    def answer(self) -> list[str]:
        """Return a line for each key, the strongest first."""
        means = self.frame.groupby("design")[self.kpi].mean()
        ends = f"{means.min():.4g} to {means.max():.4g} {unit_of(self.kpi)}"
        lines = [f"{self.kpi} goes from {ends} in {len(means)} designs"]
        lines += [
            f"{line['factor']}: {_percent(line['total'])} of its variance, interval "
            f"{_percent(line['total_low'])} to {_percent(line['total_high'])}; alone "
            f"{_percent(line['first'])}"
            for _, line in self.table.iterrows()
        ]
        return lines

    def __repr__(self) -> str:
        return "\n".join(self.answer())


def sensitivity(
    scenario: str | Path | Scenario,
    ranges: Mapping[str, Range],
    kpi: str,
    points: int = 64,
    replications: int = 5,
    *,
    confidence: float = 0.95,
    **how: Unpack[How],
) -> Sensitivity:
    """Find how much of a figure's variance each key decides.

    Saltelli's scheme on a scrambled Sobol sequence, points times (keys + 2) designs (Saltelli et
    al., Computer Physics Communications 181, 2010); intervals by bootstrap. All designs have the
    same luck, so none of the variance is luck's.

    Parameters
    ----------
    scenario
        What all designs begin with: a scenario, its path, or the name of a packaged one.
    ranges
        Of two keys or more, within which each value is as likely as any other.
    kpi
        The figure.
    points
        Base points, a power of two from 8 on: more of them make the intervals narrower [1].
    replications
        Of each design; the figure is their mean [1].
    confidence
        Of the intervals [1].
    **how
        See ``How``; ``kpis`` is not taken.

    Raises
    ------
    RunError
        Something that cannot be, such as a figure that no key changes.
    """
    checked_confidence(confidence)
    scenario = as_scenario(scenario)
    if not is_whole(points) or points < 8 or points & (points - 1):
        raise RunError(f"points is a power of two from 8 on, not {points!r}", hint="take 64")
    if len(ranges) < 2:
        raise RunError("a variance is shared by two keys or more", hint="a sweep takes one")
    dimensions(ranges, points * (len(ranges) + 2))
    problem = {"num_vars": len(ranges), "names": [*ranges], "bounds": [[0.0, 1.0]] * len(ranges)}
    designs = designs_at(scenario, ranges, _sampled(problem, points))
    runner = Runner(scenario, how | {"kpis": [kpi]})
    frame = finite(runner.runs(designs, range(checked_count(replications))), kpi)
    means = frame.groupby("design", sort=False)[kpi].mean().to_numpy(np.float64)
    if np.ptp(means) == 0:
        raise RunError(f"{kpi} is {means[0]:g} in all designs", hint="vary other keys, or wider")
    table = _indices(problem, means, confidence)
    return Sensitivity(kpi, table, frame, confidence, runner.simulated)


def _sampled(problem: dict[str, Any], points: int) -> NDArray[np.float64]:
    """Return Saltelli's points, shape (points * (keys + 2), keys)."""
    installed("SALib")
    from SALib.sample import sobol as sampling  # noqa: PLC0415 - an extra, and takes a second

    found = sampling.sample(problem, points, calc_second_order=False, seed=1)
    return np.asarray(found, np.float64)


def _indices(
    problem: dict[str, Any], means: NDArray[np.float64], confidence: float
) -> pd.DataFrame:
    """Return the indices of each key."""
    from SALib.analyze import sobol as analysing  # noqa: PLC0415 - as above

    with warnings.catch_warnings():  # a bootstrap may draw points that are all alike
        warnings.filterwarnings("ignore", message="Constant values encountered")
        found = analysing.analyze(
            problem, means, calc_second_order=False, conf_level=confidence, seed=1
        )
    table = pd.DataFrame({
        "factor": problem["names"],
        "first": found["S1"], "first_low": found["S1"] - found["S1_conf"],
        "first_high": found["S1"] + found["S1_conf"],
        "total": found["ST"], "total_low": found["ST"] - found["ST_conf"],
        "total_high": found["ST"] + found["ST_conf"],
    })  # fmt: skip
    return table.sort_values("total", ascending=False, ignore_index=True)


def _percent(share: float) -> str:
    return f"{100 * min(1.0, max(0.0, share)):.0f} %"  # estimates fall beside what can be
