"""The command line: `twin run`, `twin check`, `twin assumptions`, `twin new`.

What a command needs is imported inside it: `twin --help` must not wait for numba,
pandas and matplotlib.
"""

from __future__ import annotations

import functools
import gc
import importlib.metadata
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

from twin.errors import OutputError, ScenarioError, TwinError

if TYPE_CHECKING:
    from twin.report import Outputs
    from twin.scenario import Scenario
    from twin.twin import Twin

__all__ = ["app", "main"]

_OBJECTS_BETWEEN_SWEEPS = 200_000
FOUND_PROBLEMS, REFUSED, INTERRUPTED = 1, 2, 130

STARTER = "scenario.toml"

P = ParamSpec("P")

app = typer.Typer(
    name="twin",
    help="A digital twin of one warehouse site: workers, barcode scanners, gateways.",
    epilog="Example:  twin run pilot_line",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class EngineName(StrEnum):
    """The two engines; both give the same rows."""

    compiled = "compiled"
    reference = "reference"


ScenarioArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO",
        show_default=False,
        help="A scenario file, or the name of one that comes with the package.",
    ),
]


def main() -> None:
    """Run the command line."""
    # A command ends soon and makes millions of rows and no circles: looking for circles as often
    # as by default takes a tenth of its time.
    gc.set_threshold(_OBJECTS_BETWEEN_SWEEPS, 50, 100)
    app()


def _guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what a command refuses into a message and a status, without a traceback."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except TwinError as error:
            typer.echo(f"twin: {error}", err=True)
            raise typer.Exit(REFUSED) from error
        except KeyboardInterrupt:
            typer.echo("twin: stopped", err=True)
            raise typer.Exit(INTERRUPTED) from None

    return guarded


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"twin {importlib.metadata.version('twin')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


# --- run ---------------------------------------------------------------------


@app.command(epilog='Example:  twin run reference_site --until "8 h" --seed 7')
@_guarded
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
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**63 - 1, help="Another day's luck.", show_default="scenario's"),
    ] = None,
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


# --- serve -------------------------------------------------------------------


@app.command(epilog="Example:  twin serve reference_site --speed 60 --state site.sqlite")
@_guarded
def serve(
    scenario: ScenarioArgument,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    insight_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the Insight API; 0 for a free one.")
    ] = 8080,
    speed: Annotated[
        str,
        typer.Option(metavar="N|max|0", help="Simulated seconds in a second; max; 0 stands still."),
    ] = "1",
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**63 - 1, help="Another day's luck.", show_default="scenario's"),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Goes on from this file, and is written at the end."),
    ] = None,
) -> None:
    """Answer the Insight API over HTTP, until Ctrl-C.

    Says where as soon as requests are answered.
    """
    try:
        from twin.api import serve as serving
    except ModuleNotFoundError as error:
        raise TwinError(
            f"serving needs {error.name}, which is not installed: pip install 'twin[serve]'"
        ) from error
    from twin.opening import open as open_twin

    pace = serving.speed_of(speed)
    serving.serve(
        lambda: open_twin(scenario, seed=seed, state=state),
        host,
        insight_port,
        pace,
        ready=lambda url: typer.echo(f"ready: Insight at {url}"),
        stopped=lambda served: None if state is None else typer.echo(f"saved {served.save()}"),
    )


# --- check -------------------------------------------------------------------


@app.command(epilog="Example:  twin check scenarios/pilot_line.toml")
@_guarded
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
    phones = sum(group.count for group in fleet.gateways if group.kind == "mobile")
    gateways = _count(sum(group.count for group in fleet.gateways), "gateway")
    workers = _count(document.work.most_workers(), "worker")
    return (
        f"{document.name}: {site.width_m:g} m x {site.depth_m:g} m, "
        f"{_count(len(document.work.shifts), 'shift')}, at most {workers} at once, "
        f"{_count(fleet.scanner_count, 'scanner')}, {gateways} ({phones:,} of them phones); "
        f"{format_duration(run_part.horizon_us)} from {run_part.start:%Y-%m-%d %H:%M} "
        f"({run_part.time_zone}), digest {document.digest[:12]}"
    )


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


# --- assumptions -------------------------------------------------------------


@app.command(epilog="Example:  twin assumptions reference_site --unsourced")
@_guarded
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
    for line in _table(("key", "value", "unit", "certainty", "source"), rows):
        typer.echo(line)
    count = sum(item.unsourced for item in found)
    typer.echo(f"\n{count} of {len(found)} values have no source (certainty D)")


# Beyond this a column of a terminal is wrapped, not widened.
_WIDEST = 32
_LEAST_LAST = 24


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Align columns; in a terminal wrap them, in a pipe keep one line for each row."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    if sys.stdout.isatty():
        widths = [min(width, _WIDEST) for width in widths]
        taken = sum(widths[:-1]) + 2 * len(widths[:-1])
        widths[-1] = max(_LEAST_LAST, shutil.get_terminal_size().columns - taken)
    for row in (heads, *rows):
        cells = [textwrap.wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
        for place in range(max(map(len, cells))):
            parts = [cell[place] if place < len(cell) else "" for cell in cells]
            padded = [part.ljust(width) for part, width in zip(parts, widths, strict=True)]
            yield "  ".join(padded).rstrip()


# --- new ---------------------------------------------------------------------


@app.command(epilog="Example:  twin new my_warehouse")
@_guarded
def new(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", show_default=False, help="Is made if need be.")
    ],
) -> None:
    """Start a scenario of your own.

    Writes a commented one into a folder; nothing is overwritten.
    """
    from twin.resources import starter_text

    path = folder / STARTER
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
