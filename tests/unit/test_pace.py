"""Slices of a run: they grow while they are over quickly, shrink where not, and end on time."""

from itertools import pairwise
from types import SimpleNamespace

import pytest

from tests.scenarios import MIN, H
from twin.world import pace


def slices(
    until_us: int, seconds: float, monkeypatch: pytest.MonkeyPatch, slow_from_us: int = 0
) -> list[int]:
    """Return how long the slices [us] of a run are in which each takes so many seconds."""
    clock_s, ends_us = [0.0], [0]

    def run(moment_us: int) -> None:
        clock_s[0] += seconds if ends_us[-1] >= slow_from_us else 0.0
        ends_us.append(moment_us)

    monkeypatch.setattr(pace, "time", SimpleNamespace(perf_counter=lambda: clock_s[0]))
    pace.run_in_slices(run, 0, until_us, "test", False)
    assert ends_us[-1] == until_us
    return [end_us - begin_us for begin_us, end_us in pairwise(ends_us)]


def test_quick_slices_grow_to_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    found = slices(100 * H + 5, 0.0, monkeypatch)
    assert found[:7] == [MIN, 2 * MIN, 4 * MIN, 8 * MIN, 16 * MIN, 32 * MIN, H]
    assert set(found[7:-1]) == {H}


def test_slow_slices_stay_short(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(slices(30 * MIN, 3.0, monkeypatch)) == {MIN}


def test_slices_shrink_when_a_quiet_night_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    found = slices(20 * H, 3.0, monkeypatch, slow_from_us=10 * H)
    first = found.index(30 * MIN)
    assert set(found[7 : first - 1]) == {H}
    assert found[first:] == sorted(found[first:], reverse=True)
    assert found[first + 7] == MIN


def test_a_run_to_now_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert slices(0, 0.0, monkeypatch) == []
