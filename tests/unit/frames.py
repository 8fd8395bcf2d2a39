"""A small day as frames, like those of an open twin, and a stand-in for the twin itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from twin.scenario import Scenario, load

ZONE = ZoneInfo("Europe/Vienna")


def moments(texts: list[str]) -> pd.Series:
    return pd.Series(pd.to_datetime(texts)).dt.tz_localize(ZONE)


def events() -> pd.DataFrame:
    """Three scans at 6, one at 7, two at 8 (one of them lost); a report, a session, an outage."""
    rows = [
        ("06:05", "scan", "delivered", "G1", "line", "early", 60.0, 300.0, 1500.0),
        ("06:20", "scan", "delivered", "G1", "line", "early", 80.0, 400.0, 1500.0),
        ("06:40", "scan", "delivered", "P1", "pack", "early", 100.0, 500.0, 0.0),
        ("07:10", "scan", "delivered", "G1", "line", "early", 120.0, 600.0, 0.0),
        ("08:15", "scan", "lost_ble", "P1", "pack", "early", 5000.0, np.nan, 0.0),
        ("08:30", "scan", "no_feedback", "G1", "line", "early", 400.0, 700.0, 0.0),
        ("08:31", "telemetry", "delivered", "G1", "line", "early", np.nan, np.nan, 3000.0),
        ("06:00", "session_open", "delivered", "P1", "pack", "early", np.nan, np.nan, np.nan),
        ("08:15", "drop", "delivered", "P1", "pack", "early", np.nan, np.nan, np.nan),
        ("08:19", "reconnect", "delivered", "P1", "pack", "early", np.nan, np.nan, np.nan),
    ]
    names = ["clock", "kind", "outcome", "gateway", "zone", "shift"]
    figures = ["scan_to_beep_ms", "scan_to_cloud_ms", "wait_ms"]
    frame = pd.DataFrame(rows, columns=names + figures)
    frame["time"] = moments([f"2026-03-02 {clock}" for clock in frame.pop("clock")])
    frame["gateway_kind"] = frame["gateway"].map({"G1": "stationary", "P1": "mobile"})
    frame["worker"] = frame["gateway"].map({"G1": "early-01", "P1": "early-02"})
    frame["battery_percent"] = 99.5 - np.arange(len(frame))
    frame["copies"] = frame["scan_to_cloud_ms"].notna().astype(np.uint8)
    for name, latency in (("beep_time", "scan_to_beep_ms"), ("visible_time", "scan_to_cloud_ms")):
        frame[name] = frame["time"] + pd.to_timedelta(frame[latency], unit="ms")
    gateways = pd.CategoricalDtype(["G1", "G2", "P1"])
    frame["gateway"] = frame["gateway"].astype(gateways)
    for name in ("kind", "outcome", "zone", "shift", "gateway_kind", "worker"):
        frame[name] = frame[name].astype("category")
    return frame


def troubles() -> pd.DataFrame:
    """An hour in which scanners run empty, links drop and a gateway's buffer is full."""
    rows = [
        ("06:00", "session_open", "delivered", "ann", "G1", 90.0, 0.0, "06:00", None, 0),
        ("06:00", "session_open", "delivered", "bob", "P1", 80.0, 0.0, "06:00", None, 0),
        ("06:05", "scan", "delivered", "ann", "G1", 88.0, 60_000.0, "06:05", "06:20", 1),
        ("06:10", "scan", "delivered", "bob", "P1", 70.0, 0.0, "06:10", "06:16", 3),
        ("06:10", "scan", "delivered", "ann", "G1", 86.0, 0.0, "06:10", "06:20", 1),
        ("06:12", "drop", "delivered", "ann", "G1", 86.0, 0.0, None, None, 0),
        ("06:14", "scan", "not_connected", "ann", "G1", 85.0, np.nan, "06:14", None, 0),
        ("06:17", "reconnect", "delivered", "ann", "G1", 85.0, 0.0, None, None, 0),
        ("06:18", "scan", "lost_buffer", "ann", "G1", 84.0, 0.0, "06:18", None, 0),
        ("06:25", "telemetry", "delivered", "ann", "G1", 84.0, 0.0, None, "06:26", 1),
        ("06:29", "scan", "lost_ble", "bob", "P1", 10.0, np.nan, "06:29", None, 0),
        ("06:30", "swap", "delivered", "bob", "P1", 95.0, 0.0, "06:32", None, 0),
        ("06:35", "drop", "delivered", "ann", "G1", 80.0, 0.0, None, None, 0),
        ("06:35", "roam", "delivered", "ann", "G2", 80.0, 0.0, "06:37", None, 0),
        ("06:40", "drop", "delivered", "bob", "P1", 94.0, 0.0, None, None, 0),
        ("06:45", "session_close", "delivered", "ann", "G2", 50.0, 0.0, None, None, 0),
        ("06:45", "unequipped", "no_scanner", "ann", None, np.nan, 0.0, None, None, 0),
        ("06:50", "session_open", "delivered", "ann", "G1", 100.0, 0.0, "06:52", None, 0),
        ("06:55", "drop", "delivered", "ann", "G1", 99.0, 0.0, None, None, 0),
        ("06:58", "session_close", "delivered", "ann", "G1", 98.0, 0.0, None, None, 0),
        ("06:59", "unequipped", "no_gateway", "cid", None, np.nan, 0.0, None, None, 0),
    ]
    names = ["time", "kind", "outcome", "worker", "gateway", "battery_percent", "wait_ms"]
    frame = pd.DataFrame(rows, columns=[*names, "beep_time", "visible_time", "copies"])
    for name in ("time", "beep_time", "visible_time"):
        given = frame[name].notna()
        frame[name] = moments(list(("2026-03-02 " + frame[name]).where(given, "NaT")))
    return frame.astype(dict.fromkeys(("kind", "outcome", "worker", "gateway"), "category"))


