"""Whoever does the runs, the rows are the same; who is lost is replaced, who fails is told of."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import distributed
import pytest
from typer.testing import CliRunner

import twin
from tests.experiments import lines
from tests.experiments.lines import KPIS, UNTIL, line
from twin.cli import app
from twin.errors import RunError
from twin.experiments.comparing import compare
from twin.experiments.executors import Executor, Serial, make_executor
from twin.experiments.how import Design
from twin.experiments.parts import parts_of
from twin.experiments.running import Runner
from twin.experiments.simulate import Task, simulate

ROOT = Path(__file__).parents[2]


def tasks(count: int = 6) -> list[Task]:
    (part,) = parts_of(line(), KPIS)
    return [Task(part.document, part.digest, (seed,), (0, 600_000_000)) for seed in range(count)]


def made(name: str) -> Executor:
    found = make_executor(name, 2)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def cluster() -> Iterator[distributed.LocalCluster]:
    with distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as found:
        yield found


@pytest.fixture(params=["processes", "dask"])
def executor(request: pytest.FixtureRequest) -> Executor:
    if request.param == "processes":
        return made("processes")
    return made(request.getfixturevalue("cluster").scheduler_address)


def test_the_rows_are_those_of_this_process_in_their_order(executor: Executor) -> None:
    designs = [Design(f"{p}", twin.vary(line(), "work.pick_scale", p)) for p in (0.9, 1.0, 1.1)]
    frames = [
        Runner(
            line(), {"until": UNTIL, "kpis": KPIS, "cache": False, "executor": who}
        ).runs(designs, range(6))
        for who in (Serial(), executor)
    ]  # fmt: skip
    assert frames[0].equals(frames[1])
    assert frames[0]["design"].tolist() == [d.name for d in designs for _ in range(6)]


def test_every_task_is_done_once(executor: Executor) -> None:
    found = list(executor.results(lines.slow, [0.2, 0.0, 0.1, 0.0]))
    assert sorted(found) == [(0, 0.2), (1, 0.0), (2, 0.1), (3, 0.0)]
    assert list(executor.results(lines.slow, [])) == []


def test_a_worker_that_is_killed_in_the_middle_costs_no_row(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = list(Serial().results(simulate, tasks()))
    mark = tmp_path / "killed"
    monkeypatch.setenv("TWIN_TEST_MARK", str(mark))
    # Workers that are there already have the environment of their own begin.
    work = _Marked(str(mark))
    found = sorted(executor.results(work, tasks()))
    assert mark.exists()
    assert found == expected


class _Marked:
    """``lines.dying`` with its mark, whatever environment a worker has."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __call__(self, task: Task) -> object:
        os.environ["TWIN_TEST_MARK"] = self.mark
        return lines.dying(task)


def test_workers_that_always_die_end_in_an_error() -> None:
    with pytest.raises(RunError, match="died 3 times"):
        list(made("processes").results(lines.always_dying, [1, 2]))


def test_what_a_task_raises_is_raised(executor: Executor) -> None:
    with pytest.raises(ValueError, match="no 3"):
        list(executor.results(lines.failing, [3]))


def test_who_stops_waiting_is_not_kept_waiting(executor: Executor) -> None:
    results = executor.results(lines.slow, [0.0, *[5.0] * 6])
    assert next(results) == (0, 0.0)
    results.close()
    assert list(executor.results(lines.slow, [0.0])) == [(0, 0.0)]


def test_nobody_answers_at_an_address() -> None:
    from twin.experiments.executors.dask import Dask

    with pytest.raises(RunError, match="no Dask scheduler answers"):
        list(Dask("tcp://127.0.0.1:9", patience_s=1.0).results(lines.slow, [0.0]))


def test_a_cluster_without_a_worker_is_told() -> None:
    from twin.experiments.executors.dask import Dask

    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as found,  # type: ignore[no-untyped-call]
        pytest.raises(RunError, match="has had no worker"),
    ):
        list(Dask(found.scheduler_address, patience_s=1.0).results(lines.slow, [0.0]))


def test_a_scheduler_that_is_lost_is_told() -> None:
    from twin.experiments.executors.dask import Dask

    with distributed.LocalCluster(n_workers=1, dashboard_address=":0") as found:  # type: ignore[no-untyped-call]
        results = Dask(found.scheduler_address, patience_s=5.0).results(lines.slow, [0.0, 60.0])
        assert next(results) == (0, 0.0)
        found.close()
        with pytest.raises(RunError, match="lost"):
            list(results)


def test_a_command_joins_a_cluster(cluster: distributed.LocalCluster) -> None:
    words = [
        *("sweep", "pilot_line", "--vary", "work.pick_scale=0.9,1.0", "-n", "3", "--kpi", "scans"),
        *("--until", UNTIL, "--no-cache"),
    ]
    alone = CliRunner().invoke(app, words)
    joined = CliRunner().invoke(app, [*words, "--dask", cluster.scheduler_address])
    assert joined.exit_code == 0, joined.output
    assert joined.output == alone.output
    assert "work.pick_scale=0.9: " in joined.output


def test_a_script_needs_no_guard_and_may_have_threads(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "import threading, twin\n"
        "from twin.experiments.replicating import replicate\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "print('begun')\n"
        "found = replicate('pilot_line', 4, until='5 min', cache=False, executor='processes')\n"
        "print(len(found.frame))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        capture_output=True, text=True, timeout=200, env=environment, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["begun", "4"], done.stderr


def test_a_comparison_is_the_same_whoever_does_it(executor: Executor) -> None:
    scenarios = {"today": line(), "quicker": twin.vary(line(), "work.pick_scale", 0.8)}
    one, other = (
        compare(scenarios, 4, until=UNTIL, kpis=KPIS, cache=False, executor=who)
        for who in ("serial", executor)
    )
    assert one.differences.equals(other.differences)
