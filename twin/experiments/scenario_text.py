"""A scenario as the text of a TOML file, with comments where values come from."""

import json
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

__all__ = ["scenario_text"]

_WIDTH = 96
_SHORT = 88


def scenario_text(
    document: Mapping[str, Any], comments: Mapping[str, str], heading: Sequence[str] = ()
) -> str:
    """Return a document as TOML.

    Parameters
    ----------
    document
        Plain values, as `Scenario.document()` gives them.
    comments
        What is written above a key, by its dotted name.
    heading
        Lines of the comment at the top.
    """
    lines = [line for text in heading for line in _comment(text)]
    lines += [""] if lines else []
    lines += _table(document, "", comments)
    return "\n".join(lines).strip("\n") + "\n"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, _WIDTH)] or ["#"]


def _table(table: Mapping[str, Any], key: str, comments: Mapping[str, str]) -> Iterator[str]:
    """Yield a table: first what is a value, then the tables below."""
    below = {name: value for name, value in table.items() if _is_below(value)}
    for name, value in table.items():
        if name not in below:
            yield from (
                _comment(comments[_dotted(key, name)]) if _dotted(key, name) in comments else ()
            )
            yield f"{_name(name)} = {_value(value)}"
    for name, value in below.items():
        path = _dotted(key, _name(name))
        told = _comment(comments[path]) if path in comments else []
        items = value if isinstance(value, list) else [value]
        brackets = ("[[", "]]") if isinstance(value, list) else ("[", "]")
        for item in items:
            inside = list(_table(item, path, comments))
            # A table that only holds tables needs no line of its own.
            if isinstance(value, list) or told or not inside or inside[0] != "":
                yield from ("", *told, f"{brackets[0]}{path}{brackets[1]}")
            yield from inside


def _is_below(value: Any) -> bool:
    """Say whether a value is a table, or a list of tables, with lines of its own."""
    if isinstance(value, Mapping):
        return "law" not in value
    listed = isinstance(value, list) and bool(value)
    return listed and all(isinstance(one, Mapping) and "law" not in one for one in value)


def _dotted(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _name(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    """Return a value; a list that is too long for a line has several."""
    if isinstance(value, Mapping):
        parts = [f"{_name(name)} = {_value(item)}" for name, item in value.items()]
        return "{ " + ", ".join(parts) + " }" if parts else "{}"
    if isinstance(value, (list, tuple)):
        parts = [_value(item) for item in value]
        text = ", ".join(parts)
        if len(text) <= _SHORT:
            return f"[{text}]"
        return "[\n" + "".join(f"  {line},\n" for line in _rows(parts)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _rows(parts: Sequence[str]) -> Iterator[str]:
    """Yield parts of a list, as many in a row as fit."""
    row = ""
    for part in parts:
        if row and len(row) + len(part) + 2 > _SHORT:
            yield row
            row = ""
        row = f"{row}, {part}" if row else part
    yield row
