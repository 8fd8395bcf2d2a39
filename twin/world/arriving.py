"""Workers come to their gateways, at the start of a shift or back from the chargers."""

from collections.abc import Iterable
from typing import NamedTuple

from twin.commands import RESCANS, RESUMES
from twin.draws import fold, root, sample_us
from twin.events import NEVER
from twin.floor.plan import FloorPlan
from twin.floor.rules.streams import SWAP
from twin.floor.rules.workload import opening_us
from twin.scenario import Scenario
from twin.world.build import record_of
from twin.world.connecting import Connecting
from twin.world.roster import Roster, worker_word


class Waiting(NamedTuple):
    """A worker without scanner: until when the shift is, and since when [us].

    ``since_us`` is NEVER where the shift only begins; ``resumes``: FRESH, or in the middle of a
    job (RESUMES), or of a scan that failed (RESCANS).
    """

    until_us: int
    since_us: int
    resumes: int


class Comer(NamedTuple):
    """A worker on the way to a gateway with a scanner.

    ``charge_ppb`` [1e-9] is that of the scanner, ``stretches`` are the rows of the work to come,
    from ``begins_us`` on; the rest is known on arrival.
    """

    w: int
    gateway: int
    charge_ppb: int
    waiting: Waiting
    stretches: tuple[int, int]
    begins_us: int
    arrives_us: int = -1
    connected_us: int = -1
    attempts: int = 0

    @property
    def without_us(self) -> int:
        """How long the worker was ready to work without a connected scanner [us]."""
        since_us = self.waiting.since_us
        return self.connected_us - (self.arrives_us if since_us == NEVER else since_us)


class Arrivals:
    """Lets workers arrive and connect, whoever comes first first."""

    def __init__(self, scenario: Scenario, roster: Roster, plan: FloorPlan, seed: int) -> None:
        """Begin with nobody under way."""
        self._book = plan.book
        self._roam_after_us = scenario.links.ble.roam_after_us
        self.connecting = Connecting(scenario, roster, seed)
        self._swap = record_of(scenario.fleet.swap_time)
        self._states = [fold(root(seed), worker_word(worker)) for worker in roster.workers]

    def connect(self, comers: Iterable[Comer], now_us: int) -> list[Comer]:
        """Return comers with the moments at which they are there and connected [us].

        At the start of a shift workers come spread over some minutes; who was without a scanner
        in the middle of the work walks to the chargers and back; who has a dead link waits for it
        before going to another gateway.
        """
        there = [comer._replace(arrives_us=self._arrives_us(comer, now_us)) for comer in comers]
        connected = []
        for comer in sorted(there, key=lambda comer: (comer.arrives_us, comer.w)):
            moment_us, attempts = self.connecting.connect(comer.w, comer.gateway, comer.arrives_us)
            connected.append(comer._replace(connected_us=moment_us, attempts=attempts))
        return connected

    def _arrives_us(self, comer: Comer, now_us: int) -> int:
        """Return when a worker with a scanner is at the gateway [us]."""
        state = self._states[comer.w]
        if comer.waiting.resumes == RESCANS:
            return now_us + self._roam_after_us
        if comer.waiting.resumes == RESUMES:
            return now_us + sample_us(self._swap, fold(state, now_us), SWAP)
        return int(opening_us(self._book, state, comer.begins_us, True))
