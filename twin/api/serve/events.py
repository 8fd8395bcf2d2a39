"""What happens in a served twin, sent to every client of its sockets."""

import asyncio
import json
from functools import partial
from typing import Any

from twin.api.serve.sockjs import Connection, Session, SockJS

__all__ = ["Events"]


class Events:
    """The clients of the sockets; their own messages mean nothing to the service."""

    def __init__(self) -> None:
        """Have none yet."""
        self._sessions: set[Session] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.sockets = SockJS(self._connected)
        """The ASGI application that they come to."""

    def _connected(self, session: Session) -> Connection:
        """Take up a client."""
        self._loop = asyncio.get_running_loop()
        self._sessions.add(session)
        return _Client(partial(self._sessions.discard, session))

    def tell(self, told: dict[str, Any]) -> None:
        """Send a message to all clients; called on the twin's own thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send, json.dumps(told))

    def close(self) -> None:
        """End all sessions, on the event loop's thread."""
        self.sockets.close()

    def _send(self, text: str) -> None:
        """Send a text to all clients, on the event loop's thread."""
        for session in tuple(self._sessions):
            session.send(text)


class _Client:
    """One client of the sockets."""

    def __init__(self, leave: partial[None]) -> None:
        """Know how it goes."""
        self._leave = leave

    def received(self, text: str) -> None:
        """Take a message of the client, to nobody's good."""

    def closed(self) -> None:
        """Send nothing more."""
        self._leave()
