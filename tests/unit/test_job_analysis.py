"""Job analysis: what the document leaves open, decided and tested."""

import numpy as np
import pandas as pd
import pytest

import twin
from twin.analysis.jobs import END, LINE, START, marks, pair_jobs, read_scans


def pairs(*scans: tuple[int, int, int, int]) -> list[tuple[int, int, int]]:
    """Return (start, end, scans) of the jobs in scans given as (gateway, device, time, mark)."""
    gateway, device, time, mark = np.array(scans, np.int64).reshape(-1, 4).T
    found = pair_jobs(read_scans(gateway, device, time), mark)
    return list(zip(*(column.tolist() for column in found), strict=True))


def test_a_job_is_a_start_its_lines_and_an_end() -> None:
    assert pairs((1, 7, 10, START), (1, 7, 20, LINE), (1, 7, 30, END)) == [(0, 2, 3)]


def test_workers_interleaved_on_one_gateway_are_told_apart() -> None:
    scans = [(1, 7, 10, START), (1, 8, 11, START), (1, 7, 20, END), (1, 8, 30, END)]
    assert pairs(*scans) == [(0, 2, 2), (1, 3, 2)]


def test_a_start_drops_the_unfinished_job() -> None:
    assert pairs((1, 7, 10, START), (1, 7, 20, START), (1, 7, 30, END)) == [(1, 2, 2)]


def test_an_end_without_a_start_and_a_start_without_an_end_are_dropped() -> None:
    assert pairs((1, 7, 5, END), (1, 7, 10, START)) == []


def test_a_job_does_not_go_over_to_another_gateway() -> None:
    assert pairs((1, 7, 10, START), (2, 7, 20, END)) == []


def test_scans_may_come_in_any_order() -> None:
    assert pairs((1, 7, 30, END), (1, 7, 20, LINE), (1, 7, 10, START)) == [(2, 0, 3)]


def test_results_are_ordered_by_gateway_then_start() -> None:
    scans = [
        (2, 7, 10, START), (2, 7, 20, END), (1, 9, 40, START), (1, 9, 50, END),
        (1, 8, 30, START), (1, 8, 60, END),
    ]  # fmt: skip
    assert [start for start, _, _ in pairs(*scans)] == [4, 2, 0]


def test_nothing_gives_nothing() -> None:
    assert pairs() == []


def test_barcodes_are_prefixes() -> None:
    codes = ["1234", "12345", "123", "5678-9", "x1234"]
    assert marks(codes, "1234", "5678").tolist() == [START, START, LINE, END, LINE]


@pytest.fixture(scope="module")
def day() -> twin.Twin:
    return twin.open("reference_site").run(progress=False)


def test_the_day_has_the_jobs_that_the_tally_counts(day: twin.Twin) -> None:
    jobs = day.jobs()
    assert len(jobs) == day.kpis()["jobs"].iloc[0] > 1000
    assert set(jobs["job_config"]) == {job.name for job in day.scenario.work.jobs}
    exact_min = jobs["duration_s"].quantile(0.5, interpolation="inverted_cdf") / 60
    assert day.kpis()["job_p50_min"].iloc[0] == pytest.approx(exact_min, rel=0.0026)


def test_a_plain_reading_of_the_day_gives_the_same_jobs(day: twin.Twin) -> None:
    scans = day.events("scan").sort_values("scan_time", kind="stable")
    scans = scans[scans["visible_time"].notna()]
    found = []
    for config in day.scenario.work.jobs:
        under_way: dict[tuple[str, str], pd.Timestamp] = {}
        for key, code, moment in zip(
            zip(scans["gateway"], scans["device"], strict=True),
            scans["scan_code"], scans["scan_time"], strict=True,
        ):  # fmt: skip
            if code.startswith(config.start_barcode):
                under_way[key] = moment
            elif code.startswith(config.end_barcode) and key in under_way:
                found.append((config.name, *key, under_way.pop(key), moment))
    columns = ["job_config", "gateway", "device", "start", "end"]
    assert sorted(found) == sorted(day.jobs()[columns].itertuples(index=False, name=None))


def test_prefixes_of_digits_do_not_claim_items() -> None:
    jobs = [{"name": "j", "start_barcode": "1", "end_barcode": "9"}]
    digits = twin.open(twin.vary(twin.load("pilot_line"), "work.jobs", jobs)).run(progress=False)
    assert len(digits.jobs()) == digits.kpis()["jobs"].iloc[0] > 10
    lines = digits.events("scan").query("role == 'line'")["scan_code"]
    assert not lines.str.startswith(("1", "9")).any()
    assert lines.str.startswith("#").any()
