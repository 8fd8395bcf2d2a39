"""Real HTTP to a twin that a test owns: a socket, a server, a client of another thread."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

import requests
import uvicorn

from tests.api.asking import Door, Reply, Service, api_of, encoded, parsed
from twin.api.serve.pages import site
from twin.twin import Twin

P, T = ParamSpec("P"), TypeVar("T")
_PATIENCE_S = 60.0


class OnMyThread(Executor):
    """Carries work out on the thread that made it, while that waits for an answer."""

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - whoever asked hears of it
                future.set_exception(error)

        self._work.put(work)
        return future

    def until(self, done: Future[T]) -> T:
        """Work until something is done; return what came of it."""
        while not done.done():
            try:
                self._work.get(timeout=0.002)()
            except Empty:
                continue
        return done.result()


@contextmanager
def served(opened: Twin, service: Service = "insight") -> Iterator[tuple[str, OnMyThread]]:
    """Serve a twin from the thread of the test: where, and what works meanwhile."""
    mine = OnMyThread()
    described = getattr(opened, f"{service}_openapi")()
    app = site(api_of(opened, service), described, mine)
    config = uvicorn.Config(app, port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", mine
    finally:
        server.should_exit = True
        thread.join(_PATIENCE_S)


@contextmanager
def http_door(opened: Twin, service: Service = "insight") -> Iterator[Door]:
    """Return a way to ask over real HTTP, one request after the other."""
    with (
        served(opened, service) as (url, mine),
        ThreadPoolExecutor(1) as client,
        requests.Session() as own,
    ):
        own.trust_env = False

        def call(method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
            asked = client.submit(
                own.request, method, url + path, headers=dict(headers), data=encoded(body),
                timeout=_PATIENCE_S, allow_redirects=False,
            )  # fmt: skip
            found = mine.until(asked)
            return parsed(found.status_code, found.headers, found.content)

        yield call
