"""One gateway by itself: what comes to it is made here, and passes in one engine or the other."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.scenarios import NOTHING, constant, fixed, scanners, scenario, shift
from twin.compiling import rule
from twin.draws import fold, inner_unit, log, root, to_us
from twin.events import EVENT
from twin.floor.compiled.passage import accept
from twin.floor.compiled.state import Floor, build_floor
from twin.floor.plan import FloorPlan
from twin.floor.reference.gateway import Gateway
from twin.world.build import make_plan
from twin.world.roster import make_roster

Rows = NDArray[np.void]

S = 1_000_000
ENGINES = ("reference", "compiled")
REPLICATIONS = 20
WARM_UP = 500  # messages that meet a gateway not yet as busy as it will be
SERVICE = "links.gateway_service"
BARE: Mapping[str, object] = {
    SERVICE: NOTHING,
    "links.round_trip": NOTHING,
    "cloud.delay": NOTHING,
    "cloud.telemetry_period": "off",
}
"""A gateway that takes no time at all."""
ONE_GATEWAY: Mapping[str, object] = {
    **BARE,
    "fleet.gateways": [fixed("line", "line-middle", limit=50)],
    "fleet.scanners": scanners(50),
    "links.ble.stationary.connection_interval": "7.5 ms",
    "links.ble.stationary.packet_air": "1 us",
    "links.ble.stationary.loss_near": "0 %",
    "links.ble.stationary.loss_far": "0 %",
    "work.start_spread": "0 s",
}
"""A whole floor of one gateway for fifty, whose links lose nothing and hardly take time."""
SILENT: Mapping[str, object] = {
    "work.shifts": [shift(workers=50)],
    "work.jobs": [],
    "work.pick_interval": constant("20 h"),
}
"""Fifty workers who do not scan: only reports come to the gateway."""


def make(changes: Mapping[str, object]) -> FloorPlan:
    """Return the plan of a bare gateway with some keys replaced."""
    document = scenario({**BARE, **changes})
    return make_plan(document, make_roster(document, 1), 1)


@rule
def _fill(seed_state: int, mean_us: float, moments_us: Any, messages: Any) -> None:
    """Poisson arrivals, and an address for each."""
    passed_us = 0.0
    for i in range(len(messages)):
        messages[i] = fold(seed_state, i)
        passed_us -= log(inner_unit(fold(messages[i], -1))) * mean_us
        moments_us[i] = to_us(passed_us)


def poisson(seed: int, gap_us: float, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return messages that come at random, ``gap_us`` apart on average: addresses, moments [us]."""
    messages, moments_us = np.zeros(count, np.int64), np.zeros(count, np.int64)
    _fill(root(seed), gap_us, moments_us, messages)
    return messages, moments_us


@rule
def _pass(floor: Floor, messages: Any, moments_us: Any, rows: Any) -> None:
    """Let messages come to the first gateway."""
    for i in range(len(messages)):
        accept(floor, 0, messages[i], moments_us[i], rows[i])


def passed(
    engine: str, plan: FloorPlan, messages: NDArray[np.int64], moments_us: NDArray[np.int64]
) -> Rows:
    """Return what the first gateway of a plan makes of messages: wait, visible, copies."""
    rows = np.zeros(len(messages), EVENT)
    rows["time_us"] = moments_us
    if engine == "compiled":
        _pass(build_floor(plan), messages, moments_us, rows)
        return rows
    gateway = Gateway(plan, 0)
    arrivals = zip(messages.tolist(), moments_us.tolist(), strict=True)
    found = [gateway.accept(message, now_us) for message, now_us in arrivals]
    rows["wait_us"] = [passage.wait_us for passage in found]
    rows["visible_us"] = [passage.visible_us for passage in found]
    rows["copies"] = [passage.copies for passage in found]
    return rows


def exponential_us(mean_us: float, message: int, stream: int) -> int:
    """Return an exponential duration: no scenario can ask for one [us]."""
    return int(to_us(-math.log(inner_unit(fold(fold(message, stream), 0))) * mean_us))
