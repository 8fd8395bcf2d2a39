"""Writing a twin to its database, and reading how a saved one was made."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.commands import ACTIONS, Command
from twin.errors import StateError
from twin.events import COLUMNS, FULL_BATTERY, KIND_MEANING, OUTCOME_MEANING
from twin.store.database import (
    FORMAT,
    Connection,
    Database,
    made_file,
    make_tables,
    opened,
    put_meta,
)
from twin.world.roster import Roster

__all__ = ["Content", "Entry", "Saved", "commands", "in_memory", "read", "save", "write"]

_PERCENT = 100 / FULL_BATTERY
_REPLACED = ("worker", "scanner", "gateway", "kpi", "kind", "outcome", "column_meaning")
Chunk = tuple[NDArray[np.void], list[str | None]]


class Content(NamedTuple):
    """What is saved of a twin beside its account.

    ``chunks`` gives the rows from one on, and their scan texts, None for no scan; ``snapshot``
    writes one, where there is to be one.
    """

    meta: Mapping[str, str]
    roster: Roster
    shifts: Sequence[str]
    kpis: Iterable[tuple[str, float | None, str, str]]
    chunks: Callable[[int], Iterable[Chunk]]
    snapshot: Callable[[Connection], None] | None


def save(database: Database, content: Content) -> None:
    """Save a twin into its own file; rows that are there stay.

    Raises
    ------
    OutputError
        The file cannot be written: it is as it was.
    """
    with database.transaction():
        _fill(database.connection, content)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # who copies the file has all of it


def write(path: Path, content: Content, database: Database | None) -> None:
    """Write a twin to another file: whole, or not at all.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with made_file(path) as connection:
        _begin(connection, database)
        _fill(connection, content)


def in_memory(content: Content, database: Database | None) -> Connection:
    """Return a twin as a database in memory."""
    connection = sqlite3.connect(":memory:")
    _begin(connection, database)
    _fill(connection, content)
    connection.commit()
    connection.execute("PRAGMA query_only = ON")
    return connection


def _begin(connection: Connection, database: Database | None) -> None:
    """Let an empty database begin as a copy of the twin's own, where there is one."""
    if database is None:
        make_tables(connection)
    else:
        database.connection.backup(connection)


def _fill(connection: Connection, content: Content) -> None:
    """Write what a twin is now over what it was."""
    for table in _REPLACED:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own table names
    last = connection.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0]
    put_meta(connection, {**content.meta, "saved_entry": str(last)})
    _fill_words(connection)
    _fill_roster(connection, content.roster, content.shifts)
    _insert(connection, "kpi", content.kpis)
    (first,) = connection.execute("SELECT count(*) FROM event").fetchone()
    for rows, codes in content.chunks(first):
        _insert(connection, "event", _event_values(first, rows, codes))
        first += len(rows)
    if content.snapshot is not None:
        content.snapshot(connection)


def _fill_words(connection: sqlite3.Connection) -> None:
    """Write what kinds, outcomes and columns mean."""
    _insert(connection, "kind", ((int(k), k.name.lower(), v) for k, v in KIND_MEANING.items()))
    _insert(
        connection, "outcome", ((int(k), k.name.lower(), v) for k, v in OUTCOME_MEANING.items())
    )
    meanings = ((column.name, column.unit, column.meaning) for column in COLUMNS)
    _insert(connection, "column_meaning", meanings)


def _fill_roster(connection: sqlite3.Connection, roster: Roster, shifts: Sequence[str]) -> None:
    """Write who and what is on the site."""
    _insert(
        connection,
        "worker",
        ((i, w.name, shifts[w.shift], w.zone, w.x_m, w.y_m) for i, w in enumerate(roster.workers)),
    )
    _insert(
        connection,
        "scanner",
        (
            (i, s.serial, s.name, s.model, s.manufacturer, s.firmware)
            for i, s in enumerate(roster.scanners)
        ),
    )
    _insert(
        connection,
        "gateway",
        (
            (
                i, g.id, g.name, g.kind, g.model, g.manufacturer, g.firmware, g.usecase,
                g.station, g.zone, g.x_m, g.y_m, g.scanner_limit,
            )
            for i, g in enumerate(roster.gateways)
        ),
    )  # fmt: skip


