"""Key figures of a run, each with its name, unit and definition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.histogram import percentile_us
from twin.analysis.tally import Tally

_US_PER_MS = 1e3
_US_PER_MIN = 60e6
_US_PER_H = 3600e6


@dataclass(frozen=True)
class Kpi:
    """One key figure: the name carries the unit's suffix where it has one."""

    name: str
    unit: str
    definition: str


KPIS = (
    Kpi("scans", "scans", "scans that reached a gateway"),
    Kpi("scans_per_worker_hour", "scans/h", "scans per hour of session, breaks included"),
    Kpi("worker_hours", "h", "time between taking a scanner and putting it back, all workers"),
    Kpi("beep_mean_ms", "ms", "mean time from scan to the worker's beep"),
    Kpi("beep_p50_ms", "ms", "half of the scans beep within this"),
    Kpi("beep_p95_ms", "ms", "95 % of the scans beep within this"),
    Kpi("beep_p99_ms", "ms", "99 % of the scans beep within this"),
    Kpi("cloud_mean_ms", "ms", "mean time from scan to visible in the cloud"),
    Kpi("cloud_p50_ms", "ms", "half of the scans are visible in the cloud within this"),
    Kpi("cloud_p95_ms", "ms", "95 % of the scans are visible in the cloud within this"),
    Kpi("cloud_p99_ms", "ms", "99 % of the scans are visible in the cloud within this"),
    Kpi("gateway_use_mean", "share", "share of time that a gateway serves messages, mean of all"),
    Kpi("gateway_use_max", "share", "the same of the busiest gateway"),
    Kpi("gateway_wait_mean_ms", "ms", "mean time of a message in its gateway's queue"),
    Kpi(
        "gateway_queue_max",
        "messages",
        "time-average number waiting at the gateway where most wait",
    ),
    Kpi("lost", "messages", "scans and reports that never reached the gateway"),
    Kpi("lost_buffer", "messages", "scans and reports dropped because a gateway's buffer was full"),
    Kpi("duplicates", "messages", "second copies that the cloud removed by their event id"),
    Kpi(
        "backlog_max",
        "messages",
        "most messages that a gateway held for the uplink; 0 where nothing limits it",
    ),
    Kpi("no_feedback", "scans", "scans that arrived but whose beep told of failure"),
    Kpi("reports", "reports", "telemetry reports that reached a gateway"),
    Kpi("jobs", "jobs", "jobs with start and end barcode"),
    Kpi("job_p50_min", "min", "half of the jobs last at most this"),
    Kpi("job_p95_min", "min", "95 % of the jobs last at most this"),
    Kpi("orders", "orders", "orders that arrived; 0 where work never runs out"),
    Kpi("orders_waiting", "orders", "orders that arrived and whose job has not begun"),
    Kpi("orders_waiting_max", "orders", "most orders that waited so at one moment"),
    Kpi("wrong_scans", "scans", "scans of another barcode than the one asked for"),
    Kpi("unequipped", "times", "times that a worker found no scanner or no gateway"),
    Kpi("swaps", "times", "times that a worker exchanged an empty scanner for another"),
    Kpi(
        "without_scanner_min",
        "min",
        "time that workers were ready without a connected scanner: waiting for one, at the "
        "chargers, pairing; all workers",
    ),
    Kpi("drops", "times", "times that a link was dropped"),
    Kpi("roams", "times", "times that a worker paired with another gateway after a drop"),
    Kpi(
        "reconnect_min",
        "min",
        "time that dropped links took until they were back, all workers; who pairs with another "
        "gateway meanwhile is without_scanner_min",
    ),
    Kpi(
        "blocked_min_per_worker",
        "min",
        "time that a worker with a scan in hand waited for the link, mean of all who worked",
    ),
)


class Counted(NamedTuple):
    """What was counted from one moment to another, ``from_us`` to ``now_us`` [us].

    ``totals`` is a record of ``twin.analysis.tally.SUMS``. Workers' times in sessions, without a
    scanner and with a link that is down [us]; who ``worked`` so far [1]; for each gateway how long
    messages waited there and how long it served [us], and the most it held for the uplink since
    the start [1]; when all orders so far arrived (None where work never runs out) and jobs began
    [us].
    """

    totals: np.void
    session_us: int
    without_us: int
    down_us: int
    worked: int
    waited_us: NDArray[np.int64]
    busy_us: NDArray[np.int64]
    most_held: NDArray[np.int64]
    orders_us: NDArray[np.int64] | None
    begun_us: NDArray[np.int64]
    from_us: int
    now_us: int


def counted(
    tally: Tally,
    busy_us: NDArray[np.int64],
    most_held: NDArray[np.int64],
    orders_us: NDArray[np.int64] | None,
    now_us: int,
) -> Counted:
    """Return what was counted since the start; it stays as it is when the run goes on.

    Parameters
    ----------
    tally
        What was counted.
    busy_us
        How long each gateway has served until now, shape (gateways,) [us].
    most_held
        The most messages that each gateway held for the uplink, shape (gateways,) [1]; 0 where
        they were not counted, since the uplink knows neither limits nor outages.
    orders_us
        When the orders so far arrived, shape (orders,) [us]; None where work never runs out.
    now_us
        How long the run is so far [us].
    """
    return Counted(
        tally.sums[0].copy(),
        tally.session_us(now_us),
        tally.without_us(now_us),
        tally.down_us(now_us),
        int(tally.workers["worked"].sum()),
        tally.waited_us(now_us),
        busy_us,
        most_held,
        orders_us,
        tally.begun_us() if orders_us is not None else np.zeros(0, np.int64),
        0,
        now_us,
    )


