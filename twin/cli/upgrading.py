"""The command that brings an image to the nodes of a mesh, and says who got it."""

from __future__ import annotations

import sys
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.base import ScenarioArgument, SeedOption, app, guarded, table
from twin.errors import OutputError

if TYPE_CHECKING:
    import pandas as pd

    from twin.twin import Twin

__all__ = ["TransportName", "upgrade"]

_SAMPLE_BYTES = 3489  # McastCounter, in the API's document
_SLICE = "10 min"
_MOST_SLICES = 6 * 48


class TransportName(StrEnum):
    """How an image travels."""

    auto = "auto"
    unicast = "unicast"
    multicast = "multicast"


@app.command(epilog="Example:  twin upgrade reference_site --image blink.spy --transport multicast")
@guarded
def upgrade(
    scenario: ScenarioArgument,
    image: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            show_default=False,
            help="A SPY file, or the name of a made-up script (--size).",
        ),
    ],
    transport: Annotated[
        TransportName | None,
        typer.Option(help="One by one, or all at once.", show_default="scenario's"),
    ] = None,
    size: Annotated[
        int, typer.Option(metavar="BYTES", help="How long a made-up script is.")
    ] = _SAMPLE_BYTES,
    devices: Annotated[
        list[str] | None,
        typer.Option(metavar="NODE", help="A node or a group of nodes.", show_default="all"),
    ] = None,
    seed: SeedOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what became of each device as CSV."),
    ] = None,
) -> None:
    """Bring an image to the nodes of a scenario's mesh.

    Begins at the first moment and goes on until every device has it or has failed.
    """
    from twin.opening import open as open_twin

    twin = open_twin(scenario, seed=seed)
    how = None if transport is None else transport.value
    twin.upgrade(_image(image, size), devices=devices or (), transport=how)
    number = len(twin.upgrades()) - 1
    for _ in range(_MOST_SLICES):
        if twin.upgrades()["status"].iloc[number] not in ("planned", "running"):
            break
        twin.run(_SLICE, progress=sys.stderr.isatty())
    found = twin.upgraded(number)
    _say(twin, number, found)
    if out is not None:
        _write(found, out)


def _image(name: str, size: int) -> bytes:
    """Return the SPY file of that name, or one of a made-up script."""
    from twin.mesh.images import make_image

    path = Path(name)
    if path.suffix != ".spy":
        return make_image(name, size)
    try:
        return path.read_bytes()
    except OSError as error:
        hint = "twin image make makes one"
        raise OutputError(path, f"cannot be read: {error.strerror}", hint=hint) from error


def _say(twin: Twin, number: int, found: pd.DataFrame) -> None:
    """Print how the upgrade went."""
    line = twin.upgrades().loc[number]
    typer.echo(
        f"{twin.scenario.name}: {line['succeeded']:,} of {line['devices']:,} devices run the "
        f"image, by {line['transport']}, {line['minutes']:.1f} min"
    )
    shares = {"half of all": "t50_min", "95 % of all": "t95_min", "100 % of all": "t100_min"}
    through = {what: line[column] for what, column in shares.items()}
    rows = [(what, f"{at:.1f} min" if at >= 0 else "never") for what, at in through.items()]
    failed = found.loc[found["outcome"] == "failure", "reason"]
    rows += [(f"failed: {why}", f"{n:,}") for why, n in sorted(Counter(failed).items())]
    for text in table(("what", "value"), rows):
        typer.echo(text)


def _write(found: pd.DataFrame, path: Path) -> None:
    """Write what became of each device."""
    try:
        found.to_csv(path, index=False)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {error.strerror}") from error
    typer.echo(f"devices      {path}")
