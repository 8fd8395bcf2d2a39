"""The SQLite database of one twin: in memory, or the file in which it is kept.

A change is a transaction and is durable before anybody hears of it: the file is written ahead
(WAL) and synchronised as SQLite advises for it (NORMAL). So a killed process loses nothing; a loss
of power may lose the last moments, never the file.
"""

import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from twin.errors import OutputError, StateError
from twin.store.claims import claim, is_claimed_elsewhere

__all__ = ["FORMAT", "Connection", "Database", "made_file", "make_tables", "opened", "put_meta"]

Connection = sqlite3.Connection
FORMAT = "4"


class Database:
    """An open database, its one connection on the twin's own thread."""

    def __init__(self, connection: Connection, path: Path | None = None) -> None:
        """Take over a connection that has the tables; see ``in_memory``, ``begin``, ``of``."""
        self.connection = connection
        self.path = path
        self._told_us = -1
        self._is_prepared = False
        self._depth = 0
        self._then: list[Callable[[], None]] = []
        self._others = self._written_by_others()
        self._file = None if path is None else path.stat().st_ino

    @classmethod
    def in_memory(cls) -> Self:
        """Return an empty database that nobody keeps."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        make_tables(connection)
        return cls(connection)

    @classmethod
    def begin(cls, path: Path, meta: Mapping[str, str]) -> Self:
        """Return a new file that says how the twin was made.

        Raises
        ------
        OutputError
            The file cannot be written.
        StateError
            It exists already.
        """
        if path.exists():
            raise StateError(path, "exists already", hint="choose a new file, or open this one")
        with made_file(path) as connection:
            make_tables(connection)
            put_meta(connection, meta)
        return cls.of(path)

    @classmethod
    def of(cls, path: Path, original: Path | None = None) -> Self:
        """Return the database in a file, or in a new file that continues an original.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        if original is not None and not (path.exists() and path.samefile(original)):
            with made_file(path) as connection, _closed(sqlite3.connect(original)) as source:
                source.backup(connection)
        try:
            return cls(sqlite3.connect(path, isolation_level=None), path)
        except sqlite3.Error as error:
            raise OutputError(path, str(error)) from error

    def fork(self) -> Self:
        """Return a copy in memory."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.backup(connection)
        return type(self)(connection)

    def prepare(self) -> None:
        """Find out now whether the file can be written, and keep other processes from it.

        Raises
        ------
        OutputError
            It cannot be written.
        StateError
            Another process is using it, or has written it.
        """
        with self.transaction():
            pass

    def execute(self, query: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Ask for something, or change something inside a transaction."""
        return self.connection.execute(query, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Change everything that is changed inside, or nothing; one inside another is part of it.

        Raises
        ------
        OutputError
            The file cannot be written: nothing was changed.
        StateError
            Another process has written the file meanwhile: nothing was changed.
        """
        if self._depth:
            yield
            return
        self._depth, self._then = 1, []
        try:
            with self._committed():
                yield
        finally:
            self._depth = 0
        for step in self._then:
            step()

    @contextmanager
    def _committed(self) -> Iterator[None]:
        """Begin, and commit or roll back."""
        try:
            self._write_ahead()
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                self._refuse_others()
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            hint = "free some space, or save(path) to another place"
            raise OutputError(self.path or ":memory:", str(error), hint=hint) from error

    def _write_ahead(self) -> None:
        """Prepare a file for its first change; who only looks leaves it as it is."""
        if self.path is not None and not self._is_prepared:
            claim(self.path)
            self._refuse_others()
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self._is_prepared = True
            self._others = self._written_by_others()  # the change of mode counts, too

    def _refuse_others(self) -> None:
        """Raise StateError where somebody else has changed or replaced the file meanwhile."""
        if self.path is None:
            return
        hint = "open it with one twin at a time; save(path) writes this one to another file"
        if not self.path.exists() or self.path.stat().st_ino != self._file:
            raise StateError(self.path, "was removed or replaced by somebody else", hint=hint)
        if self._written_by_others() != self._others:
            raise StateError(self.path, "another process has written it", hint=hint)

    def once_committed(self, step: Callable[[], None]) -> None:
        """Do something as soon as the transaction under way is durable; not if it fails."""
        assert self._depth, "there is no transaction"
        self._then.append(step)

    def note(self, now_us: int, action: str, facts: Mapping[str, object]) -> None:
        """Write into the journal what is being changed, and when [us]."""
        self.connection.execute(
            "INSERT INTO journal (now_us, action, facts) VALUES (?, ?, ?)",
            (now_us, action, json.dumps(facts)),
        )

    def keep_clock(self, now_us: int) -> None:
        """Keep the moment that somebody was told [us]: time never runs backwards for a client."""
        if self.path is not None and now_us != self._told_us:
            with self.transaction():
                query = "UPDATE meta SET value = ? WHERE key = 'now_us'"
                self.connection.execute(query, (str(now_us),))
            self._told_us = now_us

    def _written_by_others(self) -> int:
        """Return a number that changes when another connection changes the file."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])


@contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """Give a connection to a file for a look; raises sqlite3.Error where it is no database."""
    # Not read-only: what a killed process left beside the file has to be taken in.
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)
    with _closed(connection):
        yield connection


def make_tables(connection: Connection) -> None:
    """Make the tables of an empty database."""
    connection.executescript(files("twin.store").joinpath("schema.sql").read_text())


def put_meta(connection: Connection, meta: Mapping[str, str]) -> None:
    """Write how the twin was made."""
    connection.executemany(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)", ({"format": FORMAT} | dict(meta)).items()
    )


@contextmanager
def made_file(path: Path) -> Iterator[Connection]:
    """Give a connection to a new database that becomes the file: whole, or not at all.

    Raises
    ------
    OutputError
        The file cannot be written.
    StateError
        Another process is using it.
    """
    if is_claimed_elsewhere(path):
        hint = "stop it, or choose another file"
        raise StateError(path, "another process is using it", hint=hint)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OutputError(path, error.strerror or str(error)) from error
    os.close(handle)
    try:
        with _closed(sqlite3.connect(name)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            yield connection
            connection.commit()
            connection.execute("PRAGMA journal_mode = DELETE")
        Path(name).chmod(0o644)  # mkstemp keeps it from everyone else
        for ending in ("-wal", "-shm"):  # of the file before: SQLite would take them for this one's
            Path(f"{path}{ending}").unlink(missing_ok=True)
        os.replace(name, path)
    except OSError as error:
        raise OutputError(path, error.strerror or str(error)) from error
    except sqlite3.Error as error:
        raise OutputError(path, str(error)) from error
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _closed(connection: Connection) -> Iterator[Connection]:
    """Close a connection at the end."""
    try:
        yield connection
    finally:
        connection.close()
