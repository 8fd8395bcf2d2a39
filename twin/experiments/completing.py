"""When the devices of upgrades are through, over many runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Unpack

import pandas as pd

from twin.errors import RunError
from twin.experiments.comparing import named_designs
from twin.experiments.how import How, checked_count
from twin.experiments.running import Runner
from twin.scenario import Scenario

__all__ = ["completions"]


def completions(
    scenarios: Mapping[str, str | Path | Scenario] | Sequence[str | Path | Scenario],
    replications: int = 10,
    **how: Unpack[How],
) -> pd.DataFrame:
    """Return when the devices of each planned upgrade were through, a row for each device.

    Columns ``design``, ``replication``, ``seed``, ``upgrade``, ``minutes`` since its begin [min]
    and ``share`` of its devices that were through then [1]; each curve begins at 0.

    Parameters
    ----------
    scenarios
        Under names of yours, or by their own; upgrades are those that they plan.
    replications
        How many of each [1].
    **how
        See ``How``; ``kpis`` and ``warm_up`` are not taken.

    Raises
    ------
    RunError
        A scenario plans no upgrade.
    """
    designs = named_designs(scenarios)
    for design in designs:
        if not design.scenario.mesh.upgrades:
            raise RunError(
                f"{design.name} plans no upgrade", hint="write one: [[mesh.upgrades]]"
            )  # fmt: skip
    runner = Runner(designs[0].scenario, how)
    return runner.completions(designs, range(checked_count(replications)))
