"""What a served twin tells over its two sockets, while clients ask it over HTTP."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import twin
from tests.api.test_serve import PATIENCE_S, READY

LOGIN = ("admin", "Thing-Services-1")
Told = dict[str, Any]


@contextmanager
def served(*options: str) -> Iterator[str]:
    """Serve the scenario of the trial; give where SNAP Thing Services is."""
    ports = ("--insight-port", "0", "--snap-port", "0")
    line = [sys.executable, "-m", "twin", "serve", "trial_licence", *ports, *options]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as own:
        try:
            assert own.stdout is not None
            where = re.fullmatch(READY, own.stdout.readline())
            assert where is not None
            yield where["snap"]
        finally:
            own.kill()


def update(url: str) -> str:
    """Begin to bring the first display another image; return the task."""
    api = f"{url}/api/v1"
    display = requests.get(f"{api}/devices?type=Display", auth=LOGIN, timeout=PATIENCE_S)
    images = requests.get(f"{api}/images", auth=LOGIN, timeout=PATIENCE_S).json()["data"]
    group = {
        "devices": [display.json()["data"][0]["addr"]],
        "configuration": {"image": {"href": images[1]["href"]}},
    }
    made = requests.post(
        f"{api}/networkConfigurations", json={"deviceGroupConfigurations": [group]},
        auth=LOGIN, timeout=PATIENCE_S,
    ).json()["data"]  # fmt: skip
    begun = requests.post(
        f"{api}/networkConfigurationUpdates", json={"href": made["href"]}, auth=LOGIN,
        timeout=PATIENCE_S,
    )  # fmt: skip
    assert begun.status_code == 202, begun.text
    return str(begun.headers["location"])


def is_over(told: list[Told]) -> bool:
    """Whether a task is complete and a poll is over."""
    events = {(message["kind"], message["event"]) for message in told}
    return {("task", "complete"), ("collector", "polled")} <= events


def polled(url: str, told: list[Told]) -> None:
    """Listen by SockJS, polling, until all is over."""
    with requests.Session() as own:
        session = f"{url}/ws/000/listener/xhr"
        while not is_over(told):
            frame = own.post(session, timeout=PATIENCE_S).text.rstrip("\n")
            assert frame[0] in "oha", frame
            if frame[0] == "a":
                told += [json.loads(text) for text in json.loads(frame[1:])]


def test_both_sockets_tell_the_same_in_the_same_order() -> None:
    with served("--speed", "60") as url:
        by_polling: list[Told] = []
        other = threading.Thread(target=polled, args=(url, by_polling), daemon=True)
        with connect(f"{url.replace('http:', 'ws:')}/ws/websocket") as raw:
            first = requests.post(f"{url}/ws/000/listener/xhr", timeout=PATIENCE_S)
            assert first.text == "o\n"
            other.start()
            task = update(url)
            told: list[Told] = []
            while not is_over(told):
                told.append(json.loads(raw.recv(timeout=PATIENCE_S)))
        other.join(PATIENCE_S)
        both = min(len(told), len(by_polling))
        assert told[:both] == by_polling[:both]
        assert is_over(by_polling)
        assert {message["kind"] for message in told} == {"collector", "device", "task", "upgrade"}
        ends = [message for message in told if message["event"] == "complete"]
        assert [message["data"]["href"] for message in ends] == [task]
        results = ends[0]["data"]["location"]
        shown = requests.get(results, auth=LOGIN, timeout=PATIENCE_S).json()["data"]
        outcomes = [m["data"]["outcome"] for m in told if m["event"] == "result"]
        assert [one["result"] for one in shown["image_results"]] == outcomes


def test_the_service_answers_in_its_own_envelope() -> None:
    with served("--speed", "0") as url:
        nobody = requests.get(f"{url}/api/v1/devices", timeout=PATIENCE_S)
        assert nobody.status_code == 401
        assert set(nobody.json()) == {"error"}
        assert nobody.headers["www-authenticate"].startswith("Basic ")
        mine = requests.get(f"{url}/api/v1/devices", auth=LOGIN, timeout=PATIENCE_S).json()["data"]
        assert len(mine) == 20
        assert mine[0]["href"].startswith(f"{url}/api/v1/devices/")
        assert requests.get(f"{url}/ws", timeout=PATIENCE_S).text == "Welcome to SockJS!\n"
        plain = requests.get(f"{url}/ws/websocket", timeout=PATIENCE_S)
        assert plain.status_code == 400


def test_no_websocket_leads_anywhere_else() -> None:
    with served("--speed", "0") as url:
        for path in ("/api/v1/devices", "/nowhere"):
            with pytest.raises(InvalidStatus) as refused:
                connect(f"{url.replace('http:', 'ws:')}{path}")
            assert refused.value.response.status_code == 403


def test_an_open_socket_does_not_keep_the_server_from_stopping() -> None:
    ports = ("--insight-port", "0", "--snap-port", "0", "--speed", "1")
    line = [sys.executable, "-m", "twin", "serve", "trial_licence", *ports]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as own:
        assert own.stdout is not None
        where = re.fullmatch(READY, own.stdout.readline())
        assert where is not None
        url = where["snap"]
        streaming = requests.post(f"{url}/ws/0/s/xhr_streaming", stream=True, timeout=PATIENCE_S)
        with connect(f"{url.replace('http:', 'ws:')}/ws/websocket"):
            own.send_signal(signal.SIGINT)
            said = own.communicate(timeout=PATIENCE_S)[0]
        assert "graceful" not in said  # uvicorn says so of what it had to cut off
        assert own.returncode == 0, said
        assert "Traceback" not in said
        assert streaming.raw.read().endswith(b'c[3000,"Go away!"]\n')


def test_a_backup_of_a_twin_whose_clock_runs_goes_on_from_there(tmp_path: Path) -> None:
    with served("--speed", "600", "--state", str(tmp_path / "site.sqlite")) as url:
        task = update(url)
        backups = []
        for number in range(3):
            found = requests.get(f"{url}/api/v1/backup", auth=LOGIN, timeout=PATIENCE_S)
            assert (
                'filename="synapse-network-service.sqlite"' in found.headers["content-disposition"]
            )
            backups.append(tmp_path / f"backup-{number}.sqlite")
            backups[-1].write_bytes(found.content)
            time.sleep(0.3)
    opened = [twin.open(path) for path in backups]
    moments = [t.now_us for t in opened]
    assert moments == sorted(set(moments))
    first, last = opened[0].run("1 h", progress=False), opened[-1]
    last.run_to_us(first.now_us, progress=False)
    assert first.mesh_rows().tobytes() == last.mesh_rows().tobytes()
    path = task.removeprefix(url)
    assert first.snap.get(path).status_code == last.snap.get(path).status_code == 303
    for backup in backups:
        with closing(sqlite3.connect(backup)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
