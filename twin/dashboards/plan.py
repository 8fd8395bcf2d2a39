"""A plan: what is changed, whether it was simulated yet, and what it would change. No widgets."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Unpack

import pandas as pd

from twin.dashboards.controls import Control, Factors, controls_of
from twin.dashboards.words import DIFFERENCE, NOW, PLANNED, line_of
from twin.errors import RunError, TwinError
from twin.experiments import Comparison, Replications, compare, replicate
from twin.experiments.how import How, Progress, as_scenario
from twin.resources import near
from twin.scenario import Scenario, vary_all

__all__ = ["USUAL_KPIS", "Plan", "State"]

USUAL_KPIS = (
    "beep_p95_ms", "scans_per_worker_hour", "cloud_p95_ms", "gateway_use_max",
    "without_scanner_min",
)  # fmt: skip
"""What planners of the floor ask for first."""

State = Literal["as it stands", "not simulated yet", "simulated", "refused"]


class Plan:
    """The scenario as it stands beside one with some keys changed, on the same luck.

    Parameters
    ----------
    scenario
        As it stands: a scenario, its path, or the name of a packaged one.
    factors
        What may be changed: see ``controls_of``.
    replications
        How many runs of each side [1].
    **how
        See ``twin.experiments.How``.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario,
        factors: Factors | None = None,
        *,
        replications: int = 10,
        **how: Unpack[How],
    ) -> None:
        self.now = as_scenario(scenario)
        self.controls: tuple[Control, ...] = controls_of(self.now, factors)
        self.replications = replications
        if how.get("kpis") is None:
            how["kpis"] = USUAL_KPIS
        self._how = how
        self._shown = {control.key: control.start for control in self.controls}
        self._known: dict[tuple[str, ...], Comparison] = {}
        self.refusal = ""
        """Why the scenario as it is planned cannot be; "" where it can."""
        self.planned = self.now
        """The scenario as it is planned, or the last that could be."""

    @property
    def shown(self) -> dict[str, Any]:
        """What each control shows, by key."""
        return dict(self._shown)

    @property
    def changes(self) -> dict[str, Any]:
        """What is changed, as ``vary_all`` takes it."""
        return {
            one.key: one.said(self._shown[one.key])
            for one in self.controls
            if self._shown[one.key] != one.start
        }

    @property
    def state(self) -> State:
        """Whether what is planned was simulated."""
        if self.refusal:
            return "refused"
        if not self.changes:
            return "as it stands"
        return "not simulated yet" if self.found is None else "simulated"

    @property
    def found(self) -> Comparison | None:
        """Both sides compared; None where what is planned was not simulated yet."""
        return None if self.refusal else self._known.get(self._key())

    @cached_property
    def standing(self) -> Replications:
        """The scenario as it stands; it is simulated when this is first asked for."""
        return replicate(self.now, self.replications, **self._how)

    @property
    def kpis(self) -> tuple[str, ...]:
        """The key figures of the table, in their order."""
        return self.standing.kpis

    def set(self, key: str, value: Any) -> State:
        """Set a control to what it shall show; nothing is simulated.

        A plan that cannot be is kept with its ``refusal``: the next control may mend it.

        Raises
        ------
        RunError
            There is no such control, or it cannot show that.
        """
        controls = {control.key: control for control in self.controls}
        if key not in controls:
            close = near(key, list(controls))
            hint = f"did you mean {close}?" if close else f"there are {', '.join(controls)}"
            raise RunError(f"the plan has no control {key!r}", hint=hint)
        controls[key].said(value)
        self._shown[key] = value
        try:
            self.planned = vary_all(self.now, self.changes)
        except TwinError as error:
            self.refusal = str(error)
        else:
            self.refusal = ""
        return self.state

    def reset(self) -> State:
        """Set every control to what the scenario says."""
        self._shown = {control.key: control.start for control in self.controls}
        self.refusal, self.planned = "", self.now
        return self.state

    def simulate(self, progress: Progress | None = None) -> State:
        """Simulate what is planned, unless it was; runs that were done once are looked up.

        Parameters
        ----------
        progress
            Told how many runs are done and how many there are.

        Raises
        ------
        TwinError
            The runs cannot be done.
        """
        if self.state == "not simulated yet":
            how = How(**self._how)
            if progress is not None:
                how["progress"] = progress
            sides = {NOW: self.now, PLANNED: self.planned}
            self._known[self._key()] = compare(sides, self.replications, **how)
        return self.state

    @property
    def table(self) -> pd.DataFrame:
        """Each key figure now, planned, and by how much it differs, with intervals.

        Columns ``kpi``, ``unit``, ``now``, ``now_low``, ``now_high``; once it is simulated also
        ``planned``, ``planned_low``, ``planned_high``, ``difference`` (planned less now, paired),
        ``difference_low`` and ``difference_high``, in the figure's unit.
        """
        table = _side(self.standing.table, "mean", NOW)
        if self.found is None:
            return table
        means = self.found.table
        planned = _side(means[means["design"] == PLANNED], "mean", PLANNED)
        paired = _side(self.found.differences, "difference", DIFFERENCE)
        return table.merge(planned).merge(paired)

    def answer(self) -> list[str]:
        """Return what is known as a line for each key figure: now, planned, the difference."""
        lines = [line_of(line) for _, line in self.table.iterrows()]
        share = 100 * self.standing.confidence
        paired = ", the same luck on both sides" if self.found is not None else ""
        return [*lines, f"means of {self.replications} runs, {share:g} % intervals{paired}"]

    def __repr__(self) -> str:
        # Whoever only looks at it, as a debugger does, starts no runs.
        is_known = "standing" in self.__dict__ or self.found is not None
        return "\n".join(self.answer()) if is_known else f"{self.now.name}: {self.state}"

    def code(self) -> str:
        """Return the line of Python that makes the planned one of the ``scenario`` as it stands."""
        return f"twin.scenario.vary_all(scenario, {self.changes!r})"

    def _key(self) -> tuple[str, ...]:
        return tuple(repr(self._shown[control.key]) for control in self.controls)


def _side(table: pd.DataFrame, estimate: str, name: str) -> pd.DataFrame:
    """Return one side of the table: its estimate and bounds, called by its name."""
    names = {estimate: name, "low": f"{name}_low", "high": f"{name}_high"}
    return table[["kpi", "unit", *names]].rename(columns=names).reset_index(drop=True)
