"""One open twin: what opens it, how it runs, that it can be stopped, saved and made again."""

import os
import platform
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
import pytest

import twin
from tests.scenarios import MIN, H, scenario
from twin import resources
from twin.errors import RunError, ScenarioError, StateError, UnitError
from twin.twin import Twin

PILOT = twin.load("pilot_line")
LOSSY = scenario(
    {"links.ble.stationary.loss_near": "60 %", "links.ble.stationary.loss_far": "60 %"}
)


def same(one: Twin, other: Twin) -> bool:
    return one.rows().tobytes() == other.rows().tobytes() and one.kpis().equals(other.kpis())


def ran(what: Any = PILOT, until: str = "2 h", **how: Any) -> Twin:
    return twin.open(what, **how).run(until=until, progress=False)


# --- opening -------------------------------------------------------------------


def test_a_path_a_name_and_a_scenario_open_the_same_twin(tmp_path: Path) -> None:
    copy = tmp_path / "mine.toml"
    copy.write_bytes(resources.scenario_path("pilot_line").read_bytes())
    found = [ran(what) for what in ("pilot_line", str(copy), copy, PILOT)]
    assert len(found[0].rows()) > 300
    assert all(same(found[0], other) for other in found[1:])
    assert {opened.scenario.digest for opened in found} == {PILOT.digest}


def test_seed_and_engine_are_the_scenarios_own_unless_given() -> None:
    document = scenario({"run.seed": 7, "run.engine": "reference"})
    own, given = twin.open(document), twin.open(document, seed=8, engine="compiled")
    assert (own.seed, own.engine) == (7, "reference")
    assert (given.seed, given.engine) == (8, "compiled")
    assert twin.open(document, seed=0).seed == 0


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"engine": "fast"}, 'engine is "compiled" or "reference", not \'fast\''),
        ({"record": "all"}, 'record is "rows" or "kpis", not \'all\''),
        ({"seed": -1}, "seed is a whole number from 0 to 2**63 - 1, not -1"),
        ({"seed": 2**63}, "seed is a whole number from 0 to 2**63 - 1, not 9223372036854775808"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(how: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError) as refused:
        twin.open(PILOT, **how)
    assert str(refused.value) == message


def test_a_name_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ScenarioError, match="pilot_line"):
        twin.open("pilot_lime")


def test_a_twin_says_what_it_is() -> None:
    shown = "<Twin 'pilot_line' seed 3 compiled at 2026-03-02 08:00:00 CET>"
    assert repr(ran(seed=3)) == shown


# --- running -------------------------------------------------------------------


def test_a_duration_is_added_and_until_is_counted_from_the_start() -> None:
    opened = twin.open(PILOT)
    assert opened.now_us == 0
    assert opened.run("2 h", progress=False).now_us == 2 * H
    assert opened.run("30 min", progress=False).now_us == 2.5 * H
    assert opened.run(until="3 h", progress=False).now_us == 3 * H
    assert opened.run(until="3 h", progress=False).now_us == 3 * H


def test_without_a_duration_the_rest_of_the_horizon_is_run() -> None:
    opened = twin.open(PILOT).run("1 h", progress=False).run(progress=False)
    assert opened.now_us == opened.horizon_us == 8 * H
    assert opened.run("1 h", progress=False).run(progress=False).now_us == 9 * H


@pytest.mark.parametrize(
    "until",
    [
        datetime(2026, 3, 2, 8, 30),
        datetime(2026, 3, 2, 7, 30, tzinfo=UTC),
        pd.Timestamp("2026-03-02 02:30", tz="America/New_York"),
    ],
)
def test_until_is_a_date_on_the_sites_wall_or_in_its_own_zone(until: datetime) -> None:
    opened = twin.open(PILOT).run(until=until, progress=False)
    assert opened.now_us == 2 * H + 30 * MIN
    assert opened.now.isoformat() == "2026-03-02T08:30:00+01:00"


def test_a_run_goes_on_to_the_moment_of_an_event() -> None:
    opened = ran()
    scan = opened.events("scan")["visible_time"].max()
    assert scan > opened.now - pd.Timedelta("10 min")
    again = twin.open(PILOT).run(until=scan, progress=False)
    assert again.now == scan


