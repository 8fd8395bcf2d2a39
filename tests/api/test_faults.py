"""What no caller can cause is caused on purpose: every status of the document can be had."""

import pytest

import twin
from tests.api.asking import SERVICES, Service, api_of, check_refused, parsed
from twin.api.cases import named
from twin.api.clients import Clients
from twin.api.insight.cases import insight_cases
from twin.api.snap.cases import snap_cases
from twin.errors import RunError

EVENTS = "GET /{customer_id}/events"


def opened() -> twin.Twin:
    return twin.open("pilot_line").run("10 min", progress=False)


@pytest.mark.parametrize("service", SERVICES)
def test_every_status_that_an_operation_lists_can_be_had(service: Service) -> None:
    t = twin.open("reference_site")
    api = api_of(t, service)
    cases = (insight_cases if service == "insight" else snap_cases)(api.operations)
    answered = set()
    for operation in api.operations:
        case = next(case for case in cases if case.operation == named(operation))
        request = case.request(t)  # which would succeed
        for status in operation.statuses[1:]:
            fault = t.fault(case.operation, status=status)
            answer = api.dispatch(request)
            t.mend(fault)
            assert (answer.status, fault.calls) == (status, 1)
            reply = parsed(answer.status, answer.headers, answer.body)
            if operation.path != "/" and status >= 400:  # a login is refused as Cognito does
                check_refused(reply, status, service)
            answered.add(status)
    assert (
        answered
        >= {"insight": {400, 401, 403, 404, 409, 500}, "snap": {303, 400, 403, 404}}[service]
    )


def ask(t: Clients) -> int:
    return t.insight.get(f"/{t.customer_id}/events").status_code


def test_a_fault_meets_the_share_of_calls_that_was_asked_for() -> None:
    t = opened()
    t.fault(EVENTS, status=500, probability=0.3)
    found = [ask(t) for _ in range(400)]
    assert set(found) == {200, 500}
    assert found.count(500) == pytest.approx(120, abs=30)
    again = opened()
    again.fault(EVENTS, status=500, probability=0.3)
    assert [ask(again) for _ in range(400)] == found


def test_a_fault_lasts_for_its_window_on_the_simulated_clock() -> None:
    t = opened()
    t.fault(EVENTS, status=500, window=("20 min", "30 min"))
    found = []
    for minutes in (10, 20, 29, 30):
        t.run_to_us(minutes * 60_000_000, progress=False)
        found.append(ask(t))
    assert found == [200, 500, 500, 200]


def test_latency_is_simulated_time() -> None:
    t = opened()
    before_us = t.now_us
    t.fault(EVENTS, latency="300 ms")
    assert ask(t) == 200
    assert t.now_us == before_us + 300_000


def test_a_fault_of_snap_is_one_of_snap() -> None:
    t = twin.open("reference_site")
    fault = t.fault("GET /api/v1/network", status=400, latency="2 s")
    answer = t.snap.get("/api/v1/network")
    assert (answer.status_code, t.now_us) == (400, 2_000_000)
    assert answer.json() == {
        "apiVersion": "v1", "error": {"message": "Could not get network settings", "code": 400}
    }  # fmt: skip
    assert t.snap.get("/api/v1/devices").status_code == 200
    t.mend(fault)
    assert t.snap.get("/api/v1/network").status_code == 200
    with pytest.raises(RunError, match="/api/v1/devices"):
        t.fault("GET /api/v1/device", status=404)


def test_who_asks_for_an_impossible_fault_is_told() -> None:
    t = opened()
    with pytest.raises(RunError, match="customer_id}/events"):
        t.fault("GET /events", status=500)
    with pytest.raises(RunError, match="never answers 418"):
        t.fault(EVENTS, status=418)
    with pytest.raises(RunError, match="from 0 to 1"):
        t.fault(EVENTS, status=500, probability=2.0)
