"""Everything that the twin raises on purpose.

    TwinError
    ├── UnitError       a quantity without its unit, or with a wrong one
    ├── ProblemsError   what was read cannot be used: all that is wrong with it at once
    │   ├── ScenarioError   a scenario
    │   └── ExportError     an export of a site, to fit a scenario to
    ├── StateError      a saved twin that cannot be opened
    ├── OutputError     a folder or file that cannot be written
    ├── ImageError      an image or a firmware that nodes cannot be given
    └── RunError        a run asked for something impossible, such as earlier time

Each message says what was given, what is allowed and what to do next, so that
a reader needs no traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

__all__ = [
    "ExportError",
    "ImageError",
    "OutputError",
    "Problem",
    "ProblemsError",
    "RunError",
    "ScenarioError",
    "StateError",
    "TwinError",
    "UnitError",
]


class TwinError(Exception):
    """The root: catch this to catch whatever the twin refuses."""

    def __reduce__(self) -> tuple[object, ...]:
        # The subclasses build their message from parts; the default would hand
        # that message back to __init__ and fail in a worker process.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(
    kind: type[TwinError], args: tuple[object, ...], state: dict[str, object]
) -> TwinError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UnitError(TwinError, ValueError):
    """A quantity cannot be read: names the value, the units allowed and an example."""

    def __init__(self, value: object, reason: str, *, units: Iterable[str], example: str) -> None:
        self.value = value
        self.reason = reason
        self.units = tuple(units)
        self.example = example
        super().__init__(f"{value!r}: {reason}; {self.allowed}")

    @property
    def allowed(self) -> str:
        """What would have been read, as a phrase."""
        if not self.units:
            return f'write it like "{self.example}"'
        return f'a number with one of {", ".join(self.units)}, like "{self.example}"'


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a scenario, told in words; empty where it does not apply."""

    what: str
    file: str = ""
    key: str = ""
    value: str = ""
    allowed: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.file, self.key) if part)
        lines = [f"{place}: {self.what}" if place else self.what]
        for label, text in (("given", self.value), ("allowed", self.allowed), ("next", self.hint)):
            if text:
                lines.append(f"    {label + ':':<9}{text}")
        return "\n".join(lines)


class ProblemsError(TwinError):
    """Something that is read cannot be used: carries every problem found."""

    def __init__(self, problems: Iterable[Problem] | Problem) -> None:
        found = (problems,) if isinstance(problems, Problem) else tuple(problems)
        if not found:
            raise ValueError(f"a {type(self).__name__} needs at least one problem")
        self.problems: tuple[Problem, ...] = found
        super().__init__(_listed(found))

    @property
    def file(self) -> str:
        """The file of the first problem."""
        return self.problems[0].file

    @property
    def key(self) -> str:
        """The dotted key of the first problem."""
        return self.problems[0].key

    @property
    def value(self) -> str:
        """The value that was given, as written."""
        return self.problems[0].value

    @property
    def allowed(self) -> str:
        """What would have been accepted."""
        return self.problems[0].allowed

    @property
    def hint(self) -> str:
        """The nearest valid key or the next step."""
        return self.problems[0].hint


class ScenarioError(ProblemsError):
    """A scenario cannot be used: carries every problem found, the first one unfolded."""


class ExportError(ProblemsError):
    """An export cannot be read: carries every problem found, the first one unfolded."""


def _listed(problems: tuple[Problem, ...]) -> str:
    if len(problems) == 1:
        return str(problems[0])
    head = f"{len(problems)} problems"
    return "\n".join([head, *(str(problem) for problem in problems)])


class StateError(TwinError):
    """A saved state file cannot be used: names the file, the reason and the next step."""

    def __init__(self, path: str | Path, reason: str, *, hint: str = "") -> None:
        self.path = Path(path)
        self.reason = reason
        self.hint = hint
        super().__init__(str(Problem(reason, file=str(path), hint=hint)))


class OutputError(TwinError):
    """An output cannot be written: names the path, the reason and the next step."""

    def __init__(self, path: str | Path, reason: str, *, hint: str = "") -> None:
        self.path = Path(path)
        self.reason = reason
        self.hint = hint or "choose another place (command line: --out)"
        super().__init__(str(Problem(reason, file=str(path), hint=self.hint)))


class ImageError(TwinError):
    """A node cannot be given this: says what is wrong, where, and what should be there."""

    def __init__(
        self, what: str, *, where: str = "", given: str = "", allowed: str = "", hint: str = ""
    ) -> None:
        self.problem = Problem(what, key=where, value=given, allowed=allowed, hint=hint)
        super().__init__(str(self.problem))

    def of(self, file: str) -> Self:
        """Return the same of a file that has a name."""
        self.problem = replace(self.problem, file=file)
        self.args = (str(self.problem),)
        return self


class RunError(TwinError):
    """A run was asked for something that cannot be, such as a time already past."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        self.what = what
        self.hint = hint
        super().__init__(str(Problem(what, hint=hint)))
