"""In-process doors: clients of httpx2 and requests whose requests never leave the process."""

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from twin.api.http import Api, Request, Response

__all__ = ["Adapter", "Transport"]


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
            found.status, headers=_sized(found), content=found.body, request=request
        )


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
        response.headers.update(_sized(found))
        response.raw = HTTPResponse(
            io.BytesIO(found.body),
            headers=_sized(found),
            status=found.status,
            preload_content=False,
        )
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is open."""


def _lower(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return headers with names in lower case."""
    return {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in headers.items()
    }


def _sized(response: Response) -> dict[str, str]:
    """Return the headers of a response with its length."""
    return {**response.headers, "Content-Length": str(len(response.body))}
