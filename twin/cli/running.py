"""Commands on scenarios: run one, check one, see what it rests on, begin one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.base import (
    FOUND_PROBLEMS,
    INTERRUPTED,
    ScenarioArgument,
    SeedOption,
    app,
    guarded,
    table,
)
from twin.errors import OutputError, ScenarioError

if TYPE_CHECKING:
    from twin.report import Outputs
    from twin.scenario import Scenario
    from twin.twin import Twin

__all__ = ["EngineName", "assumptions", "check", "new", "run"]

_STARTER = "scenario.toml"


class EngineName(StrEnum):
    """The two engines; both give the same rows."""

    compiled = "compiled"
    reference = "reference"


# --- run ---------------------------------------------------------------------


@app.command(epilog='Example:  twin run reference_site --until "8 h" --seed 7')
@guarded
def run(
    scenario: ScenarioArgument,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help='Stop after this simulated time, like "8 h".',
            show_default="horizon",
        ),
    ] = None,
    seed: SeedOption = None,
    engine: Annotated[
        EngineName | None,
        typer.Option(help="Both give the same rows.", show_default="scenario's"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write.", show_default="out/<scenario's name>"),
    ] = None,
) -> None:
    """Simulate a scenario and report on it.

    Prints the key figures and writes report.html, kpis.csv and twin.sqlite. Ctrl-C
    stops early and keeps what was simulated.
    """
    from twin.scenario import load
    from twin.units import parse_duration

    # All that can be refused is refused before time is spent.
    if until is not None:
        parse_duration(until)
    document = load(scenario)
    name = engine.value if engine is not None else None
    _simulate(document, until, seed, name, out or Path("out") / document.name)


def _simulate(
    document: Scenario, until: str | None, seed: int | None, engine: str | None, folder: Path
) -> None:
    from twin import report
    from twin.compiling import is_cold
    from twin.opening import open as open_twin

    report.prepare(folder)
    if is_cold():
        typer.echo("compiling the engine: about 20 s, once for this version", err=True)
    twin = open_twin(document, seed=seed, engine=engine)
    typer.echo(_heading(twin))
    stopped = _ran_into_interrupt(twin, until)
    # Written before it is told: `twin run ... | head` ends the program while it prints.
    outputs = report.write_all(twin, folder)
    typer.echo(f"\n{report.headline(twin)}\n")
    _print_kpis(report.kpi_texts(twin.kpi_table()))
    _print_paths(outputs)
    if stopped:
        typer.echo(f"twin: stopped; {report.reached(twin)}", err=True)
        raise typer.Exit(INTERRUPTED)


def _heading(twin: Twin) -> str:
    run_part = twin.scenario.run
    return (
        f"{twin.scenario.name}: from {run_part.start:%Y-%m-%d %H:%M} ({run_part.time_zone}), "
        f"seed {twin.seed}, {twin.engine} engine"
    )


def _ran_into_interrupt(twin: Twin, until: str | None) -> bool:
    """Run, and say whether Ctrl-C stopped it: what was simulated by then is kept."""
    try:
        twin.run(until=until, progress=sys.stderr.isatty())
    except KeyboardInterrupt:
        return True
    return False


def _print_kpis(rows: Sequence[tuple[str, str, str, str]]) -> None:
    names = max(len(row[0]) for row in rows)
    values = max(len(row[1]) for row in rows)
    for name, value, unit, _ in rows:
        typer.echo(f"{name:<{names}}  {value:>{values}}  {unit}".rstrip())


def _print_paths(outputs: Outputs) -> None:
    typer.echo(f"\nlook at      {outputs.report}")
    typer.echo(f"key figures  {outputs.kpis}")
    typer.echo(f"all rows     {outputs.state}")


# --- check -------------------------------------------------------------------


@app.command(epilog="Example:  twin check scenarios/pilot_line.toml")
@guarded
def check(scenario: ScenarioArgument) -> None:
    """Say what is wrong or odd in a scenario.

    The status is 0 when it can be run, else 1.
    """
    from twin.scenario import load, warnings

    try:
        document = load(scenario)
    except ScenarioError as error:
        typer.echo(f"twin: {error}", err=True)
        raise typer.Exit(FOUND_PROBLEMS) from error
    typer.echo(_summary(document))
    found = warnings(document)
    for warning in found:
        typer.echo(f"warning: {warning}")
    typer.echo(f"sound, {_count(len(found), 'warning')}")


def _summary(document: Scenario) -> str:
    from twin.units import format_duration

    fleet, run_part, site = document.fleet, document.run, document.site
    nodes = document.mesh.node_count
    mesh = f", a mesh of {_count(nodes, 'node')}" if nodes else ""
    phones = sum(group.count for group in fleet.gateways if group.kind == "mobile")
    gateways = _count(sum(group.count for group in fleet.gateways), "gateway")
    workers = _count(document.work.most_workers(), "worker")
    return (
        f"{document.name}: {site.width_m:g} m x {site.depth_m:g} m, "
        f"{_count(len(document.work.shifts), 'shift')}, at most {workers} at once, "
        f"{_count(fleet.scanner_count, 'scanner')}, {gateways} ({phones:,} of them phones){mesh}; "
        f"{format_duration(run_part.horizon_us)} from {run_part.start:%Y-%m-%d %H:%M} "
        f"({run_part.time_zone}), digest {document.digest[:12]}"
    )


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


# --- assumptions -------------------------------------------------------------


@app.command(epilog="Example:  twin assumptions reference_site --unsourced")
@guarded
def assumptions(
    scenario: ScenarioArgument,
    unsourced: Annotated[
        bool, typer.Option("--unsourced", help="Only what no source gives (certainty D).")
    ] = False,
) -> None:
    """List what a scenario rests on.

    Each value with its unit, its source and how certain it is: A published, D assumed by us.
    """
    from twin.scenario import assumptions as listed
    from twin.scenario import load

    found = listed(load(scenario))
    rows = [
        (item.key, item.value, item.unit, item.certainty, item.source)
        for item in found
        if item.unsourced or not unsourced
    ]
    for line in table(("key", "value", "unit", "certainty", "source"), rows):
        typer.echo(line)
    count = sum(item.unsourced for item in found)
    typer.echo(f"\n{count} of {len(found)} values have no source (certainty D)")


# --- new ---------------------------------------------------------------------


@app.command(epilog="Example:  twin new my_warehouse")
@guarded
def new(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", show_default=False, help="Is made if need be.")
    ],
) -> None:
    """Start a scenario of your own.

    Writes a commented one into a folder; nothing is overwritten.
    """
    from twin.resources import starter_text

    path = folder / _STARTER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(starter_text())
    except FileExistsError as error:
        hint = "name another folder, or remove it"
        taken = folder if folder.is_file() else path
        raise OutputError(taken, "exists already", hint=hint) from error
    except OSError as error:
        raise OutputError(
            path, f"cannot be written: {error.strerror}", hint="name another folder"
        ) from error
    typer.echo(f"wrote {path}")
    typer.echo(f"next:  twin check {path}")
