"""Commands that ask what would be: replicate, compare, sweep, select."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.asking import (
    CacheOption,
    ConfidenceOption,
    DaskOption,
    DecidingOption,
    DeltaOption,
    DesignName,
    Files,
    KpiOption,
    LargestOption,
    LimitOption,
    MostOption,
    OutOption,
    ProbabilityOption,
    ReportOption,
    RunsOption,
    UntilOption,
    VaryOption,
    WarmUpOption,
    WorkersOption,
    designs_of,
    how_of,
    levels_of,
    one_question,
    precision_of,
    ranges_of,
)
from twin.cli.base import ScenarioArgument, SeedOption, app, guarded
from twin.errors import RunError

if TYPE_CHECKING:
    from twin.experiments import Sweep

__all__ = ["compare", "replicate", "select", "sweep"]


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
    most: MostOption = 1000,
    kpi: KpiOption = None,
    until: UntilOption = None,
    warm_up: WarmUpOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    cache: CacheOption = True,
    confidence: ConfidenceOption = 0.95,
    out: OutOption = None,
    report: ReportOption = None,
) -> None:  # fmt: skip
    """Run a scenario again and again with other luck.

    Says what is known of its key figures, with intervals.
    """
    from twin import experiments
    from twin.scenario import load

    files, given = Files(out, report), load(scenario)
    wanted = dict(precision_of(text) for text in precision or [])
    kpis = kpi or [*wanted] or None
    how = how_of(kpis, until, warm_up, seed, workers, dask, cache)
    found = experiments.replicate(
        given, replications, precision=wanted, confidence=confidence, most=most, **how
    )
    files.tell(found, given)


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
    confidence: ConfidenceOption = 0.95,
    out: OutOption = None,
    report: ReportOption = None,
) -> None:  # fmt: skip
    """Run scenarios with the same luck.

    Says by how much they differ from the first, with intervals of the paired differences. With
    --vary there are also variants of the first scenario, one for each value.
    """
    from twin import experiments
    from twin.experiments.comparing import named_designs
    from twin.experiments.designs import one_at_a_time
    from twin.experiments.running import checked_designs

    files, designs = Files(out, report), named_designs(scenarios)
    if vary:
        designs += one_at_a_time(designs[0].scenario, levels_of(vary))[1:]
    checked_designs(designs)
    how = how_of(kpi, until, warm_up, seed, workers, dask, cache)
    given = {design.name: design.scenario for design in designs}
    found = experiments.compare(given, replications, confidence=confidence, **how)
    files.tell(found, designs[0].scenario)


@app.command(
    epilog="Example:  twin sweep reference_site --vary fleet.gateways.phones.count=6,10,14"
)
@guarded
def sweep(
    scenario: ScenarioArgument,
    vary: VaryOption,
    design: Annotated[
        DesignName,
        typer.Option(help="Which values are tried together; the last three take ranges."),
    ] = DesignName.grid,
    count: Annotated[
        int,
        typer.Option(min=1, metavar="N",
                     help="Designs of a hypercube or a Sobol sequence; base points of indices."),
    ] = 16,
    replications: RunsOption = 10,
    kpi: KpiOption = None,
    until: UntilOption = None,
    warm_up: WarmUpOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    cache: CacheOption = True,
    confidence: ConfidenceOption = 0.95,
    out: OutOption = None,
    report: ReportOption = None,
) -> None:  # fmt: skip
    """Run many designs of a scenario with the same luck.

    Says what each comes to; one at a time, also which key matters most.
    """
    from twin import experiments
    from twin.scenario import load

    files, given, levels = Files(out, report), load(scenario), levels_of(vary)
    how = how_of(kpi, until, warm_up, seed, workers, dask, cache)
    if design is DesignName.indices:
        (figure,) = _one(kpi)
        how.pop("kpis")
        ranges = ranges_of(design, levels)
        decided = experiments.sensitivity(
            given, ranges, figure, count, replications, confidence=confidence, **how
        )
        files.tell(decided, given)
        return
    designs = designs_of(given, design, levels, count)
    found = experiments.sweep(designs, replications, confidence=confidence, **how)
    files.tell(found, given, [*found.answer(), *_tornado_lines(found, design)])


@app.command(
    epilog="Example:  twin select reference_site --vary fleet.gateways.phones.count=6,10,14 "
    "--at-most 300 --until '8 h'"
)
@guarded
def select(
    scenario: ScenarioArgument,
    vary: VaryOption,
    kpi: DecidingOption = "beep_p95_ms",
    at_most: LimitOption = None,
    probability: ProbabilityOption = None,
    delta: DeltaOption = None,
    largest: LargestOption = False,
    most: MostOption = 1000,
    until: UntilOption = None,
    warm_up: WarmUpOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    cache: CacheOption = True,
    confidence: ConfidenceOption = 0.95,
    out: OutOption = None,
    report: ReportOption = None,
) -> None:
    """Find the cheapest design that keeps a limit, or the best one.

    Runs only as much as the decision needs. The cheapest is the first that is given.
    """
    from twin import experiments
    from twin.scenario import load

    one_question(at_most, probability, delta, largest=largest)
    files, given = Files(out, report), load(scenario)
    how = how_of(None, until, warm_up, seed, workers, dask, cache)
    how.pop("kpis")
    designs = designs_of(given, DesignName.grid, levels_of(vary), 0)
    if delta is None:
        assert at_most is not None
        choice = experiments.cheapest(
            designs, kpi, at_most, probability=probability or 0.95, confidence=confidence,
            most=most, **how,
        )  # fmt: skip
        files.tell(choice, given)
        return
    best = experiments.select(
        designs, kpi, delta, smaller_is_better=not largest, confidence=confidence, most=most, **how
    )
    files.tell(best, given)


def _one(kpis: list[str] | None) -> list[str]:
    """Return the one figure that is asked for."""
    found = kpis or ["beep_p95_ms"]
    if len(found) > 1:
        raise RunError(f"indices are of one figure, not of {len(found)}", hint="give one --kpi")
    return found


def _tornado_lines(found: Sweep, design: DesignName) -> list[str]:
    """Say which key matters most, where one was changed at a time."""
    if design is not DesignName.one_at_a_time:
        return []
    kpi = found.kpis[0]
    return [
        f"{line['factor']} from {line['low_value']} to {line['high_value']}: "
        f"{kpi} {line['at_low']:.4g} to {line['at_high']:.4g} {line['unit']}"
        for _, line in found.tornado(kpi).iterrows()
    ]
