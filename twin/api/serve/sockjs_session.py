"""A SockJS session: what waits to be sent, in frames, whichever transport carries them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple, Protocol

__all__ = ["CLOSED_BY_CLIENT", "Connection", "Session", "Settings", "closing", "message_frame"]

# What a browser or JavaScript may mangle on its way goes as \uXXXX (protocol, "escapable").
_ESCAPED = re.compile(
    "[\x00-\x1f\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff\ud800-\udfff]"
)
_NO_READER = 4000, "Too many messages wait: nobody reads them"
CLOSED_BY_CLIENT = 1002, "Connection interrupted"


class Settings(NamedTuple):
    """How a server speaks SockJS.

    Parameters
    ----------
    heartbeat_s
        How long it says nothing at most [s].
    disconnect_s
        How long a session waits for its client's next request [s].
    response_bytes
        After how much a streaming response ends, so that no client keeps too much of it [B].
    most_waiting
        How many messages wait for a client at most before it is given up [1].
    """

    heartbeat_s: float = 25.0
    disconnect_s: float = 5.0
    response_bytes: int = 128 * 1024
    most_waiting: int = 10_000


class Connection(Protocol):
    """What stands behind a session."""

    def received(self, text: str) -> None:
        """Take a message of the client."""

    def closed(self) -> None:
        """The session is over."""


def message_frame(messages: list[str]) -> str:
    """Return messages as one frame."""
    text = json.dumps(messages, ensure_ascii=False, separators=(",", ":"))
    return "a" + _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def closing(code: int, reason: str) -> str:
    """Return the frame that closes a session."""
    return "c" + json.dumps([code, reason], separators=(",", ":"))


class Session:
    """One client; used on the event loop's thread alone.

    Whoever is on another thread sends by ``loop.call_soon_threadsafe(session.send, text)``.
    """

    def __init__(self, settings: Settings) -> None:
        """Begin open, with nothing to send."""
        self._settings = settings
        self.connection: Connection | None = None
        self.waiting: list[str] = []
        self.end: tuple[int, str] | None = None
        self.is_attached = False
        self.over = asyncio.Event()
        self._news = asyncio.Event()
        self._farewell: asyncio.TimerHandle | None = None

    def send(self, text: str) -> None:
        """Send a message as soon as the client takes one; a client that takes none is given up."""
        if self.end is not None:
            return
        if len(self.waiting) >= self._settings.most_waiting:
            self.waiting.clear()
            self.close(*_NO_READER)
            return
        self.waiting.append(text)
        self._news.set()

    def close(self, code: int = 3000, reason: str = "Go away!") -> None:
        """End the session, once."""
        if self.end is None:
            self.end = code, reason
            self.over.set()
            self._news.set()
            if self.connection is not None:
                self.connection.closed()

    def attach(self) -> None:
        """A request of the client takes what waits; the session is not forgotten meanwhile."""
        self.is_attached = True
        if self._farewell is not None:
            self._farewell.cancel()

    def detach(self, forget: Callable[[], None]) -> None:
        """The request is over: the session is forgotten, unless the client comes again in time."""
        self.is_attached = False
        loop = asyncio.get_running_loop()
        self._farewell = loop.call_later(self._settings.disconnect_s, forget)

    def received(self, messages: list[str]) -> None:
        """Hand messages of the client on."""
        for text in messages:
            if self.connection is not None and self.end is None:
                self.connection.received(text)

    def taken(self) -> list[str]:
        """Return what waits, and let nothing wait."""
        taken, self.waiting = self.waiting, []
        return taken

    async def something(self) -> bool:
        """Wait until there is something to send, or the session is over; False for a heartbeat."""
        if self.waiting or self.end is not None:
            return True
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), self._settings.heartbeat_s)
        except TimeoutError:
            return False
        return True

    async def frames(self, most_bytes: int) -> AsyncIterator[str]:
        """Yield frames until there were so many bytes, or the session is over.

        Parameters
        ----------
        most_bytes
            0 for one frame alone, -1 for no end [B].
        """
        sent_bytes = 0
        while True:
            if not await self.something():
                frame = "h"
            elif self.waiting:
                frame = message_frame(self.taken())
            else:
                assert self.end is not None, "else there is something to send"
                yield closing(*self.end)
                return
            yield frame
            sent_bytes += len(frame.encode()) + 1
            if 0 <= most_bytes <= sent_bytes:
                return