def between(before: Counted, after: Counted) -> Counted:
    """Return what was counted from one moment to a later one of the same run."""
    totals = np.zeros(1, after.totals.dtype)
    for name in after.totals.dtype.names or ():
        totals[name] = after.totals[name] - before.totals[name]
    known = len(before.busy_us)  # a gateway may have been installed since
    waited_us, busy_us = after.waited_us.copy(), after.busy_us.copy()
    waited_us[:known] -= before.waited_us
    busy_us[:known] -= before.busy_us
    return after._replace(
        totals=totals[0],
        session_us=after.session_us - before.session_us,
        without_us=after.without_us - before.without_us,
        down_us=after.down_us - before.down_us,
        waited_us=waited_us,
        busy_us=busy_us,
        from_us=before.now_us,
    )


def figures(found: Counted) -> dict[str, float]:
    """Return the key figures by name.

    Of a part of a run ``backlog_max`` is NaN: what was held at most is only known since the start.
    """
    since_start = found.from_us == 0
    values = {
        **_counts(found),
        **_latencies(found),
        **_gateways(found),
        **_scanners(found),
        **_orders(found),
        "backlog_max": int(found.most_held.max(initial=0)) if since_start else float("nan"),
    }
    return {kpi.name: values[kpi.name] for kpi in KPIS}


def kpi_row(found: Counted) -> pd.DataFrame:
    """Return the key figures as a frame of one row."""
    return pd.DataFrame({name: [value] for name, value in figures(found).items()})


def kpi_table(row: pd.DataFrame, known: Sequence[Kpi] = KPIS) -> pd.DataFrame:
    """Return the key figures one below the other: name, value, unit, definition.

    Parameters
    ----------
    row
        A frame of one row.
    known
        Which figures it has; those that the row has not are left out.
    """
    kpis = [kpi for kpi in known if kpi.name in row]
    return pd.DataFrame(
        {
            "name": [kpi.name for kpi in kpis],
            "value": [row[kpi.name].iloc[0] for kpi in kpis],
            "unit": [kpi.unit for kpi in kpis],
            "definition": [kpi.definition for kpi in kpis],
        }
    )


def _counts(found: Counted) -> Mapping[str, float]:
    """Return what is counted."""
    sums = found.totals
    hours = found.session_us / _US_PER_H
    return {
        "scans": int(sums["scans"]),
        "scans_per_worker_hour": _ratio(int(sums["scans"]), hours),
        "worker_hours": hours,
        "lost": int(sums["scans_lost"] + sums["reports_lost"]),
        "no_feedback": int(sums["no_feedback"]),
        "lost_buffer": int(sums["lost_buffer"]),
        "duplicates": int(sums["duplicates"]),
        "wrong_scans": int(sums["wrong_scans"]),
        "reports": int(sums["reports"]),
        "jobs": int(sums["jobs"]),
        "unequipped": int(sums["unequipped"]),
        "job_p50_min": percentile_us(sums["job_bins"], 0.50) / _US_PER_MIN,
        "job_p95_min": percentile_us(sums["job_bins"], 0.95) / _US_PER_MIN,
    }


def _latencies(found: Counted) -> Mapping[str, float]:
    """Return the times from scan to beep and from scan to cloud [ms]."""
    sums = found.totals
    values = {}
    for name, scans in (("beep", "scans"), ("cloud", "scans_shown")):
        mean_us = _ratio(int(sums[f"{name}_us"]), int(sums[scans]))
        values[f"{name}_mean_ms"] = mean_us / _US_PER_MS
        for percent in (50, 95, 99):
            found_us = percentile_us(sums[f"{name}_bins"], percent / 100)
            values[f"{name}_p{percent}_ms"] = found_us / _US_PER_MS
    return values


def _scanners(found: Counted) -> Mapping[str, float]:
    """Return what batteries and links cost."""
    sums = found.totals
    blocked_min = int(sums["blocked_us"]) / _US_PER_MIN
    return {
        "swaps": int(sums["swaps"]),
        "drops": int(sums["drops"]),
        "roams": int(sums["roams"]),
        "without_scanner_min": found.without_us / _US_PER_MIN,
        "reconnect_min": found.down_us / _US_PER_MIN,
        "blocked_min_per_worker": _ratio(blocked_min, found.worked),
    }


def _orders(found: Counted) -> Mapping[str, float]:
    """Return how many orders came and how many waited for somebody to begin them."""
    names = ("orders", "orders_waiting", "orders_waiting_max")
    orders_us = found.orders_us
    if orders_us is None:
        return dict.fromkeys(names, 0)
    # The most wait just as one more arrives.
    begun = np.searchsorted(found.begun_us, orders_us, side="left")
    came = orders_us >= found.from_us
    most = int((np.arange(1, len(orders_us) + 1) - begun)[came].max(initial=0))
    waiting = len(orders_us) - len(found.begun_us)
    return dict(zip(names, (int(came.sum()), waiting, most), strict=True))


def _gateways(found: Counted) -> Mapping[str, float]:
    """Return use and queues; by Little's law the mean queue is the waiting done over the time."""
    sums = found.totals
    passed_us = max(found.now_us - found.from_us, 1)
    use = found.busy_us / passed_us
    queues = found.waited_us / passed_us
    messages = int(sums["scans"] + sums["reports"])
    return {
        "gateway_use_mean": float(use.mean()) if use.size else float("nan"),
        "gateway_use_max": float(use.max(initial=0.0)),
        "gateway_wait_mean_ms": _ratio(int(sums["wait_us"]), messages) / _US_PER_MS,
        "gateway_queue_max": float(queues.max(initial=0.0)),
    }


def _ratio(above: float, below: float) -> float:
    """Return a quotient, NaN of nothing by nothing."""
    return above / below if below else float("nan")
