"""Sweeps: many designs of one scenario on common random numbers, and what matters most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Unpack

import numpy as np
import pandas as pd

from twin.analysis.intervals import checked_confidence, mean_interval
from twin.errors import RunError
from twin.experiments.how import Design, How, checked_count
from twin.experiments.parts import unit_of
from twin.experiments.running import Runner, checked_designs
from twin.experiments.tables import interval_table, of_kpi, spread

__all__ = ["Sweep", "sweep"]

_MOST_LINES = 30


@dataclass(frozen=True)
class Sweep:
    """Runs of designs that differ by the values of some keys.

    ``frame`` has a row for each design and replication: ``design``, a column for each of
    ``factors``, ``replication``, ``seed`` and the key figures in their units.
    """

    frame: pd.DataFrame
    factors: tuple[str, ...]
    kpis: tuple[str, ...]
    confidence: float
    simulated: int

    @cached_property
    def table(self) -> pd.DataFrame:
        """Each design's key figures with their intervals."""
        return interval_table(self.frame, self.kpis, self.confidence)

    @property
    def provenance(self) -> dict[str, str]:
        """What makes these runs again."""
        found: dict[str, str] = self.frame.attrs["provenance"]
        return found

    def tornado(self, kpi: str) -> pd.DataFrame:
        """Return what each key does to a figure when it alone is changed, the most first.

        Columns ``factor``, ``low_value`` and ``high_value`` (texts), ``at_low`` and ``at_high``
        (means, with ``_low`` and ``_high`` for their intervals), ``base`` and ``swing``, in the
        figure's unit; of each key the first level and the last.

        Parameters
        ----------
        kpi
            Its name.

        Raises
        ------
        RunError
            The designs were not made by ``one_at_a_time``, or it was not asked for.
        """
        of_kpi(self.table, kpi)
        own = {str(name): runs for name, runs in self.frame.groupby("design", sort=False)}
        if "base" not in own:
            raise RunError("a tornado is of one key at a time", hint="use one_at_a_time(...)")
        rows = []
        for factor in self.factors:
            changed = self.frame.loc[self.frame[factor].notna(), ["design", factor]]
            ends = changed.drop_duplicates("design").iloc[[0, -1]]
            low, high = (
                mean_interval(own[name][kpi].to_numpy(float), self.confidence)
                for name in ends["design"]
            )
            rows.append({
                "factor": factor,
                "low_value": _text(ends[factor].iloc[0]), "high_value": _text(ends[factor].iloc[1]),
                "at_low": low.estimate, "at_low_low": low.low, "at_low_high": low.high,
                "at_high": high.estimate, "at_high_low": high.low, "at_high_high": high.high,
                "base": float(own["base"][kpi].mean()), "unit": unit_of(kpi),
                "swing": abs(high.estimate - low.estimate),
            })  # fmt: skip
        return pd.DataFrame(rows).sort_values("swing", ascending=False, ignore_index=True)

    def answer(self) -> list[str]:
        """Return a line for each design, of the first key figures; not of hundreds."""
        lines = []
        for kpi in self.kpis[:3]:
            found = of_kpi(self.table, kpi)
            lines += [
                f"{kpi}, {line['design']}: {spread(line)}"
                for _, line in found.head(_MOST_LINES).iterrows()
            ]
            if len(found) > _MOST_LINES:
                lines.append(f"... {len(found) - _MOST_LINES} designs more")
        designs = self.frame["design"].nunique()
        count = len(self.frame) // max(1, designs)
        lines.append(
            f"{100 * self.confidence:g} % intervals, {designs} designs, {count} replications each "
            "on common random numbers"
        )
        return lines

    def __repr__(self) -> str:
        return "\n".join(self.answer())


def _text(value: object) -> str:
    """Write a level; a frame has made floats of whole numbers beside nothing."""
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def sweep(
    designs: Sequence[Design],
    replications: int = 10,
    *,
    confidence: float = 0.95,
    **how: Unpack[How],
) -> Sweep:
    """Run designs with the same luck.

    Parameters
    ----------
    designs
        As ``grid``, ``one_at_a_time``, ``latin_hypercube`` or ``sobol`` make them.
    replications
        How many of each [1].
    confidence
        Of the intervals [1].
    **how
        See ``How``; the seed and the length are those of the first design.

    Raises
    ------
    RunError
        There is no design, or two have the same name.
    """
    checked_confidence(confidence)
    checked_designs(designs)
    runner = Runner(designs[0].scenario, how)
    frame = runner.runs(designs, range(checked_count(replications)))
    factors = tuple(dict.fromkeys(factor for design in designs for factor in design.factors))
    return Sweep(frame, factors, runner.kpis(designs), confidence, runner.simulated)
