"""What a network of the mesh is, and how its nodes are told of another."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from twin.scenario.base import Name, Part
from twin.scenario.quantities import DurationUs, PositiveDurationUs

__all__ = [
    "NETWORK_FIELDS",
    "Channel",
    "Encryption",
    "FeatureBits",
    "Key",
    "MeshChange",
    "NetworkChange",
    "NetworkId",
]

Channel = Annotated[int, Field(strict=True, ge=0, le=15)]
NetworkId = Annotated[
    str, Field(pattern=r"^0x[0-9A-Fa-f]{4}$", description='four hexadecimal digits, like "0x1C2C"')
]
FeatureBits = Annotated[int, Field(strict=True, ge=0, le=0xFFFF)]
Encryption = Literal["none", "aes-128", "basic"]
Key = Annotated[
    str, Field(pattern=r"^(.{16})?$", description="exactly 16 characters, or empty for none")
]
Bytes = Annotated[int, Field(strict=True, ge=1, le=111)]
Tries = Annotated[int, Field(strict=True, ge=1, le=100)]
Ttl = Annotated[int, Field(strict=True, ge=1, le=255)]


NETWORK_FIELDS = ("channel", "network_id", "feature_bits", "encryption", "encryption_key")
"""What makes a network: who differs in one of these does not hear the other."""


class MeshChange(Part):
    """How nodes are told of another network.

    A host multicasts the new settings in `settings_bytes`, `announces` times, one
    every `spacing_us`, with `ttl` hops; who hears them keeps them for its next
    restart. Then it tells all as often, in `restart_bytes`, to restart
    at the same moment, `spacing_us` after the last of these. Its bridge
    follows `margin_us` later [us]. A restart takes as long as after an upgrade.
    """

    announces: Tries
    spacing_us: PositiveDurationUs
    ttl: Ttl
    settings_bytes: Bytes
    restart_bytes: Bytes
    margin_us: DurationUs


class NetworkChange(Part):
    """A change of the network `after_us` after the start [us], nodes first, bridges last.

    What is None stays as it is at the bridge. `bridges` names those whose
    networks change, all by default.
    """

    name: Name
    after_us: DurationUs
    bridges: tuple[str, ...] = ()
    channel: Channel | None = None
    network_id: NetworkId | None = None
    feature_bits: FeatureBits | None = None
    encryption: Encryption | None = None
    encryption_key: Key | None = None
