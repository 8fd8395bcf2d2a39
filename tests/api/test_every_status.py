"""Every documented status of every operation, through every door."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

import twin
from tests.api.asking import Door, Reply, check_cors, httpx_door, plain_door, requests_door
from tests.api.real_http import http_door
from tests.api.test_openapi import DOCUMENT
from twin.api.cases import Case, covered, named, reach
from twin.api.http import Operation, Request, Response
from twin.api.insight.cases import insight_cases
from twin.api.insight.routes import make_insight
from twin.cli import app

SITE = twin.open("reference_site")
OPERATIONS = SITE.insight_api.operations
CASES = insight_cases(OPERATIONS)
ANSWERS = {named(operation): operation for operation in OPERATIONS}


def test_no_documented_status_is_without_a_case() -> None:
    cases = {(case.operation, case.status) for case in CASES}
    documented = {
        (f"{method.upper()} {path}", status)
        for (method, path), statuses in DOCUMENT.items()
        for status in statuses
    }
    assert documented <= cases
    assert cases == {(named(one), status) for one in OPERATIONS for status in one.statuses}


def test_only_what_no_caller_can_cause_needs_a_fault() -> None:
    by_fault = {(case.operation, case.status) for case in CASES if case.by_fault}
    assert {found for found in by_fault if found[1] != 500} == {
        ("POST /{customer_id}/gateways", 404),
        ("GET /downloads/{asset_type}/{asset_version}", 404),
    }


@pytest.fixture(scope="module", params=["dispatch", "httpx2", "requests", "http"])
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    makers = {"dispatch": plain_door, "httpx2": httpx_door, "requests": requests_door}
    if request.param in makers:
        yield makers[request.param](SITE)
    else:
        with http_door(SITE) as found:
            yield found


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.operation} {case.status}")
def test_every_documented_status_is_answered(case: Case, door: Door) -> None:
    found: list[Reply] = []

    def ask(request: Request) -> Response:
        path = f"{request.path}?{request.query}" if request.query else request.path
        found.append(door(request.method, path, request.headers, request.body))
        return Response(found[0].status, found[0].headers)

    assert reach(SITE, case, ask).status == case.status, found[0].body
    check_cors(found[0])
    check_body(found[0], ANSWERS[case.operation])


def check_body(reply: Reply, operation: Operation) -> None:
    """Check that an answer has the fields that its shape has."""
    if reply.status >= 400 and operation.path == "/":  # as Cognito says it
        assert set(reply.body) == {"__type", "message"}
    elif reply.status >= 400:
        assert set(reply.body) == {"title", "details"}
    elif reply.status == 204:
        assert reply.body is None
    elif operation.answer is not None:
        operation.answer.model_validate(reply.body)


# --- as the command line shows it -----------------------------------------------------------------


def test_the_command_prints_what_is_tested() -> None:
    told = CliRunner().invoke(app, ["routes"])
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert lines[-1].startswith(f"{len(OPERATIONS)} operations")
    assert lines[-1].endswith(f" {len(CASES)} of {len(CASES)} statuses tested")
    assert all(line.split()[-1] == "yes" for line in lines[1:-2])
    assert len(lines) == len(CASES) + 3


def test_a_status_that_is_not_answered_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_conflict(*args: Any) -> Any:
        api, faults = make_insight(*args)
        handlers = {named(one): one for one in api.operations}
        made = handlers["POST /{customer_id}/users"]
        object.__setattr__(made, "handler", lambda _: twin_answer())
        return api, faults

    monkeypatch.setattr("twin.api.insight.make_insight", without_conflict)
    told = CliRunner().invoke(app, ["routes"])
    assert told.exit_code == 1
    assert any(line.startswith("POST /{customer_id}/users ") and "no, 200" in line
               for line in told.output.splitlines())  # fmt: skip


def twin_answer() -> Any:
    from twin.api.http import Answer

    return Answer({"id": "somebody"})


def test_a_status_without_case_is_not_tested() -> None:
    cases = [case for case in CASES if (case.status, case.operation[:3]) != (204, "DEL")]
    missing = [found for found in covered(SITE, SITE.insight_api, cases) if not found.is_tested]
    assert {(found.status, found.case, found.answered) for found in missing} == {(204, None, None)}
    assert len(missing) == 3
