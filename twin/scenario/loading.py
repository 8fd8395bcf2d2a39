"""Reads scenarios: data defaults, then what is extended, then the scenario itself.

Tables are merged key by key; lists, laws and every value that has a data row
are replaced whole.
"""

from __future__ import annotations

import copy
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twin.errors import Problem, ScenarioError
from twin.resources import near, scenario_path, shown_path
from twin.scenario.catalogue import law_names, law_table
from twin.scenario.defaults import rows
from twin.scenario.document import Provenance, Scenario
from twin.scenario.filling import defaults, fill, name_scanners
from twin.scenario.measured import read_links
from twin.scenario.problems import problems_of, shown, unknown_key
from twin.scenario.schema import law_keys, leaves, node_at

__all__ = ["from_document", "load", "vary", "vary_all"]

Document = dict[str, Any]
Layer = tuple[str, Document]

# What messages and provenance call a change that no file holds.
_VARY = "vary"

# Fields that follow from another of the same element: changing the one with
# `vary` lets the other be found again.
_FOLLOWS = {"stations": ("count",), "kind": ("scanner_limit", "firmware"), "model": ("firmware",)}


def load(path: str | os.PathLike[str]) -> Scenario:
    """Read a scenario from a TOML file, or a packaged one by its name.

    Raises ScenarioError with every problem found: file, key, value, what is
    allowed, the nearest valid key.
    """
    layers = _layers(scenario_path(path), ())
    return _built(layers, file=layers[-1][0])


def from_document(document: Mapping[str, Any], *, file: str = "document") -> Scenario:
    """Build a scenario from plain values, such as `Scenario.document()` gives.

    What is absent comes from the data defaults. `file` is what messages call
    it. Raises ScenarioError.
    """
    return _built([(file, copy.deepcopy(dict(document)))], file=file)


def vary(scenario: Scenario, key: str, value: Any) -> Scenario:
    """Give the scenario with one key changed: `vary(s, "run.horizon", "8 h")`.

    The key is dotted, with TOML names; elements of lists go by name or index
    ("fleet.gateways.aisle.count"); the value is as in TOML, or a number of
    numpy's. Raises ScenarioError, for an unknown key with the nearest valid one.
    """
    return vary_all(scenario, {key: value})


