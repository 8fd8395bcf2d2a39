"""HTTP Basic (RFC 7617): who calls the service. The document does not say how; gateways do this."""

import base64
import binascii
from typing import NamedTuple

from twin.api.http import ApiError, Call, Request
from twin.store.things import Things

__all__ = ["USER", "Caller", "authenticate", "credentials"]

USER = "USER"
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="SNAP Thing Services", charset="UTF-8"'}


class Caller(NamedTuple):
    """Who calls; everybody may do everything."""

    name: str
    role: str = USER


def credentials(request: Request) -> tuple[str, str] | None:
    """Return name and password of a request, None where it has none that can be read."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, password) if colon else None


def authenticate(call: Call) -> Caller:
    """Return who calls; raises ApiError 401."""
    found = credentials(call.request)
    things: Things = call.host.things
    if found is None:
        raise ApiError(401, "Name and password are due: HTTP Basic.", _CHALLENGE)
    if not things.knows(*found):
        raise ApiError(401, "There is no such user, or the password is wrong.", _CHALLENGE)
    return Caller(found[0])
