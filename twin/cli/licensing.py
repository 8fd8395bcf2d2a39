"""Commands on licences of SNAP Thing Services: issue one, and show what one allows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.base import app, guarded
from twin.errors import OutputError, RunError

if TYPE_CHECKING:
    from twin.api.snap.licences import Licence

__all__ = ["issue", "show"]

licences = typer.Typer(
    help="Issue and show licences of SNAP Thing Services.",
    epilog="Example:  twin licence issue --customer 'John Smith' --expires 2027-01-31",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(licences, name="licence")


# --- issue -------------------------------------------------------------------


@licences.command(epilog="Example:  twin licence issue --customer Me --expires 2027-01-31 > my.lic")
@guarded
def issue(
    customer: Annotated[str, typer.Option(metavar="NAME", show_default=False, help="Whose it is.")],
    expires: Annotated[
        str, typer.Option(metavar="DAY", show_default=False, help="The last day, like 2027-01-31.")
    ],
    *,
    upgrades: Annotated[
        bool, typer.Option(help="Upgrade many devices at once (siteDirector).")
    ] = True,
    collectors: Annotated[
        bool, typer.Option(help="Poll any number of nodes (dataCollector).")
    ] = True,
    topologies: Annotated[bool, typer.Option(help="Show whole topologies (siteDoctor).")] = True,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there instead.")
    ] = None,
) -> None:
    """Print a licence as Base64 text: what PUT /api/v1/license takes.

    It holds in every twin, up to the end of its day on the simulated clock.
    """
    from twin.api.snap import licences as made

    abilities = upgrades, collectors, topologies
    licence = made.make_licence(customer, made.day_of(expires), abilities, ("manage", "deploy"))
    text = made.issue(licence)
    if out is None:
        typer.echo(text)
        return
    try:
        out.write_text(f"{text}\n")
    except OSError as error:
        raise OutputError(out, f"cannot be written: {error.strerror}") from error
    _print(licence)
    typer.echo(f"file        {out}")


# --- show --------------------------------------------------------------------


@licences.command(epilog="Example:  twin licence show my.lic")
@guarded
def show(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="A licence as Base64 text.")
    ],
) -> None:
    """Say what a licence allows, or that it was tampered with."""
    from twin.api.snap.licences import read_licence

    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    _print(read_licence(text))


def _print(licence: Licence) -> None:
    """Print what a licence allows."""
    facts = {
        "customer": licence.customer,
        "expires": licence.expiration.isoformat(),
        "upgrades": "many devices at once" if licence.siteDirector else "one device at a time",
        "collectors": "any number of nodes" if licence.dataCollector else "as on trial",
        "topologies": "whole" if licence.siteDoctor else "as on trial",
    }
    for name, value in facts.items():
        typer.echo(f"{name:<10}  {value}")
