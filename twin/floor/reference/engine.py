"""The floor as SimPy processes: one for each worker's session, one for each scanner's reports.

Read it beside ``twin.floor.rules``: a process says in which order things happen, a rule decides
what happens. Processes meet only at a gateway, and only when a message arrives there; so arrivals
carry a rank, and of two at the same microsecond the lower rank goes first.
"""

from collections.abc import Generator, Iterator

import numpy as np
import simpy
from numpy.typing import NDArray

from twin.draws import fold, root
from twin.events import EVENT
from twin.floor.plan import FloorPlan
from twin.floor.reference.gateway import Gateway
from twin.floor.reference.rows import report_row, scan_row
from twin.floor.reference.session import Session, Worker
from twin.floor.rules.scanner import report_number, report_us

SIMPY_OWN_PRIORITIES = 2  # 0 and 1 belong to SimPy: processes that start, runs that end

Process = Generator[simpy.Event, None, None]


class Arrival(simpy.Event):
    """A message reaches its gateway at a moment, in the total order of (moment, rank)."""

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
        self._period_us = int(plan.book[0]["telemetry_period_us"])
        self._env = simpy.Environment()
        self._workers = [
            Worker(index, fold(seed, int(word)), plan)
            for index, word in enumerate(plan.worker_words)
        ]
        self._scanners = [fold(seed, int(word)) for word in plan.scanner_words]
        self._gateways = [Gateway(plan.book) for _ in range(plan.gateways)]
        self._rows: list[tuple[int, ...]] = []

    def offer(self, sessions: NDArray[np.void], windows: NDArray[np.int64]) -> None:
        """Open sessions now.

        Parameters
        ----------
        sessions
            Array of ``SESSION`` rows.
        windows
            Array of shape (n, 2), the working stretches that the sessions refer to [us].
        """
        for facts in sessions:
            worker = self._workers[int(facts["worker"])]
            session = Session(facts, windows)
            worker.begin(session)
            self._env.process(self._work(worker, session))
            if self._period_us > 0:
                self._env.process(self._report(worker, session))

    def _work(self, worker: Worker, session: Session) -> Process:
        """A worker scans, waits for the beep, and goes on, until the shift is over."""
        gateway = self._gateways[session.gateway]
        repeated = False
        while worker.plan_scan(session, repeated):
            tries = session.uplink_tries(worker.scan)
            yield self._arrival(session.exchange_us(worker.scan_us, tries), worker.index)
            session.scans += 1
            passage = None
            beep_us = self._now_us
            if tries <= session.limit:
                passage = gateway.accept(worker.scan, self._now_us)
                feedback_tries = session.feedback_tries(worker.scan)
                beep_us = session.exchange_us(passage.served_us, feedback_tries)
            repeated = passage is None or feedback_tries > session.limit
            self._rows.append(
                scan_row(worker, session, self._now_us, tries, passage, beep_us, repeated)
            )
            worker.go_on(beep_us, repeated)

    def _report(self, worker: Worker, session: Session) -> Process:
        """A scanner reports its state once in every period while it is connected."""
        scanner = self._scanners[session.scanner]
        number = report_number(scanner, session.opened_us, self._period_us)
        rank = len(self._workers) + worker.index
        while (made_us := report_us(scanner, number, self._period_us)) < session.until_us:
            report = fold(scanner, number)
            tries = session.uplink_tries(report)
            yield self._arrival(session.exchange_us(made_us, tries), rank)
            passage = None
            if tries <= session.limit:
                passage = self._gateways[session.gateway].accept(report, self._now_us)
            self._rows.append(
                report_row(worker, session, self._now_us, made_us, number, tries, passage)
            )
            number += 1

    @property
    def _now_us(self) -> int:
        """The moment the processes have reached [us]."""
        return int(self._env.now)

    def _arrival(self, moment_us: int, rank: int) -> Arrival:
        """Return the event of a message reaching its gateway."""
        return Arrival(self._env, moment_us, rank)

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment that were not yielded yet, in order."""
        if until_us > self._env.now:
            self._env.run(until=until_us)
        rows, self._rows = self._rows, []
        if rows:
            yield np.array(rows, EVENT)

    def charges_ppb(self, now_us: int) -> NDArray[np.int64]:
        """Return the charge of each worker's scanner now, scans before now counted [1e-9]."""
        return np.array([worker.charge_ppb(now_us) for worker in self._workers], np.int64)

    def busy_us(self, now_us: int) -> NDArray[np.int64]:
        """Return how long each gateway has served until now [us]."""
        return np.array([gateway.served_us(now_us) for gateway in self._gateways], np.int64)
