"""A small site whose scanners and mesh share the band: one gateway, nodes around it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import twin
from tests.scenarios import fixed, scanners, scenario, shift, station, zone
from twin.events import Kind, Outcome
from twin.scenario import Scenario
from twin.twin import Twin

STEADY: Mapping[str, Any] = {
    "links.ble.stationary.loss_near": "1 %",
    "links.ble.stationary.loss_far": "1 %",
    "work.pick_interval": {"law": "uniform", "low": "1 s", "high": "3 s"},
}
UPGRADE_US = 20 * 60_000_000
"""When the upgrade begins: in the middle of a shift [us]."""


def upgrade(every: str = "100 ms", **more: object) -> list[dict[str, object]]:
    """Return what an upgrade of all nodes sends: one long multicast after the other."""
    sent = {"name": "upgrade", "source": "bridge", "after": "20 min", "every": every, "ttl": 2,
            "payload_bytes": 100}  # fmt: skip
    return [{**sent, **more}]


def site(coexistence: Mapping[str, Any] | None, **changes: object) -> Scenario:
    """Return the site; keys of ``changes`` have two underscores for each dot."""
    found = scenario({
        "site.zones": [zone("line")],
        "site.walls": [],
        "site.stations": [station("middle", 15)],
        "fleet.gateways": [fixed("middle", "middle", limit=10)],
        "fleet.scanners": scanners(10),
        "work.shifts": [shift(workers=10)],
        "work.jobs": [],
        "run.horizon": "1 h",
        "mesh.channel": 0,
        "mesh.nodes": [{"name": "lamp", "zone": "line", "count": 12, "placement": "grid"}],
        "mesh.bridges": [{"name": "bridge", "x": "15 m", "y": "10 m"}],
        "mesh.multicasts": upgrade(),
        **STEADY,
        **{key.replace("__", "."): value for key, value in changes.items()},
    })  # fmt: skip
    return found if coexistence is None else twin.vary(found, "coexistence", dict(coexistence))


def run(of: Scenario, *, engine: str = "compiled", seed: int = 1) -> Twin:
    """Return a finished run."""
    return twin.open(of, seed=seed, engine=engine).run(progress=False)


def mesh_rows(of: Twin) -> NDArray[np.void]:
    """Return all rows of the mesh."""
    return of._mesh_rows.whole()


def scans(of: Twin, from_us: int = 0, until_us: int = 1 << 60) -> NDArray[np.void]:
    """Return the scans of a stretch of time that beeped well."""
    rows = of.rows()
    rows = rows[(rows["kind"] == Kind.SCAN) & (rows["outcome"] == Outcome.DELIVERED)]
    return rows[(from_us <= rows["time_us"]) & (rows["time_us"] < until_us)]
