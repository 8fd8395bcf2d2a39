"""OpenAPI says what the document says, and answers are what OpenAPI says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

import twin
from tests.api.asking import SERVICES, Service, api_of
from tests.api.documents import BESIDE, DOCUMENTS
from twin.api.cases import Case, named
from twin.api.http import Operation
from twin.api.insight.cases import insight_cases
from twin.api.insight.described import EXAMPLES, LINKS
from twin.api.openapi import Link
from twin.api.snap import answers
from twin.api.snap.cases import snap_cases
from twin.api.snap.described import EXAMPLES as SNAP_EXAMPLES
from twin.api.snap.described import LINKS as SNAP_LINKS
from twin.twin import Twin

C = "/{customer_id}"
DOCUMENT = DOCUMENTS["insight"]
LINKS_OF = {"insight": LINKS, "snap": SNAP_LINKS}


@pytest.fixture(scope="module")
def site() -> Twin:
    return twin.open("reference_site").run("30 min", progress=False)


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


@pytest.fixture(scope="module")
def described(site: Twin, service: Service) -> dict[str, Any]:
    return site.insight_openapi() if service == "insight" else site.snap_openapi()


def test_all_operations_of_the_document_are_there_with_its_statuses(
    described: dict[str, Any], service: Service
) -> None:
    found = {
        (method, path): tuple(
            int(status)
            for status, response in operation["responses"].items()
            if "x-undocumented" not in response
        )
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }
    assert BESIDE[service] <= set(found)
    assert {one: found[one] for one in found if one not in BESIDE[service]} == DOCUMENTS[service]


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


def test_who_has_to_log_in_says_how(described: dict[str, Any], service: Service) -> None:
    (scheme,) = described["components"]["securitySchemes"]
    assert scheme == {"insight": "IdToken", "snap": "Basic"}[service]
    refusals = {"insight": {"401", "403"}, "snap": {"401"}}[service]
    for path, operations in described["paths"].items():
        for operation in operations.values():
            is_guarded = path.startswith({"insight": C, "snap": "/api/"}[service])
            assert operation.get("security", []) == ([{scheme: []}] if is_guarded else [])
            assert not is_guarded or refusals <= set(operation["responses"])
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


@pytest.mark.parametrize("name", SNAP_EXAMPLES)
def test_every_example_of_snap_has_its_shape_and_is_shown(name: str, site: Twin) -> None:
    one = next(one for one in site.snap_api.operations if named(one) == name)
    said = site.snap_openapi()["paths"][one.path][one.method.lower()]
    for status, example in SNAP_EXAMPLES[name].items():
        shape_of(one, status).model_validate_json(json.dumps(example))
        where = said["responses"][str(status)] if status else said["requestBody"]
        assert where["content"]["application/json"]["example"] == example


def shape_of(one: Operation, status: int) -> type[BaseModel]:
    shape = answers.Problem if status >= 400 else one.answer if status else one.body
    assert shape is not None
    return shape


def test_every_body_and_every_answer_of_the_document_has_an_example(
    described: dict[str, Any], service: Service
) -> None:
    without = {
        (method, path)
        for method, path in DOCUMENTS[service]
        for content in contents(described["paths"][path][method])
        if "example" not in content.get("application/json", {"example": "a text"})
    }
    assert without == ({("put", "/api/v1/license")} if service == "snap" else set())


def test_what_the_document_omits_is_marked(site: Twin) -> None:
    paths = site.snap_openapi()["paths"]
    for (method, path), status in {
        ("put", "/api/v1/license"): "400",
        ("get", "/api/v1/dc/{name}/config"): "404",
        ("put", "/api/v1/dc/{name}/config"): "409",
        ("get", "/api/v1/deviceTypes/{deviceTypeId}"): "404",
        ("post", "/api/v1/images"): "400",
        ("get", "/api/v1/devices"): "401",
        ("delete", "/api/v1/topologies"): "413",
    }.items():
        found = paths[path][method]["responses"][status]
        assert found["x-undocumented"] is True
        assert found["content"]["application/json"]["schema"]["$ref"].endswith("/Problem")
    assert not any("403" in one["responses"] and "x-undocumented" in one["responses"]["403"]
                   for operations in paths.values() for one in operations.values())  # fmt: skip


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
    described: dict[str, Any], service: Service
) -> None:
    known = {
        operation["operationId"]: {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        for operations in described["paths"].values()
        for operation in operations.values()
    }
    found = list(links(described))
    assert len(found) == len(LINKS_OF[service]) == {"insight": 12, "snap": 31}[service]
    for origin, link in found:
        assert set(link["parameters"]) == known[link["operationId"]], origin


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_link_takes_is_in_the_answer(service: Service) -> None:
    opened = twin.open("reference_site")
    api = api_of(opened, service)
    make = insight_cases if service == "insight" else snap_cases
    cases = make(api.operations)

    def answered(operation: str) -> Any:
        case = next(case for case in cases if case.operation == operation and case.status < 300)
        return api.dispatch(case.request(opened)).json()

    for link in LINKS_OF[service]:
        if link.origin.startswith("GET /api/") and has_one(link, cases):
            answered(link.origin.replace("GET", "POST"))  # there is one to be listed
        answer = answered(link.origin)
        for place in [*link.parameters.values(), *link.body.values()]:
            found = answer
            for part in place.split("/"):
                found = found[int(part)] if part.isdigit() else found[part]
            assert isinstance(found, str | int), (link.origin, place)


def has_one(link: Link, cases: list[Case]) -> bool:
    """Say whether what a list shows can be made at once."""
    origin = link.origin.replace("GET", "POST")
    return any((case.operation, case.status) == (origin, 201) for case in cases)
