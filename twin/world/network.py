"""The mesh of a site: its nodes, the engine, and when the scenario's multicasts are due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from twin.events import NEVER
from twin.mesh.engines import make_mesh
from twin.mesh.links import make_mesh_plan
from twin.mesh.nodes import make_nodes
from twin.mesh.plan import empty_wishes
from twin.world.hosts import Hosts, Jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from twin.commands import SendMulticast
    from twin.scenario import Multicast, Scenario


class Network:
    """The mesh in time; rows go to ``sink`` in order, in chunks."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        engine: str,
        sink: Callable[[NDArray[np.void]], None],
        *,
        keeps_rows: bool,
    ) -> None:
        """Build the mesh at its first moment.

        Parameters
        ----------
        scenario, seed, engine
            What to simulate, with which luck, by which engine.
        sink
            Takes the rows.
        keeps_rows
            Whether the sink keeps what it is given; else a chunk is only good until the next.
        """
        self._mesh = scenario.mesh
        self._sink = sink
        self.nodes = make_nodes(scenario, seed)
        self.plan = make_mesh_plan(scenario, self.nodes, seed)
        self.engine = make_mesh(engine, self.plan, keeps_rows=keeps_rows)
        sizes = Counter(node.network for node in self.nodes)
        self.others = np.array([sizes[node.network] - 1 for node in self.nodes], np.int64)
        """How many other nodes are in each node's network, shape (nodes,) [1]."""
        self._index = {node.name: n for n, node in enumerate(self.nodes)}
        self.hosts = Hosts(self._mesh, self.plan, self.engine)
        self.jobs = Jobs(self.hosts, self.nodes)

    def due_us(self, item: int, from_us: int) -> int:
        """Return when a multicast of the scenario is next due, from a moment on [us]."""
        multicast = self._mesh.multicasts[item]
        late_us = max(0, from_us - multicast.after_us)
        return multicast.after_us + -(-late_us // multicast.every_us) * multicast.every_us

    @property
    def next_us(self) -> int:
        """When something happens next on the mesh or at a host, NEVER for not at all [us]."""
        return min(self.engine.next_us, self.hosts.next_us)

    def run(self, until_us: int) -> None:
        """Let the mesh and the hosts behind its bridges come up to a moment."""
        while True:
            due_us = min(self.hosts.next_us, until_us)
            for chunk in self.engine.advance(due_us):
                self._sink(chunk)
                self.hosts.see(chunk)
            if self.engine.halted_us != NEVER:
                continue
            if due_us >= until_us:
                break
            self.hosts.happen()

    def send(self, asked: Multicast | SendMulticast, now_us: int) -> None:
        """Multicast a message now; the mesh has come up to this moment."""
        to = [self._index[name] for name in self.addressees(asked.to)]
        wish = empty_wishes(1)
        for name in (
            "groups", "ttl", "payload_bytes", "reply_bytes", "reply_window_us", "delay_factor",
        ):  # fmt: skip
            wish[name] = getattr(asked, name)
        wish["source"], wish["end_to"] = self._index[asked.source], len(to)
        self.engine.offer(wish, np.array(to, np.int32), now_us)

    def addressees(self, names: Sequence[str]) -> list[str]:
        """Return the nodes that names of nodes and groups stand for, each once, in order."""
        found = [node for name in names for node in self._mesh.named(name)]
        return list(dict.fromkeys(found))
