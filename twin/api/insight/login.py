"""Login as real clients do it: Amazon Cognito's InitiateAuth, on the simulated clock.

``GET /auth-information?id={customer}`` says where and with which client id to log in; ``POST /``
with ``X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth`` returns an IdToken, a JSON Web
Token (RFC 7519) that holds for an hour. The document calls for it as the raw value of the header
``Authorization``; ``Bearer`` before it is accepted.
"""

import hashlib
import json
from functools import lru_cache
from typing import Any

import jwt
from pydantic import BaseModel, ConfigDict, ValidationError

from twin.api.host import Host, now_ms
from twin.api.http import Answer, ApiError, Call
from twin.store.account import User
from twin.store.keeper import made_uuid

__all__ = ["CustomerAsked", "authenticate", "information", "initiate", "token_key"]

TOKEN_LASTS_S = 3600
REFRESH_LASTS_S = 30 * 24 * 3600
_REGION = "eu-central-1"
_TARGET = "AWSCognitoIdentityProviderService.InitiateAuth"
_ALGORITHM = "HS256"


class _Asked(BaseModel):
    """The body of InitiateAuth."""

    model_config = ConfigDict(strict=True)

    AuthFlow: str
    ClientId: str
    AuthParameters: dict[str, str]


def information(call: Call) -> Answer:
    """Say where a customer logs in: region, user pool, and its client."""
    customer = call.host.account.customer_id
    asked = call.query.id
    if asked != customer:
        raise ApiError(404, f"There is no customer {asked[:100]!r}.")
    return Answer(
        {
            "region": _REGION,
            "user_pool_id": _pool_id(customer),
            "user_pool_client_id": _client_id(customer),
        }
    )


class CustomerAsked(BaseModel):
    """The query of ``GET /auth-information``."""

    id: str


def initiate(call: Call) -> Answer:
    """Log a user in, or renew a login: as Cognito answers, errors included."""
    if call.request.headers.get("x-amz-target") != _TARGET:
        return _refused("UnknownOperationException", f"X-Amz-Target is to be {_TARGET}")
    try:
        asked = _Asked.model_validate_json(call.request.body)
    except ValidationError as error:
        return _refused("InvalidParameterException", str(error.errors()[0]["msg"]))
    host: Host = call.host
    if asked.ClientId != _client_id(host.account.customer_id):
        message = f"User pool client {asked.ClientId[:100]} does not exist."
        return _refused("ResourceNotFoundException", message)
    if asked.AuthFlow == "USER_PASSWORD_AUTH":
        return _by_password(host, asked.AuthParameters)
    if asked.AuthFlow in ("REFRESH_TOKEN", "REFRESH_TOKEN_AUTH"):
        return _by_refresh(host, asked.AuthParameters)
    return _refused("InvalidParameterException", "AuthFlow is USER_PASSWORD_AUTH or REFRESH_TOKEN")


def _by_password(host: Host, given: dict[str, str]) -> Answer:
    """Log in with user name and password."""
    user = host.account.knows(given.get("USERNAME", ""), given.get("PASSWORD", ""))
    if user is None:
        return _refused("NotAuthorizedException", "Incorrect username or password.")
    refresh = _token(host, user, "refresh", REFRESH_LASTS_S)
    return _logged_in(host, user, {"RefreshToken": refresh})


def _by_refresh(host: Host, given: dict[str, str]) -> Answer:
    """Renew a login."""
    try:
        user = _bearer(host, given.get("REFRESH_TOKEN", ""), "refresh")
    except ApiError:
        return _refused("NotAuthorizedException", "Invalid Refresh Token")
    return _logged_in(host, user, {})


def _logged_in(host: Host, user: User, more: dict[str, str]) -> Answer:
    """Return the tokens of a login."""
    result = {
        "AccessToken": _token(host, user, "access", TOKEN_LASTS_S),
        "ExpiresIn": TOKEN_LASTS_S,
        "IdToken": _token(host, user, "id", TOKEN_LASTS_S),
        "TokenType": "Bearer",
        **more,
    }
    return Answer({"AuthenticationResult": result, "ChallengeParameters": {}})


def _refused(kind: str, message: str) -> Answer:
    """Return an error as Cognito tells it."""
    headers = {"x-amzn-ErrorType": kind, "Content-Type": "application/x-amz-json-1.1"}
    return Answer({"__type": kind, "message": message}, 400, headers)


def authenticate(call: Call) -> User:
    """Return who calls.

    Raises
    ------
    ApiError
        401 without the header; 403 for a token that is expired, forged, or of another customer.
    """
    header = call.request.headers.get("authorization", "").strip()
    token = header.removeprefix("Bearer").strip()
    if not token:
        raise ApiError(401, "No Authorization header was provided")
    if call.params.get("customer_id") != call.host.account.customer_id:
        raise ApiError(403, "The token is not for this customer.")
    return _bearer(call.host, token, "id")


def _bearer(host: Host, token: str, use: str) -> User:
    """Return the user of a token for one use; raises ApiError 403."""
    claims = _claims(token_key(host), token)
    if claims is None or claims.get("token_use") != use:
        raise ApiError(403, "The token is not one of this service.")
    if now_ms(host) >= claims["exp"] * 1000:
        raise ApiError(403, "The token has expired.")
    user = host.account.user(claims["sub"])
    if user is None:
        raise ApiError(403, "The user of this token does not exist any more.")
    return user


@lru_cache(maxsize=1024)
def _claims(key: bytes, token: str) -> dict[str, Any] | None:
    """Return what a token says, None where the signature is not ours; time is not looked at."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.InvalidTokenError:
        return None
    return claims


def _token(host: Host, user: User, use: str, lasts_s: int) -> str:
    """Return a signed token of a user."""
    customer, now_s = host.account.customer_id, now_ms(host) // 1000
    claims = {
        "sub": user.id, "email": user.email, "cognito:groups": [user.role], "token_use": use,
        "aud": _client_id(customer), "custom:customer_id": customer,
        "iss": f"https://cognito-idp.{_REGION}.amazonaws.com/{_pool_id(customer)}",
        "auth_time": now_s, "iat": now_s, "exp": now_s + lasts_s,
    }  # fmt: skip
    return jwt.encode(claims, token_key(host), algorithm=_ALGORITHM)


def token_key(host: Host) -> bytes:
    """Return the key that signs what this twin hands out: another for each customer and seed."""
    return _key(host.account.customer_id, host.seed)


@lru_cache(maxsize=64)
def _key(customer: str, seed: int) -> bytes:
    """Return the same for a customer and a seed."""
    words = json.dumps([customer, seed, "insight"])
    return hashlib.blake2b(words.encode(), digest_size=32).digest()


def _pool_id(customer: str) -> str:
    """Return the id of a customer's user pool."""
    return f"{_REGION}_{made_uuid(customer, 'pool').replace('-', '')[:9]}"


def _client_id(customer: str) -> str:
    """Return the id of the client with which a customer's users log in."""
    return made_uuid(customer, "client").replace("-", "")[:26]
