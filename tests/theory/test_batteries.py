"""Batteries: what scans and hours take, what chargers give back, and when scanners are exchanged.

Charge is counted in whole numbers, so most of this is exact. Means lie in an interval at 99.9 %
(Student); a drain, charging time or walk 5 % off would be seen.
"""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

import twin
from tests.scenarios import MIN, H, constant, phones, scanners, scenario, shift, zone
from tests.theory import intervals
from tests.theory.gates import ENGINES, ONE_GATEWAY, Rows, S
from twin.events import Kind, Outcome, Slip
from twin.scenario import Scenario
from twin.world.pool import Pool
from twin.world.roster import make_roster

FULL = 1_000_000_000
UNIT = 100_000  # of the column [1e-9]
TAKEN = (Kind.SESSION_OPEN, Kind.SWAP)
TIRING: Mapping[str, object] = {
    **ONE_GATEWAY,
    "work.shifts": [shift(workers=20)],
    "work.pick_interval": {"law": "uniform", "low": "1 s", "high": "9 s"},
    "cloud.telemetry_period": "1 min",
    "fleet.battery_idle_drain": "20 %/h",
    "run.horizon": "8 h",
}
SWAPPED: Mapping[str, object] = {
    **TIRING,
    "fleet.low_charge": "70 %",
    "fleet.ready_charge": "85 %",
    "fleet.swap_time": {"law": "uniform", "low": "60 s", "high": "180 s"},
    "work.wrong_scan": "20 %",
    "links.ble.stationary.loss_near": "80 %",
    "links.ble.stationary.loss_far": "80 %",
    "links.ble.stationary.supervision_timeout": "100 ms",
}


def ran(changes: Mapping[str, object], engine: str = "compiled") -> Rows:
    return twin.open(scenario(changes), seed=2, engine=engine).run(progress=False).rows()


