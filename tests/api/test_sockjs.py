"""The rules of SockJS (sockjs-protocol 0.3.3), as far as its transports are ours."""

import itertools
import json
import time
from collections.abc import Iterator
from socket import create_connection

import httpx2
import pytest

from tests.api.sockets import PATIENCE_S, PATIENT, QUICK, echoing, socket
from twin.api.serve.sockjs import Settings

NUMBERS = itertools.count(1)
SAID = ["plain", "é", "\u2028", "😀", '"quoted"', "", "tab\t", "\x00\x1f", "\u200d"]
STRANGE = ["/a./b/xhr", "/a/b./xhr", "/./b/xhr", "/xhr", "/a/b/c/xhr", "/a/b/nothing", "/a/b"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with echoing() as (found, _):
        yield found


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    with httpx2.Client(timeout=PATIENCE_S) as found:
        yield found


@pytest.fixture
def session(url: str) -> str:
    """The address of a session that nobody used."""
    return f"{url}/000/session-{next(NUMBERS)}"


def opened(client: httpx2.Client, session: str) -> None:
    assert client.post(f"{session}/xhr").text == "o\n"


def send(client: httpx2.Client, session: str, *messages: str) -> int:
    return client.post(f"{session}/xhr_send", content=json.dumps(messages)).status_code


# --- what a client looks at first -----------------------------------------------------------------


def test_it_greets(client: httpx2.Client, url: str) -> None:
    found = client.get(f"{url}/")
    assert (found.status_code, found.text) == (200, "Welcome to SockJS!\n")
    assert found.headers["content-type"].startswith("text/plain")


def test_info_says_what_it_can_do_and_is_never_kept(client: httpx2.Client, url: str) -> None:
    first, second = (client.get(f"{url}/info") for _ in range(2))
    assert first.json().keys() == {"websocket", "origins", "cookie_needed", "entropy"}
    assert (first.json()["websocket"], first.json()["cookie_needed"]) == (True, False)
    assert first.json()["origins"] == ["*:*"]
    assert 0 <= first.json()["entropy"] < 2**32
    assert first.json()["entropy"] != second.json()["entropy"]
    assert "no-store" in first.headers["cache-control"]
    assert "set-cookie" not in first.headers


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/info", "GET"),
        ("/0/s/xhr", "POST"),
        ("/0/s/xhr_send", "POST"),
        ("/0/s/xhr_streaming", "POST"),
    ],
)
def test_a_preflight_may_be_kept_for_a_year(
    client: httpx2.Client, url: str, path: str, method: str
) -> None:
    asked = {"Origin": "http://shop.example", "Access-Control-Request-Headers": "x-a, x-b"}
    found = client.options(url + path, headers=asked)
    assert (found.status_code, found.content) == (204, b"")
    assert found.headers["access-control-allow-origin"] == "http://shop.example"
    assert found.headers["access-control-allow-credentials"] == "true"
    assert found.headers["access-control-allow-headers"] == "x-a, x-b"
    assert found.headers["access-control-allow-methods"] == f"OPTIONS, {method}"
    assert int(found.headers["access-control-max-age"]) > 1_000_000
    assert "public" in found.headers["cache-control"]


