"""The conductor: one SimPy environment whose agenda opens and closes shifts on the floor.

What is still to come lies in ``Site.agenda`` as plain rows, never in the locals of a sleeping
generator: agenda plus engine is the whole state. Of two rows at the same moment the lower rank
goes first, so a place freed by one shift can be taken by the next.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.commands import SESSION
from twin.events import EMPTY, EVENT, Kind, Outcome
from twin.floor.engines import make_floor
from twin.floor.rules.scanner import battery_column
from twin.scenario import Scenario
from twin.world.build import make_plan
from twin.world.clock import Calendar
from twin.world.pairing import Gateways, Place, Pool
from twin.world.roster import make_roster

_SIMPY_OWN_PRIORITIES = 2
_CLOSE, _OPEN = range(2)
_COLUMN = {name: i for i, name in enumerate(EVENT.names or ())}
Sink = Callable[[NDArray[np.void]], None]


class Row(NamedTuple):
    """Something that is to happen: shift ``shift`` opens or closes (``rank``) at ``due_us``."""

    due_us: int
    rank: int
    shift: int
    until_us: int


class Open(NamedTuple):
    """A session that is under way."""

    scanner: int
    place: Place


class Site:
    """A site in time; rows go to ``sink`` in order, in chunks."""

    def __init__(
        self, scenario: Scenario, seed: int, engine: str, sink: Sink, *, keeps_rows: bool = True
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
        """
        self.scenario = scenario
        self.roster = make_roster(scenario, seed)
        self.calendar = Calendar(scenario.run.start, scenario.run.time_zone)
        self.floor = make_floor(
            engine, make_plan(scenario, self.roster, seed), keeps_rows=keeps_rows
        )
        self.agenda: set[Row] = set()
        self._sink = sink
        self._env = simpy.Environment()
        self._pool = Pool(self.roster)
        self._gateways = Gateways(scenario, self.roster, seed)
        self._workers_of: list[list[int]] = [[] for _ in scenario.work.shifts]
        for w, worker in enumerate(self.roster.workers):
            self._workers_of[worker.shift].append(w)
        self._open: dict[int, Open] = {}
        self._waiting: dict[int, int] = {}  # worker without equipment -> end of the shift
        for shift in range(len(scenario.work.shifts)):
            self._post_next(shift, 0)

    @property
    def now_us(self) -> int:
        """The simulated moment [us]."""
        return int(self._env.now)

    def run(self, until_us: int) -> None:
        """Let time pass up to a moment; what happens at that moment is left for later."""
        if until_us > self.now_us:
            self._env.run(until=until_us)
            self._advance(until_us)

    def _advance(self, until_us: int) -> None:
        """Let the floor catch up."""
        for chunk in self.floor.advance(until_us):
            self._sink(chunk)

    def _post_next(self, shift: int, from_us: int) -> None:
        """Put a shift's next opening on the agenda, one that is already under way included."""
        facts = self.scenario.work.shifts[shift]
        days = self.calendar.occurrences(facts.start, facts.duration_us, from_us)
        for day, begins_us, ends_us in islice(days, 15):
            if day in facts.days and (begins_us >= from_us or from_us == 0):
                self._post(Row(max(begins_us, from_us), _OPEN, shift, ends_us))
                return

    def _post(self, row: Row) -> None:
        """Put a row on the agenda."""
        self.agenda.add(row)
        event = simpy.Event(self._env)
        event._ok, event._value = True, None
        event.callbacks = [lambda _: self._happen(row)]
        priority = _SIMPY_OWN_PRIORITIES + row.rank * len(self.scenario.work.shifts) + row.shift
        self._env.schedule(event, priority, row.due_us - self.now_us)  # type: ignore[arg-type]

    def _happen(self, row: Row) -> None:
        """Carry out a row of the agenda."""
        self.agenda.remove(row)
        self._advance(row.due_us)
        if row.rank == _CLOSE:
            self._close_shift(row)
        else:
            self._post(Row(row.until_us, _CLOSE, row.shift, row.until_us))
            self._post_next(row.shift, row.due_us + 1)
            self._open_sessions(self._workers_of[row.shift], row.until_us)

    def _open_sessions(self, workers: list[int], until_us: int) -> None:
        """Equip workers, as far as there is equipment, and let them begin."""
        rows, sessions, windows = [], [], _Windows(self)
        scanners = self._pool.fullest_first(self.now_us)
        for w in self._gateways.order(workers):
            session = self._equip(w, until_us, windows, scanners)
            if isinstance(session, Outcome):
                if w not in self._waiting:  # or it was said when the shift began
                    rows.append(self._row(w, Kind.UNEQUIPPED, outcome=session))
                self._waiting[w] = until_us
            else:
                self._waiting.pop(w, None)
                sessions.append(session)
                rows.append(self._session_row(w, Kind.SESSION_OPEN, session[5]))
        self.floor.offer(np.array(sessions, SESSION), windows.array())
        self._emit(rows)

    def _equip(
        self, w: int, until_us: int, windows: "_Windows", scanners: Iterator[tuple[int, int]]
    ) -> tuple[float, ...] | Outcome:
        """Give a worker a scanner and a place; return the session, or what is missing."""
        place = self._gateways.take(w)
        if place is None:
            return Outcome.NO_GATEWAY
        scanner, charge_ppb = next(scanners, (-1, 0))
        if scanner < 0:
            self._gateways.put_back(place)
            return Outcome.NO_SCANNER
        self._pool.take(scanner)
        self._open[w] = Open(scanner, place)
        link, loss, anchor_us = self._gateways.link(place)
        interval_us = link.connection_interval_us
        return (
            self.now_us, until_us, anchor_us, interval_us, link.packet_air_us, charge_ppb,
            self.roster.scanners[scanner].drain_ppb, loss, w, scanner, place.gateway,
            link.supervision_timeout_us // interval_us,
            *windows.of(self.roster.workers[w].shift, until_us),
        )  # fmt: skip

    def _close_shift(self, row: Row) -> None:
        """Put back what the workers of a shift hold, and equip those who wait for it."""
        charges = self.floor.charges_ppb(self.now_us)
        rows = []
        for w in self._workers_of[row.shift]:
            self._waiting.pop(w, None)
            if w in self._open:
                rows.append(self._session_row(w, Kind.SESSION_CLOSE, int(charges[w])))
                scanner, place = self._open.pop(w)
                self._pool.put_back(scanner, int(charges[w]), self.now_us)
                self._gateways.put_back(place)
        self._emit(rows)
        self._equip_waiting()

    def _equip_waiting(self) -> None:
        """Let workers begin who found no equipment when their shift began."""
        by_end: dict[int, list[int]] = {}
        for w, until_us in self._waiting.items():
            if until_us > self.now_us:  # a shift that closes at this very moment is over
                by_end.setdefault(until_us, []).append(w)
        for until_us, workers in sorted(by_end.items()):
            self._open_sessions(workers, until_us)

    def _session_row(self, w: int, kind: Kind, charge_ppb: float) -> tuple[int, ...]:
        """Return the row of a session that opens or closes."""
        scanner, place = self._open[w]
        battery = battery_column(int(charge_ppb))
        return self._row(w, kind, scanner=scanner, gateway=place.gateway, battery=battery)

    def _row(self, w: int, kind: Kind, **columns: int) -> tuple[int, ...]:
        """Return a row of the site's own."""
        values = list(EMPTY)
        for name, value in {"time_us": self.now_us, "worker": w, "kind": kind, **columns}.items():
            values[_COLUMN[name]] = int(value)
        return tuple(values)

    def _emit(self, rows: list[tuple[int, ...]]) -> None:
        """Hand rows of the site's own to the sink."""
        if rows:
            self._sink(np.array(rows, EVENT))


