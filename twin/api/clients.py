"""Clients of the twin's APIs, ready to use: what ``Twin`` offers to whoever calls its services."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, cast

import httpx2
import requests

from twin.api.doors import Adapter, Transport
from twin.api.host import Host, now_ms
from twin.api.http import Api, Request, Response
from twin.api.insight import make_insight
from twin.errors import RunError
from twin.store.account import Account

__all__ = ["INSIGHT_URL", "Clients"]

INSIGHT_URL = "https://insight.twin"
"""Where clients in this process find the Insight API."""
_TARGET = "AWSCognitoIdentityProviderService.InitiateAuth"


class Clients:
    """What a twin is to clients of its APIs; no request leaves the process."""

    @cached_property
    def account(self) -> Account:
        """The customer's account in the cloud, as the scenario brings it."""
        host = self._host
        return Account(host.scenario, host.roster, host.origin_us // 1000)

    @property
    def customer_id(self) -> str:
        """The customer whose account it is, first in every path of Insight."""
        return self._host.scenario.cloud.customer_id

    @property
    def insight_user(self) -> tuple[str, str]:
        """Email and password of the scenario's plain user."""
        return self._user("USER_ROLE")

    @cached_property
    def insight(self) -> httpx2.Client:
        """A client of the Insight API, logged in as the scenario's admin.

        It renews its token on the simulated clock, and leaves a header alone that the caller set.
        """
        return self.login(*self._user("ADMIN_ROLE"))

    @cached_property
    def anonymous_insight(self) -> httpx2.Client:
        """A client of the Insight API that is not logged in."""
        return httpx2.Client(base_url=INSIGHT_URL, transport=Transport(self._insight))

    def login(self, email: str, password: str) -> httpx2.Client:
        """Return a client of the Insight API for another user.

        Raises
        ------
        RunError
            There is no such user, or the password is wrong.
        """
        keeper = _Keeper(self, email, password)
        keeper.token()
        return httpx2.Client(base_url=INSIGHT_URL, transport=Transport(self._insight), auth=keeper)

    def requests(self) -> requests.Session:
        """Return a session of ``requests`` that finds the Insight API at ``INSIGHT_URL``."""
        session = requests.Session()
        session.trust_env = False  # no proxy leads to what is in this process
        session.mount(INSIGHT_URL, Adapter(self._insight))
        return session

    def call_insight(self, request: Request) -> Response:
        """Answer one request to the Insight API, without any client."""
        return self._insight.dispatch(request)

    @property
    def _host(self) -> Host:
        """The twin as its façade sees it."""
        return cast(Host, self)

    @cached_property
    def _insight(self) -> Api:
        """The Insight API."""
        return make_insight(self._host)

    def _user(self, role: str) -> tuple[str, str]:
        """Return email and password of the scenario's first user of a role."""
        for user in self._host.scenario.cloud.users:
            if user.role == role:
                return user.email, user.password
        raise RunError(f"the scenario has no user of role {role}", hint="add one to cloud.users")


class _Keeper(httpx2.Auth):
    """Keeps a token fresh."""

    def __init__(self, clients: Clients, email: str, password: str) -> None:
        self._clients = clients
        self._given = {"USERNAME": email, "PASSWORD": password}
        self._token = ""
        self._until_ms = -1

    def token(self) -> str:
        """Return a token that holds now, a new one where the last has expired."""
        host = self._clients._host
        if now_ms(host) >= self._until_ms:
            result = self._log_in()
            self._token = result["IdToken"]
            self._until_ms = now_ms(host) + 1000 * (int(result["ExpiresIn"]) - 1)
        return self._token

    def _log_in(self) -> dict[str, Any]:
        """Log in as any other client would."""
        client = self._clients.anonymous_insight
        known = client.get("/auth-information", params={"id": self._clients.customer_id})
        body = {
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": known.json()["user_pool_client_id"],
            "AuthParameters": self._given,
        }
        answer = client.post("/", json=body, headers={"X-Amz-Target": _TARGET})
        if answer.status_code != 200:
            email = self._given["USERNAME"]
            raise RunError(f"cannot log in as {email}: {answer.json()['message']}")
        return dict(answer.json()["AuthenticationResult"])

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]
        """Add the token, unless the caller has set one."""
        if "Authorization" not in request.headers:
            request.headers["Authorization"] = self.token()
        yield request
