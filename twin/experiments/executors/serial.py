"""One task after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

__all__ = ["Serial"]

T = TypeVar("T")
R = TypeVar("R")


class Serial:
    """Does tasks here and now: the simplest executor, and for short work the quickest."""

    workers = 1

    def results(self, work: Callable[[T], R], tasks: Sequence[T]) -> Generator[tuple[int, R]]:
        """Yield each task's place and result, in order."""
        for place, task in enumerate(tasks):
            yield place, work(task)
