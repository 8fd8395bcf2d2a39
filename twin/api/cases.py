"""How each status of each operation is reached: a request for every one of them.

The table of an API says what is documented; its cases show that it is so. Statuses that no caller
can cause are reached by a fault, as users provoke them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from twin.api.http import Api, Operation, Request, Response

__all__ = ["Case", "Reached", "Stage", "covered", "named", "reach"]

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


class Stage(Protocol):
    """What a case needs of a twin."""

    @property
    def customer_id(self) -> str:
        """The customer whose account it is."""

    def fault(self, operation: str, *, status: int | None = None) -> Any:
        """Let calls of an operation go wrong."""

    def mend(self, fault: Any) -> None:
        """End a fault."""


class Case(NamedTuple):
    """How a status is reached.

    Parameters
    ----------
    operation
        As ``"GET /path"``.
    status
        What is answered.
    how
        The same in words.
    request
        Puts in place what has to be there, and returns what to ask.
    by_fault
        Whether the operation is to answer this by a fault.
    """

    operation: str
    status: int
    how: str
    request: Callable[[Any], Request]
    by_fault: bool = False


class Reached(NamedTuple):
    """What came of a documented status: the case, None where there is none, and the answer."""

    operation: str
    status: int
    case: Case | None
    answered: int | None

    @property
    def is_tested(self) -> bool:
        """Whether the documented status was answered."""
        return self.status == self.answered


def named(operation: Operation) -> str:
    """Return the name of an operation."""
    return f"{operation.method} {operation.path}"


def reach(stage: Stage, case: Case, ask: Callable[[Request], Response]) -> Response:
    """Return what is answered to the request of a case.

    Parameters
    ----------
    stage
        The twin.
    case
        The case.
    ask
        The door that the request goes through.
    """
    request = case.request(stage)
    fault = stage.fault(case.operation, status=case.status) if case.by_fault else None
    try:
        return ask(request)
    finally:
        if fault is not None:
            stage.mend(fault)


def covered(stage: Stage, api: Api, cases: Sequence[Case]) -> Iterator[Reached]:
    """Try every documented status of an API, in the order of its table."""
    known = {(case.operation, case.status): case for case in cases}
    for operation in api.operations:
        for status in operation.statuses:
            name = named(operation)
            case = known.get((name, status))
            answered = case and reach(stage, case, api.dispatch).status
            yield Reached(name, status, case, answered)
