"""`import twin` is quick because it loads nothing heavy and compiles nothing."""

import subprocess
import sys

HEAVY = ("numba", "pandas", "matplotlib", "simpy", "sqlite3", "llvmlite", "typer", "IPython")


def loaded_by(statement: str) -> set[str]:
    """Which heavy libraries a fresh interpreter has after a statement."""
    code = f"{statement}\nimport sys\nprint(*({HEAVY!r} & sys.modules.keys()))"
    code = code.replace(repr(HEAVY), repr(set(HEAVY)))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_twin_loads_nothing_heavy() -> None:
    assert not loaded_by("import twin")


def test_loading_a_scenario_compiles_nothing() -> None:
    statement = "from twin.scenario import load; load('reference_site')"
    assert not loaded_by(statement)


def test_it_would_notice() -> None:
    assert loaded_by("import simpy, sqlite3") == {"simpy", "sqlite3"}
