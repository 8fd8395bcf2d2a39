"""Who belongs to the mesh and where: names, addresses, places, networks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from twin.draws import draw, entity_word
from twin.mesh.rules.streams import POSITION
from twin.scenario import Bridge, Mesh, NodeGroup, Scenario

_WILDCARD = 0xFFFF
_PACKET_CHECKSUM = 0x400  # has to be the same everywhere (SNAP Connect documentation)
_CALL_CHECKSUM = 0x100  # who has it takes nothing from who has not (Reference Manual 2.4, p. 95)
_HEX_ADDRESS = re.compile(r"[0-9A-Fa-f]{6}")
_FIRST_ADDRESS = 0x100  # below are hosts: Portal, SNAP Connect


class Network(NamedTuple):
    """What two nodes must share to understand each other."""

    channel: int
    network_id: int
    encryption: str
    key: str
    feature_bits: int

    def hears(self, sender: "Network") -> bool:
        """Say whether who is in this network understands a sender on the same channel."""
        return not self.why_deaf(sender)

    def why_deaf(self, sender: "Network") -> str:
        """Return what keeps this network from understanding a sender, nothing if it does."""
        ids = {self.network_id, sender.network_id}
        reasons = {
            f"channel {self.channel}, not {sender.channel}": self.channel != sender.channel,
            f"network id 0x{self.network_id:04X}, not 0x{sender.network_id:04X}":
                len(ids) > 1 and _WILDCARD not in ids,
            f"encryption {self.encryption}, not {sender.encryption}":
                self.encryption != sender.encryption,
            "another encryption key": self.key != sender.key,
            "packet checksum (feature bit 0x400) on one side only":
                bool((self.feature_bits ^ sender.feature_bits) & _PACKET_CHECKSUM),
            "call checksum (feature bit 0x100) that the sender lacks":
                bool(self.feature_bits & ~sender.feature_bits & _CALL_CHECKSUM),
        }  # fmt: skip
        return next((reason for reason, applies in reasons.items() if applies), "")


@dataclass(frozen=True)
class MeshNode:
    """One node of the mesh; without a place of its own where its links were measured [m].

    It begins with ``firmware`` and the script ``image`` of ``image_bytes`` [B], "" where nobody
    says with which.
    """

    name: str
    address: str
    group: str
    is_bridge: bool
    x_m: float | None
    y_m: float | None
    process_groups: int
    forward_groups: int
    power_dbm: float
    network: Network
    firmware: str = ""
    image: str = ""
    image_bytes: int = 0


def node_word(node: MeshNode) -> int:
    """Return the address word of a node."""
    return entity_word(f"mesh/{node.name}")


def make_nodes(scenario: Scenario, seed: int) -> tuple[MeshNode, ...]:
    """Return the nodes of a scenario's mesh, bridges first; the seed decides random places."""
    taken: set[str] = set()
    return tuple(
        _node(scenario.mesh, name, member, place, taken)
        for name, member, place in _members(scenario, seed)
    )


_Place = tuple[float, float] | None


def _members(
    scenario: Scenario, seed: int
) -> Iterator[tuple[str, Bridge | NodeGroup | None, _Place]]:
    """Yield (name, what it may have of its own, place) of every node."""
    mesh = scenario.mesh
    for bridge in mesh.bridges:
        has_place = bridge.x_m is not None and bridge.y_m is not None
        yield bridge.name, bridge, (bridge.x_m, bridge.y_m) if has_place else None  # type: ignore[misc]
    if mesh.measured is not None:
        for name in mesh.node_names[len(mesh.bridges) :]:
            yield name, None, None
    for group in mesh.nodes:
        yield from zip(
            group.names, [group] * group.count, _places(scenario, group, seed), strict=True
        )


def _places(scenario: Scenario, group: NodeGroup, seed: int) -> tuple[tuple[float, float], ...]:
    """Return where the nodes of a group stand [m]."""
    zone = scenario.site.zone(group.zone)
    if group.placement == "grid":
        return zone.spots(group.count)
    words = [entity_word(f"mesh/{name}") for name in group.names]
    return tuple(
        (
            zone.x_m + zone.width_m * draw(seed, POSITION, word, 0, 0),
            zone.y_m + zone.depth_m * draw(seed, POSITION, word, 0, 1),
        )
        for word in words
    )


def _node(
    mesh: Mesh, name: str, member: Bridge | NodeGroup | None, place: _Place, taken: set[str]
) -> MeshNode:
    """Return a node: what it has of its own, else what the whole mesh has."""

    def own(field: str) -> object:
        value = getattr(member, field, None)
        return getattr(mesh, field) if value is None else value

    power = getattr(member, "transmit_power_dbm", None)
    process, forward = 1, 1
    if member is not None:
        process, forward = member.process_groups, member.forward_groups
    is_bridge = isinstance(member, Bridge)
    return MeshNode(
        name=name,
        address=_address(name, taken),
        group=member.name if isinstance(member, NodeGroup) else "",
        is_bridge=is_bridge,
        x_m=place[0] if place else None,
        y_m=place[1] if place else None,
        # What a bridge does not forward does not reach the host behind it.
        process_groups=process & forward if is_bridge else process,
        forward_groups=forward,
        power_dbm=mesh.radio.transmit_power_dbm if power is None else power,
        network=Network(
            channel=int(str(own("channel"))),
            network_id=int(str(own("network_id")), 16),
            encryption=str(own("encryption")),
            key=str(own("encryption_key")),
            feature_bits=int(str(own("feature_bits"))),
        ),
        firmware=str(own("firmware") or ""),
        image=str(own("image") or ""),
        image_bytes=int(str(own("image_bytes") or 0)),
    )


def _address(name: str, taken: set[str]) -> str:
    """Return the address of a node, six hexadecimal digits that nobody has yet, and note it."""
    if _HEX_ADDRESS.fullmatch(name) and name.upper() not in taken:
        taken.add(name.upper())
        return name.upper()
    for attempt in count():
        number = entity_word(f"mesh/{name}#{attempt}") % (1 << 24)
        address = f"{number:06X}"
        if number >= _FIRST_ADDRESS and address not in taken:
            taken.add(address)
            return address
    raise AssertionError("count() does not end")