def _event_values(
    first: int, rows: NDArray[np.void], codes: list[str | None]
) -> Iterator[tuple[object, ...]]:
    """Return the values of rows, None in the columns that a row's kind does not fill."""
    columns: list[list[object]] = [list(range(first, first + len(rows)))]
    for column in COLUMNS:
        values = rows[column.name]
        filled = np.isin(np.arange(256), [int(kind) for kind in column.kinds])[rows["kind"]]
        shown = values * _PERCENT if column.name == "battery" else values
        listed = shown.tolist()
        empty = np.flatnonzero(~filled | ((values == column.empty) & (column.empty != 0)))
        for i in empty.tolist():
            listed[i] = None
        columns.append(listed)
    return zip(*columns, codes, strict=True)


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[Sequence[object]]) -> None:
    """Insert rows into a table, all columns in the order of the schema."""
    rows = iter(rows)
    head = next(rows, None)
    if head is None:
        return
    marks = ", ".join("?" * len(head))
    statement = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608 - our own table names
    connection.execute(statement, tuple(head))
    connection.executemany(statement, rows)


class Entry(NamedTuple):
    """A command in the journal: its number there, when it was given [us], and what it asks."""

    number: int
    now_us: int
    command: Command


class Saved(NamedTuple):
    """How a saved twin was made.

    ``kpis`` are those at ``saved_us``, behind the journal's entry ``saved_entry``; clients were
    told of moments up to ``now_us`` [us].
    """

    document: dict[str, object]
    digest: str
    seed: int
    engine: str
    record: str
    now_us: int
    saved_us: int
    saved_entry: int
    version: str
    kpis: Mapping[str, float | None]
    commands: Sequence[Entry]


def read(path: Path) -> Saved:
    """Return how a saved twin was made.

    Raises
    ------
    StateError
        The file is not a saved twin, or of a format that this version does not read.
    """
    try:
        with opened(path) as connection:
            meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
            if meta.get("format") != FORMAT:
                raise _other_format(path, meta)
            kpis = dict(connection.execute("SELECT name, value FROM kpi").fetchall())
            journal = connection.execute("SELECT * FROM journal ORDER BY id").fetchall()
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error
    try:
        return Saved(
            document=json.loads(meta["scenario"]),
            digest=meta["digest"],
            seed=int(meta["seed"]),
            engine=meta["engine"],
            record=meta["record"],
            now_us=max([int(meta["now_us"]), *(entry[1] for entry in journal)]),
            saved_us=int(meta["saved_us"]),
            saved_entry=int(meta["saved_entry"]),
            version=meta["twin"],
            kpis=kpis,
            commands=_entries(journal),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(path, f"not a saved twin: damaged, {error!r} in meta") from error


def _unreadable(path: Path, error: sqlite3.Error) -> StateError:
    """Return what is said where SQLite cannot read a file."""
    codes = sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN
    if path.is_file() and error.sqlite_errorcode & 0xFF in codes:
        # A file that was served is written ahead: SQLite needs room beside it, even to look.
        hint = "copy it to a folder that can be written, and open it there"
        return StateError(path, f"cannot be opened where it is: {error}", hint=hint)
    return StateError(path, f"not a saved twin: {error}")


def _other_format(path: Path, meta: Mapping[str, str]) -> StateError:
    """Return what is said of a file that this version cannot read."""
    found, by = str(meta.get("format")), meta.get("twin", "unknown")
    said = f"saved in format {found}, this version reads format {FORMAT}"
    hint = f"open it with the version that wrote it (twin {by})"
    if found.isdigit() and int(found) > int(FORMAT):
        said, hint = f"{said}: a newer version wrote it", f"{hint}, or update this one"
    return StateError(path, said, hint=hint)


def commands(connection: Connection) -> list[Entry]:
    """Return what the site was asked, in order, as the journal has it."""
    return _entries(connection.execute("SELECT * FROM journal ORDER BY id").fetchall())


def _entries(journal: Iterable[tuple[int, int, str, str]]) -> list[Entry]:
    """Return those lines of a journal that the site carries out."""
    return [
        Entry(number, now_us, ACTIONS[action](**json.loads(facts)))
        for number, now_us, action, facts in journal
        if action in ACTIONS
    ]
