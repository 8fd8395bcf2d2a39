"""Who works (``Worker``) and with what, until when (``Session``), as the reference sees them."""

import numpy as np
from numpy.typing import NDArray

from twin.commands import FRESH, RESCANS
from twin.draws import fold
from twin.events import NEVER
from twin.floor.plan import FloorPlan
from twin.floor.reference.orders import Order, Orders
from twin.floor.rules.scanner import charge_left_ppb
from twin.floor.rules.workload import (
    NO_JOB,
    done_us,
    first_line,
    forgets_end,
    interval_us,
    is_wrong,
    job_lines,
    left_us,
    next_line,
    opening_us,
    pace,
    role_of,
)


class Session:
    """One worker, one scanner, one gateway, for a while: a ``SESSION`` row as attributes."""

    def __init__(self, facts: np.void, windows: NDArray[np.int64]) -> None:
        """Take over what the site decided."""
        self.opened_us = int(facts["opened_us"])
        self.until_us = int(facts["until_us"])
        self.scanner = int(facts["scanner"])
        self.gateway = int(facts["gateway"])
        self.limit = int(facts["attempts"])
        self.windows = windows
        self.first_window = int(facts["first_window"])
        self.end_window = int(facts["end_window"])
        self.window = self.first_window
        self.opens_us = max(self.opened_us, int(windows[self.window, 0]))
        self.closes_us = int(windows[self.window, 1])
        self.resumes = int(facts["resumes"]) != FRESH
        self.rescans = int(facts["resumes"]) == RESCANS
        self.ended = False
        self.charge_ppb = int(facts["charge_ppb"])
        self.drain_ppb = int(facts["drain_ppb"])
        self.scans = 0
        self.loss = self.own_loss = float(facts["loss"])
        self.anchor_us = int(facts["anchor_us"])
        self.interval_us = int(facts["interval_us"])
        self.air_us = int(facts["air_us"])


class Worker:
    """A worker: the coming scan and where in the job it stands."""

    def __init__(self, index: int, state: int, plan: FloorPlan, orders: Orders | None) -> None:
        """Begin with the first job, at home; who works by orders has none (-1) yet."""
        self.index = index
        self.state = state
        self.number = 0
        self._orders = orders if plan.works_by_jobs[index] else None
        self._order: Order | None = None
        self.scan = fold(state, 0)
        self.scan_us = int(NEVER)
        self._book = plan.book
        self._idle_drain_ppm_per_h = int(plan.book[0]["idle_drain_ppm_per_h"])
        self._pace = pace(self._book, state)
        self._ready_us = 0
        self._session: Session | None = None
        self.lines = job_lines(self._book, state, 0) if plan.works_by_jobs[index] else 0
        self.job = 0 if self._orders is None else -1
        self.line = first_line(self.lines) if self._orders is None else NO_JOB

    @property
    def role(self) -> int:
        """What the coming scan is in its job."""
        return role_of(self.line, self.lines)

    def begin(self, session: Session) -> None:
        """Open a session; a job left unfinished in the last one is not taken up again."""
        if self._session is not None:
            self._session.ended = True
        self._session = session
        self._ready_us = max(self._ready_us, session.opened_us)
        unfinished = self.line != first_line(self.lines) and not session.resumes
        if self.line == NO_JOB or unfinished:
            self._next_job()

    def plan_scan(self, session: Session, repeated: bool) -> bool:
        """Decide when to scan next; return whether that is still in this session."""
        self.scan = fold(self.state, self.number)
        work_us = interval_us(self._book, self.scan, self.role, repeated, self._pace)
        self.scan_us = self._done_us(session, work_us)
        while self.scan_us == NEVER and session.window + 1 < session.end_window:
            work_us = left_us(self._ready_us, session.opens_us, session.closes_us, work_us)
            self._open_window(session, session.window + 1)
            self.scan_us = self._done_us(session, work_us)
        if self.scan_us == NEVER:
            self._leave_order()
        return self.scan_us != NEVER

    def _done_us(self, session: Session, work_us: int) -> int:
        """Return when a stretch of work is done, NEVER where a break comes first [us]."""
        return done_us(self._ready_us, session.opens_us, session.closes_us, work_us)

    def _open_window(self, session: Session, window: int) -> None:
        """Turn to the next stretch of work between breaks."""
        from_us, until_us = (int(moment_us) for moment_us in session.windows[window])
        session.window = window
        session.opens_us = opening_us(self._book, self.state, from_us, False)
        session.closes_us = until_us

    def is_wrong(self) -> bool:
        """Say whether the scan was of another barcode than the one asked for."""
        return is_wrong(self._book, self.scan, self.role)

    def go_on(self, ready_us: int, failed: bool) -> bool:
        """Take the next line, or the same again; return whether the end barcode was forgotten."""
        self._ready_us = ready_us
        self.number += 1
        if failed:
            return False
        self.line = next_line(self.line, self.lines)
        forgotten = self.line > self.lines > 0 and forgets_end(self._book, self.state, self.job)
        if forgotten:
            self.line = 0
        if self.lines > 0 and self.line == 0:
            self._next_job()
        return forgotten

    def put_down(self) -> None:
        """Have no scanner, and no scan to come."""
        self.scan_us = int(NEVER)
        self._leave_order()

    def _leave_order(self) -> None:
        """Leave an order that does not come to be begun to the next who is free."""
        if self._orders is not None and self._order is not None and self.line == 0:
            self._orders.give_back(self._order)
            self._order = None
            self.job -= 1
            self.line = NO_JOB
            self._ready_us = 0

    def _next_job(self) -> None:
        """Take the next job: the next of its own, or the site's next order."""
        self.job += 1
        if self._orders is None:
            self.lines = job_lines(self._book, self.state, self.job)
        else:
            self._order = self._orders.take()
            self._ready_us = max(self._ready_us, self._order.due_us)
            self.lines = job_lines(self._book, self._orders.state, self._order.number)
        self.line = first_line(self.lines)

    def charge_ppb(self, now_us: int, under_way: int | None = None) -> int:
        """Return the charge of the scanner in hand [1e-9].

        Parameters
        ----------
        now_us
            The moment [us].
        under_way
            How many scans to count that have not ended yet; by default that in the air.
        """
        session = self._session
        if session is None:
            return 0
        if under_way is None:
            under_way = 1 if self.scan_us < now_us else 0
        return charge_left_ppb(
            session.charge_ppb,
            session.scans + under_way,
            session.drain_ppb,
            max(0, now_us - session.opened_us),
            self._idle_drain_ppm_per_h,
        )
