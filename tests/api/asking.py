"""Ways to ask a service something and to look at what it answers, whichever door is used."""

import json
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import httpx2

import twin
from twin.api.clients import INSIGHT_URL, SNAP_URL
from twin.api.http import Api, Request
from twin.api.snap import answers
from twin.scenario import Scenario
from twin.store import Connection
from twin.twin import Twin

CORS = (
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
)
Service = Literal["insight", "snap"]
SERVICES: tuple[Service, ...] = ("insight", "snap")
URLS = {"insight": INSIGHT_URL, "snap": SNAP_URL}
TARGET = "AWSCognitoIdentityProviderService.InitiateAuth"
MISSING = "00000000-0000-4000-8000-000000000000"


class Reply(NamedTuple):
    """What came back: names of headers in lower case, the body parsed where it is JSON."""

    status: int
    headers: dict[str, str]
    body: Any


Door = Callable[[str, str, Mapping[str, str], Any], Reply]


def ran(what: str | Scenario = "pilot_line", duration: str = "2 h") -> Twin:
    return twin.open(what).run(duration, progress=False)


def account_of(opened: Twin) -> Connection:
    """Return a copy of what both services of a twin keep, such as the scenario brings it."""
    assert opened.account.users()
    assert opened.things.knows(opened.snap_user, opened.snap_password)
    copy = sqlite3.connect(":memory:")
    opened.database.connection.backup(copy)
    return copy


def bring_back(opened: Twin, account: Connection) -> None:
    """Give a twin in memory an account as it was; what is on the floor stays."""
    account.backup(opened.database.connection)
    opened.__dict__.pop("account", None)  # it remembers users
    opened.__dict__.pop("things", None)


def encoded(body: Any) -> bytes:
    """Return bytes as they are, and anything else as JSON; None for no body."""
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def parsed(status: int, headers: Mapping[str, str], content: bytes) -> Reply:
    lower = {name.lower(): value for name, value in headers.items()}
    is_json = "json" in lower.get("content-type", "")
    is_json = is_json and content != b""  # an answer to HEAD has no body on the wire
    if lower.get("content-type") == "application/vnd.sqlite3":
        return Reply(status, lower, content)
    return Reply(status, lower, json.loads(content) if is_json else content.decode() or None)


def api_of(opened: Twin, service: Service) -> Api:
    return opened.insight_api if service == "insight" else opened.snap_api


def plain_door(opened: Twin, service: Service = "insight") -> Door:
    api = api_of(opened, service)

    def call(method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        path, _, query = path.partition("?")
        lower = {name.lower(): value for name, value in headers.items()}
        found = api.dispatch(Request(method, path, query, lower, encoded(body)))
        return parsed(found.status, found.headers, found.body)

    return call


def httpx_door(opened: Twin, service: Service = "insight") -> Door:
    client: httpx2.Client = getattr(opened, f"anonymous_{service}")

    def call(method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        found = client.request(method, path, headers=dict(headers), content=encoded(body))
        return parsed(found.status_code, found.headers, found.content)

    return call


def requests_door(opened: Twin, service: Service = "insight") -> Door:
    session = opened.requests()

    def call(method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        found = session.request(
            method, URLS[service] + path, headers=dict(headers), data=encoded(body),
            allow_redirects=False,
        )  # fmt: skip
        return parsed(found.status_code, found.headers, found.content)

    return call


def client_id(opened: Twin) -> str:
    known = opened.anonymous_insight.get("/auth-information", params={"id": opened.customer_id})
    return str(known.json()["user_pool_client_id"])


def initiate(opened: Twin, flow: str, given: Mapping[str, Any]) -> Reply:
    body = {"AuthFlow": flow, "ClientId": client_id(opened), "AuthParameters": dict(given)}
    return plain_door(opened)("POST", "/", {"X-Amz-Target": TARGET}, body)


def logged_in(opened: Twin, email: str, password: str) -> dict[str, Any]:
    """Return the tokens of a login."""
    given = {"USERNAME": email, "PASSWORD": password}
    reply = initiate(opened, "USER_PASSWORD_AUTH", given)
    assert reply.status == 200, reply.body
    return dict(reply.body["AuthenticationResult"])


def admin(opened: Twin) -> tuple[str, str]:
    user = next(user for user in opened.scenario.cloud.users if user.role == "ADMIN_ROLE")
    return user.email, user.password


def admin_token(opened: Twin) -> str:
    return str(logged_in(opened, *admin(opened))["IdToken"])


def basic(name: str, password: str) -> dict[str, str]:
    """Return the header that says who calls SNAP Thing Services."""
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


def ask_snap(opened: Twin, method: str, path: str, body: Any = None) -> Reply:
    """Ask SNAP Thing Services for something under its path, as the scenario's first user."""
    headers = basic(opened.snap_user, opened.snap_password)
    return plain_door(opened, "snap")(method, f"/api/v1{path}", headers, body)


def ask(opened: Twin, method: str, path: str, body: Any = None, token: str | None = None) -> Reply:
    """Ask for something under the customer, as the admin unless a token is given."""
    headers = {"Authorization": admin_token(opened) if token is None else token}
    return plain_door(opened)(method, f"/{opened.customer_id}{path}", headers, body)


def check_cors(reply: Reply) -> None:
    assert reply.headers["access-control-allow-origin"] == "*"
    assert all(reply.headers[name] for name in CORS)
    allowed = reply.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed


def check_refused(reply: Reply, status: int | None = None, service: Service = "insight") -> None:
    """Check that a request was refused in the envelope, with a status or any of a caller's."""
    assert reply.status == status if status else 400 <= reply.status < 500, reply
    assert reply.headers["content-type"] == "application/json"
    if service == "insight":
        assert set(reply.body) == {"title", "details"}
        assert all(isinstance(value, str) and value for value in reply.body.values())
    else:
        assert answers.Problem.model_validate(reply.body).error.message
    check_cors(reply)
