"""Searches of spaces that are too large to try: a sampler proposes, a selection decides."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import numpy as np
import pandas as pd

from twin.analysis.selection import Feasibility
from twin.errors import RunError
from twin.experiments.designs import Range, design_of, levels_of
from twin.experiments.executors import installed
from twin.experiments.how import Design, How, as_scenario, checked_count, seed_of
from twin.experiments.parts import unit_of
from twin.experiments.running import Runner
from twin.experiments.selecting import Choice, Selection, bisected, checked_limit, select
from twin.scenario import Scenario

__all__ = ["Promise", "Search", "search", "search_cheapest"]

Space = Mapping[str, Range | Sequence[Any]]
_BATCH = 8
"""So many designs are proposed at once, whoever runs them: the answer does not depend on that."""
_REPLICATIONS = 5
_FINALISTS = 4
_FINAL = 10**9
"""No experiment has a replication of this number: its seed is that of the decision."""


class Promise(NamedTuple):
    """What a design has to keep: ``kpi`` at most a limit, in a share of runs at least [1]."""

    kpi: str
    at_most: float
    probability: float = 0.95


@dataclass(frozen=True)
class Search:
    """What a search came to.

    ``trials`` has a row for each design that was tried: ``design``, the keys, the figure (mean of
    its replications) and, where there is one, ``cost`` and ``kept`` (the share of runs that kept
    the promise). ``decision`` is that among the ``finalists``, on runs of their own: the best of
    many trials owes some of its lead to luck.
    """

    trials: pd.DataFrame
    finalists: tuple[Design, ...]
    decision: Selection | Choice
    simulated: int

    @property
    def best(self) -> str | None:
        """The name of the design that was found, None where none keeps the promise."""
        return self.decision.best

    @property
    def frame(self) -> pd.DataFrame:
        """The runs of the decision."""
        return self.decision.frame

    @property
    def provenance(self) -> dict[str, str]:
        """What makes these runs again."""
        return self.decision.provenance

    def answer(self) -> list[str]:
        """Return the decision, then what was searched."""
        tried = f"{len(self.trials)} designs were tried, {len(self.finalists)} came to the decision"
        return [*self.decision.answer(), tried]

    def __repr__(self) -> str:
        return "\n".join(self.answer())


def search(
    scenario: str | Path | Scenario,
    space: Space,
    kpi: str,
    delta: float,
    *,
    trials: int = 64,
    smaller_is_better: bool = True,
    **how: Unpack[How],
) -> Search:
    """Find a design with a good mean in a space of many, and decide among the best ones.

    A tree-structured Parzen estimator proposes (Bergstra et al., NeurIPS 24, 2011; by optuna),
    each proposal is run five times with the luck of all others; then Kim and Nelson's procedure
    decides among the four best with luck that none of them has been chosen by.

    Parameters
    ----------
    scenario
        What all designs begin with: a scenario, its path, or the name of a packaged one.
    space
        Of each key its range, or its values.
    kpi
        The figure to be best in.
    delta
        The smallest difference that matters, in its unit.
    trials
        How many designs are tried, from 8 on; a space of no more is tried whole [1].
    smaller_is_better
        Whether the smallest mean is the best.
    **how
        See ``How``; ``kpis`` is not taken.

    Raises
    ------
    RunError
        Something that cannot be, such as an empty space.
    """
    sign = 1.0 if smaller_is_better else -1.0

    def judged(_: Design, runs: pd.DataFrame) -> _Judged:
        mean = float(runs[kpi].mean(skipna=False))
        return _Judged(math.inf if math.isnan(mean) else sign * mean, 0.0, {kpi: mean})

    tried, simulated = _tried(scenario, space, trials, judged, how | {"kpis": [kpi]})
    finalists = _first([trial for trial in tried if math.isfinite(trial.judged.value)])
    if len(finalists) < 2:
        raise RunError(
            f"{len(finalists)} designs have a {kpi} to choose by",
            hint="give a larger space, or run longer (until)",
        )
    decision = select(
        finalists, kpi, delta, smaller_is_better=smaller_is_better, **_final(scenario, how)
    )
    return Search(_table(tried), tuple(finalists), decision, simulated)


def search_cheapest(
    scenario: str | Path | Scenario,
    space: Space,
    promise: Promise,
    cost: Callable[[Mapping[str, Any]], float],
    *,
    trials: int = 64,
    **how: Unpack[How],
) -> Search:
    """Find the cheapest design of a space of many that keeps a promise.

    Proposals as in ``search``, the promise as a constraint. Who kept it in five runs may owe that
    to luck: in the order of cost they are tried again with luck of their own, the middle one
    first, then cheaper ones where it is enough, else dearer ones.

    Parameters
    ----------
    scenario
        What all designs begin with: a scenario, its path, or the name of a packaged one.
    space
        Of each key its range, or its values.
    promise
        What has to be kept.
    cost
        Of a design, from the values of its keys, in any unit.
    trials
        How many designs are tried, from 8 on [1].
    **how
        See ``How``; ``kpis`` is not taken.

    Raises
    ------
    RunError
        Something that cannot be, or none of the trials kept the promise.
    """
    kpi, at_most, probability = promise
    at_most = checked_limit(at_most)
    Feasibility(probability)  # refuses what is no probability, before anything runs

    def judged(design: Design, runs: pd.DataFrame) -> _Judged:
        values = np.nan_to_num(runs[kpi].to_numpy(np.float64), nan=np.inf)
        kept = float((values <= at_most).mean())
        price = _price(cost, design)
        # How far the runs that count are above the limit guides the way towards it.
        worst = float(np.sort(values)[max(0, int(np.ceil(probability * len(values))) - 1)])
        far = min(worst - at_most, 1e300)
        return _Judged(price, far, {kpi: float(runs[kpi].mean()), "kept": kept, "cost": price})

    tried, simulated = _tried(scenario, space, trials, judged, how | {"kpis": [kpi]})
    kept = [trial for trial in tried if trial.judged.above <= 0]
    if not kept:
        nearest = min(tried, key=lambda trial: trial.judged.above)
        raise RunError(
            f"none of {len(tried)} designs kept {kpi} at most {at_most:g} {unit_of(kpi)}; the "
            f"nearest was {nearest.design.name}, {nearest.judged.told[kpi]:.4g} on average",
            hint="give a larger space, or a limit that can be kept",
        )
    finalists = [one.design for one in sorted(kept, key=lambda one: one.judged.value)]
    decision = bisected(finalists, kpi, at_most, probability, **_final(scenario, how))
    return Search(_table(tried), tuple(finalists), decision, simulated)


def _price(cost: Callable[[Mapping[str, Any]], float], design: Design) -> float:
    """Return what a design costs.

    Raises
    ------
    RunError
        That is no number.
    """
    given = cost(design.factors)
    try:
        price = float(given)
    except (TypeError, ValueError):
        price = math.nan
    if not math.isfinite(price):
        raise RunError(f"{design.name} costs {given!r}", hint="cost gives a number for a design")
    return price


class _Judged(NamedTuple):
    """What a trial is worth: the smaller the better, ``above`` zero where it breaks a promise."""

    value: float
    above: float
    told: dict[str, float]


class _Trial(NamedTuple):
    design: Design
    judged: _Judged


def _tried(
    scenario: str | Path | Scenario, space: Space, count: int,
    judge: Callable[[Design, pd.DataFrame], _Judged], how: How,
) -> tuple[list[_Trial], int]:  # fmt: skip
    """Try designs that a sampler proposes, each once; return also how many runs it took."""
    installed("optuna")
    import optuna  # noqa: PLC0415 - an extra

    scenario = as_scenario(scenario)
    if checked_count(count, "trials") < _BATCH:
        raise RunError(f"a search takes {_BATCH} trials or more, not {count}")
    choices = {key: _proposer(key, given) for key, given in space.items()}
    if not choices:
        raise RunError("nothing is varied", hint="give keys with their ranges, or values")
    runner, found = Runner(scenario, how), _Tried(judge)
    if (every := _every(space, count)) is not None:
        found.take(runner, [design_of(scenario, chosen) for chosen in every])
        return [*found.trials.values()], runner.simulated
    loudness = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        sampler = optuna.samplers.TPESampler(seed=1, n_startup_trials=max(_BATCH, count // 4))
        study = optuna.create_study(sampler=sampler)
        for begin in range(0, count, _BATCH):
            asked = [study.ask() for _ in range(min(_BATCH, count - begin))]
            designs = [
                design_of(scenario, {key: propose(trial) for key, propose in choices.items()})
                for trial in asked
            ]
            found.take(runner, designs)
            for trial, design in zip(asked, designs, strict=True):
                judged = found.trials[design.name].judged
                trial.set_constraint("promise", judged.above)
                study.tell(trial, judged.value)
    finally:
        optuna.logging.set_verbosity(loudness)
    return [*found.trials.values()], runner.simulated


class _Tried:
    """What was tried, each design once."""

    def __init__(self, judge: Callable[[Design, pd.DataFrame], _Judged]) -> None:
        self._judge = judge
        self.trials: dict[str, _Trial] = {}

    def take(self, runner: Runner, designs: Sequence[Design]) -> None:
        """Run those of some designs that were not, with the same luck as all others."""
        fresh = {one.name: one for one in designs if one.name not in self.trials}
        if not fresh:
            return
        runs = runner.runs([*fresh.values()], range(_REPLICATIONS))
        for name, own in runs.groupby("design", sort=False):
            design = fresh[str(name)]
            self.trials[design.name] = _Trial(design, self._judge(design, own))


def _every(space: Space, most: int) -> list[dict[str, Any]] | None:
    """Return all there is in a space, None where that is more than is to be tried."""
    values: list[Sequence[Any]] = []
    for given in space.values():
        if not isinstance(given, Range):
            values.append(tuple(given))
        elif isinstance(given.low, int) and isinstance(given.high, int):
            values.append(range(given.low, given.high + 1))
        else:
            return None
    if math.prod(map(len, values)) > most:
        return None
    return [dict(zip(space, chosen, strict=True)) for chosen in itertools.product(*values)]


def _proposer(key: str, given: Range | Sequence[Any]) -> Callable[[Any], Any]:
    """Return what asks a trial for a value of a key."""
    if isinstance(given, Range):
        at = given.value_at(key)
        if isinstance(given.low, int) and isinstance(given.high, int):
            low, high = given.low, given.high
            return lambda trial: trial.suggest_int(key, low, high)
        return lambda trial: at(trial.suggest_float(key, 0.0, 1.0))
    values = levels_of(key, given)
    if not values:
        raise RunError(f"{key} has no level", hint="give it values, or a range")
    if all(isinstance(value, (int, float)) for value in values):
        values = tuple(sorted(values))  # what is near in value is near for the sampler
        return lambda trial: values[trial.suggest_int(key, 0, len(values) - 1)]
    return lambda trial: values[trial.suggest_categorical(key, range(len(values)))]


def _first(trials: Sequence[_Trial]) -> list[Design]:
    return [one.design for one in sorted(trials, key=lambda one: one.judged.value)[:_FINALISTS]]


def _final(scenario: str | Path | Scenario, how: How) -> How:
    """Return how the decision is made: with luck that none of the trials had."""
    seed, scenario = how.get("seed"), as_scenario(scenario)
    return how | {"seed": seed_of(scenario.run.seed if seed is None else seed, _FINAL)}


def _table(tried: Sequence[_Trial]) -> pd.DataFrame:
    rows = [
        {"design": trial.design.name, **trial.design.factors, **trial.judged.told}
        for trial in tried
    ]
    return pd.DataFrame(rows)
