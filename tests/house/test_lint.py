"""Style and types: the same checks as `make lint`, so that one command decides."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

CHECKS = {
    "style": ["ruff", "check", "--quiet", "--output-format=concise", "."],
    "format": ["ruff", "format", "--check", "--quiet", "--output-format=concise", "."],
    "types": ["mypy", "--no-error-summary", "--no-pretty"],
}


def said_by(command: list[str], cwd: Path = ROOT) -> tuple[int, str]:
    """The exit code of a tool and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", CHECKS)
def test_the_tool_finds_nothing(name: str) -> None:
    code, said = said_by(CHECKS[name])
    assert code == 0, said


def test_the_style_check_bites(tmp_path: Path) -> None:
    source = '"""Bad."""\n\n\ndef f(x):\n    print(x)\n'
    (tmp_path / "bad.py").write_text(source)
    config = ROOT / "pyproject.toml"
    code, said = said_by(["ruff", "check", "--no-cache", f"--config={config}", "bad.py"], tmp_path)
    assert code == 1
    assert {"ANN001", "ANN201", "D103", "T201"} <= set(said.split())


def test_the_type_check_bites(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def f(x: int) -> str:\n    return x\n")
    config = ROOT / "pyproject.toml"
    command = ["mypy", f"--config-file={config}", "--cache-dir=cache", "bad.py"]
    code, said = said_by(command, tmp_path)
    assert code == 1
    assert "[return-value]" in said
