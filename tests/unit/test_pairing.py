"""Who gets which scanner and which gateway: distances, order, limits, charge, links."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.scenarios import H, Table, fixed, phones, scanners, scenario, shift, station, wall, zone
from twin.scenario import Scenario
from twin.world.pairing import Gateways, Place, distances_m
from twin.world.pool import Pool
from twin.world.roster import Roster, make_roster

FULL = 1_000_000_000
HALL = {"site.width": "100 m", "site.depth": "20 m"}


def hall(*gateways: Table, stations: list[Table] | None = None, **changes: object) -> Scenario:
    """Return a hall of 100 m with one zone, or with the zones and walls that are given."""
    found = {
        **HALL,
        "site.zones": [zone("line", 0, 100)],
        "site.stations": stations or [],
        "work.shifts": [shift(workers=3)],
        "fleet.gateways": list(gateways),
        **{key.replace("__", "."): value for key, value in changes.items()},
    }
    return scenario(found)


def standing(document: Scenario, *places: tuple[float, float], zones: str = "") -> Roster:
    """Return the roster with its workers moved to these places, and named zones by letter."""
    roster = make_roster(document, 1)
    names = {"l": "line", "r": "right"}
    moved = [
        replace(worker, x_m=x_m, y_m=y_m, zone=names[zones[i]] if zones else worker.zone)
        for i, (worker, (x_m, y_m)) in enumerate(zip(roster.workers, places, strict=True))
    ]
    return replace(roster, workers=tuple(moved))


def gateways(document: Scenario, *places: tuple[float, float], zones: str = "") -> Gateways:
    return Gateways(document, standing(document, *places, zones=zones), 1)


def metres(document: Scenario, worker: tuple[float, float], gateway: tuple[float, float]) -> float:
    (found,) = distances_m(document, np.array([worker], float), np.array([gateway], float))[0]
    return float(found)


# --- distances ---------------------------------------------------------------


def test_the_distance_is_the_straight_line() -> None:
    found = distances_m(hall(), np.array([[0.0, 0], [3, 4]]), np.array([[3.0, 4], [3, 16]]))
    assert found == pytest.approx(np.array([[5, math.hypot(3, 16)], [0, 12]]))


@pytest.mark.parametrize(
    ("walls", "crossed"),
    [
        ([wall(10, 0, 10, 20)], 1),
        ([wall(10, 0, 10, 20), wall(12, 0, 12, 20)], 2),
        ([wall(10, 20, 10, 0)], 1),  # from the other end
        ([wall(8, 3, 12, 15)], 1),  # at an angle
        ([wall(10, 0, 10, 8)], 0),  # ends beside the way
        ([wall(21, 0, 21, 20)], 0),  # behind the gateway
        ([wall(0, 12, 30, 12)], 0),  # along the way
    ],
)
def test_every_wall_on_the_way_costs_its_penalty(walls: list[Table], crossed: int) -> None:
    document = hall(site__walls=walls)
    assert document.links.ble.wall_penalty_m == 8
    assert metres(document, (0, 10), (20, 10)) == 20 + 8 * crossed
    assert metres(document, (20, 10), (0, 10)) == 20 + 8 * crossed


# --- stationary gateways -------------------------------------------------------


def test_the_nearest_gateway_with_a_free_place_is_taken() -> None:
    stations = [station("far", 40), station("near", 20)]
    document = hall(fixed("line", "far", "near", limit=2), stations=stations)
    places = gateways(document, (10, 10), (10, 10), (10, 10))
    taken = [places.take(w) for w in range(3)]
    assert taken == [Place(1, 0, 10.0), Place(1, 1, 10.0), Place(0, 0, 30.0)]
    assert places.take(0) == Place(0, 1, 30.0)
    assert places.take(0) is None


def test_a_wall_can_make_the_farther_one_the_nearest() -> None:
    stations = [station("behind", 16), station("open", 0)]
    group = fixed("line", "behind", "open")
    where = [(10.0, 10.0)] * 3
    open_hall = hall(group, stations=stations)
    walled = hall(group, stations=stations, site__walls=[wall(13, 0, 13, 20)])
    assert gateways(open_hall, *where).take(0) == Place(0, 0, 6.0)
    assert gateways(walled, *where).take(0) == Place(1, 0, 10.0)


def test_no_gateway_out_of_range_is_taken() -> None:
    document = hall(fixed("line", "left"), stations=[station("left", 0)])
    assert document.links.ble.stationary.range_m == 35
    places = gateways(document, (35, 10), (35.1, 10), (80, 10))
    assert [places.take(w) is not None for w in range(3)] == [True, False, False]


def test_of_two_equally_near_the_first_of_the_fleet_is_taken() -> None:
    stations = [station("right", 20), station("left", 0)]
    document = hall(fixed("b", "right"), fixed("a", "left"), stations=stations)
    assert gateways(document, *[(10.0, 10.0)] * 3).take(0) == Place(0, 0, 10.0)


def test_a_place_that_was_put_back_is_taken_again() -> None:
    document = hall(fixed("line", "left", limit=2), stations=[station("left", 0)])
    places = gateways(document, *[(5.0, 10.0)] * 3)
    first, second = places.take(0), places.take(1)
    assert first is not None
    assert second is not None
    assert places.take(2) is None
    places.put_back(first)
    assert places.take(2) == Place(0, 0, 5.0)
    places.put_back(second)
    assert places.take(1) == Place(0, 1, 5.0)


# --- phones --------------------------------------------------------------------


def test_phones_go_to_the_workers_farthest_from_any_stationary_gateway() -> None:
    document = hall(fixed("line", "left"), phones("walk", 1), stations=[station("left", 0)])
    places = gateways(document, (20, 10), (10, 10), (30, 10))  # all of them in range
    assert places.order([0, 1, 2]) == [2, 0, 1]
    assert [places.take(w) for w in (2, 0, 1)] == [
        Place(1, 0, 0.0), Place(0, 0, 20.0), Place(0, 1, 10.0)
    ]  # fmt: skip


def test_who_reaches_no_gateway_comes_in_the_order_of_the_roster() -> None:
    places = gateways(hall(phones("walk", 3)), (90, 10), (10, 10), (50, 10))
    assert places.order([2, 0, 1]) == [0, 1, 2]


def test_a_phone_serves_one_worker() -> None:
    places = gateways(hall(phones("walk", 2)), *[(5.0, 10.0)] * 3)
    assert [places.take(w) for w in range(3)] == [Place(0, 0, 0.0), Place(1, 0, 0.0), None]


def test_a_phone_of_a_zone_goes_to_no_one_else() -> None:
    zones = [zone("line", 0, 50), zone("right", 50, 50)]
    document = hall(phones("walk", 2, at="right"), site__zones=zones)
    places = gateways(document, (5, 10), (60, 10), (70, 10), zones="lrr")
    assert [places.take(w) for w in range(3)] == [None, Place(0, 0, 0.0), Place(1, 0, 0.0)]


# --- the pool ------------------------------------------------------------------


def pool(count: int = 3) -> Pool:
    document = hall(fleet__scanners=scanners(count))
    return Pool(document, make_roster(document, 1))


def test_the_fullest_scanner_is_taken_first_then_the_first_of_the_fleet() -> None:
    found = pool()
    assert list(found.fullest_first(0)) == [(0, FULL), (1, FULL), (2, FULL)]
    for scanner, charge_ppb in ((0, FULL * 6 // 10), (2, FULL * 8 // 10)):
        found.take(scanner, 0)
        found.put_back(scanner, charge_ppb, 0)
    assert list(found.fullest_first(0)) == [(1, FULL), (2, FULL * 8 // 10), (0, FULL * 6 // 10)]


def test_a_scanner_in_use_is_not_offered() -> None:
    found = pool()
    found.take(1, 0)
    assert [scanner for scanner, _ in found.fullest_first(0)] == [0, 2]


@pytest.mark.parametrize("model", ["MARK 2", "MARK 3"])
def test_charge_rises_evenly_to_full_in_the_charge_time(model: str) -> None:
    document = hall(fleet__scanners=scanners(1, model))
    roster = make_roster(document, 1)
    charge_time_us = roster.scanners[0].charge_time_us
    assert charge_time_us >= H
    found = Pool(document, roster)
    found.take(0, 0)
    found.put_back(0, FULL // 10, H)
    for share in (0, 0.25, 0.5, 0.75):
        (charge_ppb,) = found.charges_ppb(H + int(share * charge_time_us))
        assert charge_ppb == pytest.approx(FULL * (0.1 + share), abs=1000)
    for share in (0.9, 1.0, 1000.0):
        assert found.charges_ppb(H + int(share * charge_time_us)) == [FULL]


def test_a_scanner_charged_over_night_does_not_overflow() -> None:
    found = pool(1)
    found.take(0, 0)
    found.put_back(0, 0, 0)
    assert found.charges_ppb(400 * 24 * H) == [FULL]


# --- links ---------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 7, 50])
@pytest.mark.parametrize("seed", [1, 2**63 - 1])
def test_connections_of_one_gateway_have_events_of_their_own(limit: int, seed: int) -> None:
    document = hall(fixed("line", "left", limit=limit), stations=[station("left", 0)])
    places = Gateways(document, make_roster(document, 1), seed)
    anchors = [places.link(Place(0, slot, 1.0))[2] for slot in range(limit)]
    interval_us = document.links.ble.stationary.connection_interval_us
    assert all(0 <= anchor_us < interval_us for anchor_us in anchors)
    ordered = sorted(anchors)
    gaps = np.diff([*ordered, ordered[0] + interval_us])
    assert gaps.min() >= interval_us // limit


def test_gateways_keep_clocks_of_their_own_that_the_seed_sets() -> None:
    stations = [station("left", 0), station("right", 20)]
    document = hall(fixed("line", "left", "right"), stations=stations)
    roster = make_roster(document, 1)
    found = {
        (seed, gateway): Gateways(document, roster, seed).link(Place(gateway, 0, 1.0))[2]
        for seed in (1, 2)
        for gateway in (0, 1)
    }
    assert len(set(found.values())) == 4


def test_loss_grows_with_the_square_of_the_distance_from_near_to_far() -> None:
    document = hall(fixed("line", "left"), stations=[station("left", 0)])
    places = Gateways(document, make_roster(document, 1), 1)
    link = document.links.ble.stationary
    losses = [places.link(Place(0, 0, share * link.range_m))[1] for share in (0, 0.25, 0.5, 1, 3)]
    assert losses == sorted(losses)
    assert losses[0] == link.loss_near == 0.01
    assert losses[2] == pytest.approx(0.01 + 0.29 / 4)
    assert losses[3] == losses[4] == link.loss_far == 0.3


def test_a_phone_has_the_link_of_phones_and_loses_little() -> None:
    document = hall(phones("walk", 1), links__ble__mobile__connection_interval="30 ms")
    places = gateways(document, *[(5.0, 10.0)] * 3)
    place = places.take(0)
    assert place is not None
    link, loss, anchor_us = places.link(place)
    assert link == document.links.ble.mobile
    assert loss == link.loss_near
    assert 0 <= anchor_us < 30_000
