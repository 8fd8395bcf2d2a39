"""What replications and comparisons say."""

import math

import numpy as np
import pytest

import twin
from tests.experiments.lines import line
from twin.analysis.intervals import mean_interval, paired
from twin.errors import RunError
from twin.experiments.comparing import Comparison, compare
from twin.experiments.replicating import replicate
from twin.experiments.tables import number, of_kpi

HOW = {"until": "2 h", "executor": "serial", "cache": False}


@pytest.fixture(scope="module")
def found() -> Comparison:
    scenarios = {
        "today": line(),
        "slower": twin.vary(line(), "work.pick_scale", 1.05),
        "one more": twin.vary(line(), "work.shifts.pilot.workers", 4),
    }
    return compare(scenarios, 12, kpis=["scans", "beep_mean_ms"], **HOW)  # type: ignore[arg-type]


def test_each_mean_has_its_interval(found: Comparison) -> None:
    runs = found.frame[found.frame["design"] == "slower"]["scans"]
    line_of = of_kpi(found.table, "scans").set_index("design").loc["slower"]
    assert tuple(line_of[["mean", "low", "high", "n"]]) == pytest.approx(mean_interval(runs))
    assert line_of["unit"] == "scans"


def test_differences_are_paired_and_share_the_error(found: Comparison) -> None:
    scans = {name: own["scans"].to_numpy() for name, own in found.frame.groupby("design")}
    expected = paired(scans["slower"], scans["today"], 0.975)
    line_of = of_kpi(found.differences, "scans").set_index("design").loc["slower"]
    assert (line_of["low"], line_of["high"]) == pytest.approx(expected[1:3])
    assert line_of["high"] < 0  # five per cent slower is fewer scans
    assert line_of["better"] > 0.99


def test_the_same_people_with_the_same_luck_win_more_than_five_times_the_variance(
    found: Comparison,
) -> None:
    line_of = of_kpi(found.differences, "scans").set_index("design").loc["slower"]
    assert line_of["variance_ratio"] > 5
    assert line_of["correlation"] > 0.9


def test_an_answer_is_read_aloud(found: Comparison) -> None:
    lines = found.answer()
    assert any(line.startswith("scans, slower less today: -") for line in lines)
    assert lines[-1] == "95 % intervals, 12 replications each on common random numbers"
    assert repr(found) == "\n".join(lines)


def test_a_precision_takes_as_many_replications_as_it_needs() -> None:
    loose = replicate(line(), 5, precision={"scans": "5 %"}, kpis=["scans"], **HOW)  # type: ignore[arg-type]
    tight = replicate(line(), 5, precision={"scans": "1 %"}, kpis=["scans"], **HOW)  # type: ignore[arg-type]
    assert loose.needed["scans"] is not None
    assert tight.needed["scans"] is not None
    assert loose.needed["scans"] < tight.needed["scans"] <= len(tight.frame)
    at = tight.needed["scans"]
    interval = mean_interval(tight.samples("scans")[:at])
    assert (interval.high - interval.low) / 2 <= 0.01 * interval.estimate
    given_up = replicate(line(), 5, precision={"scans": 1e-6}, most=12, kpis=["scans"], **HOW)  # type: ignore[arg-type]
    assert given_up.needed == {"scans": None}
    assert len(given_up.frame) == 12
    assert "not reached" in given_up.answer()[-1]


def test_quantiles_and_probabilities_come_from_the_same_runs() -> None:
    runs = replicate(line(), 12, kpis=["scans"], **HOW)  # type: ignore[arg-type]
    middle = float(np.sort(runs.samples("scans"))[5])
    table = runs.quantiles("scans", [0.5])
    assert table["estimate"].tolist() == [middle]
    assert runs.probability("scans", at_most=middle).estimate == 0.5
    assert runs.probability("scans", at_least=1e9).estimate == 0.0
    with pytest.raises(RunError, match="there are scans"):
        runs.samples("jobs")


def test_a_comparison_takes_two_and_tells_them_apart() -> None:
    with pytest.raises(RunError, match="two scenarios"):
        compare([line()])
    with pytest.raises(RunError, match="name them"):
        compare([line(), twin.vary(line(), "work.pick_scale", 0.9)])
    with pytest.raises(RunError, match="did you mean today"):
        compare({"today": line(), "later": line()}, baseline="todya")


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [(212.3, 14.0, "212"), (0.12345, 0.01, "0.123"), (12.0, 0.0, "12"), (math.nan, 1.0, "unknown")],
)
def test_numbers_have_the_digits_they_are_good_for(value: float, width: float, text: str) -> None:
    assert number(value, width) == text
