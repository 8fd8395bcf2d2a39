"""Errors say what was given, what is allowed and what to do next."""

import pickle
from pathlib import Path

import pytest

from twin import errors
from twin.errors import (
    ImageError,
    OutputError,
    Problem,
    RunError,
    ScenarioError,
    StateError,
    TwinError,
    UnitError,
)

TYPO = Problem("unknown key", "a.toml", "run.hoizon", '"8 h"', "horizon, seed", "did you mean x?")


def test_the_tree_is_drawn_at_the_top_of_the_module() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    for kind in kinds:
        if issubclass(kind, TwinError):
            assert kind.__name__ in (errors.__doc__ or "")


def test_every_error_is_a_twin_error() -> None:
    for kind in (UnitError, ScenarioError, StateError, OutputError, ImageError, RunError):
        assert issubclass(kind, TwinError)


def test_a_problem_tells_only_what_it_knows() -> None:
    assert str(Problem("missing", key="run.seed")) == "run.seed: missing"
    assert str(TYPO).splitlines() == [
        "a.toml: run.hoizon: unknown key",
        '    given:   "8 h"',
        "    allowed: horizon, seed",
        "    next:    did you mean x?",
    ]


def test_a_scenario_error_lists_all_and_unfolds_the_first() -> None:
    error = ScenarioError([TYPO, Problem("missing", "a.toml", "site")])
    assert (error.file, error.key, error.value) == ("a.toml", "run.hoizon", '"8 h"')
    assert (error.allowed, error.hint) == ("horizon, seed", "did you mean x?")
    assert len(error.problems) == 2
    assert str(error).startswith("2 problems\n")
    assert "a.toml: site: missing" in str(error)


def test_a_scenario_error_needs_a_problem() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ScenarioError([])


def test_paths_and_next_steps_are_named() -> None:
    output = OutputError("/out", "read-only")
    assert output.path == Path("/out")
    assert "/out: read-only" in str(output)
    assert "--out" in str(output)
    assert "twin.sqlite: not a database" in str(StateError("twin.sqlite", "not a database"))
    assert "next:    later" in str(RunError("time goes backwards", hint="later"))


@pytest.mark.parametrize(
    "error",
    [
        UnitError(12, "bare", units=("ms",), example="1 ms"),
        ScenarioError(TYPO),
        StateError("a", "b", hint="c"),
        OutputError("a", "b"),
        RunError("a", hint="b"),
        ImageError("a", where="b", given="c", allowed="d").of("e"),
    ],
)
def test_errors_come_back_from_a_worker_process(error: TwinError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__
