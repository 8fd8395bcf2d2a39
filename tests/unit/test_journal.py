"""The journal: durable before anybody hears of it, whole or not at all, and run through again."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import twin
from twin.commands import InstallGateway
from twin.errors import OutputError, StateError
from twin.store import Database
from twin.twin import Twin

PHONE = InstallGateway("id", "phone", "somewhere", "test")


def at(path: Path) -> Twin:
    return twin.open("pilot_line", state=path)


def actions(path: Path) -> list[str]:
    """Return what stands in the journal of a file, as another process sees it."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT action FROM journal ORDER BY id")]


def test_a_command_is_in_the_file_before_it_is_carried_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    t, seen = at(tmp_path / "site.sqlite"), list[list[str]]()
    carry_out = t.carry_out

    def looked(asked: InstallGateway) -> None:
        seen.append(actions(tmp_path / "site.sqlite"))
        carry_out(asked)

    monkeypatch.setattr(t, "carry_out", looked)
    t.submit(PHONE)
    assert seen == [["install gateway"]]


def test_what_was_asked_after_saving_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    t = at(path).run("20 min", progress=False)
    t.submit(PHONE)
    t.save()
    t.run("20 min", progress=False)
    t.submit(InstallGateway("other", "other phone", "somewhere", "test"))
    again = twin.open(path)
    assert again.roster == t.roster
    assert again.now_us == t.now_us
    assert again.rows().tobytes() == t.rows().tobytes()
    assert [entry[0] for entry in again.account.journal()] == [1_200_000_000, 2_400_000_000]


def test_without_a_command_only_saving_writes(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    t = at(path).run("20 min", progress=False)
    assert not path.exists()
    t.save()
    t.run("20 min", progress=False)
    assert twin.open(path).now_us == 1_200_000_000


def test_a_client_who_was_told_the_time_never_sees_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    t = at(path).run("20 min", progress=False)
    t.anonymous_insight.get("/auth-information", params={"id": t.customer_id})
    assert twin.open(path).now_us == 1_200_000_000


def test_saving_in_place_adds_only_the_new_rows(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    t = at(path).run("20 min", progress=False)
    t.save()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE event SET job = 77 WHERE id = 3")
        connection.commit()
    again = at(path).run("20 min", progress=False)
    again.save()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT job FROM event WHERE id = 3").fetchone() == (77,)
        count = connection.execute("SELECT count(*), max(id) + 1 FROM event").fetchone()
    assert count == (len(again.rows()), len(again.rows()))


# --- both or neither ----------------------------------------------------------------------------


def test_a_failing_transaction_changes_nothing_and_does_nothing() -> None:
    database, done = Database.in_memory(), list[str]()

    def fail() -> None:
        with database.transaction():
            database.note(1, "half", {})
            with database.transaction():
                database.note(2, "inside", {})
                database.once_committed(lambda: done.append("inside"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert database.execute("SELECT count(*) FROM journal").fetchone() == (0,)
    assert done == []
    with database.transaction():
        database.note(3, "whole", {})
        database.once_committed(lambda: done.append("whole"))
        assert done == []
    assert done == ["whole"]


def test_a_full_disk_is_said_and_nothing_is_half_done(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    t = at(path)
    t.submit(PHONE)
    (pages,) = t.database.execute("PRAGMA page_count").fetchone()
    t.database.execute(f"PRAGMA max_page_count = {pages}")

    def ask_on() -> None:
        for number in range(2000):
            t.submit(InstallGateway(f"id-{number}", "x" * 900 + str(number), "", ""))

    with pytest.raises(OutputError, match="full"):
        ask_on()
    known = len(twin.open("pilot_line").roster.gateways)
    assert 1 < len(actions(path)) == len(t.roster.gateways) - known


def test_a_file_that_another_process_writes_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    t = at(path)
    t.submit(PHONE)
    with closing(sqlite3.connect(path)) as other:
        other.execute("INSERT INTO journal (now_us, action, facts) VALUES (0, 'x', '{}')")
        other.commit()
    with pytest.raises(StateError, match="another process has written it"):
        t.submit(PHONE)
    assert actions(path) == ["install gateway", "x"]
    assert len(t.roster.gateways) == len(twin.open("pilot_line").roster.gateways) + 1


def test_a_file_that_came_to_be_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    t = at(path)
    path.write_text("mine")
    for attempt in (lambda: t.submit(PHONE), t.save):
        refuse(attempt)
    assert path.read_text() == "mine"


def refuse(attempt: Callable[[], object]) -> None:
    with pytest.raises(StateError, match="exists already"):
        attempt()


# --- killed ---------------------------------------------------------------------------------------

WRITER = """
import sys, twin
from twin.commands import InstallGateway
t = twin.open("pilot_line", state=sys.argv[1])
for number in range(10_000):
    t.run("1 s", progress=False)
    t.submit(InstallGateway(f"id-{number}", f"phone-{number}", "somewhere", "test"))
    print(number, t.now_us, flush=True)
"""


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    line = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(15):
            told = process.stdout.readline().split()
        os.kill(process.pid, signal.SIGKILL)
        told = (process.stdout.read().split("\n")[-2:-1] or [" ".join(told)])[0].split()
    number, now_us = int(told[0]), int(told[1])
    again = twin.open(path)
    assert len(again.account.journal()) >= number + 1
    assert f"phone-{number}" in {gateway.name for gateway in again.roster.gateways}
    assert again.now_us >= now_us
