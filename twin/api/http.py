"""Requests, answers, and the table of operations that leads from one to the other.

An operation is a row of data: method, path, who may call it, what it takes and every status its
document names. Dispatch is a plain synchronous call on the twin's own thread; whatever brings
requests (a client in a notebook, a socket) is a door and stands elsewhere.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

__all__ = [
    "Answer",
    "Api",
    "ApiError",
    "Call",
    "Envelope",
    "Manners",
    "Operation",
    "Request",
    "Response",
]

MOST_BODY_BYTES = 1_000_000
"""A longer body is refused: no operation of the documents needs one [B]."""
_CORS_HEADERS = "Authorization, Content-Type, X-Amz-Target, X-Amz-User-Agent"


@dataclass
class Request:
    """What a client asks; names of headers are in lower case.

    ``scheme`` is how it came: as HTTP within this process, ``https``.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    scheme: str = "https"


@dataclass
class Response:
    """What it is answered."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    def json(self) -> Any:
        """Return the body as JSON says it."""
        return json.loads(self.body)


Details = str | Mapping[str, str]
Envelope = Callable[[int, Any], Mapping[str, Any]]


class Answer(NamedTuple):
    """What a handler answers: text, bytes or plain values, and headers of its own."""

    content: str | bytes | Mapping[str, Any] | None = None
    status: int | None = None
    headers: Mapping[str, str] = {}


class ApiError(Exception):
    """The request is refused with a status and words on why, or words on each field."""

    def __init__(
        self, status: int, details: Details, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.details = details
        self.headers = headers or {}
        super().__init__(f"{status}: {details}")


@dataclass
class Call:
    """One request on its way through an operation.

    ``host`` is what answers are made from, ``who`` the caller where the operation asks for one.
    """

    host: Any
    request: Request
    params: dict[str, str]
    query: Any = None
    body: Any = None
    who: Any = None


@dataclass(frozen=True)
class Operation:
    """One operation of a document.

    Parameters
    ----------
    method, path
        As in the document; ``{names}`` match one segment.
    summary
        The document's heading.
    handler
        What answers it.
    statuses
        Every status the document names, the one of success first.
    roles
        Who may call it; empty for everybody, without login.
    query, body, answer
        Shapes of the query, of the JSON body, and of the JSON answered; None for none.
    envelope
        Makes the body of its errors, where they do not look like those of the others.
    """

    method: str
    path: str
    summary: str
    handler: Callable[[Call], Answer]
    statuses: tuple[int, ...]
    roles: frozenset[str] = frozenset()
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    envelope: Envelope | None = None


class _Node:
    """The operations at one path, and what lies below it."""

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.operations: dict[str, Operation] = {}
        self.names: tuple[str, ...] = ()
        self.allow = "OPTIONS"


def _told(_shape: type[BaseModel], error: ValidationError) -> str:
    """Say what is wrong where, one thing after the other."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    named = ((".".join(map(str, item["loc"])) or "body", item["msg"]) for item in found)
    return "; ".join(f"{place}: {said}" for place, said in named)


class Manners(NamedTuple):
    """How an API speaks: ``envelope`` makes the body of an error of status and details,
    ``authenticate`` returns who calls, with a ``role``, or raises ApiError, and ``tell`` says what
    is wrong with what does not have its shape.
    """

    envelope: Envelope
    authenticate: Callable[[Call], Any]
    tell: Callable[[type[BaseModel], ValidationError], Details] = _told


