"""The conductor: one SimPy environment whose agenda opens and closes shifts on the floor.

What is still to come lies in ``Site.agenda`` as plain rows, never in the locals of a sleeping
generator: agenda plus engine is the whole state. Of two rows at the same moment the lower rank
goes first, so a place freed by one shift can be taken by the next.
"""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.commands import FRESH, RESCANS, RESUMES, SESSION, InstallGateway, SendMulticast
from twin.events import EMPTY, EVENT, NEVER, Asking, Kind, Outcome
from twin.floor.engines import make_floor
from twin.floor.rules.scanner import battery_column
from twin.scenario import Multicast, Scenario
from twin.world.arriving import Arrivals, Comer, Waiting
from twin.world.build import make_plan, with_phone
from twin.world.clock import Calendar
from twin.world.coexistence import SharedBand
from twin.world.network import Network
from twin.world.pairing import Gateways, Place
from twin.world.pool import Pool
from twin.world.roster import make_roster, with_gateway
from twin.world.windows import Windows

_SIMPY_OWN_PRIORITIES = 2
_STEP, _CLOSE, _OPEN, _LOOK, _SEND = range(5)
_COLUMN = {name: i for i, name in enumerate(EVENT.names or ())}
Sink = Callable[[NDArray[np.void]], None]


class Row(NamedTuple):
    """Something that is to happen at ``due_us``, by its ``rank``: a step ends in which the mesh
    worked, a shift closes or opens, or a multicast of the scenario is due (``shift`` says which).
    """

    due_us: int
    rank: int
    shift: int
    until_us: int


class Open(NamedTuple):
    """A session that is under way."""

    scanner: int
    place: Place
    until_us: int


