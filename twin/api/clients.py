"""Clients of the twin's APIs, ready to use: what ``Twin`` offers to whoever calls its services."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from twin.api.host import Host
from twin.errors import RunError
from twin.store.account import Account

if TYPE_CHECKING:  # a run without clients should not wait for their libraries
    import httpx2
    import requests

    from twin.api.cases import Reached
    from twin.api.faults import Fault, Faults
    from twin.api.http import Api, Request, Response

__all__ = ["INSIGHT_URL", "Clients"]

INSIGHT_URL = "https://insight.twin"
"""Where clients in this process find the Insight API."""


class Clients:
    """What a twin is to clients of its APIs; no request leaves the process."""

    @cached_property
    def account(self) -> Account:
        """The customer's account in the cloud, as the scenario brings it."""
        host = self._host
        return Account(host.database, host.scenario, host.roster, host)

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
        from twin.api.doors import client

        return client(self.insight_api, INSIGHT_URL)

    def login(self, email: str, password: str) -> httpx2.Client:
        """Return a client of the Insight API for another user.

        Raises
        ------
        RunError
            There is no such user, or the password is wrong.
        """
        from twin.api.doors import Login, client

        login = Login(self._host, self.anonymous_insight, email, password)
        login.token()
        return client(self.insight_api, INSIGHT_URL, login)

    def requests(self) -> requests.Session:
        """Return a session of ``requests`` that finds the Insight API at ``INSIGHT_URL``."""
        from twin.api.doors import session

        return session({INSIGHT_URL: self.insight_api})

    def call_insight(self, request: Request) -> Response:
        """Answer one request to the Insight API, without any client."""
        return self.insight_api.dispatch(request)

    @property
    def _host(self) -> Host:
        """The twin as its façade sees it."""
        return cast(Host, self)

    def insight_openapi(self) -> dict[str, Any]:
        """Return the Insight API as OpenAPI 3.1."""
        from twin.api.insight.answers import Problem
        from twin.api.insight.described import EXAMPLES, LINKS, MORE
        from twin.api.openapi import openapi

        operations = self.insight_api.operations
        return openapi("Insight API", operations, Problem, EXAMPLES, LINKS, MORE)

    def fault(
        self,
        operation: str,
        *,
        status: int | None = None,
        probability: float = 1.0,
        latency: str = "0 s",
        window: tuple[str, str] | None = None,
    ) -> Fault:
        """Let calls of an operation go wrong; ``mend`` ends it.

        Parameters
        ----------
        operation
            As in the document, like ``"GET /{customer_id}/events"``.
        status
            What is answered; one that the document lists. Without it calls are only slow.
        probability
            How many of the calls are met.
        latency
            How much simulated time passes before each answer, like ``"300 ms"``.
        window
            From when to when since the start, like ``("1 h", "2 h")``.

        Raises
        ------
        RunError
            An operation or status that the document does not know.
        """
        return self._insight_and_faults[1].add(operation, status, probability, latency, window)

    def mend(self, fault: Fault) -> None:
        """End a fault."""
        self._insight_and_faults[1].remove(fault)

    @cached_property
    def snap_api(self) -> Api:
        """The SNAP Thing Services API itself; it has no operation yet."""
        from twin.api.snap import make_snap

        return make_snap(self._host)

    def insight_coverage(self) -> list[Reached]:
        """Try every documented status of the Insight API on this twin, and return what came of it.

        It changes the account: take a twin that nobody else needs.
        """
        from twin.api.cases import covered
        from twin.api.insight.cases import insight_cases

        return list(covered(self, self.insight_api, insight_cases(self.insight_api.operations)))

    @property
    def insight_api(self) -> Api:
        """The Insight API itself, for doors of your own."""
        return self._insight_and_faults[0]

    @cached_property
    def _insight_and_faults(self) -> tuple[Api, Faults]:
        """The Insight API, and what may go wrong with it."""
        from twin.api.insight import make_insight

        return make_insight(self._host)

    def _user(self, role: str) -> tuple[str, str]:
        """Return email and password of the scenario's first user of a role."""
        for user in self._host.scenario.cloud.users:
            if user.role == role:
                return user.email, user.password
        raise RunError(f"the scenario has no user of role {role}", hint="add one to cloud.users")
