"""Selections: what they are told, what they say, what they refuse."""

import math

import numpy as np
import pytest

from twin.analysis.selection import Feasibility, KimNelson
from twin.analysis.warmup import mser5, welch
from twin.errors import RunError


def test_a_design_that_is_always_behind_is_dropped_after_the_first_stage() -> None:
    selection = KimNelson(3, 1.0, first=4)
    for r in range(3):
        selection.add([10.0 + r, 50.0 + r, 12.0 + r])
    assert selection.survivors == [0, 1, 2]
    selection.add([14.0, 53.5, 14.0])
    assert 1 not in selection.survivors
    assert selection.spent == 12


def test_the_largest_is_kept_where_larger_is_better() -> None:
    selection = KimNelson(2, 1.0, first=2, smaller_is_better=False)
    selection.add([1.0, 9.0])
    selection.add([2.0, 10.0])
    assert selection.best == selection.leader == 1


def test_each_pair_is_judged_by_its_own_variance() -> None:
    # 0 and 1 move together, 2 does not: with the variances mixed up 1 would not be dropped yet.
    selection = KimNelson(3, 0.5, first=5)
    for own, other in zip([5.0, -5.0, 4.0, -4.0, 0.0], [9.0, 1.0, -9.0, 7.0, -8.0], strict=True):
        selection.add(np.array([own, own + 2.0, other]))
    assert selection.survivors == [0, 2]


def test_designs_that_are_equal_come_to_an_end() -> None:
    selection = KimNelson(2, 1.0, first=2)
    for r in range(2):
        selection.add([float(r), float(r)])
    assert selection.best == 0


def decided() -> KimNelson:
    """Return a selection that is over."""
    selection = KimNelson(2, 1.0, first=2)
    selection.add([1.0, 9.0])
    selection.add([2.0, 10.0])
    return selection


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: KimNelson(1, 1.0),
        lambda: KimNelson(2, 0.0),
        lambda: KimNelson(2, 1.0, confidence=0.4),
        lambda: KimNelson(2, 1.0, first=1),
        lambda: KimNelson(2, 1.0).add([1.0]),
        lambda: KimNelson(2, 1.0).add([1.0, math.nan]),
        lambda: decided().add([1.0]),
        lambda: Feasibility(1.0),
        lambda: Feasibility(0.9, confidence=0.5),
        lambda: Feasibility("x"),  # type: ignore[arg-type]
        lambda: Feasibility(0.9, zone=0.1),
        lambda: Feasibility(0.9, zone=0.0),
        lambda: mser5([1.0] * 49),
        lambda: mser5([1.0, math.nan] * 40),
        lambda: welch([1.0] * 10, 5),
        lambda: welch([1.0] * 10, 1.5),  # type: ignore[arg-type]
        lambda: welch([1.0, math.nan] * 10, 2),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    with pytest.raises(RunError):
        wrong()  # type: ignore[operator]


def evidence(count: int, of: int, bound: float) -> float:
    """Return the mean likelihood above a bound over that at the bound, by adding up."""
    p = np.linspace(bound, 1.0, 200_001)
    likelihood = (p / bound) ** count * ((1.0 - p) / (1.0 - bound)) ** (of - count)
    return float(np.trapezoid(likelihood, p) / (1.0 - bound))


@pytest.mark.parametrize("every", [10**9, 60])
def test_enough_is_said_with_the_first_run_after_which_the_evidence_is_there(every: int) -> None:
    test, found = Feasibility(0.95), []
    while test.verdict is None:
        test.add(test.of % every != every - 1)
        found.append(evidence(test.count, test.of, 0.95))
    assert test.verdict == "enough"
    assert found[-1] >= 20.0 > max(found[:-1])
    assert test.chance_enough > 0.95


def test_one_fault_in_five_is_soon_too_few_and_one_in_twenty_is_at_the_limit() -> None:
    test = Feasibility(0.95)
    while test.verdict is None:
        test.add(test.of % 5 != 0)
    assert test.verdict == "not enough"
    assert test.of < 70
    assert test.chance_enough < 0.05
    assert test.share.low < test.count / test.of < test.share.high
    test = Feasibility(0.95)
    while test.verdict is None:
        test.add(test.of % 20 != 7)
    assert test.verdict == "at the limit"
    before = test.of
    test.add(True)
    assert (test.verdict, test.of) == ("at the limit", before + 1)
    wide = Feasibility(0.95, zone=0.04)
    while wide.verdict is None:
        wide.add(wide.of % 20 != 7)
    assert wide.verdict == "at the limit"
    assert wide.of < before
    assert test.share.low < test.count / test.of < test.share.high


def test_a_cut_is_where_the_error_of_the_mean_is_least() -> None:
    series = np.concatenate([np.linspace(50, 1, 40), np.tile([0.0, 1.0, 2.0, 1.0], 50)])
    found = mser5(series)
    batches = series.reshape(-1, 5).mean(axis=1)
    errors = [batches[d:].var() / (len(batches) - d) for d in range(len(batches) // 2 + 1)]
    assert found.cut == 5 * int(np.argmin(errors)) >= 40
    assert found.statistic == pytest.approx(errors)
    assert found.mean == pytest.approx(1.0, abs=0.02)
    assert found.is_trusted
