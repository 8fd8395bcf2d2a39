"""Notebooks are fit to be compared and to be taught from.

That their outputs still come out the same, nbval checks in the same pytest run. What nbval cannot
see stands here: it passes a cell without stored output, and never looks at a picture.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("**/*.ipynb"))
NOTEBOOKS = [path for path in NOTEBOOKS if ".ipynb_checkpoints" not in path.parts]

OPENING = ("Objectives", "Time", "You need")
LONGEST_CELL = 15
LARGEST_OUTPUT = 200_000
MOST_CELLS = 40
NOT_COMPARED = {"nbval-ignore-output", "nbval-skip", "raises-exception"}

Cell = dict[str, Any]


def source(cell: Cell) -> str:
    """The text of a cell."""
    return "".join(cell["source"])


def code_cells(notebook: dict[str, Any]) -> list[Cell]:
    """The cells that run: code, and not empty."""
    cells: list[Cell] = notebook["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code" and source(cell).strip()]


def problems(notebook: dict[str, Any]) -> Iterator[str]:
    """All that makes a notebook unfit."""
    kernel = notebook["metadata"].get("kernelspec", {}).get("name")
    if kernel != "python3":
        yield f"kernelspec is {kernel!r}: a reader has only python3"
    opening = source(notebook["cells"][0]) if notebook["cells"] else ""
    for word in OPENING:
        if word not in opening:
            yield f"the first cell does not say {word!r}"
    if len(notebook["cells"]) > MOST_CELLS:
        yield f"more than {MOST_CELLS} cells"
    for number, cell in enumerate(code_cells(notebook), 1):
        for problem in cell_problems(cell, number):
            yield f"code cell {number}: {problem}"


def cell_problems(cell: Cell, number: int) -> Iterator[str]:
    """All that makes one code cell unfit."""
    if cell.get("execution_count") != number:
        yield f"execution_count is {cell.get('execution_count')}: run `make notebooks`"
    if len(source(cell).strip().splitlines()) > LONGEST_CELL:
        yield f"longer than {LONGEST_CELL} lines"
    if source(cell).rstrip().endswith(";"):
        yield "ends in a semicolon, which the comparison ignores: write `_ = ...`"
    for output in cell["outputs"]:
        if len(json.dumps(output)) > LARGEST_OUTPUT:
            yield f"an output above {LARGEST_OUTPUT} bytes"
        if output.get("name") == "stderr" and not NOT_COMPARED & tags(cell):
            yield "stored stderr"
    if any(is_picture(output) for output in cell["outputs"]) and not has_digest(cell):
        yield "a picture without a line of its numbers: the comparison does not look at pictures"


def tags(cell: Cell) -> set[str]:
    """The tags of a cell."""
    return set(cell["metadata"].get("tags", []))


def is_picture(output: Cell) -> bool:
    """Whether an output is an image."""
    return any(kind.startswith("image/") for kind in output.get("data", {}))


def has_digest(cell: Cell) -> bool:
    """Whether a cell prints, or ends with, text that holds a number."""
    for output in cell["outputs"]:
        if is_picture(output):
            continue
        text = "".join(output.get("text", output.get("data", {}).get("text/plain", "")))
        if re.search(r"\d", text):
            return True
    return False


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_fit(path: Path) -> None:
    assert not list(problems(json.loads(path.read_text(encoding="utf-8"))))


def test_plain_pytest_compares_every_code_cell_of_every_notebook() -> None:
    if not FOLDER.exists() or not list(FOLDER.iterdir()):
        pytest.skip("there is no notebook yet")
    assert NOTEBOOKS, "the folder of notebooks holds none"
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", "notebooks"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in NOTEBOOKS:
        cells = code_cells(json.loads(path.read_text(encoding="utf-8")))
        name = path.relative_to(ROOT).as_posix()
        assert done.stdout.count(f"{name}::") == len(cells)


GOOD: dict[str, Any] = {
    "metadata": {"kernelspec": {"name": "python3"}},
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["Objectives ", "Time ", "You need"]},
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": 1,
            "source": ["_ = ax.plot(x)\n", "print(f'{n} scans')"],
            "outputs": [
                {"output_type": "display_data", "data": {"image/png": "iVBOR"}},
                {"output_type": "stream", "name": "stdout", "text": ["812 scans\n"]},
            ],
        },
    ],
}


def spoilt(change: str) -> dict[str, Any]:
    """A good notebook with one thing wrong."""
    notebook: dict[str, Any] = json.loads(json.dumps(GOOD))
    code = notebook["cells"][1]
    match change:
        case "kernelspec":
            notebook["metadata"]["kernelspec"]["name"] = "my-venv"
        case "'You need'":
            notebook["cells"][0]["source"].pop()
        case "cells":
            notebook["cells"] += [notebook["cells"][0]] * MOST_CELLS
        case "execution_count":
            code["execution_count"] = None
        case "lines":
            code["source"] = ["x = 1\n"] * (LONGEST_CELL + 1)
        case "semicolon":
            code["source"] = ["ax.plot(x);"]
        case "bytes":
            code["outputs"][1]["text"] = ["1" * LARGEST_OUTPUT]
        case "stderr":
            code["outputs"].append({"output_type": "stream", "name": "stderr", "text": ["!"]})
        case "picture":
            code["outputs"].pop()
    return notebook


def test_a_good_notebook_has_no_problem() -> None:
    assert not list(problems(GOOD))


@pytest.mark.parametrize(
    "change",
    [
        *("kernelspec", "'You need'", "cells", "execution_count", "lines", "semicolon"),
        *("bytes", "stderr", "picture"),
    ],
)
def test_a_spoilt_notebook_has_one(change: str) -> None:
    (problem,) = problems(spoilt(change))
    assert change in problem
