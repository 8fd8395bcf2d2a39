"""Runs of designs: the parts of a site, what is known, what is simulated, in which order."""

import json
from pathlib import Path

import numpy as np
import pytest

import twin
from tests.experiments.lines import KPIS, UNTIL, line
from twin.errors import OutputError, RunError, TwinError
from twin.experiments.cache import Cache
from twin.experiments.how import Design, seed_of
from twin.experiments.parts import known_kpis, named_kpis, parts_of
from twin.experiments.replicating import replicate
from twin.experiments.running import Runner
from twin.experiments.selecting import cheapest, select
from twin.resources import scenario_names
from twin.scenario import Scenario

HERE = {"executor": "serial", "progress": False}


def whole(scenario: Scenario, seed: int, until: str) -> dict[str, float]:
    t = twin.open(scenario, seed=seed).run(until, progress=False)
    return {str(k): v for k, v in t.kpis().iloc[0].to_dict().items()}


@pytest.mark.parametrize("name", ["reference_site", "pilot_line", "trial_licence"])
def test_parts_give_the_figures_of_the_whole(name: str) -> None:
    scenario = twin.load(name)
    runner = Runner(scenario, {"until": "1 h", "cache": False, **HERE})  # type: ignore[typeddict-item]
    found = runner.runs([Design("x", scenario)], range(2))
    for _, row in found.iterrows():
        expected = whole(scenario, int(row["seed"]), "1 h")
        kpis = set(found.columns) - {"design", "replication", "seed"}
        assert set(expected) <= kpis
        for kpi in kpis:  # what the site does not do, like a survey, is no number
            value = expected.get(kpi, np.nan)
            assert row[kpi] == value or (np.isnan(row[kpi]) and np.isnan(value)), kpi


def test_a_site_that_shares_its_band_is_one_part() -> None:
    site = twin.vary(twin.load("reference_site"), "coexistence", {})
    assert len(parts_of(site, named_kpis(site, None))) == 1
    assert len(parts_of(twin.load("reference_site"), named_kpis(site, None)[:60])) == 2
    runner = Runner(site, {"until": "20 min", "cache": False, **HERE})  # type: ignore[typeddict-item]
    found = runner.runs([Design("x", site)], range(1)).iloc[0]
    assert found["ble_taken_mean"] == whole(site, site.run.seed, "20 min")["ble_taken_mean"]


def test_what_a_design_leaves_alone_is_simulated_once() -> None:
    site = twin.load("reference_site")
    designs = [
        Design(str(n), twin.vary(site, "fleet.gateways.phones.count", n)) for n in (10, 12, 14)
    ]
    runner = Runner(site, {"until": "10 min", "cache": False, **HERE})  # type: ignore[typeddict-item]
    found = runner.runs(designs, range(2))
    assert runner.simulated == 3 * 2 + 2
    assert found.groupby("replication")["mesh_receptions"].nunique().tolist() == [1, 1]
    only = Runner(site, {"until": "10 min", "kpis": ["scans"], "cache": False, **HERE})  # type: ignore[typeddict-item]
    only.runs(designs, range(2))
    assert only.simulated == 3 * 2


def test_names_and_questions_change_no_result_and_no_part() -> None:
    one = line()
    other = twin.vary(twin.vary(one, "name", "another"), "run.seed", 77)
    assert parts_of(one, KPIS) == parts_of(other, KPIS)
    assert parts_of(one, KPIS) != parts_of(twin.vary(one, "work.pick_scale", 0.9), KPIS)


def test_more_replications_run_only_those_that_are_new(tmp_path: Path) -> None:
    first = replicate(line(), 3, until=UNTIL, kpis=KPIS, cache=tmp_path, executor="serial")
    more = replicate(line(), 5, until=UNTIL, kpis=KPIS, cache=tmp_path, executor="serial")
    other = replicate(line(), 5, until=UNTIL, kpis=["jobs"], cache=tmp_path, executor="serial")
    assert (first.simulated, more.simulated, other.simulated) == (3, 2, 0)
    assert more.frame.iloc[:3].equals(first.frame)
    fresh = replicate(line(), 5, until=UNTIL, kpis=KPIS, cache=False, executor="serial")
    assert fresh.simulated == 5
    assert fresh.frame.equals(more.frame)


def test_another_length_scenario_or_seed_is_no_known_result(tmp_path: Path) -> None:
    how = {"kpis": KPIS, "cache": tmp_path, "executor": "serial"}
    replicate(line(), 1, until=UNTIL, **how)  # type: ignore[arg-type]
    slower = twin.vary(line(), "work.pick_scale", 1.1)
    for scenario, more in (
        (line(), {"until": "41 min"}),
        (line(), {"until": UNTIL, "seed": 5}),
        (line(), {"until": UNTIL, "warm_up": "5 min"}),
        (slower, {"until": UNTIL}),
    ):
        assert replicate(scenario, 1, **more, **how).simulated == 1  # type: ignore[arg-type]


