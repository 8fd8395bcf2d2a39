"""The floor as SimPy processes: a worker's scans, a scanner's reports, the turns of a link.

Read it beside ``twin.floor.rules``: a process says in which order things happen, a rule decides
what happens. Of two events at the same microsecond the one of lower rank goes first: scans before
reports before links, each in the order of the workers.
"""

from collections.abc import Generator, Iterator

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.draws import fold, root
from twin.events import EVENT, Asking, Kind, Outcome, Slip
from twin.floor.plan import FloorPlan
from twin.floor.reference.gateway import Gateway
from twin.floor.reference.link import Link
from twin.floor.reference.orders import Orders
from twin.floor.reference.rows import (
    BATTERY,
    NOT_CONNECTED,
    End,
    link_row,
    lost,
    not_connected,
    report_row,
    scan_row,
)
from twin.floor.reference.session import Session, Worker
from twin.floor.rules.link import disturbed_loss, roams
from twin.floor.rules.scanner import is_low, report_number, report_us
from twin.floor.rules.streams import FEEDBACK, UPLINK

SIMPY_OWN_PRIORITIES = 2  # 0 and 1 belong to SimPy: processes that start, events that succeed

Process = Generator[simpy.Event, None, None]
Sending = Generator[simpy.Event, None, int]


class Ranked(simpy.Event):
    """Something happens at a moment, in the total order of (moment, rank)."""

    def __init__(self, env: simpy.Environment, moment_us: int, rank: int) -> None:
        """Schedule it."""
        super().__init__(env)
        self._ok = True
        self._value = None
        env.schedule(self, SIMPY_OWN_PRIORITIES + rank, moment_us - env.now)  # type: ignore[arg-type]


