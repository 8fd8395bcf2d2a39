"""Every operation of Insight through four doors: dispatch, httpx2, requests, real HTTP."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.api.asking import (
    CORS,
    MISSING,
    TARGET,
    Door,
    admin,
    admin_token,
    check_cors,
    check_refused,
    client_id,
    httpx_door,
    plain_door,
    ran,
    requests_door,
)
from tests.api.real_http import http_door
from tests.scenarios import scenario
from twin.api.http import Operation
from twin.twin import Twin

DOORS: dict[str, Callable[[Twin], Door]] = {
    "dispatch": plain_door,
    "httpx2": httpx_door,
    "requests": requests_door,
}
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
NUMBER = (int, float)

FEATURE = {"feature": str, "enabled": bool, "additional_properties": dict}
SCAN = {
    "id": str, "class": str, "type": str, "created": NUMBER, "scan_code": str,
    "scan_duration": NUMBER, "scan_decode_symbology": str, "device_id": str,
    "device_battery": NUMBER, "device_firmware": str, "device_temperature": NUMBER,
    "gateway_id": str, "gateway_usecase": str, "gateway_station": str,
}  # fmt: skip
GATEWAY = {
    "id": str, "model": str, "manufacturer": str, "class": str, "type": str, "firmware": str,
    "created": NUMBER, "last_updated": NUMBER, "usecase": str, "station": str, "thing_name": str,
    "name": str,
}  # fmt: skip
CONFIG = {
    "job_config_id": str, "job_name": str, "created": NUMBER, "last_updated": NUMBER,
    "start_barcode": str, "end_barcode": str, "gateway_ids": list, "class": str, "version": int,
}  # fmt: skip
JOB = {"start_time": NUMBER, "end_time": NUMBER, "start_event_id": str, "end_event_id": str}
USER = {
    "id": str, "first_name": str, "last_name": str, "email": str, "created": NUMBER,
    "last_updated": NUMBER, "language": str, "roles": list, "permissions": list,
    "consent_general_terms": (dict, type(None)), "consent_privacy_policy": (dict, type(None)),
}  # fmt: skip
DEVICE = {
    "id": str, "class": str, "created": NUMBER, "last_activity_time": NUMBER,
    "last_updated": NUMBER, "battery": NUMBER, "firmware": str, "model": str,
    "manufacturer": str, "status": str,
}  # fmt: skip
DEVICE_CONFIG = {
    "id": str, "class": str, "name": str, "last_modified": NUMBER, "created": NUMBER,
    "file_size": NUMBER,
}  # fmt: skip
LIST = {"items": list, "links": dict, "metadata": dict}
METADATA = {"description": str, "size": int, "filters": list}


@pytest.fixture(scope="module")
def opened() -> Twin:
    cloud = {
        "cloud.features": [{"feature": "brew_coffee", "enabled": True}],
        "cloud.device_configs": [{"name": "one", "text": "a"}, {"name": "two", "text": "b"}],
    }
    return ran(scenario(cloud, before={}))


@pytest.fixture(scope="module", params=[*DOORS, "http"])
def door(request: pytest.FixtureRequest, opened: Twin) -> Iterator[Door]:
    if request.param == "http":
        with http_door(opened) as found:
            yield found
    else:
        yield DOORS[request.param](opened)


@pytest.fixture
def call(door: Door, opened: Twin) -> Callable[..., Any]:
    """Return what asks something under the customer, as the admin."""
    headers = {"Authorization": admin_token(opened)}

    def under(method: str, path: str, body: Any = None) -> Any:
        return door(method, f"/{opened.customer_id}{path}", headers, body)

    return under


def check_fields(found: dict[str, Any], shape: dict[str, Any]) -> None:
    assert set(shape) <= set(found)
    for name, kind in shape.items():
        assert isinstance(found[name], kind), name
        assert kind is bool or not isinstance(found[name], bool), name


def check_list(reply: Any, shape: dict[str, Any]) -> None:
    assert reply.status == 200
    check_fields(reply.body, LIST)
    check_fields(reply.body["metadata"], METADATA)
    assert reply.body["metadata"]["size"] == len(reply.body["items"]) > 0
    for item in reply.body["items"]:
        check_fields(item, shape)
    check_cors(reply)


def paths(opened: Twin) -> dict[str, list[str]]:
    """Return every path with the methods that it has; names are filled in."""
    found: dict[str, list[str]] = {}
    operations: tuple[Operation, ...] = opened.insight_api.operations
    for operation in operations:
        filled = operation.path.replace("{customer_id}", opened.customer_id)
        parts = [MISSING if part.startswith("{") else part for part in filled.split("/")]
        found.setdefault("/".join(parts), []).append(operation.method)
    return found


def test_features_have_every_documented_field(call: Callable[..., Any]) -> None:
    reply = call("GET", "/features")
    assert reply.status == 200
    assert reply.body["features"]
    for found in reply.body["features"]:
        check_fields(found, FEATURE)


def test_events_have_every_documented_field(call: Callable[..., Any]) -> None:
    reply = call("GET", "/events?limit=60")
    scans = [item for item in reply.body["items"] if item["type"] == "scan"]
    assert 0 < len(scans) < 60
    for item in scans:
        check_fields(item, SCAN)
    only_scans = {name: kind for name, kind in SCAN.items() if not name.startswith("scan_")}
    check_list(reply, only_scans)
    assert {item["class"] for item in reply.body["items"]} == {"event"}
    assert {item["type"] for item in reply.body["items"]} == {"scan", "telemetry"}


def test_gateways_have_every_documented_field(call: Callable[..., Any]) -> None:
    reply = call("GET", "/gateways")
    check_list(reply, GATEWAY)
    assert {item["class"] for item in reply.body["items"]} == {"gateway"}
    assert {item["type"] for item in reply.body["items"]} <= {"stationary", "mobile"}


def test_a_new_gateway_has_every_documented_field(
    call: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    name = f"new at {request.node.name}"
    reply = call("POST", "/gateways", {"usecase": "Picking", "station": "S3", "name": name})
    assert reply.status == 201
    check_fields(reply.body, GATEWAY)
    assert reply.headers["etag"].strip('"').isdigit()
    check_cors(reply)


def test_a_job_config_comes_and_goes_with_every_documented_field(
    call: Callable[..., Any], opened: Twin
) -> None:
    ids = [gateway.id for gateway in opened.roster.gateways]
    body = {"job_name": "pack", "start_barcode": "1", "end_barcode": "2", "gateway_ids": ids}
    made = call("POST", "/job-configs", body)
    assert made.status == 201
    check_fields(made.body, CONFIG)
    listed = call("GET", "/job-configs")
    check_list(listed, CONFIG)
    assert listed.headers["etag"].strip('"').isdigit()
    path = f"/job-configs/{made.body['job_config_id']}"
    found = call("GET", path)
    assert (found.status, found.body) == (200, made.body)
    gone = call("DELETE", path)
    assert (gone.status, gone.body) == (204, None)
    check_cors(gone)


def test_job_analysis_has_every_documented_field(call: Callable[..., Any]) -> None:
    config = call("GET", "/job-configs").body["items"][0]["job_config_id"]
    body = {"job_config_id": config, "start_time": 0, "end_time": 4e12}
    reply = call("POST", "/job-analysis", body)
    assert reply.status == 200
    assert reply.body["results"]
    for result in reply.body["results"]:
        check_fields(result, {"gateway_id": str, "jobs": list})
        for job in result["jobs"]:
            check_fields(job, JOB)


def test_a_user_comes_and_goes_with_every_documented_field(call: Callable[..., Any]) -> None:
    body = {"first_name": "J", "last_name": "D", "role": "USER_ROLE", "email": "j@example.com"}
    made = call("POST", "/users", body)
    assert made.status == 200
    check_fields(made.body, USER)
    check_list(call("GET", "/users"), USER)
    path = f"/users/{made.body['id']}"
    found = call("GET", path)
    assert (found.status, found.body) == (200, made.body)
    gone = call("DELETE", path)
    assert (gone.status, gone.body) == (204, None)


def test_me_has_every_documented_field(call: Callable[..., Any]) -> None:
    reply = call("GET", "/me")
    assert reply.status == 200
    check_fields(reply.body, USER)


def test_devices_have_every_documented_field(call: Callable[..., Any]) -> None:
    reply = call("GET", "/devices")
    check_list(reply, DEVICE)
    assert {item["class"] for item in reply.body["items"]} == {"device"}
    assert {item["status"] for item in reply.body["items"]} <= {"ACTIVE", "INACTIVE"}


def test_device_configs_are_listed_read_and_deleted(call: Callable[..., Any]) -> None:
    found = call("GET", "/device-configs")
    assert found.status == 200
    for config in found.body["configs"]:
        check_fields(config, DEVICE_CONFIG)
    path = f"/device-configs/{found.body['configs'][0]['id']}"
    text = call("GET", path)
    assert (text.status, text.body) == (200, "a")
    assert text.headers["content-type"].startswith("text/plain")
    gone = call("DELETE", f"/device-configs/{MISSING}")
    assert (gone.status, gone.body) == (204, None)


def test_login_goes_through_every_door(door: Door, opened: Twin) -> None:
    known = door("GET", f"/auth-information?id={opened.customer_id}", {}, None)
    assert known.status == 200
    check_fields(known.body, dict.fromkeys(("region", "user_pool_id", "user_pool_client_id"), str))
    email, password = admin(opened)
    body = {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": client_id(opened),
        "AuthParameters": {"USERNAME": email, "PASSWORD": password},
    }
    reply = door("POST", "/", {"X-Amz-Target": TARGET}, body)
    assert reply.status == 200
    check_cors(reply)
    token = reply.body["AuthenticationResult"]["IdToken"]
    me = door("GET", f"/{opened.customer_id}/me", {"Authorization": token}, None)
    assert me.body["email"] == email


def test_every_path_answers_options_without_login(door: Door, opened: Twin) -> None:
    for path, methods in paths(opened).items():
        reply = door("OPTIONS", path, {}, None)
        assert (reply.status, reply.body) == (200, None), path
        check_cors(reply)
        allowed = reply.headers["access-control-allow-methods"].split(", ")
        assert sorted(allowed) == sorted([*methods, "OPTIONS"]), path


def test_every_other_method_is_refused_with_those_that_are_allowed(
    door: Door, opened: Twin
) -> None:
    for path, methods in paths(opened).items():
        for method in set(METHODS) - set(methods):
            reply = door(method, path, {"Authorization": admin_token(opened)}, None)
            if method == "HEAD":  # real HTTP has no body here
                assert (reply.status, reply.headers["content-type"]) == (405, "application/json")
            else:
                check_refused(reply, 405)
            assert reply.headers["allow"] == ", ".join(sorted([*methods, "OPTIONS"])), path


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "PUT"])
def test_no_path_has_methods_that_the_document_does_not_know(method: str, opened: Twin) -> None:
    assert all(method not in methods for methods in paths(opened).values())


@pytest.mark.parametrize("path", ["/nothing", "/{c}", "/{c}/nothing", "/{c}/events/1", "/{c}/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_what_is_not_there_is_404(door: Door, opened: Twin, method: str, path: str) -> None:
    check_refused(door(method, path.replace("{c}", opened.customer_id), {}, None), 404)


def test_every_error_has_the_headers_of_cors(door: Door, opened: Twin) -> None:
    c, token = opened.customer_id, {"Authorization": admin_token(opened)}
    check_refused(door("GET", f"/{c}/events", {}, None), 401)
    check_refused(door("GET", f"/{c}/events", {"Authorization": "x"}, None), 403)
    check_refused(door("GET", f"/{c}/events?limit=0", token, None), 400)
    check_refused(door("GET", f"/{c}/users/{MISSING}", token, None), 404)
    name = opened.roster.gateways[0].name
    body = {"usecase": "a", "station": "b", "name": name}
    check_refused(door("POST", f"/{c}/gateways", token, body), 409)
    assert set(door("POST", "/", {}, None).headers) >= set(CORS)
