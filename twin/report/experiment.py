"""The page of an experiment: its answer, its pictures, its tables, and what makes it again."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twin.plots.album import Picture
from twin.report.page import cells, document, figures, provenance, unsourced, write_page
from twin.scenario import Scenario, assumptions

__all__ = ["ExperimentPage", "Sheet", "write_experiment"]

_MOST_SCENARIOS = 8
"""More digests than these would bury what else there is."""


@dataclass(frozen=True)
class Sheet:
    """A table: its heading, the heads of its columns, rows of texts; ``names`` columns come first.

    The others hold numbers.
    """

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    names: int = 1


@dataclass(frozen=True)
class ExperimentPage:
    """What a page says: the ``answer`` is a screen of lines, the first of them the headline."""

    title: str
    question: str
    answer: Sequence[str]
    pictures: Sequence[Picture] = ()
    sheets: Sequence[Sheet] = ()
    made: Mapping[str, str] = field(default_factory=dict)
    scenario: Scenario | None = None


def write_experiment(path: Path, page: ExperimentPage) -> Path:
    """Write the page of an experiment, and give its path.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    body = [
        *_opening(page),
        *figures(page.pictures),
        *(line for sheet in page.sheets for line in _sheet(sheet)),
        *provenance(_shortened(page.made)),
    ]
    if page.scenario is not None:
        body += unsourced(assumptions(page.scenario))
    return write_page(path, document(page.title, body))


def _opening(page: ExperimentPage) -> Iterator[str]:
    yield f"<h1>{html.escape(page.title)}</h1>"
    yield f'<p class="question">{html.escape(page.question)}</p>'
    first, *others = page.answer
    yield f'<p class="headline">{html.escape(first)}</p>'
    if others:
        yield "<ul>"
        yield from (f"<li>{html.escape(line)}</li>" for line in others)
        yield "</ul>"


def _sheet(sheet: Sheet) -> Iterator[str]:
    yield f"<h2>{html.escape(sheet.title)}</h2>"
    numbers = len(sheet.heads) - sheet.names
    yield from cells(sheet.heads, sheet.rows, ("long",) * sheet.names + ("number",) * numbers)


def _shortened(made: Mapping[str, str]) -> dict[str, str]:
    """Return provenance with some of its scenarios: a sweep has thousands."""
    scenarios = [key for key in made if key.startswith("scenario ")]
    left_out = scenarios[_MOST_SCENARIOS:]
    found = {key: value for key, value in made.items() if key not in left_out}
    return found | ({"more scenarios": f"{len(left_out):,}"} if left_out else {})
