"""What decides a figure, and what a search of a large space finds."""

import math

import pytest

from tests.experiments.lines import line
from twin import experiments
from twin.errors import RunError, ScenarioError
from twin.experiments import Promise, Range, Search, search, search_cheapest, sensitivity

HOW = {"until": "1 h", "executor": "serial", "cache": False}
INTERVAL = "links.ble.stationary.connection_interval"
WORKERS = "work.shifts.pilot.workers"
RANGES = {INTERVAL: Range("20 ms", "100 ms"), "work.pick_scale": Range(0.5, 1.5)}


def test_the_key_that_decides_a_figure_has_its_whole_variance() -> None:
    found = sensitivity(line(), RANGES, "beep_mean_ms", 64, 2, **HOW)  # type: ignore[arg-type]
    assert found.table["factor"].tolist() == [INTERVAL, "work.pick_scale"]
    first, second = found.table.iloc[0], found.table.iloc[1]
    assert first["total_low"] <= 1.0 <= first["total_high"]
    assert first["total"] == pytest.approx(first["first"], abs=0.1)
    assert second["total"] < 0.01
    assert len(found.frame) == 64 * (2 + 2) * 2
    assert found.answer()[1].startswith(f"{INTERVAL}: ")
    assert "beep_mean_ms goes from" in found.answer()[0]
    assert found.provenance["seed"] == "1"


def test_keys_share_a_figure_that_both_decide() -> None:
    ranges = {"work.pick_scale": Range(0.5, 1.5), WORKERS: Range(2, 5)}
    found = sensitivity(line(), ranges, "scans", 64, 1, **HOW)  # type: ignore[arg-type]
    assert (found.table["total"] > 0.1).all()
    assert 0.7 < found.table["first"].sum() < 1.3


def test_a_search_finds_the_best_corner_and_decides_on_luck_of_its_own() -> None:
    space = {"work.pick_scale": Range(0.5, 1.5), WORKERS: [5, 2, 3, 4]}
    found = search(line(), space, "scans", 20.0, trials=40, smaller_is_better=False, **HOW)  # type: ignore[arg-type]
    assert found.trials["scans"].iloc[:8].max() < found.trials["scans"].max()
    best = next(design for design in found.finalists if design.name == found.best)
    assert best.factors[WORKERS] == 5
    assert best.factors["work.pick_scale"] < 0.6
    assert not set(found.decision.frame["seed"]) & {1}
    assert f"{len(found.trials)} designs were tried, 4 came to the decision" in found.answer()
    assert found.provenance["seed"] != "1"


def test_a_space_that_is_small_is_tried_whole() -> None:
    found = search(line(), {WORKERS: Range(2, 5)}, "scans", 5.0, trials=8,
                   smaller_is_better=False, **HOW)  # type: ignore[arg-type]  # fmt: skip
    assert found.trials[WORKERS].tolist() == [2, 3, 4, 5]
    assert found.best == f"{WORKERS}=5"


def test_the_same_search_finds_the_same_whoever_runs_it() -> None:
    space = {"work.pick_scale": Range(0.5, 1.5), INTERVAL: ["30 ms", "50 ms"]}
    one, other = (
        search(line(), space, "beep_mean_ms", 5.0, trials=9, until="20 min", cache=False,
               executor=who, workers=2)
        for who in ("serial", "processes")
    )  # fmt: skip
    assert one.trials.equals(other.trials)
    assert one.decision.frame.equals(other.decision.frame)
    assert one.trials[INTERVAL].nunique() == 2