class Api:
    """The operations of one document, with its error envelope and its way to know a caller."""

    def __init__(
        self,
        operations: Sequence[Operation],
        host: Any,
        manners: Manners,
        before: Callable[[Operation], None] | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        """Build the table.

        Parameters
        ----------
        operations
            The rows.
        host
            What answers are made from.
        manners
            What its errors look like, and how it knows a caller.
        before
            Called with the operation before its handler: it may raise ApiError.
        after
            Called before an answer leaves.
        """
        self.operations = tuple(operations)
        self._host = host
        self._manners = manners
        self._before = before
        self._after = after
        self._root = _Node()
        for operation in operations:
            self._put(operation)

    def _put(self, operation: Operation) -> None:
        """Put an operation into the tree of paths."""
        node, names = self._root, []
        for segment in _segments(operation.path):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.literal.setdefault(segment, _Node())
        node.operations[operation.method] = operation
        node.names = tuple(names)
        node.allow = ", ".join(sorted([*node.operations, "OPTIONS"]))

    def dispatch(self, request: Request) -> Response:
        """Answer a request; errors of the caller come in the document's envelope."""
        found, values = self._find(request.path)
        allow = found.allow if found else "OPTIONS"
        try:
            response = self._answer(request, found, values)
        except ApiError as error:
            operation = found.operations.get(request.method) if found else None
            envelope = (operation and operation.envelope) or self._manners.envelope
            content = dict(envelope(error.status, _sayable(error.details)))
            response = _response(error.status, Answer(content, headers=error.headers))
            if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
                response.headers["Allow"] = allow
        if request.method == "OPTIONS":
            response.headers["Allow"] = allow
        if self._after is not None:
            self._after()
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = allow
        response.headers["Access-Control-Allow-Headers"] = _CORS_HEADERS
        return response

    def failed(self) -> Response:
        """Return the answer where dispatch itself failed: the fault is ours."""
        details = "The twin failed; its log says why."
        answer = Answer(dict(self._manners.envelope(HTTPStatus.INTERNAL_SERVER_ERROR, details)))
        response = _response(HTTPStatus.INTERNAL_SERVER_ERROR, answer)
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    def _find(self, path: str) -> tuple[_Node | None, list[str]]:
        """Return the node of a path and the values of its names; a literal goes before a name."""
        node: _Node | None = self._root
        values = []
        for segment in _segments(path):
            assert node is not None
            below = node.literal.get(segment)
            if below is None:
                below = node.any
                values.append(unquote(segment))
            if below is None:
                return None, []
            node = below
        return (node, values) if node and node.operations else (None, [])

    def _answer(self, request: Request, found: _Node | None, values: list[str]) -> Response:
        """Answer a request, or raise ApiError."""
        if found is None:
            raise ApiError(404, f"There is no operation at {request.path[:200]}.")
        if request.method == "OPTIONS":
            return Response(200, {})
        operation = found.operations.get(request.method)
        if operation is None:
            raise ApiError(405, f"{request.method[:20]} is not a method of this path.")
        if len(request.body) > MOST_BODY_BYTES:
            raise ApiError(413, f"The body is longer than {MOST_BODY_BYTES} bytes.")
        call = Call(self._host, request, dict(zip(found.names, values, strict=True)))
        if operation.roles:
            call.who = self._manners.authenticate(call)
            if call.who.role not in operation.roles:
                raise ApiError(403, f"{call.who.role} may not do this.")
        if operation.query is not None:
            call.query = self._validated(operation.query, _query(request.query))
        if operation.body is not None:
            call.body = self._validated(operation.body, request.body)
        if self._before is not None:
            self._before(operation)
        return _response(operation.statuses[0], operation.handler(call))

    def _validated(self, shape: type[BaseModel], given: bytes | Mapping[str, str]) -> BaseModel:
        """Return a query, or a JSON body, as its shape; raises ApiError 400."""
        try:
            if isinstance(given, bytes):
                return shape.model_validate_json(given)
            return shape.model_validate(given)
        except ValidationError as error:
            raise ApiError(400, self._manners.tell(shape, error)) from error


def _segments(path: str) -> list[str]:
    """Return the parts of a path between slashes."""
    return path.split("/")[1:]


def _query(text: str) -> dict[str, str]:
    """Return the pairs of a query; of a repeated name the last counts."""
    return dict(parse_qsl(text, keep_blank_values=True))


def _sayable(details: Details) -> Details:
    """Return words as JSON can say them: half a letter of a path is none."""
    if isinstance(details, str):
        return details.encode(errors="replace").decode()
    return {name: said.encode(errors="replace").decode() for name, said in details.items()}


def _response(status: int, answer: Answer) -> Response:
    """Return an answer as it goes over the wire."""
    status, headers = answer.status or status, dict(answer.headers)
    if answer.content is None:
        return Response(status, headers)
    if isinstance(answer.content, str):
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
        return Response(status, headers, answer.content.encode())
    if isinstance(answer.content, bytes):
        headers.setdefault("Content-Type", "application/octet-stream")
        return Response(status, headers, answer.content)
    headers.setdefault("Content-Type", "application/json")
    return Response(status, headers, to_json(answer.content))
