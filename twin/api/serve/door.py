"""The door to real HTTP: an ASGI application that hands each request to the twin's own thread."""

import asyncio
import logging
from collections.abc import MutableMapping
from concurrent.futures import Executor
from typing import Any

from starlette.types import Receive, Scope, Send

from twin.api.doors import sized
from twin.api.http import MOST_BODY_BYTES, Api, Request, Response

__all__ = ["Door", "whole_body"]

_LOG = logging.getLogger("twin.serve")


class Door:
    """An API as an ASGI application."""

    def __init__(self, api: Api, owner: Executor) -> None:
        """Remember where requests go.

        Parameters
        ----------
        api
            What answers.
        owner
            The one thread on which the twin lives.
        """
        self._api = api
        self._owner = owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; there is no WebSocket here."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
            return
        body = await whole_body(receive)
        if body is None:
            return
        request = Request(
            scope["method"],
            scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0],
            scope["query_string"].decode("latin-1"),
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body,
            scope["scheme"],
        )
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._owner, self._api.dispatch, request)
        except Exception:  # noqa: BLE001 - a fault of ours is logged, and told in the envelope
            _LOG.exception("%s %s", request.method, request.path)
            found = self._api.failed()
        await _send(send, found, request.method)


async def whole_body(receive: Receive) -> bytes | None:
    """Return the body of a request, or so much of it that it is seen to be too long.

    None where the client is gone before its end.
    """
    body = bytearray()
    while True:
        message: MutableMapping[str, Any] = await receive()
        if message["type"] == "http.disconnect":
            return None
        if len(body) <= MOST_BODY_BYTES:  # what is longer is refused whatever it says
            body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


async def _send(send: Send, response: Response, method: str) -> None:
    """Send an answer."""
    headers = sized(response).items()
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": response.status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})
