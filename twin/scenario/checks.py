"""What is odd about a valid scenario: it runs, but probably not as meant."""

from __future__ import annotations

import math
from collections.abc import Iterator

from twin import units
from twin.scenario.catalogue import scanner_model
from twin.scenario.document import Scenario
from twin.scenario.site import Zone

__all__ = ["warnings"]


def warnings(scenario: Scenario) -> tuple[str, ...]:
    """List what a planner should look at before believing the results, each a sentence."""
    return (
        *_about_work(scenario),
        *_about_scanners(scenario),
        *_about_gateways(scenario),
        *_about_range(scenario),
        *_about_temperature(scenario),
    )


def _about_work(scenario: Scenario) -> Iterator[str]:
    work = scenario.work
    if not work.shifts:
        yield "work.shifts: no shift, so nobody works"
    elif work.most_workers() == 0:
        yield "work.shifts: no shift has workers, so nobody works"
    if not work.jobs:
        yield "work.jobs: no jobs, so picks are made without start and end barcodes"
        return
    for zone in _worked_zones(scenario):
        if not any(zone.name in scenario.zones_of(job.zones) for job in work.jobs):
            yield f"work.jobs: zone {zone.name} has workers but no job"


def _about_scanners(scenario: Scenario) -> Iterator[str]:
    scanners, workers = scenario.fleet.scanner_count, scenario.work.most_workers()
    if scanners < workers:
        yield (
            f"fleet.scanners: {scanners} scanners for {workers} workers at once, "
            f"so {workers - scanners} go without"
        )


def _about_gateways(scenario: Scenario) -> Iterator[str]:
    fleet, workers = scenario.fleet, scenario.work.most_workers()
    slots = fleet.slots("stationary") + fleet.slots("mobile")
    if slots == 0:
        yield "fleet.gateways: no gateway, so no scan reaches the cloud"
    elif slots < workers:
        yield (
            f"fleet.gateways: room for {slots} scanners, {workers} workers at once, "
            f"so {workers - slots} find no gateway"
        )


def _worked_zones(scenario: Scenario) -> list[Zone]:
    names = {
        name
        for shift in scenario.work.shifts
        if shift.workers
        for name in scenario.zones_of(shift.zones)
    }
    return [zone for zone in scenario.site.zones if zone.name in names]


def _places(scenario: Scenario) -> list[tuple[float, float]]:
    """Where the stationary gateways stand; each (x, y) [m]."""
    found: list[tuple[float, float]] = []
    for group in scenario.fleet.gateways:
        if group.kind != "stationary":
            continue
        if group.stations:
            stations = [scenario.site.station(name) for name in group.stations[: group.count]]
            found += [(station.x_m, station.y_m) for station in stations]
        elif group.zone is not None:
            found += scenario.site.zone(group.zone).spots(group.count)
    return found


def _about_range(scenario: Scenario) -> Iterator[str]:
    """Warn of zones whose middle no gateway reaches, when phones do not serve everyone."""
    fleet, reach = scenario.fleet, scenario.links.ble.stationary.range_m
    places = _places(scenario)
    if not places or fleet.slots("mobile") >= scenario.work.most_workers():
        return
    for zone in _worked_zones(scenario):
        middle = (zone.x_m + zone.width_m / 2, zone.y_m + zone.depth_m / 2)
        nearest = min(math.dist(middle, place) for place in places)
        if nearest > reach:
            yield (
                f"site.zones.{zone.name}: the nearest stationary gateway is {nearest:.0f} m "
                f"from its middle, beyond links.ble.stationary.range = {units.format_length(reach)}"
            )


def _about_temperature(scenario: Scenario) -> Iterator[str]:
    for name in sorted({group.model for group in scenario.fleet.scanners if group.count}):
        model = scanner_model(name)
        low, high = model.operate_min_degc, model.operate_max_degc
        for zone in _worked_zones(scenario):
            if not low <= zone.temperature_degc <= high:
                yield (
                    f"site.zones.{zone.name}: {units.format_temperature(zone.temperature_degc)}, "
                    f"but a {name} operates from {low:g} to {high:g} degC"
                )
