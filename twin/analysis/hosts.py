"""What hosts did, as frames: surveys, polls, upgrades, and their key figures."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twin.analysis.kpis import Kpi
from twin.events import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = [
    "HOST_KPIS",
    "change_lines",
    "collector_lines",
    "device_lines",
    "hosts_row",
    "moved_lines",
    "survey_lines",
    "upgrade_lines",
]

_MINUTE_US = 60_000_000

HOST_KPIS = (
    Kpi("survey_minutes", "min", "how long the surveys took that are done, mean"),
    Kpi("survey_links", "links", "directed links that the last survey found"),
    Kpi("collector_success", "share", "answers in time, of all devices and polls that are over"),
    Kpi("upgrade_t50_min", "min", "until half of the devices of the last upgrade had succeeded"),
    Kpi("upgrade_t95_min", "min", "until 95 % of them had"),
    Kpi("upgrade_t100_min", "min", "until all of them had"),
    Kpi("line_lost", "packets", "packets that found a serial line between host and bridge full"),
    Kpi("upgrade_failed", "devices", "devices of all upgrades that failed or were cancelled"),
    Kpi("network_stranded", "nodes", "nodes that the last changes of networks left behind"),
)  # fmt: skip


def _minutes(begin_us: int, end_us: int) -> float:
    """Return how long something took, nan where it is not over [min]."""
    return np.nan if NEVER in (begin_us, end_us) else (end_us - begin_us) / _MINUTE_US


def survey_lines(surveys: Sequence[Any]) -> pd.DataFrame:
    """Return surveys as a frame, one line each."""
    rows = [
        (s.generation, s.status, s.began_us, _minutes(s.began_us, s.ended_us), len(s.links),
         s.commands, s.reports, len(s.silent))
        for s in surveys
    ]  # fmt: skip
    columns = [
        "generation",
        "status",
        "began_us",
        "minutes",
        "links",
        "commands",
        "reports",
        "silent",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    frame.index.name = "survey"
    return frame


def collector_lines(collectors: Sequence[Any]) -> pd.DataFrame:
    """Return the polls of collectors as a frame, one line each."""
    rows = [
        (c.name, poll.began_us, poll.ended_us - poll.began_us if poll.ended_us != NEVER else -1,
         c.device_count, len(poll.answered_us), len(poll.failed), poll.late, poll.left_out,
         len(poll.answered_us) / max(1, c.device_count))
        for c in collectors
        for poll in c.polls
    ]  # fmt: skip
    columns = [
        "collector",
        "began_us",
        "took_us",
        "devices",
        "answered",
        "failed",
        "late",
        "left_out",
        "success",
    ]
    return pd.DataFrame(rows, columns=columns)


def _through_min(upgrade: Any, share: float) -> float:
    """Return until when a share of an upgrade's devices had succeeded, nan for never [min]."""
    done_us = sorted(r.done_us for r in upgrade.records.values() if r.outcome == "success")
    needed = int(np.ceil(share * len(upgrade.records)))
    if needed == 0 or len(done_us) < needed:
        return np.nan
    return (done_us[needed - 1] - upgrade.began_us) / _MINUTE_US


def upgrade_lines(upgrades: Sequence[Any]) -> pd.DataFrame:
    """Return upgrades as a frame, one line each."""
    rows = []
    for u in upgrades:
        outcomes = Counter(record.outcome for record in u.records.values())
        rows.append((
            u.status, u.transport, u.began_us, len(u.records), outcomes["success"],
            outcomes["failure"], outcomes["cancelled"], u.rounds,
            *(_through_min(u, share) for share in (0.5, 0.95, 1.0)),
            _minutes(u.began_us, u.ended_us),
        ))  # fmt: skip
    columns = [
        "status", "transport", "began_us", "devices", "succeeded", "failed", "cancelled",
        "rounds", "t50_min", "t95_min", "t100_min", "minutes",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame.index.name = "upgrade"
    return frame


def device_lines(upgrade: Any, names: Sequence[str]) -> pd.DataFrame:
    """Return what an upgrade did to each device as a frame, one line each."""
    rows = [
        (names[r.node], r.outcome, r.reason, r.first_us, r.last_us, r.done_us,
         r.received_bytes, r.retries)
        for r in upgrade.records.values()
    ]  # fmt: skip
    columns = [
        "device", "outcome", "reason", "first_us", "last_us", "done_us", "received_bytes",
        "retries",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def change_lines(changes: Sequence[Any], names: Sequence[str]) -> pd.DataFrame:
    """Return changes of networks as a frame, one line each."""
    rows = []
    for change in changes:
        outcomes = Counter(record.outcome for record in change.records.values())
        rows.append((
            ", ".join(names[bridge] for bridge in change.bridges), change.status,
            change.network.channel, f"0x{change.network.network_id:04X}",
            change.network.encryption, change.began_us, len(change.records),
            outcomes["changed"], outcomes["stranded"],
            _minutes(change.began_us, change.ended_us),
        ))  # fmt: skip
    columns = [
        "bridges", "status", "channel", "network_id", "encryption", "began_us", "nodes",
        "changed", "stranded", "minutes",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame.index.name = "change"
    return frame


def moved_lines(change: Any, names: Sequence[str]) -> pd.DataFrame:
    """Return what a change of a network did to each node as a frame, one line each."""
    rows = [(names[r.node], r.outcome, r.reason, r.told_us) for r in change.records.values()]
    return pd.DataFrame(rows, columns=["node", "outcome", "reason", "told_us"])


def hosts_row(jobs: Any, lines_lost: int) -> pd.DataFrame:
    """Return the key figures of what hosts did as a frame of one row; nothing for nothing.

    Parameters
    ----------
    jobs
        The surveys, collectors, upgrades and changes of networks of a mesh.
    lines_lost
        How many packets found a serial line full [1].
    """
    polls = collector_lines(jobs.collectors)
    polls = polls[polls["took_us"] >= 0]
    surveys, upgrades = survey_lines(jobs.surveys), upgrade_lines(jobs.upgrades)
    figures: dict[str, float] = {}
    if jobs.surveys:
        figures["survey_minutes"] = float(surveys["minutes"].mean())
        figures["survey_links"] = int(surveys["links"].iloc[-1])
    if jobs.collectors:
        figures["collector_success"] = float(polls["success"].mean())
    if jobs.upgrades:
        for share in ("t50", "t95", "t100"):
            figures[f"upgrade_{share}_min"] = float(upgrades[f"{share}_min"].iloc[-1])
        figures["upgrade_failed"] = int((upgrades["failed"] + upgrades["cancelled"]).sum())
    if jobs.changes:
        records = [r for change in jobs.changes for r in change.records.values()]
        last = {record.node: record.outcome for record in records}
        figures["network_stranded"] = Counter(last.values())["stranded"]
    if figures:
        figures["line_lost"] = lines_lost
    return pd.DataFrame({name: [value] for name, value in figures.items()})
