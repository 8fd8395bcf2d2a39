"""The command that makes a scenario from what a real site recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.asking import ReportOption
from twin.cli.base import app, guarded, table
from twin.errors import OutputError

if TYPE_CHECKING:
    from twin.experiments.fitting import Fitted

__all__ = ["fit"]


@app.command(epilog="Example:  twin fit events.json topology.json -o site.toml --base my_site.toml")
@guarded
def fit(
    exports: Annotated[
        list[Path],
        typer.Argument(
            metavar="EXPORT...",
            show_default=False,
            help="Event pages of Insight (JSON or CSV), a topology of SNAP (JSON), places of "
            "nodes (CSV with node, x_m, y_m).",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The scenario; must not exist.")
    ] = Path("scenario.toml"),
    base: Annotated[
        str,
        typer.Option(
            metavar="SCENARIO",
            help="Says what exports do not: the site, shifts and breaks, job barcodes.",
        ),
    ] = "pilot_line",
    laws: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", show_default=False, help="Also write all laws that were tried, as CSV."
        ),
    ] = None,
    report: ReportOption = None,
) -> None:
    """Fit a scenario to what a site recorded.

    Input laws by maximum likelihood, and the radio's law or the links of a mesh. What exports do
    not tell stays as the base has it, and is told.
    """
    _check_places(out, laws, report)
    from twin.experiments.fitting import fit as fitted

    found = fitted(exports, base=base)
    _print(found)
    found.write(out)
    typer.echo(f"\nwrote {out}")
    if laws is not None:
        _write_laws(found, laws)
        typer.echo(f"wrote {laws}")
    if report is not None:
        from twin.report import write_experiment
        from twin.report.pages import page_of

        write_experiment(report, page_of(found, found.scenario))
        typer.echo(f"wrote {report}")
    typer.echo(f"next:  twin check {out}")


def _check_places(out: Path, laws: Path | None, report: Path | None) -> None:
    """Refuse before what can be refused: fitting takes a while."""
    from twin.report import writable

    places = [place for place in (out, laws, report) if place is not None]
    for place in places:
        if place.exists() and place != report:
            raise OutputError(place, "exists already", hint="name another file, or remove it")
        if [other.resolve() for other in places].count(place.resolve()) > 1:
            raise OutputError(place, "is due for two files", hint="name each another")
        writable(place)


def _print(found: Fitted) -> None:
    """Print what was fitted, then what was left."""
    exports = found.exports
    if exports.events is not None:
        twice = f", {exports.doubles:,} of them twice" if exports.doubles else ""
        typer.echo(f"{len(exports.events):,} events{twice}, on {found.base.name}\n")
    rows = [
        (line.key, f"{line.samples:,}", line.law, line.goodness)
        for line in found.lines
        if line.is_fitted
    ]
    for text in table(("fitted", "samples", "law", "goodness"), rows):
        typer.echo(text)
    left = [(line.key, line.note) for line in found.lines if not line.is_fitted]
    if left:
        typer.echo()
        for text in table(("left as it is", "why"), left):
            typer.echo(text)


def _write_laws(found: Fitted, path: Path) -> None:
    """Write every law that was tried for every key."""
    import pandas as pd

    from twin.report.page import replacing

    tables = [fits.table.assign(key=key) for key, fits in found.fits.items()]
    frame = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"key": []})
    columns = ["key", *(name for name in frame.columns if name != "key")]
    with replacing(path) as part:
        frame[columns].to_csv(part, index=False)
