"""A served twin: one thread owns it, the event loop only brings requests and lets time pass."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from twin.api.http import Api
from twin.api.serve.events import Events
from twin.api.serve.pages import site
from twin.api.snap.news import Newsroom
from twin.errors import OutputError, RunError, StateError
from twin.store.database import Database

__all__ = ["Ports", "Served", "Speed", "serve", "speed_of"]

Speed = float | Literal["max"]
_TICK_S = 0.1
_GRACE_S = 5  # for answers under way when it is to stop
_STOPS = (signal.SIGINT, signal.SIGTERM)
_HOUR_US = 3_600_000_000
_SLICE_US = 600_000_000  # of simulated time, where it runs as fast as it can


class Ports(NamedTuple):
    """Where each API listens; 0 for a port that is free."""

    insight: int
    snap: int


class Served(Protocol):
    """A twin as its server sees it."""

    @property
    def horizon_us(self) -> int:
        """How long the scenario's run is [us]."""

    @property
    def now_us(self) -> int:
        """The simulated moment [us]."""

    @property
    def insight_api(self) -> Api:
        """The Insight API."""

    @property
    def database(self) -> Database:
        """Where what is acknowledged is kept."""

    def insight_openapi(self) -> dict[str, Any]:
        """Return the same as OpenAPI."""

    @property
    def snap_api(self) -> Api:
        """The SNAP Thing Services API."""

    def snap_openapi(self) -> dict[str, Any]:
        """Return the same as OpenAPI."""

    @property
    def newsroom(self) -> Newsroom:
        """What tells of devices, tasks, data collectors and upgrades."""

    state: Path | None

    def save(self) -> Path:
        """Write the twin to its state file."""

    def run_to_us(self, until_us: int, *, progress: bool | None = None) -> None:
        """Let time pass up to a moment [us]."""

    def keep_snapshot(self) -> None:
        """Keep the state of this moment in the state file, where there is one."""


def speed_of(text: str) -> Speed:
    """Return a speed: simulated seconds in a second, or ``max``.

    Raises
    ------
    RunError
        It is neither.
    """
    if text == "max":
        return "max"
    with suppress(ValueError):
        if 0 <= (speed := float(text)) <= 1e6:
            return speed
    raise RunError(f"speed is a number from 0 to 1,000,000, or max, not {text!r}")


def serve(
    opened: Callable[[], Served],
    host: str,
    ports: Ports,
    speed: Speed,
    ready: Callable[[Ports], None],
    stopped: Callable[[Served], None],
) -> None:
    """Serve a twin until the process is told to stop.

    Parameters
    ----------
    opened
        Opens the twin; called on the thread that owns it from then on.
    host, ports
        Where the APIs listen.
    speed
        How fast simulated time passes.
    ready
        Told the ports as soon as requests are answered.
    stopped
        Told at the end, on the owner's thread.

    Raises
    ------
    RunError
        An address is taken, or is none of this machine.
    """
    with (
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="twin") as owner,
        _listening(host, ports) as sockets,
    ):
        found = Ports(*(own.getsockname()[1] for own in sockets))
        twin = owner.submit(opened).result()
        owner.submit(_prepare, twin).result()  # refused before anybody is answered, or never
        app = owner.submit(_Application, twin, owner, speed, found).result()
        owner.submit(twin.newsroom.move, f"http://{_shown(host)}:{found.snap}").result()
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_GRACE_S)
        server = _Server(config, lambda: ready(found), app.close_sockets)
        try:
            server.run(sockets=list(sockets))
        finally:
            owner.submit(stopped, twin).result()


def _prepare(twin: Served) -> None:
    """Open the twin's database, on the owner's thread, and claim its file."""
    twin.database.prepare()


@contextmanager
def _listening(host: str, ports: Ports) -> Iterator[list[socket.socket]]:
    """Give a socket for each port, taken before a long run is begun."""
    with ExitStack() as stack:
        yield [stack.enter_context(_bound(host, name, port)) for name, port in _named(ports)]


def _shown(host: str) -> str:
    """Return a host as it stands in an address."""
    return f"[{host}]" if ":" in host else host


def _named(ports: Ports) -> list[tuple[str, int]]:
    """Return the ports with the options that choose them."""
    return [("--insight-port", ports.insight), ("--snap-port", ports.snap)]


def _bound(host: str, option: str, port: int) -> socket.socket:
    """Return a socket that has a port to itself."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP: else asyncio leaves Nagle's algorithm on, and each answer waits 40 ms.
    own = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        own.bind((host, port))
    except OSError as error:
        own.close()
        raise RunError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}",
            hint=f"choose another: --host, {option}",
        ) from error
    return own


class _Server(uvicorn.Server):
    """A server that tells when it listens."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready, self._stopping = ready, stopping

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM; uvicorn's own would send them again, to nobody's good."""
        before = {number: signal.signal(number, self.handle_exit) for number in _STOPS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would never end by itself, and then the rest."""
        self._stopping()
        await super().shutdown(sockets)


class _Application:
    """The APIs as one ASGI application: the port that a request came to says which is meant."""

    def __init__(self, twin: Served, owner: Executor, speed: Speed, ports: Ports) -> None:
        """Ask the twin for its APIs, and listen to it; on the owner's thread."""
        events = Events()
        self.close_sockets = events.close
        twin.newsroom.listen(events.tell)
        self._pace = partial(_pace, twin, owner, speed)
        self._sites: dict[int, ASGIApp] = {
            ports.insight: site(twin.insight_api, twin.insight_openapi(), owner),
            ports.snap: site(twin.snap_api, twin.snap_openapi(), owner, events.sockets),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead a request to its API, or live as long as the server does."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._sites[scope["server"][1]](scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Let time pass from the start of the server to its end."""
        await receive()
        pacing = asyncio.create_task(self._pace())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        pacing.cancel()
        with suppress(asyncio.CancelledError):
            await pacing
        await send({"type": "lifespan.shutdown.complete"})


async def _pace(twin: Served, owner: Executor, speed: Speed) -> None:
    """Let simulated time pass; requests come in between the slices."""
    loop = asyncio.get_running_loop()
    last_s = loop.time()
    while speed != 0:
        if speed == "max":
            until_us = min(twin.now_us + _SLICE_US, twin.horizon_us)
            if until_us == twin.now_us:
                return
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(_TICK_S)
            now_s = loop.time()
            until_us = twin.now_us + round(speed * (now_s - last_s) * 1e6)
            last_s = now_s
        await loop.run_in_executor(owner, partial(_run, twin, until_us))


def _run(twin: Served, until_us: int) -> None:
    """Run to a moment, on the owner's thread; a fault's latency may have been further already.

    Each hour a snapshot is kept, from which a killed process goes on.
    """
    before_us = twin.now_us
    twin.run_to_us(max(until_us, before_us), progress=False)
    if twin.now_us // _HOUR_US > before_us // _HOUR_US:
        # Where the file cannot be written the one before holds, and clients hear of it themselves.
        with suppress(OutputError, StateError):
            twin.keep_snapshot()
