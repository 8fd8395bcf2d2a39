"""OpenAPI is a contract: Schemathesis asks everything that it allows, and much that it does not.

Requests come through a WSGI callable, which Schemathesis calls on the thread of the test: its own
client for ASGI would call from another. It sends valid and invalid data to every operation, and
looks at each answer with every check that it has, all of them as they are by default.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.config import SchemathesisConfig

from tests.api.asking import account_of, admin_token, bring_back, ran
from tests.scenarios import scenario
from twin.api.http import Request

LAW = settings(derandomize=True, deadline=None, database=None, max_examples=40)
SEQUENCES = settings(LAW, max_examples=25, stateful_step_count=10)
C = "/{customer_id}"
STRANGE_TOKEN = "a next_token that the twin did not give leads nowhere"
REFUSED = {
    f"GET {C}/events": f"{STRANGE_TOKEN}, and a span of time may end before it begins",
    f"GET {C}/gateways": STRANGE_TOKEN,
    f"GET {C}/devices": STRANGE_TOKEN,
    f"GET {C}/users": STRANGE_TOKEN,
    f"POST {C}/job-configs": "a gateway may be unknown, and a name taken",
    f"POST {C}/job-analysis": "a configuration may be unknown, and a span end before it begins",
    "POST /": "as Cognito says it, to everything but a login",
}
"""Where 400 is right for a request that keeps to its schema, and why."""
KEPT_400 = ["2xx", "3xx", "400", "401", "403", "404", "409", "429", "5xx"]
"""What Schemathesis expects by default for valid data, and 400."""
GUARDED = {
    "GET /downloads/{asset_type}/{asset_version}": "nobody can make up a signature",
    "POST /provisioning": "nobody can make up a token",
    "POST /": "nobody can make up a client id and a password",
}
"""Where no made-up request succeeds, and why."""
CLOUD = {
    "cloud.features": [{"feature": "brew_coffee", "enabled": True}],
    "cloud.device_configs": [{"name": "scan conf", "text": "beep = on\nname = Ä\n"}],
    "cloud.assets": [{"asset_type": "MARK_FIRMWARE", "version": "1.9.2", "text": "firmware"}],
}
OPENED = ran(scenario(CLOUD, before={}))
TOKEN = admin_token(OPENED)
AT_FIRST = account_of(OPENED)

Started = Callable[[str, list[tuple[str, str]]], object]


def answered(environ: dict[str, Any], start: Started) -> Iterable[bytes]:
    """Answer as a WSGI application (PEP 3333): paths and queries arrive as they were sent."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name == "CONTENT_TYPE"
    }
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    path, query = environ["RAW_URI"].partition("?")[0], environ["QUERY_STRING"]
    asked = Request(environ["REQUEST_METHOD"], path, query, headers, body)
    found = OPENED.call_insight(asked)
    start(f"{found.status} {HTTPStatus(found.status).phrase}", list(found.headers.items()))
    return [found.body]


def configured() -> SchemathesisConfig:
    """Return the defaults, with ids that exist in half of the cases and 400 where it is right."""
    account = OPENED.account
    ids = {
        "path.user_id": [user.id for user in account.users()],
        "path.gateway_id": [gateway.id for gateway in account.gateways()],
        "path.job_config_id": [config.id for config in account.job_configs()],
        "body.job_config_id": [config.id for config in account.job_configs()],
        "path.device_config_id": [config.id for config in account.device_configs()],
        "query.id": [OPENED.customer_id],
    }
    checks = {"positive_data_acceptance": {"expected-statuses": KEPT_400}}
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "dictionaries": {name.replace(".", "_"): {"values": ids[name]} for name in ids},
            "parameters": {
                "path.customer_id": OPENED.customer_id,
                **{n: {"dictionary": n.replace(".", "_"), "probability": 0.5} for n in ids},
            },
            "operations": [{"include-name": name, "checks": checks} for name in REFUSED],
        }
    )


SCHEMA = schemathesis.openapi.from_dict(OPENED.insight_openapi(), config=configured())
SCHEMA.app = answered
MET: dict[str, set[int]] = defaultdict(set)


@SCHEMA.auth()
class Admin:
    """Sends the admin's token, where a check does not send another or none."""

    def get(self, *_: object) -> str:
        return TOKEN

    def set(self, case: schemathesis.Case, data: str, _context: object) -> None:
        case.headers["Authorization"] = data


@pytest.fixture(autouse=True)
def account_as_at_first() -> None:
    """What one operation made or deleted is not in the way of the next."""
    bring_back(OPENED, AT_FIRST)


def contract(name: str) -> Callable[..., None]:
    """Return the test of one operation."""

    @SCHEMA.exclude(lambda known: known.operation.label != name).parametrize()
    @LAW
    def keeps_to_its_contract(case: schemathesis.Case) -> None:
        answer = case.call_and_validate()
        if case.method == case.operation.method.upper():  # others are sent to be refused
            MET[case.operation.label].add(answer.status_code)

    return keeps_to_its_contract


# One function for each operation: as items of one function they would have one name between them,
# and whoever spreads tests over processes by name would run one and leave out the others.
for _path, _operations in SCHEMA.raw_schema["paths"].items():
    for _method, _operation in _operations.items():
        globals()[f"test_{_operation['operationId']}"] = contract(f"{_method.upper()} {_path}")


class Sequences(SCHEMA.as_state_machine()):
    """Goes from what one operation answered to another: what is made is there, until it is not."""

    def setup(self) -> None:
        bring_back(OPENED, AT_FIRST)


TestSequences = Sequences.TestCase
TestSequences.settings = SEQUENCES


def test_the_operations_were_reached_behind_login_and_checks() -> None:
    # Otherwise a wrong token would let every check above pass.
    assert all(any(200 <= s < 300 for s in MET[name]) for name in set(MET) - set(GUARDED)), MET


def test_the_tables_speak_of_operations_that_there_are() -> None:
    labels = {known.ok().label for known in SCHEMA.get_all_operations()}
    assert set(REFUSED) | set(GUARDED) <= labels
