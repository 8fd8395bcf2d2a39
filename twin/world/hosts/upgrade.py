"""Upgrades: firmware first, then the image, by multicast with repair or one device by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.events import NEVER, Mark
from twin.mesh.images import chunk_count
from twin.mesh.transfer import Transfer
from twin.world.hosts.devices import Part, Record
from twin.world.hosts.multicast import MulticastTransfer
from twin.world.hosts.unicast import UnicastTransfer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twin.world.hosts.devices import Devices
    from twin.world.hosts.hosts import Hosts


class Upgrade:
    """An upgrade of some devices: its parts one after the other, all bridges at once."""

    def __init__(
        self, hosts: Hosts, devices: Devices, parts: list[Part], nodes: dict[int, list[int]],
        transport: str, due_us: int,
    ) -> None:  # fmt: skip
        """Plan an upgrade of some nodes, by bridge, at a moment [us]; NEVER for after another."""
        self.due_us = due_us
        self.follower: Upgrade | None = None
        self._hosts, self._devices, self._parts = hosts, devices, parts
        self._nodes, self.transport = nodes, transport
        self.records = {node: Record(node) for some in nodes.values() for node in some}
        self.began_us = self.ended_us = NEVER
        self._part = -1
        self._transfers: list[Transfer] = []
        self._under_way = 0
        self.is_cancelled = False
        self.rounds = 0

    @property
    def status(self) -> str:
        """Whether it is still to come, under way, done or cancelled."""
        if self.ended_us != NEVER:
            return "cancelled" if self.is_cancelled else "done"
        return "planned" if self.began_us == NEVER else "running"

    @property
    def part(self) -> Part:
        """What is under way."""
        return self._parts[self._part]

    def start(self, now_us: int) -> None:
        """Begin with the first part."""
        self.due_us = self.began_us = now_us
        # Who is not meant is not to answer what all hear.
        others = np.setdiff1d(np.arange(self._hosts.plan.nodes), [*self.records])
        self._hosts.engine.mark(others, Mark.COMPLETE, True)
        self._next_part(now_us)

    def cancel(self, now_us: int) -> None:
        """Stop; who is not through stays as it is, without script where it was erased."""
        self.is_cancelled = True
        kind = self._parts[max(self._part, 0)].kind
        for record in self.records.values():
            if record.outcome == "pending":
                record.outcome, record.reason, record.done_us = "cancelled", "cancelled", now_us
                record.failed = kind
        self.ended_us = now_us
        if self.began_us != NEVER:  # else who waits for it waits for what it waits for
            self.go_on(now_us)

    def _next_part(self, now_us: int) -> None:
        """Bring the next part to all that did not fail, or end."""
        self._part += 1
        pending = {
            bridge: [n for n in some if self.records[n].outcome == "pending"]
            for bridge, some in self._nodes.items()
        }
        pending = {bridge: some for bridge, some in pending.items() if some}
        if self._part == len(self._parts) or not pending:
            for record in self.records.values():
                if record.outcome == "pending":
                    record.outcome = "success"
            self.ended_us = now_us
            self.go_on(now_us)
            return
        chunks = chunk_count(self.part.size_bytes, self._hosts.mesh.upgrade.chunk_bytes)
        self._under_way = len(pending)
        for bridge, some in pending.items():
            transfer = Transfer(np.array(some, np.int64), self._hosts.plan.nodes, chunks)
            self._transfers.append(transfer)
            self._begin_transfer(bridge, transfer, now_us)

    def go_on(self, now_us: int) -> None:
        """Let the upgrade begin that waits for this one, or who waits for that where it is off."""
        if self.follower is None:
            return
        if self.follower.is_cancelled:
            self.follower.go_on(now_us)
        else:
            self.follower.start(now_us)

    def _begin_transfer(self, bridge: int, transfer: Transfer, now_us: int) -> None:
        """Begin to bring the part to the devices of a bridge."""
        hosts = self._hosts
        if self.transport == "multicast":
            work = MulticastTransfer(hosts, len(hosts.works), self, bridge, transfer)
            hosts.add(work, now_us)
        else:
            self.go_on_by_unicast(bridge, transfer, now_us)

    def go_on_by_unicast(self, bridge: int, transfer: Transfer, now_us: int) -> None:
        """Bring what devices miss to one after the other."""
        hosts = self._hosts
        hosts.add(UnicastTransfer(hosts, len(hosts.works), self, bridge, transfer), now_us)

    def refuses(self, node: int) -> bool:
        """Say whether a node refuses to write."""
        return self._devices.refuses(node)

    def runs_it(self, node: int) -> bool:
        """Say whether a node runs what is being brought."""
        part = self.part
        runs = self._devices.firmware if part.kind == "firmware" else self._devices.image
        return runs[node] == part.name

    def erase(self, nodes: list[int]) -> None:
        """Nodes have erased their script: they know no function by name."""
        if nodes:
            self._hosts.engine.mark(np.array(nodes, np.int64), Mark.NO_SCRIPT, True)
        for node in nodes:
            self._devices.image[node] = ""

    def restart(self, nodes: list[int], now_us: int) -> None:
        """Nodes that have all chunks restart, and run what they got if they can."""
        if not nodes:
            return
        part, devices, hosts = self.part, self._devices, self._hosts
        which = np.array(nodes, np.int64)
        hosts.restart(nodes, hosts.mesh.upgrade.reboot_us, now_us)
        if part.kind == "firmware":
            for node in nodes:
                if not devices.fails_to_take_firmware(node):
                    devices.firmware[node] = part.name
            return
        for node in nodes:
            devices.image[node] = part.name
        hosts.engine.mark(which, Mark.NO_SCRIPT, False)

    def settle(self, node: int, transfer: Transfer, reason: str, now_us: int) -> None:
        """Note what became of a device: an empty reason is success."""
        record, place = self.records[node], transfer.place[node]
        if record.outcome != "pending" or transfer.is_settled[place]:
            return
        first_us, last_us = int(transfer.first_us[place]), int(transfer.last_us[place])
        if record.first_us < 0 and first_us != NEVER:
            record.first_us = first_us
        record.last_us = max(record.last_us, last_us)
        held_bytes = int(transfer.has[place].sum()) * self._hosts.mesh.upgrade.chunk_bytes
        record.received_bytes += min(held_bytes, self.part.size_bytes)
        record.done_us = now_us
        transfer.is_settled[place] = True
        if reason:
            record.outcome, record.reason, record.failed = "failure", reason, self.part.kind
        elif self._part == len(self._parts) - 1:
            record.outcome = "success"

    def forget(self, nodes: NDArray[np.int64]) -> None:
        """Nodes lost their power: what they were taking is lost, and their old script is erased."""
        for transfer in self._transfers:
            places = transfer.place[nodes]
            places = places[places >= 0]
            places = places[~transfer.is_settled[places]]
            transfer.has[places] = False
            transfer.erased[places] = False

    def end_transfer(self, now_us: int) -> None:
        """A bridge is through with the part."""
        self._under_way -= 1
        if self._under_way == 0 and not self.is_cancelled:
            self._next_part(now_us)
