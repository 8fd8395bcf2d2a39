"""What all commands share: the application, how they refuse, how they show a table."""

from __future__ import annotations

import functools
import gc
import importlib.metadata
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, ParamSpec

import typer

from twin.errors import TwinError

__all__ = [
    "FOUND_PROBLEMS",
    "INTERRUPTED",
    "REFUSED",
    "ScenarioArgument",
    "SeedOption",
    "app",
    "guarded",
    "main",
    "table",
]

_OBJECTS_BETWEEN_SWEEPS = 200_000
FOUND_PROBLEMS, REFUSED, INTERRUPTED = 1, 2, 130

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


ScenarioArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO",
        show_default=False,
        help="A scenario file, or the name of one that comes with the package.",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(min=0, max=2**63 - 1, help="Another day's luck.", show_default="scenario's"),
]


def main() -> None:
    """Run the command line."""
    # A command ends soon and makes millions of rows and no circles: looking for circles as often
    # as by default takes a tenth of its time.
    gc.set_threshold(_OBJECTS_BETWEEN_SWEEPS, 50, 100)
    app()


def guarded(command: Callable[P, None]) -> Callable[P, None]:
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


# Beyond this a column of a terminal is wrapped, not widened.
_WIDEST = 32
_LEAST_LAST = 24


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
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
