"""Which designs are tried, and what sweeps and selections make of them."""

import math

import numpy as np
import pytest

import twin
from tests.experiments.lines import line
from twin import experiments
from twin.errors import RunError, ScenarioError
from twin.experiments import Range, cheapest, grid, latin_hypercube, one_at_a_time, select, sobol
from twin.experiments.designs import read_factor
from twin.units import parse_duration

HOW = {"until": "1 h", "executor": "serial", "cache": False}
GRID = {"work.pick_scale": [0.9, 1.0], "work.shifts.pilot.workers": [3, 4, 5]}
RANGES = {
    "work.pick_scale": Range(0.5, 1.5),
    "links.ble.stationary.connection_interval": Range("20 ms", "100 ms"),
    "work.shifts.pilot.workers": Range(2, 5),
}


def test_a_grid_has_every_combination() -> None:
    designs = grid(line(), GRID)
    assert [tuple(design.factors.values()) for design in designs] == [
        (p, w) for p in (0.9, 1.0) for w in (3, 4, 5)
    ]
    one = designs[1].scenario
    assert one == twin.vary(
        twin.vary(line(), "work.pick_scale", 0.9), "work.shifts.pilot.workers", 4
    )
    assert one.provenance.origins["work.pick_scale"] == "vary"
    assert one.provenance.origins["work.shifts.pilot.workers"] == "vary"


def test_one_at_a_time_changes_one_key_and_keeps_the_base() -> None:
    designs = one_at_a_time(
        line(), {"work.pick_scale": Range(0.8, 1.2), "work.shifts.pilot.workers": [3]}
    )
    assert [design.name for design in designs] == [
        "base", "work.pick_scale=0.8", "work.pick_scale=1.2", "work.shifts.pilot.workers=3",
    ]  # fmt: skip
    assert designs[0].scenario == line()
    named = one_at_a_time("pilot_line", {"work.pick_scale": [0.9]})
    assert [design.scenario.name for design in named] == ["pilot_line"] * 2


