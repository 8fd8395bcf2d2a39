"""The rows that the reference engine writes, as tuples in the order of ``events.COLUMNS``."""

from twin.events import NEVER, Kind, Outcome, Role
from twin.floor.reference.gateway import Passage
from twin.floor.reference.session import Session, Worker
from twin.floor.rules.scanner import battery_column

_MOST_TRIES = 255
_LOST = Passage(wait_us=0, served_us=int(NEVER), visible_us=int(NEVER))


def scan_row(
    worker: Worker,
    session: Session,
    now_us: int,
    tries: int,
    passage: Passage | None,
    beep_us: int,
    failed: bool,
) -> tuple[int, ...]:
    """Return the row of a scan that reached its gateway, or was given up."""
    outcome = Outcome.NO_FEEDBACK if failed else Outcome.DELIVERED
    in_job = worker.lines > 0
    return (
        now_us,
        beep_us,
        (passage or _LOST).visible_us,
        (passage or _LOST).wait_us,
        now_us - worker.scan_us,
        worker.index,
        session.scanner,
        session.gateway,
        worker.number,
        worker.job if in_job else -1,
        worker.line if in_job else -1,
        _battery(worker, now_us),
        Kind.SCAN,
        outcome if passage else Outcome.LOST_BLE,
        min(tries, session.limit, _MOST_TRIES),
        worker.role,
    )


def report_row(
    worker: Worker,
    session: Session,
    now_us: int,
    made_us: int,
    number: int,
    tries: int,
    passage: Passage | None,
) -> tuple[int, ...]:
    """Return the row of a scanner's report that reached its gateway, or was given up."""
    return (
        now_us,
        int(NEVER),
        (passage or _LOST).visible_us,
        (passage or _LOST).wait_us,
        now_us - made_us,
        worker.index,
        session.scanner,
        session.gateway,
        number,
        -1,
        -1,
        _battery(worker, now_us),
        Kind.TELEMETRY,
        Outcome.DELIVERED if passage else Outcome.LOST_BLE,
        min(tries, session.limit, _MOST_TRIES),
        Role.NONE,
    )


def _battery(worker: Worker, now_us: int) -> int:
    """Return the charge now, the scans that have ended counted, in the row's unit [0.01 %]."""
    return battery_column(worker.charge_ppb(now_us, under_way=0))
