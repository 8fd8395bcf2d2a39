"""The `[snap]` section: what the gateway's own service, SNAP Thing Services, begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from twin.scenario.base import Finding, Name, Part, refuse
from twin.scenario.catalogue import NODE_PLATFORM, node_platform
from twin.scenario.mesh_host import SizeBytes
from twin.scenario.quantities import PositiveDurationUs
from twin.scenario.site import unknown

__all__ = [
    "SNAP_PASSWORD",
    "Snap",
    "SnapCollector",
    "SnapDevices",
    "SnapImage",
    "SnapLicence",
    "SnapUser",
    "snap_findings",
]

SNAP_PASSWORD = r"(?=.*[0-9])(?=.*[!@#$%^&*_\-])(?=.*?[a-z])(?=.*?[A-Z])[a-zA-Z0-9!@#$%^&*_\-]{8,}"
"""What a password has to look like (SNAP Thing Services API 1.0.2, changePassword)."""

_Text = Annotated[str, Field(min_length=1, max_length=100)]
_Limit = Annotated[int, Field(strict=True, ge=0, le=65_536)]


class SnapUser(Part):
    """Somebody who can log in; the password is only good for the twin."""

    model_config = ConfigDict(str_strip_whitespace=False)

    name: Annotated[str, Field(pattern=r"^[!-9;-~]+$", max_length=64)]
    password: Annotated[str, Field(max_length=100)]

    @model_validator(mode="after")
    def _has_a_good_password(self) -> Self:
        if not re.fullmatch(SNAP_PASSWORD, self.password):
            allowed = "8 or more: lower and upper case letters, numbers, symbols of !@#$%^&*_-"
            refuse([Finding("password", "too simple", "(not shown)", allowed)])
        return self


class SnapDevices(Part):
    """Nodes, or groups of nodes, that the service knows as devices of a type."""

    nodes: tuple[str, ...]
    device_type: _Text
    platform: _Text = NODE_PLATFORM


class SnapImage(Part):
    """A SPY image that was uploaded before: a made-up script of `size_bytes` [B]."""

    name: _Text
    size_bytes: SizeBytes


class SnapCollector(Part):
    """A data collector: polls all devices of some types every `poll_interval_us` [us]."""

    name: Name
    device_types: tuple[str, ...]
    query_function: _Text
    poll_interval_us: PositiveDurationUs


class SnapLicence(Part):
    """A licence that was applied before; what it leaves out it does not allow."""

    customer: _Text
    expiration: date
    site_director: bool = True
    data_collector: bool = True
    site_doctor: bool = True
    types: tuple[str, ...] = ("manage", "deploy")


def _usual_users() -> tuple[SnapUser, ...]:
    """Give the service its first user."""
    return (SnapUser(name="admin", password="Thing-Services-1"),)


class Snap(Part):
    """What the service on the gateway begins with, and what a trial of it may do.

    Without `licence` it is a trial: it upgrades one device at a time, shows
    `trial_topology` nodes of a topology and polls `trial_collector` nodes [1].
    """

    users: tuple[SnapUser, ...] = Field(default_factory=_usual_users, min_length=1)
    device_types: tuple[_Text, ...] = ()
    devices: tuple[SnapDevices, ...] = ()
    images: tuple[SnapImage, ...] = ()
    firmware: tuple[str, ...] = ()
    collectors: tuple[SnapCollector, ...] = ()
    licence: SnapLicence | None = None
    trial_topology: _Limit
    trial_collector: _Limit


def snap_findings(snap: Snap, groups: dict[str, tuple[str, ...]]) -> Iterator[Finding]:
    """Yield what the service is to know and there is not.

    Parameters
    ----------
    snap
        The section.
    groups
        The nodes that a name of a node or of a group means.
    """
    seen: set[str] = set()
    for place, item in enumerate(snap.devices):
        for name in item.nodes:
            if name not in groups:
                yield unknown(f"snap.devices.{place}.nodes", name, "node", sorted(groups))
                continue
            twice = sorted(seen & set(groups[name]))
            if twice:
                yield Finding(
                    f"snap.devices.{place}.nodes", "is a device already", twice[0], "once"
                )
            seen |= set(groups[name])
        if item.device_type not in snap.device_types:
            key = f"snap.devices.{place}.device_type"
            yield unknown(key, item.device_type, "type of devices", list(snap.device_types))
    for collector in snap.collectors:
        key = f"snap.collectors.{collector.name}.device_types"
        yield from (unknown(key, name, "type of devices", list(snap.device_types))
                    for name in collector.device_types
                    if name not in snap.device_types)  # fmt: skip
    yield from _twice("users", [user.name for user in snap.users])
    yield from _twice("device_types", list(snap.device_types))
    yield from _twice("collectors", [item.name for item in snap.collectors])
    yield from _software_findings(snap)


def _twice(key: str, names: list[str]) -> Iterator[Finding]:
    """Yield names that two have."""
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Finding(f"snap.{key}", "two have the same name", name, "each once")


def _software_findings(snap: Snap) -> Iterator[Finding]:
    """Yield images for which no node has room, and firmware that there is not."""
    platform = node_platform(NODE_PLATFORM)
    for image in snap.images:
        if image.size_bytes > platform.script_space_bytes:
            what, allowed = "no node has so much room", f"at most {platform.script_space_bytes}"
            yield Finding(
                f"snap.images.{image.name}.size_bytes", what, str(image.size_bytes), allowed
            )
    known = list(platform.firmware_versions)
    yield from (unknown("snap.firmware", version, "firmware", known)
                for version in snap.firmware if version not in known)  # fmt: skip
