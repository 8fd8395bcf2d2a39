"""The mesh of a site: its nodes, the engine, and when the scenario's multicasts are due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from twin.analysis.mesh import heard_air_us
from twin.events import NEVER
from twin.mesh.engines import make_mesh
from twin.mesh.links import make_mesh_plan
from twin.mesh.nodes import MeshNode, make_nodes
from twin.mesh.nodes import Network as NodeNetwork
from twin.mesh.plan import empty_wishes
from twin.world.hosts import Hosts, Jobs
from twin.world.polling import first_collectors

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
        self._scenario, self._seed, self._mesh = scenario, seed, scenario.mesh
        self.sink = sink
        self.nodes = make_nodes(scenario, seed)
        self.plan = make_mesh_plan(scenario, self.nodes, seed)
        self.engine = make_mesh(engine, self.plan, keeps_rows=keeps_rows)
        self.moves = 0
        """How often nodes moved to another network so far."""
        self._heard_us = np.zeros(len(self.nodes), np.int64)  # before the last move
        self._air_us = np.zeros(len(self.nodes), np.int64)  # of its own, the same
        self._others = [_others(self.nodes)]
        self._first_of = [0]  # message since each move
        self._index = {node.name: n for n, node in enumerate(self.nodes)}
        self.hosts = Hosts(self._mesh, self.plan, self.engine, self)
        self.jobs = Jobs(self.hosts, self.nodes)
        for asked in first_collectors(scenario, self.plan, self.nodes):
            self.jobs.carry_out(asked, 0)

    def others(self, sources: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return how many other nodes were in the network of the source of each message [1].

        Parameters
        ----------
        sources
            Of all messages so far, shape (messages,).
        """
        which = np.searchsorted(self._first_of, np.arange(len(sources)), side="right") - 1
        return np.stack(self._others)[which, sources]

    def heard_us(self) -> NDArray[np.int64]:
        """Return for how long each node had a sender in reach, shape (nodes,) [us]."""
        air_us = self.engine.use()["air_us"] - self._air_us
        return self._heard_us + heard_air_us(self.plan.first_link, self.plan.links["end"], air_us)

    def of(self, node: int) -> NodeNetwork:
        """Return the network of a node."""
        return self.nodes[node].network

    def move(self, to: dict[int, NodeNetwork]) -> None:
        """Let nodes be in other networks from now on."""
        to = {node: network for node, network in to.items() if network != self.of(node)}
        if not to:
            return
        self._heard_us, self._air_us = self.heard_us(), self.engine.use()["air_us"]
        self.nodes = tuple(
            replace(node, network=to[n]) if n in to else node for n, node in enumerate(self.nodes)
        )
        self.plan = self.hosts.plan = make_mesh_plan(self._scenario, self.nodes, self._seed)
        self.engine.rewire(self.plan, np.array(sorted(to), np.int64))
        self._others.append(_others(self.nodes))
        self._first_of.append(self.engine.count)
        self.moves += 1

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
                self.sink(chunk)
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


def _others(nodes: Sequence[MeshNode]) -> NDArray[np.int64]:
    """Return how many other nodes are in each node's network, shape (nodes,) [1]."""
    sizes = Counter(node.network for node in nodes)
    return np.array([sizes[node.network] - 1 for node in nodes], np.int64)
