"""Snapshots and backups: the quick way back to a moment, the same as the long one."""

import os
import pickle
import sqlite3
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import twin
from twin.commands import InstallGateway
from twin.errors import OutputError, StateError
from twin.events import EVENT
from twin.scenario import vary
from twin.store import FrozenError, KeptRows, thaw
from twin.twin import Twin
from twin.world.site import Site

PHONE = InstallGateway("id", "phone", "somewhere", "test")
OTHER = InstallGateway("other", "other phone", "somewhere", "test")


@pytest.fixture(name="runs")
def _runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From where sites were run since."""
    found, run = list[int](), Site.run

    def noted(site: Site, until_us: int) -> None:
        found.append(site.now_us)
        run(site, until_us)

    monkeypatch.setattr(Site, "run", noted)
    return found


def asked(path: Path, scenario: str = "pilot_line", **how: Any) -> Twin:
    """Return a twin on a file, with commands before and behind its snapshot."""
    t = twin.open(scenario, state=path, **how).run("1 h", progress=False)
    t.submit(PHONE)
    t.run("30 min", progress=False).keep_snapshot()
    t.run("10 min", progress=False)
    t.submit(OTHER)
    return t.run("10 min", progress=False)


def change(path: Path, query: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(query, values).rowcount >= 1
        connection.commit()


def same(one: Twin, other: Twin) -> None:
    assert one.now_us == other.now_us
    assert one.roster == other.roster
    assert one.kpis().equals(other.kpis())
    assert one.account.journal() == other.account.journal()
    if one.record == "rows":
        assert one.rows().tobytes() == other.rows().tobytes()
        assert one.mesh_rows().tobytes() == other.mesh_rows().tobytes()


@pytest.mark.parametrize("record", ["rows", "kpis"])
def test_a_twin_goes_on_from_its_last_snapshot(
    record: str, tmp_path: Path, runs: list[int]
) -> None:
    path = tmp_path / "site.sqlite"
    t = asked(path, record=record)
    runs.clear()
    again = twin.open(path, record=record)  # type: ignore[call-overload]
    assert min(runs) == 90 * 60_000_000  # not from the start
    t.run(until="1 h 40 min", progress=False) if again.now_us > t.now_us else None
    assert again.now_us == 100 * 60_000_000  # of the last command
    same(again.run("10 min", progress=False), t)
    again.keep_snapshot()
    same(twin.open(path, record=record), again)  # type: ignore[call-overload]
    if record == "rows":
        same(twin.open(path, record="kpis").run("1 h", progress=False),
             twin.open(path, record="kpis").run("1 h", progress=False))  # fmt: skip


def rows_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count FROM snapshot_rows").fetchone()
        return int(count)


SPOILED: dict[str, Callable[[Path], None]] = {
    "of another making": lambda p: change(p, "UPDATE snapshot SET made_by = '{}'"),
    "state cut off": lambda p: change(p, "UPDATE snapshot SET state = substr(state, 1, 1000)"),
    "state of something else": lambda p: change(p, "UPDATE snapshot SET state = x'80052e'"),
    "another moment": lambda p: change(p, "UPDATE snapshot SET now_us = now_us + 1"),
    "another entry": lambda p: change(p, "UPDATE snapshot SET entry = 0"),
    "rows missing": lambda p: change(p, "DELETE FROM snapshot_rows"),
    "rows too many": lambda p: change(p, "UPDATE snapshot_rows SET count = count + 1"),
    "rows damaged": lambda p: change(p, "UPDATE snapshot_rows SET rows = zeroblob(100)"),
    "rows of another run": lambda p: change(
        p, "UPDATE snapshot_rows SET rows = ?", zlib.compress(bytes(64 * rows_in(p)))
    ),
    "gone": lambda p: change(p, "DELETE FROM snapshot"),
}


@pytest.mark.parametrize("spoil", SPOILED)
def test_without_a_valid_snapshot_it_runs_again_to_the_same(
    spoil: str, tmp_path: Path, runs: list[int]
) -> None:
    path = tmp_path / "site.sqlite"
    t = asked(path)
    SPOILED[spoil](path)
    runs.clear()
    again = twin.open(path)
    assert min(runs) == 0
    same(again.run("10 min", progress=False), t)
    again.keep_snapshot()  # and from the next one it goes on
    runs.clear()
    same(twin.open(path), again)
    assert 0 not in runs


class Evil:
    """Something that would do more than be there."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("false",)


@pytest.mark.parametrize(
    "state",
    [
        pickle.dumps(Evil()),
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"ctwin.store.frozen\nhashlib.sys\n.",
        b"ctwin.opening\nopen\n(S'pilot_line'\ntR.",
        b"\x80\x05\x8c\x01xQ.",
        b"",
        b"x",
    ],
)
def test_a_state_that_would_do_something_is_not_thawed(state: bytes) -> None:
    with pytest.raises(FrozenError):
        thaw(state, {})


def test_only_new_rows_are_written_with_the_next_snapshot(tmp_path: Path) -> None:
    t = asked(tmp_path / "site.sqlite")
    query = "SELECT first, count FROM snapshot_rows ORDER BY first"
    ((_, before),) = t.database.execute(query).fetchall()
    t.keep_snapshot()
    assert t.database.execute(query).fetchall() == [(0, before), (before, len(t.rows()) - before)]
    t.keep_snapshot()
    assert len(t.database.execute(query).fetchall()) == 2
    assert t.database.execute("SELECT count(*) FROM snapshot").fetchone() == (1,)