@pytest.mark.parametrize("make", [latin_hypercube, sobol])
def test_points_fill_their_ranges_evenly(make: object) -> None:
    designs = make(line(), RANGES, 16)  # type: ignore[operator]
    again = make(line(), RANGES, 16)  # type: ignore[operator]
    assert [d.factors for d in designs] == [d.factors for d in again]
    scales = sorted(design.factors["work.pick_scale"] for design in designs)
    assert [int((scale - 0.5) * 16) for scale in scales] == list(range(16))
    workers = [design.factors["work.shifts.pilot.workers"] for design in designs]
    assert {w: workers.count(w) for w in set(workers)} == {2: 4, 3: 4, 4: 4, 5: 4}
    key = "links.ble.stationary.connection_interval"
    intervals_us = sorted(parse_duration(design.factors[key]) for design in designs)
    assert 20_000 <= intervals_us[0] < intervals_us[-1] <= 100_000
    assert designs[0].scenario.links.ble.stationary.connection_interval_us == parse_duration(
        designs[0].factors[key]
    )


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda: grid(line(), {}), RunError),
        (lambda: grid(line(), {"work.pick_scale": []}), RunError),
        (lambda: grid(line(), {"work.pick_scael": [1.0]}), ScenarioError),
        (lambda: grid(line(), {"work.pick_scale": [-1.0]}), ScenarioError),
        (lambda: grid(line(), {"work.pick_scale": list(range(10_001))}), RunError),
        (lambda: sobol(line(), RANGES, 12), RunError),
        (lambda: sobol(line(), {"work.pick_scale": [1, 2]}, 8), RunError),  # type: ignore[dict-item]
        (lambda: latin_hypercube(line(), {"name": Range("a", "b")}, 4), RunError),
        (lambda: latin_hypercube(line(), {"work.pick_scale": Range(2, 1)}, 4), RunError),
        (lambda: latin_hypercube(line(), {"work.pick_scale": Range(1.5, 1.5)}, 4), RunError),
        (lambda: latin_hypercube(line(), {"work.pick_scale": Range(False, True)}, 4), RunError),
        (lambda: one_at_a_time(line(), {"work.pick_scale": Range(1.2, 0.8)}), RunError),
        (lambda: one_at_a_time(line(), {"work.pick_scale": []}), RunError),
        (lambda: one_at_a_time(line(), {}), RunError),
        (lambda: grid(line(), {"run.seed": [1, 2]}), RunError),
        (lambda: grid(line(), {"work.pick_scale": 0.9}), RunError),  # type: ignore[dict-item]
        (lambda: grid(line(), {"work.pick_scale": Range(1, 2)}), RunError),  # type: ignore[dict-item]
        (lambda: one_at_a_time(line(), {"work.pick_scale": 0.9}), RunError),  # type: ignore[dict-item]
        (lambda: sobol(line(), RANGES, 4.0), RunError),  # type: ignore[arg-type]
        (lambda: latin_hypercube(line(), RANGES, "4"), RunError),  # type: ignore[arg-type]
        (lambda: latin_hypercube(line(), RANGES, 4, seed=-1), RunError),
        (lambda: select(grid(line(), GRID), "scans", "2"), RunError),  # type: ignore[arg-type]
        (lambda: select(grid(line(), GRID), "scans", math.inf), RunError),
        (lambda: experiments.completions("pilot_line"), RunError),
        (lambda: experiments.replicate("pilot_line", precision="scans"), RunError),  # type: ignore[arg-type]
        (lambda: one_at_a_time(line(), {"run.horizon": ["8 h"]}), RunError),
        (lambda: grid(line(), {"run.engine": ["compiled"]}), RunError),
        (lambda: latin_hypercube(line(), {"run.horizon": Range("1 h", "2 kg")}, 4), RunError),
        (lambda: latin_hypercube(line(), RANGES, 0), RunError),
        (lambda: read_factor("work.pick_scale"), RunError),
        (lambda: read_factor("=3"), RunError),
        (lambda: experiments.sweep([]), RunError),
        (lambda: experiments.sweep(grid(line(), GRID) * 2), RunError),
        (lambda: cheapest([], "scans", 3), RunError),
        (lambda: select(grid(line(), GRID), "scans", 0.0), RunError),
    ],
)
def test_what_is_no_design_is_refused(wrong: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        wrong()  # type: ignore[operator]


def test_factors_are_read_as_toml_has_them() -> None:
    assert read_factor("a.b=1, 2.5,x y") == ("a.b", [1, 2.5, "x y"])
    assert read_factor("a=5 ms..10 ms") == ("a", Range("5 ms", "10 ms"))
    assert read_factor("a=true,false") == ("a", [True, False])
    assert read_factor('a="1,2"')[0] == "a"


def test_a_sweep_is_tidy_and_says_where_it_comes_from() -> None:
    found = experiments.sweep(grid(line(), GRID), 3, kpis=["scans"], **HOW)  # type: ignore[arg-type]
    assert list(found.frame) == ["design", *GRID, "replication", "seed", "scans"]
    assert len(found.frame) == 18
    assert found.provenance["seed"] == "1"
    assert found.provenance["scenario " + found.frame["design"].iloc[0]]
    means = found.table.set_index("design")["mean"]
    assert means["work.pick_scale=0.9, work.shifts.pilot.workers=5"] == means.max()
    assert set(found.table["work.shifts.pilot.workers"]) == {3, 4, 5}


def test_a_tornado_has_the_widest_swing_on_top() -> None:
    levels = {"work.pick_scale": [0.98, 1.02], "work.shifts.pilot.workers": [2, 5]}
    found = experiments.sweep(one_at_a_time(line(), levels), 4, kpis=["scans"], **HOW)  # type: ignore[arg-type]
    table = found.tornado("scans")
    assert table["factor"].tolist() == ["work.shifts.pilot.workers", "work.pick_scale"]
    first = table.iloc[0]
    assert (first["low_value"], first["high_value"]) == ("2", "5")
    assert first["at_low"] < first["base"] == first["at_high"]
    with pytest.raises(RunError, match="one_at_a_time"):
        experiments.sweep(grid(line(), GRID), 1, kpis=["scans"], **HOW).tornado("scans")  # type: ignore[arg-type]


def test_the_best_design_is_found_with_few_runs_of_the_others() -> None:
    designs = grid(line(), {"work.shifts.pilot.workers": [2, 3, 4, 5]})
    found = select(designs, "scans", 20.0, smaller_is_better=False, **HOW)  # type: ignore[arg-type]
    assert found.best == "work.shifts.pilot.workers=5"
    assert found.is_decided
    assert found.spent == 40  # the first stage of four is enough
    assert found.table["left"].tolist() == [False, False, False, True]
    assert found.table["n"].tolist() == [10] * 4
    assert len(found.frame) == found.spent
    assert found.provenance["seed"] == "1"
    close = grid(line(), {"work.pick_scale": [1.0, 1.0001]})
    open_ = select(close, "scans", 0.01, most=12, **HOW)  # type: ignore[arg-type]
    assert "not decided" in open_.answer()[0] or open_.is_decided


def test_the_cheapest_that_is_good_enough_comes_with_why_nothing_cheaper() -> None:
    designs = grid(line(), {"work.pick_scale": [2.5, 1.0, 0.5]})
    means = experiments.sweep(designs, 5, kpis=["job_p50_min"], **HOW).table["mean"].tolist()  # type: ignore[arg-type]
    limit = (means[0] + means[1]) / 2
    found = cheapest(designs, "job_p50_min", limit, probability=0.8, **HOW)  # type: ignore[arg-type]
    assert found.best == "work.pick_scale=1.0"
    assert found.table["verdict"].tolist() == ["not enough", "enough"]
    assert found.answer()[0].startswith("work.pick_scale=1.0: job_p50_min")
    assert "not enough with probability above 0.99" in found.answer()[1]
    assert len(found.frame) == found.table["n"].sum()
    assert found.provenance["scenario work.pick_scale=1.0"] == designs[1].scenario.digest
    none = cheapest(designs[:1], "job_p50_min", limit, **HOW)  # type: ignore[arg-type]
    assert none.best is None
    assert "none of these" in none.answer()[0]


def test_a_design_that_is_just_what_was_asked_for_is_at_the_limit() -> None:
    designs = grid(line(), {"work.pick_scale": [1.0]})
    runs = experiments.replicate(line(), 600, kpis=["scans"], seed=7, **HOW).samples("scans")  # type: ignore[arg-type]
    limit = float(np.quantile(runs, 0.7))
    found = cheapest(designs, "scans", limit, probability=0.7, zone=0.1, seed=7, **HOW)  # type: ignore[arg-type]
    assert found.best is None
    assert found.table["verdict"].tolist() == ["at the limit"]
    assert "within 10 %" in found.answer()[1]


def test_designs_of_several_keys_are_swept_side_by_side() -> None:
    designs = grid(line(), {"work.pick_scale": [0.9]})
    designs += grid(line(), {"work.shifts.pilot.workers": [3]})
    found = experiments.sweep(designs, 2, kpis=["scans"], **HOW)  # type: ignore[arg-type]
    columns = ["design", "work.pick_scale", "work.shifts.pilot.workers", "replication"]
    assert list(found.frame)[:4] == columns
    assert found.factors == tuple(columns[1:3])
    assert found.frame["work.pick_scale"].isna().tolist() == [False, False, True, True]
    assert len(found.table) == 2


def test_limits_are_kept_by_numbers_only() -> None:
    found = cheapest(grid(line(), {"work.pick_scale": [1.0]}), "orders", math.inf, **HOW)  # type: ignore[arg-type]
    assert found.best is not None
    assert np.isfinite(found.table["mean"]).all()
