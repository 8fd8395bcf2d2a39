"""OpenAPI says what the document says, and answers are what OpenAPI says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

import twin
from twin.api.insight.cases import insight_cases
from twin.api.insight.described import EXAMPLES, LINKS
from twin.twin import Twin

C = "/{customer_id}"
CASES = insight_cases(twin.open("reference_site").insight_api.operations)
DOCUMENT = {
    ("get", f"{C}/features"): (200, 500),
    ("get", f"{C}/events"): (200, 400, 401, 403, 500),
    ("get", f"{C}/gateways"): (200, 401, 403, 500),
    ("post", f"{C}/gateways"): (201, 400, 401, 403, 404, 409, 500),
    ("post", f"{C}/gateways/{{gateway_id}}/prepare-provisioning"): (200, 401, 403, 404, 500),
    ("post", "/provisioning"): (200, 401, 403, 500),
    ("post", f"{C}/generate-download-url"): (200, 400, 401, 404, 500),
    ("get", f"{C}/job-configs"): (200, 401, 500),
    ("post", f"{C}/job-configs"): (201, 400, 401, 403, 500),
    ("get", f"{C}/job-configs/{{job_config_id}}"): (200, 401, 404, 500),
    ("delete", f"{C}/job-configs/{{job_config_id}}"): (204, 401, 403, 404, 500),
    ("post", f"{C}/job-analysis"): (200, 400, 401, 403, 500),
    ("get", f"{C}/me"): (200, 401, 500),
    ("post", f"{C}/users"): (200, 400, 401, 409, 500),
    ("get", f"{C}/users"): (200, 401, 500),
    ("get", f"{C}/users/{{user_id}}"): (200, 401, 403, 404, 500),
    ("delete", f"{C}/users/{{user_id}}"): (204, 401, 403, 404, 500),
    ("get", f"{C}/devices"): (200, 401, 403, 500),
    ("get", f"{C}/device-configs"): (200, 401, 403, 500),
    ("get", f"{C}/device-configs/{{device_config_id}}"): (200, 401, 403, 404, 500),
    ("delete", f"{C}/device-configs/{{device_config_id}}"): (204, 401, 403, 500),
}
"""The 21 operations of the document, with the statuses that it lists."""


@pytest.fixture(scope="module")
def site() -> Twin:
    return twin.open("reference_site").run("30 min", progress=False)


@pytest.fixture(scope="module")
def described(site: Twin) -> dict[str, Any]:
    return site.insight_openapi()


def test_all_operations_of_the_document_are_there_with_its_statuses(
    described: dict[str, Any],
) -> None:
    found = {
        (method, path): tuple(
            int(status)
            for status, response in operation["responses"].items()
            if "x-undocumented" not in response
        )
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        if path not in ("/", "/auth-information") and not path.startswith("/downloads")
    }
    assert found == DOCUMENT


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    parts = described["components"]
    known = {f"#/components/{kind}/{name}" for kind in parts for name in parts[kind]}
    found = list(references(described))
    assert len(found) > 50
    assert set(found) <= known


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from references(item)


def test_who_needs_a_token_says_so(described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == path.startswith(C)
            names = {parameter["name"] for parameter in operation["parameters"]}
            assert {name[1:-1] for name in path.split("/") if name.startswith("{")} <= names
    ids = [one["operationId"] for ops in described["paths"].values() for one in ops.values()]
    assert len(ids) == len(set(ids))


def test_answers_are_what_their_shapes_say(site: Twin) -> None:
    shapes = {(one.method, one.path): one.answer for one in site.insight_api.operations}
    for method, path, body, status in asked(site):
        concrete = path.format(customer_id=site.customer_id, **known(site))
        answer = site.insight.request(method, concrete, json=body)
        assert answer.status_code == status, answer.text
        shape = shapes.pop((method, path))
        if shape is not None:
            shape.model_validate_json(answer.content)
    assert {path for _, path in shapes} == {
        "/", "/auth-information", "/provisioning", "/downloads/{asset_type}/{asset_version}"
    }  # fmt: skip


def known(site: Twin) -> dict[str, str]:
    account = site.account
    return {
        "gateway_id": site.roster.gateways[0].id,
        "job_config_id": account.job_configs()[-1].id,
        "user_id": account.users()[-1].id,
        "device_config_id": next((one.id for one in account.device_configs()), "gone"),
    }


def asked(site: Twin) -> Iterator[tuple[str, str, object, int]]:
    """Yield one call of each operation that an admin may make, in an order that works."""
    bodies = {
        f"{C}/gateways": {"usecase": "P", "station": "S", "name": "N"},
        f"{C}/job-configs": {
            "job_name": "N", "start_barcode": "A", "end_barcode": "B", "gateway_ids": [],
        },
        f"{C}/users": {
            "first_name": "A", "last_name": "B", "role": "USER_ROLE", "email": "a@b.c",
        },
        f"{C}/generate-download-url": {
            "eula_version": "1", "asset_type": "MARK_FIRMWARE", "agreed_by": "a@b.c",
        },
    }  # fmt: skip
    order = sorted(DOCUMENT, key=lambda row: ("post", "get", "delete").index(row[0]))
    for method, path in order:
        if path == "/provisioning":
            continue
        body: object = bodies.get(path) if method == "post" else None
        if path.endswith("job-analysis"):
            config = site.account.job_configs()[0].id
            body = {"job_config_id": config, "start_time": 0, "end_time": 9e12}
        yield method.upper(), path, body, DOCUMENT[method, path][0]


# --- examples and links ---------------------------------------------------------------------------


@pytest.mark.parametrize("shape", EXAMPLES, ids=lambda shape: shape.__name__)
def test_every_example_has_its_shape(shape: type[BaseModel]) -> None:
    shape.model_validate_json(json.dumps(EXAMPLES[shape]))


def test_every_body_and_every_answer_of_the_document_has_an_example(
    described: dict[str, Any],
) -> None:
    without = {
        (method, path)
        for method, path in DOCUMENT
        for content in contents(described["paths"][path][method])
        if "example" not in content.get("application/json", {"example": "a text"})
    }
    assert without == set()


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What goes over the wire: the body, and the answers of success."""
    if "requestBody" in operation:
        yield operation["requestBody"]["content"]
    for status, response in operation["responses"].items():
        if status < "400" and "content" in response:
            yield response["content"]


def links(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for response in operation["responses"].values():
                for link in response.get("links", {}).values():
                    yield f"{method.upper()} {path}", link


def test_every_link_leads_to_an_operation_and_gives_all_of_its_path(
    described: dict[str, Any],
) -> None:
    known = {
        operation["operationId"]: {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        for operations in described["paths"].values()
        for operation in operations.values()
    }
    found = list(links(described))
    assert len(found) == len(LINKS) == 12
    for origin, link in found:
        assert set(link["parameters"]) == known[link["operationId"]], origin


def test_what_a_link_takes_is_in_the_answer() -> None:
    site = twin.open("reference_site")
    for link in LINKS:
        case = next(c for c in CASES if c.operation == link.origin and c.status < 300)
        answer = site.call_insight(case.request(site)).json()
        for place in [*link.parameters.values(), *link.body.values()]:
            found = answer
            for part in place.split("/"):
                found = found[int(part)] if part.isdigit() else found[part]
            assert isinstance(found, str), (link.origin, place)
