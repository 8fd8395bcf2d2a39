"""A network changes over the air: its nodes are told, restart together, and the bridge follows.

What a node keeps of new settings counts from its next restart on (SNAPcore, non-volatile
parameters). Who misses the settings, or the word to restart, is left in the old network, and the
bridge is gone: it is stranded until the bridge comes back, or the node restarts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.events import NEVER
from twin.world.hosts.work import Call, Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twin.commands import ChangeNetwork
    from twin.mesh.nodes import Network
    from twin.world.hosts.hosts import Hosts

_SETTINGS, _RESTART = -1, -2
_NEXT, _GO_DOWN, _FOLLOW, _LOOK = range(4)  # what it is woken for
NOT_TOLD, NOT_RESTARTED = "missed the settings", "missed the restart"


@dataclass
class Moved:
    """What a change did to one node; ``reason`` is empty where it went along."""

    node: int
    outcome: str = "pending"  # changed, stranded
    reason: str = ""
    told_us: int = -1


class NetworkChange(Work):
    """A change of one network, with all bridges that are in it."""

    def __init__(
        self, hosts: Hosts, number: int, bridges: list[int], asked: ChangeNetwork, due_us: int
    ) -> None:
        """Plan it for the bridges of a network and all that is in it, at a moment [us]."""
        self.due_us = due_us
        self._hosts, self._number, self.bridges = hosts, number, bridges
        self._asked = asked
        self._take_up()
        self.began_us = self.ended_us = NEVER
        self._to_say: list[int] = []
        self._go: set[int] = set()  # who heard to restart

    @property
    def status(self) -> str:
        """Whether it is still to come, under way or done."""
        if self.ended_us != NEVER:
            return "done"
        return "planned" if self.began_us == NEVER else "running"

    def _take_up(self) -> None:
        """Note who is in the bridges' network, and which is to be theirs."""
        plan, networks = self._hosts.plan, self._hosts.networks
        old = networks.of(self.bridges[0])
        self.network = changed(old, self._asked)
        mine = [n for n in range(plan.nodes) if networks.of(n) == old and not plan.is_bridge[n]]
        self.records = {node: Moved(node) for node in mine}

    def begin(self, now_us: int) -> None:
        """Say the settings, and to restart, some times each."""
        self._take_up()  # another change may have come between
        self.began_us = now_us
        times = self._hosts.mesh.change.announces
        self._to_say = [_RESTART] * times + [_SETTINGS] * times  # the last comes first
        self.woken(_NEXT, now_us)

    def woken(self, tag: int, now_us: int) -> None:
        """The next thing is to be said, or it is time to restart, to follow, or to look."""
        change, reboot_us = self._hosts.mesh.change, self._hosts.mesh.upgrade.reboot_us
        if tag == _NEXT and self._to_say:
            self._say(self._to_say.pop(), now_us)
            self._hosts.wake(
                self._number, _NEXT if self._to_say else _GO_DOWN, now_us + change.spacing_us
            )
        elif tag == _GO_DOWN:
            self._hosts.restart(sorted(self._go), reboot_us, now_us)
            self._hosts.wake(self._number, _FOLLOW, now_us + reboot_us + change.margin_us)
        elif tag == _FOLLOW:
            for bridge in self.bridges:
                self._hosts.save(bridge, self.network)
            self._hosts.restart(self.bridges, reboot_us, now_us)
            self._hosts.wake(self._number, _LOOK, now_us + reboot_us + 1)
        else:
            self._look(now_us)

    def _say(self, item: int, now_us: int) -> None:
        """Multicast the settings, or to restart."""
        change = self._hosts.mesh.change
        size = change.settings_bytes if item == _SETTINGS else change.restart_bytes
        for bridge in self.bridges:
            call = Call(bridge, payload_bytes=size, ttl=change.ttl)
            self._hosts.say(self._number, item, call, now_us)

    def received(self, item: int, source: int, rows: NDArray[np.void]) -> None:
        """Nodes heard the settings, which they keep, or to restart."""
        del source
        for node, time_us in rows[["node", "time_us"]].tolist():
            record = self.records.get(node)
            if record is None:
                continue
            if item == _RESTART:
                self._go.add(node)
            elif record.told_us < 0:
                record.told_us = time_us
                self._hosts.save(node, self.network)

    def _look(self, now_us: int) -> None:
        """Note who went along; a node that is off without having restarted did not."""
        self.ended_us = now_us
        for node, record in self.records.items():
            if self._hosts.networks.of(node) == self.network:
                record.outcome = "changed"
            else:
                record.outcome = "stranded"
                record.reason = NOT_TOLD if record.told_us < 0 else NOT_RESTARTED


def changed(old: Network, asked: ChangeNetwork) -> Network:
    """Return a network with what is asked for instead of what it has."""
    new: dict[str, Any] = {
        "channel": asked.channel,
        "network_id": None if asked.network_id is None else int(asked.network_id, 16),
        "encryption": asked.encryption,
        "key": asked.encryption_key,
        "feature_bits": asked.feature_bits,
    }
    return old._replace(**{name: value for name, value in new.items() if value is not None})
