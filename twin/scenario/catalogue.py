"""The catalogues: models of scanners, gateways and nodes, rules for breaks, named laws; typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from twin import units
from twin.errors import Problem, ScenarioError
from twin.resources import near
from twin.scenario.defaults import Row, catalogue, rows

__all__ = [
    "GatewayModel",
    "NodePlatform",
    "ScannerModel",
    "break_lengths",
    "break_rules",
    "gateway_kinds",
    "gateway_model",
    "law_names",
    "law_table",
    "node_platform",
    "scanner_model",
    "scanner_models",
]


@dataclass(frozen=True)
class ScannerModel:
    """One scanner model: what the device document says of it, its battery and its limits.

    `scans_per_charge` [1], `charge_time_us` [us], temperatures [degC]; sources
    in `data/scanners.toml`.
    """

    name: str
    manufacturer: str
    serial_prefix: str
    firmware: str
    scans_per_charge: int
    charge_time_us: int
    operate_min_degc: float
    operate_max_degc: float
    charge_min_degc: float
    charge_max_degc: float


@dataclass(frozen=True)
class GatewayModel:
    """One kind of gateway: what the gateway document says of it, and its `scanner_limit` [1].

    Sources in `data/gateways.toml`.
    """

    kind: str
    model: str
    manufacturer: str
    serial_prefix: str
    firmware: str
    scanner_limit: int


NODE_PLATFORM = "RF200"
"""What all nodes of a mesh are: its sisters run the same firmware and have as much room."""


@dataclass(frozen=True)
class NodePlatform:
    """One platform of mesh nodes: its script space, and the firmware that there is for it [B].

    ``part_names`` are the modules that it is sold as.

    Sources in `data/platforms.toml`.
    """

    name: str
    script_space_bytes: int
    firmware_versions: tuple[str, ...]
    firmware_size_bytes: int
    part_names: tuple[str, ...]


def scanner_models() -> tuple[str, ...]:
    """Name the scanner models of the catalogue, sorted."""
    return tuple(sorted(catalogue("models")))


def gateway_kinds() -> tuple[str, ...]:
    """Name the kinds of gateway, sorted."""
    return tuple(sorted(catalogue("gateways")))


@cache
def scanner_model(name: str) -> ScannerModel:
    """Look a scanner model up by its catalogue name; raises ScenarioError."""
    table = _entry("models", name, "scanner model", "data/scanners.toml")
    return ScannerModel(
        name=name,
        manufacturer=str(table["manufacturer"].value),
        serial_prefix=str(table["serial_prefix"].value),
        firmware=str(table["firmware"].value),
        scans_per_charge=int(table["scans_per_charge"].value),
        charge_time_us=units.parse_duration(table["charge_time"].toml_value),
        operate_min_degc=units.parse_temperature(table["operate_min"].toml_value),
        operate_max_degc=units.parse_temperature(table["operate_max"].toml_value),
        charge_min_degc=units.parse_temperature(table["charge_min"].toml_value),
        charge_max_degc=units.parse_temperature(table["charge_max"].toml_value),
    )


@cache
def gateway_model(kind: str) -> GatewayModel:
    """Look a gateway model up by its kind; raises ScenarioError."""
    table = _entry("gateways", kind, "kind of gateway", "data/gateways.toml")
    return GatewayModel(
        kind=kind,
        model=str(table["model"].value),
        manufacturer=str(table["manufacturer"].value),
        serial_prefix=str(table["serial_prefix"].value),
        firmware=str(table["firmware"].value),
        scanner_limit=int(table["scanner_limit"].value),
    )


@cache
def node_platform(name: str) -> NodePlatform:
    """Look a platform of nodes up by its name; raises ScenarioError."""
    table = _entry("platforms", name, "platform of nodes", "data/platforms.toml")
    return NodePlatform(
        name=name,
        script_space_bytes=int(table["script_space"].value),
        firmware_versions=tuple(table["firmware_versions"].value),
        firmware_size_bytes=int(table["firmware_size"].value),
        part_names=tuple(table["part_names"].value),
    )


def _entry(kind: str, name: str, thing: str, file: str) -> Mapping[str, Row]:
    known = catalogue(kind)
    if name not in known:
        close = near(name, list(known))
        raise ScenarioError(
            Problem(
                f"no such {thing}",
                file=file,
                key=kind,
                value=name,
                allowed=", ".join(sorted(known)),
                hint=f"did you mean {close}?" if close else "",
            )
        )
    return known[name]


def break_rules() -> tuple[str, ...]:
    """Name the rules for breaks of `data/work.toml`, sorted."""
    return tuple(sorted(catalogue("breaks")))


def break_lengths(rule: str, shift_us: int) -> tuple[int, ...]:
    """Give the breaks [us] that a rule demands of a shift of `shift_us` [us]; raises KeyError."""
    found: tuple[int, ...] = ()
    for step in rows()[f"breaks.{rule}"].value:
        if shift_us > units.parse_duration(step["above"]):
            found = tuple(units.parse_duration(text) for text in step["breaks"])
    return found


def law_names() -> tuple[str, ...]:
    """Name the laws of `data/laws.toml`, sorted."""
    return tuple(sorted(catalogue("laws")))


def law_table(name: str) -> dict[str, Any]:
    """Give a named law as the table that a scenario could hold; raises KeyError."""
    return dict(rows()[f"laws.{name}"].value)
