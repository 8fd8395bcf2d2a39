"""One clock and one source of chance: nothing in the twin asks another."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, at, functions, parsed, python_files

FOREIGN = {
    "import random": "twin.draws",
    "import numpy as np\n\nRNG = np.random.default_rng(1)": "twin.draws",
    "from numpy.random import default_rng": "twin.draws",
    "import uuid\n\nNAME = uuid.uuid4()": "twin.draws",
    "import os\n\nKEY = os.urandom(8)": "twin.draws",
    "import secrets": "twin.draws",
    "import time\n\nNOW = time.time()": "twin.world.clock",
    "from time import time_ns": "twin.world.clock",
    "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)": "twin.world.clock",
    "from datetime import date\n\nTODAY = date.today()": "twin.world.clock",
}


def banned(source: str, name: str = "twin/floor/new.py") -> list[str]:
    """The messages of the lint about foreign clocks and chance in a piece of source."""
    command = [sys.executable, "-m", "ruff", "check", "--select=TID251", "--output-format=json"]
    command += ["--no-cache", f"--stdin-filename={name}", "-"]
    done = subprocess.run(
        command, input=source, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [finding["message"] for finding in json.loads(done.stdout)]


@pytest.mark.parametrize("source", FOREIGN)
def test_the_lint_refuses_it_and_says_where_to_go(source: str) -> None:
    messages = banned(source)
    assert messages
    assert FOREIGN[source] in messages[0]


def test_the_lint_lets_a_stopwatch_pass() -> None:
    assert not banned("import time\n\nSTART = time.perf_counter()\n")


def test_no_file_silences_the_lint() -> None:
    silenced = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files("twin")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "noqa" in line and ("TID251" in line or line.rstrip().endswith("noqa"))
        if path != ROOT / "twin" / "world" / "clock.py"
    ]
    assert not silenced


def _builtin_hashes(tree: ast.Module) -> list[ast.Call]:
    allowed = {
        id(node)
        for function in functions(tree)
        if function.name == "__hash__"
        for node in ast.walk(function)
    }
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"hash", "id"} and id(node) not in allowed
    ]


BY_IDENTITY = ROOT / "twin" / "store" / "frozen.py"
"""Knows what has a name by what it is, as pickle itself does; no address outlives the call."""


@pytest.mark.parametrize("path", [p for p in python_files("twin") if p != BY_IDENTITY], ids=str)
def test_nothing_depends_on_the_hash_or_address_of_an_object(path: Path) -> None:
    # `hash("text")` differs from process to process, and `id` from run to run.
    assert not [at(path, node) for node in _builtin_hashes(parsed(path))]


def test_it_finds_a_hash() -> None:
    assert _builtin_hashes(ast.parse("word = hash(name)"))
    assert not _builtin_hashes(ast.parse("def __hash__(self):\n    return hash(self.key)"))