class ReferenceFloor:
    """The floor as processes; same rows as ``CompiledFloor``, byte for byte."""

    def __init__(self, plan: FloorPlan) -> None:
        """Build a floor on which nobody works yet."""
        seed = root(int(plan.book[0]["seed"]))
        orders = Orders(plan) if len(plan.orders_per_h) else None
        self._book = plan.book
        self._period_us = int(plan.book[0]["telemetry_period_us"])
        self._env = simpy.Environment()
        self._workers = [
            Worker(index, fold(seed, int(word)), plan, orders)
            for index, word in enumerate(plan.worker_words)
        ]
        self._scanners = [fold(seed, int(word)) for word in plan.scanner_words]
        self._gateways: list[Gateway] = []
        self._taken: list[float] = []
        self._under_way: dict[int, tuple[Worker, Session, Link]] = {}
        self.grow(plan)
        self._rows: list[tuple[int, ...]] = []
        self._asking: Asking | None = None

    def grow(self, plan: FloorPlan) -> None:
        """Take up the gateways that a plan has more than the one before.

        Parameters
        ----------
        plan
            The site as numbers, the known gateways and their outages first.
        """
        known = len(self._gateways)
        self._gateways += [Gateway(plan, index) for index in range(known, plan.gateways)]
        self._taken += [0.0] * (plan.gateways - known)

    def offer(self, sessions: NDArray[np.void], windows: NDArray[np.int64]) -> None:
        """Open sessions now; where a worker asks for help, this is the answer.

        Parameters
        ----------
        sessions
            Array of ``SESSION`` rows.
        windows
            Array of shape (n, 2), the working stretches that the sessions refer to [us].
        """
        self._asking = None
        for facts in sessions:
            worker = self._workers[int(facts["worker"])]
            session = Session(facts, windows)
            session.loss = disturbed_loss(session.own_loss, self._taken[session.gateway])
            state = fold(worker.state, session.opened_us)
            link = Link(self._env, state, session, self._gateways[session.gateway].facts)
            worker.begin(session)
            self._under_way[worker.index] = worker, session, link
            self._env.process(self._work(worker, session, link))
            if self._period_us > 0:
                self._env.process(self._report(worker, session, link))
            if link.drops:
                self._env.process(self._connect(worker, session, link))

    def _work(self, worker: Worker, session: Session, link: Link) -> Process:
        """A worker scans, waits for the beep, and goes on, until the shift is over."""
        failed = session.rescans
        while worker.plan_scan(session, failed):
            tries = yield from self._send(link, worker.scan, worker.scan_us, worker.index)
            if session.ended:
                return
            session.scans += 1
            end = self._end_scan(worker, session, link, tries)
            row = scan_row(worker, session, self._now_us, tries, end)
            failed = end.failed
            if worker.go_on(end.ready_us, failed):
                row = (*row[:-1], Slip.END_FORGOTTEN)
            self._rows.append(row)
            if not failed and is_low(self._book, row[BATTERY]):
                worker.put_down()
                session.ended = True
                self._asking = Asking(worker.index, self._now_us, Kind.SCAN)
                return

    def _send(self, link: Link, message: int, made_us: int, rank: int) -> Sending:
        """Wait until a message is across or has failed; return its tries.

        What becomes of it is decided when it is made, by the state of the link at that moment.
        """
        yield self._at(made_us, rank)
        while not link.knows(made_us):
            yield link.turned
            yield self._at(self._now_us, rank)
        if link.is_down:
            return NOT_CONNECTED
        tries, end_us = link.cross(message, UPLINK, made_us)
        yield self._at(end_us, rank)
        return tries

    def _end_scan(self, worker: Worker, session: Session, link: Link, tries: int) -> End:
        """Let a scan end: at its gateway, on the air, or before it left the scanner."""
        now_us = self._now_us
        if tries == NOT_CONNECTED:
            return not_connected(now_us, link.up_us)
        if tries > session.limit:
            return lost(now_us)
        passage = self._gateways[session.gateway].accept(worker.scan, now_us)
        answer_tries, beep_us = link.cross(worker.scan, FEEDBACK, passage.served_us)
        unheard = answer_tries > session.limit
        wrong = not unheard and worker.is_wrong()
        return End(
            outcome=Outcome.NO_FEEDBACK if unheard and passage.copies else passage.outcome,
            beep_us=beep_us,
            ready_us=beep_us,
            wait_us=passage.wait_us,
            visible_us=passage.visible_us,
            copies=passage.copies,
            failed=unheard or wrong,
            slip=Slip.WRONG_BARCODE if wrong else Slip.NONE,
        )

    def _report(self, worker: Worker, session: Session, link: Link) -> Process:
        """A scanner reports its state once in every period while it is connected."""
        scanner = self._scanners[session.scanner]
        number = report_number(scanner, session.opened_us, self._period_us)
        rank = len(self._workers) + worker.index
        while (made_us := report_us(scanner, number, self._period_us)) < session.until_us:
            report = fold(scanner, number)
            tries = yield from self._send(link, report, made_us, rank)
            if session.ended:
                return
            end = self._end_report(session, link, report, tries)
            times_us = self._now_us, made_us
            self._rows.append(report_row(worker, session, times_us, number, tries, end))
            number += 1

    def _end_report(self, session: Session, link: Link, report: int, tries: int) -> End:
        """Let a report end."""
        if tries == NOT_CONNECTED:
            return not_connected(self._now_us, link.up_us)
        if tries > session.limit:
            return lost(self._now_us)
        passage = self._gateways[session.gateway].accept(report, self._now_us)
        return End(
            outcome=passage.outcome,
            wait_us=passage.wait_us,
            visible_us=passage.visible_us,
            copies=passage.copies,
        )

    def _connect(self, worker: Worker, session: Session, link: Link) -> Process:
        """A link fades, drops, is back."""
        rank, changes = 2 * len(self._workers) + worker.index, link.changes
        while link.turns_us < session.until_us:
            yield self._at(link.turns_us, rank)
            if session.ended or link.changes != changes:  # then another process goes on with it
                return
            was_down = link.is_down
            link.turn()
            if was_down:
                down_us = self._now_us - link.dropped_us
                self._rows.append(link_row(worker, session, self._now_us, Kind.RECONNECT, down_us))
            elif link.is_down:
                self._gateways[session.gateway].stall(self._now_us, link.up_us)
                self._rows.append(link_row(worker, session, self._now_us, Kind.DROP, 0))
                if roams(self._book, self._now_us, link.up_us):
                    self._asking = Asking(worker.index, self._now_us, Kind.DROP)
            link.tell()

    @property
    def _now_us(self) -> int:
        """The moment the processes have reached [us]."""
        return int(self._env.now)

    def _at(self, moment_us: int, rank: int) -> Ranked:
        """Return the event of something happening at a moment."""
        return Ranked(self._env, moment_us, rank)

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment that were not yielded yet, in order.

        It ends early after the row with which a worker asks the site for help (``asking``).
        """
        while self._asking is None and self._env.peek() < until_us:
            self._env.step()
        rows, self._rows = self._rows, []
        if rows:
            yield np.array(rows, EVENT)

    def disturb(self, shares: NDArray[np.float64], now_us: int) -> None:
        """Let others in the band take a share of the connection events from now on.

        Parameters
        ----------
        shares
            At each gateway, shape (gateways,) [1].
        now_us
            The moment, no earlier than any up to which the floor was advanced [us].
        """
        self._taken = shares.tolist()
        for worker, session, link in self._under_way.values():
            loss = disturbed_loss(session.own_loss, self._taken[session.gateway])
            if session.ended or now_us >= session.until_us or loss == session.loss:
                continue
            session.loss = loss
            if link.change(now_us):
                self._env.process(self._connect(worker, session, link))

    @property
    def asking(self) -> Asking | None:
        """The worker who asks the site for help, None for nobody."""
        return self._asking

    def charges_ppb(self, now_us: int) -> NDArray[np.int64]:
        """Return the charge of each worker's scanner now, scans before now counted [1e-9]."""
        return np.array([worker.charge_ppb(now_us) for worker in self._workers], np.int64)

    def charge_ppb(self, worker: int, now_us: int) -> int:
        """Return the same of one worker's scanner [1e-9]."""
        return int(self._workers[worker].charge_ppb(now_us))

    def busy_us(self, now_us: int) -> NDArray[np.int64]:
        """Return how long each gateway has served until now [us]."""
        return np.array([gateway.served_us(now_us) for gateway in self._gateways], np.int64)

    def most_held(self) -> NDArray[np.int64]:
        """Return the most messages that each gateway held for the uplink so far [1]."""
        return np.array([gateway.most_held for gateway in self._gateways], np.int64)
