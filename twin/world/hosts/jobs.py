"""What hosts are asked to do: surveys, polls and upgrades, those of the scenario to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.commands import (
    CancelUpgrade,
    ChangeNetwork,
    CutPower,
    SetCollector,
    StartSurvey,
    StartUpgrade,
    StartUpgrades,
)
from twin.events import NEVER
from twin.mesh.images import firmware, make_image, read_image, script_of
from twin.mesh.topology import hop_counts
from twin.scenario import NETWORK_FIELDS, NODE_PLATFORM, usual_collector
from twin.world.hosts.change import NetworkChange
from twin.world.hosts.collector import Collector
from twin.world.hosts.devices import Devices, Part
from twin.world.hosts.survey import Survey
from twin.world.hosts.upgrade import Upgrade
from twin.world.hosts.work import Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.mesh.nodes import MeshNode
    from twin.world.hosts.hosts import Hosts


class Jobs:
    """The surveys, collectors and upgrades of a mesh, in the order in which they were asked for."""

    def __init__(self, hosts: Hosts, nodes: Sequence[MeshNode]) -> None:
        """Take up what the scenario plans."""
        self._hosts, self._nodes, mesh = hosts, nodes, hosts.mesh
        self._index = {node.name: n for n, node in enumerate(nodes)}
        self._bridge_of: list[int] | None = None
        self._moves = 0  # of nodes to other networks when that was found
        self.devices = Devices(hosts.plan, mesh.upgrade, nodes)
        self.surveys: list[Survey] = []
        self.collectors: list[Collector] = []
        self.upgrades: list[Upgrade] = []
        self.changes: list[NetworkChange] = []
        self._line: list[Upgrade] = []  # that go one after the other
        self.polled: dict[str, SetCollector] = {}
        """What users set collectors to, by name."""
        self._set: dict[str, Collector] = {}  # what polls so
        for survey in mesh.surveys:
            self.survey(survey.generation or mesh.survey.generation, survey.after_us)
        for facts in mesh.collectors:
            work = Collector(hosts, len(hosts.works), facts, self.by_bridge(facts.devices))
            self.collectors.append(work)
            hosts.add(work, facts.after_us)
        for item in mesh.upgrades:
            made = make_image(item.image, item.size_bytes) if item.image else None
            crc = read_image(made).crc if made else 0
            parts = self.parts(item.firmware, item.image, item.size_bytes, crc)
            transport = item.transport or mesh.upgrade.transport
            self.upgrade(parts, item.devices, transport, item.after_us)
        for change in mesh.changes:
            new = {name: getattr(change, name) for name in NETWORK_FIELDS}
            self.change(ChangeNetwork(bridges=change.bridges, **new), change.after_us)

    @property
    def bridges(self) -> list[int]:
        """The nodes behind which there is a host."""
        return [n for n, node in enumerate(self._nodes) if node.is_bridge]

    def by_bridge(self, names: Sequence[str]) -> dict[int, list[int]]:
        """Return the nodes of some names, all but bridges where none is given, by their bridge.

        That is the nearest by hops within the network; who is out of reach belongs to the first.
        """
        wanted = [name for item in names for name in self._hosts.mesh.named(item)]
        nodes = [self._index[name] for name in dict.fromkeys(wanted)]
        nodes = nodes or [n for n, node in enumerate(self._nodes) if not node.is_bridge]
        if self._bridge_of is None or self._moves != self._hosts.networks.moves:
            self._bridge_of = self._nearest_bridges()
            self._moves = self._hosts.networks.moves
        found: dict[int, list[int]] = {}
        for node in nodes:
            found.setdefault(self._bridge_of[node], []).append(node)
        return found

    def _nearest_bridges(self) -> list[int]:
        """Return the bridge of every node."""
        bridges = self.bridges
        hops = np.array([hop_counts(self._hosts.plan, [bridge]) for bridge in bridges])
        hops = np.where(hops < 0, np.iinfo(np.int64).max, hops)
        return [bridges[k] for k in np.argmin(hops, axis=0).tolist()]

    def survey(self, generation: str, begin_us: int) -> int:
        """Survey the mesh from a moment on [us]; return the survey's number."""
        work = Survey(self._hosts, len(self._hosts.works), generation, self.bridges)
        self._hosts.add(work, begin_us)
        self.surveys.append(work)
        return len(self.surveys) - 1

    def parts(self, version: str, image: str, size_bytes: int, crc: int) -> list[Part]:
        """Return what an upgrade brings, firmware first.

        Raises
        ------
        ImageError
            There is no such firmware.
        """
        found = []
        if version:
            package = firmware(NODE_PLATFORM, version)
            found.append(Part("firmware", version, package.size_bytes))
        if image:
            found.append(Part("image", script_of(image, crc), size_bytes))
        return found

    def upgrade(
        self, parts: list[Part], names: Sequence[str], transport: str, begin_us: int
    ) -> int:
        """Upgrade devices from a moment on [us]; return the upgrade's number."""
        nodes = self.by_bridge(names)
        if transport == "auto":
            many = sum(map(len, nodes.values())) >= self._hosts.mesh.upgrade.multicast_from
            transport = "multicast" if many else "unicast"
        upgrade = Upgrade(self._hosts, self.devices, parts, nodes, transport, begin_us)
        self.upgrades.append(upgrade)
        if begin_us != NEVER:
            self._hosts.add(_Start(upgrade), begin_us)
        return len(self.upgrades) - 1

    def _upgrade_one_by_one(self, asked: StartUpgrades, now_us: int) -> None:
        """Upgrade devices, each upgrade when the one before is over."""
        for one in asked.upgrades:
            self._line = [upgrade for upgrade in self._line if upgrade.ended_us == NEVER]
            begin_us = NEVER if self._line else now_us
            parts = self.parts(one.firmware, one.image, one.size_bytes, one.crc)
            number = self.upgrade(parts, one.devices, one.transport, begin_us)
            if self._line:  # who stood behind the last and was cancelled is left out
                self._line[-1].follower = self.upgrades[number]
            self._line.append(self.upgrades[number])

    def _set_collector(self, asked: SetCollector, now_us: int) -> None:
        """Let a collector poll devices from now on, instead of the one of the same name."""
        before = self._set.pop(asked.name, None)
        if before is not None:
            before.stop()
            del self.polled[asked.name]
        if not asked.devices:
            return
        few = self.by_bridge(asked.devices[: asked.limit]) if asked.limit else {}
        work = Collector(
            self._hosts, len(self._hosts.works), usual_collector(asked.name, asked.every_us),
            self.by_bridge(asked.devices), few, asked.unlimited_until_us,
        )  # fmt: skip
        self._set[asked.name], self.polled[asked.name] = work, asked
        self.collectors.append(work)
        self._hosts.add(work, now_us)

    def change(self, asked: ChangeNetwork, begin_us: int) -> list[int]:
        """Change networks from a moment on [us]; return the numbers of the changes, one for each.

        All bridges of a network go along, named or not.
        """
        hosts, networks = self._hosts, self._hosts.networks
        bridges = [self._index[name] for name in asked.bridges] or self.bridges
        found = []
        for old in dict.fromkeys(networks.of(bridge) for bridge in bridges):
            mine = [bridge for bridge in self.bridges if networks.of(bridge) == old]
            work = NetworkChange(hosts, len(hosts.works), mine, asked, begin_us)
            hosts.add(work, begin_us)
            self.changes.append(work)
            found.append(len(self.changes) - 1)
        return found

    def under_way(self, now_us: int) -> str:
        """Return what has begun, or begins now, and is not over, "" for nothing."""
        for what, works in (("an upgrade", self.upgrades), ("a change", self.changes)):
            if any(_is_under_way(work, now_us) for work in works):
                return what
        return ""

    def is_changing(self, now_us: int) -> bool:
        """Say whether nodes are being told of another network."""
        return any(_is_under_way(change, now_us) for change in self.changes)

    def busy(self, names: Sequence[str]) -> str:
        """Return a device of some names that an upgrade is under way for, "" for none."""
        wanted = {node for nodes in self.by_bridge(names).values() for node in nodes}
        for upgrade in self.upgrades:
            if upgrade.status in ("planned", "running"):
                both = wanted & upgrade.records.keys()
                if both:
                    return self._nodes[min(both)].name
        return ""

    def carry_out(
        self, asked: StartSurvey | StartUpgrade | StartUpgrades | CancelUpgrade | ChangeNetwork
        | CutPower | SetCollector, now_us: int,
    ) -> None:  # fmt: skip
        """Do what users ask of the hosts, now."""
        match asked:
            case StartSurvey():
                self.survey(asked.generation, now_us)
            case StartUpgrade():
                parts = self.parts(asked.firmware, asked.image, asked.size_bytes, asked.crc)
                self.upgrade(parts, asked.devices, asked.transport, now_us)
            case StartUpgrades():
                self._upgrade_one_by_one(asked, now_us)
            case SetCollector():
                self._set_collector(asked, now_us)
            case CancelUpgrade():
                self.upgrades[asked.upgrade].cancel(now_us)
            case ChangeNetwork():
                self.change(asked, now_us)
            case CutPower():
                self._cut_power(asked, now_us)

    def _cut_power(self, asked: CutPower, now_us: int) -> None:
        """Switch nodes off for a while; who was taking an image has to begin anew."""
        names = [name for item in asked.nodes for name in self._hosts.mesh.named(item)]
        nodes = [self._index[name] for name in dict.fromkeys(names)]
        self._hosts.switch_off(nodes, asked.duration_us, now_us)
        for upgrade in self.upgrades:
            upgrade.forget(np.array(nodes, np.int64))


def _is_under_way(work: Upgrade | NetworkChange, now_us: int) -> bool:
    """Say whether something has begun, or begins now, and is not over."""
    begins = work.status == "planned" and work.due_us <= now_us
    return begins or work.status == "running"


class _Start(Work):
    """The moment at which an upgrade begins."""

    def __init__(self, upgrade: Upgrade) -> None:
        """Know which."""
        self._upgrade = upgrade

    def begin(self, now_us: int) -> None:
        """Let it begin, unless it was cancelled before."""
        if self._upgrade.is_cancelled:
            self._upgrade.go_on(now_us)
        else:
            self._upgrade.start(now_us)
