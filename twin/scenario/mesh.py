"""The `[mesh]` section: the SNAP RF mesh, its radio, its nodes, and what is multicast over it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from twin.scenario.base import Count, Finding, Name, Number, Part, refuse
from twin.scenario.measured import Measured
from twin.scenario.mesh_change import (
    Channel,
    Encryption,
    FeatureBits,
    Key,
    MeshChange,
    NetworkChange,
    NetworkId,
)
from twin.scenario.mesh_host import (
    Collector,
    MeshHost,
    MeshSurvey,
    MeshUpgrade,
    SizeBytes,
    Survey,
    Upgrade,
    packets_too_long,
    software_findings,
)
from twin.scenario.mesh_routing import Attempts, MeshRouting
from twin.scenario.quantities import (
    DurationUs,
    Fraction,
    LengthM,
    LevelDb,
    PositiveDurationUs,
    PowerDbm,
)
from twin.scenario.site import doubles

__all__ = [
    "Bridge",
    "Member",
    "Mesh",
    "MeshMac",
    "MeshRadio",
    "Multicast",
    "NodeGroup",
]

NODES_OF_A_BRIDGE = 1000
"""How many nodes one bridge serves (Synapse: 1,000 devices for each site controller)."""
MOST_NODES = 65_536
"""How many nodes there can be: the address of a node has 3 bytes, a key of the engine 16 bits."""
LONGEST_FRAME_BYTES = 127
"""The longest frame of IEEE 802.15.4 [B]."""
ADDRESS_BYTES = 3
"""What each node that is named takes of a packet [B]."""

Groups = Annotated[int, Field(strict=True, ge=0, le=0xFFFF)]
Ttl = Annotated[int, Field(strict=True, ge=1, le=255)]
Bytes = Annotated[int, Field(strict=True, ge=0, le=127)]
Tries = Annotated[int, Field(strict=True, ge=0, le=255)]
Frames = Annotated[int, Field(strict=True, ge=1, le=64)]
Switch = Annotated[bool, Field(strict=True)]
Exponent = Annotated[Number, Field(ge=1.0, le=8.0)]
Channels = tuple[Channel, ...]


class MeshRadio(Part):
    """How far the radio of a node reaches; levels [dBm], spreads and losses [dB].

    The level falls with the log-distance law, by `wall_loss_db` for each wall on
    the way, and varies around it: for each pair of nodes (`shadowing_db`), for
    each pair and channel (`fading_db`), for each node as sender and as receiver
    (`node_offset_db`), and for each direction (`direction_db`).

    At `cliff_dbm` noise takes every other frame of `reference_bytes`; the cliff
    is `cliff_width_db` wide. On `interfered_channels` Wi-Fi takes a share
    `interference` of frames at -88 dBm more. `meter_error_db` is the spread of
    the nodes' own meters, which show no level below `meter_floor_dbm`.
    """

    transmit_power_dbm: PowerDbm
    path_loss_exponent: Exponent
    reference_loss_db: LevelDb
    shadowing_db: LevelDb
    fading_db: LevelDb
    node_offset_db: LevelDb
    direction_db: LevelDb
    wall_loss_db: LevelDb
    sensitivity_dbm: PowerDbm
    cliff_dbm: PowerDbm
    cliff_width_db: LevelDb
    reference_bytes: Annotated[int, Field(strict=True, ge=1, le=127)]
    interference: Fraction
    interfered_channels: Channels
    residual_loss: Fraction
    meter_error_db: LevelDb
    meter_floor_dbm: PowerDbm

    @model_validator(mode="after")
    def _has_a_cliff(self) -> Self:
        if self.cliff_width_db == 0.0:
            refuse([Finding("cliff_width", "out of range", "0 dB", "above 0 dB")])
        return self


class MeshMac(Part):
    """When a node sends, and what it hears while others do.

    With `jitter` a sender waits a random number of slots within
    `send_jitter_us`, one that forwards waits `forward_delay_us` and then within
    `forward_jitter_us` [us]. With `carrier_sense` a sender listens first, tries
    `busy_tries` times again where it hears more than `busy_dbm`, and begins
    `turnaround_us` [us] after it heard nothing; with
    `collision_detect` it repeats a multicast up to `resends` times when it hears
    another sender as it ends.

    Each hop of a unicast is tried `attempts` times; who receives it acknowledges
    with `ack_bytes` [B], for which the sender waits `ack_wait_us` [us].

    A frame is received among others if it is `capture_db` stronger than all of
    them together; for `capture_window_us` [us] after its start a stronger one
    may take the receiver over.
    """

    jitter: Switch
    carrier_sense: Switch
    collision_detect: Switch
    slot_us: PositiveDurationUs
    send_jitter_us: DurationUs
    forward_delay_us: DurationUs
    forward_jitter_us: DurationUs
    busy_dbm: PowerDbm
    busy_tries: Tries
    turnaround_us: DurationUs
    resends: Tries
    capture_db: LevelDb
    capture_window_us: DurationUs
    buffers: Frames
    remembered: Frames
    attempts: Attempts
    ack_bytes: Bytes
    ack_wait_us: DurationUs
    packet_bytes: Bytes
    header_bytes: Bytes
    unicast_header_bytes: Bytes
    frame_bytes: Bytes
    delay_factor_us: DurationUs

    @property
    def longest_payload_bytes(self) -> int:
        """What fits into one packet beside the header of a multicast [B]."""
        return self.packet_bytes - self.header_bytes

    @property
    def longest_unicast_bytes(self) -> int:
        """What fits into one packet beside the header of a unicast [B]."""
        return self.packet_bytes - self.unicast_header_bytes

    @model_validator(mode="after")
    def _fits_a_frame(self) -> Self:
        if self.packet_bytes + self.frame_bytes > LONGEST_FRAME_BYTES:
            given = f"{self.packet_bytes} and {self.frame_bytes}"
            allowed = f"together at most {LONGEST_FRAME_BYTES}"
            refuse([Finding("packet_bytes", "too long for a frame", given, allowed)])
        for name in ("header_bytes", "unicast_header_bytes"):
            if getattr(self, name) > self.packet_bytes:
                given, allowed = (
                    str(getattr(self, name)),
                    f"at most packet_bytes, {self.packet_bytes}",
                )
                refuse([Finding(name, "longer than a packet", given, allowed)])
        return self


class Member(Part):
    """What a node may have of its own; None means as in `[mesh]`.

    It begins with `firmware`, and with the script `image` of `image_bytes` [B].
    """

    process_groups: Groups
    forward_groups: Groups
    channel: Channel | None = None
    network_id: NetworkId | None = None
    feature_bits: FeatureBits | None = None
    encryption: Encryption | None = None
    encryption_key: Key | None = None
    transmit_power_dbm: PowerDbm | None = None
    firmware: str | None = None
    image: str | None = None
    image_bytes: SizeBytes | None = None


class NodeGroup(Member):
    """So many nodes in a zone, on an even grid or at random places."""

    name: Name
    zone: str
    count: Count
    placement: Literal["grid", "random"]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its nodes, in order."""
        return tuple(f"{self.name}-{number + 1:03d}" for number in range(self.count))