def test_the_past_is_refused() -> None:
    opened = ran()
    for until in ("1 h", datetime(2026, 3, 2, 7), datetime(2026, 3, 1, 7)):
        with pytest.raises(RunError, match="the clock shows 2 h"):
            opened.run(until=until)
    with pytest.raises(RunError, match="cannot run back to 1 h"):
        opened.run("-1 h")
    assert opened.now_us == 2 * H


def test_a_duration_and_until_together_are_refused() -> None:
    with pytest.raises(RunError, match="a duration or until, not both"):
        twin.open(PILOT).run("1 h", until="2 h")


@pytest.mark.parametrize("bare", [2, 2.5, "2", "2 hours", True])
def test_a_bare_number_is_refused(bare: Any) -> None:
    opened = twin.open(PILOT)
    with pytest.raises(UnitError, match="min, h"):
        opened.run(bare)
    with pytest.raises(UnitError, match="min, h"):
        opened.run(until=bare)
    assert opened.now_us == 0


# --- the same again --------------------------------------------------------------


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(engine: str) -> None:
    one = ran(LOSSY, engine=engine, seed=5)
    assert same(one, ran(LOSSY, engine=engine, seed=5))
    assert not same(one, ran(LOSSY, engine=engine, seed=6))


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_two_twins_at_once_do_not_meet(engine: str) -> None:
    together = [twin.open(LOSSY, engine=engine, seed=seed) for seed in (5, 6)]
    for _ in range(12):
        for opened in together:
            opened.run("10 min", progress=False)
    for opened in together:
        assert same(opened, ran(LOSSY, engine=engine, seed=opened.seed))


