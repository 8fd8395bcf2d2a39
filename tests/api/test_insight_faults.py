"""What no caller can cause is caused on purpose: every status of the document can be had."""

import pytest

import twin
from twin.api.clients import Clients
from twin.errors import RunError

EVENTS = "GET /{customer_id}/events"


def opened() -> twin.Twin:
    return twin.open("pilot_line").run("10 min", progress=False)


def test_every_status_that_an_operation_lists_can_be_had() -> None:
    t = opened()
    for operation in t.insight_api.operations:
        if operation.path.startswith(("/auth", "/downloads")) or operation.path == "/":
            continue
        for status in operation.statuses[1:]:
            fault = t.fault(f"{operation.method} {operation.path}", status=status)
            path = operation.path.format(
                customer_id=t.customer_id, gateway_id="g", job_config_id="j", user_id="u",
                device_config_id="d",
            )  # fmt: skip
            body = BODIES.get(operation.path)
            answer = t.insight.request(operation.method, path, json=body)
            assert answer.status_code == status
            assert set(answer.json()) == {"title", "details"}
            assert answer.headers["access-control-allow-origin"] == "*"
            t.mend(fault)


BODIES = {
    "/{customer_id}/gateways": {"usecase": "Picking", "station": "S", "name": "N"},
    "/provisioning": {"token": "x"},
    "/{customer_id}/generate-download-url": {
        "eula_version": "1", "asset_type": "MARK_FIRMWARE", "agreed_by": "a@b.c",
    },
    "/{customer_id}/job-configs": {
        "job_name": "N", "start_barcode": "A", "end_barcode": "B", "gateway_ids": [],
    },
    "/{customer_id}/job-analysis": {"job_config_id": "j", "start_time": 0, "end_time": 1},
    "/{customer_id}/users": {
        "first_name": "A", "last_name": "B", "role": "USER_ROLE", "email": "a@b.c",
    },
}  # fmt: skip


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


def test_who_asks_for_an_impossible_fault_is_told() -> None:
    t = opened()
    with pytest.raises(RunError, match="customer_id}/events"):
        t.fault("GET /events", status=500)
    with pytest.raises(RunError, match="never answers 418"):
        t.fault(EVENTS, status=418)
    with pytest.raises(RunError, match="from 0 to 1"):
        t.fault(EVENTS, status=500, probability=2.0)
