"""The customer's account in the cloud: users, gateways, job and device configurations.

It lives in the twin's database and knows nothing of HTTP. What changes it is written down in
``journal`` in the same transaction: what was done, and when on the simulated clock.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from twin.commands import InstallGateway
from twin.scenario import Scenario, gateway_model
from twin.store.database import Database
from twin.store.keeper import Clock, Keeper
from twin.world.roster import Roster

__all__ = ["Account", "DeviceConfig", "Gateway", "JobConfig", "User"]


class User(NamedTuple):
    """Somebody who can log in; without a password nobody has set one yet.

    ``number`` says who came first; the database gives it.
    """

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
    number: int | None = None


class Gateway(NamedTuple):
    """A gateway as the account knows it; nobody has installed one whose model is empty.

    ``number`` says which came first; the database gives it.
    """

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
    number: int | None = None


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


class Account(Keeper):
    """The account of one customer."""

    def __init__(
        self, database: Database, scenario: Scenario, roster: Roster, clock: Clock
    ) -> None:
        """Open it as the database has it; with what the scenario brings where that has none.

        Parameters
        ----------
        database
            Where it is kept.
        scenario, roster
            What there is.
        clock
            Says what time it is.
        """
        super().__init__(database, clock, "account", scenario.cloud.customer_id)
        self._users: dict[str, User] = {}
        query = "SELECT count FROM account_made WHERE name = 'account'"
        if database.execute(query).fetchone() == (0,):  # who only looks writes nothing
            with database.transaction():
                self._count("account")
                self._begin(scenario, roster)

    def _begin(self, scenario: Scenario, roster: Roster) -> None:
        """Write down what the scenario brings: it was there when the run began."""
        began_ms = self._clock.origin_us // 1000
        for user in scenario.cloud.users:
            names = user.first_name, user.last_name, user.role
            self._insert_user(user.email, names, began_ms, user.password)
        for gateway in roster.gateways:
            self._insert("gateway", Gateway(
                gateway.id, gateway.name, gateway.kind, gateway.model, gateway.manufacturer,
                gateway.firmware, gateway.usecase, gateway.station, gateway.thing_name,
                began_ms, began_ms, 1,
            ))  # fmt: skip
        ids = tuple(gateway.id for gateway in roster.gateways)
        for job in scenario.work.jobs:
            self._insert_job(job.name, job.start_barcode, job.end_barcode, ids, began_ms)
        for file in scenario.cloud.device_configs:
            config_id = self._uuid("device-config", file.name)
            config = DeviceConfig(config_id, file.name, file.text, began_ms, began_ms)
            self._insert("device_config", config)

    # --- users ----------------------------------------------------------------------------------

    def users(self) -> list[User]:
        """Return all users, in the order in which they came."""
        return [
            User(*row) for row in self._db.execute("SELECT * FROM account_user ORDER BY number")
        ]

    def user(self, user_id: str) -> User | None:
        """Return a user by id; every request asks for one, so they are remembered."""
        if user_id not in self._users:
            row = self._db.execute("SELECT * FROM account_user WHERE id = ?", (user_id,)).fetchone()
            if row is None:
                return None
            self._users[user_id] = User(*row)
        return self._users[user_id]

    def user_of(self, email: str) -> User | None:
        """Return a user by email; upper and lower case are the same."""
        row = self._db.execute("SELECT * FROM account_user WHERE email = ?", (email,)).fetchone()
        return User(*row) if row else None

    def add_user(self, email: str, first: str, last: str, role: str) -> User | None:
        """Add a user without a password; None where the email is taken."""
        if self.user_of(email) is not None:
            return None
        with self._change("add user", email=email, role=role):
            self._insert_user(email, (first, last, role), self._now_ms(), None)
        return self.user_of(email)

    def remove_user(self, user_id: str) -> bool:
        """Remove a user; say whether there was one [ms]."""
        self._users.clear()
        return self._remove("user", user_id)

    def knows(self, email: str, password: str) -> User | None:
        """Return the user whose password this is."""
        user = self.user_of(email)
        if user is None or user.password is None:
            return None
        return user if self._passwords.match(user.id, password, user.salt, user.password) else None

    def _insert_user(
        self, email: str, names: tuple[str, str, str], now_ms: int, password: str | None
    ) -> None:
        """Write a user down."""
        first, last, role = names
        user_id = self._uuid("user", email.lower(), self._count("user"))
        salt = UUID(user_id).bytes
        known = self._passwords.hashed(password, salt) if password else None
        user = User(user_id, email, first, last, role, "en", now_ms, now_ms, salt, known)
        self._insert("user", user)

    # --- gateways -------------------------------------------------------------------------------

    def gateways(self) -> list[Gateway]:
        """Return all gateways, in the order in which they came."""
        return [
            Gateway(*row)
            for row in self._db.execute("SELECT * FROM account_gateway ORDER BY number")
        ]

    def gateway(self, gateway_id: str) -> Gateway | None:
        """Return a gateway by id."""
        row = self._db.execute(
            "SELECT * FROM account_gateway WHERE id = ?", (gateway_id,)
        ).fetchone()
        return Gateway(*row) if row else None

    def add_gateway(self, name: str, usecase: str, station: str) -> Gateway | None:
        """Add a gateway that nobody has installed yet; None where the name is taken."""
        taken = self._db.execute("SELECT 1 FROM account_gateway WHERE name = ?", (name,)).fetchone()
        if taken:
            return None
        now_ms, maker = self._now_ms(), gateway_model("mobile").manufacturer
        with self._db.transaction():
            found = Gateway(
                self._uuid("gateway", name, self._count("gateway")), name, "mobile", "", maker,
                "0.0.0", usecase, station, name, now_ms, now_ms, 1,
            )  # fmt: skip
            with self._change("add gateway", id=found.id, name=name):
                self._insert("gateway", found)
        return found

    def install(self, asked: InstallGateway) -> None:
        """Take up a gateway that goes into service, where the account does not have it yet."""
        if self.gateway(asked.id) is None:
            now_ms, model = self._now_ms(), gateway_model("mobile")
            self._insert("gateway", Gateway(
                asked.id, asked.name, "mobile", model.model, model.manufacturer, model.firmware,
                asked.usecase, asked.station, asked.name, now_ms, now_ms, 1,
            ))  # fmt: skip

    def prepare(self, gateway_id: str, token: str, lasts_ms: int) -> bool:
        """Let a gateway ask for its certificate with a token, once; False the second time [ms]."""
        query = "SELECT 1 FROM account_provisioning WHERE gateway = ?"
        if self._db.execute(query, (gateway_id,)).fetchone():
            return False
        with self._change("prepare provisioning", gateway=gateway_id):
            self._insert("provisioning", (gateway_id, token, self._now_ms() + lasts_ms, None))
        return True

    def provision(self, token: str) -> Gateway | None:
        """Use a token; None where it is unknown, used or expired.

        What nobody had installed is a phone from now on, its model that of the catalogue.
        """
        now_ms, model = self._now_ms(), gateway_model("mobile")
        query = "SELECT gateway FROM account_provisioning WHERE token = ? AND used_ms IS NULL"
        row = self._db.execute(f"{query} AND expires_ms > ?", (token, now_ms)).fetchone()
        if row is None:
            return None
        with self._change("provision gateway", gateway=row[0]):
            used = "UPDATE account_provisioning SET used_ms = ? WHERE token = ?"
            self._db.execute(used, (now_ms, token))
            facts = model.model, model.manufacturer, model.firmware, now_ms
            installed = "model = ?, manufacturer = ?, firmware = ?, updated_ms = ?"
            query = f"UPDATE account_gateway SET {installed}, version = version + 1"  # noqa: S608
            self._db.execute(f"{query} WHERE id = ? AND model = ''", (*facts, row[0]))
        return self.gateway(row[0])

    # --- downloads ------------------------------------------------------------------------------

    def agree(self, email: str, eula: str, asset: str) -> None:
        """Write down that somebody agreed to a licence before a download [ms]."""
        with self._change("agree to EULA", email=email, eula=eula, asset=asset):
            pass

    # --- job configurations ---------------------------------------------------------------------

    def job_configs(self) -> list[JobConfig]:
        """Return all job configurations, in the order in which they came."""
        rows = self._db.execute("SELECT * FROM account_job_config ORDER BY rowid")
        return [_job_config(row) for row in rows]

    def job_config(self, config_id: str) -> JobConfig | None:
        """Return a job configuration by id."""
        row = self._db.execute(
            "SELECT * FROM account_job_config WHERE id = ?", (config_id,)
        ).fetchone()
        return _job_config(row) if row else None

    def add_job_config(
        self, name: str, start: str, end: str, gateway_ids: Iterable[str]
    ) -> JobConfig | None:
        """Add a job configuration; None where the name is taken [ms]."""
        if any(config.name == name for config in self.job_configs()):
            return None
        with self._change("add job_config", name=name):
            config_id = self._insert_job(name, start, end, tuple(gateway_ids), self._now_ms())
        return self.job_config(config_id)

    def remove_job_config(self, config_id: str) -> bool:
        """Remove a job configuration; say whether there was one [ms]."""
        return self._remove("job_config", config_id)

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
        rows = self._db.execute("SELECT * FROM account_device_config ORDER BY rowid")
        return [DeviceConfig(*row) for row in rows]

    def remove_device_config(self, config_id: str) -> bool:
        """Remove a device configuration; say whether there was one [ms]."""
        return self._remove("device_config", config_id)

    # --- the database ---------------------------------------------------------------------------

    def journal(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Return what was changed, as (when on the simulated clock [us], what, which values)."""
        rows = self._db.execute("SELECT now_us, action, facts FROM journal ORDER BY id")
        return [(now_us, action, json.loads(facts)) for now_us, action, facts in rows]

    def changes(self, table: str) -> int:
        """Return how many rows of a table came or went since the account was opened [1]."""
        query = "SELECT count(*) FROM journal WHERE action IN (?, ?)"
        return int(self._db.execute(query, (f"add {table}", f"remove {table}")).fetchone()[0])


def _job_config(row: tuple[Any, ...]) -> JobConfig:
    """Return a row of the table as what it is."""
    config_id, name, start, end, ids, *times = row
    return JobConfig(config_id, name, start, end, tuple(json.loads(ids)), *times)
