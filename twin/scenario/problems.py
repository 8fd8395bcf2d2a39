"""Turns what pydantic reports into problems a reader can mend.

Each gets the file, the TOML key (elements of lists by name), the value as
given, what is allowed there, and for a slip of the pen the nearest valid word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from twin.errors import Problem
from twin.resources import near
from twin.scenario.schema import Node, node_at, schema_keys

__all__ = ["problems_of", "shown", "unknown_key"]

_LAW_TAGS = frozenset(
    {"constant", "uniform", "lognormal", "normal", "weibull", "empirical", "mixture"}
)
_WORDS = {
    "greater_than": "out of range",
    "greater_than_equal": "out of range",
    "less_than": "out of range",
    "less_than_equal": "out of range",
    "literal_error": "not one of the words allowed",
    "string_pattern_mismatch": "not written as it should be",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long",
    "too_short": "must not be empty",
    "too_long": "has too many elements",
    "union_tag_invalid": "no such law",
    "union_tag_not_found": "the law does not say which it is",
}


def problems_of(
    error: ValidationError, document: Mapping[str, Any], file: str
) -> tuple[Problem, ...]:
    """Translate every error of a validation, in the order of the document."""
    found: list[Problem] = []
    details = error.errors()
    for detail in details:
        # A list is called too short when its elements fail: those are told.
        inner = [other for other in details if other["loc"][: len(detail["loc"])] == detail["loc"]]
        if detail["type"] == "too_short" and len(inner) > 1:
            continue
        found += _translated(detail, document, file)
    return tuple(dict.fromkeys(found))


def _translated(detail: ErrorDetails, document: Mapping[str, Any], file: str) -> list[Problem]:
    path = _toml_path(detail["loc"], document)
    key, context = _named(path, document), detail.get("ctx", {})
    if detail["type"] == "finding":
        prefix = f"{key}." if key else ""
        return [
            Problem(item.what, file, prefix + item.key, item.value, item.allowed, item.hint)
            for item in context["findings"]
        ]
    if detail["type"] == "quantity":
        value = shown(detail["input"])
        hint = context["hint"]
        return [Problem(context["what"], file, key, value, context["allowed"], hint)]
    if detail["type"] == "extra_forbidden":
        return [unknown_key(path, document, file)]
    return [_other(detail, path, key, file)]


def _other(detail: ErrorDetails, path: list[str | int], key: str, file: str) -> Problem:
    node = node_at(path)
    allowed = node.allowed if node else ""
    kind = detail["type"]
    if kind == "missing":
        last = str(path[-1])
        return Problem("missing", file, key, "(absent)", allowed, f"add {last} = ...")
    what = _WORDS.get(kind) or f"should be {allowed or 'another type'}"
    value = shown(detail["input"])
    hint = ""
    if isinstance(detail["input"], str) and node is not None:
        close = near(detail["input"], _quoted(allowed))
        hint = f"did you mean {close}?" if close else ""
    if kind == "union_tag_invalid":
        hint = _nearest_law(detail["input"], node)
    return Problem(what, file, key, value, allowed, hint)


def _quoted(text: str) -> list[str]:
    return text.split('"')[1::2]


def _nearest_law(given: Any, node: Node | None) -> str:
    tag = given.get("law", "") if isinstance(given, Mapping) else ""
    close = near(str(tag), list(node.laws)) if node else ""
    return f"did you mean {close}?" if close else ""


def _toml_path(loc: Sequence[str | int], document: Mapping[str, Any]) -> list[str | int]:
    """Drop from an error's location what is not in the document: the tags of unions."""
    path: list[str | int] = []
    here: Any = document
    for step in loc:
        tagged = isinstance(here, Mapping) and here.get("law") == step and step in _LAW_TAGS
        if tagged:
            continue
        path.append(step)
        here = _below(here, step)
    # Pairs of a weight table are located by place and side; the reader wrote a table.
    return path[:2] if path[:2] == ["work", "symbologies"] else path


def _below(here: Any, step: str | int) -> Any:
    if isinstance(here, Mapping):
        return here.get(step)
    if isinstance(here, (list, tuple)) and isinstance(step, int) and step < len(here):
        return here[step]
    return None


def _named(path: Sequence[str | int], document: Mapping[str, Any]) -> str:
    """Write a path with the names of list elements, as `vary` reads it."""
    steps: list[str] = []
    here: Any = document
    for step in path:
        here = _below(here, step)
        name = here.get("name") if isinstance(here, Mapping) else None
        steps.append(name if isinstance(step, int) and isinstance(name, str) else str(step))
    return ".".join(steps)


def unknown_key(path: Sequence[str | int], document: Mapping[str, Any], file: str) -> Problem:
    """Report a key that no part of a scenario has, with the nearest that one has."""
    parent = node_at(path[:-1])
    # `extends` is merged away before validation, so that no field has its name.
    top = {"extends"} if len(path) == 1 else set()
    siblings = sorted(_keys_at(parent, path[:-1], document) | top)
    last, key = str(path[-1]), _named(path, document)
    close = near(last, siblings)
    prefix = _named(path[:-1], document)
    nearest = ".".join(part for part in (prefix, close) if part) if close else _anywhere(last, key)
    given: Any = document
    for step in path:
        given = _below(given, step)
    return Problem(
        "unknown key",
        file,
        key,
        "" if given is None else shown(given),
        ", ".join(siblings) or "no key: there is a single value",
        f"did you mean {nearest}?" if nearest else "",
    )


def _keys_at(node: Node | None, path: Sequence[str | int], document: Mapping[str, Any]) -> set[str]:
    if node is None:
        return set()
    here: Any = document
    for step in path:
        here = _below(here, step)
    if isinstance(here, Mapping) and here.get("law") in node.laws:
        node = Node(node.laws[here["law"]])
    return set(node.children)


def _anywhere(last: str, key: str) -> str:
    """Find the key in another section, for one that was put in the wrong place."""
    same = [item for item in schema_keys() if item.rpartition(".")[2] == last]
    return near(key, same) or (same[0] if same else near(key, schema_keys()))


def shown(value: Any) -> str:
    """Write a value as TOML would, cut short."""
    if isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{name} = {shown(item)}" for name, item in value.items()) + "}"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(shown(item) for item in value) + "]"
    else:
        text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text if len(text) <= 120 else text[:117] + "..."
