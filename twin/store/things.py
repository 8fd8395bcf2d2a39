"""What the service on the gateway knows: devices, images, configurations, tasks, its licence.

It is the database of SNAP Thing Services, kept in the twin's own. What the mesh does stands with
the site; here stands which of it belongs to which task.
"""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from twin.mesh.images import Image, make_image, read_image
from twin.scenario import Scenario
from twin.store.database import Database
from twin.store.keeper import Clock, Keeper
from twin.world.network import Network

__all__ = ["DataCollector", "Device", "Group", "StoredImage", "Things", "Topology", "Update"]

_US_PER_S = 1_000_000


class Device(NamedTuple):
    """A device that the service knows; ``addr`` has six hexadecimal digits in lower case."""

    id: int
    addr: str
    description: str
    platform: str
    device_type: str


class StoredImage(NamedTuple):
    """A SPY image that was uploaded; ``content`` is its file."""

    id: str
    name: str
    crc: int
    content: bytes
    size_bytes: int
    number: int


class DataCollector(NamedTuple):
    """A data collector as it is configured."""

    id: int
    name: str
    device_types: tuple[str, ...]
    query_function: str
    poll_interval_s: int


class Group(NamedTuple):
    """Devices of an update: what each was to get, and the upgrade of the site that brings it.

    ``upgrade`` is -1 where nothing was to be brought, or to nobody that the mesh has.
    """

    addresses: tuple[str, ...]
    firmware: str
    image: str
    upgrade: int


class Update(NamedTuple):
    """A network configuration update and its task."""

    id: str
    task_id: str
    groups: tuple[Group, ...]


class Topology(NamedTuple):
    """A topology and its task: the survey of the site that finds it."""

    id: str
    task_id: str
    survey: int
    is_deleted: bool


