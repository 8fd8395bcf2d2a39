"""Finds the folders that travel with the package: `data` and `scenarios`.

An installed wheel carries them in `twin/_packaged`; in a checkout they stand at
the top, where a reader looks for them. Nothing else needs to know which it is.
"""

from __future__ import annotations

import difflib
import importlib.resources
import os
from pathlib import Path

from twin.errors import Problem, ScenarioError

__all__ = [
    "data_names",
    "data_path",
    "data_text",
    "near",
    "scenario_names",
    "scenario_path",
    "shown_path",
    "starter_text",
]


def _package() -> Path:
    return Path(str(importlib.resources.files("twin")))


def _folder(name: str) -> Path:
    packaged = _package() / "_packaged" / name
    return packaged if packaged.is_dir() else _package().parent / name


def data_names() -> tuple[str, ...]:
    """Name the data files, sorted: "cloud.toml", ..."""
    return tuple(sorted(path.name for path in _folder("data").glob("*.toml")))


def data_text(name: str) -> str:
    """Read one data file by its name, such as "links.toml"."""
    return (_folder("data") / name).read_text(encoding="utf-8")


def data_path(name: str) -> Path:
    """Find a data file by its name, whether it exists or not."""
    return _folder("data") / name


def starter_text() -> str:
    """Read the commented scenario from which a user starts a new one."""
    return (_package() / "scenario" / "starter.toml").read_text(encoding="utf-8")


def scenario_names() -> tuple[str, ...]:
    """Name the scenarios that come with the package, sorted, without ".toml"."""
    return tuple(sorted(path.stem for path in _folder("scenarios").glob("*.toml")))


def scenario_path(name_or_path: str | os.PathLike[str], beside: Path | None = None) -> Path:
    """Find a scenario: a path that exists wins, else a bare name is one of the packaged.

    A relative path is looked up from `beside` (default: the current folder).
    Raises ScenarioError that names the nearest files.
    """
    text = os.fspath(name_or_path)
    path = (beside or Path()) / text
    if path.is_file():
        return path
    if Path(text).name == text:
        packaged = _folder("scenarios") / f"{text.removesuffix('.toml')}.toml"
        if packaged.is_file():
            return packaged
    raise ScenarioError(_missing(text, path))


def shown_path(path: Path) -> str:
    """Write a scenario's path for messages: packaged ones the same on every machine."""
    for folder in ("scenarios", "data"):
        if path.is_absolute() and path.parent == _folder(folder):
            return f"{folder}/{path.name}"
    return str(path)


def _missing(text: str, path: Path) -> Problem:
    if path.is_dir():
        return Problem("is a folder, not a scenario file", file=text, hint=_files_in(path))
    folder = path.parent
    here = [item.name for item in folder.glob("*.toml")] if folder.is_dir() else []
    names = [*here, *scenario_names()]
    close = near(Path(text).name, names) or near(Path(text).stem, names)
    if not folder.is_dir():
        hint = f"the folder {folder} does not exist"
    elif close:
        hint = f"did you mean {close}?"
    else:
        hint = "start a new one with: twin new DIR"
    known = ", ".join(scenario_names())
    return Problem(
        "no such scenario", file=text, allowed=f"a TOML file, or one of {known}", hint=hint
    )


def _files_in(folder: Path) -> str:
    names = sorted(item.name for item in folder.glob("*.toml"))
    return f"name a file in it: {', '.join(names)}" if names else "it holds no TOML file"


def near(word: str, words: list[str] | tuple[str, ...]) -> str:
    """Give the word most like `word`, or "" when none is."""
    lowered = {item.lower(): item for item in reversed(words)}
    found = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[found[0]] if found else ""
