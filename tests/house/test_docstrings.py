"""Docstrings say the unit, and name what is there.

That every public name has one, the lint checks (rules D). Here stand three rules about
units, which no linter knows:

* A function whose name ends in a unit returns that unit, and its docstring says it: `[us]`.
* A `Parameters` section names parameters (or fields) that exist.
* Where it names one that carries a unit in its name, its text has that unit in brackets.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import Function, at, functions, parsed, python_files

UNITS = {
    "us": "us",
    "ms": "ms",
    "s": "s",
    "h": "h",
    "m": "m",
    "dbm": "dBm",
    "db": "dB",
    "degc": "degC",
    "hz": "Hz",
    "ppb": "1e-9",
    "ppm": "1e-6",
    "ppm_per_h": "1e-6/h",
    "per_h": "1/h",
    "percent": "%",
    "bytes": "B",
}
"""What the end of a name means, and how the docstring writes it."""

Documented = Function | ast.ClassDef

_ENTRY = re.compile(r"^(\w[\w, *]*?)(?: : .*)?$")


def unit_of(name: str) -> str | None:
    """The unit that a name ends in, if it ends in one."""
    for suffix in sorted(UNITS, key=len, reverse=True):
        if name.endswith(f"_{suffix}"):
            return UNITS[suffix]
    return None


def parameters_section(docstring: str) -> dict[str, str]:
    """The entries of a numpydoc `Parameters` section: name to text."""
    _, found, rest = docstring.partition("Parameters\n----------\n")
    if not found:
        return {}
    section = re.split(r"\n\n\w[\w ]*\n-{3,}\n", rest)[0]
    entries: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if line and not line.startswith(" ") and (entry := _ENTRY.match(line)):
            names = [name.strip(" *") for name in entry[1].split(",")]
            entries.update(dict.fromkeys(names, ""))
        else:
            entries.update({name: f"{entries[name]} {line.strip()}" for name in names})
    return entries


def names_in(node: Documented) -> set[str]:
    """What a `Parameters` section may name: parameters, or the fields of a record."""
    if isinstance(node, ast.ClassDef):
        fields = {
            item.target.id
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }
        inits = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        return fields.union(*(names_in(item) for item in inits if item.name == "__init__"))
    arguments = ast.walk(node.args)
    return {item.arg for item in arguments if isinstance(item, ast.arg)}


def documented(tree: ast.Module) -> Iterator[tuple[Documented, str]]:
    """Every function and class that has a docstring."""
    for node in ast.walk(tree):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            yield node, text


def problems(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Everything in a file that breaks one of the three rules."""
    for node, text in documented(tree):
        unit = unit_of(node.name)
        if isinstance(node, Function) and unit and f"[{unit}]" not in text:
            yield node, f"{node.name} returns [{unit}] and does not say so"
        for name, entry in parameters_section(text).items():
            if name not in names_in(node):
                yield node, f"{node.name} documents {name}, which it does not have"
            elif (unit := unit_of(name)) and f"[{unit}]" not in entry:
                yield node, f"{node.name}: the text of {name} does not say [{unit}]"


def undocumented(tree: ast.Module) -> list[Function]:
    """Functions that return a unit without any docstring, private ones excepted."""
    return [
        node
        for node in functions(tree)
        if unit_of(node.name) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]


@pytest.mark.parametrize("path", python_files("twin"), ids=str)
def test_units_are_said(path: Path) -> None:
    tree = parsed(path)
    assert not [f"{at(path, node)}: {text}" for node, text in problems(tree)]
    assert not [f"{at(path, node)}: no docstring" for node in undocumented(tree)]


def documenting(name: str) -> str:
    """A docstring whose section names a parameter and gives it no unit."""
    return f'    """Do.\n\n    Parameters\n    ----------\n    {name}\n        It.\n    """\n'


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('def trip_us():\n    """Return a time."""', "does not say so"),
        (f"def f(a):\n{documenting('b')}", "b, which it does not have"),
        (f"def f(a_us):\n{documenting('a_us')}", "text of a_us does not say [us]"),
        (f"class F:\n{documenting('a, b_m')}    a: int\n    b_m: int", "b_m does not say [m]"),
    ],
)
def test_it_finds(source: str, said: str) -> None:
    ((_, text),) = problems(ast.parse(source))
    assert said in text


def test_it_reads_several_names_and_sections() -> None:
    text = "Do.\n\nParameters\n----------\na, b_us : int\n    Both [us].\n\nReturns\n-------\nc\n"
    assert parameters_section(text) == {"a": " Both [us].", "b_us": " Both [us]."}


def test_it_reads_the_unit_of_a_name() -> None:
    assert unit_of("drain_ppm_per_h") == "1e-6/h"
    assert unit_of("interval_us") == "us"
    assert unit_of("scans") is None