def gateways() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": ["G1", "P1"],
            "kind": ["stationary", "mobile"],
            "zone": ["line", None],
            "x_m": [15.0, np.nan],
            "y_m": [10.0, np.nan],
            "messages": [6, 1],
            "use": [0.004, 0.001],
        }
    )


def jobs() -> pd.DataFrame:
    seconds = [300.0, 330.0, 600.0, 900.0]
    kinds = ["pick order", "pick order", "pick order", "pack parcel"]
    return pd.DataFrame({"job_config": kinds, "duration_s": seconds})


def kpi_table() -> pd.DataFrame:
    rows = [
        ("scans", 12_345.0, "1", "scans that reached a gateway"),
        ("lost", 2.0, "1", "messages that no gateway got"),
        ("beep_p50_ms", 62.25, "ms", "half of the beeps come <sooner>"),
        ("beep_p95_ms", 98.123, "ms", "95 % of the beeps come sooner"),
        ("jobs", 4.0, "1", "jobs completed"),
        ("job_p50_min", float("nan"), "min", "half of the jobs take less"),
    ]
    return pd.DataFrame(rows, columns=["name", "value", "unit", "definition"])


class FakeTwin:
    """What the report asks of a twin."""

    def __init__(self, scenario: Scenario | None = None, *, now_us: int | None = None) -> None:
        self.scenario = scenario or load("pilot_line")
        self.seed, self.engine = 7, "compiled"
        self.horizon_us = self.scenario.run.horizon_us
        self.now_us = self.horizon_us if now_us is None else now_us
        self.rows = events()

    @property
    def now(self) -> datetime:
        start = self.scenario.run.start.replace(tzinfo=ZONE)
        return start + timedelta(microseconds=self.now_us)

    def events(self, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
        return self.rows if columns is None else self.rows[list(columns)]

    def gateways(self) -> pd.DataFrame:
        return gateways()

    def jobs(self) -> pd.DataFrame:
        return jobs()

    def kpi_table(self) -> pd.DataFrame:
        return kpi_table()

    def provenance(self) -> dict[str, str]:
        return {
            "scenario": self.scenario.name,
            "digest": self.scenario.digest,
            "seed": str(self.seed),
            "engine": self.engine,
            "time_zone": "Europe/Vienna",
            "simulated_us": str(self.now_us),
            "twin": "0.1.0",
        }

    def save(self, path: Path, *, snapshot: bool = True) -> Path:
        del snapshot
        path.write_bytes(b"SQLite format 3\0")
        return path
