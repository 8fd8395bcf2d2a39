"""OpenAPI 3.1 from the table of operations: nothing in it is written twice."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from twin.api.http import Operation

__all__ = ["Described", "Link", "openapi"]

_REFERENCE = "#/components/schemas/{model}"
_BODY = 0
_UNDOCUMENTED = {
    400: "Malformed request.",
    401: "No authentication header found.",
    403: "Access denied.",
    404: "There is none.",
    405: "The method is none of this path.",
    409: "There is one already.",
    413: "The body is too long.",
}
"""Statuses that HTTP needs where a document omits them: sent in its envelope, marked as such."""


@dataclass(frozen=True)
class Link:
    """From the answer to one operation to another one.

    Operations are named as ``"GET /path"``. ``parameters`` and ``body`` say which place of the
    answer each path parameter, or field of the body, is taken from: a JSON pointer (RFC 6901)
    without its first slash. A path parameter that both have keeps its value.
    """

    origin: str
    target: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)


_HEADERS = {
    "Access-Control-Allow-Origin": "Who may read the answer in a browser.",
    "Access-Control-Allow-Methods": "What this path knows.",
    "Access-Control-Allow-Headers": "What a browser may send.",
}


@dataclass(frozen=True)
class Described:
    """What is said of an API beside its table of operations.

    Parameters
    ----------
    title
        Its name.
    problem
        The shape of an error.
    login
        Name and scheme of how callers say who they are.
    refusals
        The statuses that are answered to who may not call.
    examples
        One of each shape.
    own_examples
        Examples of one operation, named as ``"GET /path"``, that go before those of the shapes:
        by status, that of its body by 0.
    links
        What leads where.
    beside
        The statuses that an operation also answers, though neither its document nor every
        operation of its kind has them.
    more
        What else is said of an operation: it is merged in.
    places
        Schemas of parameters in paths that are no texts.
    """

    title: str
    problem: type[BaseModel]
    login: tuple[str, Mapping[str, Any]]
    refusals: frozenset[int]
    examples: Mapping[type[BaseModel], object] = field(default_factory=dict)
    own_examples: Mapping[str, Mapping[int, object]] = field(default_factory=dict)
    links: Sequence[Link] = ()
    beside: Mapping[str, frozenset[int]] = field(default_factory=dict)
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    places: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def example(self, one: Operation, status: int, shape: type[BaseModel]) -> object | None:
        """Return an example of an answer, of the body with status 0, None where there is none.

        Of errors only the shape of 401 is common to all.
        """
        own = self.own_examples.get(f"{one.method} {one.path}", {})
        if status in own:
            return own[status]
        is_common = status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.UNAUTHORIZED
        return self.examples.get(shape) if is_common else None


def openapi(operations: Sequence[Operation], described: Described) -> dict[str, Any]:
    """Return the description of an API.

    Parameters
    ----------
    operations
        The table.
    described
        What is said beside it.
    """
    taken = {one.body for one in operations if one.body is not None}
    given = {one.answer for one in operations if one.answer is not None} | {described.problem}
    _, schemas = models_json_schema(
        [(shape, "validation") for shape in sorted(taken, key=_name)]
        + [(shape, "serialization") for shape in sorted(given, key=_name)],
        ref_template=_REFERENCE,
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        said = _described(one, described)
        name = f"{one.method} {one.path}"
        own = [link for link in described.links if link.origin == name]
        if own:
            said["responses"][str(one.statuses[0])]["links"] = dict(map(_linked, own))
        _merge(said, described.more.get(name, {}))
        paths.setdefault(one.path, {})[one.method.lower()] = said
    return {
        "openapi": "3.1.0",
        "info": {"title": described.title, "version": "1"},
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "headers": {name: _header(text) for name, text in _HEADERS.items()},
            "securitySchemes": dict([described.login]),
        },
    }


def _header(text: str) -> dict[str, Any]:
    """Return a header that is in every answer."""
    return {"description": text, "required": True, "schema": {"type": "string"}}


def _merge(described: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put more into what is described, dictionary by dictionary; content is replaced."""
    for name, value in more.items():
        known = described.get(name)
        if isinstance(value, Mapping) and isinstance(known, dict) and name != "content":
            _merge(known, value)
        else:
            described[name] = value


