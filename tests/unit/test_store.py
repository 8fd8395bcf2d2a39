"""The store: the schema says all, counts are those of the frames, a file is whole or not there."""

import importlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import twin
from tests.scenarios import scenario
from twin.errors import OutputError, RunError, StateError
from twin.events import COLUMNS, Kind, Outcome
from twin.store import database, saving
from twin.twin import Twin

# One worker finds no scanner, and of every hundred messages some are lost.
CHANGES = {
    "links.ble.stationary.loss_near": "70 %",
    "links.ble.stationary.loss_far": "70 %",
    "fleet.scanners": [{"model": "MARK 3", "count": 4}],
}


@pytest.fixture(scope="module")
def opened() -> Twin:
    found = twin.open(scenario(CHANGES))
    for _ in range(4):
        found.run("30 min", progress=False)
    return found


@pytest.fixture(scope="module")
def file(opened: Twin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return opened.save(tmp_path_factory.mktemp("store") / "pilot.sqlite")


@pytest.fixture
def db(file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(file)
    yield connection
    connection.close()


def asked(db: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    return db.execute(query).fetchall()


# --- what is in it ---------------------------------------------------------------


def test_the_columns_of_an_event_are_those_of_the_flat_row(db: sqlite3.Connection) -> None:
    names = [name for _, name, *_ in asked(db, "PRAGMA table_info(event)")]
    assert names == ["id", *(column.name for column in COLUMNS), "scan_code"]
    meanings = asked(db, "SELECT name, unit, meaning FROM column_meaning")
    assert sorted(meanings) == sorted((c.name, c.unit, c.meaning) for c in COLUMNS)


def test_kinds_and_outcomes_are_explained(db: sqlite3.Connection) -> None:
    for table, enum in (("kind", Kind), ("outcome", Outcome)):
        found = asked(db, f"SELECT id, name FROM {table}")  # noqa: S608 - our own names
        assert found == [(int(member), member.name.lower()) for member in enum]


def test_the_roster_is_there_in_the_order_of_the_rows(opened: Twin, db: sqlite3.Connection) -> None:
    roster = opened._site.roster
    assert asked(db, "SELECT id, name, shift, zone, x_m, y_m FROM worker") == [
        (i, w.name, "pilot", w.zone, w.x_m, w.y_m) for i, w in enumerate(roster.workers)
    ]
    assert asked(db, "SELECT id, serial, name FROM scanner") == [
        (i, s.serial, s.name) for i, s in enumerate(roster.scanners)
    ]
    (gateway,) = asked(db, "SELECT uuid, name, kind, station, zone, x_m, y_m FROM gateway")
    assert gateway == (
        roster.gateways[0].id,
        "line-01",
        "stationary",
        "line-middle",
        "line",
        15,
        10,
    )


def test_meta_says_what_makes_it_again(opened: Twin, db: sqlite3.Connection) -> None:
    meta = dict(asked(db, "SELECT key, value FROM meta"))
    made = opened.provenance()
    assert {key: meta[key] for key in made if key != "scenario"} == {
        key: value for key, value in made.items() if key != "scenario"
    }
    assert meta["name"] == made["scenario"]
    start = pd.Timestamp("2026-03-02 06:00", tz="Europe/Vienna")
    assert int(meta["origin_us"]) == start.value / 1e3


def test_key_figures_are_those_of_the_twin(opened: Twin, db: sqlite3.Connection) -> None:
    found = dict(asked(db, "SELECT name, value FROM kpi"))
    assert found == opened.kpis().iloc[0].to_dict()


def test_a_figure_of_nothing_is_null(tmp_path: Path) -> None:
    path = twin.open(scenario({"work.shifts": []})).save(tmp_path / "empty.sqlite")
    db = sqlite3.connect(path)
    assert asked(db, "SELECT value FROM kpi WHERE name = 'beep_p50_ms'") == [(None,)]
    assert asked(db, "SELECT count(*) FROM event") == [(0,)]
    db.close()


def test_every_row_of_the_frames_is_there_once_in_order(
    opened: Twin, db: sqlite3.Connection
) -> None:
    rows = opened.rows()
    found = asked(db, "SELECT id, time_us, kind, outcome, worker FROM event ORDER BY id")
    columns = [rows[name].tolist() for name in ("time_us", "kind", "outcome", "worker")]
    assert found == list(zip(range(len(rows)), *columns, strict=True))
    counts = asked(
        db, "SELECT kind.name, count(*) FROM event JOIN kind ON kind.id = event.kind GROUP BY 1"
    )
    assert dict(counts) == {k: n for k, n in opened.events()["kind"].value_counts().items() if n}
    assert {kind for kind, _ in counts} == {"scan", "telemetry", "session_open", "unequipped"}


def test_what_a_kind_does_not_fill_is_null_and_what_it_fills_is_not(
    opened: Twin, db: sqlite3.Connection
) -> None:
    rows = opened.rows()
    for column in COLUMNS:
        found = asked(db, f"SELECT kind, {column.name} FROM event ORDER BY id")  # noqa: S608
        for (kind, value), row in zip(found, rows, strict=True):
            never = column.name == "visible_us" and row["outcome"] == Outcome.LOST_BLE
            assert (value is None) == (kind not in column.kinds or never), (column.name, kind)
            if value is not None:
                scale = 0.01 if column.name == "battery" else 1
                assert value == pytest.approx(row[column.name] * scale, rel=1e-12)
    assert (rows["outcome"] == Outcome.LOST_BLE).any()


def test_texts_are_those_of_the_frames(opened: Twin, db: sqlite3.Connection) -> None:
    codes = opened.events()["scan_code"]
    found = [text for (text,) in asked(db, "SELECT scan_code FROM event ORDER BY id")]
    assert found == [None if pd.isna(code) else code for code in codes]


def test_the_view_of_scans_reads_like_the_frame(opened: Twin) -> None:
    view = opened.sql("SELECT * FROM scan ORDER BY id")
    frame = opened.events("scan").reset_index(drop=True)
    for name in ("worker", "device", "gateway", "station", "usecase", "scan_code", "outcome"):
        assert view[name].tolist() == frame[name].tolist(), name
    for name in ("job", "line", "attempts"):
        assert view[name].tolist() == frame[name].tolist(), name
    made_ms = frame["scan_time"].dt.tz_convert("UTC").dt.tz_localize(None)
    assert view["created_ms"].tolist() == made_ms.astype("datetime64[ms]").astype("int64").tolist()
    assert np.allclose(view["battery_percent"], frame["battery_percent"])
    waited_ms = (view["beep_us"] - view["scan_us"]) / 1000
    assert np.allclose(waited_ms, frame["scan_to_beep_ms"])
    assert view["visible_us"].isna().tolist() == frame["visible_time"].isna().tolist()
    assert view["visible_us"].isna().any()


# --- asking ----------------------------------------------------------------------


def test_sql_sees_the_moment_it_is_asked_at() -> None:
    one = twin.open("pilot_line").run("30 min", progress=False)
    first = one.sql("SELECT count(*) AS n FROM event")["n"].iloc[0]
    assert first == len(one.rows())
    one.run("30 min", progress=False)
    assert one.sql("SELECT count(*) AS n FROM event")["n"].iloc[0] == len(one.rows()) > first


def test_a_twin_without_rows_answers_about_figures_and_says_so_about_events() -> None:
    one = twin.open("pilot_line", record="kpis").run("30 min", progress=False)
    assert one.sql("SELECT value FROM kpi WHERE name = 'scans'")["value"].iloc[0] > 0
    assert one.sql("SELECT * FROM event").empty
    with pytest.raises(RunError, match="keeps no rows"):
        one.rows()


# --- whole or not at all -----------------------------------------------------------


def test_a_failing_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = twin.open("pilot_line").run("10 min", progress=False)
    path = one.save(tmp_path / "pilot.sqlite")
    before = path.read_bytes()
    insert = saving._insert

    def full(connection: sqlite3.Connection, table: str, rows: Any) -> None:
        insert(connection, table, rows)
        if table == "event":
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(saving, "_insert", full)
    with pytest.raises(OutputError, match="disk is full") as refused:
        one.run("10 min", progress=False).save(path)
    assert refused.value.path == path
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["pilot.sqlite"]


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = twin.open("pilot_line").run("10 min", progress=False)
    path = one.save(tmp_path / "pilot.sqlite")
    before = path.read_bytes()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(saving, "_event_values", interrupt)
    with pytest.raises(KeyboardInterrupt):
        one.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["pilot.sqlite"]


def test_saving_again_replaces_the_file(tmp_path: Path) -> None:
    one = twin.open("pilot_line").run("10 min", progress=False)
    path = one.save(tmp_path / "pilot.sqlite")
    one.run("10 min", progress=False).save(path)
    assert twin.open(path).now_us == one.now_us
    assert os.listdir(tmp_path) == ["pilot.sqlite"]


def test_a_saved_file_can_be_read_by_others_and_is_the_same_again(tmp_path: Path) -> None:
    one = twin.open("pilot_line").run("10 min", progress=False)
    paths = [one.save(tmp_path / name) for name in ("a.sqlite", "b.sqlite")]
    assert paths[0].stat().st_mode & 0o777 == 0o644
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_long_run_is_saved_piece_by_piece_to_the_same_file(
    opened: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = opened.save(tmp_path / "whole.sqlite")
    monkeypatch.setattr(importlib.import_module("twin.twin_past"), "_SAVED_AT_ONCE", 100)
    assert opened.save(tmp_path / "pieces.sqlite").read_bytes() == whole.read_bytes()


def test_a_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pilot.sqlite").mkdir()
    one = twin.open("pilot_line")
    with pytest.raises(OutputError) as refused:
        one.save(tmp_path / "pilot.sqlite")
    assert str(refused.value).splitlines()[0] == f"{tmp_path / 'pilot.sqlite'}: Is a directory"
    assert os.listdir(tmp_path) == ["pilot.sqlite"]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file or directory"):
        twin.open("pilot_line").save(tmp_path / "no" / "pilot.sqlite")


# --- reading -----------------------------------------------------------------------


def database_of(path: Path, *statements: str) -> Path:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(StateError, match="not a saved twin: file is not a database"):
        twin.open("pilot_line", state=path)
    assert path.read_text() == "hello"


def test_a_folder_as_state_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="not a saved twin"):
        twin.open("pilot_line", state=tmp_path)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    path = database_of(tmp_path / "other.sqlite", "CREATE TABLE song (name TEXT)")
    for how in ({"path_or_scenario": path}, {"path_or_scenario": "pilot_line", "state": path}):
        with pytest.raises(StateError, match="not a saved twin: no such table: meta"):
            twin.open(**how)


META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)"
KPI = "CREATE TABLE kpi (name TEXT PRIMARY KEY, value REAL)"
JOURNAL = "CREATE TABLE journal (id INTEGER PRIMARY KEY, now_us INTEGER)"


@pytest.mark.parametrize(
    "rows", ["('scenario', '{}')", "('scenario', '{')", "('digest', 'x'), ('seed', 'one')"]
)
def test_a_damaged_file_is_refused(rows: str, tmp_path: Path) -> None:
    insert = f"INSERT INTO meta VALUES ('format', '{database.FORMAT}'), {rows}"  # noqa: S608
    path = database_of(tmp_path / "damaged.sqlite", META, KPI, JOURNAL, insert)
    with pytest.raises(StateError, match="not a saved twin: damaged"):
        twin.open(path)


def test_a_truncated_file_is_refused(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.sqlite"
    path.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(StateError, match="not a saved twin"):
        twin.open(path)


@pytest.mark.parametrize(("found", "is_newer"), [("9", True), ("3", False), ("x", False)])
def test_another_format_is_refused_with_what_to_do(
    found: str, is_newer: bool, file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "other.sqlite"
    path.write_bytes(file.read_bytes())
    database_of(path, f"UPDATE meta SET value = '{found}' WHERE key = 'format'")  # noqa: S608
    database_of(path, "UPDATE meta SET value = '7.8.9' WHERE key = 'twin'")
    before = path.read_bytes()
    with pytest.raises(StateError) as refused:
        twin.open(path)
    said = str(refused.value)
    assert f"saved in format {found}, this version reads format {database.FORMAT}" in said
    assert "open it with the version that wrote it (twin 7.8.9)" in said
    assert ("a newer version wrote it" in said, "or update this one" in said) == (is_newer,) * 2
    assert path.read_bytes() == before


def test_opening_does_not_change_the_file(file: Path) -> None:
    before = file.read_bytes()
    twin.open(file)
    assert file.read_bytes() == before
    assert os.listdir(file.parent) == ["pilot.sqlite"]
