"""Exports of the real site, read whole or not at all: events, topologies, places of nodes.

What a file is, is seen from what is in it: event pages of Insight as JSON (one page, a list of
pages or of events, or one of these a line), events as CSV, a topology of the SNAP API as JSON or
links as CSV, and a CSV file that says where nodes stand.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from twin.errors import ExportError, Problem, ScenarioError
from twin.experiments.event_rows import COLUMNS, Notes, from_frame, from_items
from twin.scenario.measured import read_links, topology_links

__all__ = ["Exports", "Topology", "read_exports"]

Item = tuple[str, Any]
"""Where in a file, and what stands there."""

_WHAT = (
    "event pages of Insight (JSON, JSON lines, CSV), a topology of the SNAP API (JSON) or links "
    "(CSV with start, end, link_quality), or places of nodes (CSV with node, x_m, y_m)"
)
_MOST_TOLD = 20


@dataclass(frozen=True)
class Topology:
    """Who hears whom, as `Measured` of a scenario takes it, and which nodes are gateways."""

    file: str
    links: Mapping[str, Sequence[Any]]
    gateways: tuple[str, ...]


@dataclass(frozen=True)
class Exports:
    """What the files hold.

    Parameters
    ----------
    files
        Their names.
    events
        A frame with the columns of ``twin.experiments.event_rows``, in the order of time; None
        where no file has events.
    doubles
        How many events were in more than one place; each counts once [1].
    topology
        The latest, None where no file has one.
    places
        Of nodes by their names or addresses, (x, y) [m].
    """

    files: tuple[str, ...]
    events: pd.DataFrame | None
    doubles: int
    topology: Topology | None
    places: Mapping[str, tuple[float, float]]


def read_exports(files: Iterable[str | Path]) -> Exports:
    """Read exports, all of them or none.

    Raises
    ------
    ExportError
        Files that cannot be read, are no export, or have lines that make no sense.
    """
    paths = [Path(file) for file in files]
    notes: Notes = []
    events: list[pd.DataFrame] = []
    topologies: list[Topology] = []
    places: dict[str, tuple[float, float]] = {}
    if not paths:
        notes.append(Problem("no export is named", allowed=_WHAT))
    for path in paths:
        text = _text(path, notes)
        if text is None:
            continue
        reader = _csv if path.suffix.lower() == ".csv" else _json
        reader(path, text, _Found(events, topologies, places), notes)
    if notes:
        more = len(notes) - _MOST_TOLD
        told = notes[:_MOST_TOLD]
        if more > 0:
            told.append(Problem(f"and {more:,} problems more", notes[-1].file))
        raise ExportError(told)
    frame, doubles = _joined(events)
    names = tuple(str(path) for path in paths)
    return Exports(names, frame, doubles, topologies[-1] if topologies else None, places)


@dataclass(frozen=True)
class _Found:
    """Where what is read is put."""

    events: list[pd.DataFrame]
    topologies: list[Topology]
    places: dict[str, tuple[float, float]]


def _text(path: Path, notes: Notes) -> str | None:
    """Return the text of a file, or note why there is none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        hint = "name a file that is there"
        notes.append(Problem("there is no such file", str(path), allowed=_WHAT, hint=hint))
    except UnicodeDecodeError as error:
        hint = "save it as UTF-8"
        notes.append(Problem(f"not UTF-8 text, at byte {error.start}", str(path), hint=hint))
    except OSError as error:
        hint = "name a file, not a folder"
        notes.append(Problem(f"cannot be read: {error.strerror}", str(path), hint=hint))
    else:
        if text.strip():
            return text
        notes.append(Problem("an empty file", str(path), allowed=_WHAT, hint="export it again"))
    return None


def _joined(frames: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame | None, int]:
    """Return all events once, in the order of time, and how many there were twice."""
    if not frames:
        return None, 0
    every = pd.concat(frames, ignore_index=True)
    once = every.drop_duplicates("id")
    in_time = once.sort_values(["created_us", "id"], kind="stable", ignore_index=True)
    return in_time[list(COLUMNS)], len(every) - len(once)


# --- JSON -----------------------------------------------------------------------------------------


def _json(path: Path, text: str, found: _Found, notes: Notes) -> None:
    """Read JSON: event pages or a topology."""
    parsed = _parsed(path, text, notes)
    topologies = [one for _, value in parsed for one in _topologies(value)]
    if topologies:
        _take_topology(path, topologies, found, notes)
        return
    items = [event for place, value in parsed for event in _events(place, value, path, notes)]
    if items:
        found.events.append(from_items(str(path), items, notes))
    elif parsed and not any(note.file == str(path) for note in notes):
        hint = "ask for an earlier start_time_millis"
        notes.append(Problem("no event in it", str(path), "items", "[]", hint=hint))


def _parsed(path: Path, text: str, notes: Notes) -> list[Item]:
    """Return what a file holds: one value, or one a line."""
    try:
        return [("", json.loads(text))]
    except json.JSONDecodeError as error:
        lines = text.splitlines()
        whole = error
    parsed: list[Item] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            parsed.append((f"line {number}", json.loads(line)))
        except json.JSONDecodeError as error:
            # Several lines of one document are no JSON lines: the slip is where that ended.
            at = error if parsed else whole
            place = f"line {number if parsed else at.lineno}, column {at.colno}"
            given, hint = lines[(number if parsed else at.lineno) - 1][:60], "export it again"
            notes.append(Problem(f"not JSON: {at.msg}", str(path), place, given, _WHAT, hint))
            return []
    return parsed