class Site:
    """A site in time; rows go to ``sink`` in order, in chunks."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        engine: str,
        sink: Sink,
        *,
        keeps_rows: bool = True,
        mesh_sink: Sink | None = None,
    ) -> None:
        """Build a site at its first moment.

        Parameters
        ----------
        scenario, seed, engine
            What to simulate, with which luck, by which engine.
        sink
            Takes the rows.
        keeps_rows
            Whether the sink keeps what it is given; else a chunk is only good until the next.
        mesh_sink
            Takes the rows of the mesh; nobody by default.
        """
        self.scenario = scenario
        self.roster = make_roster(scenario, seed)
        self.calendar = Calendar(scenario.run.start, scenario.run.time_zone)
        self.plan = make_plan(scenario, self.roster, seed)
        self.floor = make_floor(engine, self.plan, keeps_rows=keeps_rows)
        self.agenda: set[Row] = set()
        self._sink = sink
        self._env = simpy.Environment()
        self._pool = Pool(scenario, self.roster)
        self._gateways = Gateways(scenario, self.roster, seed)
        self._arrivals = Arrivals(scenario, self.roster, self.plan, seed)
        self._workers_of: list[list[int]] = [[] for _ in scenario.work.shifts]
        for w, worker in enumerate(self.roster.workers):
            self._workers_of[worker.shift].append(w)
        self._open: dict[int, Open] = {}
        self._waiting: dict[int, Waiting] = {}
        self._edges_us: dict[int, list[int]] = {}  # of each shift's latest occurrence
        for shift in range(len(scenario.work.shifts)):
            self._post_next(shift, 0)
        self.network = Network(
            scenario, seed, engine, mesh_sink or (lambda _: None), keeps_rows=keeps_rows
        )
        self.band: SharedBand | None = None
        if scenario.coexistence is not None:
            self.band = SharedBand(scenario, self.roster, self.floor, self.network)
        for item in range(len(scenario.mesh.multicasts)):
            self._post(Row(self.network.due_us(item, 0), _SEND, item, 0))

    def __getstate__(self) -> dict[str, Any]:
        """Return the site between two runs: of the environment only the moment and its agenda."""
        ordered = sorted(self._env._queue)  # of two at the same moment the one posted first
        agenda = [event.value for *_, event in ordered if event.value is not None]
        return self.__dict__ | {"_env": self.now_us, "agenda": agenda}  # None: ends of runs

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on from there, in an environment of its own."""
        self.__dict__.update(state, _env=simpy.Environment(state["_env"]), agenda=set())
        for row in state["agenda"]:
            self._post(row)

    @property
    def now_us(self) -> int:
        """The simulated moment [us]."""
        return int(self._env.now)

    @property
    def given(self) -> dict[str, object]:
        """What is no part of the state beside the scenario, by name."""
        return {
            "calendar": self.calendar, "sink": self._sink, "mesh_sink": self.network.sink,
        }  # fmt: skip

    def run(self, until_us: int) -> None:
        """Let time pass up to a moment; what happens at that moment is left for later.

        The floor goes ahead of the agenda, up to what comes next there. Where a worker asks for a
        scanner meanwhile, the answer may put something on the agenda that comes before.
        """
        if until_us <= self.now_us:
            return
        while True:
            if self.band and (ends_us := self.band.due_us(self.now_us)) != NEVER:
                self._post(Row(ends_us, _STEP, 0, 0))
            due_us = min(self._env.peek(), until_us)
            for chunk in self.floor.advance(int(due_us)):
                self._hand_on(chunk)
            if self.floor.asking is not None:
                self._answer(self.floor.asking)
            elif due_us < until_us:
                self._env.step()
            else:
                break
        self._env.run(until=until_us)
        self.network.run(until_us)

    def _post_next(self, shift: int, from_us: int) -> None:
        """Put a shift's next opening on the agenda, one that is already under way included."""
        facts = self.scenario.work.shifts[shift]
        days = self.calendar.occurrences(facts.start, facts.duration_us, from_us)
        for day, begins_us, ends_us in islice(days, 15):
            if day in facts.days and (begins_us >= from_us or from_us == 0):
                self._post(Row(max(begins_us, from_us), _OPEN, shift, ends_us))
                return

    def edges_us(self, shift: int, until_us: int) -> list[int]:
        """Return begin, breaks and end of the occurrence of a shift that ends at a moment [us]."""
        known = self._edges_us.get(shift)
        if known is None or known[-1] != until_us:
            facts = self.scenario.work.shifts[shift]
            days = self.calendar.occurrences(facts.start, facts.duration_us, until_us - 1)
            _, begins_us, _ = next(iter(days))
            known = [begins_us]
            for pause in facts.breaks:
                begin_us = begins_us + pause.after_us
                known += [begin_us, begin_us + pause.duration_us]
            known.append(until_us)
            self._edges_us[shift] = known
        return known

    def _post(self, row: Row) -> None:
        """Put a row on the agenda."""
        if row in self.agenda:
            return
        self.agenda.add(row)
        event = simpy.Event(self._env)
        event._ok, event._value = True, row
        event.callbacks = [lambda _: self._happen(row)]
        priority = _SIMPY_OWN_PRIORITIES + row.rank * len(self.scenario.work.shifts) + row.shift
        self._env.schedule(event, priority, row.due_us - self.now_us)  # type: ignore[arg-type]

    def _happen(self, row: Row) -> None:
        """Carry out a row of the agenda; the floor has come up to it."""
        self.agenda.remove(row)
        if row.rank == _STEP:
            assert self.band is not None
            self.band.exchange(row.due_us)
        elif row.rank == _CLOSE:
            self._close_shift(row)
        elif row.rank == _OPEN:
            self._post(Row(row.until_us, _CLOSE, row.shift, row.until_us))
            self._post_next(row.shift, row.due_us + 1)
            for w in self._workers_of[row.shift]:
                self._waiting[w] = Waiting(row.until_us, NEVER, FRESH)
            # Shifts that begin together share what there is: equip them together.
            self._post(Row(row.due_us, _LOOK, 0, 0))
        elif row.rank == _LOOK:
            self._equip_waiting(row.due_us)
        else:
            self.multicast(self.scenario.mesh.multicasts[row.shift])
            due_us = self.network.due_us(row.shift, row.due_us + 1)
            self._post(Row(due_us, _SEND, row.shift, 0))

    def multicast(self, asked: Multicast | SendMulticast) -> None:
        """Send a message over the mesh now."""
        self.network.run(self.now_us)
        self.network.send(asked, self.now_us)

    def install(self, asked: InstallGateway) -> None:
        """Take a phone into service now; who waits for a gateway gets it at once."""
        self.roster = with_gateway(self.roster, asked)
        self.plan = with_phone(self.plan, self.scenario)
        self.floor.grow(self.plan)
        self._gateways.grow(self.roster)
        self._arrivals.connecting.grow(self.roster)
        if self.band:
            self.band.grow(self.roster, self.now_us)
        self._equip_waiting(self.now_us)

    def _equip_waiting(self, now_us: int) -> None:
        """Equip workers, as far as there is equipment, and let them begin."""
        scanners = deque(self._pool.fullest_first(now_us))
        rows, comers, windows = [], list[Comer](), Windows(self.edges_us, now_us)
        for w in self._gateways.order(list(self._waiting)):
            waiting = self._waiting[w]
            if waiting.until_us == now_us:  # the shift closes at this very moment
                continue
            if not scanners and waiting.since_us != NEVER:
                continue
            found = self._find(w, waiting.until_us, scanners, now_us)
            if not isinstance(found, Outcome):
                del self._waiting[w]
                comers.append(self._comer(w, found, waiting, windows))
            elif waiting.since_us == NEVER:  # else it was said before
                rows.append(self._row(w, now_us, Kind.UNEQUIPPED, outcome=found))
                self._waiting[w] = waiting._replace(since_us=now_us)
        self._begin(comers, windows, now_us, Kind.SESSION_OPEN, rows)
        if not scanners and self._waiting:
            ready_us = self._pool.next_ready_us(now_us)
            if ready_us != NEVER:
                self._post(Row(ready_us, _LOOK, 0, 0))

    def _find(
        self, w: int, until_us: int, scanners: deque[tuple[int, int]], now_us: int
    ) -> int | Outcome:
        """Give a worker a scanner and a place; return its charge [1e-9], or what is missing."""
        place = self._gateways.take(w)
        if place is None:
            return Outcome.NO_GATEWAY
        if not scanners:
            self._gateways.put_back(place)
            return Outcome.NO_SCANNER
        scanner, charge_ppb = scanners.popleft()
        self._pool.take(scanner, now_us)
        self._open[w] = Open(scanner, place, until_us)
        return charge_ppb

    def _comer(self, w: int, charge_ppb: int, waiting: Waiting, windows: Windows) -> Comer:
        """Return a worker who goes to a gateway."""
        stretches = windows.of(self.roster.workers[w].shift, waiting.until_us)
        gateway = self._open[w].place.gateway
        return Comer(w, gateway, charge_ppb, waiting, stretches, windows.begin_us(stretches))

    def _begin(
        self,
        comers: list[Comer],
        windows: Windows,
        now_us: int,
        kind: Kind,
        rows: list[tuple[int, ...]],
    ) -> None:
        """Connect workers and offer their sessions; hand on rows, theirs behind the given ones."""
        connected = self._arrivals.connect(comers, now_us)
        sessions = np.array([self._session(comer) for comer in connected], SESSION)
        self.floor.offer(sessions, windows.array())
        self._emit(rows + [self._taken_row(comer, now_us, kind) for comer in connected])

    def _session(self, comer: Comer) -> tuple[float, ...]:
        """Return the session of a worker whose scanner is connected."""
        scanner, place, until_us = self._open[comer.w]
        link, loss, anchor_us = self._gateways.link(place)
        interval_us = link.connection_interval_us
        return (
            comer.connected_us, until_us, anchor_us, interval_us, link.packet_air_us,
            comer.charge_ppb, self.roster.scanners[scanner].drain_ppb, loss, comer.w, scanner,
            place.gateway, link.supervision_timeout_us // interval_us,
            comer.waiting.resumes, *comer.stretches,
        )  # fmt: skip

    def _answer(self, asking: Asking) -> None:
        """Help a worker who cannot go on, unless the shift is over by now."""
        if asking.worker not in self._open:
            self.floor.offer(np.empty(0, SESSION), np.empty((0, 2), np.int64))
        elif asking.after == Kind.DROP:
            self._roam(asking.worker, asking.now_us)
        else:
            self._swap(asking.worker, asking.now_us)

    def _roam(self, w: int, now_us: int) -> None:
        """Let a worker pair with another gateway in reach, if there is one with a free place."""
        scanner, place, until_us = self._open[w]
        another = self._gateways.take_other(w, place.gateway)
        windows = Windows(self.edges_us, now_us)
        if another is None:
            self._begin([], windows, now_us, Kind.ROAM, [])
            return
        self._gateways.put_back(place)
        self._open[w] = Open(scanner, another, until_us)
        left_ppb = self.floor.charge_ppb(w, now_us)
        comer = self._comer(w, left_ppb, Waiting(until_us, now_us, RESCANS), windows)
        self._begin([comer], windows, now_us, Kind.ROAM, [])

    def _swap(self, w: int, now_us: int) -> None:
        """Give a worker with an empty scanner another one, or let it wait for one."""
        scanner, place, until_us = self._open.pop(w)
        left_ppb = self.floor.charge_ppb(w, now_us)
        self._pool.put_back(scanner, left_ppb, now_us)
        another, charge_ppb = self._pool.fullest(now_us) or (-1, 0)
        waiting, windows = Waiting(until_us, now_us, RESUMES), Windows(self.edges_us, now_us)
        if another >= 0:
            self._pool.take(another, now_us)
            self._open[w] = Open(another, place, until_us)
            comer = self._comer(w, charge_ppb, waiting, windows)
            self._begin([comer], windows, now_us, Kind.SWAP, [])
            return
        self._gateways.put_back(place)
        self._waiting[w] = waiting
        rows = [
            self._closed_row(w, now_us, scanner, place, left_ppb),
            self._row(w, now_us, Kind.UNEQUIPPED, outcome=Outcome.NO_SCANNER),
        ]
        self._begin([], windows, now_us, Kind.SWAP, rows)
        self._equip_waiting(now_us)  # a place is free now

    def _close_shift(self, row: Row) -> None:
        """Put back what the workers of a shift hold, and equip those who wait for it."""
        now_us = row.due_us
        charges = self.floor.charges_ppb(now_us)
        rows = []
        for w in self._workers_of[row.shift]:
            if w in self._waiting:
                waited_us = now_us - self._waiting.pop(w).since_us
                rows.append(self._row(w, now_us, Kind.SESSION_CLOSE, wait_us=waited_us))
            if w in self._open:
                scanner, place, _ = self._open.pop(w)
                rows.append(self._closed_row(w, now_us, scanner, place, int(charges[w])))
                self._pool.put_back(scanner, int(charges[w]), now_us)
                self._gateways.put_back(place)
        self._emit(rows)
        self._equip_waiting(now_us)

    def _taken_row(self, comer: Comer, now_us: int, kind: Kind) -> tuple[int, ...]:
        """Return the row of a worker who takes a scanner."""
        scanner, place, _ = self._open[comer.w]
        return self._row(
            comer.w, now_us, kind, scanner=scanner, gateway=place.gateway,
            battery=battery_column(comer.charge_ppb), beep_us=comer.connected_us,
            wait_us=comer.without_us, attempts=comer.attempts,
        )  # fmt: skip

    def _closed_row(
        self, w: int, now_us: int, scanner: int, place: Place, charge_ppb: int
    ) -> tuple[int, ...]:
        """Return the row of a worker who puts a scanner back."""
        battery, gateway = battery_column(charge_ppb), place.gateway
        kind = Kind.SESSION_CLOSE
        return self._row(w, now_us, kind, scanner=scanner, gateway=gateway, battery=battery)

    def _row(self, w: int, now_us: int, kind: Kind, **columns: int) -> tuple[int, ...]:
        """Return a row of the site's own."""
        values = list(EMPTY)
        for name, value in {"time_us": now_us, "worker": w, "kind": kind, **columns}.items():
            values[_COLUMN[name]] = int(value)
        return tuple(values)

    def _emit(self, rows: list[tuple[int, ...]]) -> None:
        """Hand on rows of the site's own."""
        if rows:
            self._hand_on(np.array(rows, EVENT))

    def _hand_on(self, chunk: NDArray[np.void]) -> None:
        """Give rows to the sink, and to who counts what BLE does."""
        if self.band:
            self.band.activity.add(chunk)
        self._sink(chunk)
