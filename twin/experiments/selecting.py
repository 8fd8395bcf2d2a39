"""Selections: the best of some designs, and the cheapest that is good enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Unpack

import pandas as pd

from twin.analysis.intervals import bonferroni, mean_interval
from twin.analysis.selection import Feasibility, KimNelson
from twin.errors import RunError
from twin.experiments.how import Design, How, checked_count
from twin.experiments.parts import unit_of
from twin.experiments.replicating import MOST
from twin.experiments.running import Runner, checked_designs, finite
from twin.experiments.tables import interval_table, percent, spread

__all__ = ["Choice", "Selection", "bisected", "cheapest", "checked_limit", "select"]

_ROUND = 10
"""So many replications are run at once; what the decision does not need is known for later."""
_FIRST = 10


@dataclass(frozen=True)
class Selection:
    """The best of some designs.

    ``best`` is the name of the design that is left; where ``is_decided`` is False it was only
    ahead when the replications were used up. ``frame`` has a row for each of the runs that the
    decision took, ``spent`` in all; ``table`` one for each design: ``n`` of them, its ``mean``,
    ``low``, ``high``, and whether it is ``left``.
    """

    best: str
    is_decided: bool
    kpi: str
    delta: float
    confidence: float
    spent: int
    table: pd.DataFrame
    frame: pd.DataFrame

    @property
    def provenance(self) -> dict[str, str]:
        """What makes these runs again."""
        found: dict[str, str] = self.frame.attrs["provenance"]
        return found

    def answer(self) -> list[str]:
        """Return the best first, then what it was chosen from."""
        unit = unit_of(self.kpi)
        sure = (
            f"the best with probability {self.confidence:g}, or within {self.delta:g} {unit} of it"
            if self.is_decided
            else "ahead, but not decided: allow more replications (most), or a larger delta"
        )
        lines = [f"{self.best}: {sure}"]
        lines += [
            f"{self.kpi}, {line['design']}: {spread(line)}, {line['n']} replications"
            f"{'' if line['left'] else ', dropped'}"
            for _, line in self.table.iterrows()
        ]
        return [*lines, f"{self.spent} runs"]

    def __repr__(self) -> str:
        return "\n".join(self.answer())


def select(
    designs: Sequence[Design],
    kpi: str,
    delta: float,
    *,
    smaller_is_better: bool = True,
    confidence: float = 0.95,
    most: int = MOST,
    **how: Unpack[How],
) -> Selection:
    """Find the design with the best mean, dropping others as soon as they cannot be it.

    Kim and Nelson's procedure on common random numbers: see ``twin.analysis.selection``.

    Parameters
    ----------
    designs
        Two or more, each with a name of its own.
    kpi
        The figure to be best in.
    delta
        The smallest difference that matters, in its unit.
    smaller_is_better
        Whether the smallest mean is the best.
    confidence
        That it is the best, where it is so by ``delta`` [1].
    most
        Replications after which whoever is ahead is taken, undecided [1].
    **how
        See ``How``; ``kpis`` is not taken.

    Raises
    ------
    RunError
        There are not two designs, or a run has no such figure.
    """
    names = checked_designs(designs)
    most = max(checked_count(most, "most"), _FIRST)
    procedure = KimNelson(
        len(designs), delta, confidence=confidence, first=_FIRST,
        smaller_is_better=smaller_is_better,
    )  # fmt: skip
    runner = Runner(designs[0].scenario, how | {"kpis": [kpi]})
    frames = []
    while procedure.best is None and procedure.replications < most:
        left = [designs[number] for number in procedure.survivors]
        first = procedure.replications
        frame = finite(runner.runs(left, range(first, min(most, first + _ROUND))), kpi)
        for _, row in frame.groupby("replication"):
            if procedure.best is not None:
                break
            asked = row["design"].isin([names[number] for number in procedure.survivors])
            procedure.add(row.loc[asked, kpi].to_numpy(float))
            frames.append(row[asked])
    runs = pd.concat(frames, ignore_index=True)
    runs.attrs["provenance"] = runner.provenance(designs)
    table = interval_table(runs, [kpi], confidence)
    dropped = [name for number, name in enumerate(names) if number not in procedure.survivors]
    table["left"] = ~table["design"].isin(dropped)
    return Selection(
        names[procedure.leader], procedure.best is not None, kpi, delta, confidence,
        procedure.spent, table, runs,
    )  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """The cheapest design that keeps a limit often enough.

    ``best`` is its name, None where no design is known to. ``table`` has a row for each design
    that was looked at: ``n`` runs, ``share`` of them that kept the limit with its interval
    (``share_low``, ``share_high``), the ``verdict`` ("enough", "not enough", "at the limit": within
    ``zone`` of the probability, and "open": too few runs), the probability ``chance_enough``, and
    the figure's ``mean``, ``low``, ``high``. ``frame`` has a row for each run.
    """

    best: str | None
    kpi: str
    at_most: float
    probability: float
    zone: float
    confidence: float
    table: pd.DataFrame
    frame: pd.DataFrame

    @property
    def provenance(self) -> dict[str, str]:
        """What makes these runs again."""
        found: dict[str, str] = self.frame.attrs["provenance"]
        return found

    def answer(self) -> list[str]:
        """Return the choice first, then why nothing cheaper."""
        unit = unit_of(self.kpi)
        wanted = (
            f"{self.kpi} at most {self.at_most:g} {unit} in {100 * self.probability:g} % of runs"
        )
        lines: list[str] = []
        for _, line in self.table.iterrows():
            design, chance = line["design"], line["chance_enough"]
            sure = f"{self.kpi} {spread(line)}; enough with probability {percent(chance)}"
            if design == self.best:
                lines.insert(0, f"{design}: {sure}")
            elif line["verdict"] == "enough":
                lines.append(f"{design}: {sure}")
            else:
                share = f"{100 * line['share']:.1f} % of {line['n']} runs kept it"
                lines.append(f"{design}: {self._short(str(line['verdict']), chance)}; {share}")
        if self.best is None:
            lines.insert(0, "none of these designs is known to be enough")
        return [*lines, f"wanted: {wanted}; {len(self.frame)} runs"]

    def _short(self, verdict: str, chance: float) -> str:
        """Say why a design is not taken."""
        if verdict == "not enough":
            return f"not enough with probability {percent(1.0 - chance)}"
        if verdict == "at the limit":
            return f"at the limit: within {100 * self.zone:g} % of what is wanted"
        return f"not decided: enough with probability {percent(chance)}; allow more runs (most)"

    def __repr__(self) -> str:
        return "\n".join(self.answer())


def cheapest(  # noqa: PLR0913 - each is a word of the promise
    designs: Sequence[Design],
    kpi: str,
    at_most: float,
    *,
    probability: float = 0.95,
    zone: float | None = None,
    confidence: float = 0.95,
    most: int = MOST,
    **how: Unpack[How],
) -> Choice:
    """Find the first design whose figure is at most a limit with a probability, run by run.

    Each design is tried by a sequential test until it is known to be enough, not enough, or so
    close to it that more runs would not help; the verdicts share the error of the confidence
    (Bonferroni). See ``twin.analysis.selection``.

    Parameters
    ----------
    designs
        The cheapest first, each with a name of its own.
    kpi
        The figure that has a limit.
    at_most
        The limit, in its unit.
    probability
        How often a run has to keep it [1].
    zone
        Closer than this to the probability a design is "at the limit", and not taken; default
        half of what is missing to 1. A narrower one takes more runs [1].
    confidence
        In all verdicts together [1].
    most
        Replications after which a design is left undecided [1].
    **how
        See ``How``; ``kpis`` is not taken.

    Raises
    ------
    RunError
        There is no design, no such figure, or a limit that is no number.
    """
    checked_designs(designs)
    checked_count(most, "most")
    limit = checked_limit(at_most)
    each = bonferroni(confidence, len(designs))
    runner = Runner(designs[0].scenario, how | {"kpis": [kpi]})
    tried: list[_Tried] = []
    best = None
    for design in designs:
        test = Feasibility(probability, confidence=each, zone=zone)
        tried.append(_try(runner, design, test, _Wanted(kpi, limit, confidence, most)))
        if test.verdict == "enough":
            best = design.name
            break
    return _choice(best, test, _Wanted(kpi, limit, confidence, most), tried)


def bisected(
    designs: Sequence[Design], kpi: str, at_most: float, probability: float, **how: Unpack[How]
) -> Choice:
    """Find a cheap design among many that keeps a limit, looking at few of them.

    Of designs in the order of their cost the middle one is tried as in ``cheapest``; where it is
    enough it goes on among the cheaper ones, else among the dearer ones. What is said to be enough
    is so with 95 %, whether or not dearer designs are better.

    Parameters
    ----------
    designs
        The cheapest first, each with a name of its own.
    kpi
        The figure that has a limit.
    at_most
        The limit, in its unit.
    probability
        How often a run has to keep it [1].
    **how
        See ``How``; ``kpis`` is not taken.
    """
    checked_designs(designs)
    wanted = _Wanted(kpi, checked_limit(at_most), 0.95, MOST)
    each = bonferroni(wanted.confidence, len(designs).bit_length())
    runner = Runner(designs[0].scenario, how | {"kpis": [kpi]})
    tried: dict[int, _Tried] = {}
    best, low, high = None, 0, len(designs)
    while low < high:
        middle = (low + high) // 2
        test = Feasibility(probability, confidence=each)
        tried[middle] = _try(runner, designs[middle], test, wanted)
        if test.verdict == "enough":
            best, high = designs[middle].name, middle
        else:
            low = middle + 1
    return _choice(best, test, wanted, [tried[place] for place in sorted(tried)])


class _Wanted(NamedTuple):
    kpi: str
    limit: float
    confidence: float
    most: int


class _Tried(NamedTuple):
    """A line of the table, the runs behind it, and what makes them again."""

    row: dict[str, Any]
    runs: pd.DataFrame
    made: dict[str, str]


def _try(runner: Runner, design: Design, test: Feasibility, wanted: _Wanted) -> _Tried:
    """Run a design until its test has a verdict."""
    own: list[pd.DataFrame] = []
    while test.verdict is None and test.of < wanted.most:
        begin = test.of
        frame = runner.runs([design], range(begin, min(wanted.most, begin + _ROUND)))
        for value in frame[wanted.kpi]:  # NaN is no figure, and keeps no limit
            if test.verdict is None:
                test.add(bool(value <= wanted.limit))
        own.append(frame.head(test.of - begin))
    runs = pd.concat(own, ignore_index=True)
    found = mean_interval(runs[wanted.kpi].to_numpy(float), wanted.confidence)
    row = {
        "design": design.name, "kpi": wanted.kpi, "unit": unit_of(wanted.kpi), "n": test.of,
        "share": test.share.estimate, "share_low": test.share.low,
        "share_high": test.share.high, "verdict": test.verdict or "open",
        "chance_enough": test.chance_enough,
        "mean": found.estimate, "low": found.low, "high": found.high,
    }  # fmt: skip
    return _Tried(row, runs, runner.provenance([design]))


def _choice(
    best: str | None, test: Feasibility, wanted: _Wanted, tried: Sequence[_Tried]
) -> Choice:
    """Return all that was tried as one choice."""
    runs = pd.concat([one.runs for one in tried], ignore_index=True)
    runs.attrs["provenance"] = {key: value for one in tried for key, value in one.made.items()}
    table = pd.DataFrame([one.row for one in tried])
    return Choice(
        best, wanted.kpi, wanted.limit, test.probability, test.zone, wanted.confidence, table, runs
    )


def checked_limit(given: float) -> float:
    """Return a limit as a number.

    Raises
    ------
    RunError
        It is none.
    """
    try:
        limit = float(given)
    except (TypeError, ValueError):
        limit = math.nan
    if math.isnan(limit):
        raise RunError(f"a limit is a number, not {given!r}", hint="in the unit of the figure")
    return limit
