"""The customer's account in the cloud: users, gateways, job and device configurations.

It lives in a database in memory and knows nothing of HTTP. What changes it is written down in
``journal`` in the same transaction: what was done, and when on the simulated clock.
"""

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, NamedTuple
from uuid import UUID

from twin.scenario import Scenario
from twin.world.roster import Roster

__all__ = ["Account", "DeviceConfig", "Gateway", "JobConfig", "User", "made_uuid"]

_SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}


class User(NamedTuple):
    """Somebody who can log in; without a password nobody has set one yet."""

    id: str
    email: str
    first_name: str
    last_name: str
    role: str
    language: str
    created_ms: int
    updated_ms: int
    salt: bytes
    password: bytes | None


class Gateway(NamedTuple):
    """A gateway as the account knows it; ``place`` is its number on the floor, None off it."""

    id: str
    name: str
    kind: str
    model: str
    manufacturer: str
    firmware: str
    usecase: str
    station: str
    thing_name: str
    created_ms: int
    updated_ms: int
    version: int
    place: int | None


class JobConfig(NamedTuple):
    """What a job begins and ends with, and at which gateways."""

    id: str
    name: str
    start_barcode: str
    end_barcode: str
    gateway_ids: tuple[str, ...]
    created_ms: int
    updated_ms: int
    version: int


class DeviceConfig(NamedTuple):
    """A file for scanners."""

    id: str
    name: str
    text: str
    created_ms: int
    updated_ms: int