def test_a_file_says_what_it_is_of_and_a_torn_line_is_run_again(tmp_path: Path) -> None:
    how = {"until": UNTIL, "kpis": KPIS, "cache": tmp_path, "executor": "serial"}
    before = replicate(line(), 3, **how)  # type: ignore[arg-type]
    (file,) = tmp_path.rglob("*.jsonl")
    lines = [one for one in file.read_text().splitlines() if one]
    heading = json.loads(lines[0])
    assert heading["document"]["fleet"]["scanners"][0]["model"] == "MARK 3"
    assert heading["edges_us"] == [0, 40 * 60_000_000]
    file.write_bytes(file.read_bytes()[:-40])
    again = replicate(line(), 3, **how)  # type: ignore[arg-type]
    assert again.simulated == 1
    assert again.frame.equals(before.frame)
    assert replicate(line(), 3, **how).simulated == 0  # type: ignore[arg-type]


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cache=False, or --no-cache"):
        replicate(line(), 1, until=UNTIL, cache=tmp_path / "file", executor="serial")


def test_a_cache_that_fails_on_the_way_is_told_once_and_costs_no_result(tmp_path: Path) -> None:
    (tmp_path / "gone").write_text("a file where a folder is due")
    cache = Cache(tmp_path / "gone")
    how = {"until": "5 min", "kpis": KPIS, "cache": cache, "executor": "serial"}
    with pytest.warns(UserWarning, match="results are not kept") as told:
        found = replicate(line(), 9, **how)  # type: ignore[arg-type]
    assert (len(told), found.simulated) == (1, 9)
    assert replicate(line(), 9, **how).simulated == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "odd", [b"\xff\xfe\n", b"[1]\n", b'{"windows": 3, "seed": 1}\n', b'{"windows": [{}]}\n', b"7\n"]
)
def test_what_is_odd_in_a_cache_is_passed_over(tmp_path: Path, odd: bytes) -> None:
    how = {"until": "5 min", "kpis": KPIS, "cache": tmp_path, "executor": "serial"}
    before = replicate(line(), 2, **how)  # type: ignore[arg-type]
    (file,) = tmp_path.rglob("*.jsonl")
    file.write_bytes(odd + file.read_bytes())
    again = replicate(line(), 2, **how)  # type: ignore[arg-type]
    assert again.simulated == 0
    assert again.frame.equals(before.frame)


def test_replications_are_the_runs_that_their_seeds_give() -> None:
    found = replicate(line(), 3, until=UNTIL, kpis=KPIS, cache=False, executor="serial").frame
    assert found["seed"].tolist() == [seed_of(1, r) for r in range(3)]
    assert found["seed"].iloc[0] == line().run.seed
    seeds = {seed_of(base, r) for base in range(50) for r in range(50)}
    assert len(seeds) == 2500
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_after_a_warm_up_only_what_follows_counts() -> None:
    how = {"cache": False, "executor": "serial", "kpis": ["scans", "orders", "beep_mean_ms"]}
    all_of_it = replicate(line(), 1, until=UNTIL, **how).frame.iloc[0]  # type: ignore[arg-type]
    begin = replicate(line(), 1, until="15 min", **how).frame.iloc[0]  # type: ignore[arg-type]
    rest = replicate(line(), 1, until=UNTIL, warm_up="15 min", **how).frame.iloc[0]  # type: ignore[arg-type]
    assert rest["scans"] == all_of_it["scans"] - begin["scans"] > 0
    sums = [frame["scans"] * frame["beep_mean_ms"] for frame in (begin, rest, all_of_it)]
    assert sums[0] + sums[1] == pytest.approx(sums[2])


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"kpis": ["beep_95_ms"]}, "did you mean beep_p95_ms"),
        ({"kpis": ["mesh_receptions"]}, "no key figure"),
        ({"kpis": []}, "no key figure"),
        ({"until": "1 h", "warm_up": "2 h"}, "does not end before"),
        ({"until": "soon"}, "soon"),
        ({"seed": -1}, "seed"),
        ({"executor": "threads"}, "serial, processes"),
        ({"executor": "processes", "workers": 0}, "workers"),
        ({"replication": 3}, "replications|no such setting"),
        ({"precision": {"scans": "0 %"}}, "above zero"),
        ({"precision": {"jobs": "2 %"}, "kpis": ["scans"]}, "precision"),
        ({"confidence": 95}, "confidence"),
        ({"confidence": "0.95"}, "confidence"),
        ({"workers": 2.5}, "workers"),
        ({"seed": True}, "seed"),
        ({"most": 0, "precision": {"scans": "2 %"}}, "most is a whole number"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(how: dict[str, object], words: str) -> None:
    with pytest.raises(TwinError, match=words):
        replicate(line(), 2, **{"until": "1 min", "cache": False, **how})  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, -1, 2.5, True])
