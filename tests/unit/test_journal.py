"""The journal: durable before anybody hears of it, whole or not at all, and run through again."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import twin
from twin.commands import InstallGateway
from twin.errors import OutputError, RunError, StateError
from twin.store import Database
from twin.twin import Twin

PHONE = InstallGateway("id", "phone", "somewhere", "test")
OTHER = InstallGateway("other", "other phone", "somewhere", "test")


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
    t.submit(OTHER)
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
            t.submit(InstallGateway(f"id-{number}", "x" * 900 + str(number), "s", "u"))

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
        t.submit(OTHER)
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


# --- who may write --------------------------------------------------------------------------------

LEFT_BEHIND = """
import os, signal, sys, twin
from twin.commands import InstallGateway
t = twin.open("pilot_line", state=sys.argv[1])
for number in range(50):
    t.submit(InstallGateway(f"id-{number}", f"phone-{number}", "somewhere", "test"))
os.kill(os.getpid(), signal.SIGKILL)
"""
HOLDER = """
import sys, twin
from twin.commands import InstallGateway
t = twin.open("pilot_line", state=sys.argv[1])
t.submit(InstallGateway("id", "phone", "somewhere", "test"))
print("ready", flush=True)
sys.stdin.read()
"""


def killed(path: Path) -> None:
    """Leave a file behind as a killed process does: much of it is not in the file itself yet."""
    subprocess.run([sys.executable, "-c", LEFT_BEHIND, str(path)], check=False)
    assert Path(f"{path}-wal").stat().st_size > 0


def test_saving_over_what_a_killed_process_left_writes_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    killed(path)
    t = twin.open("pilot_line").run("20 min", progress=False)
    t.save(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert twin.open(path).rows().tobytes() == t.rows().tobytes()


def test_what_a_removed_file_left_beside_it_is_not_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    killed(path)
    path.unlink()
    t = at(path)
    t.submit(PHONE)
    assert actions(path) == ["install gateway"]
    assert len(t.account.gateways()) == len(t.roster.gateways)


def test_a_file_that_another_process_uses_is_neither_written_nor_replaced(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    line = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        t = at(path)
        for attempt in (lambda: t.submit(OTHER), lambda: twin.open("pilot_line").save(path)):
            with pytest.raises(StateError, match="another process is using it"):
                attempt()
        other.communicate("", timeout=60)
    again = at(path)
    again.submit(OTHER)
    assert actions(path) == ["install gateway"] * 2


def test_a_file_that_is_removed_meanwhile_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    t = at(path)
    t.submit(PHONE)
    path.unlink()
    for attempt in (lambda: t.submit(InstallGateway("2", "p", "s", "u")), t.save):
        with pytest.raises(StateError, match="was removed or replaced"):
            attempt()
    whole = t.save(tmp_path / "other.sqlite")
    assert twin.open(whole).roster == t.roster


# --- what cannot be done --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (PHONE, "there is a gateway with the id 'id' already"),
        (InstallGateway("new", "line-01", "s", "u"), "the name 'line-01' already"),
        (InstallGateway("", "new", "s", "u"), "the id of a gateway is a text"),
        (InstallGateway("new", " ", "s", "u"), "the name of a gateway is a text"),
        ("junk", "no command of twin.commands: 'junk'"),
    ],
)
def test_what_the_site_cannot_do_is_refused_and_not_written_down(asked: Any, said: str) -> None:
    t = twin.open("pilot_line")
    t.submit(PHONE)
    before = t.account.journal(), t.roster, t.account.gateways()
    with pytest.raises(RunError, match=said):
        t.submit(asked)
    assert (t.account.journal(), t.roster, t.account.gateways()) == before


def test_the_account_knows_what_was_submitted_and_since_when() -> None:
    t = twin.open("pilot_line").run("20 min", progress=False)
    t.submit(PHONE)
    gateway = t.account.gateways()[-1]
    assert (gateway.id, gateway.name, gateway.station) == ("id", "phone", "somewhere")
    assert gateway.created_ms == t.origin_us // 1000 + 20 * 60_000
    assert t.account.gateways()[0].created_ms == t.origin_us // 1000


def test_queries_see_what_was_changed_at_the_same_moment() -> None:
    t = twin.open("pilot_line")
    query = "SELECT (SELECT count(*) FROM gateway) AS n, (SELECT count(*) FROM journal) AS j"
    before = t.sql(query).iloc[0]
    t.submit(PHONE)
    assert tuple(t.sql(query).iloc[0]) == (before["n"] + 1, before["j"] + 1)


@pytest.mark.parametrize("query", ["DELETE FROM event", "SELEC", "SELECT nothing FROM event"])
def test_a_query_that_cannot_be_answered_is_refused(query: str) -> None:
    t = twin.open("pilot_line").run("20 min", progress=False)
    with pytest.raises(RunError, match="not a query that can be answered"):
        t.sql(query)
    assert t.sql("SELECT count(*) AS n FROM event")["n"].iloc[0] == len(t.rows())
