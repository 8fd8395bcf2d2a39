"""Every documented status of every operation, through every door."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

import pytest
from typer.testing import CliRunner

import twin
from tests.api.asking import (
    SERVICES,
    Door,
    Reply,
    Service,
    api_of,
    check_cors,
    check_refused,
    httpx_door,
    plain_door,
    requests_door,
)
from tests.api.documents import DOCUMENTS
from tests.api.real_http import http_door
from twin.api.cases import Case, covered, named, reach
from twin.api.http import Answer, Operation, Request, Response
from twin.api.insight.cases import insight_cases
from twin.api.insight.routes import make_insight
from twin.api.snap.cases import snap_cases
from twin.cli import app

SITE = twin.open("reference_site")
APIS = {service: api_of(SITE, service) for service in SERVICES}
CASES = {
    "insight": insight_cases(APIS["insight"].operations),
    "snap": snap_cases(APIS["snap"].operations),
}
DESCRIBED = {"insight": SITE.insight_openapi(), "snap": SITE.snap_openapi()}
EVERY = [(service, case) for service in SERVICES for case in CASES[service]]


@pytest.mark.parametrize("service", SERVICES)
def test_no_documented_status_is_without_a_case(service: Service) -> None:
    cases = {(case.operation, case.status) for case in CASES[service]}
    documented = {
        (f"{method.upper()} {path}", status)
        for (method, path), statuses in DOCUMENTS[service].items()
        for status in statuses
    }
    assert documented <= cases
    assert cases == {
        (named(one), status) for one in APIS[service].operations for status in one.statuses
    }


@pytest.mark.parametrize(("service", "expected"), [
    ("insight", {
        ("POST /{customer_id}/gateways", 404), ("GET /downloads/{asset_type}/{asset_version}", 404),
    }),
    ("snap", {("GET /api/v1/network", 400), ("GET /api/v1/backup", 400)}),
])  # fmt: skip
def test_only_what_no_caller_can_cause_needs_a_fault(
    service: Service, expected: set[tuple[str, int]]
) -> None:
    by_fault = {(case.operation, case.status) for case in CASES[service] if case.by_fault}
    assert {found for found in by_fault if found[1] != 500} == expected


Makers = dict[str, Callable[[Service], Door]]


@pytest.fixture(scope="module", params=["dispatch", "httpx2", "requests", "http"])
def doors(request: pytest.FixtureRequest) -> Iterator[dict[Service, Door]]:
    with ExitStack() as stack:
        makers: Makers = {
            "dispatch": lambda service: plain_door(SITE, service),
            "httpx2": lambda service: httpx_door(SITE, service),
            "requests": lambda service: requests_door(SITE, service),
            "http": lambda service: stack.enter_context(http_door(SITE, service)),
        }
        yield {service: makers[request.param](service) for service in SERVICES}


@pytest.mark.parametrize(
    ("service", "case"), EVERY, ids=[f"{case.operation} {case.status}" for _, case in EVERY]
)
def test_every_documented_status_is_answered(
    service: Service, case: Case, doors: dict[Service, Door]
) -> None:
    found: list[Reply] = []

    def ask(request: Request) -> Response:
        path = f"{request.path}?{request.query}" if request.query else request.path
        found.append(doors[service](request.method, path, request.headers, request.body))
        return Response(found[0].status, found[0].headers)

    assert reach(SITE, case, ask).status == case.status, found[0].body
    check_cors(found[0])
    operation = next(one for one in APIS[service].operations if named(one) == case.operation)
    check_body(found[0], operation, service)
    check_headers(found[0], operation, service)


def check_body(reply: Reply, operation: Operation, service: Service) -> None:
    """Check that an answer has the fields that its shape has."""
    if reply.status >= 400 and operation.path == "/":  # as Cognito says it
        assert set(reply.body) == {"__type", "message"}
    elif reply.status >= 400:
        check_refused(reply, reply.status, service)
        if operation.path == "/api/v1/network":
            assert (reply.body["apiVersion"], reply.body["error"]["code"]) == ("v1", 400)
    elif reply.status in (HTTPStatus.NO_CONTENT, HTTPStatus.ACCEPTED, HTTPStatus.SEE_OTHER):
        assert reply.body is None
    elif operation.answer is not None:
        operation.answer.model_validate(reply.body)


def check_headers(reply: Reply, operation: Operation, service: Service) -> None:
    """Check that an answer has the headers that OpenAPI promises."""
    said = DESCRIBED[service]["paths"][operation.path][operation.method.lower()]
    promised = said["responses"][str(reply.status)]["headers"]
    assert {name.lower() for name in promised} <= set(reply.headers)
    leads = reply.status in (202, 303) or (service == "snap" and reply.status == 201)
    assert ("Location" in promised) == (leads and operation.path != "/api/v1/dc")


# --- as the command line shows it -----------------------------------------------------------------


def test_the_command_prints_what_is_tested() -> None:
    told = CliRunner().invoke(app, ["routes"])
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    ends = [n for n, line in enumerate(lines) if " statuses tested" in line]
    assert len(ends) == len(SERVICES)
    first = 0
    for service, title, end in zip(SERVICES, ("Insight", "SNAP Thing Services"), ends, strict=True):
        count = len(CASES[service])
        assert lines[first].split("  ")[0] == title
        assert all(line.split()[-1] == "yes" for line in lines[first + 1 : end - 1])
        assert end - first == count + 2
        assert lines[end].startswith(f"{title}: {len(APIS[service].operations)} operations")
        assert lines[end].endswith(f" {count} of {count} statuses tested")
        first = end + 2


def test_a_status_that_is_not_answered_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_conflict(*args: Any) -> Any:
        api, faults = make_insight(*args)
        handlers = {named(one): one for one in api.operations}
        made = handlers["POST /{customer_id}/users"]
        object.__setattr__(made, "handler", lambda _: Answer({"id": "somebody"}))
        return api, faults

    monkeypatch.setattr("twin.api.insight.make_insight", without_conflict)
    told = CliRunner().invoke(app, ["routes"])
    assert told.exit_code == 1
    assert any(line.startswith("POST /{customer_id}/users ") and "no, 200" in line
               for line in told.output.splitlines())  # fmt: skip


@pytest.mark.parametrize(("service", "count"), [("insight", 3), ("snap", 8)])
def test_a_status_without_case_is_not_tested(service: Service, count: int) -> None:
    cases = [case for case in CASES[service] if (case.status, case.operation[:3]) != (204, "DEL")]
    missing = [found for found in covered(SITE, APIS[service], cases) if not found.is_tested]
    assert {(found.status, found.case, found.answered) for found in missing} == {(204, None, None)}
    assert len(missing) == count
