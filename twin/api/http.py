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

__all__ = ["Answer", "Api", "ApiError", "Call", "Operation", "Request", "Response"]

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


class Answer(NamedTuple):
    """What a handler answers: text, bytes or plain values, and headers of its own."""

    content: str | bytes | Mapping[str, Any] | None = None
    status: int | None = None
    headers: Mapping[str, str] = {}


class ApiError(Exception):
    """The request is refused with a status and words on why."""

    def __init__(self, status: int, details: str) -> None:
        self.status = status
        self.details = details
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


class _Node:
    """The operations at one path, and what lies below it."""

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.operations: dict[str, Operation] = {}
        self.names: tuple[str, ...] = ()
        self.allow = "OPTIONS"


class Api:
    """The operations of one document, with its error envelope and its way to know a caller."""

    def __init__(
        self,
        operations: Sequence[Operation],
        host: Any,
        envelope: Callable[[int, str], Mapping[str, Any]],
        authenticate: Callable[[Call], Any],
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
        envelope
            Makes the body of an error from status and details.
        authenticate
            Returns who calls, with a ``role``, or raises ApiError.
        before
            Called with the operation before its handler: it may raise ApiError.
        after
            Called before an answer leaves.
        """
        self.operations = tuple(operations)
        self._host = host
        self._envelope = envelope
        self._authenticate = authenticate
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
            # Half a letter of a path cannot be said in JSON.
            status, details = error.status, error.details.encode(errors="replace").decode()
            response = _response(status, Answer(dict(self._envelope(status, details))))
            if status == HTTPStatus.METHOD_NOT_ALLOWED:
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
        answer = Answer(dict(self._envelope(HTTPStatus.INTERNAL_SERVER_ERROR, details)))
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
            call.who = self._authenticate(call)
            if call.who.role not in operation.roles:
                raise ApiError(403, f"{call.who.role} may not do this.")
        if operation.query is not None:
            call.query = _validated(operation.query, _query(request.query))
        if operation.body is not None:
            call.body = _validated_json(operation.body, request.body)
        if self._before is not None:
            self._before(operation)
        return _response(operation.statuses[0], operation.handler(call))


def _segments(path: str) -> list[str]:
    """Return the parts of a path between slashes."""
    return path.split("/")[1:]


def _query(text: str) -> dict[str, str]:
    """Return the pairs of a query; of a repeated name the last counts."""
    return dict(parse_qsl(text, keep_blank_values=True))


def _validated(shape: type[BaseModel], values: Mapping[str, str]) -> BaseModel:
    """Return a query as its shape; raises ApiError 400."""
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        raise ApiError(400, _told(error)) from error


def _validated_json(shape: type[BaseModel], body: bytes) -> BaseModel:
    """Return a JSON body as its shape; raises ApiError 400."""
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        raise ApiError(400, _told(error)) from error


def _told(error: ValidationError) -> str:
    """Say what is wrong where, one thing after the other."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    named = ((".".join(map(str, item["loc"])) or "body", item["msg"]) for item in found)
    return "; ".join(f"{place}: {said}" for place, said in named)


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
