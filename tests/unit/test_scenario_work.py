"""Orders, slips, breaks by law: what the scenario says of work."""

from itertools import pairwise
from statistics import NormalDist
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import ScenarioError
from twin.scenario import Scenario, from_document, load, vary, warnings

LINE = load("pilot_line")
SITE = load("reference_site")
MIN = 60_000_000
H = 60 * MIN


def refused(key: str, value: Any) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        vary(LINE, key, value)
    assert len(caught.value.problems) == 1
    return caught.value


def test_slips_are_shares_and_the_pace_differs_by_what_was_measured() -> None:
    assert (LINE.work.wrong_scan, LINE.work.forgotten_end) == (0.005, 0.02)
    # 2.2 s between pickers, of a mean of 29 s.
    assert LINE.work.picker_sd == pytest.approx(2.2 / 29, abs=0.01)


SLIPS = [
    ("work.wrong_scan", "100 %", "100 %", "below 100 %", ""),
    ("work.forgotten_end", "-1 %", "-1 %", "at least 0 %", ""),
    ("work.picker_sd", "31 %", "31 %", "at most 30 %", ""),
    ("work.picker_sd", "7 s", "7 s", "a ratio", "write it like"),
    ("work.orders", {"per_hour": 0}, "0", "a number above 0", ""),
    ("work.orders", {"per_hour": "5"}, "5", "a number above 0", ""),
    ("work.orders", {"peak_factor": 2.0}, "(absent)", "a number above 0", "add per_hour"),
    ("work.orders", {"per_hour": 5, "peak_factor": 0}, "0", "a number above 0", ""),
    ("work.orders", {"per_hour": 5, "profil": []}, "[]", "profile", "work.orders.profile?"),
    ("work.orders", {"per_hour": 5, "profile": [1.0] * 23}, "23 weights", "24 weights", ""),
    ("work.orders", {"per_hour": 5, "profile": [1.0] * 25}, "25 weights", "24 weights", ""),
    ("work.orders", {"per_hour": 5, "profile": [0] * 24}, "0", "not all 0", ""),
    ("work.orders", {"per_hour": 5, "profile": [1] * 23 + [-1]}, "-1", "at least 0", ""),
    ("work.orders", {"per_hour": 5, "profile": 1.0}, "1.0", "24 weights", ""),
    ("work.orders", 5, "5", "a table with per_hour", ""),
    ("work.shifts.pilot.breaks", "ArbZg", "ArbZg", '"ArbZG", the German law', "mean ArbZG?"),
    ("work.shifts.pilot.breaks", 5, "5", '"ArbZG", the German law', ""),
]


@pytest.mark.parametrize(("key", "value", "given", "allowed", "hint"), SLIPS)
def test_a_slip_is_told_with_what_is_allowed(
    key: str, value: Any, given: str, allowed: str, hint: str
) -> None:
    error = refused(key, value)
    assert error.key.startswith(key)
    assert given in error.value
    assert allowed in error.allowed
    assert hint in error.hint


# --- orders ------------------------------------------------------------------


def orders(scenario: Scenario, **keys: Any) -> Scenario:
    return vary(scenario, "work.orders", keys)


def rates(**keys: Any) -> tuple[float, ...]:
    given = orders(LINE, **keys).work.orders
    assert given is not None
    return given.rates_per_h


def test_without_orders_work_never_runs_out() -> None:
    assert LINE.work.orders is None
    assert "orders" not in LINE.document()["work"]


def test_orders_are_even_and_ordinary_unless_told() -> None:
    assert rates(per_hour=5) == (5.0,) * 24
    assert rates(per_hour=5, peak_factor=2.0) == (10.0,) * 24


@given(st.lists(st.floats(0, 1000), min_size=24, max_size=24).filter(lambda hours: sum(hours) > 1))
@settings(deadline=None, max_examples=50)
def test_a_profile_spreads_the_day_and_does_not_change_it(profile: list[float]) -> None:
    found = rates(per_hour=5, peak_factor=1.5, profile=profile)
    assert sum(found) == pytest.approx(24 * 5 * 1.5)
    fullest = profile.index(max(profile))
    assert found[fullest] == max(found)
    assert rates(per_hour=5, peak_factor=1.5, profile=[2 * hour for hour in profile]) == (
        pytest.approx(found)
    )


def test_orders_survive_the_round_trip() -> None:
    hours = [0.0] * 12 + [1.5] * 12
    scenario = orders(LINE, per_hour=7.5, peak_factor=2.0, profile=hours)
    again = from_document(scenario.document())
    assert again == scenario
    assert again.work.orders is not None
    assert again.work.orders.profile == tuple(hours)


def test_more_orders_than_jobs_is_a_warning() -> None:
    # Of 24 worker-hours less 2 h 15 min of breaks a worker does a good 100 jobs of 11 minutes.
    assert warnings(orders(SITE, per_hour=150)) == ()
    (text,) = warnings(orders(SITE, per_hour=250))
    assert "6000 orders a day" in text
    assert warnings(orders(SITE, per_hour=125, peak_factor=2.0)) == (text,)
    assert warnings(vary(orders(SITE, per_hour=250), "work.pick_scale", 0.5)) == ()


