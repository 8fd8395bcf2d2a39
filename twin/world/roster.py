"""Who and what the site has: workers, scanners and gateways with their names and places."""

import hashlib
from dataclasses import dataclass, replace
from itertools import count
from uuid import UUID

from twin.commands import InstallGateway
from twin.draws import draw, entity_word
from twin.floor.rules.streams import PLACE
from twin.scenario import GatewayGroup, Scenario, gateway_model, scanner_model

_SERIAL_DIGITS = 9


@dataclass(frozen=True)
class Worker:
    """One worker of one shift, at home in one zone; position in metres."""

    name: str
    shift: int
    zone: str
    x_m: float
    y_m: float
    job: int  # index of the job configuration, -1 for none


@dataclass(frozen=True)
class Scanner:
    """One scanner of the pool; ``drain_ppb`` per scan [1e-9], ``charge_time_us`` [us].

    It charges only between two temperatures [degC].
    """

    name: str
    serial: str
    model: str
    manufacturer: str
    firmware: str
    drain_ppb: int
    charge_time_us: int
    charge_min_degc: float
    charge_max_degc: float


@dataclass(frozen=True)
class Gateway:
    """One gateway; a phone has no place of its own (``x_m`` is None)."""

    name: str
    id: str
    thing_name: str
    kind: str
    model: str
    manufacturer: str
    firmware: str
    usecase: str
    station: str
    zone: str | None
    x_m: float | None
    y_m: float | None
    scanner_limit: int


@dataclass(frozen=True)
class Roster:
    """Everyone and everything, in the order in which rows number them."""

    workers: tuple[Worker, ...]
    scanners: tuple[Scanner, ...]
    gateways: tuple[Gateway, ...]


def make_roster(scenario: Scenario, seed: int) -> Roster:
    """Return the roster of a scenario; the seed decides where workers stand."""
    return Roster(_workers(scenario, seed), _scanners(scenario), _gateways(scenario))


def worker_word(worker: Worker) -> int:
    """Return the address word of a worker."""
    return entity_word(f"worker/{worker.name}")


def scanner_word(scanner: Scanner) -> int:
    """Return the address word of a scanner."""
    return entity_word(f"scanner/{scanner.name}")


def gateway_word(gateway: Gateway) -> int:
    """Return the address word of a gateway."""
    return entity_word(f"gateway/{gateway.name}")


def _workers(scenario: Scenario, seed: int) -> tuple[Worker, ...]:
    """Deal the workers of every shift to its zones in turn."""
    workers = []
    for index, shift in enumerate(scenario.work.shifts):
        zones = [scenario.site.zone(name) for name in scenario.zones_of(shift.zones)]
        for i in range(shift.workers):
            zone = zones[i % len(zones)]
            name = f"{shift.name}-{i + 1:02d}"
            word = entity_word(f"worker/{name}")
            x_m = zone.x_m + zone.width_m * draw(seed, PLACE, word, 0, 0)
            y_m = zone.y_m + zone.depth_m * draw(seed, PLACE, word, 0, 1)
            job = _job_of(scenario, zone.name)
            workers.append(Worker(name, index, zone.name, x_m, y_m, job))
    return tuple(workers)


def _job_of(scenario: Scenario, zone: str) -> int:
    """Return the first job configuration whose zones include this one, or -1."""
    for index, job in enumerate(scenario.work.jobs):
        if zone in scenario.zones_of(job.zones):
            return index
    return -1


def _scanners(scenario: Scenario) -> tuple[Scanner, ...]:
    """Make the pool; a serial is a prefix and nine digits that belong to the scanner's name."""
    scanners, taken = [], set[str]()
    for group in scenario.fleet.scanners:
        model = scanner_model(group.model)
        for i in range(group.count):
            name = f"{group.name}-{i + 1:03d}"
            serial = _serial(model.serial_prefix, f"scanner/{name}", taken)
            scanners.append(
                Scanner(
                    name=name,
                    serial=serial,
                    model=model.name,
                    manufacturer=model.manufacturer,
                    firmware=group.firmware,
                    drain_ppb=1_000_000_000 // model.scans_per_charge,
                    charge_time_us=model.charge_time_us,
                    charge_min_degc=model.charge_min_degc,
                    charge_max_degc=model.charge_max_degc,
                )
            )
    return tuple(scanners)


def _serial(prefix: str, name: str, taken: set[str]) -> str:
    """Return a serial that nobody has yet, and note it."""
    for attempt in count():
        digits = entity_word(f"{name}#{attempt}") % 10**_SERIAL_DIGITS
        serial = f"{prefix}{digits:0{_SERIAL_DIGITS}d}"
        if serial not in taken:
            taken.add(serial)
            return serial
    raise AssertionError("count() does not end")


def _gateways(scenario: Scenario) -> tuple[Gateway, ...]:
    """Place the gateways group by group."""
    gateways = []
    for group in scenario.fleet.gateways:
        model = gateway_model(group.kind)
        for i, (station, zone, x_m, y_m) in enumerate(_places(scenario, group)):
            name = f"{group.name}-{i + 1:02d}"
            gateways.append(
                Gateway(
                    name=name,
                    id=_gateway_id(scenario.cloud.customer_id, name),
                    thing_name=name,
                    kind=group.kind,
                    model=model.model,
                    manufacturer=model.manufacturer,
                    firmware=group.firmware,
                    usecase=group.usecase,
                    station=station or name,
                    zone=zone,
                    x_m=x_m,
                    y_m=y_m,
                    scanner_limit=group.scanner_limit,
                )
            )
    return tuple(gateways)


def with_gateway(roster: Roster, asked: InstallGateway) -> Roster:
    """Return a roster with one phone more, behind the others."""
    model = gateway_model("mobile")
    phone = Gateway(
        name=asked.name,
        id=asked.id,
        thing_name=asked.name,
        kind=model.kind,
        model=model.model,
        manufacturer=model.manufacturer,
        firmware=model.firmware,
        usecase=asked.usecase,
        station=asked.station,
        zone=None,
        x_m=None,
        y_m=None,
        scanner_limit=model.scanner_limit,
    )
    return replace(roster, gateways=(*roster.gateways, phone))


_Place = tuple[str | None, str | None, float | None, float | None]


def _places(scenario: Scenario, group: GatewayGroup) -> list[_Place]:
    """Return (station, zone, x, y) of every gateway of a group; phones have no x and y [m]."""
    if group.kind == "mobile":
        return [(None, group.zone, None, None)] * group.count
    if group.stations:
        stations = [scenario.site.station(name) for name in group.stations[: group.count]]
        return [(station.name, station.zone, station.x_m, station.y_m) for station in stations]
    assert group.zone is not None, "a stationary group has stations or a zone"
    spots = scenario.site.zone(group.zone).spots(group.count)
    return [(None, group.zone, x_m, y_m) for x_m, y_m in spots]


def _gateway_id(customer_id: str, name: str) -> str:
    """Return the UUID of a gateway: the same for the same customer and name."""
    digest = hashlib.blake2b(f"{customer_id}/gateway/{name}".encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))
