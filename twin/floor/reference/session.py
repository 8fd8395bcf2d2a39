"""Who works (``Worker``) and with what, until when (``Session``), as the reference sees them."""

import numpy as np
from numpy.typing import NDArray

from twin.draws import fold
from twin.events import NEVER
from twin.floor.plan import FloorPlan
from twin.floor.rules.ble import attempts, exchange_us
from twin.floor.rules.scanner import charge_left_ppb
from twin.floor.rules.streams import FEEDBACK, UPLINK
from twin.floor.rules.workload import (
    done_us,
    first_line,
    interval_us,
    job_lines,
    left_us,
    next_line,
    opening_us,
    role_of,
)


class Session:
    """One worker, one scanner, one gateway, for one shift: a ``SESSION`` row as attributes."""

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
        self.opens_us = self.closes_us = 0
        self.charge_ppb = int(facts["charge_ppb"])
        self.drain_ppb = int(facts["drain_ppb"])
        self.scans = 0
        self._loss = float(facts["loss"])
        self._anchor_us = int(facts["anchor_us"])
        self._interval_us = int(facts["interval_us"])
        self._air_us = int(facts["air_us"])

    def uplink_tries(self, message: int) -> int:
        """Return how many transmissions a message to the gateway takes [1]."""
        return attempts(message, UPLINK, self._loss, self.limit)

    def feedback_tries(self, message: int) -> int:
        """Return how many transmissions the answer to the scanner takes [1]."""
        return attempts(message, FEEDBACK, self._loss, self.limit)

    def exchange_us(self, ready_us: int, tries: int) -> int:
        """Return when a message is across, or given up [us]."""
        return exchange_us(
            ready_us, self._anchor_us, self._interval_us, self._air_us, tries, self.limit
        )


class Worker:
    """A worker: the coming scan and where in the job it stands."""

    def __init__(self, index: int, state: int, plan: FloorPlan) -> None:
        """Begin with the first job, at home."""
        self.index = index
        self.number = 0
        self.job = 0
        self.scan = fold(state, 0)
        self.scan_us = int(NEVER)
        self._book = plan.book
        self._idle_drain_ppm_per_h = int(plan.book[0]["idle_drain_ppm_per_h"])
        self._state = state
        self._ready_us = 0
        self._session: Session | None = None
        self.lines = job_lines(self._book, state, 0) if plan.works_by_jobs[index] else 0
        self.line = first_line(self.lines)

    @property
    def role(self) -> int:
        """What the coming scan is in its job."""
        return role_of(self.line, self.lines)

    def begin(self, session: Session) -> None:
        """Open a session; a job left unfinished in the last one is not taken up again."""
        self._session = session
        self._ready_us = max(self._ready_us, session.opened_us)
        if self.line != first_line(self.lines):
            self._next_job()
        self._open_window(session, session.first_window)

    def plan_scan(self, session: Session, repeated: bool) -> bool:
        """Decide when to scan next; return whether that is still in this session."""
        self.scan = fold(self._state, self.number)
        work_us = interval_us(self._book, self.scan, self.role, repeated)
        self.scan_us = self._done_us(session, work_us)
        while self.scan_us == NEVER and session.window + 1 < session.end_window:
            work_us = left_us(self._ready_us, session.opens_us, session.closes_us, work_us)
            self._open_window(session, session.window + 1)
            self.scan_us = self._done_us(session, work_us)
        return self.scan_us != NEVER

    def _done_us(self, session: Session, work_us: int) -> int:
        """Return when a stretch of work is done, NEVER where a break comes first [us]."""
        return done_us(self._ready_us, session.opens_us, session.closes_us, work_us)

    def _open_window(self, session: Session, window: int) -> None:
        """Turn to the next stretch of work between breaks."""
        from_us, until_us = (int(moment_us) for moment_us in session.windows[window])
        first = window == session.first_window
        session.window = window
        session.opens_us = opening_us(self._book, self._state, from_us, first)
        session.closes_us = until_us

    def go_on(self, beep_us: int, failed: bool) -> None:
        """Hear the beep: the next line, or the same again where it failed."""
        self._ready_us = beep_us
        self.number += 1
        if failed:
            return
        self.line = next_line(self.line, self.lines)
        if self.lines > 0 and self.line == 0:
            self._next_job()

    def _next_job(self) -> None:
        """Take the next job."""
        self.job += 1
        self.lines = job_lines(self._book, self._state, self.job)
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
            now_us - session.opened_us,
            self._idle_drain_ppm_per_h,
        )