def test_the_cheapest_of_a_large_space_keeps_its_promise() -> None:
    space = {WORKERS: Range(2, 5), "work.pick_scale": [0.6, 0.8, 1.0, 1.2]}
    found = search_cheapest(
        line(), space, Promise("job_p50_min", 7.0, 0.8),
        lambda values: 30 * values[WORKERS] + 10 / values["work.pick_scale"], trials=24, **HOW,  # type: ignore[arg-type]
    )  # fmt: skip
    costs = [
        30 * design.factors[WORKERS] + 10 / design.factors["work.pick_scale"]
        for design in found.finalists
    ]
    assert costs == sorted(costs)
    assert costs == sorted(found.trials.loc[found.trials["kept"] >= 0.8, "cost"])
    assert len(found.trials) == 16  # all that there are
    table = found.decision.table.set_index("design")
    assert table.loc[found.best, "verdict"] == "enough"
    order = [design.name for design in found.finalists]
    cheaper = [name for name in table.index if order.index(name) < order.index(str(found.best))]
    assert not (table.loc[cheaper, "verdict"] == "enough").any()
    assert found.answer()[0].startswith(f"{found.best}: ")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_who_kept_a_promise_by_luck_does_not_end_a_search(seed: int) -> None:
    # Cheap designs that kept it in five runs are many: further up there are some that keep it.
    found = search_cheapest(
        line(), {"work.pick_scale": Range(0.6, 1.6)}, Promise("scans", 700, 0.9),
        lambda values: values["work.pick_scale"], trials=32, seed=seed, **HOW,  # type: ignore[arg-type]
    )  # fmt: skip
    assert found.best is not None
    assert 1.0 < float(found.best.split("=")[1]) < 1.3


def cheapest_by(kpi: str, at_most: float, probability: float, cost: float | None) -> Search:
    """Search eight designs that all cost the same."""
    promise = Promise(kpi, at_most, probability)
    return search_cheapest(line(), RANGES, promise, lambda _: cost, trials=8, **HOW)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: sensitivity(line(), RANGES, "scans", 12, **HOW), "power of two"),  # type: ignore[arg-type]
        (lambda: sensitivity(line(), {WORKERS: Range(2, 5)}, "scans", **HOW), "two keys"),  # type: ignore[arg-type]
        (lambda: sensitivity(line(), RANGES, "lost", 8, 1, **HOW), "in all designs"),  # type: ignore[arg-type]
        (lambda: search(line(), {}, "scans", 1.0, **HOW), "nothing is varied"),  # type: ignore[arg-type]
        (lambda: search(line(), {WORKERS: []}, "scans", 1.0, **HOW), "no level"),  # type: ignore[arg-type]
        (lambda: search(line(), RANGES, "scans", 1.0, trials=3, **HOW), "8 trials"),  # type: ignore[arg-type]
        (lambda: search(line(), {WORKERS: [3]}, "scans", 1.0, trials=8, **HOW), "1 designs"),  # type: ignore[arg-type]
        (
            lambda: search_cheapest(
                line(), RANGES, Promise("beep_p95_ms", 1.0), lambda _: 1.0, trials=8, **HOW  # type: ignore[arg-type]
            ),
            "none of 8 designs kept",
        ),
        (lambda: cheapest_by("scans", math.nan, 0.9, 1.0), "a limit is a number"),
        (lambda: cheapest_by("scans", 700, 2, 1.0), "a probability lies"),
        (lambda: cheapest_by("scans", 9e9, 0.9, math.nan), "costs nan"),
        (lambda: cheapest_by("scans", 9e9, 0.9, None), "costs None"),
        (lambda: search(line(), {WORKERS: 3}, "scans", 1.0, **HOW), "levels are a list"),  # type: ignore[dict-item, arg-type]
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(wrong: object, words: str) -> None:
    with pytest.raises(RunError, match=words):
        wrong()  # type: ignore[operator]


def test_a_value_that_no_scenario_has_is_told_with_its_key() -> None:
    with pytest.raises(ScenarioError, match="pick_scale"):
        search(line(), {"work.pick_scale": Range(-2.0, -1.0)}, "scans", 1.0, **HOW)  # type: ignore[arg-type]


def test_what_an_extra_brings_is_said_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.experiments.executors.choosing.find_spec", lambda _: None)
    with pytest.raises(RunError, match="optuna is not installed"):
        search(line(), RANGES, "scans", 1.0, **HOW)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="SALib is not installed"):
        experiments.sensitivity(line(), RANGES, "scans", **HOW)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="distributed is not installed"):
        experiments.replicate("pilot_line", 1, executor="dask")
