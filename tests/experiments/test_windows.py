"""One run in windows, long runs in batches, curves of upgrades over many runs."""

import numpy as np
import pytest

import twin
from tests.experiments.lines import line
from twin.analysis.intervals import mean_interval
from twin.errors import RunError
from twin.experiments import completions, find_warm_up, long_run

HERE = {"executor": "serial", "cache": False, "progress": False}


def test_a_shift_is_warm_once_its_workers_have_paired() -> None:
    found = find_warm_up(line(), "scans_per_worker_hour", until="110 min", replications=3, **HERE)  # type: ignore[arg-type]
    assert 1 <= found.cut_min <= 15
    assert found.is_trusted
    assert len(found.series) == len(found.minutes) == 110
    assert found.series[found.minutes >= found.cut_min].mean() > 1.2 * found.series[0]
    assert repr(found).startswith(f"scans_per_worker_hour: warm after {found.warm_up}")


def test_windows_add_up_to_the_run() -> None:
    found = find_warm_up(line(), "scans", until="60 min", replications=1, **HERE).frame  # type: ignore[arg-type]
    t = twin.open(line()).run("60 min", progress=False)
    assert found["scans"].sum() == t.kpis()["scans"].iloc[0]
    assert found["until_us"].tolist() == [60_000_000 * n for n in range(1, 61)]


def test_a_long_run_is_cut_into_batches_after_its_warm_up() -> None:
    found = long_run(line(), "beep_mean_ms", batches=8, until="100 min", warm_up="20 min", **HERE)  # type: ignore[arg-type]
    assert len(found.frame) == 8
    assert found.frame["from_us"].iloc[0] == 20 * 60_000_000
    assert found.frame["until_us"].iloc[-1] == 100 * 60_000_000
    expected = mean_interval(found.frame["beep_mean_ms"])
    assert found.batches.interval == pytest.approx(expected)
    values = found.frame["beep_mean_ms"].to_numpy()
    apart = values - values.mean()
    assert found.batches.correlation == pytest.approx(
        (apart[1:] * apart[:-1]).sum() / (apart**2).sum()
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: find_warm_up(line(), "backlog_max", until="1 h", **HERE), "in windows"),  # type: ignore[arg-type]
        (lambda: find_warm_up(line(), "mesh_reach_mean", until="1 h", **HERE), "in windows"),  # type: ignore[arg-type]
        (lambda: find_warm_up(line(), "scans", until="30 min", **HERE), "50 numbers"),  # type: ignore[arg-type]
        (
            lambda: find_warm_up(line(), "scans", step="0 s", until="1 h", **HERE),
            "cannot be counted",
        ),  # type: ignore[arg-type]
        (
            lambda: find_warm_up(line(), "scans", step="2 h", until="1 h", **HERE),
            "cannot be counted",
        ),  # type: ignore[arg-type]
        (lambda: find_warm_up(line(), "job_p50_min", step="1 s", until="2 min", **HERE), "have no"),  # type: ignore[arg-type]
        (lambda: long_run(line(), "scans", batches=4, until="1 h", **HERE), "from 5 on"),  # type: ignore[arg-type]
        (lambda: completions([line()], 1), "plans no upgrade"),
    ],
)
def test_what_cannot_be_counted_is_refused(wrong: object, words: str) -> None:
    with pytest.raises(RunError, match=words):
        wrong()  # type: ignore[operator]


def test_curves_end_where_the_upgrade_says_it_was_over() -> None:
    night = twin.load("upgrade_night")
    found = completions({"night": night}, 1, until="15 min", **HERE)  # type: ignore[arg-type]
    for replication, own in found.groupby("replication"):
        t = twin.open(night, seed=int(own["seed"].iloc[0])).run("15 min", progress=False)
        devices, began_us = t.upgraded(0), t.upgrades()["began_us"].iloc[0]
        done_us = devices.loc[devices["outcome"] == "success", "done_us"]
        assert len(own) == len(done_us) + 1 > 900
        assert own["minutes"].iloc[-1] == pytest.approx((done_us.max() - began_us) / 60e6)
        assert own["share"].iloc[0] == own["minutes"].iloc[0] == 0.0
        assert own["share"].iloc[-1] == pytest.approx(len(done_us) / len(devices))
        assert (np.diff(own["minutes"]) >= 0).all(), replication
