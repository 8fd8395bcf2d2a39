"""What is odd about a valid scenario: it runs, but probably not as meant."""

from __future__ import annotations

import math
from collections.abc import Iterator

from twin import units
from twin.scenario.catalogue import ScannerModel, scanner_model
from twin.scenario.document import Scenario
from twin.scenario.mesh_change import NETWORK_FIELDS
from twin.scenario.site import Zone
from twin.scenario.work import Shift

__all__ = ["warnings"]


def warnings(scenario: Scenario) -> tuple[str, ...]:
    """List what a planner should look at before believing the results, each a sentence."""
    return (
        *_about_work(scenario),
        *_about_orders(scenario),
        *_about_scanners(scenario),
        *_about_gateways(scenario),
        *_about_range(scenario),
        *_about_temperature(scenario),
        *_about_chargers(scenario),
        *_about_outages(scenario),
        *_about_mesh(scenario),
        *_about_coexistence(scenario),
    )


def _about_work(scenario: Scenario) -> Iterator[str]:
    work = scenario.work
    if _is_mesh_alone(scenario):
        return
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


def _about_orders(scenario: Scenario) -> Iterator[str]:
    """Compare the orders of a week with the jobs its shifts can do, roughly."""
    work = scenario.work
    if work.orders is None or not work.jobs:
        return
    arriving = 24 * 7 * work.orders.per_hour * work.orders.peak_factor
    done = (
        sum(
            len(shift.days) * _by_jobs(scenario, shift) * work.working_us(shift)
            for shift in work.shifts
        )
        / work.expected_job_us()
    )
    if arriving > done > 0:
        yield (
            f"work.orders: {arriving / 7:.0f} orders a day, but the workers can do about "
            f"{done / 7:.0f} jobs, so that more and more are left over"
        )


def _by_jobs(scenario: Scenario, shift: Shift) -> int:
    """How many workers of a shift work in a zone that has a job [1]."""
    zones = scenario.zones_of(shift.zones)
    with_job = {name for job in scenario.work.jobs for name in scenario.zones_of(job.zones)}
    return sum(zones[place % len(zones)] in with_job for place in range(shift.workers))


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
    if _is_mesh_alone(scenario):
        return
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


def _models(scenario: Scenario) -> list[ScannerModel]:
    names = {group.model for group in scenario.fleet.scanners if group.count}
    return [scanner_model(name) for name in sorted(names)]


def _about_temperature(scenario: Scenario) -> Iterator[str]:
    for model in _models(scenario):
        low, high = model.operate_min_degc, model.operate_max_degc
        for zone in _worked_zones(scenario):
            if not low <= zone.temperature_degc <= high:
                yield (
                    f"site.zones.{zone.name}: {units.format_temperature(zone.temperature_degc)}, "
                    f"but a {model.name} operates from {low:g} to {high:g} degC"
                )


def _about_chargers(scenario: Scenario) -> Iterator[str]:
    for group in scenario.fleet.chargers:
        zone = scenario.site.zone(group.zone)
        for model in _models(scenario):
            low, high = model.charge_min_degc, model.charge_max_degc
            if group.count and not low <= zone.temperature_degc <= high:
                given = units.format_temperature(zone.temperature_degc)
                yield (
                    f"fleet.chargers.{group.name}: {given} in {zone.name}, but a {model.name} "
                    f"charges from {low:g} to {high:g} degC, so nothing charges there"
                )


def _about_outages(scenario: Scenario) -> Iterator[str]:
    horizon = scenario.run.horizon_us
    for place, outage in enumerate(scenario.links.outages):
        if outage.after_us >= horizon:
            yield (
                f"links.outages.{place}: begins {units.format_duration(outage.after_us)} after "
                f"the start, but run.horizon is {units.format_duration(horizon)}"
            )


def _is_mesh_alone(scenario: Scenario) -> bool:
    """Say whether nothing but a mesh is meant: nobody works, and there is nothing to work with."""
    fleet = scenario.fleet
    return scenario.mesh.exists and not (scenario.work.shifts or fleet.scanners or fleet.gateways)


def _about_mesh(scenario: Scenario) -> Iterator[str]:
    mesh = scenario.mesh
    if not mesh.exists:
        return
    members = (*mesh.nodes, *mesh.bridges)
    channels = {mesh.channel if m.channel is None else m.channel for m in members}
    for channel in sorted(channels & {*mesh.radio.interfered_channels}):
        yield f"mesh.channel: channel {channel} lies under Wi-Fi; 4, 9 and 14 do not"
    forwards = {bridge.name: bridge.forward_groups for bridge in mesh.bridges}
    for item in mesh.multicasts:
        if item.source in forwards and not item.groups & forwards[item.source]:
            yield (
                f"mesh.multicasts.{item.name}: the bridge {item.source} forwards none of its "
                "groups, so it never goes out"
            )
    for change in mesh.changes:
        if all(getattr(change, name) is None for name in NETWORK_FIELDS):
            yield f"mesh.changes.{change.name}: nothing changes; give it a channel, for example"
    planned = mesh.multicasts, mesh.surveys, mesh.collectors, mesh.upgrades, mesh.changes
    if not any((*planned, scenario.snap.collectors)):
        yield "mesh.multicasts: nothing is sent over the mesh unless you do, with Twin.multicast"


def _about_coexistence(scenario: Scenario) -> Iterator[str]:
    if scenario.coexistence is None:
        return
    if not scenario.fleet.gateways:
        yield "coexistence: no gateway, so the mesh disturbs nobody and only Wi-Fi disturbs it"
    elif scenario.mesh.measured is not None:
        yield (
            "coexistence: nodes whose links were measured have no places, so none is near a "
            "gateway: only Wi-Fi disturbs anybody"
        )