def _name(shape: type[BaseModel]) -> str:
    """Return the name of a shape, which decides the order of schemas."""
    return shape.__name__


def _operation_id(method: str, path: str) -> str:
    """Return the name of an operation that is one word."""
    return f"{method.lower()}{re.sub(r'[^A-Za-z0-9]+', '_', path).rstrip('_')}"


def _linked(link: Link) -> tuple[str, dict[str, Any]]:
    """Return the name of a link, and what OpenAPI says of it."""
    method, _, path = link.target.partition(" ")
    shared = set(_names(path)) & set(_names(link.origin))
    said: dict[str, Any] = {
        "operationId": _operation_id(method, path),
        "parameters": {name: f"$request.path.{name}" for name in sorted(shared)}
        | {name: f"$response.body#/{place}" for name, place in link.parameters.items()},
    }
    if link.body:
        said["requestBody"] = {
            name: f"$response.body#/{place}" for name, place in link.body.items()
        }
    return said["operationId"], said


def _described(one: Operation, known: Described) -> dict[str, Any]:
    """Return one operation."""
    described: dict[str, Any] = {
        "summary": one.summary,
        "tags": [one.handler.__module__.rpartition(".")[2]],  # a module for each heading
        "operationId": _operation_id(one.method, one.path),
        "parameters": [
            *_path_parameters(one.path, known.places),
            *_query_parameters(one.query),
        ],
        "responses": {str(status): _response(one, status, known) for status in one.statuses},
    }
    for status in _beside(one, known):
        described["responses"][str(status)] = {
            **_response(one, status, known),
            "description": _UNDOCUMENTED[status],
            "x-undocumented": True,
        }
    if one.handler.__doc__:
        described["description"] = cleandoc(one.handler.__doc__)
    if one.body is not None:
        content = _json(one.body, known.example(one, _BODY, one.body))
        described["requestBody"] = {"required": True, "content": content}
    if one.roles:
        described["security"] = [{known.login[0]: []}]
    return described


def _beside(one: Operation, known: Described) -> list[int]:
    """Return the statuses that an operation may also answer, though its document omits them."""
    may = {405, 413} | known.beside.get(f"{one.method} {one.path}", frozenset())
    if one.body is not None or one.query is not None:
        may.add(400)
    if one.roles:
        may |= known.refusals
    return sorted(may - set(one.statuses))


def _response(one: Operation, status: int, known: Described) -> dict[str, Any]:
    """Return what is answered with a status; what leads elsewhere has no body."""
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}
    found: dict[str, Any] = {"description": HTTPStatus(status).phrase, "headers": headers}
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _header("The same.")
    shape = known.problem if status >= 400 else one.answer if status < 300 else None
    if shape is not None:
        found["content"] = _json(shape, known.example(one, status, shape))
    elif status == HTTPStatus.OK and one.method == "GET":
        found["content"] = {"*/*": {"schema": {"type": "string"}}}
    return found


def _json(shape: type[BaseModel], example: object | None) -> dict[str, Any]:
    """Return a shape as the content of a message."""
    found: dict[str, Any] = {"schema": {"$ref": _REFERENCE.format(model=shape.__name__)}}
    if example is not None:
        found["example"] = example
    return {"application/json": found}


def _names(path: str) -> list[str]:
    """Return the names in a path."""
    return re.findall(r"\{(\w+)\}", path)


def _path_parameters(path: str, places: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the parameters of a path."""
    text = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "schema": places.get(name, text)}
        for name in _names(path)
    ]


def _query_parameters(query: type[BaseModel] | None) -> list[dict[str, Any]]:
    """Return the fields of a query; what may be left out is never null on the wire."""
    if query is None:
        return []
    schema = query.model_json_schema()
    found = []
    for name, own in schema["properties"].items():
        kinds = [kind for kind in own.get("anyOf", [own]) if kind.get("type") != "null"]
        plain = {key: value for key, value in kinds[0].items() if key != "title"}
        required = name in schema.get("required", [])
        found.append({"name": name, "in": "query", "required": required, "schema": plain})
    return found