class Bridge(Member):
    """The node through which a host reaches the mesh, at (`x_m`, `y_m`) [m].

    What the host sends goes out only for groups that the bridge forwards. Where
    the links are measured its name is one of the measured nodes.
    """

    name: Name
    x_m: LengthM | None = None
    y_m: LengthM | None = None

    @model_validator(mode="after")
    def _stands_somewhere(self) -> Self:
        if (self.x_m is None) != (self.y_m is None):
            missing = "x" if self.x_m is None else "y"
            refuse([Finding(missing, "where does it stand?", "(absent)", "both x and y")])
        return self


class Multicast(Part):
    """A message that the host behind a bridge, or a node, multicasts again and again.

    The first `after_us` after the start, then one `every_us` [us]. With `to` it
    is a directed multicast, for the nodes and groups of nodes named. Who processes
    it answers with `reply_bytes` [B], 0 for nothing: a directed one after its
    place in the list times `delay_factor`, else at a random moment within
    `reply_window_us` [us].
    """

    name: Name
    source: str
    after_us: DurationUs
    every_us: PositiveDurationUs
    groups: Groups
    ttl: Ttl
    payload_bytes: Bytes
    to: tuple[str, ...] = ()
    reply_bytes: Bytes
    reply_window_us: DurationUs
    delay_factor: Tries