class _Windows:
    """The stretches of work between breaks, of the shifts of one offer."""

    def __init__(self, site: Site) -> None:
        """Begin without any."""
        self._site = site
        self._rows: list[tuple[int, int]] = []
        self._of: dict[int, tuple[int, int]] = {}

    def of(self, shift: int, until_us: int) -> tuple[int, int]:
        """Return the rows (first, one past the last) of a shift that ends at a moment [us]."""
        if shift not in self._of:
            first = len(self._rows)
            self._rows += self._stretches(shift, until_us)
            self._of[shift] = first, len(self._rows)
        return self._of[shift]

    def _stretches(self, shift: int, until_us: int) -> list[tuple[int, int]]:
        """Return what breaks leave of a shift from now on; empty stretches are left out [us]."""
        site = self._site
        facts = site.scenario.work.shifts[shift]
        days = site.calendar.occurrences(facts.start, facts.duration_us, until_us - 1)
        _, begins_us, _ = next(iter(days))
        edges = [begins_us]
        for pause in facts.breaks:
            edges += [begins_us + pause.after_us, begins_us + pause.after_us + pause.duration_us]
        edges.append(until_us)
        clipped = [min(max(edge, site.now_us), until_us) for edge in edges]
        pairs = zip(clipped[::2], clipped[1::2], strict=True)
        return [(a, b) for a, b in pairs if a < b] or [(site.now_us, site.now_us)]

    def array(self) -> NDArray[np.int64]:
        """Return all stretches, shape (n, 2) [us]."""
        return np.array(self._rows, np.int64).reshape(-1, 2)
