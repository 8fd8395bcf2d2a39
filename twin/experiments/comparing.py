"""Scenarios beside each other on common random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Unpack

import pandas as pd

from twin.analysis.intervals import checked_confidence
from twin.errors import RunError
from twin.experiments.how import Design, How, as_scenario, checked_count
from twin.experiments.running import Runner
from twin.experiments.tables import difference_table, interval_table, of_kpi, percent, spread
from twin.resources import near
from twin.scenario import Scenario

__all__ = ["Comparison", "compare", "named_designs"]


@dataclass(frozen=True)
class Comparison:
    """Runs of several scenarios, replication by replication with the same luck.

    ``frame`` has a row for each design and replication (key figures in their units).
    """

    frame: pd.DataFrame
    kpis: tuple[str, ...]
    baseline: str
    confidence: float
    simulated: int

    @cached_property
    def table(self) -> pd.DataFrame:
        """Each design's key figures with their intervals."""
        return interval_table(self.frame, self.kpis, self.confidence)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Each other design against the baseline: paired intervals that hold at once."""
        return difference_table(self.frame, self.kpis, self.baseline, self.confidence)

    @property
    def provenance(self) -> dict[str, str]:
        """What makes these runs again."""
        found: dict[str, str] = self.frame.attrs["provenance"]
        return found

    def answer(self) -> list[str]:
        """Return a line for each design and key figure, and what is known of its difference."""
        lines = []
        for kpi in self.kpis:
            for _, line in of_kpi(self.table, kpi).iterrows():
                lines.append(f"{kpi}, {line['design']}: {spread(line)}")
            for _, line in of_kpi(self.differences, kpi).iterrows():
                lines.append(
                    f"{kpi}, {line['design']} less {self.baseline}: "
                    f"{spread(line, 'difference')}; smaller with probability "
                    f"{percent(line['better'])}"
                )
        count = len(self.frame) // max(1, self.frame["design"].nunique())
        lines.append(
            f"{100 * self.confidence:g} % intervals, {count} replications each on common "
            "random numbers"
        )
        return lines

    def __repr__(self) -> str:
        return "\n".join(self.answer())


def compare(
    scenarios: Mapping[str, str | Path | Scenario] | Sequence[str | Path | Scenario],
    replications: int = 10,
    *,
    baseline: str | None = None,
    confidence: float = 0.95,
    **how: Unpack[How],
) -> Comparison:
    """Run scenarios with the same luck, and say by how much they differ.

    Parameters
    ----------
    scenarios
        At least two: under names of yours, or by their own.
    replications
        How many of each [1].
    baseline
        The name of the one to which all others are compared; default the first.
    confidence
        Of the intervals [1].
    **how
        See ``How``; the seed and the length are those of the first scenario.

    Raises
    ------
    RunError
        Something that cannot be, such as one scenario alone.
    """
    checked_confidence(confidence)
    designs = named_designs(scenarios)
    if len(designs) < 2:
        raise RunError("a comparison takes two scenarios or more", hint="replicate takes one")
    names = [design.name for design in designs]
    chosen = names[0] if baseline is None else baseline
    if chosen not in names:
        close = near(chosen, names)
        hint = f"did you mean {close}?" if close else f"there are {', '.join(names)}"
        raise RunError(f"no scenario is called {chosen!r}", hint=hint)
    runner = Runner(designs[0].scenario, how)
    frame = runner.runs(designs, range(checked_count(replications)))
    return Comparison(frame, runner.kpis(designs), chosen, confidence, runner.simulated)


def named_designs(
    scenarios: Mapping[str, str | Path | Scenario] | Sequence[str | Path | Scenario],
) -> list[Design]:
    """Return scenarios as designs, each with a name of its own.

    Raises
    ------
    RunError
        Two have the same name.
    """
    if isinstance(scenarios, (str, Path, Scenario)):
        scenarios = [scenarios]
    if isinstance(scenarios, Mapping):
        return [Design(name, as_scenario(given)) for name, given in scenarios.items()]
    found = [as_scenario(given) for given in scenarios]
    names = [scenario.name for scenario in found]
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise RunError(
            f"several scenarios are called {', '.join(doubles)}",
            hint='name them: {"today": ..., "with 12 gateways": ...}, or give each file a name '
            "of its own",
        )
    return [Design(scenario.name, scenario) for scenario in found]
