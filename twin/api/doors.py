"""In-process doors: clients of httpx2 and requests whose requests never leave the process."""

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx2
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from twin.api.host import Host, now_ms
from twin.api.http import Api, Request, Response
from twin.errors import RunError

__all__ = ["Adapter", "Login", "Transport", "client", "session", "sized"]

_TARGET = "AWSCognitoIdentityProviderService.InitiateAuth"


def client(api: Api, url: str, login: httpx2.Auth | None = None) -> httpx2.Client:
    """Return a client of an API.

    Parameters
    ----------
    api, url
        What it talks to, and under which address.
    login
        What adds credentials to its requests.
    """
    return httpx2.Client(base_url=url, transport=Transport(api), auth=login)


def session(apis: Mapping[str, Api]) -> requests.Session:
    """Return a session that finds APIs at their addresses."""
    made = _Session()
    made.trust_env = False  # no proxy leads to what is in this process
    for url, api in apis.items():
        made.mount(url, Adapter(api))
    return made


class _Session(requests.Session):
    """A session that does not look for proxies and certificates, which takes it 20 us."""

    def merge_environment_settings(  # type: ignore[override]
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> dict[str, Any]:
        """Return what was asked for, else what the session has."""
        if self.trust_env or proxies or self.proxies:
            return dict(super().merge_environment_settings(url, proxies, stream, verify, cert))
        return {
            "proxies": {},
            "stream": self.stream if stream is None else stream,
            "verify": self.verify if verify is None else verify,
            "cert": cert or self.cert,
        }


class Transport(httpx2.BaseTransport):
    """What an ``httpx2.Client`` sends through: a call of dispatch on the caller's thread."""

    def __init__(self, api: Api) -> None:
        """Remember where requests go."""
        self._api = api

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request."""
        asked = Request(
            request.method,
            request.url.raw_path.decode("ascii").partition("?")[0],
            request.url.query.decode("ascii"),
            _lower(request.headers),
            request.read(),
        )
        found = self._api.dispatch(asked)
        return httpx2.Response(
            found.status, headers=sized(found), content=found.body, request=request
        )


class _Raw(io.BytesIO):
    """What ``requests`` reads an answer from; urllib3's own would take 40 us longer."""

    def __init__(self, found: Response) -> None:
        """Hold the body, and what is asked of urllib3 beside it."""
        super().__init__(found.body)
        self.status = found.status
        self.headers = found.headers

    def read(self, amt: int | None = -1, decode_content: bool = False) -> bytes:  # noqa: ARG002
        """Return so much of the body; there is nothing to decode."""
        return super().read(amt)


class Adapter(BaseAdapter):
    """The same for a ``requests.Session``: mount it where the service is to be found."""

    def __init__(self, api: Api) -> None:
        """Remember where requests go."""
        super().__init__()
        self._api = api

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_options: Any
    ) -> requests.Response:
        """Answer a request; timeouts, proxies and certificates mean nothing here."""
        parts = urlsplit(request.url or "")
        body = request.body or b""
        assert isinstance(body, str | bytes), "requests has read what was to be sent"
        found = self._api.dispatch(
            Request(
                request.method or "GET",
                parts.path,
                parts.query,
                _lower(request.headers),
                body.encode() if isinstance(body, str) else body,
            )
        )
        response = requests.Response()
        response.status_code = found.status
        response.reason = HTTPStatus(found.status).phrase
        response.headers.update(sized(found))
        response.raw = _Raw(found)
        response.encoding = _encoding(found.headers.get("Content-Type", ""))
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is open."""


class Login(httpx2.Auth):
    """Logs a user in as any client would, and keeps the token fresh on the simulated clock."""

    def __init__(self, host: Host, anonymous: httpx2.Client, email: str, password: str) -> None:
        """Remember who logs in, and where."""
        self._host = host
        self._anonymous = anonymous
        self._given = {"USERNAME": email, "PASSWORD": password}
        self._token = ""
        self._until_ms = -1

    def token(self) -> str:
        """Return a token that holds now, a new one where the last has expired.

        Raises
        ------
        RunError
            There is no such user, or the password is wrong.
        """
        if now_ms(self._host) >= self._until_ms:
            result = self._log_in()
            self._token = result["IdToken"]
            self._until_ms = now_ms(self._host) + 1000 * (int(result["ExpiresIn"]) - 1)
        return self._token

    def _log_in(self) -> dict[str, Any]:
        """Return the result of a login."""
        customer = self._host.scenario.cloud.customer_id
        known = self._anonymous.get("/auth-information", params={"id": customer})
        body = {
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": known.json()["user_pool_client_id"],
            "AuthParameters": self._given,
        }
        answer = self._anonymous.post("/", json=body, headers={"X-Amz-Target": _TARGET})
        if answer.status_code != 200:
            email = self._given["USERNAME"]
            raise RunError(f"cannot log in as {email}: {answer.json()['message']}")
        return dict(answer.json()["AuthenticationResult"])

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]
        """Add the token, unless the caller has set one."""
        if "Authorization" not in request.headers:
            request.headers["Authorization"] = self.token()
        yield request


@lru_cache(maxsize=16)
def _encoding(content_type: str) -> str | None:
    """Return the encoding of a text, as requests understands its type."""
    headers = CaseInsensitiveDict({"Content-Type": content_type} if content_type else {})
    return requests.utils.get_encoding_from_headers(headers)


def _lower(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return headers with names in lower case."""
    return {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in headers.items()
    }


def sized(response: Response) -> dict[str, str]:
    """Return the headers of a response with its length."""
    if response.status == HTTPStatus.NO_CONTENT:
        return response.headers  # RFC 9110, 8.6
    return {**response.headers, "Content-Length": str(len(response.body))}