def made_uuid(*parts: object) -> str:
    """Return the UUID that belongs to some words: the same for the same words."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))


class Account:
    """The account of one customer."""

    def __init__(
        self, scenario: Scenario, roster: Roster, now_ms: int, saved: bytes | None = None
    ) -> None:
        """Open it with what the scenario brings, or as it was saved.

        Parameters
        ----------
        scenario, roster
            What there is.
        now_ms
            When that is, since 1970 [ms].
        saved
            What ``dump`` gave.
        """
        self.customer_id = scenario.cloud.customer_id
        self._users: dict[str, User] = {}
        self._hashes: dict[tuple[str, str], bool] = {}
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        if saved is None:
            self._db.executescript(files("twin.store").joinpath("account.sql").read_text())
            self._begin(scenario, roster, now_ms)
        else:
            self._db.deserialize(saved)

    def dump(self) -> bytes:
        """Return the whole account, to be opened again."""
        return self._db.serialize()

    def _begin(self, scenario: Scenario, roster: Roster, now_ms: int) -> None:
        """Write down what the scenario brings."""
        with self._transaction():
            for user in scenario.cloud.users:
                names = user.first_name, user.last_name, user.role
                self._insert_user(user.email, names, now_ms, user.password)
            for place, gateway in enumerate(roster.gateways):
                self._insert("gateway", Gateway(
                    gateway.id, gateway.name, gateway.kind, gateway.model, gateway.manufacturer,
                    gateway.firmware, gateway.usecase, gateway.station, gateway.thing_name,
                    now_ms, now_ms, 1, place,
                ))  # fmt: skip
            ids = tuple(gateway.id for gateway in roster.gateways)
            for job in scenario.work.jobs:
                self._insert_job(job.name, job.start_barcode, job.end_barcode, ids, now_ms)
            for file in scenario.cloud.device_configs:
                config = DeviceConfig(self._uuid("device-config", file.name), file.name, file.text,
                                      now_ms, now_ms)  # fmt: skip
                self._insert("device_config", config)

    # --- users ----------------------------------------------------------------------------------

    def users(self) -> list[User]:
        """Return all users, in the order in which they came."""
        return [User(*row) for row in self._db.execute("SELECT * FROM user ORDER BY rowid")]

    def user(self, user_id: str) -> User | None:
        """Return a user by id; every request asks for one, so they are remembered."""
        if user_id not in self._users:
            row = self._db.execute("SELECT * FROM user WHERE id = ?", (user_id,)).fetchone()
            if row is None:
                return None
            self._users[user_id] = User(*row)
        return self._users[user_id]

    def user_of(self, email: str) -> User | None:
        """Return a user by email; upper and lower case are the same."""
        row = self._db.execute("SELECT * FROM user WHERE email = ?", (email,)).fetchone()
        return User(*row) if row else None

    def add_user(self, email: str, first: str, last: str, role: str, now_ms: int) -> User | None:
        """Add a user without a password; None where the email is taken [ms]."""
        if self.user_of(email) is not None:
            return None
        with self._change("add user", now_ms, email=email, role=role):
            self._insert_user(email, (first, last, role), now_ms, None)
        return self.user_of(email)

    def remove_user(self, user_id: str, now_ms: int) -> bool:
        """Remove a user; say whether there was one [ms]."""
        self._users.clear()
        return self._remove("user", user_id, now_ms)

    def knows(self, email: str, password: str) -> User | None:
        """Return the user whose password this is.

        A verified password is remembered as a keyed hash: scrypt takes 30 ms each time.
        """
        user = self.user_of(email)
        if user is None or user.password is None:
            return None
        keyed = hmac.new(user.salt, password.encode(), hashlib.sha256).hexdigest()
        if (user.id, keyed) not in self._hashes:
            found = hashlib.scrypt(password.encode(), salt=user.salt, **_SCRYPT)
            self._hashes[user.id, keyed] = hmac.compare_digest(found, user.password)
        return user if self._hashes[user.id, keyed] else None

    def _insert_user(
        self, email: str, names: tuple[str, str, str], now_ms: int, password: str | None
    ) -> None:
        """Write a user down."""
        first, last, role = names
        user_id = self._uuid("user", email.lower(), self._count("user"))
        salt = UUID(user_id).bytes
        known = password and hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)
        user = User(user_id, email, first, last, role, "en", now_ms, now_ms, salt, known or None)
        self._insert("user", user)

    # --- gateways -------------------------------------------------------------------------------

    def gateways(self) -> list[Gateway]:
        """Return all gateways, in the order in which they came."""
        return [Gateway(*row) for row in self._db.execute("SELECT * FROM gateway ORDER BY rowid")]

    def gateway(self, gateway_id: str) -> Gateway | None:
        """Return a gateway by id."""
        row = self._db.execute("SELECT * FROM gateway WHERE id = ?", (gateway_id,)).fetchone()
        return Gateway(*row) if row else None

    def add_gateway(self, name: str, usecase: str, station: str, now_ms: int) -> Gateway | None:
        """Add a gateway that nobody has installed yet; None where the name is taken [ms]."""
        taken = self._db.execute("SELECT 1 FROM gateway WHERE name = ?", (name,)).fetchone()
        if taken:
            return None
        found = Gateway(
            self._uuid("gateway", name, self._count("gateway")), name, "mobile", "", "ProGlove",
            "0.0.0", usecase, station, name, now_ms, now_ms, 1, None,
        )  # fmt: skip
        with self._change("add gateway", now_ms, id=found.id, name=name):
            self._insert("gateway", found)
        return found

    def prepare(self, gateway_id: str, token: str, now_ms: int, lasts_ms: int) -> bool:
        """Let a gateway ask for its certificate with a token, once; False the second time [ms]."""
        query = "SELECT 1 FROM provisioning WHERE gateway = ?"
        if self._db.execute(query, (gateway_id,)).fetchone():
            return False
        with self._change("prepare provisioning", now_ms, gateway=gateway_id):
            self._insert("provisioning", (gateway_id, token, now_ms + lasts_ms, None))
        return True

    def provision(self, token: str, now_ms: int) -> Gateway | None:
        """Use a token; None where it is unknown, used or expired [ms]."""
        query = "SELECT gateway FROM provisioning WHERE token = ? AND used_ms IS NULL"
        row = self._db.execute(f"{query} AND expires_ms > ?", (token, now_ms)).fetchone()
        if row is None:
            return None
        with self._change("provision gateway", now_ms, gateway=row[0]):
            self._db.execute("UPDATE provisioning SET used_ms = ? WHERE token = ?", (now_ms, token))
        return self.gateway(row[0])

    # --- downloads ------------------------------------------------------------------------------

    def agree(self, email: str, eula: str, asset: str, now_ms: int) -> None:
        """Write down that somebody agreed to a licence before a download [ms]."""
        with self._change("agree to EULA", now_ms, email=email, eula=eula, asset=asset):
            pass

    # --- job configurations ---------------------------------------------------------------------

    def job_configs(self) -> list[JobConfig]:
        """Return all job configurations, in the order in which they came."""
        rows = self._db.execute("SELECT * FROM job_config ORDER BY rowid")
        return [_job_config(row) for row in rows]

    def job_config(self, config_id: str) -> JobConfig | None:
        """Return a job configuration by id."""
        row = self._db.execute("SELECT * FROM job_config WHERE id = ?", (config_id,)).fetchone()
        return _job_config(row) if row else None

    def add_job_config(
        self, name: str, start: str, end: str, gateway_ids: Iterable[str], now_ms: int
    ) -> JobConfig | None:
        """Add a job configuration; None where the name is taken [ms]."""
        if any(config.name == name for config in self.job_configs()):
            return None
        with self._change("add job_config", now_ms, name=name):
            config_id = self._insert_job(name, start, end, tuple(gateway_ids), now_ms)
        return self.job_config(config_id)

    def remove_job_config(self, config_id: str, now_ms: int) -> bool:
        """Remove a job configuration; say whether there was one [ms]."""
        return self._remove("job_config", config_id, now_ms)

    def _insert_job(
        self, name: str, start: str, end: str, gateway_ids: tuple[str, ...], now_ms: int
    ) -> str:
        """Write a job configuration down; return its id."""
        config_id = self._uuid("job-config", name, self._count("job_config"))
        ids = json.dumps(gateway_ids)
        self._insert("job_config", (config_id, name, start, end, ids, now_ms, now_ms, 1))
        return config_id

    # --- device configurations ------------------------------------------------------------------

    def device_configs(self) -> list[DeviceConfig]:
        """Return all device configurations."""
        rows = self._db.execute("SELECT * FROM device_config ORDER BY rowid")
        return [DeviceConfig(*row) for row in rows]

    def remove_device_config(self, config_id: str, now_ms: int) -> bool:
        """Remove a device configuration; say whether there was one [ms]."""
        return self._remove("device_config", config_id, now_ms)

    # --- the database ---------------------------------------------------------------------------

    def journal(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Return what was changed, as (when since 1970 [ms], what, with which values)."""
        rows = self._db.execute("SELECT time_ms, action, facts FROM journal ORDER BY id")
        return [(time_ms, action, json.loads(facts)) for time_ms, action, facts in rows]

    def changes(self, table: str) -> int:
        """Return how many rows of a table came or went since the account was opened [1]."""
        query = "SELECT count(*) FROM journal WHERE action IN (?, ?)"
        return int(self._db.execute(query, (f"add {table}", f"remove {table}")).fetchone()[0])

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return what is kept under a name, made when it is first asked for.

        Keys and certificates cannot be made again from the seed, so they are kept and saved.
        """
        row = self._db.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
        if row is None:
            row = (make(),)
            self._insert("secret", (name, *row))
        return bytes(row[0])

    def _uuid(self, *parts: object) -> str:
        """Return the UUID of something of this customer."""
        return made_uuid(self.customer_id, *parts)

    def _count(self, table: str) -> int:
        """Return how many rows a table has ever had, and count one more: no id comes twice."""
        query = "UPDATE made SET count = count + 1 WHERE name = ? RETURNING count"
        return int(self._db.execute(query, (table,)).fetchone()[0])

    def _insert(self, table: str, values: tuple[Any, ...]) -> None:
        """Insert a row, its values in the order of the schema."""
        marks = ", ".join("?" * len(values))
        self._db.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - ours

    def _remove(self, table: str, found: str, now_ms: int) -> bool:
        """Remove a row by id and write that down; say whether there was one [ms]."""
        query = f"SELECT 1 FROM {table} WHERE id = ?"  # noqa: S608 - ours
        if self._db.execute(query, (found,)).fetchone() is None:
            return False
        with self._change(f"remove {table}", now_ms, id=found):
            self._db.execute(f"DELETE FROM {table} WHERE id = ?", (found,))  # noqa: S608 - ours
        return True

    @contextmanager
    def _change(self, action: str, now_ms: int, **facts: object) -> Iterator[None]:
        """Change something and write it down, both or neither."""
        with self._transaction():
            yield
            self._db.execute(
                "INSERT INTO journal (time_ms, action, facts) VALUES (?, ?, ?)",
                (now_ms, action, json.dumps(facts)),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Do everything or nothing."""
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _job_config(row: tuple[Any, ...]) -> JobConfig:
    """Return a row of the table as what it is."""
    config_id, name, start, end, ids, *times = row
    return JobConfig(config_id, name, start, end, tuple(json.loads(ids)), *times)