class Mesh(Part):
    """The mesh: its network, its radio, who belongs to it, and what is sent over it.

    Without `nodes`, `bridges` or `measured` links there is no mesh.
    """

    channel: Channel
    network_id: NetworkId
    feature_bits: FeatureBits
    encryption: Encryption
    encryption_key: Key
    firmware: str | None = None
    image: str | None = None
    image_bytes: SizeBytes | None = None
    radio: MeshRadio
    mac: MeshMac
    routing: MeshRouting
    host: MeshHost
    survey: MeshSurvey
    upgrade: MeshUpgrade
    change: MeshChange
    nodes: tuple[NodeGroup, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    measured: Measured | None = None
    multicasts: tuple[Multicast, ...] = ()
    surveys: tuple[Survey, ...] = ()
    collectors: tuple[Collector, ...] = ()
    upgrades: tuple[Upgrade, ...] = ()
    changes: tuple[NetworkChange, ...] = ()

    @property
    def node_count(self) -> int:
        """How many nodes there are, bridges included [1]."""
        if self.measured is not None:
            return len(self.measured.names)
        return sum(group.count for group in self.nodes) + len(self.bridges)

    @cached_property
    def node_names(self) -> tuple[str, ...]:
        """The names of all nodes, in the order in which rows number them: bridges first."""
        bridges = [bridge.name for bridge in self.bridges]
        if self.measured is not None:
            return (*bridges, *(name for name in self.measured.names if name not in bridges))
        grouped = (name for group in self.nodes for name in group.names)
        return (*bridges, *grouped)

    @cached_property
    def places_to_name(self) -> frozenset[str]:
        """What a directed multicast may name: nodes and groups of nodes."""
        return frozenset(self.node_names) | {group.name for group in self.nodes}

    def named(self, name: str) -> tuple[str, ...]:
        """The nodes of a group of that name, or the node itself."""
        for group in self.nodes:
            if group.name == name:
                return group.names
        return (name,)

    @property
    def exists(self) -> bool:
        """Whether there is a mesh at all."""
        return self.node_count > 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        findings = doubles("nodes", [group.name for group in self.nodes])
        findings += doubles("bridges", list(self.node_names))
        for name in ("multicasts", "surveys", "collectors", "upgrades", "changes"):
            findings += doubles(name, [item.name for item in getattr(self, name)])
        findings += [*self._sizes(), *self._places(), *self._keys(), *self._payloads()]
        refuse(findings)
        return self

    def _sizes(self) -> Iterator[Finding]:
        nodes, bridges = self.node_count, len(self.bridges)
        if nodes > MOST_NODES:
            yield Finding("nodes", "too many nodes", f"{nodes:,}", f"at most {MOST_NODES:,}")
        elif nodes > bridges * NODES_OF_A_BRIDGE and (nodes > NODES_OF_A_BRIDGE or not bridges):
            needed = -(-nodes // NODES_OF_A_BRIDGE)
            allowed = f"one for each {NODES_OF_A_BRIDGE:,} nodes: {needed}"
            hint = 'add a table: [[mesh.bridges]], name = "bridge", with x and y'
            yield Finding("bridges", "too few bridges", str(bridges), allowed, hint)

    def _places(self) -> Iterator[Finding]:
        if self.measured is None:
            for bridge in self.bridges:
                if bridge.x_m is None:
                    key = f"bridges.{bridge.name}.x"
                    yield Finding(key, "where does it stand?", "(absent)", "x and y in the site")
            return
        if self.nodes:
            what, hint = "given beside measured links", "remove mesh.nodes or mesh.measured"
            yield Finding("nodes", what, str(len(self.nodes)), "one of both", hint)
        for bridge in self.bridges:
            if bridge.name not in self.measured.names:
                known = ", ".join(self.measured.names[:8])
                what = "no such node among the measured"
                key = f"bridges.{bridge.name}.name"
                yield Finding(key, what, bridge.name, f"one of {known}, ...")

    def _keys(self) -> Iterator[Finding]:
        whose: list[tuple[str, Mesh | Member]] = [("", self)]
        whose += [(f"nodes.{group.name}.", group) for group in self.nodes]
        whose += [(f"bridges.{bridge.name}.", bridge) for bridge in self.bridges]
        for prefix, member in whose:
            given = member.firmware, member.image, member.image_bytes
            yield from software_findings(prefix, *given)
            encryption = member.encryption or self.encryption
            key = self.encryption_key if member.encryption_key is None else member.encryption_key
            if encryption != "none" and not key:
                what, hint = "a key is due", 'like encryption_key = "aaaabbbbccccdddd"'
                yield Finding(f"{prefix}encryption_key", what, '""', "16 characters", hint)

    def _payloads(self) -> Iterator[Finding]:
        longest = self.mac.longest_payload_bytes
        yield from packets_too_long(
            self.upgrade, self.survey, self.change, self.collectors,
            self.mac.longest_unicast_bytes, longest,
        )  # fmt: skip
        for item in self.multicasts:
            named = len({node for name in item.to for node in self.named(name)})
            # Each addressee takes three bytes; an answer has one.
            for key, size, nodes in (("payload_bytes", item.payload_bytes, named),
                                     ("reply_bytes", item.reply_bytes, 1)):  # fmt: skip
                room = longest - ADDRESS_BYTES * nodes
                if size > room and (key == "payload_bytes" or size > 0):
                    allowed = f"at most {room} for {nodes} named nodes" if nodes else (
                        f"at most {room}, what a packet holds beside its header")  # fmt: skip
                    what, hint = "too long for a packet", f"each node named takes {ADDRESS_BYTES}"
                    name = f"multicasts.{item.name}.{key}"
                    yield Finding(name, what, str(size), allowed, hint if nodes else "")
