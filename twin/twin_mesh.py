"""What an open twin says of its mesh, and what can be sent over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.coexistence import band_row
from twin.analysis.hosts import hosts_row
from twin.analysis.mesh import mesh_row
from twin.commands import Command, SendMulticast
from twin.errors import RunError
from twin.events import Cause, MeshKind, MessageKind
from twin.mesh import images
from twin.mesh.topology import (
    articulation_nodes,
    bridges,
    cut_off,
    expected_reach,
    hop_counts,
    make_graph,
)
from twin.units import parse_duration

if TYPE_CHECKING:
    import networkx as nx

    from twin.store import KeptRows
    from twin.world.network import Network
    from twin.world.site import Site

__all__ = ["MeshTwin"]

_NOTHING = -1


class _Shape:
    """What the mesh looks like as long as no node moves to another network."""

    def __init__(self, network: Network) -> None:
        """Look at nothing yet."""
        self._nodes, self._plan = network.nodes, network.plan
        self.moves = network.moves

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """The mesh as a directed graph."""
        return make_graph(self._nodes, self._plan)

    @cached_property
    def cut_off(self) -> dict[str, str]:
        """Why no bridge reaches a node, for every such node."""
        return {item.name: item.why for item in cut_off(self._nodes, self._plan)}


class MeshTwin:
    """The mesh's part of an open twin."""

    _last_shape: _Shape | None = None

    if TYPE_CHECKING:  # what the rest of the twin has
        record: str
        _site: Site
        _mesh_rows: KeptRows

        @property
        def now_us(self) -> int:
            """The simulated moment [us]."""

        def submit(self, asked: Command) -> None:
            """Ask something of the site."""

    @property
    def network(self) -> Network:
        """The mesh in time, with the hosts behind its bridges."""
        return self._site.network

    def _take_mesh(self, chunk: NDArray[np.void]) -> None:
        """Keep a chunk of the mesh's rows, if rows are kept; the engine counts by itself."""
        if self.record == "rows":
            self._mesh_rows.add(chunk)

    @property
    def mesh(self) -> nx.DiGraph[str]:
        """The mesh as a directed graph: nodes by name, an edge for each link over which they hear.

        See ``twin.mesh.topology.make_graph`` for what nodes and edges know.
        """
        return self._shape.graph

    @property
    def _cut_off(self) -> dict[str, str]:
        """Why no bridge reaches a node, for every such node."""
        return self._shape.cut_off

    @property
    def _shape(self) -> _Shape:
        """What the mesh looks like since nodes moved to other networks last."""
        if self._last_shape is None or self._last_shape.moves != self.network.moves:
            self._last_shape = _Shape(self.network)
        return self._last_shape

    def nodes(self) -> pd.DataFrame:
        """Return the nodes of the mesh, one line each, with what their radios did so far.

        ``hops`` is the least number from a bridge over usable links, -1 for a node that none
        reaches, and ``cut_off`` why; without an ``articulation`` node others would lose each other.
        Times are in [us], places in [m]; the frame is empty where there is no mesh.
        """
        nodes, use = self.network.nodes, self.network.engine.use()
        hops = hop_counts(self.network.plan, bridges(nodes))
        articulation = set(articulation_nodes(self.mesh))
        frame = pd.DataFrame({
            "node": [node.name for node in nodes],
            "address": [node.address for node in nodes],
            "group": [node.group for node in nodes],
            "is_bridge": np.array([node.is_bridge for node in nodes], bool),
            "x_m": np.array([node.x_m for node in nodes], float),
            "y_m": np.array([node.y_m for node in nodes], float),
            "channel": np.array([node.network.channel for node in nodes], np.int64),
            "network_id": [f"0x{node.network.network_id:04X}" for node in nodes],
            "hops": hops,
            "articulation": np.array([node.name in articulation for node in nodes], bool),
            "cut_off": [self._cut_off.get(node.name, "") for node in nodes],
        })  # fmt: skip
        for name in use.dtype.names or ():
            frame[name] = use[name]
        frame["heard_air_us"] = self.network.heard_us()
        return frame

    def links(self) -> pd.DataFrame:
        """Return the links of the mesh, one line for each direction.

        ``link_quality`` in [-dBm], ``level_dbm`` in [dBm], mean ``reception`` of a frame in [1].
        """
        columns = ["start", "end", "link_quality", "level_dbm", "reception"]
        rows = [
            (a, b, facts["link_quality"], facts["level_dbm"], facts["reception"])
            for a, b, facts in self.mesh.edges(data=True)
        ]
        return pd.DataFrame(rows, columns=columns)

    def expected_reach(self, source: str, ttl: int = 5, *, payload_bytes: int = 20) -> pd.Series:
        """Return which share of the other nodes a flood reaches on average, by hops [1].

        Every node sends once and nothing collides: see ``twin.mesh.topology.expected_reach``.

        Parameters
        ----------
        source, ttl
            Where the flood begins, and how many hops it goes at most [1].
        payload_bytes
            How long the message is [B].

        Raises
        ------
        RunError
            There is no such node.
        """
        names = [node.name for node in self.network.nodes]
        if source not in names:
            raise RunError(f"no node of the mesh is called {source!r}", hint="nodes() lists them")
        plan, mac = self.network.plan, self.network.plan.mac[0]
        frame_bytes = payload_bytes + int(mac["overhead_bytes"])
        shares = expected_reach(plan, names.index(source), ttl, frame_bytes=frame_bytes)
        return pd.Series(shares, index=pd.RangeIndex(1, ttl + 1, name="hops"), name="share")

    def multicast(
        self,
        source: str | None = None,
        *,
        ttl: int = 3,
        groups: int = 1,
        payload_bytes: int = 20,
        to: Sequence[str] = (),
        reply_bytes: int = 0,
        reply_window: str = "1 s",
        delay_factor: int = 1,
    ) -> int:
        """Multicast a message over the mesh now; return its number in ``messages()``.

        Parameters
        ----------
        source
            The node that sends, or the bridge whose host does; the first bridge by default.
        ttl, groups
            How many hops it goes at most [1], and the mask of groups that it is for.
        payload_bytes
            How long it is [B].
        to
            Nodes and groups of nodes, for a directed multicast.
        reply_bytes, reply_window, delay_factor
            How long an answer is [B], 0 for none; within which window nodes choose a moment for
            it; and what a directed one staggers answers by.

        Raises
        ------
        RunError
            There is no mesh, no such node, or the message fits into no packet.
        """
        names = [node.name for node in self.network.nodes]
        number = len(self.network.engine.messages())
        self.submit(SendMulticast(
            source=source if source is not None else (names or [""])[0],
            groups=groups,
            ttl=ttl,
            payload_bytes=payload_bytes,
            to=(to,) if isinstance(to, str) else tuple(to),
            reply_bytes=reply_bytes,
            reply_window_us=parse_duration(reply_window),
            delay_factor=delay_factor,
        ))  # fmt: skip
        return number

    @staticmethod
    def make_image(name: str, size_bytes: int) -> bytes:
        """Return a SPY file of a made-up script; see ``twin.mesh.images`` for its format.

        The same name and size give the same bytes.

        Parameters
        ----------
        name
            What the script is called: 1 to 64 printable ASCII characters without slashes.
        size_bytes
            How long the script is, 1 to the 59,904 that a node has room for [B].

        Raises
        ------
        ImageError
            Such a name or size cannot be.
        """
        return images.make_image(name, size_bytes)

    def messages(self) -> pd.DataFrame:
        """Return the messages so far, one line each; the index is the number that events name.

        ``target`` is who a unicast goes to, and ``asked`` the message that an answer is for, empty
        for others; ``heard`` counts the nodes
        that have it, ``reach`` is their share of the ``others`` in the source's network [1], and
        ``last_us`` when a node processed it last [us].
        """
        found = self.network.engine.messages()
        others = self.network.others(found["source"])
        kinds = {member.value: member.name.lower() for member in MessageKind}
        names = np.array([*(node.name for node in self.network.nodes), ""], object)
        frame = pd.DataFrame({
            "kind": pd.Series(found["kind"]).map(kinds).astype("category"),
            "made_us": found["made_us"],
            "source": names[found["source"]],
            "asked": pd.array(
                np.where(found["asked"] == _NOTHING, 0, found["asked"]), "Int64"
            ),
            "target": names[found["target"]],  # -1 is the last: no name
            "ttl": found["ttl"],
            "groups": found["groups"],
            "directed": found["end_to"] - found["first_to"],
            "frame_bytes": found["frame_bytes"],
            "sent": found["sent"],
            "heard": found["heard"],
            "processed": found["processed"],
            "dropped": found["dropped"],
            "others": others,
            "reach": found["heard"] / np.maximum(1, others),
            "last_us": found["last_us"],
        })  # fmt: skip
        frame.loc[found["asked"] == _NOTHING, "asked"] = pd.NA
        frame.index.name = "message"
        return frame

    def mesh_rows(self) -> NDArray[np.void]:
        """Return all rows of the mesh so far as one array of ``twin.events.MESH_EVENT``.

        Raises
        ------
        RunError
            The twin was opened with ``record="kpis"``.
        """
        return self._kept(self._mesh_rows)

    def _kept(self, rows: KeptRows) -> NDArray[np.void]:
        """Return rows in one piece, or refuse where none are kept."""
        if self.record != "rows":
            raise RunError(
                'this twin keeps no rows: it was opened with record="kpis"',
                hint='open it with record="rows"',
            )
        return rows.whole()

    def mesh_events(self, kind: str | None = None) -> pd.DataFrame:
        """Return the mesh's events so far as a tidy frame, one line each; times in [us].

        Parameters
        ----------
        kind
            Only this kind: sent, heard, dropped or acked.

        Raises
        ------
        RunError
            A kind that does not exist, or rows are not kept.
        """
        rows = self.mesh_rows()
        if kind is not None:
            if kind.upper() not in MeshKind.__members__:
                kinds = ", ".join(member.name.lower() for member in MeshKind)
                raise RunError(f"no kind of mesh event is called {kind!r}; there are {kinds}")
            rows = rows[rows["kind"] == MeshKind[kind.upper()]]
        names = np.array([*(node.name for node in self.network.nodes), ""], object)
        frame = pd.DataFrame({
            name: rows[name] for name in rows.dtype.names or () if name not in {"kind", "cause"}
        })  # fmt: skip
        frame["node"] = names[rows["node"]]
        frame["peer"] = names[rows["peer"]]  # -1 is the last: no name
        for name, words in (("kind", MeshKind), ("cause", Cause)):
            texts = {member.value: member.name.lower() for member in words}
            frame[name] = pd.Series(rows[name]).map(texts).astype("category")
        return frame

    def mesh_kpis(self) -> Iterator[pd.DataFrame]:
        """Yield the key figures of the mesh as one row, and those of the band that it shares."""
        if self.network.nodes:
            engine = self.network.engine
            use, cut = engine.use(), len(self._cut_off)
            messages, heard_us = engine.messages(), self.network.heard_us()
            others = self.network.others(messages["source"])
            yield mesh_row(messages, use, heard_us, others, cut, self.now_us)
            yield hosts_row(self.network.jobs, self.network.hosts.lines_lost)
        if self._site.band is not None:
            yield band_row(*self._site.band.figures(self.now_us))
