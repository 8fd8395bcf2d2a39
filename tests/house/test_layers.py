"""Each floor imports only downward, and each outside library stays in its rooms.

The contracts stand in `pyproject.toml`. Every one of them is also shown to bite: on a copy of the
package, one wrong import breaks it.
"""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, TWIN, at, parsed, python_files

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(folder: Path) -> tuple[int, str]:
    """The verdict on the package in a folder: the exit code, and what was said."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_contract_is_kept() -> None:
    code, said = lint(ROOT)
    assert code == 0, said
    assert " 0 broken" in said


WRONG = {
    "upward": ("units.py", "import twin.scenario", "Floors"),
    "upward, for types only": (
        "events.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import twin.scenario",
        "Floors",
    ),
    "between engines": (
        "floor/compiled/extra.py",
        "import twin.floor.reference",
        "The two engines of the floor do not know each other",
    ),
    "rules to engine": (
        "floor/rules/extra.py",
        "import twin.floor.compiled.state",
        "The rules of the floor know neither engine",
    ),
    "circle": (
        "scenario/mesh.py",
        "import twin.scenario.document",
        "No circles inside a room, type-only ones included",
    ),
    "between engines of the mesh": (
        "mesh/compiled/extra.py",
        "import twin.mesh.reference",
        "The two engines of the mesh do not know each other",
    ),
    "rules of the mesh to engine": (
        "mesh/rules/extra.py",
        "import twin.mesh.compiled.state",
        "The rules of the mesh know neither engine",
    ),
    "networkx": (
        "mesh/compiled/extra.py",
        "import networkx",
        "networkx lives in the topology and in plots",
    ),
    "numba": ("floor/rules/extra.py", "import numba", "numba lives in compiling"),
    "simpy": (
        "floor/compiled/extra.py",
        "import simpy",
        "SimPy lives in the reference engines and in the world",
    ),
    "sqlite3": ("scenario/extra.py", "import sqlite3", "SQLite lives in the store"),
    "pandas": (
        "floor/extra.py",
        "import pandas",
        "Rows below, frames above: the words, the floor, the world and the store know no pandas",
    ),
    "matplotlib": (
        "floor/extra.py",
        "import matplotlib",
        "Pictures are drawn in plots and bound in the report",
    ),
    "a room on no floor": ("attic.py", "", "Floors"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_import_is_caught(name: str, tmp_path: Path) -> None:
    file, source, contract = WRONG[name]
    shutil.copytree(TWIN, tmp_path / "twin", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "twin" / file
    path.write_text((path.read_text() if path.exists() else "") + f"\n{source}\n")
    code, said = lint(tmp_path)
    assert code == 1, said
    assert f"{contract} BROKEN" in said


def _through_the_front_door(tree: ast.Module) -> list[ast.AST]:
    """Imports of the package itself, whose lazy names no contract can follow."""
    rooms = {path.stem for path in TWIN.iterdir()}
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(alias.name == "twin" for alias in names):
                found.append(node)
            case ast.ImportFrom(module="twin", names=names):
                found += [node for alias in names if alias.name not in rooms]
    return found


@pytest.mark.parametrize("path", python_files("twin"), ids=str)
def test_rooms_import_rooms_and_not_the_front_door(path: Path) -> None:
    assert not [at(path, node) for node in _through_the_front_door(parsed(path))]


def test_the_front_door_is_seen() -> None:
    assert _through_the_front_door(ast.parse("import twin"))
    assert _through_the_front_door(ast.parse("from twin import load"))
    assert not _through_the_front_door(ast.parse("from twin import units"))
