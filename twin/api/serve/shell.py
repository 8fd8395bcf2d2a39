"""A served twin: one thread owns it, the event loop only brings requests and lets time pass."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from twin.api.http import Api
from twin.api.serve.door import Door
from twin.errors import RunError

__all__ = ["Served", "Speed", "serve", "speed_of"]

Speed = float | Literal["max"]
_TICK_S = 0.1
_STOPS = (signal.SIGINT, signal.SIGTERM)
_SLICE_US = 600_000_000  # of simulated time, where it runs as fast as it can


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

    def insight_openapi(self) -> dict[str, Any]:
        """Return the same as OpenAPI."""

    def save(self) -> Path:
        """Write the twin to its state file."""

    def run_to_us(self, until_us: int, *, progress: bool | None = None) -> None:
        """Let time pass up to a moment [us]."""


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
    insight_port: int,
    speed: Speed,
    ready: Callable[[str], None],
    stopped: Callable[[Served], None],
) -> None:
    """Serve a twin until the process is told to stop.

    Parameters
    ----------
    opened
        Opens the twin; called on the thread that owns it from then on.
    host, insight_port
        Where the Insight API listens; port 0 for one that is free.
    speed
        How fast simulated time passes.
    ready
        Told the address as soon as requests are answered.
    stopped
        Told at the end, on the owner's thread.

    Raises
    ------
    RunError
        The address is taken, or is none of this machine.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="twin") as owner:
        twin = owner.submit(opened).result()
        app = _application(twin, owner, speed)
        config = uvicorn.Config(app, host=host, port=insight_port, log_level="warning")
        server = _Server(config, ready)
        try:
            server.run()
        except SystemExit as stop:  # so uvicorn says that it cannot listen
            raise RunError(
                f"cannot listen on {host}, port {insight_port}",
                hint="choose another: --host, --insight-port",
            ) from stop
        finally:
            owner.submit(stopped, twin).result()


class _Server(uvicorn.Server):
    """A server that tells when it listens, and where."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM; uvicorn's own would send them again, to nobody's good."""
        before = {number: signal.signal(number, self.handle_exit) for number in _STOPS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Begin to listen."""
        await super().startup(sockets)  # type: ignore[arg-type]
        for server in self.servers:
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                self._ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")


def _application(twin: Served, owner: Executor, speed: Speed) -> Starlette:
    """Return the application of a twin: time passes while it runs."""
    insight = owner.submit(lambda: twin.insight_api).result()

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        pacing = asyncio.create_task(_pace(twin, owner, speed))
        yield
        pacing.cancel()
        with suppress(asyncio.CancelledError):
            await pacing

    described = owner.submit(twin.insight_openapi).result()

    async def openapi(_request: Request) -> JSONResponse:
        return JSONResponse(described)

    routes = [Route("/openapi.json", openapi), Mount("/", app=Door(insight, owner))]
    return Starlette(routes=routes, lifespan=life)


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
    """Run to a moment, on the owner's thread; a fault's latency may have been further already."""
    twin.run_to_us(max(until_us, twin.now_us), progress=False)
