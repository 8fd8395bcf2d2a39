"""The wheel carries all it needs: it runs outside the checkout, without a network."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import ROOT

OUTSIDE = """
from pathlib import Path
import twin, twin.resources as r
from twin.scenario import load
print(Path(twin.__file__).parent.parent)
print(*r.scenario_names())
print(*r.data_names())
print(load("reference_site").digest == load({checkout!r}).digest)
print(len(r.starter_text()) > 0)
"""


def run(command: list[str], cwd: Path, **env: str) -> str:
    """What a command prints; what it complains of when it fails."""
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=cwd, env={**clean, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    (found,) = folder.glob("twin-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    run([*pip, "--no-index", "--no-deps", "--target", str(folder), str(wheel)], folder)
    return folder


def test_it_carries_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = {path for path in (ROOT / "twin").rglob("*") if path.is_file()}
    code = {path for path in package if "__pycache__" not in path.parts}
    folders = {*(ROOT / "data").glob("*"), *(ROOT / "scenarios").glob("*.toml")}
    wanted = {path.relative_to(ROOT).as_posix() for path in code}
    wanted |= {f"twin/_packaged/{path.relative_to(ROOT).as_posix()}" for path in folders}
    assert inside == wanted


def test_scenarios_and_data_come_along(installed: Path, tmp_path: Path) -> None:
    code = OUTSIDE.format(checkout=str(ROOT / "scenarios" / "reference_site.toml"))
    said = run([sys.executable, "-c", code], tmp_path, PYTHONPATH=str(installed)).splitlines()
    assert Path(said[0]).samefile(installed)
    assert said[1].split() == sorted(path.stem for path in (ROOT / "scenarios").glob("*.toml"))
    assert said[2].split() == sorted(path.name for path in (ROOT / "data").glob("*.toml"))
    assert said[3:] == ["True", "True"]


def test_its_command_runs_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    twin = str(installed / "bin" / "twin")
    assert "reference_site" in run(
        [twin, "check", "reference_site"], tmp_path, PYTHONPATH=str(installed)
    )
