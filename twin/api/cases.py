"""How each status of each operation is reached: a request for every one of them.

The table of an API says what is documented; its cases show that it is so. Statuses that no caller
can cause are reached by a fault, as users provoke them.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from twin.api.http import Api, Operation, Request, Response

__all__ = [
    "UNKNOWN_ID",
    "Case",
    "Own",
    "Reached",
    "Stage",
    "cases_of",
    "covered",
    "encoded",
    "made_by",
    "named",
    "reach",
]

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


Own = tuple[int, str, Callable[[Any], Request]]
"""A status, how it is reached, and what makes the request: a row of an API's cases."""


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


def encoded(body: object) -> bytes:
    """Return a body as JSON, None for no body."""
    return b"" if body is None else json.dumps(body).encode()


def made_by(api: Api, request: Request) -> Any:
    """Return what a request that has to succeed is answered, None for no body."""
    answer = api.dispatch(request)
    assert answer.status < 300, answer.body
    return answer.json() if answer.body else None


def cases_of(
    operations: Sequence[Operation],
    own: Mapping[str, Sequence[Own]],
    common: Callable[[Operation], Sequence[Own]] = lambda _: (),
) -> list[Case]:
    """Return a case for every documented status of some operations that there is a way to.

    Parameters
    ----------
    operations
        The table of the API.
    own
        The cases of each operation, the one of success first.
    common
        Returns what many operations have in common; an operation's own cases go before.
    """
    return [case for operation in operations for case in _of(operation, own, common)]


def _of(
    operation: Operation,
    own: Mapping[str, Sequence[Own]],
    common: Callable[[Operation], Sequence[Own]],
) -> list[Case]:
    """Return the cases of one operation; by fault where there is no other way to an error."""
    name = named(operation)
    mine = own.get(name, ())
    found = {status: Case(name, status, how, make) for status, how, make in mine}
    for status, how, make in common(operation):
        found.setdefault(status, Case(name, status, how, make))
    for status in operation.statuses:
        if status not in found and status >= 400:
            found[status] = Case(name, status, f"fault(status={status})", mine[0][2], by_fault=True)
    return [found[status] for status in operation.statuses if status in found]


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