def test_every_site_may_read_answers(client: httpx2.Client, session: str) -> None:
    nobody = client.post(f"{session}/xhr").headers
    assert nobody["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in nobody
    assert nobody["content-type"] == "application/javascript; charset=UTF-8"
    asked = {"Origin": "null"}
    somebody = client.post(f"{session}/xhr_send", content='["x"]', headers=asked).headers
    assert somebody["access-control-allow-origin"] == "null"


@pytest.mark.parametrize("path", STRANGE)
def test_what_is_no_address_of_sockjs_is_not_found(
    client: httpx2.Client, url: str, path: str
) -> None:
    assert client.post(url + path).status_code == 404


# --- polling --------------------------------------------------------------------------------------


def test_polling_opens_and_then_brings_what_was_said(client: httpx2.Client, session: str) -> None:
    opened(client, session)
    assert send(client, session, "a", "b") == 204
    assert send(client, session, "c") == 204
    assert client.post(f"{session}/xhr").text == 'a["a","b","c"]\n'


def test_a_single_text_is_a_message_too(client: httpx2.Client, session: str) -> None:
    opened(client, session)
    assert client.post(f"{session}/xhr_send", content='"alone"').status_code == 204
    assert client.post(f"{session}/xhr").text == 'a["alone"]\n'


def test_what_javascript_mangles_is_escaped(client: httpx2.Client, session: str) -> None:
    opened(client, session)
    assert send(client, session, *SAID) == 204
    frame = client.post(f"{session}/xhr").text
    assert json.loads(frame[1:]) == SAID
    assert "\\u2028" in frame
    assert "\\u200d" in frame
    assert "é" in frame


def test_who_says_nothing_gets_a_heartbeat(client: httpx2.Client, session: str) -> None:
    opened(client, session)
    assert client.post(f"{session}/xhr").text == "h\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "Payload expected."),
        ("[", "Broken JSON encoding."),
        ('["x"', "Broken JSON encoding."),
        ("[1]", "Broken JSON encoding."),
        ("{}", "Broken JSON encoding."),
        ("[" * 100_000, "Broken JSON encoding."),
        (b"\xff\xfe", "Broken JSON encoding."),
    ],
)
def test_what_is_no_payload_is_refused(
    client: httpx2.Client, session: str, content: str | bytes, said: str
) -> None:
    opened(client, session)
    found = client.post(f"{session}/xhr_send", content=content)
    assert (found.status_code, found.text) == (500, said)
    assert send(client, session, "still here") == 204
    assert client.post(f"{session}/xhr").text == 'a["still here"]\n'


def test_nobody_sends_to_a_session_that_there_is_not(client: httpx2.Client, session: str) -> None:
    assert send(client, session, "x") == 404


def test_the_server_in_the_path_means_nothing(client: httpx2.Client, url: str) -> None:
    name = f"session-{next(NUMBERS)}"
    opened(client, f"{url}/000/{name}")
    assert send(client, f"{url}/999/{name}", "x") == 204


# --- sessions -------------------------------------------------------------------------------------


def test_a_closed_session_says_so_again_and_again(client: httpx2.Client) -> None:
    with echoing() as (url, ended):  # alone: sessions of other tests end when their time comes
        session = f"{url}/0/closed"
        opened(client, session)
        send(client, session, "close")
        for _ in range(3):
            assert client.post(f"{session}/xhr").text == 'c[3000,"Go away!"]\n'
        assert [one.end for one in ended] == [(3000, "Go away!")]


def test_only_one_request_receives(client: httpx2.Client, session: str) -> None:
    with client.stream("POST", f"{session}/xhr_streaming") as receiving:
        lines = receiving.iter_lines()
        assert [next(lines), next(lines)] == ["h" * 2048, "o"]
        assert client.post(f"{session}/xhr").text == 'c[2010,"Another connection still open"]\n'
        assert send(client, session, "first") == 204
        assert next(line for line in lines if line != "h") == 'a["first"]'


def test_who_goes_in_the_midst_of_a_response_has_ended_the_session(
    client: httpx2.Client,
) -> None:
    with echoing() as (url, ended):
        session = f"{url}/0/interrupted"
        with client.stream("POST", f"{session}/xhr_streaming") as receiving:
            lines = receiving.iter_lines()
            assert [next(lines), next(lines)] == ["h" * 2048, "o"]
        until = time.monotonic() + PATIENCE_S
        while not ended and time.monotonic() < until:
            time.sleep(0.02)
        assert client.post(f"{session}/xhr").text == 'c[1002,"Connection interrupted"]\n'


def test_who_does_not_come_again_is_forgotten(client: httpx2.Client) -> None:
    with echoing(QUICK) as (url, ended):
        session = f"{url}/0/gone"
        opened(client, session)
        time.sleep(QUICK.disconnect_s + 0.3)
        assert [one.end for one in ended] == [(1001, "Session timed out")]
        opened(client, session)  # another session of the same name


def test_who_reads_nothing_is_given_up(client: httpx2.Client, session: str) -> None:
    opened(client, session)
    assert send(client, session, f"flood:{PATIENT.most_waiting + 1}") == 204
    said = client.post(f"{session}/xhr").text
    assert said == 'c[4000,"Too many messages wait: nobody reads them"]\n'


