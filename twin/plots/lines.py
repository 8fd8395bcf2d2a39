"""The one line of numbers under each picture."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twin.plots.clock import HOUR_US, local_bins
from twin.plots.style import two_digits

__all__ = ["floor_line", "job_line", "latency_line", "queue_line", "scan_line"]

_LATENCIES = (("scan_to_beep_ms", "scan to beep"), ("scan_to_cloud_ms", "scan to cloud"))


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


def scan_line(events: pd.DataFrame) -> str:
    """Say how many scans there were, in which hour most, and how many failed.

    Rows of events, with `kind`, `time`, `outcome`.
    """
    scans = _scans(events)
    if scans.empty:
        return "No scan was made."
    edges, places = local_bins(scans["time"], HOUR_US)
    hours = np.bincount(places)
    begins = pd.Timestamp(edges[hours.argmax()], unit="us", tz="UTC")
    fullest = begins.tz_convert(scans["time"].dt.tz)
    failed = int((scans["outcome"] != "delivered").sum())
    share = _percent(failed / len(scans))
    return (
        f"{len(scans):,} scans, repeated ones included; the fullest hour begins at "
        f"{fullest:%H:%M} on {fullest:%Y-%m-%d}: {hours.max():,} scans; "
        f"{failed:,} failed ({share})."
    )


def latency_line(events: pd.DataFrame) -> str:
    """Say the median and the tail of both latencies [ms]; rows of events."""
    scans = _scans(events)
    if len(scans):
        scans = scans[scans["outcome"] != "lost_ble"]
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
    if events.empty:
        return "No message reached a gateway."
    arrived = events["kind"].isin(["scan", "telemetry"]) & (events["outcome"] != "lost_ble")
    waits = events.loc[arrived, "wait_ms"].dropna()
    if waits.empty:
        return "No message reached a gateway."
    waited = float((waits > 0).mean())
    return (
        f"{_percent(waited)} of {len(waits):,} messages found the gateway busy; the mean wait "
        f"of all is {_ms(float(waits.mean()))}, the longest {_ms(float(waits.max()))}."
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


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _ms(value: float) -> str:
    return f"{two_digits(float(value))} ms"


def _percent(share: float) -> str:
    return f"{two_digits(100.0 * share)} %"
