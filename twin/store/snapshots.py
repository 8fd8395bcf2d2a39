"""Snapshots in a twin's database: the last state, and the rows up to it in pieces that stay."""

import hashlib
import sqlite3
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from twin.store.database import Connection, opened
from twin.store.kept import KeptRows

__all__ = ["Snapshot", "keep_snapshot", "read_snapshot"]

_ROWS_AT_ONCE = 1 << 17
_QUICKLY = 1
"""Level of compression. The state itself is not: it would halve, and take four times as long."""


class Snapshot(NamedTuple):
    """A state, and what it is of.

    ``rows`` says how many rows of each kind there were [1]; the journal was carried out up to
    ``entry``.
    """

    now_us: int
    entry: int
    rows: tuple[int, int]
    state: bytes


def keep_snapshot(
    connection: Connection, now_us: int, made_by: str, state: bytes,
    rows: tuple[KeptRows, KeptRows], known: tuple[int, int],
) -> None:  # fmt: skip
    """Write a snapshot in the place of the last one, in the transaction under way.

    Parameters
    ----------
    now_us, made_by, state
        The moment [us], what makes the state valid, and the state.
    rows
        All rows of the floor and of the mesh.
    known
        How many of them stand in the database from the snapshots before [1].
    """
    for of, kept, first in zip(("floor", "mesh"), rows, known, strict=True):
        connection.execute("DELETE FROM snapshot_rows WHERE of = ? AND first >= ?", (of, first))
        for begin in range(first, len(kept), _ROWS_AT_ONCE):
            piece = kept.whole()[begin : begin + _ROWS_AT_ONCE]
            packed = zlib.compress(piece.tobytes(), _QUICKLY)
            connection.execute(
                "INSERT INTO snapshot_rows VALUES (?, ?, ?, ?, ?)",
                (of, begin, len(piece), _digest(packed, of, begin), packed),
            )
    (entry,) = connection.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()
    counts = tuple(map(len, rows))
    connection.execute(
        "INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        (now_us, entry, made_by, *counts, _digest(state, made_by, now_us, entry, *counts), state),
    )


def read_snapshot(
    path: Path, made_by: str, dtypes: Mapping[str, DTypeLike]
) -> tuple[Snapshot, list[NDArray[np.void]]] | None:
    """Return the last snapshot in a file and the rows up to it, None where none is whole and valid.

    Parameters
    ----------
    path
        Of the file; to be trusted like code, for the state is thawed by pickle.
    made_by
        What the snapshot must have been made by.
    dtypes
        Of the rows of the floor and of those of the mesh.
    """
    try:
        with opened(path) as connection:
            snapshot = _last(connection, made_by)
            if snapshot is None:
                return None
            parts = zip(dtypes.items(), snapshot.rows, strict=True)
            return snapshot, [_rows(connection, of, dtype, count) for (of, dtype), count in parts]
    except (_DamagedError, sqlite3.Error, zlib.error):
        return None


class _DamagedError(Exception):
    """What stands there is not what was written."""


def _last(connection: Connection, made_by: str) -> Snapshot | None:
    """Return the last snapshot, None where there is none of this making."""
    row = connection.execute("SELECT * FROM snapshot WHERE made_by = ?", (made_by,)).fetchone()
    if row is None:
        return None
    _, now_us, entry, made_by, *counts, digest, state = row
    if digest != _digest(state, made_by, now_us, entry, *counts):
        raise _DamagedError
    return Snapshot(now_us, entry, (counts[0], counts[1]), state)


def _rows(connection: Connection, of: str, dtype: DTypeLike, count: int) -> NDArray[np.void]:
    """Return so many rows of a kind, put together from their pieces."""
    rows, first = np.empty(count, dtype), 0
    query = "SELECT first, count, digest, rows FROM snapshot_rows WHERE of = ? ORDER BY first"
    for begin, length, digest, packed in connection.execute(query, (of,)):
        if begin != first or first + length > count or digest != _digest(packed, of, begin):
            raise _DamagedError
        rows[first : first + length] = np.frombuffer(zlib.decompress(packed), dtype)
        first += length
    if first != count:
        raise _DamagedError
    return rows


def _digest(packed: bytes, *facts: object) -> bytes:
    """Return what tells damage to bytes, or to what is said of them."""
    digest = hashlib.blake2b(packed, digest_size=16)
    digest.update(repr(facts).encode())
    return digest.digest()
