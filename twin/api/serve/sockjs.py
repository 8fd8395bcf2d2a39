"""SockJS as an ASGI application: the transports of the protocol, and its raw WebSocket.

Protocol: sockjs-protocol 0.3.3. Left out are the transports of browsers without CORS (iframe,
htmlfile, jsonp): current clients choose among WebSocket, XHR streaming, event source and XHR
polling. The server keeps no cookies. No maintained library runs on ASGI.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from itertools import count
from typing import Any, NamedTuple

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from twin.api.http import MOST_BODY_BYTES
from twin.api.serve.door import whole_body
from twin.api.serve.sockjs_session import (
    CLOSED_BY_CLIENT,
    Connection,
    Session,
    Settings,
    closing,
)
from twin.draws import entity_word

__all__ = ["Connection", "Session", "Settings", "SockJS"]

_YEAR_S = 31_536_000
_WORD = 0xFFFFFFFF
_REASON_BYTES = 123  # of a control frame (RFC 6455, 5.5)
_NO_CACHE = "no-store, no-cache, no-transform, must-revalidate, max-age=0"
_ANOTHER = 2010, "Another connection still open"
_NO_UPGRADE = 'Can "Upgrade" only to "WebSocket".'
_BROKEN = 1002
_SESSION = "/{server:dotless}/{session:dotless}"
_PRELUDE_BYTES = 2048  # until then some browsers show nothing


class _Dotless(StringConvertor):
    """A part of a path without a dot: those are of other things."""

    regex = "[^/.]+"


register_url_convertor("dotless", _Dotless())


class _Form(NamedTuple):
    """How a transport over HTTP writes frames: before the first, around each, as what, how long."""

    prelude: str
    before: str
    after: str
    content_type: str
    is_streaming: bool

    def around(self, frame: str) -> str:
        """Return a frame as it goes out."""
        return f"{self.before}{frame}{self.after}"


_SCRIPT = "application/javascript; charset=UTF-8"
_POLLING = _Form("", "", "\n", _SCRIPT, False)
_STREAMING = _Form("h" * _PRELUDE_BYTES + "\n", "", "\n", _SCRIPT, True)
_EVENTS = _Form("\r\n", "data: ", "\r\n\r\n", "text/event-stream; charset=UTF-8", True)


class SockJS:
    """A SockJS server; mount it where clients look for it."""

    def __init__(
        self, connected: Callable[[Session], Connection], settings: Settings | None = None
    ) -> None:
        """Serve nobody yet.

        Parameters
        ----------
        connected
            Called on the event loop for each new session; returns what stands behind it.
        settings
            How it speaks, as the protocol advises by default.
        """
        self._connected, self._settings = connected, settings or Settings()
        self._sessions: dict[str, Session] = {}
        self._open: set[Session] = set()
        # Another number for each client that asks, the same at each start of the server.
        self._entropy = (entity_word(f"sockjs/{n}") & _WORD for n in count())
        options = ["OPTIONS"]
        self._router = Router(
            [
                Route("/", self._greet),
                Route("/info", self._info, methods=["GET", *options]),
                Route(f"{_SESSION}/xhr", self._xhr, methods=["POST", *options]),
                Route(f"{_SESSION}/xhr_send", self._xhr_send, methods=["POST", *options]),
                Route(f"{_SESSION}/xhr_streaming", self._xhr_streaming,
                      methods=["POST", *options]),
                Route(f"{_SESSION}/eventsource", self._event_source),
                WebSocketRoute(f"{_SESSION}/websocket", self._websocket),
                WebSocketRoute("/websocket", self._raw_websocket),
                Route(f"{_SESSION}/websocket", self._no_upgrade),
                Route("/websocket", self._no_upgrade),
            ],
            redirect_slashes=False,
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a handshake."""
        await self._router(scope, receive, send)

    # --- what every answer says -----------------------------------------------------------------

    def _headers(self, request: Request, content_type: str = "") -> dict[str, str]:
        """Return the headers that let a page of another site read an answer."""
        origin = request.headers.get("origin")
        headers = {"Access-Control-Allow-Origin": origin or "*", "Cache-Control": _NO_CACHE}
        if origin:
            headers |= {"Access-Control-Allow-Credentials": "true", "Vary": "Origin"}
        if content_type:
            headers["Content-Type"] = content_type
        return headers

    def _preflight(self, request: Request, method: str) -> Response:
        """Answer what a browser may ask here; it may remember that for a year."""
        headers = self._headers(request) | {
            "Cache-Control": f"public, max-age={_YEAR_S}",
            "Access-Control-Max-Age": str(_YEAR_S),
            "Access-Control-Allow-Methods": f"OPTIONS, {method}",
        }
        asked = request.headers.get("access-control-request-headers")
        if asked:
            headers["Access-Control-Allow-Headers"] = asked
        return Response(status_code=204, headers=headers)

    async def _greet(self, _request: Request) -> Response:
        """Say that SockJS is here."""
        return PlainTextResponse("Welcome to SockJS!\n")

    async def _info(self, request: Request) -> Response:
        """Say what this server can do; a client looks here first."""
        if request.method == "OPTIONS":
            return self._preflight(request, "GET")
        found = {
            "websocket": True,
            "cookie_needed": False,
            "origins": ["*:*"],
            "entropy": next(self._entropy),
        }
        headers = self._headers(request, "application/json; charset=UTF-8")
        return Response(json.dumps(found), headers=headers)

    async def _no_upgrade(self, _request: Request) -> Response:
        """Refuse who asks for a WebSocket and does not want one."""
        return PlainTextResponse(_NO_UPGRADE, 400)

    # --- transports over HTTP -------------------------------------------------------------------

    async def _xhr(self, request: Request) -> Response:
        """Answer with the next frame."""
        return self._frames(request, _POLLING)

    async def _xhr_streaming(self, request: Request) -> Response:
        """Answer with frames, one a line, until there were enough."""
        return self._frames(request, _STREAMING)

    async def _event_source(self, request: Request) -> Response:
        """Answer with frames as events of HTML, until there were enough."""
        return self._frames(request, _EVENTS)

    def _frames(self, request: Request, form: _Form) -> Response:
        """Answer with the frames of a session, which this request may begin."""
        if request.method == "OPTIONS":
            return self._preflight(request, "POST")
        return StreamingResponse(
            self._written(request.path_params["session"], form),
            headers=self._headers(request, form.content_type),
        )

    async def _written(self, name: str, form: _Form) -> AsyncIterator[str]:
        """Yield what goes out in one response."""
        session = self._sessions.get(name)
        is_new = session is None
        if session is None:
            session = self._sessions[name] = self._begin()
        if form.prelude:
            yield form.prelude
        if session.is_attached:
            yield form.around(closing(*_ANOTHER))
            return
        session.attach()
        is_whole = False
        try:
            if is_new:
                yield form.around("o")
            if form.is_streaming or not is_new:
                most_bytes = self._settings.response_bytes if form.is_streaming else 0
                async for frame in session.frames(most_bytes):
                    yield form.around(frame)
            is_whole = True
        finally:
            if not is_whole:
                session.close(*CLOSED_BY_CLIENT)
            session.detach(partial(self._forget, name, session))

    def _begin(self) -> Session:
        """Return a new session, with something behind it."""
        session = Session(self._settings)
        session.connection = self._connected(session)
        self._open = {one for one in self._open if one.end is None} | {session}
        return session

    def close(self) -> None:
        """End all sessions: nobody waits for a server that stops."""
        for session in self._open:
            session.close()

    def _forget(self, name: str, session: Session) -> None:
        """Forget a session whose client did not come again in time."""
        if self._sessions.get(name) is session:
            del self._sessions[name]
        session.close(1001, "Session timed out")

    async def _xhr_send(self, request: Request) -> Response:
        """Take messages of a client."""
        if request.method == "OPTIONS":
            return self._preflight(request, "POST")
        session = self._sessions.get(request.path_params["session"])
        body = b"" if session is None else await whole_body(request.receive)
        if body is None:
            return Response(status_code=400)  # to nobody: the client is gone
        messages = _messages(body) if len(body) <= MOST_BODY_BYTES else None
        status, said = 204, ""
        if session is None:
            status, said = 404, "There is no such session."
        elif len(body) > MOST_BODY_BYTES:
            status, said = 413, "Payload too long."
        elif messages is None:
            status, said = 500, "Broken JSON encoding." if body else "Payload expected."
        else:
            session.received(messages)
        headers = self._headers(request, "text/plain; charset=UTF-8")
        return Response(said, status, headers)

    # --- WebSocket ------------------------------------------------------------------------------

    async def _websocket(self, socket: WebSocket) -> None:
        """Carry frames over a WebSocket."""
        await socket.accept()
        session = self._begin()
        await socket.send_text("o")

        async def send() -> None:
            async for frame in session.frames(-1):
                await socket.send_text(frame)
            await socket.close()

        async def receive(text: str) -> bool:
            messages = _messages(text.encode(errors="replace")) if text else []
            if messages is None:
                await socket.close(_BROKEN)
                return False
            session.received(messages)
            return True

        await self._carried(socket, session, send, receive)

    async def _raw_websocket(self, socket: WebSocket) -> None:
        """Carry messages over a WebSocket as they are, without frames."""
        await socket.accept()
        session = self._begin()

        async def send() -> None:
            while not session.end:
                await session.something()
                for text in session.taken():
                    await socket.send_text(text.encode(errors="replace").decode())
            code, reason = session.end
            await socket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))

        async def receive(text: str) -> bool:
            session.received([text])
            return True

        await self._carried(socket, session, send, receive)

    async def _carried(
        self,
        socket: WebSocket,
        session: Session,
        send: Callable[[], Coroutine[Any, Any, None]],
        receive: Callable[[str], Coroutine[Any, Any, bool]],
    ) -> None:
        """Send and receive until one of both, or the server, ends the session."""
        over = asyncio.ensure_future(session.over.wait())
        sending = asyncio.ensure_future(send())
        receiving = asyncio.ensure_future(_received(socket, receive))
        try:
            await asyncio.wait({over, sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            session.close(*CLOSED_BY_CLIENT)
            # A client that does not read is not waited for longer than one that does not ask.
            await asyncio.wait({sending}, timeout=self._settings.disconnect_s)
        finally:
            session.close(*CLOSED_BY_CLIENT)
            for task in (over, sending, receiving):
                task.cancel()
            await asyncio.gather(over, sending, receiving, return_exceptions=True)


async def _received(socket: WebSocket, receive: Callable[[str], Coroutine[Any, Any, bool]]) -> None:
    """Hand on what comes over a WebSocket, until its client or who takes it has enough."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        raw = message.get("text")
        text = message["bytes"].decode(errors="replace") if raw is None else raw
        if not await receive(text):
            return


def _messages(body: bytes) -> list[str] | None:
    """Return the messages of a payload, one or a list of them; None where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    messages = found if isinstance(found, list) else [found]
    return messages if all(isinstance(text, str) for text in messages) else None
