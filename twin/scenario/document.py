"""The whole scenario: every section validated, frozen, with a digest that names it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr, model_validator

from twin import units
from twin.scenario.base import Finding, Name, Part, refuse
from twin.scenario.cloud import Cloud
from twin.scenario.coexistence import Coexistence
from twin.scenario.fleet import Fleet
from twin.scenario.links import Links
from twin.scenario.mesh import Mesh
from twin.scenario.mesh_host import host_findings
from twin.scenario.run import Run
from twin.scenario.site import Site, unknown
from twin.scenario.snap import Snap, snap_findings
from twin.scenario.work import Work

__all__ = ["Provenance", "Scenario"]


@dataclass(frozen=True)
class Provenance:
    """Where each key came from: no part of what the scenario says, so of no digest."""

    file: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)
    laws: Mapping[str, str] = field(default_factory=dict)


class Scenario(Part):
    """Everything that a run depends on, except the code."""

    name: Name
    question: Annotated[str, Field(min_length=1, max_length=1000)]
    run: Run
    site: Site
    work: Work
    fleet: Fleet
    links: Links
    cloud: Cloud
    mesh: Mesh
    snap: Snap
    coexistence: Coexistence | None = None

    _provenance: Provenance = PrivateAttr(default_factory=Provenance)

    @property
    def provenance(self) -> Provenance:
        """Which file set which key."""
        return self._provenance

    def with_provenance(self, provenance: Provenance) -> Scenario:
        """Give the same scenario with another account of where its keys came from."""
        copy = self.model_copy()
        copy._provenance = provenance
        return copy

    def document(self) -> dict[str, Any]:
        """Give the resolved scenario as plain values, as a TOML file would hold it.

        `from_document` reads it back to an equal scenario.
        """
        found = self.model_dump(mode="json", by_alias=True)
        return {key: _without_none(item) for key, item in found.items() if item is not None}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the resolved scenario, in hexadecimal.

        The same for any spelling: order of keys, comments, units, `extends`.
        """
        text = json.dumps(self.document(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def zones_of(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Resolve the zones of a shift or job: none named means all, in the site's order."""
        return names or tuple(zone.name for zone in self.site.zones)

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        zones = [zone.name for zone in self.site.zones]
        refuse(
            [
                *self._zone_findings(zones),
                *self._place_findings(zones),
                *self._charger_findings(zones),
                *self._outage_findings(),
                *self._mesh_findings(zones),
            ]
        )
        return self

    def _zone_findings(self, zones: list[str]) -> list[Finding]:
        named = [(f"work.shifts.{shift.name}", shift.zones) for shift in self.work.shifts]
        named += [(f"work.jobs.{job.name}", job.zones) for job in self.work.jobs]
        return [
            unknown(f"{key}.zones", name, "zone", zones)
            for key, names in named
            for name in names
            if name not in zones
        ]

    def _place_findings(self, zones: list[str]) -> list[Finding]:
        stations = [station.name for station in self.site.stations]
        findings = []
        for group in self.fleet.gateways:
            key = f"fleet.gateways.{group.name}"
            if group.zone is not None and group.zone not in zones:
                findings.append(unknown(f"{key}.zone", group.zone, "zone", zones))
            findings += [
                unknown(f"{key}.stations", name, "station", stations)
                for name in group.stations
                if name not in stations
            ]
        return findings

    def _charger_findings(self, zones: list[str]) -> list[Finding]:
        return [
            unknown(f"fleet.chargers.{group.name}.zone", group.zone, "zone", zones)
            for group in self.fleet.chargers
            if group.zone not in zones
        ]

    def _outage_findings(self) -> list[Finding]:
        groups = [group.name for group in self.fleet.gateways]
        return [
            unknown(f"links.outages.{place}.gateways", name, "group of gateways", groups)
            for place, outage in enumerate(self.links.outages)
            for name in outage.gateways
            if name not in groups
        ]

    def _mesh_findings(self, zones: list[str]) -> list[Finding]:
        mesh = self.mesh
        findings = [
            unknown(f"mesh.nodes.{group.name}.zone", group.zone, "zone", zones)
            for group in mesh.nodes
            if group.zone not in zones
        ]
        for bridge in mesh.bridges:
            for key, place, size in (("x", bridge.x_m, self.site.width_m),
                                     ("y", bridge.y_m, self.site.depth_m)):  # fmt: skip
                if place is not None and place > size:
                    what, given = "lies outside the site", units.format_length(place)
                    allowed = f"at most {units.format_length(size)}"
                    findings.append(
                        Finding(f"mesh.bridges.{bridge.name}.{key}", what, given, allowed)
                    )
        known = mesh.places_to_name
        for item in mesh.multicasts:
            named = [("source", item.source)] if item.source not in mesh.node_names else []
            named += [("to", name) for name in item.to if name not in known]
            findings += [
                unknown(f"mesh.multicasts.{item.name}.{key}", name, "node", list(known))
                for key, name in named
            ]
        findings += host_findings(
            mesh.collectors, mesh.upgrades, mesh.changes, sorted(known),
            [bridge.name for bridge in mesh.bridges],
        )  # fmt: skip
        findings += snap_findings(self.snap, {name: mesh.named(name) for name in known})
        return findings


def _without_none(value: Any) -> Any:
    # TOML has no null: what is absent is left out.
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value
