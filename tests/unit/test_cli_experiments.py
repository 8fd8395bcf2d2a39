"""Experiments from the command line: a screen of answer, and clear refusals."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from twin.cli import app

SHORT = ("--until", "20 min", "--no-cache")
SCALES = ("--vary", "work.pick_scale=0.8,1.0")


def call(*words: str) -> tuple[int, str]:
    """Give the status and all that was printed."""
    found = CliRunner().invoke(app, list(words))
    return found.exit_code, found.output


def test_replicate_says_what_is_known(tmp_path: Path) -> None:
    out = tmp_path / "runs.csv"
    few = ("-n", "4", "--kpi", "scans", "--out", str(out))
    status, said = call("replicate", "pilot_line", *few, *SHORT)
    assert status == 0, said
    assert said.startswith("scans: ")
    assert "interval" in said
    assert "4 replications" in said
    assert f"all runs     {out}" in said
    assert len(pd.read_csv(out)) == 4


def test_replicate_goes_on_until_it_is_known_well_enough() -> None:
    status, said = call("replicate", "pilot_line", "--precision", "scans=8%", *SHORT)
    assert status == 0, said
    assert "precision of scans: reached with" in said


def test_compare_says_by_how_much(tmp_path: Path) -> None:
    status, said = call("compare", "pilot_line", *SCALES, "-n", "3", "--kpi", "scans", *SHORT)
    assert status == 0, said
    assert "scans, work.pick_scale=0.8 less pilot_line: " in said
    assert "smaller with probability below 0.01" in said
    other = tmp_path / "slow.toml"
    other.write_text('extends = "pilot_line"\nname = "slow"\n[work]\npick_scale = 1.3\n')
    status, said = call("compare", "pilot_line", str(other), "-n", "3", "--kpi", "scans", *SHORT)
    assert status == 0, said
    assert "scans, slow less pilot_line: -" in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (SCALES, "work.pick_scale=0.8: "),
        ((*SCALES, "--design", "one-at-a-time"), "work.pick_scale from 0.8 to 1: scans"),
        (("--vary", "work.pick_scale=0.8..1.2", "--design", "sobol", "--count", "2"), "design 2: "),
        (
            ("--vary", "work.pick_scale=0.8..1.2", "--design", "latin-hypercube", "--count", "2"),
            "design 2: ",
        ),
    ],
)
def test_sweep_says_what_each_design_comes_to(words: tuple[str, ...], expected: str) -> None:
    status, said = call("sweep", "pilot_line", *words, "-n", "2", "--kpi", "scans", *SHORT)
    assert status == 0, said
    assert expected in said


def test_select_finds_what_is_enough_and_what_is_best() -> None:
    status, said = call("select", "pilot_line", *SCALES, "--at-most", "10000", *SHORT)
    assert status == 0, said
    assert said.startswith("work.pick_scale=0.8: beep_p95_ms")
    assert "enough with probability" in said
    best = ("--kpi", "scans", "--delta", "5", "--largest")
    status, said = call("select", "pilot_line", *SCALES, *best, *SHORT)
    assert status == 0, said
    assert said.startswith("work.pick_scale=0.8: the best with probability 0.95")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("replicate", "pilot_lime"), "pilot_line"),
        (("replicate", "pilot_line", "--kpi", "beep"), "no key figure"),
        (("replicate", "pilot_line", "--precision", "scans"), "KPI=2%"),
        (("compare", "pilot_line"), "two scenarios"),
        (("sweep", "pilot_line", "--vary", "work.pick_scale"), "KEY=A,B,C"),
        (("sweep", "pilot_line", "--vary", "work.pick_scle=1"), "did you mean"),
        (("sweep", "pilot_line", "--vary", "work.pick_scale=1..2"), "latin-hypercube"),
        (("sweep", "pilot_line", *SCALES, "--design", "sobol"), "takes ranges"),
        (("sweep", "pilot_line", *SCALES, *SCALES), "varied twice"),
        (("select", "pilot_line", *SCALES), "--at-most"),
        (("sweep", "pilot_line", *SCALES, "--dask", "nowhere"), "serial, processes"),
        (("replicate", "pilot_line", "--out", "/nowhere/x.csv", *SHORT), "make the folder"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(words: tuple[str, ...], expected: str) -> None:
    status, said = call(*words)
    assert status == 2
    assert said.startswith("twin: ")
    assert expected in said
    assert "Traceback" not in said


INDICES = ("--design", "indices", "--count", "8", "-n", "1", "--kpi", "scans")
RANGES = ("--vary", "work.pick_scale=0.6..1.4", "--vary", "work.shifts.pilot.workers=2..5")
INTERVAL = "links.ble.stationary.connection_interval"
SLOWER = ("--vary", f"{INTERVAL}=30 ms,50 ms", "--cost", f"{INTERVAL}=2")
PRICE = ("--cost", "work.shifts.pilot.workers=30")


@pytest.mark.parametrize(
    ("words", "title"),
    [
        (("replicate", "pilot_line", "-n", "3", "--kpi", "scans"), "replications"),
        (("compare", "pilot_line", *SCALES, "-n", "3", "--kpi", "scans"), "comparison"),
        (("sweep", "pilot_line", *SCALES, "-n", "3", "--kpi", "scans"), "sweep"),
        (("sweep", "pilot_line", *RANGES, *INDICES), "what decides"),
        (("select", "pilot_line", *SCALES, "--kpi", "scans", "--delta", "30"), "selection"),
        (
            ("search", "pilot_line", *RANGES, "--kpi", "beep_p95_ms", "--at-most", "900",
             "--trials", "8", *PRICE),
            "search",
        ),
    ],
)  # fmt: skip
def test_each_answer_can_be_written_as_a_page(
    words: tuple[str, ...], title: str, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    status, said = call(*words, "--report", str(path), *SHORT)
    assert status == 0, said
    assert f"report       {path}" in said
    assert f"<h1>pilot_line: {title}</h1>" in path.read_text()
    assert said.splitlines()[0].replace("<", "&lt;") in path.read_text()


@pytest.mark.parametrize("option", ["--out", "--report"])
def test_where_nothing_can_be_written_nothing_is_run(option: str, tmp_path: Path) -> None:
    for place, words in (("none/x", "make the folder"), (".", "is a folder")):
        status, said = call(
            "replicate", "pilot_line", "-n", "100000", option, str(tmp_path / place), *SHORT
        )
        assert status == 2
        assert words in said
    same = str(tmp_path / "x")
    status, said = call("replicate", "pilot_line", "--out", same, "--report", same, *SHORT)
    assert status == 2
    assert "name two files" in said


def test_another_confidence_is_another_interval() -> None:
    few = ("replicate", "pilot_line", "-n", "5", "--kpi", "scans", *SHORT)
    assert call(*few)[1] != call(*few, "--confidence", "0.5")[1]
    assert "50 % intervals" in call(*few, "--confidence", "0.5")[1]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("sweep", "pilot_line", *SCALES, *INDICES), "takes ranges, not values"),
        (("sweep", "pilot_line", *RANGES, *INDICES, "--kpi", "jobs"), "one figure"),
        (("search", "pilot_line", *RANGES, "--delta", "3", *PRICE), "prices are for"),
        (("search", "pilot_line", *RANGES, "--at-most", "3"), "prices are for"),
        (("search", "pilot_line", *RANGES, "--at-most", "3", "--delta", "3"), "a limit or"),
        (("select", "pilot_line", *SCALES, "--delta", "3", "--probability", "0.9"), "to a limit"),
        (("select", "pilot_line", *SCALES, "--at-most", "3", "--largest"), "belongs to --delta"),
        (
            ("search", "pilot_line", *SCALES, "--at-most", "3", *PRICE),
            "has a price, but is not varied",
        ),
        (("search", "pilot_line", *SLOWER, "--at-most", "300"), "is no number"),
        (("compare", "pilot_line", "pilot_line"), "several scenarios are called pilot_line"),
        (("replicate", "pilot_line", "--confidence", "95"), "confidence"),
        (("replicate", "pilot_line", "--kpi", "beep_p95"), "did you mean"),
    ],
)
def test_what_cannot_be_asked_is_refused(words: tuple[str, ...], expected: str) -> None:
    status, said = call(*words, *SHORT)
    assert status == 2, said
    assert expected in " ".join(said.split())