# --- what is taken ------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", ["MARK 3", "LEO"])
def test_the_charge_of_every_row_is_that_of_its_scans_and_hours(model: str, engine: str) -> None:
    rows = ran({**TIRING, "fleet.scanners": scanners(20, model), "run.horizon": "40 min"}, engine)
    drain_ppb = FULL // {"MARK 3": 12_000, "LEO": 4_000}[model]
    for worker in range(20):
        own = rows[rows["worker"] == worker]
        assert own["kind"][0] == Kind.SESSION_OPEN
        scans = np.cumsum(own["kind"] == Kind.SCAN)
        for idle_percent, as_it_should in ((20, True), (21, False)):
            idle_ppb = own["time_us"] * idle_percent // 360
            left = np.maximum(0, FULL - scans * drain_ppb - idle_ppb) // UNIT
            assert (own["battery"] == left).all() == as_it_should
        without_scans = (FULL - own["time_us"] * 20 // 360) // UNIT
        assert (own["battery"][1:] < without_scans[1:]).any()
    assert rows["battery"].min() < 8_700


def test_a_scanner_is_exchanged_at_the_first_success_below_low_charge() -> None:
    rows = ran({**SWAPPED, "fleet.scanners": scanners(50)})
    swaps = 0
    for worker in range(20):
        own = rows[rows["worker"] == worker]
        own = own[own["kind"] != Kind.TELEMETRY]
        success = (own["outcome"] == Outcome.DELIVERED) & (own["slip"] != Slip.WRONG_BARCODE)
        low = (own["kind"] == Kind.SCAN) & success & (own["battery"] < 7_000)
        # What is below is followed at once, at the same moment, by the swap or the wait for one.
        after = np.isin(own["kind"], (Kind.SWAP, Kind.SESSION_CLOSE))
        ends = np.flatnonzero(after)
        asked = ends[own["time_us"][ends] < 8 * H] - 1
        assert np.flatnonzero(low).tolist() == asked.tolist()
        assert (own["time_us"][asked + 1] == own["time_us"][asked]).all()
        # Failures below low charge are not yet a reason.
        swaps += len(asked)
    assert swaps > 100
    failed = rows[(rows["kind"] == Kind.SCAN) & (rows["battery"] < 7_000)]
    assert set(failed["outcome"]) >= {Outcome.DELIVERED, Outcome.LOST_BLE, Outcome.NO_FEEDBACK}


def test_a_swap_takes_as_long_as_its_law_says() -> None:
    # Each with a gateway of its own: nobody waits to be connected.
    rows = ran({**SWAPPED, "fleet.scanners": scanners(50), "fleet.gateways": [phones("walk", 20)]})
    waits_s = rows[rows["kind"] == Kind.SWAP]["wait_us"] / S
    assert 120 in intervals.mean(waits_s)
    assert 120 * 1.1 not in intervals.mean(waits_s)
    assert intervals.is_uniform((waits_s - 60) / 120)


# --- what is given back --------------------------------------------------------------------

CHARGE_TIME_US = 2 * H


def pool(document: Scenario) -> Pool:
    """Return the pool of a scenario after all its scanners were taken."""
    found = Pool(document, make_roster(document, 1))
    for scanner in range(document.fleet.scanner_count):
        found.take(scanner, 0)
    return found


@pytest.mark.parametrize("left", [0.0, 0.25, 0.9])
def test_charge_rises_evenly_to_full(left: float) -> None:
    found = pool(scenario({}))
    found.put_back(3, round(left * FULL), H)
    for share in (0.0, 0.1, 0.5, 0.99, 1.0, 2.0):
        now_us = H + int(share * CHARGE_TIME_US)
        expected = min(FULL, left * FULL + share * FULL)
        assert found.charges_ppb(now_us)[3] == pytest.approx(expected, abs=1000)
    ready_us = found.next_ready_us(H)  # from half a charge on
    assert ready_us == pytest.approx(H + max(0, 0.5 - left) * CHARGE_TIME_US, abs=2) or left > 0.5


def charged(count: int, chargers: int) -> list[float]:
    """Return when so many empty scanners are full, one by one [charging times]."""
    groups = [{"name": "posts", "zone": "line", "count": chargers}]
    document = scenario({"fleet.scanners": scanners(count), "fleet.chargers": groups})
    found = pool(document)
    for scanner in range(count):
        found.put_back(scanner, 0, 0)
    full_at = [-1.0] * count
    for tenth in range(10 * count + 20):
        now_us = tenth * CHARGE_TIME_US // 10
        found.next_ready_us(now_us)
        for scanner in np.flatnonzero(found.charges_ppb(now_us) == FULL).tolist():
            full_at[scanner] = tenth / 10 if full_at[scanner] < 0 else full_at[scanner]
    return sorted(full_at)


@pytest.mark.parametrize(("count", "chargers"), [(7, 1), (7, 3), (12, 4), (5, 5), (4, 9)])
def test_so_many_chargers_fill_so_many_at_a_time(count: int, chargers: int) -> None:
    # One batch after the other: the n-th scanner is full after n / chargers charging times, rounded
    # up.
    assert charged(count, chargers) == [1.0 + n // chargers for n in range(count)]


def test_where_it_is_too_cold_nothing_charges() -> None:
    cold = {**zone("line"), "temperature": "4 degC"}
    groups = [{"name": "posts", "zone": "line", "count": 3}]
    found = pool(scenario({"site.zones": [cold], "fleet.chargers": groups}))
    found.put_back(0, 0, 0)
    assert found.charges_ppb(100 * H)[0] == 0


def gains(rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how much each scanner gained between two hands [0.01 %], and how long it was [us]."""
    hands = rows[np.isin(rows["kind"], (*TAKEN, Kind.SESSION_CLOSE, Kind.SCAN))]
    gained, took_us = [], []
    for scanner in range(rows["scanner"].max() + 1):
        own = hands[hands["scanner"] == scanner]
        again = np.flatnonzero(np.isin(own["kind"], TAKEN))[1:]  # the first time it was full
        gained.append(own["battery"][again].astype(int) - own["battery"][again - 1])
        took_us.append(own["time_us"][again] - own["time_us"][again - 1])
    return np.concatenate(gained), np.concatenate(took_us)


def test_a_scanner_of_a_whole_floor_comes_back_as_full_as_its_time_on_the_charger() -> None:
    rows = ran({**SWAPPED, "fleet.scanners": scanners(24)})
    gained, took_us = gains(rows)
    assert len(gained) > 100
    full = took_us * 10_000 // CHARGE_TIME_US
    partly = gained < full - 2
    # What is full charges no more; all others gained what the time gives, to a rounded unit or two.
    assert (np.abs(gained - full)[~partly] <= 2).all()
    assert (~partly).sum() > 50
    assert (np.abs(gained - full * 1.05)[~partly] > 2).mean() > 0.9


@pytest.mark.parametrize("chargers", [1, 3])
def test_chargers_give_no_more_than_they_have_and_all_of_it_where_they_are_short(
    chargers: int,
) -> None:
    groups = [{"name": "posts", "zone": "line", "count": chargers}]
    rows = ran({**SWAPPED, "fleet.chargers": groups, "fleet.scanners": scanners(24)})
    gained, _ = gains(rows)
    most = chargers * 8 * H / CHARGE_TIME_US * 10_000
    # The charge of the last ones on the chargers is in no row yet; the first came after some time.
    first_us = rows[(rows["kind"] == Kind.SWAP)]["time_us"][0]
    assert gained.sum() <= most
    assert gained.sum() >= most * (1 - first_us / (8 * H)) - chargers * 2 * 2_000
    assert (rows["kind"] == Kind.UNEQUIPPED).sum() > 20
    assert first_us < 90 * MIN


def test_a_session_between_swaps_lasts_as_long_as_its_charge() -> None:
    # Only time drains: from full to 70 % at 20 %/h, and on to the next scan, every 5 s.
    quiet = {"links.ble.stationary.supervision_timeout": "420 ms", "work.wrong_scan": "0 %"}
    changes = {**SWAPPED, **quiet, "fleet.scanners": scanners(50), "work.jobs": []}
    rows = ran({**changes, "work.pick_interval": constant("5 s")})
    lasts_us, scans = [], []
    for worker in range(20):
        own = rows[rows["worker"] == worker]
        first_swap = own[own["kind"] == Kind.SWAP][0]
        in_first = (own["kind"] == Kind.SCAN) & (own["time_us"] <= first_swap["time_us"])
        lasts_us.append(int(first_swap["time_us"]))
        scans.append(int(in_first.sum()))
    for last_us, count in zip(lasts_us, scans, strict=True):
        charge = 1 - last_us / H * 0.20 - count / 12_000
        assert 0.70 - 0.2 * 6 / 3600 - 0.0002 < charge < 0.70