def test_a_backup_is_a_whole_twin_that_goes_on(tmp_path: Path, runs: list[int]) -> None:
    t = asked(tmp_path / "site.sqlite")
    path = tmp_path / "copy.sqlite"
    path.write_bytes(t.backup())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        counted = connection.execute("SELECT count(*) FROM event").fetchone()
        assert counted == (len(t.rows()),)
    runs.clear()
    again = twin.open(path)
    assert all(moment_us >= t.now_us for moment_us in runs)
    same(again, t)
    same(again.run("1 h", progress=False), t.run("1 h", progress=False))
    again.submit(InstallGateway("3", "third", "s", "u"))
    assert len(t.roster.gateways) == len(again.roster.gateways) - 1


def test_a_twin_without_a_file_is_backed_up_too(tmp_path: Path) -> None:
    t = twin.open(vary(twin.load("reference_site"), "run.seed", 5)).run("30 min", progress=False)
    path = tmp_path / "copy.sqlite"
    path.write_bytes(t.backup())
    again = twin.open(path)
    same(again.run("10 min", progress=False), t.run("10 min", progress=False))


def test_the_reference_engines_keep_no_snapshot_and_come_back_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    t = asked(path, engine="reference")
    assert t.database.execute("SELECT count(*) FROM snapshot").fetchone() == (0,)
    same(twin.open(path).run("10 min", progress=False), t)


def test_rows_that_are_shared_are_those_of_before_the_fork() -> None:
    def rows(worker: int, count: int) -> Any:
        found = np.zeros(count, EVENT)
        found["worker"] = worker
        return found

    kept = KeptRows()
    for worker in (1, 2, 3):  # the room doubles, so that some is left
        kept.add(rows(worker, 10))
        kept.whole()
    fork = kept.fork()
    for one, worker in ((fork, 4), (kept, 5)):
        one.add(rows(worker, 2))
        one.whole()
        one.add(rows(worker, 1))
    assert fork.whole()["worker"].tolist() == [*[1] * 10, *[2] * 10, *[3] * 10, *[4] * 3]
    assert kept.whole()["worker"].tolist() == [*[1] * 10, *[2] * 10, *[3] * 10, *[5] * 3]
    assert len(kept) == len(fork) == 33


# --- no room, no right ----------------------------------------------------------------------------


def test_a_snapshot_that_finds_no_room_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    t = asked(path)
    before = t.database.execute("SELECT now_us, digest FROM snapshot").fetchall()
    (pages,) = t.database.execute("PRAGMA page_count").fetchone()
    t.run("3 h", progress=False)
    t.database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutputError, match="full"):
        t.keep_snapshot()
    assert t.database.execute("SELECT now_us, digest FROM snapshot").fetchall() == before
    t.database.execute("PRAGMA max_page_count = 1000000")
    t.keep_snapshot()
    same(twin.open(path), t)


FULL = """
import resource, sys, twin
from twin.commands import InstallGateway
t = twin.open("pilot_line", state=sys.argv[1])
t.database.prepare()
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for number in range(100_000):
    t.run("1 s", progress=False)
    t.submit(InstallGateway(f"id-{number}", f"phone-{number}", "somewhere", "u" * 500))
    print(number, t.now_us, flush=True)
"""


def test_on_a_full_disk_it_says_so_and_what_was_acknowledged_is_there(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False
    )
    *_, last = done.stdout.splitlines()
    number, now_us = map(int, last.split())
    assert "OutputError" in done.stderr
    assert "free some space, or save(path) to another place" in done.stderr
    assert number > 10
    again = twin.open(path)
    names = {gateway.name for gateway in again.roster.gateways}
    assert {f"phone-{i}" for i in range(number + 1)} <= names
    assert again.now_us >= now_us
    again.submit(OTHER)  # there is room again
    assert len(twin.open(path).roster.gateways) == len(again.roster.gateways)


@contextmanager
def without_rights() -> Iterator[None]:
    """Be somebody who may write nothing of root's."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.parametrize(("file", "folder"), [(0o444, 0o777), (0o644, 0o555), (0o444, 0o555)])
def test_what_cannot_be_written_is_refused_and_nothing_is_lost(
    file: int, folder: int, tmp_path: Path
) -> None:
    t = asked(tmp_path / "site.sqlite")
    with tempfile.TemporaryDirectory() as name:  # those of pytest belong to its user alone
        path = t.save(Path(name) / "site.sqlite")
        path.chmod(file)
        Path(name).chmod(folder)
        before = path.read_bytes()
        with without_rights():
            again = twin.open(path)
            same(again, t)
            for change in (lambda: again.submit(InstallGateway("3", "third", "s", "u")),
                           again.keep_snapshot, again.save):  # fmt: skip
                with pytest.raises(OutputError, match=f"{name}.*(readonly|denied)"):
                    change()
            assert again.roster == t.roster
        Path(name).chmod(0o755)
        assert path.read_bytes() == before


def test_a_served_file_in_a_folder_that_cannot_be_written_is_refused_with_words(
    tmp_path: Path,
) -> None:
    t = asked(tmp_path / "site.sqlite")
    t.save()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "site.sqlite"
        path.write_bytes((tmp_path / "site.sqlite").read_bytes())
        Path(name).chmod(0o555)
        words = "copy it to a folder that can be written"
        with without_rights(), pytest.raises(StateError, match=words):
            twin.open(path)
        Path(name).chmod(0o755)
