"""Key figures against the rows they summarise."""

import itertools
import math

import numpy as np
import pytest

import twin
from twin.analysis.histogram import BINS, bin_of, empty_histogram, percentile_us
from twin.analysis.kpis import KPIS

LOSSY = {"links.ble.stationary.loss_far": "80 %", "links.ble.stationary.loss_near": "60 %"}


@pytest.fixture(scope="module")
def shift() -> twin.Twin:
    scenario = twin.load("pilot_line")
    for key, value in LOSSY.items():
        scenario = twin.vary(scenario, key, value)
    return twin.open(scenario).run(progress=False)


def kpi(opened: twin.Twin, name: str) -> float:
    return float(opened.kpis()[name].iloc[0])


def test_every_figure_has_name_unit_and_definition(shift: twin.Twin) -> None:
    table = shift.kpi_table()
    assert table["name"].tolist() == [figure.name for figure in KPIS]
    assert (table["definition"].str.len() > 10).all()
    assert table["value"].notna().all()


def test_counts_are_those_of_the_rows(shift: twin.Twin) -> None:
    events = shift.events()
    scans = events[events["kind"] == "scan"]
    failed = events["outcome"].isin(["lost_ble", "not_connected"])
    assert kpi(shift, "scans") == (~failed & (events["kind"] == "scan")).sum()
    assert kpi(shift, "no_feedback") == (scans["outcome"] == "no_feedback").sum() > 0
    assert kpi(shift, "lost") == failed.sum() > (events["outcome"] == "lost_ble").sum() > 0
    assert kpi(shift, "worker_hours") == 5 * 8
    assert kpi(shift, "scans_per_worker_hour") == kpi(shift, "scans") / 40


@pytest.mark.parametrize(
    ("name", "column"), [("beep", "scan_to_beep_ms"), ("cloud", "scan_to_cloud_ms")]
)
def test_latencies_are_those_of_the_rows(shift: twin.Twin, name: str, column: str) -> None:
    scans = shift.events("scan").query("wait_ms.notna()")
    assert kpi(shift, f"{name}_mean_ms") == pytest.approx(scans[column].mean(), rel=1e-12)
    for percent in (50, 95, 99):
        exact = scans[column].quantile(percent / 100, interpolation="inverted_cdf")
        assert kpi(shift, f"{name}_p{percent}_ms") == pytest.approx(exact, rel=0.0026)


def test_gateway_figures_are_those_of_the_rows(shift: twin.Twin) -> None:
    events = shift.events()
    arrived = events[events["wait_ms"].notna()]
    assert kpi(shift, "gateway_wait_mean_ms") == pytest.approx(arrived["wait_ms"].mean())
    hours = shift.now_us / 3.6e9
    assert kpi(shift, "gateway_queue_max") == pytest.approx(
        arrived["wait_ms"].sum() / (hours * 3.6e6)
    )
    assert 0 < kpi(shift, "gateway_use_max") < 1


@pytest.mark.parametrize("name", ["pilot_line", "reference_site"])
def test_a_run_that_keeps_no_rows_gives_the_same_figures(name: str) -> None:
    kept = twin.open(name).run("3 h", progress=False)
    counted = twin.open(name, record="kpis")
    for _ in range(6):
        counted.run("30 min", progress=False)
    assert counted.kpis().equals(kept.kpis())
    with pytest.raises(twin.twin.RunError, match="keeps no rows"):
        counted.events()


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("record", ["rows", "kpis"])
def test_an_overloaded_gateway_is_busy_all_the_time_and_no_more(engine: str, record: str) -> None:
    scenario = twin.load("pilot_line")
    for key, value in {
        "links.gateway_service": {"law": "constant", "value": "30 s"},
        "cloud.telemetry_period": "30 s",
    }.items():
        scenario = twin.vary(scenario, key, value)
    opened = twin.open(scenario, engine=engine, record=record).run("1 h", progress=False)
    assert 0.9 < kpi(opened, "gateway_use_max") <= 1
    rows = twin.open(scenario).run("1 h", progress=False).rows()
    rows = rows[np.isin(rows["kind"], (1, 2)) & ~np.isin(rows["outcome"], (1, 5))]
    waited = np.minimum(rows["time_us"] + rows["wait_us"], opened.now_us) - rows["time_us"]
    assert kpi(opened, "gateway_queue_max") == waited.sum() / opened.now_us > 100


def test_figures_of_a_run_under_way_can_be_asked_again() -> None:
    opened = twin.open("pilot_line").run("1 h", progress=False)
    first = kpi(opened, "scans")
    opened.rows()
    assert kpi(opened, "scans") == first
    assert kpi(opened.run("1 h", progress=False), "scans") > first
    assert kpi(opened, "scans") == opened.events("scan")["wait_ms"].notna().sum()


def test_bins_are_half_a_percent_wide() -> None:
    edges = [us for us in range(10_000, 60_000) if bin_of(us) != bin_of(us - 1)]
    ratios = [high / low for low, high in itertools.pairwise(edges)]
    assert min(ratios) > 1.0048
    assert max(ratios) < 1.0052


def test_bins_hold_every_duration() -> None:
    assert bin_of(0) == 0
    assert bin_of(1) == 1
    assert 0 < bin_of(400 * 86_400 * 10**6) < BINS - 1
    assert bin_of(2**63 - 1) == BINS - 1


def test_percentiles_are_nearest_ranks() -> None:
    histogram = empty_histogram()
    durations = np.arange(1, 101) * 1000
    for duration_us in durations.tolist():
        histogram[bin_of(duration_us)] += 1
    for share, exact_us in ((0.01, 1000), (0.5, 50_000), (0.95, 95_000), (1.0, 100_000)):
        assert percentile_us(histogram, share) == pytest.approx(exact_us, rel=0.0026)
    assert math.isnan(percentile_us(empty_histogram(), 0.5))
