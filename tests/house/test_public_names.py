"""What a module offers: `__all__` is sorted, complete and importable."""

import ast
import importlib
from pathlib import Path

import pytest

from tests.house.tree import TWIN, Function, module_name, parsed, python_files

MOST_NAMES = 12
"""`import twin` shows no more than a reader takes in at a glance."""


def declared(tree: ast.Module) -> list[str] | None:
    """The names in `__all__`, or None where a module has none."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return list(ast.literal_eval(value))
    return None


def defined(tree: ast.Module) -> set[str]:
    """The public functions and classes of a module."""
    kinds = (ast.ClassDef, *Function.__args__)
    return {
        node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")
    }


def handed_on(tree: ast.Module) -> set[str]:
    """The names that a package's `__init__` imports to offer them."""
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("twin.")
        for alias in node.names
        if not (alias.asname or alias.name).startswith("_")
    }


def order(name: str) -> tuple[bool, bool, str]:
    """Constants, then classes, then functions, each by the alphabet."""
    return (not name.isupper(), not name[0].isupper(), name)


WITH_ALL = [path for path in python_files("twin") if declared(parsed(path)) is not None]


@pytest.mark.parametrize("path", WITH_ALL, ids=str)
def test_names_are_sorted_complete_and_importable(path: Path) -> None:
    names = declared(parsed(path)) or []
    assert names == sorted(set(names), key=order)
    module = importlib.import_module(module_name(path))
    assert not [name for name in names if not hasattr(module, name)]
    if path.parent.name != "cli":  # its commands are reached through a terminal
        assert defined(parsed(path)) <= set(names)
    if path.name == "__init__.py":
        assert handed_on(parsed(path)) <= set(names)


@pytest.mark.parametrize("path", sorted(TWIN.rglob("__init__.py")), ids=str)
def test_a_package_that_hands_names_on_declares_them(path: Path) -> None:
    assert declared(parsed(path)) is not None or not handed_on(parsed(path))


def test_twin_itself_offers_few_names() -> None:
    twin = importlib.import_module("twin")
    assert 0 < len(twin.__all__) <= MOST_NAMES
    assert set(twin.__all__) <= set(dir(twin))
    assert not [name for name in twin.__all__ if not hasattr(twin, name)]


def test_the_order_is_that_of_the_lint() -> None:
    assert sorted(["b", "a", "Law", "Abc", "LAW"], key=order) == ["LAW", "Abc", "Law", "a", "b"]
