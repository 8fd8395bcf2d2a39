"""What commands of experiments ask alike: their options, and how these are read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.errors import OutputError, RunError

if TYPE_CHECKING:
    import pandas as pd

    from twin.experiments import Design, How
    from twin.experiments.designs import Range
    from twin.report.pages import Answered
    from twin.scenario import Scenario

__all__ = [
    "CacheOption",
    "ConfidenceOption",
    "DaskOption",
    "DecidingOption",
    "DeltaOption",
    "DesignName",
    "Files",
    "KpiOption",
    "LargestOption",
    "LimitOption",
    "MostOption",
    "OutOption",
    "ProbabilityOption",
    "ReportOption",
    "RunsOption",
    "UntilOption",
    "VaryOption",
    "WarmUpOption",
    "WorkersOption",
    "designs_of",
    "how_of",
    "levels_of",
    "one_question",
    "precision_of",
    "ranges_of",
]

_PRECISION_HINT = "write KPI=2% for a share of the mean, or KPI=5 for a width in its unit"

RunsOption = Annotated[
    int, typer.Option("--replications", "-n", min=1, metavar="N", help="Runs of each design.")
]
UntilOption = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help='How long each run is, like "8 h".',
                 show_default="horizon"),
]  # fmt: skip
WarmUpOption = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="Count from then on only.", show_default="the start"),
]
KpiOption = Annotated[
    list[str] | None,
    typer.Option("--kpi", metavar="NAME", help="A key figure; again for more.",
                 show_default="beep_p95_ms"),
]  # fmt: skip
VaryOption = Annotated[
    list[str],
    typer.Option("--vary", metavar="KEY=A,B,C", show_default=False,
                 help="Values of a key of the scenario, or KEY=A..B; again for more keys."),
]  # fmt: skip
WorkersOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Processes.", show_default="all processors")
]
DaskOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", show_default=False,
                 help="Join the Dask cluster of a scheduler, tcp://HOST:PORT."),
]  # fmt: skip
OutOption = Annotated[
    Path | None, typer.Option(metavar="FILE", show_default=False, help="Write all runs as CSV.")
]
CacheOption = Annotated[
    bool, typer.Option("--cache/--no-cache", help="Use and keep what was simulated before.")
]
ReportOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="Write the answer as a page (HTML)."),
]
ConfidenceOption = Annotated[
    float, typer.Option(metavar="P", help="With which intervals and decisions hold.")
]
DecidingOption = Annotated[str, typer.Option("--kpi", metavar="NAME", help="What decides.")]
LimitOption = Annotated[
    float | None,
    typer.Option("--at-most", metavar="LIMIT", show_default=False,
                 help="The cheapest design that keeps this limit."),
]  # fmt: skip
ProbabilityOption = Annotated[
    float | None,
    typer.Option(metavar="P", show_default="0.95", help="How often a run has to keep the limit."),
]
DeltaOption = Annotated[
    float | None,
    typer.Option(metavar="WIDTH", show_default=False,
                 help="Instead: the best design; a difference below this does not matter."),
]  # fmt: skip
LargestOption = Annotated[bool, typer.Option("--largest", help="Of the best: the largest mean is.")]
MostOption = Annotated[
    int, typer.Option(min=1, metavar="N", help="Give up after so many replications.")
]


class DesignName(StrEnum):
    """Which values are tried together."""

    grid = "grid"
    one_at_a_time = "one-at-a-time"
    latin_hypercube = "latin-hypercube"
    sobol = "sobol"
    indices = "indices"


def how_of(
    kpis: list[str] | None, until: str | None, warm_up: str | None, seed: int | None,
    workers: int | None, dask: str | None, cache: bool,
) -> How:  # fmt: skip
    """Return how runs are to be done, as ``twin.experiments`` takes it.

    Parameters
    ----------
    kpis, until, warm_up, seed, workers, dask, cache
        As the options give them.
    """
    return {
        "kpis": kpis or ["beep_p95_ms"], "until": until, "warm_up": warm_up, "seed": seed,
        "workers": workers, "executor": dask or "auto", "cache": cache,
        "progress": None if sys.stderr.isatty() else False,
    }  # fmt: skip


def precision_of(text: str) -> tuple[str, str]:
    """Read "KPI=2%" as a figure and its precision.

    Raises
    ------
    RunError
        It is none.
    """
    kpi, equals, value = text.partition("=")
    if not (kpi and equals and value):
        raise RunError(f"{text!r} is no precision", hint=_PRECISION_HINT)
    return kpi, value


def levels_of(vary: list[str]) -> dict[str, Any]:
    """Read what is varied: of each key its values, or a range.

    Raises
    ------
    RunError
        Something varies nothing, or a key comes twice.
    """
    from twin.experiments.designs import read_factor

    found: dict[str, Any] = {}
    for text in vary:
        key, values = read_factor(text)
        if key in found:
            raise RunError(f"{key} is varied twice", hint="give all its values at once: KEY=A,B,C")
        found[key] = values
    return found


def one_question(
    at_most: float | None, probability: float | None, delta: float | None, *, largest: bool
) -> None:
    """Make sure that either the cheapest design is asked for, or the best.

    Raises
    ------
    RunError
        Both are, or neither, or there are words of the one in the other.
    """
    if (at_most is None) == (delta is None):
        raise RunError(
            "a choice needs a limit or a difference",
            hint="--at-most 300 for the cheapest design that keeps it, --delta 5 for the best",
        )
    if delta is not None and probability is not None:
        raise RunError("--probability belongs to a limit", hint="leave it out, or give --at-most")
    if at_most is not None and largest:
        raise RunError("--largest belongs to --delta", hint="a limit is kept by what is below it")


def ranges_of(design: DesignName, levels: Mapping[str, list[Any] | Range]) -> dict[str, Range]:
    """Return ranges for a design that takes nothing else.

    Raises
    ------
    RunError
        A key has values instead.
    """
    from twin.experiments import Range

    ranges = {key: given for key, given in levels.items() if isinstance(given, Range)}
    lists = ", ".join(key for key in levels if key not in ranges)
    if lists:
        raise RunError(f"{design.value} takes ranges, not values: {lists}", hint="write KEY=A..B")
    return ranges


def designs_of(
    scenario: Scenario, design: DesignName, levels: dict[str, list[Any] | Range], count: int
) -> list[Design]:
    """Return the designs that are asked for.

    Parameters
    ----------
    scenario
        What all begin with.
    design
        Which values are tried together.
    levels
        Of each key.
    count
        How many, of a hypercube or a Sobol sequence [1].
    """
    from twin import experiments

    if design is DesignName.one_at_a_time:
        return experiments.one_at_a_time(scenario, levels)
    if design is DesignName.grid:
        ranges = ", ".join(key for key, one in levels.items() if not isinstance(one, list))
        if ranges:
            raise RunError(
                f"a grid takes values, not a range: {ranges}",
                hint="write KEY=A,B,C, or take --design latin-hypercube",
            )
        return experiments.grid(scenario, {k: v for k, v in levels.items() if isinstance(v, list)})
    make = experiments.sobol if design is DesignName.sobol else experiments.latin_hypercube
    return make(scenario, ranges_of(design, levels), count)


class Files:
    """Where an answer goes beside the screen: looked at before time is spent on runs.

    Parameters
    ----------
    out
        All runs as CSV, None for no file.
    report
        The answer as a page, None for none.
    """

    def __init__(self, out: Path | None, report: Path | None) -> None:
        from twin.report import writable

        if out is not None and report is not None and out.resolve() == report.resolve():
            raise OutputError(out, "is due for the runs and for the page", hint="name two files")
        self._out, self._report = (path and writable(path) for path in (out, report))

    def tell(self, found: Answered, scenario: Scenario, lines: list[str] | None = None) -> None:
        """Write the files that are asked for, and print the answer."""
        for line in found.answer() if lines is None else lines:
            typer.echo(line)
        gap = "\n"
        if self._out is not None:
            _write_runs(found.frame, self._out)
            typer.echo(f"{gap}all runs     {self._out}")
            gap = ""
        if self._report is not None:
            from twin.report import write_experiment
            from twin.report.pages import page_of

            write_experiment(self._report, page_of(found, scenario))
            typer.echo(f"{gap}report       {self._report}")


def _write_runs(frame: pd.DataFrame, path: Path) -> None:
    from twin.report.page import replacing

    with replacing(path) as part:
        frame.to_csv(part, index=False)
