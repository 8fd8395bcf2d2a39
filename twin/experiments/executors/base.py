"""What every executor does: take tasks, give back their results as they come."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol, TypeVar

__all__ = ["Executor", "Place"]

T = TypeVar("T")
R = TypeVar("R")
Place = int
"""Which task of those that were given, from 0 on."""


class Executor(Protocol):
    """Does independent tasks; which one does them never changes a result."""

    @property
    def workers(self) -> int:
        """How many tasks are done at once [1]."""

    def results(self, work: Callable[[T], R], tasks: Sequence[T]) -> Generator[tuple[Place, R]]:
        """Yield each task's place and result, in the order in which they are ready.

        Whoever closes the generator cancels what is not done yet.

        Parameters
        ----------
        work
            What to do with a task: a function of a module that workers can import.
        tasks
            In the order in which they are begun.

        Raises
        ------
        RunError
            Workers are lost again and again, or cannot be reached.
        """
