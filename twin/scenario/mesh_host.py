"""What the hosts behind the bridges do: surveys, polls of devices, upgrades."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from twin.scenario.base import Finding, Name, Part
from twin.scenario.catalogue import NODE_PLATFORM, node_platform
from twin.scenario.defaults import rows
from twin.scenario.mesh_change import MeshChange, NetworkChange
from twin.scenario.quantities import DurationUs, PositiveDurationUs, Share
from twin.scenario.site import unknown

__all__ = [
    "Collector",
    "MeshHost",
    "MeshSurvey",
    "MeshUpgrade",
    "Survey",
    "Upgrade",
    "host_findings",
    "packets_too_long",
    "software_findings",
    "usual_collector",
]

Baud = Annotated[int, Field(strict=True, ge=300, le=1_000_000)]
Bytes = Annotated[int, Field(strict=True, ge=1, le=111)]
FewBytes = Annotated[int, Field(strict=True, ge=0, le=111)]
Packets = Annotated[int, Field(strict=True, ge=1, le=1024)]
Tries = Annotated[int, Field(strict=True, ge=1, le=100)]
Retries = Annotated[int, Field(strict=True, ge=0, le=100)]
Ttl = Annotated[int, Field(strict=True, ge=1, le=255)]
Devices = Annotated[int, Field(strict=True, ge=1, le=65_536)]
SizeBytes = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
LinkQuality = Annotated[int, Field(strict=True, ge=0, le=127)]
Generation = Literal["A", "B", "C"]
Transport = Literal["auto", "unicast", "multicast"]
Directly = Literal["unicast", "multicast"]


class MeshHost(Part):
    """A host and the serial line to its bridge.

    The line passes `uart_baud` bits a second, adds `uart_framing_bytes` to each
    packet [B] and holds `uart_packets` in each direction; what finds it full is
    lost. A question is asked `retries` times more when no answer came within
    `timeout_us` [us].
    """

    uart_baud: Baud
    uart_framing_bytes: FewBytes
    uart_packets: Packets
    timeout_us: PositiveDurationUs
    retries: Retries


class MeshSurvey(Part):
    """How a host finds out who hears whom.

    Generation A commands one node after the other to multicast one hop, with
    `command_bytes`; who hears it reports to the host with `report_bytes` at a
    random moment within `window_us`; the next is commanded `margin_us` later
    [us], and one of which nothing came at most `tries` times. C does the same
    with nodes that no link of `good_quality` or better is known of, and stops.
    In B all nodes multicast one hop at a random moment within `window_us` after
    one command, and send what they heard within another, `report_bytes` a link,
    as many in a packet as it holds.
    """

    generation: Generation
    command_bytes: Bytes
    report_bytes: Bytes
    window_us: PositiveDurationUs
    margin_us: DurationUs
    tries: Tries
    ttl: Ttl
    good_quality: LinkQuality


class Survey(Part):
    """A survey `after_us` after the start [us]."""

    name: Name
    after_us: DurationUs
    generation: Generation | None = None


class Collector(Part):
    """A poll of devices, the first `after_us`, then one `every_us` [us].

    Each answers a query of `query_bytes` with `reply_bytes` [B], if it has a
    script: one after the other by unicast, or all at once, within `window_us`,
    to a multicast of `ttl` hops.
    """

    name: Name
    after_us: DurationUs
    every_us: PositiveDurationUs
    devices: tuple[str, ...] = ()
    transport: Directly
    query_bytes: Bytes
    reply_bytes: Bytes
    window_us: DurationUs
    ttl: Ttl


class MeshUpgrade(Part):
    """How scripts and firmware get to the nodes.

    An image goes in chunks of `chunk_bytes`, each in a call that takes
    `call_bytes` more; a unicast is answered with `answer_bytes` [B]. `transport`
    "auto" multicasts from `multicast_from` devices on.

    By multicast: `announces` announcements, `erase_us` to erase, one chunk every
    `spacing_us` with `ttl` hops. Then who misses chunks says so within
    `gather_us` for each device, with bitmaps of `bitmap_bytes`, and what was
    missed is sent again, at most `rounds` times; the rest goes by unicast. Those
    who have all restart (`reboot_us`) and are asked what they run [us].

    By unicast a device that does not answer, or takes longer than `watchdog_us`,
    is tried anew where it stood, `attempts` times in all. Of all nodes
    `low_voltage` refuse to write, and of
    those whose firmware is older than `sound_firmware` a share `defects` fails to
    take new firmware.
    """

    chunk_bytes: Bytes
    call_bytes: Bytes
    answer_bytes: Bytes
    transport: Transport
    multicast_from: Devices
    announces: Tries
    spacing_us: PositiveDurationUs
    ttl: Ttl
    gather_us: PositiveDurationUs
    bitmap_bytes: Bytes
    rounds: Retries
    erase_us: DurationUs
    reboot_us: DurationUs
    watchdog_us: PositiveDurationUs
    attempts: Tries
    low_voltage: Share
    defects: Share
    sound_firmware: str


class Upgrade(Part):
    """An upgrade of `devices` (all by default) `after_us` after the start [us].

    First `firmware`, then the image `image` of `size_bytes` [B]; an empty name
    leaves that part out.
    """

    name: Name
    after_us: DurationUs
    devices: tuple[str, ...] = ()
    image: str
    size_bytes: SizeBytes
    firmware: str
    transport: Transport | None = None


def host_findings(
    collectors: tuple[Collector, ...], upgrades: tuple[Upgrade, ...],
    changes: tuple[NetworkChange, ...], known: list[str], bridges: list[str],
) -> Iterator[Finding]:  # fmt: skip
    """Yield what hosts are to do with nodes, images or firmware that there are not.

    Parameters
    ----------
    collectors, upgrades, changes
        What they are to do.
    known, bridges
        What nodes and groups, and what bridges are called.
    """
    named = [(f"collectors.{item.name}.devices", item.devices) for item in collectors]
    named += [(f"upgrades.{item.name}.devices", item.devices) for item in upgrades]
    for key, names in named:
        yield from (unknown(f"mesh.{key}", name, "node", known)
                    for name in names if name not in known)  # fmt: skip
    for change in changes:
        yield from (unknown(f"mesh.changes.{change.name}.bridges", name, "bridge", bridges)
                    for name in change.bridges if name not in bridges)  # fmt: skip
    for upgrade in upgrades:
        yield from _upgrade_findings(upgrade)


def _upgrade_findings(upgrade: Upgrade) -> Iterator[Finding]:
    """Yield what of an upgrade there is not, or fits on no node."""
    key, space_bytes = f"mesh.upgrades.{upgrade.name}", _space_bytes()
    if upgrade.image and upgrade.size_bytes > space_bytes:
        what, allowed = "no node has so much room", f"at most {space_bytes}"
        yield Finding(f"{key}.size_bytes", what, str(upgrade.size_bytes), allowed)
    if upgrade.firmware:
        yield from _firmware_findings(f"{key}.firmware", upgrade.firmware)
    if not upgrade.image and not upgrade.firmware:
        yield Finding(key, "brings nothing", '""', "an image, firmware, or both")


def _space_bytes() -> int:
    return node_platform(NODE_PLATFORM).script_space_bytes


def _firmware_findings(key: str, version: str) -> Iterator[Finding]:
    versions = list(node_platform(NODE_PLATFORM).firmware_versions)
    if version not in versions:
        yield unknown(key, version, "firmware", versions)


def software_findings(
    prefix: str, firmware: str | None, image: str | None, image_bytes: int | None
) -> Iterator[Finding]:
    """Yield what nodes cannot begin with.

    Parameters
    ----------
    prefix
        What stands before the keys.
    firmware, image, image_bytes
        What the scenario says that they run, and how long the script is [B].
    """
    if firmware is not None:
        yield from _firmware_findings(f"{prefix}firmware", firmware)
    if (image is None) != (image_bytes is None):
        missing = "image" if image is None else "image_bytes"
        yield Finding(f"{prefix}{missing}", "only half of a script", "(absent)", "both, or none")
    elif image_bytes is not None and image_bytes > _space_bytes():
        what, allowed = "no node has so much room", f"at most {_space_bytes()}"
        yield Finding(f"{prefix}image_bytes", what, str(image_bytes), allowed)


def usual_collector(name: str, every_us: int) -> Collector:
    """Return a collector that asks as all do that say nothing else.

    Parameters
    ----------
    name
        What it is called: any text.
    every_us
        How often it polls [us].
    """
    given = {
        key.rpartition(".")[2]: row.toml_value
        for key, row in rows().items()
        if key.startswith("mesh.collectors.*.")
    }
    usual = Collector.model_validate({**given, "name": "usual"})
    return usual.model_copy(update={"name": name, "every_us": every_us})


def packets_too_long(
    upgrade: MeshUpgrade, survey: MeshSurvey, change: MeshChange,
    collectors: tuple[Collector, ...], longest_unicast_bytes: int, longest_bytes: int,
) -> Iterator[Finding]:  # fmt: skip
    """Yield what fits into no packet."""
    sizes = {
        "change.settings_bytes": (change.settings_bytes, longest_bytes),
        "change.restart_bytes": (change.restart_bytes, longest_bytes),
        "upgrade.chunk_bytes": (upgrade.chunk_bytes + upgrade.call_bytes, longest_unicast_bytes),
        "upgrade.answer_bytes": (upgrade.answer_bytes, longest_unicast_bytes),
        "upgrade.bitmap_bytes": (upgrade.bitmap_bytes + upgrade.call_bytes, longest_unicast_bytes),
        "survey.command_bytes": (survey.command_bytes, longest_unicast_bytes),
        "survey.report_bytes": (survey.report_bytes, longest_unicast_bytes),
    }
    for item in collectors:
        for name in ("query_bytes", "reply_bytes"):
            most = longest_unicast_bytes if item.transport == "unicast" else longest_bytes - 3
            sizes[f"collectors.{item.name}.{name}"] = getattr(item, name), most
    for key, (size, most) in sizes.items():
        if size > most:
            yield Finding(key, "too long for a packet", str(size), f"at most {most} with the call")