class Things(Keeper):
    """The service's own database."""

    def __init__(
        self, database: Database, scenario: Scenario, network: Network, clock: Clock
    ) -> None:
        """Open it as the database has it; with what the scenario brings where that has none.

        Parameters
        ----------
        database
            Where it is kept.
        scenario, network
            What there is.
        clock
            Says what time it is.
        """
        super().__init__(database, clock, "snap", scenario.cloud.customer_id)
        query = "SELECT count FROM account_made WHERE name = 'things'"
        if database.execute(query).fetchone() == (0,):  # who only looks writes nothing
            with database.transaction():
                self._count("things")
                self._begin(scenario, network)

    def _begin(self, scenario: Scenario, network: Network) -> None:
        """Write down what the scenario brings."""
        snap = scenario.snap
        for user in snap.users:
            self._put_password(user.name, user.password)
        for device_type in snap.device_types:
            self._insert("device_type", (None, device_type))
        addresses = {node.name: node.address.lower() for node in network.nodes}
        for item in snap.devices:
            for name in (name for named in item.nodes for name in scenario.mesh.named(named)):
                facts = addresses[name], name, item.platform, item.device_type
                self._insert("device", (None, *facts))
        for image in snap.images:
            self._insert_image(make_image(image.name, image.size_bytes))
        for collector in snap.collectors:
            interval_s = max(1, collector.poll_interval_us // _US_PER_S)
            types = json.dumps(collector.device_types)
            facts_of = collector.name, types, collector.query_function, interval_s
            self._insert("collector", (None, *facts_of))

    # --- users ----------------------------------------------------------------------------------

    def knows(self, name: str, password: str) -> bool:
        """Say whether somebody has this password."""
        query = "SELECT salt, password FROM snap_user WHERE name = ?"
        row = self._db.execute(query, (name,)).fetchone()
        return row is not None and self._passwords.match(name, password, *row)

    def change_password(self, name: str, password: str) -> None:
        """Give a user another password."""
        with self._change("change password", name=name):
            self._put_password(name, password)

    def _put_password(self, name: str, password: str) -> None:
        """Write a user down, with the hash of a password."""
        salt = blake2b(f"{self.customer_id}/snap/{name}".encode(), digest_size=16).digest()
        row = name, salt, self._passwords.hashed(password, salt)
        self._db.execute("INSERT OR REPLACE INTO snap_user VALUES (?, ?, ?)", row)

    # --- device types ---------------------------------------------------------------------------

    def device_types(self) -> list[tuple[int, str]]:
        """Return all types of devices: id and description."""
        return list(self._db.execute("SELECT * FROM snap_device_type ORDER BY id"))

    def device_type(self, type_id: int) -> tuple[int, str] | None:
        """Return a type of devices by id."""
        query = "SELECT * FROM snap_device_type WHERE id = ?"
        row: tuple[int, str] | None = self._db.execute(query, (type_id,)).fetchone()
        return row

    def has_device_type(self, description: str) -> bool:
        """Say whether there is such a type of devices."""
        query = "SELECT 1 FROM snap_device_type WHERE description = ?"
        return self._db.execute(query, (description,)).fetchone() is not None

    def add_device_type(self, description: str) -> tuple[int, str] | None:
        """Add a type of devices; None where there is one already."""
        if self.has_device_type(description):
            return None
        with self._change("add device_type", description=description):
            return self._insert("device_type", (None, description)), description

    def rename_device_type(self, type_id: int, description: str) -> bool:
        """Give a type of devices, and all that have it, another name; False where it is taken."""
        old = self.device_type(type_id)
        assert old is not None, "whoever renames has looked"
        if description != old[1] and self.has_device_type(description):
            return False
        with self._change("rename device_type", id=type_id, description=description):
            for table, column in (("device_type", "description"), ("device", "device_type")):
                query = f"UPDATE snap_{table} SET {column} = ? WHERE {column} = ?"  # noqa: S608 - ours
                self._db.execute(query, (description, old[1]))
            for found in self.collectors():
                names = [description if name == old[1] else name for name in found.device_types]
                self._db.execute("UPDATE snap_collector SET device_types = ? WHERE id = ?",
                                 (json.dumps(names), found.id))  # fmt: skip
        return True

    def remove_device_type(self, type_id: int) -> bool:
        """Remove a type of devices; say whether there was one [ms]."""
        return self._remove("device_type", type_id)

    # --- devices --------------------------------------------------------------------------------

    def devices(self, device_type: str | None = None) -> list[Device]:
        """Return all devices, or those of a type."""
        found = [Device(*row) for row in self._db.execute("SELECT * FROM snap_device ORDER BY id")]
        return [one for one in found if device_type is None or one.device_type == device_type]

    def device(self, device_id: int) -> Device | None:
        """Return a device by id."""
        query = "SELECT * FROM snap_device WHERE id = ?"
        row = self._db.execute(query, (device_id,)).fetchone()
        return Device(*row) if row else None

    def device_at(self, addr: str) -> Device | None:
        """Return a device by its address."""
        row = self._db.execute("SELECT * FROM snap_device WHERE addr = ?", (addr,)).fetchone()
        return Device(*row) if row else None

    def add_devices(self, asked: Sequence[tuple[str, str, str, str]]) -> list[int]:
        """Add devices: address, description, platform and type of each; return their ids."""
        with self._change("add devices", addresses=[one[0] for one in asked]):
            return [self._insert("device", (None, *one)) for one in asked]

    def put_device(self, device: Device) -> None:
        """Change a device."""
        with self._change("put device", id=device.id):
            query = "addr = ?, description = ?, platform = ?, device_type = ? WHERE id = ?"
            self._db.execute(f"UPDATE snap_device SET {query}", (*device[1:], device.id))  # noqa: S608

    def remove_device(self, device_id: int) -> bool:
        """Remove a device; say whether there was one [ms]."""
        return self._remove("device", device_id)

    def add_batch(self, device_ids: Sequence[int]) -> str:
        """Write down which devices were made together; return the id of the batch."""
        with self._change("add batch", devices=list(device_ids)):
            batch_id = self._uuid("snap", "batch", self._count("batch"))
            self._insert("batch", (batch_id, json.dumps(list(device_ids))))
        return batch_id

    def batch(self, batch_id: str) -> list[int] | None:
        """Return the ids of the devices of a batch."""
        query = "SELECT device_ids FROM snap_batch WHERE id = ?"
        row = self._db.execute(query, (batch_id,)).fetchone()
        return json.loads(row[0]) if row else None

    # --- images ---------------------------------------------------------------------------------

    def images(self) -> list[StoredImage]:
        """Return all images, in the order in which they came."""
        rows = self._db.execute("SELECT * FROM snap_image ORDER BY number")
        return [StoredImage(*row) for row in rows]

    def image(self, image_id: str) -> StoredImage | None:
        """Return an image by id."""
        row = self._db.execute("SELECT * FROM snap_image WHERE id = ?", (image_id,)).fetchone()
        return StoredImage(*row) if row else None

    def add_image(self, content: bytes) -> StoredImage:
        """Add an image; raises ImageError where the file is none."""
        read_image(content)
        with self._change("add image"):
            image_id = self._insert_image(content)
        found = self.image(image_id)
        assert found is not None, "it was just added"
        return found

    def _insert_image(self, content: bytes) -> str:
        """Write an image down; return its id."""
        image: Image = read_image(content)
        image_id = self._uuid("snap", "image", self._count("image"))
        self._insert("image", (image_id, image.name, image.crc, content, image.size_bytes, None))
        return image_id

    def remove_image(self, image_id: str) -> bool:
        """Remove an image; say whether there was one [ms]."""
        return self._remove("image", image_id)

    def remove_images(self) -> None:
        """Remove all images."""
        with self._change("remove images"):
            self._db.execute("DELETE FROM snap_image")

    # --- data collectors ------------------------------------------------------------------------

    def collectors(self) -> list[DataCollector]:
        """Return all data collectors."""
        rows = self._db.execute("SELECT * FROM snap_collector ORDER BY id")
        return [
            DataCollector(found, name, tuple(json.loads(types)), function, interval_s)
            for found, name, types, function, interval_s in rows
        ]

    def collector(self, name: str) -> DataCollector | None:
        """Return a data collector by name."""
        return next((one for one in self.collectors() if one.name == name), None)

    def put_collector(self, collector: DataCollector) -> None:
        """Add a data collector, or change the one of its id; 0 is that of a new one."""
        with self._change("put collector", name=collector.name):
            if collector.id:
                self._db.execute("DELETE FROM snap_collector WHERE id = ?", (collector.id,))
            types = json.dumps(collector.device_types)
            self._insert("collector", (collector.id or None, collector.name, types, *collector[3:]))

    def remove_collector(self, collector_id: int) -> bool:
        """Remove a data collector; say whether there was one [ms]."""
        return self._remove("collector", collector_id)

    # --- network configurations and what is made of them ----------------------------------------

    def configurations(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return all network configurations: id, and the groups as they were given."""
        rows = self._db.execute("SELECT id, groups FROM snap_configuration ORDER BY number")
        return [(found, json.loads(groups)) for found, groups in rows]

    def configuration(self, found: str) -> list[dict[str, Any]] | None:
        """Return the groups of a network configuration."""
        query = "SELECT groups FROM snap_configuration WHERE id = ?"
        row = self._db.execute(query, (found,)).fetchone()
        return json.loads(row[0]) if row else None

    def add_configuration(self, groups: list[dict[str, Any]]) -> str:
        """Add a network configuration; return its id."""
        with self._change("add configuration"):
            found = self._uuid("snap", "configuration", self._count("configuration"))
            self._insert("configuration", (found, json.dumps(groups), None))
        return found

    def updates(self) -> list[Update]:
        """Return all network configuration updates, in the order in which they were begun."""
        rows = self._db.execute("SELECT id, task_id, groups FROM snap_update ORDER BY number")
        return [_update(*row) for row in rows]

    def add_update(self, groups: Sequence[Group]) -> Update:
        """Add a network configuration update."""
        with self._change("add update"):
            number = self._count("update")
            found = self._uuid("snap", "update", number)
            task_id = self._uuid("snap", "task of update", number)
            self._insert("update", (found, task_id, json.dumps(groups), None))
        return Update(found, task_id, tuple(groups))

    def topologies(self) -> list[Topology]:
        """Return all topologies, deleted or not, in the order in which they were asked for."""
        rows = self._db.execute("SELECT * FROM snap_topology ORDER BY number")
        return [Topology(found, task, survey, bool(gone)) for found, task, survey, gone, _ in rows]

    def add_topology(self, survey: int) -> Topology:
        """Add a topology that a survey of the site is to find."""
        with self._change("add topology", survey=survey):
            number = self._count("topology")
            found = self._uuid("snap", "topology", number)
            task_id = self._uuid("snap", "task of topology", number)
            self._insert("topology", (found, task_id, survey, 0, None))
        return Topology(found, task_id, survey, False)

    def remove_topologies(self, ids: Sequence[str]) -> None:
        """Delete topologies; their tasks stay."""
        with self._change("remove topologies", ids=list(ids)):
            for found in ids:
                query = "UPDATE snap_topology SET is_deleted = 1 WHERE id = ?"
                self._db.execute(query, (found,))

    # --- settings -------------------------------------------------------------------------------

    def setting(self, name: str) -> str | None:
        """Return what a setting was set to, None where it is as at first."""
        query = "SELECT value FROM snap_setting WHERE name = ?"
        row = self._db.execute(query, (name,)).fetchone()
        return str(row[0]) if row else None

    def put_setting(self, name: str, value: str | None) -> None:
        """Set a setting, or forget it."""
        with self._change(f"put {name}"):
            self._db.execute("DELETE FROM snap_setting WHERE name = ?", (name,))
            if value is not None:
                self._insert("setting", (name, value))


def _update(found: str, task_id: str, groups: str) -> Update:
    """Return a row of the table as what it is."""
    given = [
        Group(tuple(addresses), firmware, image, upgrade)
        for addresses, firmware, image, upgrade in json.loads(groups)
    ]
    return Update(found, task_id, tuple(given))
