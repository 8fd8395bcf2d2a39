"""The command line as a user meets it: what it prints, writes, refuses and returns."""

import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from typer import Typer
from typer.testing import CliRunner

from twin import resources
from twin.cli import app
from twin.scenario import load
from twin.twin import Twin

COMMANDS = (
    "run", "check", "assumptions", "new", "serve", "routes", "upgrade",
    "replicate", "compare", "sweep", "select", "search", "fit",
)  # fmt: skip
GROUPS = {"image": ("make", "show"), "licence": ("issue", "show")}
WORDS = [
    *((command,) for command in COMMANDS),
    *((group,) for group in GROUPS),
    *((group, command) for group in GROUPS for command in GROUPS[group]),
]


def call(*words: str) -> tuple[int, str, str]:
    """Give status, stdout and stderr of a command."""
    found = CliRunner().invoke(app, list(words))
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


def program(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "twin", *words]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def pilot(folder: Path, *changes: tuple[str, str]) -> str:
    """Write the pilot line with some texts changed, and give its path."""
    text = resources.scenario_path("pilot_line").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


# --- help --------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), *WORDS])
def test_every_help_has_an_example(words: tuple[str, ...]) -> None:
    status, out, _ = call(*words, "--help")
    assert status == 0
    assert re.search(rf"Example:\s+twin {' '.join(words)}", out)


def names_of(application: Typer) -> set[str]:
    return {
        command.name or getattr(command.callback, "__name__", "")
        for command in application.registered_commands
    }


def test_every_command_is_tested_for_help() -> None:
    assert names_of(app) == set(COMMANDS)
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    assert groups.keys() == GROUPS.keys()
    for name, group in groups.items():
        assert group is not None
        assert names_of(group) == set(GROUPS[name or ""])


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"twin \d+\.\d+\.\d+\n", call("--version")[1])


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from twin.cli import app\n"
        "try: app(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numba', 'pandas', 'matplotlib', 'simpy') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout.endswith("[]\n")


@pytest.mark.parametrize("words", [("rnu",), ("run",), ("run", "pilot_line", "--engine", "fast"),
                                   ("run", "pilot_line", "--seed", "-1")])  # fmt: skip
def test_wrong_usage_has_status_2_and_no_traceback(words: tuple[str, ...]) -> None:
    status, _, err = call(*words)
    assert status == 2
    assert "Traceback" not in err


# --- check -------------------------------------------------------------------


@pytest.mark.parametrize("name", resources.scenario_names())
def test_packaged_scenarios_are_sound(name: str) -> None:
    status, out, _ = call("check", name)
    assert status == 0
    assert out.endswith("sound, 0 warnings\n")


def test_check_says_what_the_site_holds() -> None:
    first = call("check", "reference_site")[1].splitlines()[0]
    digest = load("reference_site").digest[:12]
    for part in ("120 m x 80 m", "3 shifts", "40 workers", "150 scanners", "24 gateways", digest):
        assert part in first


@pytest.mark.parametrize("command", [("check",), ("run",), ("assumptions",)])
def test_a_typo_gets_file_key_and_nearest_key(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = pilot(tmp_path, ("horizon =", "horzon ="))
    status, _, err = call(*command, path)
    assert status == (1 if command == ("check",) else 2)
    assert f"{path}: run.horzon" in err
    assert "horizon" in err.replace("horzon", "")
    assert "Traceback" not in err


def test_warnings_are_shown_and_do_not_fail(tmp_path: Path) -> None:
    path = pilot(tmp_path, ("workers = 5", "workers = 9"))
    status, out, _ = call("check", path)
    assert status == 0
    assert "warning: fleet.scanners: 5 scanners for 9 workers" in out
    assert "sound, 2 warnings" in out


# --- assumptions -------------------------------------------------------------


def test_assumptions_are_a_table_and_a_count() -> None:
    status, out, _ = call("assumptions", "pilot_line")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].split() == ["key", "value", "unit", "certainty", "source"]
    row = next(line for line in lines if line.startswith("cloud.telemetry_period"))
    assert re.match(r"cloud.telemetry_period\s+5\s+min\s+D\s+assumed", row)
    count = re.fullmatch(r"(\d+) of (\d+) values have no source \(certainty D\)", lines[-1])
    assert count
    assert int(count[2]) == len(lines) - 3


