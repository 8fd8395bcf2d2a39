"""OpenAPI is a contract: Schemathesis asks everything that it allows, and much that it does not.

Requests come through a WSGI callable, which Schemathesis calls on the thread of the test: its own
client for ASGI would call from another. It sends valid and invalid data to every operation, and
looks at each answer with every check that it has, all of them as they are by default.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import schemathesis
from hypothesis import settings
from schemathesis.config import SchemathesisConfig

from twin.api.http import Api, Request

LAW = settings(derandomize=True, deadline=None, database=None, max_examples=40)
SEQUENCES = settings(LAW, max_examples=25, stateful_step_count=10)
_KEPT_400 = ["2xx", "3xx", "400", "401", "403", "404", "409", "429", "5xx"]
"""What Schemathesis expects by default for valid data, and 400."""

Started = Callable[[str, list[tuple[str, str]]], object]


def wsgi(api: Api) -> Callable[[dict[str, Any], Started], Iterable[bytes]]:
    """Return an API as a WSGI application (PEP 3333); paths and queries arrive as they are."""

    def answered(environ: dict[str, Any], start: Started) -> Iterable[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path, query = environ["RAW_URI"].partition("?")[0], environ["QUERY_STRING"]
        found = api.dispatch(Request(environ["REQUEST_METHOD"], path, query, headers, body))
        start(f"{found.status} {HTTPStatus(found.status).phrase}", list(found.headers.items()))
        return [found.body]

    return answered


def configured(
    values: Mapping[str, list[Any]],
    always: Mapping[str, object],
    refused: Iterable[str],
    ambiguous: Iterable[str] = (),
) -> SchemathesisConfig:
    """Return the defaults, with values that exist in half of the cases and 400 where it is right.

    Parameters
    ----------
    values
        By place, like "path.user_id": what is there.
    always
        The same for what never varies.
    refused
        The operations where 400 is right for a request that keeps to its schema.
    ambiguous
        Those whose 404 may be about something else than what their path leads to.
    """
    unsure = {"ensure_resource_availability": {"enabled": False}}
    checks = {"positive_data_acceptance": {"expected-statuses": _KEPT_400}}
    named = {name: name.replace(".", "_") for name in values}
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "dictionaries": {named[name]: {"values": values[name]} for name in values},
            "parameters": {
                **always,
                **{name: {"dictionary": named[name], "probability": 0.5} for name in values},
            },
            "operations": [
                *({"include-name": name, "checks": checks} for name in refused),
                *({"include-name": name, "checks": unsure} for name in ambiguous),
            ],
        }
    )


class Contract:
    """The tests of a description, and what was answered in them."""

    def __init__(self, schema: Any, header: str) -> None:
        """Take a schema, and the value of the header that logs in."""
        self.schema = schema
        self.met: dict[str, set[int]] = defaultdict(set)

        @schema.auth()
        class Caller:
            """Sends who calls, where a check does not send somebody else or nobody."""

            def get(self, *_: object) -> str:
                return header

            def set(self, case: schemathesis.Case, data: str, _context: object) -> None:
                case.headers["Authorization"] = data

    def tests(self) -> dict[str, Callable[..., None]]:
        """Return the tests of all operations by name.

        One function for each: as items of one function they would have one name between them, and
        whoever spreads tests over processes by name would run one and leave out the others.
        """
        return {
            f"test_{operation['operationId']}": self._test(f"{method.upper()} {path}")
            for path, operations in self.schema.raw_schema["paths"].items()
            for method, operation in operations.items()
        }

    def _test(self, name: str) -> Callable[..., None]:
        """Return the test of one operation."""

        @self.schema.exclude(lambda known: known.operation.label != name).parametrize()
        @LAW
        def keeps_to_its_contract(case: schemathesis.Case) -> None:
            answer = case.call_and_validate()
            if case.method == case.operation.method.upper():  # others are sent to be refused
                self.met[case.operation.label].add(answer.status_code)

        return keeps_to_its_contract

    def check_reached(self, guarded: Iterable[str]) -> None:
        """Check that operations were reached behind login and checks, all but the guarded ones.

        Otherwise a wrong login would let every check pass.
        """
        met = {name: self.met[name] for name in set(self.met) - set(guarded)}
        assert all(any(200 <= status < 400 for status in met[name]) for name in met), met

    def check_names(self, names: Iterable[str]) -> None:
        """Check that there are operations of these names."""
        assert set(names) <= {known.ok().label for known in self.schema.get_all_operations()}
