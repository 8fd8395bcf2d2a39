"""Served over real HTTP: a client of another process, time that passes, a clean end."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

import twin
from twin.api.serve import speed_of
from twin.errors import RunError

ADMIN = {"USERNAME": "admin@example.com", "PASSWORD": "admin-of-the-twin"}
TARGET = {"X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth"}
PATIENCE_S = 90
URL = r"http://127\.0\.0\.1:\d+"
READY = rf"ready: Insight at (?P<insight>{URL}), SNAP at (?P<snap>{URL})\n"


@contextmanager
def served(
    *options: str, scenario: str = "pilot_line"
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A served twin: where it is, and its process."""
    ports = ("--insight-port", "0", "--snap-port", "0")
    line = [sys.executable, "-m", "twin", "serve", scenario, *ports, *options]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as own:
        try:
            assert own.stdout is not None
            said = own.stdout.readline()
            where = re.fullmatch(READY, said)
            assert where, said
            yield where["insight"], own
        finally:
            own.kill()


def logged_in(url: str, who: dict[str, str] = ADMIN) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    known = session.get(f"{url}/auth-information?id=warehouse-1", timeout=PATIENCE_S).json()
    body = {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": known["user_pool_client_id"],
        "AuthParameters": who,
    }
    answer = session.post(url, json=body, headers=TARGET, timeout=PATIENCE_S).json()
    session.headers["Authorization"] = answer["AuthenticationResult"]["IdToken"]
    return session


def events(session: requests.Session, url: str) -> list[str]:
    answer = session.get(f"{url}/warehouse-1/events", timeout=PATIENCE_S)
    assert answer.status_code == 200
    return [item["id"] for item in answer.json()["items"]]


def ended(own: "subprocess.Popen[str]", number: signal.Signals) -> str:
    """Tell a process to stop; return what it said until then."""
    own.send_signal(number)
    said, _ = own.communicate(timeout=PATIENCE_S)
    assert own.returncode == 0, said
    return said


def test_time_passes_and_events_come_as_in_a_run() -> None:
    with served("--speed", "600") as (url, own):
        session = logged_in(url)
        deadline_s = time.monotonic() + PATIENCE_S
        while len(found := events(session, url)) < 20 and time.monotonic() < deadline_s:
            time.sleep(0.2)
        assert ended(own, signal.SIGINT) == ""
    t = twin.open("pilot_line").run("1 h", progress=False)
    listed = t.insight.get(f"/{t.customer_id}/events").json()["items"]
    assert found[:20] == [item["id"] for item in listed][:20]


def test_speed_0_stands_still_and_max_runs_to_the_horizon() -> None:
    with served("--speed", "0") as (url, own):
        assert events(logged_in(url), url) == []
        ended(own, signal.SIGTERM)
    whole = twin.open("pilot_line").run(progress=False)
    expected = whole.insight.get(ALL_EVENTS).json()["metadata"]["size"]
    with served("--speed", "max") as (url, _):
        deadline_s, size = time.monotonic() + PATIENCE_S, 0
        while size < expected and time.monotonic() < deadline_s:
            # A token holds for a simulated hour, which is over soon.
            answer = logged_in(url).get(url + ALL_EVENTS, timeout=PATIENCE_S)
            size = answer.json()["metadata"]["size"] if answer.status_code == 200 else 0
        assert size == expected > 5000


ALL_EVENTS = (
    "/warehouse-1/events?start_time_millis=0&gateway_id="
    + twin.open("pilot_line").roster.gateways[0].id
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_done_is_saved_at_the_end_and_there_at_the_next_start(
    number: signal.Signals, tmp_path: Path
) -> None:
    state = tmp_path / "site.sqlite"
    with served("--speed", "60", "--state", str(state)) as (url, own):
        session = logged_in(url)
        body = {"usecase": "Picking", "station": "S", "name": "New"}
        made = session.post(f"{url}/warehouse-1/gateways", json=body, timeout=PATIENCE_S)
        assert made.status_code == 201
        assert ended(own, number) == f"saved {state}\n"
    with served("--speed", "0", "--state", str(state)) as (url, own):
        answer = logged_in(url).get(f"{url}/warehouse-1/gateways", timeout=PATIENCE_S)
        assert [item["name"] for item in answer.json()["items"]] == ["line-01", "New"]
        ended(own, number)


def test_bodies_and_paths_come_through_unchanged() -> None:
    with served("--speed", "0") as (url, own):
        session = logged_in(url)
        body = {"usecase": "Pické", "station": "S/1", "name": "Nü \N{GRINNING FACE}"}
        made = session.post(f"{url}/warehouse-1/gateways", json=body, timeout=PATIENCE_S)
        assert {key: made.json()[key] for key in body} == body
        long = session.post(
            f"{url}/warehouse-1/gateways", data=b"x" * 10_000_000, timeout=PATIENCE_S
        )
        assert (long.status_code, set(long.json())) == (413, {"title", "details"})
        described = session.get(f"{url}/openapi.json", timeout=PATIENCE_S).json()
        assert described["openapi"] == "3.1.0"
        assert len(described["paths"]) > 15
        odd = session.get(f"{url}/warehouse-1/users/a%2Fb", timeout=PATIENCE_S)
        assert (odd.status_code, odd.json()["title"]) == (404, "Not Found")
        assert session.head(f"{url}/warehouse-1/me", timeout=PATIENCE_S).status_code == 405
        ended(own, signal.SIGINT)


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "1e9", ""])
def test_a_speed_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RunError, match="speed is a number"):
        speed_of(text)