def test_only_the_unsourced_are_listed_if_asked() -> None:
    lines = call("assumptions", "pilot_line", "--unsourced")[1].splitlines()
    column = lines[0].index("certainty")
    assert {line[column] for line in lines[1:-2]} == {"D"}
    assert lines[-1].startswith(f"{len(lines) - 3} of ")


# --- new ---------------------------------------------------------------------


def test_a_new_scenario_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "mine" / "scenario.toml"
    assert call("new", str(tmp_path / "mine"))[0] == 0
    assert path.read_text(encoding="utf-8") == resources.starter_text()
    assert call("check", str(path))[0] == 0


def test_new_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text("mine")
    status, _, err = call("new", str(tmp_path))
    assert status == 2
    assert "exists already" in err
    assert (tmp_path / "scenario.toml").read_text() == "mine"


def test_new_into_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    status, _, err = call("new", str(tmp_path / "file"))
    assert (status, "exists already" in err) == (2, True)
    status, _, err = call("new", str(tmp_path / "file" / "below"))
    assert (status, "cannot be written" in err) == (2, True)


# --- run ---------------------------------------------------------------------


def test_a_run_prints_the_kpis_and_writes_three_files(tmp_path: Path) -> None:
    found = program("run", "pilot_line", "--until", "2 h", "--seed", "7", folder=tmp_path)
    assert found.returncode == 0, found.stderr
    folder = tmp_path / "out" / "pilot_line"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["kpis.csv", "report.html", "twin.sqlite"]
    assert "seed 7, compiled engine" in found.stdout
    for path in names:
        assert str(Path("out", "pilot_line", path)) in found.stdout
    table = pd.read_csv(folder / "kpis.csv")
    assert set(table["name"]) <= set(found.stdout.split())
    assert float(table.set_index("name").loc["scans", "value"]) > 0


def test_both_engines_print_the_same_figures(tmp_path: Path) -> None:
    def kpis(engine: str) -> str:
        out = tmp_path / engine
        words = ("--until", "1 h", "--engine", engine, "--out", str(out))
        assert call("run", "pilot_line", *words)[0] == 0
        return (out / "kpis.csv").read_text()

    assert kpis("compiled") == kpis("reference")


def test_a_bad_duration_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, _, err = call("run", "pilot_line", "--until", "8", "--out", str(out))
    assert status == 2
    assert "a number without a unit" in err
    assert not out.exists()


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nothing"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Twin, "run", lambda *_, **__: pytest.fail("it ran"))
    (tmp_path / "file").write_text("")
    status, _, err = call("run", "pilot_line", "--out", str(tmp_path / place))
    assert status == 2
    assert "cannot be written" in err
    assert "--out" in err


def test_an_interrupt_keeps_what_was_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Twin.run

    def half(self: Twin, *_: object, **__: object) -> Twin:
        whole(self, "1 h 30 min")
        raise KeyboardInterrupt

    monkeypatch.setattr(Twin, "run", half)
    status, out, err = call("run", "pilot_line", "--out", str(tmp_path))
    said = "simulated until 2026-03-02 07:30: 1 h 30 min of 8 h"
    assert status == 130
    assert said in err
    assert "scans" in out
    assert said in (tmp_path / "report.html").read_text(encoding="utf-8")
    with sqlite3.connect(tmp_path / "twin.sqlite") as state:
        assert state.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    state.close()


def test_ctrl_c_ends_a_long_run_cleanly(tmp_path: Path) -> None:
    # A year in the slow engine lasts longer than this test waits.
    path = pilot(tmp_path, ('"8 h"\nseed', '"365 d"\nseed'))
    command = [sys.executable, "-m", "twin", "run", path, "--engine", "reference", "--out", "here"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "reference engine" in process.stdout.readline()
        time.sleep(2.0)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert re.search(r"simulated until \d{4}-\d\d-\d\d \d\d:\d\d: .* of 365 d", err)
    assert "Traceback" not in err
    names = sorted(item.name for item in (tmp_path / "here").iterdir())
    assert names == ["kpis.csv", "report.html", "twin.sqlite"]
