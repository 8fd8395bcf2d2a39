"""Sockets: where they are. A served twin sends events there; ``Twin.subscribe`` gives them here."""

from twin.api.http import Answer, ApiError, Call

__all__ = ["greet", "open_socket"]


def greet(_call: Call) -> Answer:
    """Greet, as SockJS does; below this path its clients connect."""
    return Answer("Welcome to SockJS!\n")


def open_socket(call: Call) -> Answer:
    """Answer who asks for a WebSocket through a door that has none.

    A served twin opens a real one (101). Here there is nothing to carry frames over: ``subscribe``
    gives the same events.
    """
    if call.request.headers.get("upgrade", "").lower() != "websocket":
        raise ApiError(400, 'Can "Upgrade" only to "WebSocket".')
    return Answer("Established Websocket Connection")
