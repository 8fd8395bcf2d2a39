"""A twin's state as bytes: frozen between two runs, thawed in this process or another.

What the state only refers to (the scenario, the calendar, who takes the rows) has a name and is
no part of the bytes. Bytes are thawed by Python's pickle, kept to our own classes, numpy's arrays
and plain containers; still a state file is to be trusted like code, for our classes are code.
"""

import hashlib
import io
import json
import pickle
import platform
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

__all__ = ["FrozenError", "freeze", "makers", "named", "thaw"]

_PACKAGE = Path(__file__).resolve().parent.parent
_PLAIN = {
    ("collections", "deque"), ("numpy", "dtype"), ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}  # fmt: skip
_DAMAGED = (pickle.UnpicklingError, LookupError, AttributeError, TypeError, ValueError, EOFError)


class FrozenError(ValueError):
    """Bytes that are no state, or one of another making."""


class _Pickler(pickle.Pickler):
    """Writes names instead of what has one."""

    def __init__(self, file: io.BytesIO, names: Mapping[int, str]) -> None:
        super().__init__(file, protocol=5)
        self._names = names

    def persistent_id(self, obj: object) -> str | None:
        """Return the name of an object, None for what is written itself."""
        return self._names.get(id(obj))


class _Unpickler(pickle.Unpickler):
    """Finds what has a name, and no class that has no business in a state."""

    def __init__(self, file: io.BytesIO, given: Mapping[str, object]) -> None:
        super().__init__(file)
        self._given = given

    def persistent_load(self, pid: str) -> object:
        """Return what has a name."""
        return self._given[pid]

    def find_class(self, module: str, name: str) -> Any:
        """Return a class of ours, or one of the few others."""
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith("twin.") and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a state")


def freeze(state: object, given: Mapping[str, object]) -> bytes:
    """Return a state as bytes.

    Parameters
    ----------
    state
        What is to be there again.
    given
        What it refers to and what is there anyway, by name; see ``named`` for its parts.
    """
    file = io.BytesIO()
    _Pickler(file, {id(value): name for name, value in given.items()}).dump(state)
    return file.getvalue()


def thaw(frozen: bytes, given: Mapping[str, object]) -> Any:
    """Return a state that is a copy of the frozen one.

    Parameters
    ----------
    frozen
        From ``freeze``; to be trusted like code.
    given
        What stands now under the names that were given then.

    Raises
    ------
    FrozenError
        The bytes are no state, or name what there is not.
    """
    try:
        return _Unpickler(io.BytesIO(frozen), given).load()
    except _DAMAGED as error:
        raise FrozenError(f"not the state of a twin: {error!r}") from error


def named(**roots: object) -> dict[str, object]:
    """Return things and their parts by name: models and tuples all the way down, and arrays."""
    found: dict[str, object] = {}
    for name, root in roots.items():
        _name(name, root, found)
    return found


def _name(name: str, value: object, found: dict[str, object]) -> None:
    """Name a thing and its parts."""
    if isinstance(value, BaseModel):
        found[name] = value
        for field, part in value:
            _name(f"{name}.{field}", part, found)
    elif isinstance(value, tuple) and value:  # there is only one empty tuple
        found[name] = value
        for number, part in enumerate(value):
            _name(f"{name}.{number}", part, found)
    elif isinstance(value, np.ndarray):
        found[name] = value


@cache
def _sources() -> str:
    """Return a digest of all our sources: another version may keep its state in other fields."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def makers(**more: str) -> str:
    """Return the text that names everything that must be the same for a state to be thawed.

    Parameters
    ----------
    more
        What the state is of, beside our sources, Python, numpy and the order of bytes.
    """
    made_by = {
        "twin": version("twin"),
        "sources": _sources(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "bytes": sys.byteorder,
        **more,
    }
    return json.dumps(made_by, sort_keys=True)
