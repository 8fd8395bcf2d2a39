"""Small scenarios for tests: a packaged one with some keys replaced, all at once."""

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from twin.scenario import Scenario, from_document, load

Table = dict[str, Any]

MIN = 60_000_000
H = 60 * MIN

NOTHING: Table = {"law": "constant", "value": "0 s"}

QUIET: Mapping[str, Any] = MappingProxyType(
    {
        "links.ble.stationary.drops": False,
        "links.ble.stationary.connect": NOTHING,
        "links.ble.stationary.connect_failure": "0 %",
        "links.ble.mobile.drops": False,
        "links.ble.mobile.connect": NOTHING,
        "links.ble.mobile.connect_failure": "0 %",
        "links.ble.roam_after": "0 s",
        "links.publish_limit": 0,
        "links.buffer_messages": 0,
        "links.acknowledgement_loss": "0 %",
        "links.outages": [],
        "work.wrong_scan": "0 %",
        "work.forgotten_end": "0 %",
        "work.picker_sd": "0 %",
        "fleet.low_charge": "0 %",
        "fleet.chargers": [],
    }
)
"""No slip, drop, pairing, swap or limit of the uplink: what a test shows is then not hidden by
what it does not speak of. It switches on what it needs."""


def scenario(
    changes: Mapping[str, object],
    base: str = "pilot_line",
    before: Mapping[str, object] = QUIET,
) -> Scenario:
    """Return a packaged scenario with keys replaced, quiet ones before; names dotted as in TOML."""
    document = load(base).document()
    for key, value in {**before, **changes}.items():
        here: Any = document
        *path, last = key.split(".")
        for step in path:
            here = here[int(step)] if isinstance(here, list) else here[step]
        here[last] = copy.deepcopy(value)
    return from_document(document)


def constant(text: str) -> Table:
    return {"law": "constant", "value": text}


def zone(name: str, x_m: float = 0, width_m: float = 30) -> Table:
    size = {"width": f"{width_m} m", "depth": "20 m", "temperature": "20 degC"}
    return {"name": name, "x": f"{x_m} m", "y": "0 m", **size}


def station(name: str, x_m: float, y_m: float = 10, at: str = "line") -> Table:
    return {"name": name, "zone": at, "x": f"{x_m} m", "y": f"{y_m} m"}


def wall(x1_m: float, y1_m: float, x2_m: float, y2_m: float) -> Table:
    ends = {"x1": x1_m, "y1": y1_m, "x2": x2_m, "y2": y2_m}
    return {name: f"{metres} m" for name, metres in ends.items()}


def fixed(name: str, *stations: str, limit: int = 8) -> Table:
    return {"name": name, "kind": "stationary", "stations": list(stations), "scanner_limit": limit,
            "usecase": "Picking"}  # fmt: skip


def phones(name: str, count: int, at: str | None = None) -> Table:
    group = {"name": name, "kind": "mobile", "count": count, "usecase": "Picking"}
    return group if at is None else {**group, "zone": at}


def shift(
    name: str = "day", start: str = "06:00", duration: str = "8 h", workers: int = 2, **more: object
) -> Table:
    return {"name": name, "start": start, "duration": duration, "workers": workers, **more}


def scanners(count: int, model: str = "MARK 3") -> list[Table]:
    return [{"model": model, "count": count}]