def test_a_port_that_is_taken_is_told() -> None:
    with served("--speed", "0") as (url, own):
        port = url.rpartition(":")[2]
        for option, free in (("--insight-port", "--snap-port"), ("--snap-port", "--insight-port")):
            line = [sys.executable, "-m", "twin", "serve", "pilot_line", option, port, free, "0"]
            other = subprocess.run(
                line, capture_output=True, text=True, timeout=PATIENCE_S, check=False
            )
            assert other.returncode == 2
            assert f"cannot listen on 127.0.0.1, port {port}: Address already" in other.stderr
            assert f"choose another: --host, {option}" in other.stderr
            assert "Traceback" not in other.stderr
        ended(own, signal.SIGINT)


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    state = tmp_path / "site.sqlite"
    path = "/warehouse-1/gateways"
    with served("--speed", "600", "--state", str(state)) as (url, own):
        session = logged_in(url)
        for number in range(20):
            body = {"usecase": "Picking", "station": "S", "name": f"New {number}"}
            made = session.post(url + path, json=body, timeout=PATIENCE_S).json()
        way = session.post(f"{url}{path}/{made['id']}/prepare-provisioning", timeout=PATIENCE_S)
        token = {"token": way.json()["token"]}
        session.post(f"{url}/provisioning", json=token, timeout=PATIENCE_S)
        shown = session.get(url + path, timeout=PATIENCE_S).json()["items"]
        own.kill()
        own.wait(PATIENCE_S)
    t = twin.open(state)
    assert t.insight.get(path).json()["items"] == shown
    assert t.roster.gateways[-1].name == "New 19"
    assert (t.origin_us + t.now_us) // 1000 >= shown[-1]["last_updated"] > shown[-1]["created"] - 1
    assert t.anonymous_insight.post("/provisioning", json=token).status_code == 403


def test_snap_is_served_with_its_description_beside_insight() -> None:
    ports = ("--insight-port", "0", "--snap-port", "0", "--speed", "0")
    line = [sys.executable, "-m", "twin", "serve", "reference_site", *ports]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as own:
        assert own.stdout is not None
        where = re.fullmatch(READY, own.stdout.readline())
        assert where is not None
        path = "/api/v1/firmware/2.7.1"
        who = ("admin", "Thing-Services-1")
        found = requests.get(where["snap"] + path, auth=who, timeout=PATIENCE_S)
        nobody = requests.get(where["snap"] + path, timeout=PATIENCE_S)
        described = requests.get(f"{where['snap']}/openapi.json", timeout=PATIENCE_S).json()
        page = requests.get(f"{where['snap']}/docs", timeout=PATIENCE_S)
        own.send_signal(signal.SIGINT)
    assert found.json() == {"data": {"version": "2.7.1", "href": where["snap"] + path}}
    assert nobody.status_code == 401
    assert set(nobody.json()) == {"error"}
    assert described["info"]["title"] == "SNAP Thing Services API"
    assert len(described["paths"]) > 25
    assert "SNAP Thing Services API" in page.text


def test_the_operations_can_be_read_in_a_browser() -> None:
    with served("--speed", "0") as (url, own):
        page = requests.get(f"{url}/docs", timeout=PATIENCE_S)
        assert page.headers["content-type"].startswith("text/html")
        files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(files) == 3
        for file in files:
            assert requests.get(url + file, timeout=PATIENCE_S).status_code == 200
        ended(own, signal.SIGINT)


def test_a_second_server_on_the_same_file_is_refused_before_it_answers(tmp_path: Path) -> None:
    state = str(tmp_path / "site.sqlite")
    ports = ("--insight-port", "0", "--snap-port", "0", "--speed", "0")
    line = [sys.executable, "-m", "twin", "serve", "pilot_line", *ports, "--state"]
    with served("--speed", "0", "--state", state) as (url, own):
        for path, said in (
            (state, "another process is using it"),
            (f"{state}/x", "Not a directory"),
        ):
            other = subprocess.run(
                [*line, path], capture_output=True, text=True, timeout=PATIENCE_S, check=False
            )
            assert (other.returncode, other.stdout) == (2, "")
            assert said in other.stderr
            assert "Traceback" not in other.stderr
        assert logged_in(url).get(f"{url}/warehouse-1/me", timeout=PATIENCE_S).status_code == 200
        assert ended(own, signal.SIGINT) == f"saved {state}\n"


def test_a_download_address_works_as_it_is() -> None:
    line = ("--speed", "0")
    with served(*line, scenario="reference_site") as (url, own):
        session = logged_in(
            url, {"USERNAME": "anna.berger@example.com", "PASSWORD": "warehouse-admin-1"}
        )
        body = {"eula_version": "1", "asset_type": "MARK_FIRMWARE", "agreed_by": "a@example.com"}
        made = session.post(
            f"{url}/warehouse-1/generate-download-url", json=body, timeout=PATIENCE_S
        )
        address = made.json()["download_url"]
        assert address.startswith(f"{url}/downloads/MARK_FIRMWARE/")
        assert requests.get(address, timeout=PATIENCE_S).text.startswith("firmware 1.10.0")
        ended(own, signal.SIGINT)
