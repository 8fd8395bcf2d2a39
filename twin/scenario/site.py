"""The `[site]` section: the floor plan in metres, its zones, walls and stations.

The origin is the lower left corner; x runs along the width, y along the depth.
"""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from twin import units
from twin.resources import near
from twin.scenario.base import Finding, Name, Part, refuse
from twin.scenario.quantities import LengthM, PositiveLengthM, TemperatureDegC

__all__ = ["Site", "Station", "Wall", "Zone", "doubles", "unknown"]


class Zone(Part):
    """A rectangle of the floor, its corner `x_m`, `y_m` and size [m], and its air [degC]."""

    name: Name
    x_m: LengthM
    y_m: LengthM
    width_m: PositiveLengthM
    depth_m: PositiveLengthM
    temperature_degc: TemperatureDegC

    def spots(self, count: int) -> tuple[tuple[float, float], ...]:
        """Spread `count` points evenly over the zone, row by row; each (x, y) [m]."""
        if count < 1:
            return ()
        columns = max(1, min(count, round(math.sqrt(count * self.width_m / self.depth_m))))
        rows = -(-count // columns)
        return tuple(
            (
                self.x_m + self.width_m * (spot % columns + 0.5) / columns,
                self.y_m + self.depth_m * (spot // columns + 0.5) / rows,
            )
            for spot in range(count)
        )

    def holds(self, x_m: float, y_m: float) -> bool:
        """Say whether a point [m] lies in the zone, its edge included."""
        inside_x = self.x_m <= x_m <= self.x_m + self.width_m
        return inside_x and self.y_m <= y_m <= self.y_m + self.depth_m


class Wall(Part):
    """A straight wall from (`x1_m`, `y1_m`) to (`x2_m`, `y2_m`) [m]."""

    x1_m: LengthM
    y1_m: LengthM
    x2_m: LengthM
    y2_m: LengthM


class Station(Part):
    """A named place for a stationary gateway, at (`x_m`, `y_m`) [m] in a zone."""

    name: Name
    zone: str
    x_m: LengthM
    y_m: LengthM


class Site(Part):
    """The hall, `width_m` by `depth_m` [m], and what is in it."""

    width_m: PositiveLengthM
    depth_m: PositiveLengthM
    zones: Annotated[tuple[Zone, ...], Field(min_length=1)]
    walls: tuple[Wall, ...] = ()
    stations: tuple[Station, ...] = ()

    def zone(self, name: str) -> Zone:
        """Give the zone of that name; raises KeyError."""
        return {zone.name: zone for zone in self.zones}[name]

    def station(self, name: str) -> Station:
        """Give the station of that name; raises KeyError."""
        return {station.name: station for station in self.stations}[name]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        findings = doubles("zones", [zone.name for zone in self.zones])
        findings += doubles("stations", [station.name for station in self.stations])
        findings += self._outside()
        findings += self._misplaced()
        refuse(findings)
        return self

    def _outside(self) -> list[Finding]:
        findings = []
        for zone in self.zones:
            key = f"zones.{zone.name}"
            findings += _beyond(f"{key}.width", zone.x_m + zone.width_m, self.width_m)
            findings += _beyond(f"{key}.depth", zone.y_m + zone.depth_m, self.depth_m)
        for place, wall in enumerate(self.walls):
            key = f"walls.{place}"
            findings += _beyond(f"{key}.x1", wall.x1_m, self.width_m)
            findings += _beyond(f"{key}.x2", wall.x2_m, self.width_m)
            findings += _beyond(f"{key}.y1", wall.y1_m, self.depth_m)
            findings += _beyond(f"{key}.y2", wall.y2_m, self.depth_m)
        return findings

    def _misplaced(self) -> list[Finding]:
        zones = {zone.name: zone for zone in self.zones}
        findings = []
        for station in self.stations:
            key = f"stations.{station.name}"
            if station.zone not in zones:
                findings.append(unknown(f"{key}.zone", station.zone, "zone", list(zones)))
            elif not zones[station.zone].holds(station.x_m, station.y_m):
                findings.append(_elsewhere(key, station, zones[station.zone]))
        return findings


def _beyond(key: str, reach: float, limit: float) -> list[Finding]:
    # A nanometre of slack: 0.1 + 0.2 is not 0.3 in binary.
    if reach <= limit + 1e-9:
        return []
    reached, most = units.format_length(reach), units.format_length(limit)
    return [Finding(key, "lies outside the site", f"reaches {reached}", f"at most {most}")]


def _elsewhere(key: str, station: Station, zone: Zone) -> Finding:
    across = f"x {zone.x_m:g} to {zone.x_m + zone.width_m:g} m"
    along = f"y {zone.y_m:g} to {zone.y_m + zone.depth_m:g} m"
    return Finding(
        f"{key}.x" if not zone.x_m <= station.x_m <= zone.x_m + zone.width_m else f"{key}.y",
        f"the station lies outside its zone {zone.name}",
        f"x {station.x_m:g} m, y {station.y_m:g} m",
        f"{across}, {along}",
    )


def doubles(key: str, names: list[str]) -> list[Finding]:
    """Find names used twice: entities are told apart by name, and so is their luck."""
    twice = sorted({name for name in names if names.count(name) > 1})
    allowed = "each name once"
    return [Finding(key, "a name is used twice", name, allowed, "rename one") for name in twice]


def unknown(key: str, name: str, thing: str, known: list[str]) -> Finding:
    """Report a name that refers to nothing, with the nearest that exists."""
    close = near(name, known)
    return Finding(
        key,
        f"no such {thing}",
        name,
        ", ".join(known) if known else f"no {thing} is defined",
        f"did you mean {close}?" if close else "",
    )
