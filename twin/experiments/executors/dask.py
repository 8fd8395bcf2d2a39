"""Workers of a Dask cluster, on this machine or on many."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import distributed
import loky
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from twin.errors import RunError
from twin.experiments.cache import sources_digest

__all__ = ["Dask"]

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE_S = 20.0
_RETRIES = 3


class Dask:
    """Does tasks on a cluster: one that runs already, or one of processes made for the purpose.

    The scheduler gives what a lost worker had to another.
    """

    def __init__(
        self, address: str | None = None, workers: int | None = None,
        *, patience_s: float = _PATIENCE_S,
    ) -> None:  # fmt: skip
        """Take a cluster.

        Parameters
        ----------
        address
            Of a scheduler, ``tcp://host:port``; without one workers are made here.
        workers
            How many of these [1].
        patience_s
            How long the scheduler may take to answer [s].
        """
        self._address, self._patience_s = address, patience_s
        self.workers: int = workers or loky.cpu_count()

    def results(self, work: Callable[[T], R], tasks: Sequence[T]) -> Generator[tuple[int, R]]:
        """Yield each task's place and result as they are ready."""
        with self._client() as client:
            self._meet_workers(client)
            futures = [client.submit(work, task, pure=False, retries=_RETRIES) for task in tasks]
            places = {future.key: place for place, future in enumerate(futures)}
            try:
                for future in distributed.as_completed(futures, loop=client.loop):
                    yield places[future.key], future.result()
            except KilledWorker as error:
                raise RunError(
                    "a task took its worker with it, again and again",
                    hint="workers may lack memory: give them more, or let fewer share it",
                ) from error
            except (CancelledError, CommClosedError, TimeoutError) as error:
                raise RunError(
                    "the scheduler of the cluster is lost",
                    hint="start it again and repeat: what was done is kept in the cache",
                ) from error
            finally:
                with suppress(CancelledError, CommClosedError, TimeoutError):
                    client.cancel(futures)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """Join the cluster, or make one of processes and end it."""
        if self._address is None:
            local = distributed.LocalCluster(
                n_workers=self.workers, threads_per_worker=1, dashboard_address=":0",
            )  # fmt: skip
            with local, distributed.Client(local) as client:
                yield client
            return
        try:
            client = distributed.Client(
                self._address, timeout=self._patience_s, set_as_default=False
            )
        except (OSError, ValueError) as error:
            raise RunError(
                f"no Dask scheduler answers at {self._address}: {error}",
                hint="start one with: dask scheduler, and workers with: dask worker ADDRESS",
            ) from error
        with client:
            yield client

    def _meet_workers(self, client: Any) -> None:
        """Wait for a worker, and refuse those that would give other results."""
        try:
            client.wait_for_workers(1, timeout=self._patience_s)
        except TimeoutError as error:
            raise RunError(
                f"the cluster has had no worker for {self._patience_s:g} s",
                hint="start one with: dask worker ADDRESS",
            ) from error
        self.workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        _same_sources(client)


def _same_sources(client: Any) -> None:
    """Refuse a cluster whose workers would give other results, or have no twin."""
    try:
        found: dict[str, str] = client.run(sources_digest)
    except ImportError as error:
        raise RunError(
            f"a worker of the cluster lacks what tasks need: {error}",
            hint="install the same version of twin there",
        ) from error
    others = sorted(worker for worker, digest in found.items() if digest != sources_digest())
    if others:
        raise RunError(
            f"workers of the cluster have another version of twin: {', '.join(others)}",
            hint="install the same version there and here",
        )
