"""The `[fleet]` section: which scanners and gateways the site owns."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from twin import units
from twin.scenario.base import Count, Finding, Name, Part, refuse
from twin.scenario.catalogue import scanner_models
from twin.scenario.laws import Law
from twin.scenario.quantities import Fraction, RatePpmPerH
from twin.scenario.site import doubles, unknown

__all__ = ["ChargerGroup", "Fleet", "GatewayGroup", "ScannerGroup"]

# The schema of gateway_state lists at most 50 connected devices.
ScannerLimit = Annotated[int, Field(strict=True, ge=1, le=50)]
Version = Annotated[
    str,
    Field(pattern=r"^v?\d+\.\d+\.\d+$", description='three numbers with dots, like "2.0.0"'),
]


class ScannerGroup(Part):
    """So many scanners of one model of the catalogue, with the same firmware."""

    name: Name
    model: str
    count: Count
    firmware: Version


class GatewayGroup(Part):
    """So many gateways of one kind, placed in a zone or at named stations.

    With `stations` the first `count` of them carry a gateway. Stationary ones
    without stations are spread over their zone (`Zone.spots`). A phone belongs
    to a worker and walks with it; with a zone, to a worker of that zone.
    """

    name: Name
    kind: Literal["stationary", "mobile"]
    count: Count
    zone: str | None = None
    stations: tuple[str, ...] = ()
    scanner_limit: ScannerLimit
    firmware: Version
    usecase: Annotated[str, Field(min_length=1, max_length=128)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse(self._limits() + self._places())
        return self

    def _limits(self) -> list[Finding]:
        if self.kind == "mobile" and self.scanner_limit != 1:
            limit, hint = str(self.scanner_limit), "a phone serves its own worker only"
            return [Finding("scanner_limit", "out of range", limit, "1 when mobile", hint)]
        return []

    def _places(self) -> list[Finding]:
        if self.stations and self.count > len(self.stations):
            allowed = f"0 to {len(self.stations)}, the number of stations"
            hint = "name more stations, or lower the count"
            return [Finding("count", "more gateways than stations", str(self.count), allowed, hint)]
        if self.kind == "mobile" and self.stations:
            given, hint = ", ".join(self.stations), "remove stations: a phone walks with its worker"
            return [Finding("stations", "a phone has no station", given, "none when mobile", hint)]
        if self.kind == "stationary" and not self.stations and self.zone is None:
            allowed = "zone or stations"
            hint = 'add stations = ["..."], or zone = "..."'
            return [Finding("stations", "where do they stand?", "(absent)", allowed, hint)]
        if self.zone is not None and self.stations:
            hint = "a station knows its zone: remove zone"
            return [Finding("zone", "given beside stations", self.zone, "zone or stations", hint)]
        return []


class ChargerGroup(Part):
    """So many chargers in a zone, each for one scanner."""

    name: Name
    zone: str
    count: Count


class Fleet(Part):
    """All scanners, gateways and chargers, and how batteries are used.

    The drain of a connected idle battery [ppm/h]; charges [1]: at `low_charge` a
    scanner is swapped, from `ready_charge` on it is handed out; `swap_time` is
    the walk to the charger and back with another. Without `chargers` there is a
    warm one for every scanner.
    """

    scanners: tuple[ScannerGroup, ...] = ()
    gateways: tuple[GatewayGroup, ...] = ()
    chargers: tuple[ChargerGroup, ...] = ()
    battery_idle_drain_ppm_per_h: RatePpmPerH
    low_charge: Fraction
    ready_charge: Fraction
    swap_time: Annotated[Law, Field(description="walk to the charger, dock, take another")]

    @model_validator(mode="after")
    def _known(self) -> Self:
        findings = doubles("scanners", [group.name for group in self.scanners])
        findings += doubles("gateways", [group.name for group in self.gateways])
        taken = [name for group in self.gateways for name in group.stations]
        findings += doubles("gateways", taken)
        findings += doubles("chargers", [group.name for group in self.chargers])
        known = list(scanner_models())
        for group in self.scanners:
            if group.model not in known:
                key = f"scanners.{group.name}.model"
                findings.append(unknown(key, group.model, "scanner model", known))
        if self.low_charge >= self.ready_charge:
            given, low = (units.format_ratio(part) for part in (self.ready_charge, self.low_charge))
            what, hint = "out of range", "a scanner handed out would be swapped at once"
            findings.append(Finding("ready_charge", what, given, f"above low_charge, {low}", hint))
        refuse(findings)
        return self

    @property
    def scanner_count(self) -> int:
        """How many scanners there are [1]."""
        return sum(group.count for group in self.scanners)

    def slots(self, kind: str) -> int:
        """How many scanners the gateways of a kind serve at once [1]."""
        groups = (group for group in self.gateways if group.kind == kind)
        return sum(group.count * group.scanner_limit for group in groups)