def _topologies(value: Any) -> list[dict[str, Any]]:
    """Return the topologies that an answer of the SNAP API holds, oldest first."""
    data = value.get("data", value) if isinstance(value, dict) else None
    listed = data if isinstance(data, list) else [data]
    found = [one for one in listed if isinstance(one, dict) and isinstance(one.get("links"), list)]
    return sorted(found, key=lambda one: str(one.get("createdAt", "")))


def _take_topology(
    path: Path, topologies: Sequence[dict[str, Any]], found: _Found, notes: Notes
) -> None:
    """Take the latest topology of a file."""
    latest = topologies[-1]
    gateways = latest.get("gateways", [])
    if not isinstance(gateways, list) or not all(isinstance(one, str) for one in gateways):
        allowed = 'a list of addresses, like ["608509"]'
        notes.append(Problem("no list of gateways", str(path), "gateways", str(gateways), allowed))
        return
    try:
        links = topology_links(latest, str(path))
    except ScenarioError as error:
        notes += error.problems
        return
    found.topologies.append(Topology(str(path), links, tuple(gateways)))


def _events(place: str, value: Any, path: Path, notes: Notes) -> list[Item]:
    """Return the events of a page, of a list of pages, or of a list of events, with places."""
    prefix = f"{place}, " if place else ""
    if isinstance(value, list):
        found = []
        for n, one in enumerate(value):
            found += _events(f"{prefix}{n}", one, path, notes)
        return found
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        return [(f"{prefix}items.{n}", one) for n, one in enumerate(value["items"])]
    if isinstance(value, dict) and "created" in value:
        return [(place or "(the only one)", value)]
    given, hint = json.dumps(value)[:60], "give the answer of GET /{customer_id}/events as it came"
    notes.append(Problem("no page of events", str(path), place, given, _WHAT, hint))
    return []


# --- CSV ------------------------------------------------------------------------------------------


def _csv(path: Path, text: str, found: _Found, notes: Notes) -> None:
    """Read CSV: events, links, or places."""
    headings = next(csv.reader(io.StringIO(text)), [])
    if {"created", "device_id"} <= {*headings} or {"scan_time", "device"} <= {*headings}:
        _csv_events(path, text, headings, found, notes)
    elif {"x_m", "y_m"} <= {*headings} and ({"node", "name"} & {*headings}):
        found.places.update(_places(path, text, notes))
    elif {"start", "src", "from"} & {*headings}:
        try:
            links = read_links(path.name, path.parent)
        except ScenarioError as error:
            notes += error.problems
            return
        found.topologies.append(Topology(str(path), links, ()))
    else:
        given = ", ".join(headings) or "(nothing)"
        hint = "keep the line of headings: of Twin.events(), or the fields of the API"
        notes.append(Problem("no export", str(path), "line 1", given, _WHAT, hint))


def _csv_events(
    path: Path, text: str, headings: Sequence[str], found: _Found, notes: Notes
) -> None:
    """Take events as CSV, with the fields of the API or the columns of the twin's frame."""
    rows = list(csv.reader(io.StringIO(text)))[1:]
    for number, row in enumerate(rows, 2):
        if len(row) != len(headings):
            what, allowed = "a line of another length", f"{len(headings)} fields"
            notes.append(Problem(what, str(path), f"line {number}", f"{len(row)} fields", allowed))
            return
    if not rows:
        notes.append(Problem("no event in it", str(path), "line 2", hint="take a longer export"))
    elif "created" in headings:
        lines = [dict(zip(headings, row, strict=True)) for row in rows]
        items = [(f"line {number}", _unquoted(line)) for number, line in enumerate(lines, 2)]
        found.events.append(from_items(str(path), items, notes))
    else:
        frame = pd.DataFrame(rows, columns=list(headings))
        found.events.append(from_frame(str(path), frame, notes))


def _unquoted(row: Mapping[str, str]) -> dict[str, Any]:
    """Return a line of CSV as the API would have it: numbers, and no fields that are empty."""
    found: dict[str, Any] = {}
    for name, text in row.items():
        if name in ("created", "scan_duration") and text:
            try:
                number = float(text)
                found[name] = int(number) if number == int(number) else number
            except (ValueError, OverflowError):
                found[name] = text
        elif text:
            found[name] = text
    return found


def _places(path: Path, text: str, notes: Notes) -> dict[str, tuple[float, float]]:
    """Return where nodes stand [m]."""
    found: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
        name = (row.get("node") or row.get("name") or "").strip()
        try:
            place = float(row["x_m"] or ""), float(row["y_m"] or "")
        except ValueError:
            place = float("nan"), float("nan")
        inside = all(-1e5 < metres < 1e5 for metres in place)
        if name and inside and name not in found:
            found[name] = place
            continue
        what = "two places for one node" if name in found else "no place of a node"
        given = ", ".join(str(value) for value in row.values())
        allowed = "a name, and two numbers of metres"
        notes.append(Problem(what, str(path), f"line {number}", given, allowed))
    return found