def test_a_session_lives_as_long_as_its_client_comes_again(client: httpx2.Client) -> None:
    disconnect_s = 1.5
    with echoing(PATIENT._replace(disconnect_s=disconnect_s)) as (url, _):
        session = f"{url}/0/faithful"
        opened(client, session)
        until = time.monotonic() + 2.5 * disconnect_s
        while time.monotonic() < until:  # an old farewell must not end it between two requests
            assert send(client, session, "x") == 204
            assert client.post(f"{session}/xhr").text == 'a["x"]\n'
            time.sleep(0.4 * disconnect_s)


def test_a_payload_of_any_length_is_not_taken(client: httpx2.Client, session: str) -> None:
    opened(client, session)
    long = json.dumps(["x" * 1_000_001])
    assert client.post(f"{session}/xhr_send", content=long).status_code == 413
    assert send(client, session, "still here") == 204


def test_what_is_refused_may_be_read_by_every_site(client: httpx2.Client, session: str) -> None:
    asked = {"Origin": "http://shop.example"}
    found = client.post(f"{session}/xhr_send", content='["x"]', headers=asked)
    assert found.status_code == 404
    assert found.headers["access-control-allow-origin"] == "http://shop.example"


def test_who_breaks_off_in_a_payload_harms_nobody(
    client: httpx2.Client, session: str, capfd: pytest.CaptureFixture[str]
) -> None:
    opened(client, session)
    host, port = session.split("/")[2].split(":")
    path = session.split(f":{port}")[1]
    with create_connection((host, int(port))) as own:
        own.sendall(
            f"POST {path}/xhr_send HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[".encode()
        )
    time.sleep(0.2)
    assert send(client, session, "whole") == 204
    assert client.post(f"{session}/xhr").text == 'a["whole"]\n'
    assert "Traceback" not in capfd.readouterr().err


# --- streaming ------------------------------------------------------------------------------------


def test_a_response_ends_after_enough_and_the_next_goes_on(
    client: httpx2.Client, session: str
) -> None:
    with client.stream("POST", f"{session}/xhr_streaming") as first:
        lines = first.iter_lines()
        assert [next(lines), next(lines)] == ["h" * 2048, "o"]
        long = "x" * PATIENT.response_bytes
        assert send(client, session, long) == 204
        assert [line for line in lines if line != "h"] == [f'a["{long}"]']
    assert send(client, session, "y") == 204
    with client.stream("POST", f"{session}/xhr_streaming") as second:
        lines = second.iter_lines()
        assert [next(lines), next(lines)] == ["h" * 2048, 'a["y"]']


def test_event_source_writes_events(client: httpx2.Client, session: str) -> None:
    with client.stream("GET", f"{session}/eventsource") as receiving:
        assert receiving.headers["content-type"] == "text/event-stream; charset=UTF-8"
        assert "no-store" in receiving.headers["cache-control"]
        pieces = receiving.iter_text()
        read = ""
        while not read.endswith("data: o\r\n\r\n"):
            read += next(pieces)
        assert read == "\r\ndata: o\r\n\r\n"
        send(client, session, "  x\n")
        assert next(p for p in pieces if p != "data: h\r\n\r\n") == 'data: a["  x\\n"]\r\n\r\n'


# --- many -----------------------------------------------------------------------------------------


def test_many_messages_keep_their_order() -> None:
    with echoing(Settings()) as (url, _), httpx2.Client(timeout=PATIENCE_S) as client:
        polled, heard = f"{url}/0/many", list[str]()
        opened(client, polled)
        assert send(client, polled, "flood:200") == 204
        while len(heard) < 200:
            heard += json.loads(client.post(f"{polled}/xhr").text[1:])
        with socket(f"{url}/0/other/websocket") as own:
            assert own.recv() == "o"
            own.send('["flood:200"]')
            carried: list[str] = []
            while len(carried) < 200:
                carried += json.loads(str(own.recv())[1:])
        assert heard == carried == [str(number) for number in range(200)]
