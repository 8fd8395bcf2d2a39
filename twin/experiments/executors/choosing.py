"""Which executor a name means."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

from twin.errors import RunError
from twin.experiments.executors.base import Executor
from twin.experiments.executors.serial import Serial

__all__ = ["NAMES", "cpu_count", "installed", "make_executor"]

NAMES = ("auto", "serial", "processes", "dask", "tcp://HOST:PORT")


def make_executor(name: str | Executor, workers: int | None = None) -> Executor | None:
    """Return the executor of a name, None for ``"auto"``: whoever has the work decides.

    Parameters
    ----------
    name
        One of ``NAMES``: ``"dask"`` makes a cluster of processes here, an address joins one.
    workers
        How many work at once [1]; a cluster that is joined has its own.

    Raises
    ------
    RunError
        There is no such executor, or what it needs is not installed.
    """
    if not isinstance(name, str):
        return name
    if name == "auto":
        return None
    if name == "serial":
        return Serial()
    if name == "processes":
        return cast(Executor, _room("processes").Processes(workers))
    if name == "dask" or "://" in name:
        installed("distributed")
        return cast(Executor, _room("dask").Dask(None if name == "dask" else name, workers))
    raise RunError(f"no executor is called {name!r}", hint=f"there are {', '.join(NAMES)}")


def cpu_count() -> int:
    """Return how many processors there are for us, in a container, too [1]."""
    return cast(int, import_module("loky").cpu_count())


def installed(library: str) -> None:
    """Make sure that a library of the extra "experiments" is there.

    Raises
    ------
    RunError
        It is not.
    """
    if not find_spec(library):
        raise RunError(f"{library} is not installed", hint="pip install 'twin[experiments]'")


def _room(name: str) -> Any:
    """Import an executor when it is asked for: each brings a library of its own."""
    return import_module(f"twin.experiments.executors.{name}")
