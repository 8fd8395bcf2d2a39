"""Weibull and empirical laws: what a scenario may say of them, their means, what is drawn."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.theory import intervals
from twin import draws
from twin.draws import laws
from twin.errors import ScenarioError
from twin.scenario import Empirical, Weibull, assumptions, from_document, load, vary
from twin.world.build import record_of

N = 20_000
LEVELS = [0.0, 0.25, 0.75, 1.0]
MEASURED = {"law": "empirical", "levels": LEVELS, "quantiles": ["1 s", "2 s", "6 s", "46 s"]}
WAITS = {"law": "weibull", "scale": "20 s", "shape": 1.5}


def drawn_us(record: np.void, count: int = N) -> NDArray[np.float64]:
    return np.array([draws.sample_us(record, n, 9) for n in range(count)], float)


def law_of(given: dict[str, Any]) -> Any:
    return vary(load("pilot_line"), "work.pick_interval", given).work.pick_interval


# --- what is drawn --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.5])
def test_a_weibull_is_drawn_as_its_formula_says(shape: float) -> None:
    law = law_of({**WAITS, "shape": shape})
    assert isinstance(law, Weibull)
    x_us = drawn_us(record_of(law))
    reached = 1 - np.exp(-((x_us / 20e6) ** shape))
    assert intervals.is_uniform(reached)
    assert not intervals.is_uniform(reached**1.1)
    assert law.expected_us in intervals.mean(x_us)
    assert law.expected_us == pytest.approx(20e6 * math.gamma(1 + 1 / shape))


def test_an_empirical_law_is_drawn_between_its_points() -> None:
    law = law_of(MEASURED)
    assert isinstance(law, Empirical)
    x_us = drawn_us(record_of(law))
    reached = np.interp(x_us, [1e6, 2e6, 6e6, 46e6], LEVELS)
    assert intervals.is_uniform(reached)
    assert not intervals.is_uniform(reached**1.1)
    assert law.expected_us in intervals.mean(x_us)
    assert law.expected_us == 0.25 * 1.5e6 + 0.5 * 4e6 + 0.25 * 26e6
    assert x_us.min() >= 1e6
    assert x_us.max() < 46e6


def test_a_step_of_an_empirical_law_is_one_value() -> None:
    record = laws.points_record([0.0, 0.4, 0.6, 1.0], [1e6, 5e6, 5e6, 9e6])
    share = float((drawn_us(record) == 5e6).mean())
    assert 0.2 in intervals.share(round(share * N), N)


def test_a_law_of_as_many_points_as_there_may_be() -> None:
    points = np.linspace(0.0, 1.0, laws.POINTS)
    x = drawn_us(laws.points_record(list(points), list(1e6 * points)), 2000) / 1e6
    assert intervals.is_uniform(x)


@pytest.mark.parametrize("other", [{**WAITS, "shape": 3.0}, MEASURED])
def test_laws_rise_together(other: dict[str, Any]) -> None:
    # At the same address, that is: another law or parameter keeps the luck of every decision.
    one, two = drawn_us(record_of(law_of(WAITS)), 2000), drawn_us(record_of(law_of(other)), 2000)
    assert (np.diff(two[np.argsort(one)]) >= 0).all()


@pytest.mark.parametrize("law", [WAITS, MEASURED])
def test_a_pick_scale_makes_a_law_longer(law: dict[str, Any]) -> None:
    once, twice = drawn_us(record_of(law_of(law)), 500), drawn_us(record_of(law_of(law), 2.0), 500)
    assert twice == pytest.approx(2 * once, abs=2)


# --- what a scenario may say ----------------------------------------------------------------------


def test_they_come_back_from_their_document() -> None:
    scenario = vary(load("pilot_line"), "work.pick_interval", MEASURED)
    scenario = vary(scenario, "links.round_trip", WAITS)
    parts = [{"weight": 1, **WAITS}, {"weight": 2, "law": "constant", "value": "1 s"}]
    scenario = vary(scenario, "cloud.delay", {"law": "mixture", "components": parts})
    assert from_document(scenario.document()) == scenario
    told = {item.key: item.value for item in assumptions(scenario)}
    assert told["links.round_trip"] == "weibull(scale 20 s, shape 1.5)"
    assert told["work.pick_interval"].startswith("empirical(levels [0.0, 0.25, 0.75, 1.0], quant")
    assert scenario.digest != load("pilot_line").digest


@pytest.mark.parametrize(
    ("change", "key", "said"),
    [
        ({"levels": [0.0, 1.0]}, "levels", "lists of different length"),
        ({"levels": [0.1, 0.25, 0.75, 1.0]}, "levels", "not the whole law"),
        ({"levels": [0.0, 0.75, 0.75, 1.0]}, "levels", "do not rise"),
        ({"quantiles": ["1 s", "3 s", "2 s", "4 s"]}, "quantiles", "fall"),
        ({"quantiles": ["1 s", "3 s", "-2 s", "4 s"]}, "quantiles.2", "out of range"),
        ({"levels": [], "quantiles": []}, "levels", "must not be empty"),
        ({"levels": [0.0] * 65}, "levels", "too many"),
        (WAITS | {"shape": 0.1}, "shape", "out of range"),
        (WAITS | {"scale": "0 s"}, "scale", "out of range"),
    ],
)
def test_what_is_no_law_is_refused(change: dict[str, Any], key: str, said: str) -> None:
    given = change if "law" in change else {**MEASURED, **change}
    with pytest.raises(ScenarioError) as caught:
        law_of(given)
    first = caught.value.problems[0]
    assert first.key == f"work.pick_interval.{key}"
    assert said in first.what
    assert first.allowed
