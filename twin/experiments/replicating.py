"""Replications of one scenario: as many as are asked for, or as are needed to know enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.intervals import (
    Interval,
    Precision,
    checked_confidence,
    quantile_interval,
    replications_enough,
    share_interval,
)
from twin.errors import RunError
from twin.experiments.how import Design, How, as_scenario, checked_count
from twin.experiments.running import Runner, finite
from twin.experiments.tables import interval_table, spread
from twin.scenario import Scenario

__all__ = ["MOST", "Replications", "replicate"]

MOST = 1000
"""Beyond so many replications a precision is given up."""
_FIRST = 10
"""So many replications tell their own spread well enough to begin with (Law, section 9.5)."""


@dataclass(frozen=True)
class Replications:
    """Runs of one scenario that differ by luck alone.

    ``frame`` has a row for each (key figures in their units); ``needed`` how many replications
    each precision took, None where not even all of them were enough.
    """

    frame: pd.DataFrame
    kpis: tuple[str, ...]
    confidence: float
    needed: Mapping[str, int | None]
    simulated: int

    @cached_property
    def table(self) -> pd.DataFrame:
        """Each key figure with its interval: ``kpi``, ``unit``, ``n``, ``mean``, ``low`` ..."""
        return interval_table(self.frame, self.kpis, self.confidence)

    @property
    def provenance(self) -> dict[str, str]:
        """What makes these runs again."""
        found: dict[str, str] = self.frame.attrs["provenance"]
        return found

    def samples(self, kpi: str) -> NDArray[np.float64]:
        """Return one key figure of each replication, shape (replications,), in its unit.

        Raises
        ------
        RunError
            It was not asked for.
        """
        if kpi not in self.kpis:
            raise RunError(f"{kpi!r} was not asked for", hint=f"there are {', '.join(self.kpis)}")
        return self.frame[kpi].to_numpy(np.float64)

    def quantiles(self, kpi: str, shares: Sequence[float] = (0.05, 0.5, 0.95)) -> pd.DataFrame:
        """Return quantiles of a key figure over replications, with intervals by order statistics.

        Parameters
        ----------
        kpi
            Its name.
        shares
            Which quantiles, above 0 and below 1 [1].
        """
        found = [quantile_interval(self.samples(kpi), share, self.confidence) for share in shares]
        return pd.DataFrame(found).assign(share=list(shares))[["share", *Interval._fields]]

    def probability(
        self, kpi: str, *, at_most: float | None = None, at_least: float | None = None
    ) -> Interval:
        """Return the share of runs in which a key figure keeps a limit, with Wilson's interval.

        Parameters
        ----------
        kpi
            Its name.
        at_most, at_least
            The limits, one or both, in the figure's unit.
        """
        samples = self.samples(kpi)
        low = -math.inf if at_least is None else at_least
        high = math.inf if at_most is None else at_most
        kept = int(((samples >= low) & (samples <= high)).sum())
        return share_interval(kept, len(samples), self.confidence)

    def answer(self) -> list[str]:
        """Return one line for each key figure, and one for each precision that was missed."""
        lines = [
            f"{line['kpi']}: {spread(line)}"
            for _, line in self.table.iterrows()
        ]  # fmt: skip
        lines.append(f"{100 * self.confidence:g} % intervals, {len(self.frame)} replications")
        for kpi, count in self.needed.items():
            reached = f"reached with {count} replications" if count else "not reached"
            lines.append(f"precision of {kpi}: {reached}")
        return lines

    def __repr__(self) -> str:
        return "\n".join(self.answer())


def replicate(
    scenario: str | Path | Scenario,
    replications: int = _FIRST,
    *,
    precision: Mapping[str, str | float] | None = None,
    confidence: float = 0.95,
    most: int = MOST,
    **how: Unpack[How],
) -> Replications:
    """Run a scenario some times with other luck each, and say what is known of its key figures.

    What was run before is not run again: 50 after 30 take the time of 20.

    Parameters
    ----------
    scenario
        A scenario, its path, or the name of a packaged one.
    replications
        How many, or with a precision how many at least [1].
    precision
        Go on until the half width of each of these figures' intervals is small enough, and stays
        so: "2 %" of the mean, or a number in the figure's unit.
    confidence
        Of the intervals [1].
    most
        With a precision: give up after so many [1].
    **how
        See ``How``.

    Raises
    ------
    RunError
        Something that cannot be, such as a key figure that there is not.
    """
    checked_confidence(confidence)
    given = as_scenario(scenario)
    design = Design(given.name, given)
    runner = Runner(given, how)
    if precision is not None and not isinstance(precision, Mapping):
        raise RunError(f"{precision!r} is no precision", hint='write {"beep_p95_ms": "2 %"}')
    wanted = {kpi: Precision.parse(text) for kpi, text in (precision or {}).items()}
    names = runner.kpis([design])
    for kpi in wanted:
        if kpi not in names:
            raise RunError(f"a precision of {kpi!r}, which is not asked for or unknown",
                           hint=f"there are {', '.join(names)}")  # fmt: skip
    count = least = checked_count(replications)
    most = max(checked_count(most, "most"), count)
    frame = runner.runs([design], range(count))
    while wanted:
        for kpi in wanted:
            finite(frame, kpi)
        needed = {
            kpi: replications_enough(frame[kpi].to_numpy(float), one, confidence, least)
            for kpi, one in wanted.items()
        }
        if all(needed.values()) or count >= most:
            return Replications(frame, names, confidence, needed, runner.simulated)
        count = min(most, count + max(5, count // 4))
        frame = runner.runs([design], range(count))
    return Replications(frame, names, confidence, {}, runner.simulated)
