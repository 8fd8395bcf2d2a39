"""Commands that ask what would be: replicate, compare, sweep, select."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.base import ScenarioArgument, SeedOption, app, guarded
from twin.errors import OutputError, RunError

if TYPE_CHECKING:
    import pandas as pd

    from twin.experiments import Design, How
    from twin.experiments.designs import Range

__all__ = ["DesignName", "compare", "replicate", "select", "sweep"]

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


class DesignName(StrEnum):
    """Which values are tried together."""

    grid = "grid"
    one_at_a_time = "one-at-a-time"
    latin_hypercube = "latin-hypercube"
    sobol = "sobol"


@app.command(
    epilog="Example:  twin replicate reference_site --until '8 h' --precision beep_p95_ms=1%"
)
@guarded
def replicate(
    scenario: ScenarioArgument,
    replications: RunsOption = 10,
    precision: Annotated[
        list[str] | None,
        typer.Option(metavar="KPI=VALUE", show_default=False,
                     help="Go on until it is known so well: 2% of the mean, or 5 of its unit."),
    ] = None,
    kpi: KpiOption = None,
    until: UntilOption = None,
    warm_up: WarmUpOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    cache: CacheOption = True,
    out: OutOption = None,
) -> None:  # fmt: skip
    """Run a scenario again and again with other luck.

    Says what is known of its key figures, with intervals.
    """
    from twin import experiments

    wanted = dict(_precision(text) for text in precision or [])
    kpis = kpi or [*wanted] or None
    how = _how(kpis, until, warm_up, seed, workers, dask, cache)
    found = experiments.replicate(scenario, replications, precision=wanted, **how)
    _tell(found.answer(), found.frame, out)


@app.command(epilog="Example:  twin compare reference_site busier.toml -n 30 --kpi beep_p95_ms")
@guarded
def compare(
    scenarios: Annotated[
        list[str],
        typer.Argument(metavar="SCENARIO...", show_default=False,
                       help="Files, or names of those of the package; the first is the baseline."),
    ],
    vary: VaryOption = [],  # noqa: B006 - typer copies it
    replications: RunsOption = 10,
    kpi: KpiOption = None,
    until: UntilOption = None,
    warm_up: WarmUpOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    cache: CacheOption = True,
    out: OutOption = None,
) -> None:  # fmt: skip
    """Run scenarios with the same luck.

    Says by how much they differ from the first, with intervals of the paired differences. With
    --vary there are also variants of the first scenario, one for each value.
    """
    from twin import experiments
    from twin.experiments.comparing import named_designs
    from twin.experiments.designs import one_at_a_time

    designs = named_designs(scenarios)
    if vary:
        designs += one_at_a_time(designs[0].scenario, _levels(vary))[1:]
    how = _how(kpi, until, warm_up, seed, workers, dask, cache)
    given = {design.name: design.scenario for design in designs}
    found = experiments.compare(given, replications, **how)
    _tell(found.answer(), found.frame, out)


@app.command(
    epilog="Example:  twin sweep reference_site --vary fleet.gateways.phones.count=6,10,14"
)
@guarded
def sweep(
    scenario: ScenarioArgument,
    vary: VaryOption,
    design: Annotated[
        DesignName, typer.Option(help="Which values are tried together; the last two take ranges.")
    ] = DesignName.grid,
    count: Annotated[
        int, typer.Option(min=1, metavar="N", help="Designs of a hypercube or a Sobol sequence.")
    ] = 16,
    replications: RunsOption = 10,
    kpi: KpiOption = None,
    until: UntilOption = None,
    warm_up: WarmUpOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    cache: CacheOption = True,
    out: OutOption = None,
) -> None:  # fmt: skip
    """Run many designs of a scenario with the same luck.

    Says what each comes to; one at a time, also which key matters most.
    """
    from twin import experiments

    designs = _designs(scenario, design, _levels(vary), count)
    how = _how(kpi, until, warm_up, seed, workers, dask, cache)
    found = experiments.sweep(designs, replications, **how)
    lines = found.answer()
    if design is DesignName.one_at_a_time:
        for _, line in found.tornado(found.kpis[0]).iterrows():
            lines.append(
                f"{line['factor']} from {line['low_value']} to {line['high_value']}: "
                f"{found.kpis[0]} {line['at_low']:.4g} to {line['at_high']:.4g} {line['unit']}"
            )
    _tell(lines, found.frame, out)


@app.command(
    epilog="Example:  twin select reference_site --vary fleet.gateways.phones.count=6,10,14 "
    "--at-most 300 --until '8 h'"
)
@guarded
def select(
    scenario: ScenarioArgument,
    vary: VaryOption,
    kpi: Annotated[str, typer.Option(metavar="NAME", help="What decides.")] = "beep_p95_ms",
    at_most: Annotated[
        float | None,
        typer.Option(metavar="LIMIT", show_default=False,
                     help="The cheapest design, the first given, that keeps this limit."),
    ] = None,
    probability: Annotated[
        float, typer.Option(metavar="P", help="How often a run has to keep the limit.")
    ] = 0.95,
    delta: Annotated[
        float | None,
        typer.Option(metavar="WIDTH", show_default=False,
                     help="Instead: the best design; a difference below this does not matter."),
    ] = None,
    largest: Annotated[bool, typer.Option("--largest", help="The largest is the best.")] = False,
    until: UntilOption = None,
    warm_up: WarmUpOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    cache: CacheOption = True,
    out: OutOption = None,
) -> None:  # fmt: skip
    """Find the cheapest design that keeps a limit, or the best one.

    Runs only as much as the decision needs.
    """
    from twin import experiments

    if (at_most is None) == (delta is None):
        raise RunError(
            "select needs a limit or a difference",
            hint="--at-most 300 for the cheapest design that keeps it, --delta 5 for the best",
        )
    designs = _designs(scenario, DesignName.grid, _levels(vary), 0)
    how = _how(None, until, warm_up, seed, workers, dask, cache)
    how.pop("kpis")
    if at_most is not None:
        choice = experiments.cheapest(designs, kpi, at_most, probability=probability, **how)
        _tell(choice.answer(), choice.frame, out)
    else:
        assert delta is not None
        best = experiments.select(designs, kpi, delta, smaller_is_better=not largest, **how)
        _tell(best.answer(), best.frame, out)


def _how(
    kpis: list[str] | None, until: str | None, warm_up: str | None, seed: int | None,
    workers: int | None, dask: str | None, cache: bool,
) -> How:  # fmt: skip
    """Return how runs are to be done, as ``twin.experiments`` takes it."""
    return {
        "kpis": kpis or ["beep_p95_ms"], "until": until, "warm_up": warm_up, "seed": seed,
        "workers": workers, "executor": dask or "auto", "cache": cache,
        "progress": None if sys.stderr.isatty() else False,
    }  # fmt: skip


def _precision(text: str) -> tuple[str, str]:
    kpi, equals, value = text.partition("=")
    if not (kpi and equals and value):
        raise RunError(f"{text!r} is no precision", hint=_PRECISION_HINT)
    return kpi, value


def _levels(vary: list[str]) -> dict[str, Any]:
    from twin.experiments.designs import read_factor

    found: dict[str, Any] = {}
    for text in vary:
        key, values = read_factor(text)
        if key in found:
            raise RunError(f"{key} is varied twice", hint="give all its values at once: KEY=A,B,C")
        found[key] = values
    return found


def _designs(
    name: str, design: DesignName, levels: dict[str, list[Any] | Range], count: int
) -> list[Design]:
    from twin import experiments
    from twin.scenario import load

    scenario = load(name)
    if design is DesignName.one_at_a_time:
        return experiments.one_at_a_time(scenario, levels)
    ranges = {key: given for key, given in levels.items() if isinstance(given, experiments.Range)}
    lists = {key: given for key, given in levels.items() if isinstance(given, list)}
    if design is DesignName.grid:
        if ranges:
            raise RunError(
                f"a grid takes values, not a range: {', '.join(ranges)}",
                hint="write KEY=A,B,C, or take --design latin-hypercube",
            )
        return experiments.grid(scenario, lists)
    if lists:
        raise RunError(
            f"{design.value} takes ranges, not values: {', '.join(lists)}", hint="write KEY=A..B"
        )
    make = experiments.sobol if design is DesignName.sobol else experiments.latin_hypercube
    return make(scenario, ranges, count)


def _tell(lines: list[str], frame: pd.DataFrame, out: Path | None) -> None:
    """Print the answer, and write the runs where that is asked for."""
    if out is not None:
        try:
            frame.to_csv(out, index=False)
        except OSError as error:
            raise OutputError(out, f"cannot be written: {error.strerror}") from error
    for line in lines:
        typer.echo(line)
    if out is not None:
        typer.echo(f"\nall runs     {out}")