def vary_all(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """Give the scenario with some keys changed, in their order; as `vary` for each of them."""
    document = scenario.document()
    labels = []
    for key, value in changes.items():
        path = _find(document, key)
        _put(document, path, _plain(value))
        labels.append(_label(document, path))
    changed = _built([(_VARY, document)], file=_VARY)
    known = scenario.provenance
    for label in labels:
        known = _after_change(known, changed, label)
    return changed.with_provenance(known) if labels else scenario


def _plain(value: Any) -> Any:
    """Return a value as TOML would have read it: whoever sweeps has numpy's numbers."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return copy.deepcopy(value)
    return int(value) if isinstance(value, Integral) else float(value)


# --- files -----------------------------------------------------------------


def _layers(path: Path, seen: tuple[Path, ...]) -> list[Layer]:
    """Read a file and what it extends, the most basic first."""
    place = path.resolve()
    if place in seen:
        chain = " -> ".join(item.name for item in (*seen, place))
        hint = "remove one of the extends"
        raise ScenarioError(
            Problem("extends goes in a circle", shown_path(path), "extends", chain, hint=hint)
        )
    document = _read(path)
    base = document.pop("extends", None)
    if base is None:
        return [(shown_path(path), document)]
    return [*_layers(_extended(path, base), (*seen, place)), (shown_path(path), document)]


def _extended(path: Path, base: Any) -> Path:
    allowed = "the path of a TOML file, relative to this one, or a packaged scenario"
    if not isinstance(base, str):
        raise ScenarioError(
            Problem("not a path", shown_path(path), "extends", shown(base), allowed)
        )
    try:
        return scenario_path(base, beside=path.parent)
    except ScenarioError as error:
        hint = error.hint
        raise ScenarioError(
            Problem("no such scenario", shown_path(path), "extends", shown(base), allowed, hint)
        ) from error


def _read(path: Path) -> Document:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 text, at byte {error.start}"
        hint = "save the file as UTF-8"
        raise ScenarioError(Problem(what, file=shown_path(path), hint=hint)) from error
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise ScenarioError(Problem(what, file=shown_path(path))) from error
    try:
        return _with_links(tomllib.loads(text), path)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(_syntax(error, text, path)) from error


def _with_links(document: Document, path: Path) -> Document:
    """Put the lines of a file of measured links where the scenario names the file."""
    mesh = document.get("mesh")
    measured = mesh.get("measured") if isinstance(mesh, dict) else None
    if isinstance(measured, dict) and "file" in measured:
        name = measured.pop("file")
        if not isinstance(name, str):
            allowed = "a path relative to the scenario, or a file of data/"
            place = shown_path(path), "mesh.measured.file"
            raise ScenarioError(Problem("not a path", *place, shown(name), allowed))
        measured |= read_links(name, path.parent)
    return document


def _syntax(error: tomllib.TOMLDecodeError, text: str, path: Path) -> Problem:
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    lines = text.splitlines() or [""]
    number = int(found[1]) if found else len(lines)
    line = lines[min(number, len(lines)) - 1].strip()
    reason = str(error).partition(" (at ")[0]
    hint = "text and quantities stand in quotes"
    return Problem(f"not TOML: {reason}", shown_path(path), f"line {number}", line, hint=hint)


# --- merging ---------------------------------------------------------------


def _built(layers: Sequence[Layer], file: str) -> Scenario:
    merged = defaults()
    for _, document in layers:
        name_scanners(document)
        merged = _merged(merged, document, "")
    origins = {key: _owner(key, layers) for key, _, _ in leaves(merged)}
    origins |= fill(merged)
    laws, problems = _name_laws(merged)
    try:
        scenario = Scenario.model_validate(merged)
    except ValidationError as error:
        problems += problems_of(error, merged, file)
    if problems:
        raise ScenarioError(_from_their_files(problems, origins))
    return scenario.with_provenance(Provenance(file, origins, laws))


def _merged(base: Any, over: Any, key: str) -> Any:
    whole = not isinstance(base, dict) or not isinstance(over, dict) or key in rows()
    if whole or key in law_keys():
        return over
    prefix = f"{key}." if key else ""
    found = dict(base)
    for name, value in over.items():
        known = name in base
        found[name] = _merged(base[name], value, prefix + name) if known else value
    return found


def _owner(key: str, layers: Sequence[Layer]) -> str:
    """Name the file that set a key: the last one that has it, else the data."""
    for file, document in reversed(layers):
        if _has(document, key.split(".")):
            return file
    return rows()[key].file if key in rows() else ""


def _has(here: Any, steps: Sequence[str]) -> bool:
    for step in steps:
        if isinstance(here, Mapping):
            if step not in here:
                return False
            here = here[step]
        elif isinstance(here, (list, tuple)):
            place = _place(here, step)
            if place is None:
                return False
            here = here[place]
        else:
            return False
    return True


def _place(items: Sequence[Any], step: str) -> int | None:
    """Find an element by its name, else by its index."""
    for place, item in enumerate(items):
        if isinstance(item, Mapping) and item.get("name") == step:
            return place
    if step.isascii() and step.isdigit() and int(step) < len(items):
        return int(step)
    return None


# --- laws by name ------------------------------------------------------------


def _name_laws(document: Document) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Put the named laws in place of their names; report names that no law has."""
    used: dict[str, str] = {}
    problems: list[Problem] = []
    for key in law_keys():
        section, *parents, last = key.split(".")
        table: Any = document.get(section)
        for name in parents:
            table = table.get(name) if isinstance(table, dict) else None
        given = table.get(last) if isinstance(table, dict) else None
        if isinstance(given, str) and given in law_names():
            used[key] = given
            table[last] = law_table(given)
        elif isinstance(given, str):
            problems.append(_no_law(key, given))
            # A law that is always valid keeps the same slip from being told twice.
            table[last] = {"law": "constant", "value": "1 s"}
    return used, tuple(problems)


def _no_law(key: str, given: str) -> Problem:
    close = near(given, law_names())
    return Problem(
        "no such law",
        key=key,
        value=shown(given),
        allowed=f"a table with law = ..., or one of {', '.join(law_names())}",
        hint=f"did you mean {close}?" if close else "",
    )


def _from_their_files(
    problems: Sequence[Problem], origins: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Name in each problem the file that holds the key, which may be an extended one."""
    found = []
    for problem in problems:
        below = (file for key, file in origins.items() if key.startswith(f"{problem.key}."))
        origin = origins.get(problem.key) or next(below, "")
        if origin.startswith("data/"):
            # A default is never wrong by itself, only beside what a scenario set.
            hint = problem.hint or f"this is the default of {origin}: set it as well"
            found.append(replace(problem, hint=hint))
        else:
            found.append(replace(problem, file=origin or problem.file))
    return tuple(found)


# --- varying -----------------------------------------------------------------


def _find(document: Document, key: str) -> list[str | int]:
    """Turn a dotted key into the path it has in the document."""
    path: list[str | int] = []
    here: Any = document
    for step in key.split("."):
        place: str | int | None = step
        if isinstance(here, (list, tuple)):
            place = _place(here, step)
            if place is None:
                raise ScenarioError(_no_element(key, step, here))
        elif node_at([*path, step]) is None:
            raise ScenarioError(unknown_key([*path, step], document, _VARY))
        assert place is not None
        path.append(place)
        here = here[place] if isinstance(place, int) or _has(here, [step]) else None
    return path


def _no_element(key: str, step: str, items: Sequence[Any]) -> Problem:
    names = [str(item["name"]) for item in items if isinstance(item, Mapping) and "name" in item]
    close = near(step, names)
    span = f"an index 0 to {len(items) - 1}" if items else "nothing: the list is empty"
    allowed = ", ".join([*names, span])
    hint = f"did you mean {key.replace(step, close, 1)}?" if close else ""
    return Problem("no such element", _VARY, key, shown(step), allowed, hint)


def _put(document: Document, path: Sequence[str | int], value: Any) -> None:
    here: Any = document
    for step in path[:-1]:
        here = here.setdefault(step, {}) if isinstance(here, dict) else here[step]
    last = path[-1]
    here[last] = value
    if len(path) > 1 and isinstance(path[-2], int):
        for follower in _FOLLOWS.get(str(last), ()):
            here.pop(follower, None)


def _label(document: Document, path: Sequence[str | int]) -> str:
    steps: list[str] = []
    here: Any = document
    for step in path:
        here = here[step]
        named = isinstance(step, int) and isinstance(here, Mapping) and "name" in here
        steps.append(str(here["name"]) if named else str(step))
    return ".".join(steps)


def _after_change(known: Provenance, changed: Scenario, label: str) -> Provenance:
    """Keep the origin of every key except those at, below or following the changed one."""
    fresh = changed.provenance
    origins = {}
    for key, origin in fresh.origins.items():
        if origin.startswith("data/"):
            origins[key] = origin
        elif key == label or key.startswith(f"{label}.") or label.startswith(f"{key}."):
            origins[key] = _VARY
        elif (before := _known(key, known.origins)) is not None:
            origins[key] = before
    laws = {key: name for key, name in known.laws.items() if origins.get(key) != _VARY}
    return Provenance(known.file, origins, {**laws, **fresh.laws})


def _known(key: str, origins: Mapping[str, str]) -> str | None:
    """Find the origin of a key, or of what it was written out from, as breaks from a rule."""
    steps = key.split(".")
    longest_first = (".".join(steps[:end]) for end in range(len(steps), 0, -1))
    return next((origins[name] for name in longest_first if name in origins), None)
