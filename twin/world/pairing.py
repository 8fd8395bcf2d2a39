"""Who gets which gateway, by stated rules and with no chance in them.

Phones go first, to the workers who stand farthest from any stationary gateway (a phone walks with
its worker, so it serves where nothing else reaches); everyone else takes the nearest stationary
gateway within range that has a free place. A wall on the way counts as so many metres more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.draws import draw
from twin.floor.rules.streams import GATEWAY_CLOCK
from twin.scenario import BleLink, Scenario, Wall
from twin.world.roster import Roster, Worker, gateway_word

_BLOCK = 512  # workers whose distances are computed at once


@dataclass
class Place:
    """A free or taken place at a gateway, and the link it gives."""

    gateway: int
    slot: int
    distance_m: float


class Gateways:
    """The places at the gateways and how far each worker is from them."""

    def __init__(self, scenario: Scenario, roster: Roster, seed: int) -> None:
        """Begin with every place free."""
        self._ble = scenario.links.ble
        self._seed = seed
        self._taken: list[set[int]] = []
        self._phones: list[int] = []
        self._clock_u: list[float] = []
        self.grow(roster)
        self._reach = _reach(scenario, roster)
        self._rank = _ranks([reach[0][1] if reach else np.inf for reach in self._reach])

    def grow(self, roster: Roster) -> None:
        """Take up the gateways that a roster has more than before; later ones are phones."""
        self._roster = roster
        for g, gateway in list(enumerate(roster.gateways))[len(self._taken) :]:
            self._taken.append(set())
            self._clock_u.append(draw(self._seed, GATEWAY_CLOCK, gateway_word(gateway), 0, 0))
            if gateway.kind == "mobile":
                self._phones.append(g)

    def order(self, workers: list[int]) -> list[int]:
        """Return workers with the one farthest from any stationary gateway first."""
        return sorted(workers, key=self._rank.__getitem__)

    def take(self, w: int) -> Place | None:
        """Take a place for a worker, or return None where there is none."""
        return self._take_phone(self._roster.workers[w]) or self._take_fixed(w)

    def _take_phone(self, worker: Worker) -> Place | None:
        """Take the first free phone that is for this worker's zone, or for any."""
        for phone in self._phones:
            if not self._taken[phone] and self._roster.gateways[phone].zone in (None, worker.zone):
                return self._occupy(phone, 0.0)
        return None

    def take_other(self, w: int, instead_of: int) -> Place | None:
        """Take a place for a worker at another stationary gateway than the one given."""
        return self._take_fixed(w, instead_of)

    def _take_fixed(self, w: int, but: int = -1) -> Place | None:
        """Take a place at the nearest stationary gateway in range that has one free."""
        for gateway, metres in self._reach[w]:
            if (
                gateway != but
                and len(self._taken[gateway]) < self._roster.gateways[gateway].scanner_limit
            ):
                return self._occupy(gateway, metres)
        return None

    def _occupy(self, gateway: int, distance_m: float) -> Place:
        """Take the lowest free slot of a gateway."""
        slot = next(
            i for i in range(len(self._taken[gateway]) + 1) if i not in self._taken[gateway]
        )
        self._taken[gateway].add(slot)
        return Place(gateway, slot, distance_m)

    def put_back(self, place: Place) -> None:
        """Free a place."""
        self._taken[place.gateway].remove(place.slot)

    def link(self, place: Place) -> tuple[BleLink, float, int]:
        """Return the link of a place: (class, loss per connection event [1], anchor [us]).

        Loss grows with the square of the distance from its near to its far value. A gateway
        spaces the events of its connections evenly over the interval, on its own clock.
        """
        gateway = self._roster.gateways[place.gateway]
        link = self._ble.mobile if gateway.kind == "mobile" else self._ble.stationary
        share = min(1.0, place.distance_m / link.range_m)
        loss = link.loss_near + (link.loss_far - link.loss_near) * share * share
        phase_us = int(self._clock_u[place.gateway] * link.connection_interval_us)
        spacing_us = link.connection_interval_us // gateway.scanner_limit
        return link, loss, (phase_us + place.slot * spacing_us) % link.connection_interval_us


def _ranks(nearest_m: list[float]) -> list[int]:
    """Return for every worker how many come first: those farther from any gateway [1]."""
    ranks = np.empty(len(nearest_m), np.int64)
    ranks[np.argsort(-np.array(nearest_m), kind="stable")] = np.arange(len(nearest_m))
    return [int(rank) for rank in ranks]


def _reach(scenario: Scenario, roster: Roster) -> list[list[tuple[int, float]]]:
    """Return for every worker the stationary gateways in range, nearest first, with metres [m]."""
    fixed = [i for i, gateway in enumerate(roster.gateways) if gateway.kind == "stationary"]
    gateways = _points([(roster.gateways[i].x_m, roster.gateways[i].y_m) for i in fixed])
    workers = _points([(worker.x_m, worker.y_m) for worker in roster.workers])
    reach = []
    for first in range(0, len(workers), _BLOCK):
        metres = distances_m(scenario, workers[first : first + _BLOCK], gateways)
        for row in metres:
            near = np.flatnonzero(row <= scenario.links.ble.stationary.range_m)
            ranked = near[np.argsort(row[near], kind="stable")]
            reach.append([(fixed[i], float(row[i])) for i in ranked])
    return reach


def _points(pairs: Sequence[tuple[float | None, float | None]]) -> NDArray[np.float64]:
    """Return points as an array of shape (n, 2) [m]."""
    return np.array(pairs, float).reshape(-1, 2)


def distances_m(
    scenario: Scenario, workers: NDArray[np.float64], gateways: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the distances that count for a link, every wall on the way included.

    Parameters
    ----------
    workers, gateways
        Positions, arrays of shape (w, 2) and (g, 2) [m].

    Returns
    -------
    array of shape (w, g) [m]
    """
    start, end = workers[:, None, :], gateways[None, :, :]
    metres = np.sqrt(((end - start) ** 2).sum(axis=2))
    for wall in scenario.site.walls:
        metres += crosses(start, end, wall) * scenario.links.ble.wall_penalty_m
    return metres


def crosses(start: NDArray[np.float64], end: NDArray[np.float64], wall: Wall) -> NDArray[np.bool_]:
    """Return which straight lines cross a wall.

    Parameters
    ----------
    start, end
        Their ends, shapes (w, 1, 2) and (1, g, 2) [m].

    Returns
    -------
    array of shape (w, g)
    """
    a, b = np.array([wall.x1_m, wall.y1_m]), np.array([wall.x2_m, wall.y2_m])
    divides_line = _side(a, b, start) * _side(a, b, end) < 0
    divides_wall = _side(start, end, a) * _side(start, end, b) < 0
    return divides_line & divides_wall


def _side(
    a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return on which side of the line from a to b the point c lies: the sign counts [m2]."""
    ab, ac = b - a, c - a
    return np.asarray(ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0])
