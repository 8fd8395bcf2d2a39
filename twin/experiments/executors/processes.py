"""Worker processes on this machine."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

import loky

from twin.errors import RunError

__all__ = ["Processes"]

T = TypeVar("T")
R = TypeVar("R")

_IDLE_S = 300
_MOST_LOSSES = 3
_AHEAD = 3
"""So many tasks for each worker are handed out at once: enough that none waits for the next."""


class Processes:
    """Does tasks in processes of their own, which stay for a while: the next call finds them warm.

    They are fresh interpreters, not copies of this one, so notebooks and programs with threads may
    use them, and a script needs no ``if __name__ == "__main__"``. What a lost worker had is done
    again by another.
    """

    def __init__(self, workers: int | None = None) -> None:
        """Take a number of workers, by default as many as there are processors for us.

        Raises
        ------
        RunError
            It is not a number from 1 on.
        """
        if workers is not None and (type(workers) is not int or workers < 1):
            raise RunError(f"workers is a whole number from 1 on, not {workers!r}")
        self.workers: int = workers or loky.cpu_count()

    def results(self, work: Callable[[T], R], tasks: Sequence[T]) -> Generator[tuple[int, R]]:
        """Yield each task's place and result as they are ready."""
        missing, losses = dict(enumerate(tasks)), 0
        while missing:
            before = len(missing)
            try:
                for place, result in self._round(work, missing):
                    del missing[place]
                    yield place, result
            except BrokenProcessPool as error:
                # Nobody knows which task it was: only losses without any progress count.
                losses = losses + 1 if len(missing) == before else 1
                if losses >= _MOST_LOSSES:
                    raise RunError(
                        f"workers died {losses} times in a row, {len(missing)} tasks are left",
                        hint='they may lack memory: take fewer workers, or executor="serial"',
                    ) from error

    def _round(self, work: Callable[[T], R], tasks: dict[int, T]) -> Generator[tuple[int, R]]:
        """Yield results until all are there or a worker is lost."""
        pool = loky.get_reusable_executor(
            max_workers=self.workers, timeout=_IDLE_S, initializer=_leave_interrupts
        )
        waiting = iter(list(tasks.items()))
        under_way: dict[Future[Any], int] = {}
        is_over = False
        try:
            while True:
                for place, task in waiting:
                    under_way[pool.submit(work, task)] = place
                    if len(under_way) >= _AHEAD * self.workers:
                        break
                if not under_way:
                    break
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    yield under_way.pop(future), future.result()
            is_over = True
        finally:
            if not is_over and under_way:
                # Cancelled: what is under way may take minutes, and nobody waits for it.
                pool.shutdown(wait=False, kill_workers=True)


def _leave_interrupts() -> None:
    """Let Ctrl-C be heard by the process that asked, which ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
