"""SQLite: writing a twin to a file or to memory, querying it, and reading how it was made."""

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.errors import OutputError, StateError
from twin.events import COLUMNS, FULL_BATTERY, KIND_MEANING, OUTCOME_MEANING
from twin.world.roster import Roster

Connection = sqlite3.Connection
FORMAT = "2"
_PERCENT = 100 / FULL_BATTERY


class Content(NamedTuple):
    """What goes into a file: ``codes`` are the scan texts, one for each row, None for no scan."""

    meta: Mapping[str, str]
    roster: Roster
    shifts: Sequence[str]
    kpis: Iterable[tuple[str, float | None, str, str]]
    chunks: Iterable[tuple[NDArray[np.void], list[str | None]]]


def write(path: Path, content: Content) -> None:
    """Write a twin to a file: whole, or not at all.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OutputError(path, error.strerror or str(error)) from error
    os.close(handle)
    try:
        connection = sqlite3.connect(name)
        with _closing(connection):
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            fill(connection, content)
        Path(name).chmod(0o644)  # mkstemp keeps it from everyone else
        os.replace(name, path)
    except OSError as error:
        raise OutputError(path, error.strerror or str(error)) from error
    except sqlite3.Error as error:
        raise OutputError(path, str(error)) from error
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _closing(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit and close a connection."""
    try:
        yield
        connection.commit()
    finally:
        connection.close()


def fill(connection: sqlite3.Connection, content: Content) -> None:
    """Write a twin to an open, empty database."""
    connection.executescript(files("twin.store").joinpath("schema.sql").read_text())
    _fill_words(connection)
    _fill_roster(connection, content.roster, content.shifts)
    _insert(connection, "meta", ({"format": FORMAT} | dict(content.meta)).items())
    _insert(connection, "kpi", content.kpis)
    first = 0
    for rows, codes in content.chunks:
        _insert(connection, "event", _event_values(first, rows, codes))
        first += len(rows)
    connection.commit()


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


class Saved(NamedTuple):
    """How a saved twin was made."""

    document: dict[str, object]
    digest: str
    seed: int
    engine: str
    record: str
    now_us: int
    version: str
    kpis: Mapping[str, float | None]
    account: str | None = None


def read(path: Path) -> Saved:
    """Return how a saved twin was made.

    Raises
    ------
    StateError
        The file is not a saved twin, or of a format that this version does not read.
    """
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True)
        with _closing(connection):
            meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
            readable = meta.get("format") == FORMAT
            query = "SELECT name, value FROM kpi"
            kpis = dict(connection.execute(query).fetchall()) if readable else {}
    except sqlite3.Error as error:
        raise StateError(path, f"not a saved twin: {error}") from error
    if not readable:
        raise StateError(
            path,
            f"saved in format {meta.get('format')}, this version reads format {FORMAT}",
            hint="open it with the version that wrote it (meta.twin)",
        )
    try:
        return Saved(
            document=json.loads(meta["scenario"]),
            digest=meta["digest"],
            seed=int(meta["seed"]),
            engine=meta["engine"],
            record=meta["record"],
            now_us=int(meta["now_us"]),
            version=meta["twin"],
            kpis=kpis,
            account=meta.get("account"),
        )
    except (KeyError, ValueError) as error:
        raise StateError(path, f"not a saved twin: damaged, {error!r} in meta") from error


def in_memory(content: Content) -> sqlite3.Connection:
    """Return a twin as a database in memory."""
    connection = sqlite3.connect(":memory:")
    fill(connection, content)
    return connection
