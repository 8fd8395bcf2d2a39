"""How each status of each operation of Insight is reached."""

from collections.abc import Callable
from itertools import count
from typing import Any

from twin.api.cases import UNKNOWN_ID, Case, Own, cases_of, encoded, made_by
from twin.api.http import Operation, Request
from twin.api.insight.described import EXAMPLES
from twin.api.insight.shapes import DownloadAsked, NewGateway, NewJobConfig, NewUser

__all__ = ["insight_cases"]

_C = "/{customer_id}"
_WRONG_TOKEN = {"authorization": "no.such.token"}
_TARGET = "AWSCognitoIdentityProviderService.InitiateAuth"
_numbers = count(1)
"""Names that are made here are never made twice."""


def insight_cases(operations: tuple[Operation, ...]) -> list[Case]:
    """Return a case for every documented status that there is a way to.

    Parameters
    ----------
    operations
        The table of the API.
    """
    return cases_of(operations, _OWN, _refused)


def _refused(operation: Operation) -> list[Own]:
    """Return how those are refused who are not logged in."""
    if not operation.roles:
        return []
    return [
        (401, "no token", _with(operation, {})),
        (403, "a token of nobody", _with(operation, _WRONG_TOKEN)),
    ]


def _with(operation: Operation, headers: dict[str, str]) -> Callable[[Any], Request]:
    """Return what asks with these headers, and refers to nothing that exists."""

    def make(t: Any) -> Request:
        path = operation.path.replace("{customer_id}", t.customer_id)
        for part in ("gateway_id", "job_config_id", "user_id", "device_config_id"):
            path = path.replace(f"{{{part}}}", UNKNOWN_ID)
        return Request(operation.method, path, headers=headers)

    return make


def _ask(
    t: Any, method: str, path: str, body: object = None, query: str = "", token: str | None = None
) -> Request:
    """Return a request of the scenario's admin."""
    token = _token(t) if token is None else token
    headers = {"authorization": token, "content-type": "application/json"}
    return Request(method, f"/{t.customer_id}{path}", query, headers, encoded(body))


def _token(t: Any) -> str:
    """Return a token of the scenario's admin."""
    return str(t.insight.auth.token())


def _sent(method: str, path: str, body: object = None, query: str = "") -> Callable[[Any], Request]:
    """Return what asks for something that needs nothing to be there."""
    return lambda t: _ask(t, method, path, body, query)


def _made(t: Any, path: str, body: object) -> dict[str, Any]:
    """Return what was made by a request."""
    return dict(made_by(t.insight_api, _ask(t, "POST", path, body)) or {})


def _new_gateway() -> dict[str, Any]:
    return EXAMPLES[NewGateway] | {"name": f"Gateway of a case {next(_numbers)}"}


def _new_user() -> dict[str, Any]:
    return EXAMPLES[NewUser] | {"email": f"case-{next(_numbers)}@example.com"}


def _new_job(t: Any) -> dict[str, Any]:
    """Return a job configuration of the first gateway."""
    ids = [gateway.id for gateway in t.roster.gateways[:1]]
    name = f"Packing job {next(_numbers)}"
    return EXAMPLES[NewJobConfig] | {"job_name": name, "gateway_ids": ids}


def _one(
    what: str, key: str, method: str, body: Callable[[Any], object]
) -> Callable[[Any], Request]:
    """Return what makes one of something and then asks for it by its id."""

    def make(t: Any) -> Request:
        made = _made(t, f"/{what}", body(t))
        return _ask(t, method, f"/{what}/{made[key]}")

    return make


def _again(path: str, body: Callable[[Any], object]) -> Callable[[Any], Request]:
    """Return what makes something and asks for the same once more."""

    def make(t: Any) -> Request:
        asked = body(t)
        _made(t, path, asked)
        return _ask(t, "POST", path, asked)

    return make


def _prepare(t: Any) -> Request:
    made = _made(t, "/gateways", _new_gateway())
    return _ask(t, "POST", f"/gateways/{made['id']}/prepare-provisioning")


def _prepare_again(t: Any) -> Request:
    request = _prepare(t)
    t.insight_api.dispatch(request)
    return request


def _provision(t: Any) -> Request:
    token = t.insight_api.dispatch(_prepare(t)).json()["token"]
    return Request("POST", "/provisioning", body=encoded({"token": token}))


def _analysis(t: Any) -> Request:
    made = _made(t, "/job-configs", _new_job(t))
    now_ms = (t.origin_us + t.now_us) // 1000
    body = {"job_config_id": made["job_config_id"], "start_time": 0, "end_time": now_ms}
    return _ask(t, "POST", "/job-analysis", body)


def _download_url(t: Any) -> Request:
    asset = t.scenario.cloud.assets[0]
    body = EXAMPLES[DownloadAsked] | {"asset_type": asset.asset_type}
    del body["asset_version"]
    return _ask(t, "POST", "/generate-download-url", body)


def _download(t: Any) -> Request:
    url = t.insight_api.dispatch(_download_url(t)).json()["download_url"]
    path, _, query = url.partition("/downloads")[2].partition("?")
    return Request("GET", f"/downloads{path}", query)


def _login(t: Any) -> Request:
    asked = Request("GET", "/auth-information", f"id={t.customer_id}")
    client_id = t.insight_api.dispatch(asked).json()["user_pool_client_id"]
    email, password = t.insight_user
    given = {"USERNAME": email, "PASSWORD": password}
    body = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client_id, "AuthParameters": given}
    return Request("POST", "/", headers={"x-amz-target": _TARGET}, body=encoded(body))


