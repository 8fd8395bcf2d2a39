"""What every page is made of: one file with its pictures inside, no script, nothing fetched.

Files are written beside their name and then moved there, so a stop leaves whole files.
"""

from __future__ import annotations

import html
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from twin.errors import OutputError
from twin.plots.album import Picture, svg
from twin.scenario import Assumption

__all__ = [
    "beside",
    "cells",
    "document",
    "figures",
    "number_text",
    "provenance",
    "reason",
    "replacing",
    "unsourced",
    "writable",
    "write_page",
]

_STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #222; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { margin: 0.5rem 0 0; font-size: 1.6rem; }
h2 { margin: 2rem 0 0.5rem; font-size: 1.2rem; }
.question { margin: 0.2rem 0 1rem; color: #555; font-style: italic; }
.headline { font-size: 1.2rem; border-left: 4px solid #0072B2; padding-left: 0.8rem; }
.partial { border-left: 4px solid #D55E00; padding-left: 0.8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; }
td.long { overflow-wrap: anywhere; }
th.number { text-align: right; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.name { white-space: nowrap; }
figure { margin: 1rem 0 2rem; overflow-x: auto; break-inside: avoid; }
figure img { display: block; width: 100%; min-width: 40rem; height: auto; }
figcaption { position: sticky; left: 0; color: #444; font-size: 0.95rem; }
summary { cursor: pointer; font-weight: 600; }
@media print {
  main { max-width: none; padding: 0; }
  body { font-size: 11pt; }
  tr { break-inside: avoid; }
  figure img { min-width: 0; }
  details::details-content { content-visibility: visible; height: auto; }
}
"""


def document(title: str, body: Iterable[str]) -> str:
    """Return a whole page.

    Parameters
    ----------
    title
        Of the window.
    body
        Lines of HTML.
    """
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            "<main>",
            *body,
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def figures(pictures: Iterable[Picture]) -> Iterator[str]:
    """Yield pictures, each under its heading and with its numbers below."""
    for picture in pictures:
        yield f"<h2>{html.escape(picture.title)}</h2>"
        yield "<figure>"
        yield f'<img src="{svg(picture)}" alt="{html.escape(picture.alt)}">'
        yield f"<figcaption>{html.escape(picture.line)}</figcaption>"
        yield "</figure>"


def provenance(made: Mapping[str, str]) -> Iterator[str]:
    """Yield what makes the same results again."""
    yield "<h2>How this was made</h2>"
    rows = [
        (key if key.startswith("scenario ") else key.replace("_", " "), str(value))
        for key, value in made.items()
    ]
    yield from cells(("what", "value"), rows, ("name", "long"))


def unsourced(found: tuple[Assumption, ...]) -> Iterator[str]:
    """Yield what a scenario assumes without a source."""
    rows = [(item.key, item.value, item.unit, item.source) for item in found if item.unsourced]
    yield "<h2>What this rests on</h2>"
    if not rows:
        yield "<p>Every value has a source.</p>"
        return
    yield "<details>"
    share = f"{len(rows):,} of {len(found):,} values"
    yield f"<summary>{share} have no source: we assumed them (certainty D)</summary>"
    yield from cells(("key", "value", "unit", "why"), rows, ("long", "long", "", ""))
    yield "</details>"


def cells(
    heads: Iterable[str], rows: Iterable[tuple[str, ...]], classes: tuple[str, ...]
) -> Iterator[str]:
    """Yield a table, each column in its class."""
    yield '<div class="wide"><table>'
    kinds = ("number" if kind == "number" else "" for kind in classes)
    titles = "".join(map(partial(_cell, tag="th"), heads, kinds))
    yield f"<thead><tr>{titles}</tr></thead>"
    yield "<tbody>"
    for row in rows:
        yield f"<tr>{''.join(map(_cell, row, classes))}</tr>"
    yield "</tbody></table></div>"


def _cell(text: str, kind: str, tag: str = "td") -> str:
    label = f' class="{kind}"' if kind else ""
    return f"<{tag}{label}>{html.escape(text)}</{tag}>"


def number_text(value: float, *, digits: int = 4) -> str:
    """Write a number for reading, such as "12,345" or "98.12".

    Parameters
    ----------
    value
        Whole numbers are written whole, one that is not finite as "-".
    digits
        Significant digits of the others; before the point all are written [1].
    """
    if not math.isfinite(value):
        return "-"
    if value == round(value):
        return f"{value:,.0f}"
    rounded = float(f"{value:.{digits}g}")
    places = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{value:,.{places}f}"


def reason(error: OSError) -> str:
    """Say why a file cannot be written."""
    return (error.strerror or str(error)).lower()


def beside(path: Path) -> Path:
    """Return the name under which a file is written before it is moved to its own."""
    # The process id keeps two runs into one folder apart.
    return path.with_name(f".{path.name}.{os.getpid()}.part")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name to write to; move it to `path` when all went well, else remove it."""
    part = beside(path)
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {reason(error)}") from error
    finally:
        part.unlink(missing_ok=True)


def writable(path: Path) -> Path:
    """Return a path after making sure that a file can be written there, before time is spent.

    Raises
    ------
    OutputError
        It cannot.
    """
    if path.is_dir():
        raise OutputError(path, "is a folder, a file is due", hint="name a file in it")
    try:
        probe = beside(path)
        probe.touch()
        probe.unlink()
    except OSError as error:
        hint = "make the folder, or name another file"
        raise OutputError(path, f"cannot be written: {reason(error)}", hint=hint) from error
    return path


def write_page(path: Path, text: str) -> Path:
    """Write a page, whole or not at all; raises OutputError."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
    return path