def test_twins_in_threads_do_not_meet() -> None:
    together = [twin.open(LOSSY, seed=seed) for seed in (5, 6)]
    threads = [
        threading.Thread(target=opened.run, args=("2 h",), kwargs={"progress": False})
        for opened in together
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for opened in together:
        assert same(opened, ran(LOSSY, seed=opened.seed))


def test_provenance_says_what_makes_a_result_again() -> None:
    made = ran(seed=9, record="kpis").provenance()
    assert made == {
        "scenario": "pilot_line",
        "digest": PILOT.digest,
        "seed": "9",
        "engine": "compiled",
        "record": "kpis",
        "start": "2026-03-02T06:00:00+01:00",
        "time_zone": "Europe/Vienna",
        "now_us": str(2 * H),
        "simulated": "2 h",
        "twin": made["twin"],
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }
    assert made["twin"][0].isdigit()


# --- stopping --------------------------------------------------------------------


def interrupt_during(opened: Twin, slices: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have another thread send SIGINT in a slice of the coming run; return where slices end."""
    run, ends_us = opened._site.run, list[int]()

    def run_slice(until_us: int) -> None:
        ends_us.append(until_us)
        if len(ends_us) == slices:
            sender = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT))
            sender.start()
            sender.join()
        run(until_us)

    monkeypatch.setattr(opened._site, "run", run_slice)
    return ends_us


def test_ctrl_c_leaves_a_twin_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    opened = twin.open(PILOT)
    ends_us = interrupt_during(opened, 6, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        opened.run("30 d", progress=False)
    assert len(ends_us) == 6
    assert opened.now_us == ends_us[-1] < 30 * 24 * H  # the slice under way was finished
    assert signal.getsignal(signal.SIGINT) is before
    assert opened.rows()["time_us"].max() < opened.now_us
    assert opened.kpis()["worker_hours"].iloc[0] > 0
    opened.run(until="30 d", progress=False)
    assert same(opened, ran(until="30 d"))


# --- progress --------------------------------------------------------------------


def test_a_bar_is_shown_on_stderr_when_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    twin.open(PILOT).run("2 h", progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "pilot_line" in err
    assert "/2.0 h" in err


@pytest.mark.parametrize("progress", [False, None])
def test_no_bar_is_shown_otherwise(
    progress: bool | None, capfd: pytest.CaptureFixture[str]
) -> None:
    twin.open(PILOT).run("2 h", progress=progress)
    assert capfd.readouterr() == ("", "")


# --- saving and going on -----------------------------------------------------------


@pytest.mark.parametrize("record", ["rows", "kpis"])
def test_a_saved_twin_goes_on_to_the_same_rows(record: str, tmp_path: Path) -> None:
    file = ran(LOSSY, seed=5, record=record).save(tmp_path / "night.sqlite")
    again = twin.open(file, record=record)
    assert (again.now_us, again.seed, again.record) == (2 * H, 5, record)
    assert again.scenario == LOSSY
    again.run("2 h", progress=False)
    whole = ran(LOSSY, "4 h", seed=5)
    assert again.kpis().equals(whole.kpis())
    assert record == "kpis" or same(again, whole)


def test_a_saved_twin_is_opened_by_its_text_too(tmp_path: Path) -> None:
    file = ran(engine="reference").save(str(tmp_path / "a b#c?.sqlite"))
    assert twin.open(str(file)).engine == "reference"


def test_state_is_made_on_save_and_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "night.sqlite"
    opened = twin.open(PILOT, state=file)
    opened.run("1 h", progress=False)
    assert not file.exists()
    assert opened.save() == file
    again = twin.open(PILOT, state=file)
    assert again.now_us == H
    again.run("1 h", progress=False).save()
    assert same(twin.open(PILOT, seed=1, engine="compiled", state=str(file)), ran())


def test_saving_without_a_place_is_refused() -> None:
    with pytest.raises(RunError, match="save where"):
        ran().save()


@pytest.mark.parametrize(
    ("document", "how", "message"),
    [
        (LOSSY, {}, "saved from another scenario"),
        (PILOT, {"seed": 2}, "saved with seed 1, asked for 2"),
        (PILOT, {"engine": "reference"}, "saved with engine compiled, asked for reference"),
    ],
)
def test_a_state_of_something_else_is_refused(
    document: twin.Scenario, how: dict[str, Any], message: str, tmp_path: Path
) -> None:
    file = ran(until="1 h").save(tmp_path / "night.sqlite")
    before = file.read_bytes()
    with pytest.raises(StateError, match=message) as refused:
        twin.open(document, state=file, **how)
    assert str(file) in str(refused.value)
    assert file.read_bytes() == before


# --- long runs -------------------------------------------------------------------


def test_a_month_without_rows_keeps_no_rows() -> None:
    opened = ran("reference_site", "30 d", record="kpis")
    assert opened.kpis()["scans"].iloc[0] > 3_000_000
    assert len(opened._rows.whole()) == 0
    assert opened.kpis()["worker_hours"].iloc[0] == 30 * 120 * 8


def test_chunks_are_counted_once_however_often_figures_are_asked() -> None:
    asked: list[Callable[[Twin], object]] = [Twin.kpis, Twin.rows, Twin.gateways, Twin.events]
    opened = twin.open(PILOT)
    for ask in asked * 2:
        ask(opened.run("15 min", progress=False))
    assert opened.kpis().equals(ran().kpis())
    assert len(opened._rows._chunks) <= 3


# --- seeds and state files ---------------------------------------------------------


@pytest.mark.parametrize("seed", [1.5, True, "7"])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(RunError, match="seed is a whole number"):
        twin.open(PILOT, seed=seed)


def test_a_saved_twin_can_go_on_in_another_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first.sqlite", tmp_path / "second.sqlite"
    twin.open(PILOT, record="kpis").run("1 h", progress=False).save(first)
    before = first.read_bytes()
    opened = twin.open(first, state=second).run("1 h", progress=False)
    assert opened.save() == second
    assert first.read_bytes() == before
    assert len(opened.rows()) > 0
    with pytest.raises(StateError, match="exists already"):
        twin.open(first, state=second)


def test_a_file_whose_figures_are_not_reached_again_is_refused(tmp_path: Path) -> None:
    path = twin.open(PILOT).run("10 min", progress=False).save(tmp_path / "t.sqlite")
    with closing(sqlite3.connect(path)) as changed:
        changed.execute("UPDATE kpi SET value = value + 1 WHERE name = 'scans'")
        changed.commit()
    with pytest.raises(StateError, match=r"this version of twin gives other results: scans"):
        twin.open(path)


def test_who_was_lost_on_the_air_did_not_wait_at_the_gateway() -> None:
    events = twin.open(LOSSY).run("1 h", progress=False).events()
    lost = events[events["outcome"] == "lost_ble"]
    assert len(lost) > 0
    assert lost["wait_ms"].isna().all()
