"""Links that were measured: read from a CSV file, or from the topology that the SNAP API gives."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from twin.errors import Problem, ScenarioError
from twin.resources import data_path, shown_path
from twin.scenario.base import Finding, Number, Part, refuse

__all__ = ["ANY_CHANNEL", "NOT_MEASURED", "Measured", "read_links", "topology_links"]

ANY_CHANNEL = -1
"""A link that is the same on every channel."""
NOT_MEASURED = -1.0
"""The reception of a link of which only the level is known."""
_FIRST_CHANNEL = (
    11  # channel 0 of SNAP is channel 11 of IEEE 802.15.4 (Reference Manual 2.4, p. 48)
)
_WEAKEST_QUALITY = 127
_TOPOLOGY = 'a topology of the SNAP API: {"links": [{"start", "end", "linkQuality"}]}'

_LONGEST_NAME = 64
_HEADINGS = {
    "start": ("start", "src", "from"),
    "end": ("end", "dst", "to"),
    "level": ("rssi_dbm", "link_quality", "linkQuality"),
    "reception": ("reception", "prr"),
    "channel": ("channel",),
}

Channel = Annotated[int, Field(strict=True, ge=ANY_CHANNEL, le=15)]
Text = Annotated[str, Field(min_length=1, max_length=64)]
Level = Annotated[Number, Field(ge=-150.0, le=30.0)]
Reception = Annotated[Number, Field(ge=NOT_MEASURED, le=1.0)]


class Measured(Part):
    """Directed links, one in each place of five lists of the same length.

    Sender, receiver, SNAP channel (-1: the same on every one), level [dBm], and
    the share of frames of `reference_bytes` that got through (-1: not measured,
    the radio's law gives it). In a file they are lines: name the file with
    `file`, and its lines are read when the scenario is.
    """

    starts: tuple[Text, ...]
    ends: tuple[Text, ...]
    channels: tuple[Channel, ...]
    levels_dbm: Annotated[tuple[Level, ...], Field(alias="levels")]
    receptions: tuple[Reception, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The nodes that any link names, in the order of their names, numbers by their value."""
        return tuple(sorted({*self.starts, *self.ends}, key=_in_order))

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        lists = (self.starts, self.ends, self.channels, self.levels_dbm, self.receptions)
        sizes = [len(found) for found in lists]
        if len(set(sizes)) > 1:
            what, given = "lists of different length", ", ".join(map(str, sizes))
            refuse([Finding("starts", what, given, "one entry of each for every link")])
        return self


def _in_order(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isascii() and name.isdigit() else (1 << 62, name)


@dataclass(frozen=True)
class _Line:
    """One link as a file gives it, and where."""

    place: str
    start: str
    end: str
    channel: int
    level_dbm: float
    reception: float


def read_links(name: str, beside: Path) -> dict[str, list[Any]]:
    """Read measured links from a file: what `Measured` takes.

    A CSV file has a line of headings: `start` and `end` (or src and dst), `link_quality` [-dBm] or
    `rssi_dbm` [dBm], and perhaps `reception` (or prr) [1] and the IEEE `channel`. A JSON file is
    a topology of the SNAP Thing Services API. A name without folder may be one of `data/`.

    Raises
    ------
    ScenarioError
        There is no such file, or lines of it make no sense: all of them are reported.
    """
    path = beside / name
    if not path.is_file() and Path(name).name == name:
        path = data_path(name)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        hint = "a path relative to the scenario, or a file of data/"
        problem = Problem("cannot be read", name, "mesh.measured.file", str(error), hint=hint)
        raise ScenarioError(problem) from error
    read = _json_links if path.suffix == ".json" else _csv_links
    return _links(partial(read, text), shown_path(path))


def topology_links(topology: Mapping[str, Any], file: str) -> dict[str, list[Any]]:
    """Return the links of a topology of the SNAP API: what `Measured` takes.

    `file` is what messages call it.

    Raises
    ------
    ScenarioError
        Links that make no sense: all of them are reported.
    """
    return _links(partial(_topology_lines, topology), file)


def _links(read: Callable[[str, list[Problem]], Iterable[_Line]], file: str) -> dict[str, Any]:
    problems: list[Problem] = []
    lines = list(read(file, problems))
    problems += _doubles(lines, file)
    if not problems and not lines:
        problems.append(Problem("no link in it", file, "links", allowed="at least one link"))
    if problems:
        raise ScenarioError(problems)
    return {
        "starts": [line.start for line in lines],
        "ends": [line.end for line in lines],
        "channels": [line.channel for line in lines],
        "levels": [line.level_dbm for line in lines],
        "receptions": [line.reception for line in lines],
    }


def _csv_links(text: str, file: str, problems: list[Problem]) -> Iterator[_Line]:
    table = csv.DictReader(text.splitlines())
    headings = table.fieldnames or []
    found = {what: _first(headings, names) for what, names in _HEADINGS.items()}
    for what in ("start", "end", "level"):
        if not found[what]:
            given = ", ".join(headings) or "(an empty file)"
            allowed = f"one of {', '.join(_HEADINGS[what])}"
            place = f"line 1, {_HEADINGS[what][0]}"
            problems.append(Problem("a column is missing", file, place, given, allowed))
    if all(found[what] for what in ("start", "end", "level")):
        columns = {what: name for what, name in found.items() if name}
        for row in table:
            yield from _Row(file, f"line {table.line_num}", columns, row, problems).link()


def _json_links(text: str, file: str, problems: list[Problem]) -> Iterator[_Line]:
    try:
        found = json.loads(text)
        # The API answers with {"data": ...} around it.
        topology = found.get("data", found)
    except (ValueError, AttributeError) as error:
        problems.append(Problem("no topology", file, "links", str(error), _TOPOLOGY))
        return
    yield from _topology_lines(topology, file, problems)


def _topology_lines(topology: Any, file: str, problems: list[Problem]) -> Iterator[_Line]:
    columns = {"start": "start", "end": "end", "level": "linkQuality"}
    try:
        rows = [{key: str(link[key]) for key in columns.values()} for link in topology["links"]]
    except (KeyError, TypeError) as error:
        problems.append(Problem("no topology", file, "links", str(error), _TOPOLOGY))
        return
    for place, row in enumerate(rows):
        yield from _Row(file, f"links.{place}", columns, row, problems).link()


def _first(headings: Iterable[str], names: tuple[str, ...]) -> str:
    return next((name for name in names if name in headings), "")


@dataclass(frozen=True)
class _Row:
    """One row of a file, which of its columns say what, and where to note what is wrong."""

    file: str
    place: str
    columns: Mapping[str, str]
    row: Mapping[str, str | None]
    problems: list[Problem]

    def link(self) -> Iterator[_Line]:
        """Read the link, or note every cell that makes no sense."""
        before = len(self.problems)
        start, end = self._name("start"), self._name("end")
        if start == end:
            self._note("a link of a node to itself", "end", "another node")
        is_quality = self.columns["level"] != "rssi_dbm"
        limits = (0.0, float(_WEAKEST_QUALITY)) if is_quality else (-150.0, 30.0)
        level = self._number("level", *limits)
        reception, channel = NOT_MEASURED, ANY_CHANNEL
        if "reception" in self.columns:
            reception = self._number("reception", 0.0, 1.0)
        if "channel" in self.columns:
            number = self._number("channel", _FIRST_CHANNEL, _FIRST_CHANNEL + 15)
            if number != int(number):
                self._note("no channel", "channel", "a whole number")
            channel = int(number) - _FIRST_CHANNEL
        if len(self.problems) == before:
            level_dbm = (-level if is_quality else level) + 0.0
            yield _Line(self.place, start, end, channel, level_dbm, reception)

    def _cell(self, what: str) -> str:
        return (self.row.get(self.columns[what]) or "").strip()

    def _note(self, problem: str, what: str, allowed: str) -> None:
        place, given = f"{self.place}, {self.columns[what]}", self._cell(what) or "(empty)"
        self.problems.append(Problem(problem, self.file, place, given, allowed))

    def _name(self, what: str) -> str:
        if not 1 <= len(self._cell(what)) <= _LONGEST_NAME:
            self._note("a name is due", what, f"1 to {_LONGEST_NAME} characters")
        return self._cell(what)

    def _number(self, what: str, low: float, high: float) -> float:
        try:
            number = float(self._cell(what))
        except ValueError:
            number = math.nan
        if low <= number <= high:
            return number
        self._note("out of range", what, f"{low:g} to {high:g}")
        return low


def _doubles(lines: list[_Line], file: str) -> Iterator[Problem]:
    """Report links that are given twice."""
    seen: dict[tuple[str, str, int], str] = {}
    for line in lines:
        link = line.start, line.end, line.channel
        if link in seen:
            text, hint = f"{line.start} to {line.end}", f"first: {seen[link]}"
            yield Problem("a link is given twice", file, line.place, text, hint=hint)
        seen.setdefault(link, line.place)
