"""Clients of the twin's APIs, ready to use: what ``Twin`` offers to whoever calls its services."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from twin.api.host import Host
from twin.errors import RunError
from twin.store.account import Account
from twin.store.things import Things

if TYPE_CHECKING:  # a run without clients should not wait for their libraries
    from collections.abc import Sequence

    import httpx2
    import requests

    from twin.api.cases import Reached
    from twin.api.faults import Fault, Faults
    from twin.api.http import Api, Request, Response
    from twin.api.snap.news import Newsroom, Subscription

__all__ = ["INSIGHT_URL", "SNAP_URL", "Clients"]

INSIGHT_URL = "https://insight.twin"
"""Where clients in this process find the Insight API."""
SNAP_URL = "https://localhost:3000"
"""Where they find SNAP Thing Services: the address of the document."""


class Clients:
    """What a twin is to clients of its APIs; no request leaves the process."""

    @cached_property
    def account(self) -> Account:
        """The customer's account in the cloud, as the scenario brings it."""
        host = self._host
        return Account(host.database, host.scenario, host.roster, host)

    @cached_property
    def things(self) -> Things:
        """What SNAP Thing Services, the service on the gateway, knows beside the mesh itself."""
        host = self._host
        return Things(host.database, host.scenario, host.network, host)

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

    @property
    def snap_user(self) -> str:
        """The name of the scenario's first user of SNAP Thing Services."""
        return self._host.scenario.snap.users[0].name

    @property
    def snap_password(self) -> str:
        """The password that the scenario gives that user."""
        return self._host.scenario.snap.users[0].password

    @cached_property
    def snap(self) -> httpx2.Client:
        """A client of SNAP Thing Services, with the scenario's first user and password.

        Who has changed the password goes on with ``login_snap``.
        """
        return self.login_snap(self.snap_user, self.snap_password)

    @cached_property
    def anonymous_snap(self) -> httpx2.Client:
        """A client of SNAP Thing Services that says no name."""
        from twin.api.doors import client

        return client(self.snap_api, SNAP_URL)

    def login_snap(self, name: str, password: str) -> httpx2.Client:
        """Return a client of SNAP Thing Services for another user, or another password.

        Raises
        ------
        RunError
            There is no such user, or the password is wrong.
        """
        import httpx2

        from twin.api.doors import client

        if not self.things.knows(name, password):
            words = f"cannot log in as {name}: no such user, or the password is wrong"
            raise RunError(words, hint="login_snap(name, password) takes another one")
        return client(self.snap_api, SNAP_URL, httpx2.BasicAuth(name, password))

    def make_licence(
        self,
        customer: str = "Customer",
        expiration: str = "2099-12-31",
        *,
        site_director: bool = True,
        data_collector: bool = True,
        site_doctor: bool = True,
        types: Sequence[str] = ("manage", "deploy"),
    ) -> str:
        """Return a licence of SNAP Thing Services as Base64 text, for ``PUT /api/v1/license``.

        Parameters
        ----------
        customer
            Whose it is.
        expiration
            The last day on which it holds, like "2027-01-31", on the simulated clock.
        site_director, data_collector, site_doctor
            Whether many devices may be upgraded at once, collectors may poll any number of nodes,
            and whole topologies are shown.
        types
            Kinds of licence, as the capabilities show them.

        Raises
        ------
        RunError
            Nobody's licence, or no such day.
        """
        from twin.api.snap.licences import day_of, issue, make_licence

        abilities = site_director, data_collector, site_doctor
        return issue(make_licence(customer, day_of(expiration), abilities, types))

    def requests(self) -> requests.Session:
        """Return a session of ``requests`` that finds both APIs, at INSIGHT_URL and SNAP_URL."""
        from twin.api.doors import session

        return session({INSIGHT_URL: self.insight_api, SNAP_URL: self.snap_api})

    def call_insight(self, request: Request) -> Response:
        """Answer one request to the Insight API, without any client."""
        return self.insight_api.dispatch(request)

    @property
    def _host(self) -> Host:
        """The twin as its façade sees it."""
        return cast(Host, self)

    def insight_openapi(self) -> dict[str, Any]:
        """Return the Insight API as OpenAPI 3.1."""
        from twin.api.insight.described import DESCRIBED
        from twin.api.openapi import openapi

        return openapi(self.insight_api.operations, DESCRIBED)

    def snap_openapi(self) -> dict[str, Any]:
        """Return the SNAP Thing Services API as OpenAPI 3.1."""
        from twin.api.openapi import openapi
        from twin.api.snap.described import DESCRIBED

        return openapi(self.snap_api.operations, DESCRIBED)

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
        faults = self._faults_of(operation)
        return faults.add(operation, status, probability, latency, window)

    def mend(self, fault: Fault) -> None:
        """End a fault."""
        self._faults_of(fault.operation).remove(fault)

    def _faults_of(self, operation: str) -> Faults:
        """Return the faults of the API that an operation belongs to."""
        method, _, path = operation.partition(" ")
        whole = {f"{one.method} {one.path}" for one in self.snap_api.operations}
        is_snap = {operation, f"{method} /api/v1{path}"} & whole or path.startswith("/api/")
        return (self._snap_and_faults if is_snap else self._insight_and_faults)[1]

    @cached_property
    def newsroom(self) -> Newsroom:
        """What tells who listens of devices, tasks, data collectors and upgrades."""
        from twin.api.snap.news import Newsroom

        return Newsroom(self._host)

    def subscribe(self, *kinds: str) -> Subscription:
        """Listen to what happens from now on; ``take()`` returns what was told so far.

        Parameters
        ----------
        kinds
            "device", "task", "collector", "upgrade"; all by default. ``twin.api.snap.news`` says
            what each tells.

        Raises
        ------
        RunError
            There is no such kind.
        """
        return self.newsroom.subscribe(kinds)

    @property
    def snap_api(self) -> Api:
        """The SNAP Thing Services API itself, for doors of your own."""
        return self._snap_and_faults[0]

    @cached_property
    def _snap_and_faults(self) -> tuple[Api, Faults]:
        """The SNAP Thing Services API, and what may go wrong with it."""
        from twin.api.snap import make_snap

        return make_snap(self._host, self.newsroom.look)

    def call_snap(self, request: Request) -> Response:
        """Answer one request to SNAP Thing Services, without any client."""
        return self.snap_api.dispatch(request)

    def insight_coverage(self) -> list[Reached]:
        """Try every documented status of the Insight API on this twin, and return what came of it.

        It changes the account: take a twin that nobody else needs.
        """
        from twin.api.cases import covered
        from twin.api.insight.cases import insight_cases

        return list(covered(self, self.insight_api, insight_cases(self.insight_api.operations)))

    def snap_coverage(self) -> list[Reached]:
        """Try every documented status of SNAP Thing Services, and return what came of it.

        It changes devices and images, and lets time pass: take a twin that nobody else needs.
        """
        from twin.api.cases import covered
        from twin.api.snap.cases import snap_cases

        return list(covered(self, self.snap_api, snap_cases(self.snap_api.operations)))

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
