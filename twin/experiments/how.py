"""How the runs of an experiment are done, and how far they are."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from twin.errors import RunError
from twin.experiments.cache import Cache
from twin.experiments.executors import Executor
from twin.scenario import Scenario, load
from twin.world.pace import bar_class

__all__ = [
    "Design",
    "How",
    "Progress",
    "as_scenario",
    "checked_count",
    "is_whole",
    "seed_of",
    "telling",
]

Progress = Callable[[int, int], None]
"""Told how many runs are done and how many there are; what it raises cancels the rest."""

_SEEDS = 2**53
"""A frame turns a row into floats now and then: these seeds come through it unharmed."""
_QUIET_S = 2.0


class How(TypedDict, total=False):
    """How runs are done, the same for every kind of experiment; all of it may be left out.

    ``until``: how long each run is, like "8 h" (default: the scenario's horizon). ``warm_up``:
    counted from then on only; the floor's key figures alone. ``kpis``: names, default all; who
    names fewer waits less where they are all of the floor or of the mesh. ``seed``: instead of the
    scenario's. ``executor``, ``workers``: see ``twin.experiments.executors``; "auto" begins here
    and takes processes when it would take long. ``cache``: True for the user's own, False for
    none, or a folder. ``progress``: show a bar or not, default when it takes a while; or a
    function that is told.
    """

    until: str | None
    warm_up: str | None
    kpis: Sequence[str] | None
    seed: int | None
    executor: str | Executor
    workers: int | None
    cache: bool | str | Path | Cache
    progress: bool | Progress | None


@dataclass(frozen=True)
class Design:
    """One way to set up the site: a scenario under a name, and what was varied in it."""

    name: str
    scenario: Scenario
    factors: Mapping[str, Any] = field(default_factory=dict)


def as_scenario(given: str | Path | Scenario) -> Scenario:
    """Return a scenario, loaded where only its name or path is given."""
    return given if isinstance(given, Scenario) else load(given)


def is_whole(given: object) -> bool:
    """Return whether something is a whole number, of Python's or of numpy's."""
    try:
        operator.index(given)  # type: ignore[arg-type]
    except TypeError:
        return False
    return not isinstance(given, bool)


def checked_count(count: int, name: str = "replications") -> int:
    """Return a number of replications, or of something else that has a name.

    Raises
    ------
    RunError
        It is no whole number from 1 on.
    """
    if not is_whole(count) or count < 1:
        raise RunError(f"{name} is a whole number from 1 on, not {count!r}")
    return int(count)


def seed_of(seed: int, replication: int) -> int:
    """Return the seed of a replication: the experiment's own for the first, then hashes of it.

    So the first replication is the run that ``twin.open`` gives, and experiments with seeds that
    are close together share no replication.

    >>> [seed_of(1, 0), seed_of(1, 1) == seed_of(2, 0)]
    [1, False]
    """
    if replication == 0:
        return seed
    digest = hashlib.sha256(f"replication {replication} of {seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _SEEDS


@contextmanager
def telling(progress: bool | Progress | None, total: int) -> Iterator[Callable[[int], None]]:
    """Give what is to be called with how many runs are done: it shows a bar, or tells the caller.

    Parameters
    ----------
    progress
        As in ``How``.
    total
        How many runs there are [1].
    """
    if callable(progress):
        progress(0, total)
        yield lambda done: progress(done, total)
        return
    bar = bar_class()(
        total=total, desc="runs", unit="run", leave=False, disable=progress is False,
        delay=0.0 if progress else _QUIET_S,
    )  # fmt: skip
    with bar:
        yield lambda done: bar.update(done - bar.n)
