"""Files and functions stay small enough to hold in the eye."""

import ast
from pathlib import Path

import pytest

from tests.house.tree import Function, at, functions, parsed, python_files

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
P90_FUNCTION = 25

FUNCTIONS = [(path, node) for path in python_files("twin") for node in functions(parsed(path))]


def body_lines(node: Function) -> int:
    """The lines of a function without its docstring, blank lines included."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


@pytest.mark.parametrize("path", python_files("twin", "tests", "benchmarks"), ids=str)
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_no_function_is_too_long() -> None:
    long = {
        f"{at(path, node)} {node.name}": body_lines(node)
        for path, node in FUNCTIONS
        if body_lines(node) > LONGEST_FUNCTION
    }
    assert not long


def test_nine_of_ten_functions_are_short() -> None:
    lines = sorted(body_lines(node) for _, node in FUNCTIONS)
    assert lines[len(lines) * 9 // 10] <= P90_FUNCTION


def test_a_docstring_is_not_counted() -> None:
    source = 'def f():\n    """One.\n\n    Two.\n    """\n    return 1\n'
    (node,) = functions(ast.parse(source))
    assert body_lines(node) == 2
