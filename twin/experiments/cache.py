"""What was simulated before: key figures by what decides them, in memory and in files.

A result is named by a digest of the part of the scenario that was simulated, of the moments
between which it was counted, and of our own sources: nothing has to be cleared when any of them
changes. Under that name stands a file of lines, the first of which says what it is of; each run
adds one. A line that a crash has torn is not read, and written again by the next run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Iterator
from functools import cache as once
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from twin.errors import OutputError
from twin.experiments.simulate import Figures, Task
from twin.resources import data_names, data_text

__all__ = ["Cache", "sources_digest"]

_PACKAGE = Path(__file__).resolve().parent.parent
_NOT_DECIDING = ("cli", "plots", "report", "dashboards", "api")
"""Rooms in which nothing decides the figures of a run."""
_VERSIONS_KEPT = 4


class Cache:
    """Results that are there already; with no folder they last as long as the object.

    Where the folder cannot be written any more, that is said once, and results last as long as
    the object.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Take a folder, which is made when the first result is kept."""
        self._folder = folder
        self._is_readable_only = False
        self._known: dict[str, dict[int, Figures]] = {}

    @classmethod
    def usual(cls) -> Cache:
        """Return the cache in the user's own folder, that of other sources forgotten in time."""
        folder = Path(platformdirs.user_cache_dir("twin", appauthor=False)) / "results"
        _forget_old(folder)
        return cls(folder / sources_digest()[:24])

    @classmethod
    def at(cls, folder: Path) -> Cache:
        """Return the cache in a folder that somebody chose; it is made.

        Raises
        ------
        OutputError
            It cannot be made or written.
        """
        own = folder / sources_digest()[:24]
        try:
            own.mkdir(parents=True, exist_ok=True)
            (own / ".probe").touch()
            (own / ".probe").unlink()
        except OSError as error:
            hint = "give another folder (cache=...), or none: cache=False, or --no-cache"
            raise OutputError(folder, f"cannot be written: {error.strerror}", hint=hint) from error
        return cls(own)

    def found(self, task: Task) -> dict[int, Figures]:
        """Return what is known of a task's part and windows, by seed."""
        name = _name(task)
        if name not in self._known:
            self._known[name] = dict(self._read(name))
        return self._known[name]

    def keep(self, task: Task, results: list[Figures]) -> None:
        """Keep what a task gave: each run is one line, written in one piece."""
        known = self.found(task)
        fresh = dict(zip(task.seeds, results, strict=True))
        known |= fresh
        if self._folder is None or self._is_readable_only:
            return
        path = self._path(_name(task))
        lines = "".join(json.dumps({"seed": s, "windows": w}) + "\n" for s, w in fresh.items())
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                lines = json.dumps(_heading(task)) + "\n" + lines
            # One write, so that what several processes add does not mix; what a full disk leaves
            # out is not read, and the first character ends a line that was torn before.
            with path.open("ab", buffering=0) as file:
                file.write(b"\n" * (file.tell() > 0) + lines.encode())
        except OSError as error:
            self._is_readable_only = True
            what = f"results are not kept: {path} cannot be written: {error.strerror}"
            warnings.warn(what, stacklevel=2)

    def _read(self, name: str) -> Iterator[tuple[int, Figures]]:
        """Yield the runs in a file, seed and figures."""
        if self._folder is None:
            return
        try:
            lines = self._path(name).read_bytes().split(b"\n")
        except OSError:
            return
        for line in lines:
            try:
                kept = json.loads(line) if line else {}
                if "windows" in kept:
                    yield int(kept["seed"]), _windows(kept["windows"])
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # torn, or not ours

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / name[:2] / f"{name}.jsonl"


def _windows(given: Any) -> Figures:
    """Return figures as they were kept; what is none raises ValueError."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ValueError("no figures")
    return [{str(name): _number(value) for name, value in one.items()} for one in given]


def _number(given: Any) -> float:
    if not isinstance(given, (int, float)):
        raise ValueError("no figure")
    return given


def _name(task: Task) -> str:
    """Return the name of what decides a task's figures, but for the seed."""
    decides = [task.digest, task.edges_us, task.completions, sources_digest()]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()


def _heading(task: Task) -> dict[str, Any]:
    """Return what a file of results begins with: what they can be made again from."""
    return {
        "document": task.document,
        "edges_us": task.edges_us,
        "completions": task.completions,
        "sources": sources_digest(),
    }


@once
def sources_digest() -> str:
    """Return the SHA-256 of every source and default that decides the figures of a run."""
    digest = hashlib.sha256(np.__version__.encode())
    for path in sorted(_PACKAGE.rglob("*.py")):
        place = path.relative_to(_PACKAGE)
        if place.parts[0].removesuffix(".py") not in _NOT_DECIDING:
            digest.update(place.as_posix().encode() + b"\0" + path.read_bytes())
    for name in data_names():
        digest.update(name.encode() + b"\0" + data_text(name).encode())
    return digest.hexdigest()


def _forget_old(folder: Path) -> None:
    """Delete the results of long-gone sources, so that editing does not fill the disk."""
    try:
        versions = [item for item in folder.iterdir() if item.name != sources_digest()[:24]]
        versions.sort(key=lambda item: item.stat().st_mtime, reverse=True)
    except OSError:
        return
    for item in versions[_VERSIONS_KEPT:]:
        shutil.rmtree(item, ignore_errors=True)
    if (own := folder / sources_digest()[:24]).is_dir():
        os.utime(own)
