"""What both accounts in a twin's database are made of: rows, ids, secrets, a journal, passwords."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from uuid import UUID

from twin.store.database import Database

__all__ = ["Clock", "Keeper", "Passwords", "made_uuid"]

_SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}


class Clock(Protocol):
    """What tells the time: ``origin_us`` is the start of the run since 1970 [us]."""

    origin_us: int

    @property
    def now_us(self) -> int:
        """The simulated moment [us]."""


def made_uuid(*parts: object) -> str:
    """Return the UUID that belongs to some words: the same for the same words."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))


class Passwords:
    """Passwords as hashes; a verified one is remembered as a keyed hash: scrypt takes 30 ms."""

    def __init__(self) -> None:
        """Remember none."""
        self._known: dict[tuple[str, bytes, str], bool] = {}

    def hashed(self, password: str, salt: bytes) -> bytes:
        """Return what is kept of a password."""
        return hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)

    def match(self, who: str, password: str, salt: bytes, kept: bytes) -> bool:
        """Say whether this is somebody's password."""
        keyed = hmac.new(salt, password.encode(), hashlib.sha256).hexdigest()
        known = who, kept, keyed
        if known not in self._known:
            self._known[known] = hmac.compare_digest(self.hashed(password, salt), kept)
        return self._known[known]


class Keeper:
    """Tables of one name in a twin's database; what changes them is written into its journal."""

    def __init__(self, database: Database, clock: Clock, prefix: str, customer_id: str) -> None:
        """Take tables whose names begin alike.

        Parameters
        ----------
        database
            Where they are.
        clock
            Says what time it is.
        prefix, customer_id
            What names of tables begin with, and whose they are.
        """
        self.customer_id = customer_id
        self._db, self._clock, self._prefix = database, clock, prefix
        self._passwords = Passwords()

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return what is kept under a name, made when it is first asked for.

        Keys and certificates cannot be made again from the seed, so they are kept and saved.
        """
        query = "SELECT value FROM account_secret WHERE name = ?"
        row = self._db.execute(query, (name,)).fetchone()
        if row is None:
            row = (make(),)
            with self._db.transaction():
                self._db.execute("INSERT INTO account_secret VALUES (?, ?)", (name, *row))
        return bytes(row[0])

    def _now_ms(self) -> int:
        """Return the simulated moment since 1970 [ms]."""
        return (self._clock.origin_us + self._clock.now_us) // 1000

    def _uuid(self, *parts: object) -> str:
        """Return the UUID of something of this customer."""
        return made_uuid(self.customer_id, *parts)

    def _count(self, table: str) -> int:
        """Return how many rows a table has ever had, and count one more: no id comes twice."""
        query = "UPDATE account_made SET count = count + 1 WHERE name = ? RETURNING count"
        return int(self._db.execute(query, (table,)).fetchone()[0])

    def _insert(self, table: str, values: tuple[Any, ...]) -> int:
        """Insert a row, its values in the order of the schema; return its number."""
        marks = ", ".join("?" * len(values))
        found = self._db.execute(f"INSERT INTO {self._prefix}_{table} VALUES ({marks})", values)  # noqa: S608 - ours
        return int(found.lastrowid or 0)

    def _remove(self, table: str, found: str | int) -> bool:
        """Remove a row by id and write that down; say whether there was one [ms]."""
        query = f"SELECT 1 FROM {self._prefix}_{table} WHERE id = ?"  # noqa: S608 - ours
        if self._db.execute(query, (found,)).fetchone() is None:
            return False
        with self._change(f"remove {table}", id=found):
            self._db.execute(f"DELETE FROM {self._prefix}_{table} WHERE id = ?", (found,))  # noqa: S608 - ours
        return True

    @contextmanager
    def _change(self, action: str, **facts: object) -> Iterator[None]:
        """Change something and write it down, both or neither."""
        with self._db.transaction():
            yield
            self._db.note(self._clock.now_us, action, facts)