def _device_config(method: str) -> Callable[[Any], Request]:
    """Return what asks for the first device configuration that there is."""

    def make(t: Any) -> Request:
        (config, *_) = t.account.device_configs()
        return _ask(t, method, f"/device-configs/{config.id}")

    return make


_UNKNOWN = f"/{UNKNOWN_ID}"
_OWN: dict[str, list[Own]] = {
    f"GET {_C}/features": [(200, "as it is", _sent("GET", "/features"))],
    f"GET {_C}/events": [
        (200, "as it is", _sent("GET", "/events")),
        (400, "limit=0", _sent("GET", "/events", query="limit=0")),
    ],
    f"GET {_C}/gateways": [(200, "as it is", _sent("GET", "/gateways"))],
    f"POST {_C}/gateways": [
        (201, "a new name", lambda t: _ask(t, "POST", "/gateways", _new_gateway())),
        (400, "an empty body", _sent("POST", "/gateways", {})),
        (409, "the same twice", _again("/gateways", lambda _: _new_gateway())),
    ],
    f"GET {_C}/devices": [(200, "as it is", _sent("GET", "/devices"))],
    f"GET {_C}/device-configs": [(200, "as it is", _sent("GET", "/device-configs"))],
    f"GET {_C}/device-configs/{{device_config_id}}": [
        (200, "the scenario's first", _device_config("GET")),
        (404, "an unknown id", _sent("GET", f"/device-configs{_UNKNOWN}")),
    ],
    f"DELETE {_C}/device-configs/{{device_config_id}}": [
        (204, "an id, known or not", _sent("DELETE", f"/device-configs{_UNKNOWN}")),
    ],
    f"GET {_C}/job-configs": [(200, "as it is", _sent("GET", "/job-configs"))],
    f"POST {_C}/job-configs": [
        (201, "a new name", lambda t: _ask(t, "POST", "/job-configs", _new_job(t))),
        (400, "the same twice", _again("/job-configs", _new_job)),
    ],
    f"GET {_C}/job-configs/{{job_config_id}}": [
        (200, "one just made", _one("job-configs", "job_config_id", "GET", _new_job)),
        (404, "an unknown id", _sent("GET", f"/job-configs{_UNKNOWN}")),
    ],
    f"DELETE {_C}/job-configs/{{job_config_id}}": [
        (204, "one just made", _one("job-configs", "job_config_id", "DELETE", _new_job)),
        (404, "an unknown id", _sent("DELETE", f"/job-configs{_UNKNOWN}")),
    ],
    f"POST {_C}/job-analysis": [
        (200, "a configuration just made", _analysis),
        (400, "an empty body", _sent("POST", "/job-analysis", {})),
    ],
    f"GET {_C}/me": [(200, "as it is", _sent("GET", "/me"))],
    f"POST {_C}/users": [
        (200, "a new email", lambda t: _ask(t, "POST", "/users", _new_user())),
        (400, "an empty body", _sent("POST", "/users", {})),
        (409, "the same twice", _again("/users", lambda _: _new_user())),
    ],
    f"GET {_C}/users": [(200, "as it is", _sent("GET", "/users"))],
    f"GET {_C}/users/{{user_id}}": [
        (200, "one just made", _one("users", "id", "GET", lambda _: _new_user())),
        (404, "an unknown id", _sent("GET", f"/users{_UNKNOWN}")),
    ],
    f"DELETE {_C}/users/{{user_id}}": [
        (204, "one just made", _one("users", "id", "DELETE", lambda _: _new_user())),
        (404, "an unknown id", _sent("DELETE", f"/users{_UNKNOWN}")),
    ],
    f"POST {_C}/gateways/{{gateway_id}}/prepare-provisioning": [
        (200, "a gateway just made", _prepare),
        (403, "the same twice", _prepare_again),
        (404, "an unknown id", _sent("POST", f"/gateways{_UNKNOWN}/prepare-provisioning")),
    ],
    "POST /provisioning": [
        (200, "a token just made", _provision),
        (401, "no token", lambda _: Request("POST", "/provisioning", body=b"{}")),
        (403, "a token of nobody",
         lambda _: Request("POST", "/provisioning", body=b'{"token": "of nobody"}')),
    ],
    f"POST {_C}/generate-download-url": [
        (200, "an asset of the scenario", _download_url),
        (400, "an empty body", _sent("POST", "/generate-download-url", {})),
        (404, "an unknown version",
         _sent("POST", "/generate-download-url", EXAMPLES[DownloadAsked]
               | {"asset_version": "0.0.0"})),
    ],
    "GET /downloads/{asset_type}/{asset_version}": [
        (200, "an address just made", _download),
        (403, "an address without signature",
         lambda _: Request("GET", "/downloads/MARK_FIRMWARE/1.0.0")),
    ],
    "GET /auth-information": [
        (200, "the customer's id",
         lambda t: Request("GET", "/auth-information", f"id={t.customer_id}")),
        (404, "an unknown customer", lambda _: Request("GET", "/auth-information", "id=nobody")),
    ],
    "POST /": [
        (200, "email and password of the scenario's user", _login),
        (400, "no X-Amz-Target", lambda _: Request("POST", "/")),
    ],
}  # fmt: skip
