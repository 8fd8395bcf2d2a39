"""Commands on images: make a SPY file for the mesh, and show what one holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.base import app, guarded
from twin.errors import ImageError, OutputError

if TYPE_CHECKING:
    from twin.mesh.images import Image

__all__ = ["make", "show"]

images = typer.Typer(
    help="Make and show scripts for mesh nodes (SPY files).",
    epilog="Example:  twin image make blink --size 690",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(images, name="image")


# --- make --------------------------------------------------------------------


@images.command(epilog="Example:  twin image make blink --size 690 --out images/blink.spy")
@guarded
def make(
    name: Annotated[
        str, typer.Argument(metavar="NAME", show_default=False, help="What the script is called.")
    ],
    size: Annotated[
        int, typer.Option(metavar="BYTES", show_default=False, help="How long the script is.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write.", show_default="NAME.spy"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a SPY file of a made-up script.

    The same name and size give the same bytes. Nothing is overwritten unless told to.
    """
    from twin.mesh.images import make_image, read_image

    data = make_image(name, size)
    path = out or Path(f"{name}.spy")
    try:
        with path.open("wb" if force else "xb") as file:
            file.write(data)
    except FileExistsError as error:
        hint = "name another (--out), or overwrite it (--force)"
        raise OutputError(path, "exists already", hint=hint) from error
    except OSError as error:
        raise OutputError(path, f"cannot be written: {error.strerror}") from error
    _print(read_image(data), path)


# --- show --------------------------------------------------------------------


@images.command(epilog="Example:  twin image show blink.spy")
@guarded
def show(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="A SPY file of the twin.")
    ],
) -> None:
    """Say what a SPY file holds, or what is wrong with it."""
    from twin.mesh.images import read_image

    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror}").of(str(path)) from error
    _print(read_image(data, str(path)), path)


def _print(image: Image, path: Path) -> None:
    typer.echo(f"name  {image.name}")
    typer.echo(f"size  {image.size_bytes:,} B")
    typer.echo(f"crc   {image.crc_text}")
    typer.echo(f"file  {path}")
