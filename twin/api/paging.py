"""Opaque tokens that lead to the next page: signed, so that nobody can make one up."""

import base64
import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from twin.api.http import ApiError

__all__ = ["next_link", "sealed", "unsealed"]

_SIGNATURE_BYTES = 12


def sealed(key: bytes, values: Mapping[str, Any]) -> str:
    """Return values as a token."""
    text = json.dumps(values, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(_signature(key, text) + text).decode().rstrip("=")


def unsealed(key: bytes, token: str) -> dict[str, Any]:
    """Return the values of a token; raises ApiError 400 for one that is not ours."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
    except ValueError as error:
        raise ApiError(400, "next_token: not a token of this service.") from error
    signature, text = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(key, text)):
        raise ApiError(400, "next_token: not a token of this service.")
    values: dict[str, Any] = json.loads(text)
    return values


def _signature(key: bytes, text: bytes) -> bytes:
    """Return what only who has the key can add to a text."""
    return hmac.new(key, text, sha256).digest()[:_SIGNATURE_BYTES]


def next_link(path: str, filters: Mapping[str, Any], token: str | None) -> dict[str, str]:
    """Return the ``links`` of a page: where the next one is, nothing after the last.

    As in the document's examples the path begins behind the customer: ``/events?next_token=...``.
    """
    if token is None:
        return {}
    return {"next": f"{path}?{urlencode({**filters, 'next_token': token})}"}
