"""The one line of numbers under each picture."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.plots.batteries import without_scanner_us
from twin.plots.clock import HOUR_US, MINUTE_US, local_bins
from twin.plots.mesh import USABLE
from twin.plots.outages import outages
from twin.plots.rows import arrivals
from twin.plots.style import two_digits
from twin.plots.uplink import peak

__all__ = [
    "airtime_line",
    "backlog_line",
    "battery_line",
    "floor_line",
    "job_line",
    "latency_line",
    "links_line",
    "mesh_line",
    "queue_line",
    "reach_line",
    "scan_line",
    "upgrade_line",
]

_LATENCIES = (("scan_to_beep_ms", "scan to beep"), ("scan_to_cloud_ms", "scan to cloud"))
_CLOCK = "%H:%M on %Y-%m-%d"
_NAMED = 5  # of those that are cut off


def floor_line(gateways: pd.DataFrame) -> str:
    """Say how busy the gateways were; one row each, with `name`, `kind` and `use` [1]."""
    if gateways.empty:
        return "The site has no gateways."
    use = gateways["use"].fillna(0.0)
    busiest = gateways["name"].iloc[int(use.to_numpy().argmax())]
    parts = [f"Busiest: {busiest}, {_percent(float(use.max()))} of the time"]
    for kind, word in (("stationary", "stationary gateway"), ("mobile", "phone")):
        own = use[gateways["kind"] == kind]
        if len(own):
            them = f"{len(own):,} {word}{'s' if len(own) > 1 else ''}"
            parts.append(f"mean of {them} {_percent(float(own.mean()))}")
    return "; ".join(parts) + "."


def mesh_line(nodes: pd.DataFrame, links: pd.DataFrame) -> str:
    """Say how large the mesh is, how many hops wide, and who is cut off.

    One row for each node, with `node`, `hops` and `cut_off`, and for each direction of a link, with
    `reception` [1].
    """
    cut_off = nodes.loc[nodes["cut_off"] != "", "node"]
    usable = int((links["reception"] >= USABLE).sum())
    hops = int(nodes["hops"].max())
    text = (
        f"{_nodes(len(nodes))}, {usable:,} usable links (each direction counted), "
        f"at most {hops} hop{'' if hops == 1 else 's'} from a bridge; "
    )
    if cut_off.empty:
        return f"{text}none is cut off."
    named = ", ".join(cut_off.head(_NAMED)) + (", ..." if len(cut_off) > _NAMED else "")
    return f"{text}{len(cut_off):,} cut off: {named}."


def reach_line(shares: NDArray[np.float64], messages: pd.DataFrame) -> str:
    """Say how far messages came; shares of the nodes that first heard one at each hop [1]."""
    if "kind" in messages:
        messages = messages[messages["kind"] == "multicast"]
    asked = int(messages["asked"].isna().sum()) if len(messages) else 0
    if not asked:
        return "No message was sent."
    reached = ", ".join(
        f"{_percent(float(share))} within {hop}" for hop, share in enumerate(shares.cumsum(), 1)
    )
    return f"{asked:,} message{'' if asked == 1 else 's'}; heard by {reached} hops, in the mean."


def upgrade_line(upgrades: pd.DataFrame, devices: pd.DataFrame) -> str:
    """Say how the last upgrade went, and why devices failed."""
    last = upgrades.iloc[-1]
    said = f"{int(last['succeeded']):,} of {int(last['devices']):,} devices run the image"
    if last["t95_min"] >= 0:
        said += f", 95 % of all after {last['t95_min']:.1f} min"
    failed = devices.loc[devices["outcome"] == "failure", "reason"].value_counts().sort_index()
    reasons = ", ".join(f"{n:,} {why}" for why, n in failed.items())
    return f"{said}; failed: {reasons}." if reasons else f"{said}."


def airtime_line(shares: NDArray[np.float64]) -> str:
    """Say how full the air was; share of time that each node sends or hears a sender [1]."""
    if not len(shares) or not shares.max():
        return "Nothing was sent."
    mean, most = _percent(float(shares.mean())), _percent(float(shares.max()))
    return f"Air in use around a node: {mean} of the time in the mean, {most} where it is most."


def _nodes(count: int) -> str:
    return f"{count:,} node{'' if count == 1 else 's'}"


def scan_line(events: pd.DataFrame) -> str:
    """Say how many scans there were, in which hour most, and how many failed.

    Rows of events, with `kind`, `time`, `outcome`.
    """
    scans = _scans(events)
    if scans.empty:
        return "No scan was made."
    edges, places = local_bins(scans["time"], HOUR_US)
    hours = np.bincount(places)
    fullest = _moment(int(edges[hours.argmax()]), scans)
    failed = int((scans["outcome"] != "delivered").sum())
    share = _percent(failed / len(scans))
    return (
        f"{len(scans):,} scans, repeated ones included; the fullest hour begins at "
        f"{fullest}: {hours.max():,} scans; "
        f"{failed:,} failed ({share})."
    )


def latency_line(events: pd.DataFrame) -> str:
    """Say the median and the tail of both latencies [ms]; rows of events."""
    scans = _scans(arrivals(events, "kind", *(column for column, _ in _LATENCIES)))
    parts = []
    for column, name in _LATENCIES if len(scans) else ():
        values = scans[column].dropna()
        if len(values):
            p50, p95, p99 = np.percentile(values.to_numpy(), (50, 95, 99), method="inverted_cdf")
            tail = f"p95 {_ms(p95)}, p99 {_ms(p99)}, longest {_ms(float(values.max()))}"
            parts.append(f"{name}: p50 {_ms(p50)}, {tail}")
    return _sentence(parts) if parts else "No scan arrived."


def queue_line(events: pd.DataFrame) -> str:
    """Say how many messages waited and how long; rows of events with `wait_ms` [ms]."""
    messages = arrivals(events, "wait_ms")
    if messages.empty:
        return "No message reached a gateway."
    waits = messages["wait_ms"].dropna().to_numpy(np.float64)
    if not len(waits):
        return "No message reached a gateway."
    waited = float((waits > 0).mean())
    return (
        f"{_percent(waited)} of {len(waits):,} messages found the gateway busy; the mean wait "
        f"of all is {_ms(float(waits.mean()))}, the longest {_ms(float(waits.max()))}."
    )


def backlog_line(events: pd.DataFrame) -> str:
    """Say how many messages were held for the uplink, where and when; how many were dropped.

    Rows of events, with `time`, `kind`, `outcome`, `gateway`, `wait_ms` [ms],
    `visible_time` and `copies`.
    """
    messages = arrivals(events, "outcome", "copies")
    if messages.empty:
        return "No message reached a gateway."
    dropped = int((messages["outcome"] == "lost_buffer").sum())
    copies = messages["copies"].to_numpy(np.int64)
    doubles = int((copies - 1)[copies > 1].sum())
    found = peak(events)
    most = "No message was held"
    if found is not None:
        at = _moment(found.at_us, events)
        most = f"Most at once: {found.held:,} at {found.gateway}, at {at}"
    return (
        f"{most}; {dropped:,} dropped because a buffer was full; {_count(doubles, 'duplicate')} "
        "removed. Held: from the end of a message's wait until the cloud shows it, the "
        "cloud's own delay included."
    )


def battery_line(events: pd.DataFrame, until: datetime | None = None) -> str:
    """Say how low the charge was, how many swaps there were, and how long scanners lacked.

    Rows of events until a moment, None for the last row; with `time`, `beep_time`,
    `kind`, `worker` and `battery_percent` [%].
    """
    charges = events["battery_percent"].to_numpy(np.float64) if len(events) else np.empty(0)
    if not np.isfinite(charges).any():
        return "No scanner was in hand."
    row = int(np.nanargmin(charges))
    worker, at = events["worker"].iloc[row], events["time"].iloc[row]
    swaps = int((events["kind"] == "swap").sum())
    minutes = without_scanner_us(events, until) / MINUTE_US
    return (
        f"Lowest charge {charges[row]:.1f} %, {worker} at {at:{_CLOCK}}; {_count(swaps, 'swap')}; "
        f"{two_digits(minutes)} min without scanner, all workers: at the chargers, waiting for "
        "another, pairing it; without the pairing at the start of a shift and after drops."
    )


def links_line(events: pd.DataFrame, until: datetime | None = None) -> str:
    """Say how often links were dropped, for how long, and how many scans found none.

    Rows of events until a moment, None for the last row; with `time`, `kind`,
    `beep_time`, `outcome`, `worker` and `gateway`.
    """
    scans = _scans(events)
    missed = int((scans["outcome"] == "not_connected").sum()) if len(scans) else 0
    down = outages(events, until)
    if down.empty:
        return f"No link was dropped; {_count(missed, 'scan')} not connected."
    lasted = (down["end_us"] - down["start_us"]).to_numpy(np.float64) / MINUTE_US
    half = float(np.median(lasted))
    middle = f"{two_digits(half)} min" if half >= 1 else f"{two_digits(60 * half)} s"
    roams = int(down["roamed"].sum())
    how = f", {roams:,} of them until the worker was at another gateway" if roams else ""
    return (
        f"{_count(len(down), 'drop')}{how}; {two_digits(float(lasted.sum()))} min down in all, "
        f"median outage {middle}; {_count(missed, 'scan')} not connected."
    )


def job_line(jobs: pd.DataFrame) -> str:
    """Say how many jobs were done and how long they took; with `duration_s` [s]."""
    minutes = jobs["duration_s"].dropna().to_numpy(np.float64) / 60.0 if len(jobs) else np.empty(0)
    if not len(minutes):
        return "No job was completed."
    p50, p95 = np.percentile(minutes, (50, 95), method="inverted_cdf")
    mean = float(minutes.mean())
    return f"{len(minutes):,} jobs; p50 {p50:.1f} min, p95 {p95:.1f} min, mean {mean:.1f} min."


def _scans(events: pd.DataFrame) -> pd.DataFrame:
    return events[events["kind"] == "scan"] if len(events) else events


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _moment(us: int, events: pd.DataFrame) -> str:
    """Write a moment since 1970 [us] in the time zone of the rows."""
    stamp = pd.Timestamp(us, unit="us", tz="UTC").tz_convert(events["time"].dt.tz)
    return f"{stamp:{_CLOCK}}"


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _ms(value: float) -> str:
    return f"{two_digits(float(value))} ms"


def _percent(share: float) -> str:
    return f"{two_digits(100.0 * share)} %"
