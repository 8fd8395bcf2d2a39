"""Insight keeps to its OpenAPI, whatever Schemathesis asks."""

from typing import Any

import pytest
import schemathesis

from tests.api.asking import account_of, admin_token, bring_back, ran
from tests.api.contract import SEQUENCES, Contract, configured, wsgi
from tests.scenarios import scenario

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


def ids() -> dict[str, list[Any]]:
    """Return ids that there are."""
    account = OPENED.account
    return {
        "path.user_id": [user.id for user in account.users()],
        "path.gateway_id": [gateway.id for gateway in account.gateways()],
        "path.job_config_id": [config.id for config in account.job_configs()],
        "body.job_config_id": [config.id for config in account.job_configs()],
        "path.device_config_id": [config.id for config in account.device_configs()],
        "query.id": [OPENED.customer_id],
    }


SCHEMA = schemathesis.openapi.from_dict(
    OPENED.insight_openapi(),
    config=configured(ids(), {"path.customer_id": OPENED.customer_id}, REFUSED),
)
SCHEMA.app = wsgi(OPENED.insight_api)
CONTRACT = Contract(SCHEMA, TOKEN)


@pytest.fixture(autouse=True)
def account_as_at_first() -> None:
    """What one operation made or deleted is not in the way of the next."""
    bring_back(OPENED, AT_FIRST)


globals().update(CONTRACT.tests())


class Sequences(SCHEMA.as_state_machine()):
    """Goes from what one operation answered to another: what is made is there, until it is not."""

    def setup(self) -> None:
        bring_back(OPENED, AT_FIRST)


TestSequences = Sequences.TestCase
TestSequences.settings = SEQUENCES


def test_the_operations_were_reached_behind_login_and_checks() -> None:
    CONTRACT.check_reached(GUARDED)


def test_the_tables_speak_of_operations_that_there_are() -> None:
    CONTRACT.check_names({*REFUSED, *GUARDED})
