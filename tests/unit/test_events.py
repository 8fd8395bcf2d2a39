"""The flat row: what it holds, and what every field of an Insight event is made of."""

import uuid

import numpy as np
import pandas as pd
import pytest

import twin
from twin.commands import SESSION, SESSION_FIELDS
from twin.events import COLUMNS, EMPTY, EVENT, KIND_MEANING, OUTCOME_MEANING, Kind, Outcome

SECOND = pd.Timedelta(seconds=1)


def test_a_row_is_a_cache_line() -> None:
    assert EVENT.itemsize == 64


def test_every_column_kind_and_outcome_is_explained() -> None:
    assert [column.name for column in COLUMNS] == list(EVENT.names or ())
    assert len(EMPTY) == len(COLUMNS)
    assert all(column.unit and column.meaning and column.kinds for column in COLUMNS)
    assert set(KIND_MEANING) == set(Kind)
    assert set(OUTCOME_MEANING) == set(Outcome)
    assert [field.name for field in SESSION_FIELDS] == list(SESSION.names or ())


@pytest.fixture(scope="module")
def opened() -> twin.Twin:
    return twin.open("reference_site").run("4 h", progress=False)


@pytest.fixture(scope="module")
def events(opened: twin.Twin) -> pd.DataFrame:
    return opened.events()


def test_columns_a_kind_does_not_fill_are_empty(opened: twin.Twin) -> None:
    rows = opened.rows()
    for kind in np.unique(rows["kind"]).tolist():
        of_kind = rows[rows["kind"] == kind]
        for column in COLUMNS:
            if kind not in column.kinds:
                assert (of_kind[column.name] == column.empty).all(), (Kind(kind), column.name)


def test_rows_are_in_the_order_of_time(opened: twin.Twin) -> None:
    assert (np.diff(opened.rows()["time_us"]) >= 0).all()
    assert opened.rows()["time_us"].max() < opened.now_us


def test_an_insight_event_can_be_read_off_a_scan(events: pd.DataFrame) -> None:
    scan = events[events["kind"] == "scan"]
    assert scan["event_id"].is_unique
    assert {uuid.UUID(text).version for text in scan["event_id"].head(100)} == {4}
    assert scan["scan_code"].str.len().between(1, 2000).all()
    assert scan["trigger_s"].between(0.01, 60).all()
    assert set(scan["symbology"]) == {"CODE_128", "EAN_13", "DATA_MATRIX", "QR_CODE"}
    assert scan["device"].str.fullmatch(r"[A-Z0-9]{4}\d{9}").all()
    assert scan["battery_percent"].between(0, 100).all()
    assert scan["temperature_degc"].isin([6, 16, 19, 21]).all()
    assert scan["firmware"].str.fullmatch(r"\d+\.\d+\.\d+").all()
    assert scan[["gateway", "usecase", "station"]].notna().all(axis=None)


def test_items_are_ean_13_with_their_check_digit(events: pd.DataFrame) -> None:
    items = events.query("role == 'line' and symbology == 'EAN_13'")["scan_code"]
    digits = np.array([[int(digit) for digit in code] for code in items])
    assert digits.shape == (len(items), 13)
    assert ((digits @ np.array([1, 3] * 6 + [1])) % 10 == 0).all()


def test_symbologies_come_as_often_as_the_scenario_says(opened: twin.Twin) -> None:
    items = opened.events("scan").query("role == 'line'")["symbology"]
    weights = dict(opened.scenario.work.symbologies)
    total = sum(weights.values())
    shares = items.value_counts(normalize=True)
    for name, weight in weights.items():
        p = weight / total
        assert abs(shares[name] - p) < 5 * np.sqrt(p * (1 - p) / len(items))


def test_job_barcodes_carry_the_prefix_of_the_workers_job(events: pd.DataFrame) -> None:
    for role, column in (("start", "start_barcode"), ("end", "end_barcode")):
        texts = events[events["role"] == role]["scan_code"]
        prefixes = tuple(getattr(job, column) for job in twin.load("reference_site").work.jobs)
        assert texts.str.startswith(prefixes).all()
    started = events.query("role == 'start' and outcome == 'delivered'")
    assert started["scan_code"].is_unique


def test_moments_come_in_their_order(events: pd.DataFrame) -> None:
    scan = events[(events["kind"] == "scan") & (events["outcome"] == "delivered")]
    assert (scan["scan_time"] < scan["time"]).all()
    assert (scan["time"] < scan["beep_time"]).all()
    assert (scan["time"] < scan["visible_time"]).all()


def test_a_worker_scans_again_only_after_the_beep(events: pd.DataFrame) -> None:
    scan = events[events["kind"] == "scan"].sort_values(["worker", "number"])
    before = scan.groupby("worker", observed=True)["beep_time"].shift()
    assert (scan["scan_time"] >= before)[before.notna()].all()


def test_reports_come_once_a_period(opened: twin.Twin) -> None:
    reports = opened.events("telemetry").sort_values(["device", "scan_time"])
    gaps = reports.groupby("device", observed=True)["scan_time"].diff().dropna()
    period = pd.Timedelta(opened.scenario.cloud.telemetry_period_us, unit="us")
    assert (gaps % period == pd.Timedelta(0)).all()  # more than one: while it was not connected
    sessions = opened.events("session_open")
    connected = dict(zip(sessions["device"], sessions["beep_time"], strict=True))
    assert reports["device"].nunique() == 40
    for device, own in reports.groupby("device", observed=True)["scan_time"]:
        assert own.min() >= connected[device]
        assert own.max() < opened.now


def test_charge_falls_with_scans_and_hours() -> None:
    opened = twin.open("pilot_line").run(progress=False)
    scans = opened.events("scan").sort_values("number")
    connected = opened.events("session_open").set_index("worker")["beep_time"]
    for worker, own in scans.groupby("worker", observed=True):
        assert own["battery_percent"].is_monotonic_decreasing
        hours = (own["time"].iloc[-1] - connected[worker]) / SECOND / 3600
        expected = 100 - len(own) / 120 - 4 * hours
        assert own["battery_percent"].iloc[-1] == pytest.approx(expected, abs=0.02)


def test_no_scan_begins_in_a_break() -> None:
    scans = twin.open("pilot_line").run(progress=False).events("scan")["scan_time"]
    start = scans.min().normalize() + pd.Timedelta(hours=6)
    for after, lasts in (("2 h", "15 min"), ("4 h 30 min", "30 min")):
        begin = start + pd.Timedelta(after)
        back = begin + pd.Timedelta(lasts) + pd.Timedelta(minutes=2)
        assert not scans.between(begin, back, inclusive="left").any()
        assert scans.between(begin - pd.Timedelta(minutes=2), begin, inclusive="left").any()
