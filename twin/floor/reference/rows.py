"""The rows that the reference engine writes, as tuples in the order of ``events.COLUMNS``."""

from typing import NamedTuple

from twin.events import COLUMNS, NEVER, Kind, Outcome, Role, Slip
from twin.floor.reference.session import Session, Worker
from twin.floor.rules.scanner import battery_column

_MOST_TRIES = 255
_NEVER = int(NEVER)
BATTERY = [column.name for column in COLUMNS].index("battery")
NOT_CONNECTED = 0
"""Instead of the tries of a message that found its link down."""


class End(NamedTuple):
    """How a message ended: the columns it fills, and when its worker can go on [us]."""

    outcome: int
    beep_us: int = _NEVER
    ready_us: int = _NEVER
    wait_us: int = 0
    visible_us: int = _NEVER
    copies: int = 0
    failed: bool = True
    slip: int = Slip.NONE


def not_connected(now_us: int, up_us: int) -> End:
    """Return how a message ends whose link is down: its worker waits until that is up [us]."""
    return End(Outcome.NOT_CONNECTED, now_us, up_us, up_us - now_us)


def lost(now_us: int) -> End:
    """Return how a message ends that the link gives up on [us]."""
    return End(Outcome.LOST_BLE, now_us, now_us)


def scan_row(
    worker: Worker, session: Session, now_us: int, tries: int, end: End
) -> tuple[int, ...]:
    """Return the row of a scan that reached its gateway, or failed."""
    in_job = worker.lines > 0
    return (
        now_us,
        end.beep_us,
        end.visible_us,
        end.wait_us,
        now_us - worker.scan_us,
        worker.index,
        session.scanner,
        worker.number,
        worker.job if in_job else -1,
        session.gateway,
        worker.line if in_job else -1,
        _battery(worker, now_us),
        Kind.SCAN,
        end.outcome,
        min(tries, session.limit, _MOST_TRIES),
        worker.role,
        end.copies,
        end.slip,
    )


def report_row(
    worker: Worker,
    session: Session,
    times_us: tuple[int, int],
    number: int,
    tries: int,
    end: End,
) -> tuple[int, ...]:
    """Return the row of a report that reached its gateway or failed now, and was made then [us]."""
    now_us, made_us = times_us
    return (
        now_us,
        _NEVER,
        end.visible_us,
        end.wait_us,
        now_us - made_us,
        worker.index,
        session.scanner,
        number,
        -1,
        session.gateway,
        -1,
        _battery(worker, now_us),
        Kind.TELEMETRY,
        end.outcome,
        min(tries, session.limit, _MOST_TRIES),
        Role.NONE,
        end.copies,
        Slip.NONE,
    )


def link_row(
    worker: Worker, session: Session, now_us: int, kind: Kind, down_us: int
) -> tuple[int, ...]:
    """Return the row of a link that drops or is back."""
    return (
        now_us,
        _NEVER,
        _NEVER,
        down_us,
        0,
        worker.index,
        session.scanner,
        -1,
        -1,
        session.gateway,
        -1,
        _battery(worker, now_us),
        kind,
        Outcome.DELIVERED,
        0,
        Role.NONE,
        0,
        Slip.NONE,
    )


def _battery(worker: Worker, now_us: int) -> int:
    """Return the charge now, the scans that have ended counted, in the row's unit [0.01 %]."""
    return battery_column(worker.charge_ppb(now_us, under_way=0))