def test_who_has_no_job_and_a_day_off_do_no_orders() -> None:
    many = orders(SITE, per_hour=150)
    assert warnings(many) == ()
    halved = [text for text in warnings(vary(many, "work.jobs.pick order.zones", ["chilled"]))
              if "orders a day" in text]  # fmt: skip
    assert len(halved) == 1
    assert len(warnings(vary(many, "work.shifts.early.days", ["mon"]))) == 1


def test_the_clipped_mean_of_job_lines_is_that_of_the_clipped_law() -> None:
    lines = LINE.work.job_lines
    steps = 20_000
    normal = NormalDist()
    sizes = (
        lines.median * 2.718281828 ** (lines.sigma * normal.inv_cdf((step + 0.5) / steps))
        for step in range(steps)
    )
    mean = sum(min(max(size, lines.min), lines.max) for size in sizes) / steps
    assert lines.expected == pytest.approx(mean, rel=1e-3)
    assert lines.expected < lines.mean
    same = vary(vary(LINE, "work.job_lines.max", 12), "work.job_lines.mean", 12.0)
    assert same.work.job_lines.expected == 12.0


EXPECTED = [
    ({"law": "constant", "value": "3 s"}, 3.0),
    ({"law": "uniform", "low": "1 s", "high": "5 s"}, 3.0),
    ({"law": "lognormal", "median": "1 s", "sigma": 1.0}, 1.648721),
    ({"law": "normal", "mean": "5 s", "sd": "0 s"}, 5.0),
    ({"law": "normal", "mean": "5 s", "sd": "1 s"}, 5.0),
    ({"law": "normal", "mean": "0 s", "sd": "1 s"}, 0.398942),
    ({"law": "mixture", "components": [
        {"weight": 3.0, "law": "constant", "value": "1 s"},
        {"weight": 1.0, "law": "constant", "value": "5 s"}]}, 2.0),
]  # fmt: skip


@pytest.mark.parametrize(("law", "mean_s"), EXPECTED)
def test_a_law_knows_its_mean(law: dict[str, Any], mean_s: float) -> None:
    found = vary(LINE, "work.job_setup", law).work.job_setup
    assert found.expected_us == pytest.approx(mean_s * 1e6, rel=1e-5)


# --- breaks by law -----------------------------------------------------------


def by_law(duration: str) -> Scenario:
    shift = {"name": "day", "start": "06:00", "duration": duration, "workers": 5,
             "breaks": "ArbZG"}  # fmt: skip
    return vary(LINE, "work.shifts", [shift])


LAWFUL = [
    ("6 h", []),
    ("6 h 1 min", [(120, 15), (240, 15)]),
    ("8 h", [(160, 15), (320, 15)]),
    ("8 h 30 min", [(170, 15), (340, 15)]),
    ("8 h 31 min", [(170, 15), (340, 15)]),
    ("9 h", [(180, 15), (360, 15)]),
    ("9 h 1 min", [(135, 15), (270, 15), (405, 15)]),
    ("10 h", [(150, 15), (300, 15), (450, 15)]),
]


@pytest.mark.parametrize(("duration", "breaks"), LAWFUL)
def test_the_law_gives_breaks_by_the_length_of_the_shift(
    duration: str, breaks: list[tuple[int, int]]
) -> None:
    found = by_law(duration).work.shifts[0].breaks
    assert [(item.after_us // MIN, item.duration_us // MIN) for item in found] == breaks


@given(st.integers(60_000_000, 16 * H))
@settings(deadline=None, max_examples=100)
def test_no_shift_by_the_law_breaks_it(shift_us: int) -> None:
    shift = by_law(f"{shift_us} us").work.shifts[0]
    in_all = sum(item.duration_us for item in shift.breaks)
    assert in_all == (0 if shift_us <= 6 * H else 30 * MIN if shift_us <= 9 * H else 45 * MIN)
    assert all(item.duration_us >= 15 * MIN for item in shift.breaks)
    assert all(item.after_us % MIN == 0 for item in shift.breaks)
    edges = [0]
    for item in shift.breaks:
        edges += [item.after_us, item.after_us + item.duration_us]
    edges.append(shift_us)
    assert all(end - begin <= 6 * H for begin, end in list(pairwise(edges))[::2])


def test_the_document_holds_the_breaks_and_not_the_rule() -> None:
    ruled = by_law("8 h")
    written = vary(ruled, "work.shifts.day.breaks", [
        {"after": "2 h 40 min", "duration": "15 min"},
        {"after": "320 min", "duration": "900 s"},
    ])  # fmt: skip
    assert ruled.digest == written.digest
    again = from_document(ruled.document())
    assert again.digest == ruled.digest
    assert ruled.document()["work"]["shifts"][0]["breaks"][0]["duration"] == "15 min"


def test_a_wrong_duration_beside_the_law_is_the_only_slip_told() -> None:
    with pytest.raises(ScenarioError) as caught:
        by_law("17 h")
    assert [problem.key for problem in caught.value.problems] == ["work.shifts.day.duration"]
