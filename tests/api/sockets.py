"""An echo behind our SockJS server, on a free port."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets.sync.client import ClientConnection, connect

from twin.api.serve.sockjs import Session, Settings, SockJS

PATIENCE_S = 30.0
PATIENT = Settings(heartbeat_s=0.3, disconnect_s=5.0, response_bytes=4096, most_waiting=50)
QUICK = PATIENT._replace(disconnect_s=0.5)


class Echo:
    """Says what is said to it, and some words at length or in an odd way."""

    ended: list[Session]

    def __init__(self, session: Session, ended: list[Session]) -> None:
        self.session, self.ended = session, ended

    def received(self, text: str) -> None:
        if text == "close":
            self.session.close()
        elif text.startswith("close:"):
            self.session.close(3000, text.removeprefix("close:"))
        elif text == "surrogate":
            self.session.send("\ud800")
        elif text.startswith("huge:"):
            for _ in range(int(text.removeprefix("huge:"))):
                self.session.send("x" * 1_000_000)
        elif text.startswith("flood:"):
            for number in range(int(text.removeprefix("flood:"))):
                self.session.send(str(number))
        else:
            self.session.send(text)

    def closed(self) -> None:
        self.ended.append(self.session)


def socket(address: str) -> ClientConnection:
    """Open a WebSocket."""
    return connect(address.replace("http:", "ws:"), open_timeout=PATIENCE_S)


@contextmanager
def echoing(settings: Settings = PATIENT) -> Iterator[tuple[str, list[Session]]]:
    """Serve an echo: where, and the sessions that are over."""
    ended: list[Session] = []
    sockets = SockJS(lambda session: Echo(session, ended), settings)
    app = Starlette(routes=[Mount("/echo", app=sockets)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/echo", ended
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
