"""The two WebSockets of SockJS: with frames, and the raw one."""

import itertools
import json
import time
from collections.abc import Iterator
from socket import create_connection

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.api.sockets import PATIENCE_S, QUICK, echoing, socket

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with echoing() as (found, _):
        yield found


@pytest.fixture
def session(url: str) -> str:
    """The address of a session that nobody used."""
    return f"{url}/000/session-{next(NUMBERS)}"


def until_closed(own: ClientConnection) -> list[str]:
    """The frames up to the end of a WebSocket, heartbeats left out."""
    frames = []
    try:
        while True:
            frames.append(str(own.recv(timeout=PATIENCE_S)))
    except ConnectionClosed:
        return [frame for frame in frames if frame != "h"]


def test_websocket_carries_frames(session: str) -> None:
    with socket(f"{session}/websocket") as own:
        assert own.recv() == "o"
        own.send("")
        own.send('["a","b"]')
        own.send('"c"')
        heard: list[str] = []
        while len(heard) < 3:
            frame = own.recv()
            heard += json.loads(frame[1:]) if frame != "h" else []
        assert heard == ["a", "b", "c"]
        own.send('["close"]')
        assert until_closed(own) == ['c[3000,"Go away!"]']


@pytest.mark.parametrize("broken", ["[", '["x', "[1]", "[" * 50_000])
def test_broken_json_ends_a_websocket(session: str, broken: str) -> None:
    with socket(f"{session}/websocket") as own:
        assert own.recv() == "o"
        own.send(broken)
        assert until_closed(own) == []


def test_two_websockets_of_one_session_are_two(session: str) -> None:
    with socket(f"{session}/websocket") as one, socket(f"{session}/websocket") as two:
        assert (one.recv(), two.recv()) == ("o", "o")
        two.send('["for two"]')
        assert next(frame for frame in two if frame != "h") == 'a["for two"]'


def test_the_raw_websocket_carries_messages_as_they_are(url: str) -> None:
    with socket(f"{url}/websocket") as own:
        for said in ["[", "é \u2028 😀", '"']:
            own.send(said)
            assert own.recv() == said
        own.send(b"bytes")
        assert own.recv() == "bytes"
        own.send("close")
        with pytest.raises(ConnectionClosed) as ended:
            own.recv()
        assert ended.value.rcvd is not None
        assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (3000, "Go away!")


def test_the_raw_websocket_says_why_it_ends_and_what_can_be_said(url: str) -> None:
    with socket(f"{url}/websocket") as own:
        own.send("surrogate")
        assert own.recv() == "?"
        own.send("next")
        assert own.recv() == "next"
        own.send("close:" + "é" * 200)
        with pytest.raises(ConnectionClosed) as ended:
            own.recv()
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.reason == "é" * 61


UPGRADE = (
    "GET /echo/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def test_who_reads_nothing_is_cut_off() -> None:
    with echoing(QUICK) as (url, ended):
        host, port = url.split("/")[2].split(":")
        with create_connection((host, int(port)), timeout=PATIENCE_S) as own:
            own.sendall(UPGRADE.encode())
            assert own.recv(4096).startswith(b"HTTP/1.1 101")
            frame = b"huge:100"
            own.sendall(bytes([0x81, 0x80 | len(frame), 0, 0, 0, 0]) + frame)
            until = time.monotonic() + PATIENCE_S
            while not ended and time.monotonic() < until:
                time.sleep(0.05)
            assert ended[0].end == (4000, "Too many messages wait: nobody reads them")
            time.sleep(QUICK.disconnect_s + 0.3)
            received = 0
            while piece := own.recv(1 << 20):  # up to where the server closes
                received += len(piece)
            assert received < 60_000_000


def test_who_wants_no_websocket_is_told(url: str, session: str) -> None:
    for address in (f"{url}/websocket", f"{session}/websocket"):
        found = httpx2.get(address, timeout=PATIENCE_S)
        assert (found.status_code, found.text) == (400, 'Can "Upgrade" only to "WebSocket".')