def test_a_number_of_replications_is_one(count: object) -> None:
    with pytest.raises(RunError, match="from 1 on"):
        replicate(line(), count)  # type: ignore[arg-type]


def test_a_number_of_numpy_is_one() -> None:
    how = {"until": "5 min", "kpis": KPIS, "cache": False, "executor": "serial"}
    found = replicate(line(), np.int64(2), seed=np.int64(3), **how)  # type: ignore[arg-type]
    assert found.frame.equals(replicate(line(), 2, seed=3, **how).frame)  # type: ignore[arg-type]


def test_a_precision_of_what_never_happens_is_given_up_at_once() -> None:
    how = {"until": "1 min", "cache": False, "executor": "serial", "kpis": ["job_p50_min"]}
    with pytest.raises(RunError, match="has no value in 10 of 10 runs"):
        replicate(line(), 10, precision={"job_p50_min": "2 %"}, **how)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="has no value"):
        select(
            [Design("a", line()), Design("b", twin.vary(line(), "work.pick_scale", 0.9))],
            "job_p50_min", 1.0, until="1 min", cache=False, executor="serial",
        )  # fmt: skip


def test_designs_that_one_name_or_two_lengths_would_mix_up_are_refused() -> None:
    longer = twin.vary(line(), "run.horizon", "2 d")
    designs = [Design("a", line()), Design("b", longer)]
    with pytest.raises(RunError, match="several horizons"):
        Runner(line(), {"cache": False, **HERE}).runs(designs, range(1))  # type: ignore[typeddict-item]
    found = Runner(line(), {"until": "5 min", "cache": False, **HERE}).runs(designs, range(1))  # type: ignore[typeddict-item]
    assert found["scans"].nunique() == 1
    for wrong in (select, cheapest):
        with pytest.raises(RunError, match="two designs are called 'a'"):
            wrong([designs[0]] * 2, "scans", 1.0, until="5 min")  # type: ignore[operator]


def test_a_run_that_is_longer_than_the_horizon_has_work_to_its_end() -> None:
    site = twin.vary(line(), "run.horizon", "8 h")
    how = {"until": "58 h", "kpis": ["orders", "scans"], "cache": False, "executor": "serial"}
    found = replicate(site, 1, **how).frame.iloc[0]  # type: ignore[arg-type]
    expected = twin.open(twin.vary(site, "run.horizon", "58 h")).run(progress=False).kpis().iloc[0]
    assert (found["orders"], found["scans"]) == (expected["orders"], expected["scans"])


@pytest.mark.parametrize("name", scenario_names())
def test_every_packaged_scenario_can_be_replicated(name: str) -> None:
    if name == "mesh_10k":
        pytest.skip("takes a minute: ten thousand nodes")
    found = replicate(name, 1, until="2 min", cache=False, executor="serial")
    assert set(found.kpis) <= set(found.frame)


def test_figures_of_the_mesh_cannot_be_counted_after_a_warm_up() -> None:
    site = twin.load("trial_licence")
    how = {"until": "10 min", "warm_up": "5 min", "cache": False, "executor": "serial"}
    with pytest.raises(RunError, match="mesh_receptions"):
        replicate(site, 1, kpis=["scans", "mesh_receptions"], **how)  # type: ignore[arg-type]
    found = replicate(site, 1, **how)  # type: ignore[arg-type]
    assert "mesh_receptions" not in found.kpis
    assert {kpi.name for kpi in known_kpis(site)} > set(found.kpis)


def test_who_is_told_of_progress_may_cancel_and_loses_nothing(tmp_path: Path) -> None:
    told = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))
        if done >= 8:
            raise InterruptedError

    how = {"until": UNTIL, "kpis": KPIS, "cache": tmp_path}
    with pytest.raises(InterruptedError):
        replicate(line(), 20, executor="serial", progress=tell, **how)  # type: ignore[arg-type]
    assert told == [(0, 20), (4, 20), (8, 20)]
    assert replicate(line(), 20, executor="serial", **how).simulated == 12  # type: ignore[arg-type]


def test_a_cache_of_its_own_object_lives_in_memory() -> None:
    cache = Cache()
    for expected in (2, 0):
        found = replicate(line(), 2, until="5 min", cache=cache, executor="serial")
        assert found.simulated == expected
