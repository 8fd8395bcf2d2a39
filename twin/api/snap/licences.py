"""Licences as a text: what is allowed, to whom, until when, signed (Ed25519, RFC 8032).

The text is the Base64 of a JSON object with ``licence`` and ``signature``; what is signed is the
licence as JSON with sorted keys and no blanks. The vendor's own format and key are not published.
Ours is made from a phrase in this file, so that a licence that one twin issues holds in another,
and the same licence is always the same text: it keeps from slips and tampering, not from who reads
this.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from typing import Annotated, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from twin.errors import RunError

__all__ = ["Licence", "day_of", "issue", "make_licence", "read_licence"]

_PHRASE = b"who issues licences for the twin"
_MOST_CHARACTERS = 100_000


class Licence(BaseModel):
    """What a licence allows.

    ``siteDirector`` lets many devices be upgraded at once, ``dataCollector`` lets collectors poll
    any number of nodes, and ``siteDoctor`` shows whole topologies. It holds up to the end of its
    day, in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    customer: Annotated[str, Field(min_length=1, max_length=256)]
    siteDirector: bool
    dataCollector: bool
    types: tuple[Annotated[str, Field(max_length=64)], ...]
    expiration: date
    siteDoctor: bool

    def shown(self) -> dict[str, Any]:
        """Return it as the document shows the capabilities."""
        return self.model_dump(mode="json")


@cache
def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(_PHRASE).digest())


def _signed(shown: dict[str, Any]) -> bytes:
    """Return what is signed of a licence."""
    return json.dumps(shown, sort_keys=True, separators=(",", ":")).encode()


def issue(licence: Licence) -> str:
    """Return a licence as a text that a service takes."""
    shown = licence.shown()
    signature = base64.b64encode(_key().sign(_signed(shown))).decode()
    text = json.dumps({"licence": shown, "signature": signature}, sort_keys=True)
    return base64.b64encode(text.encode()).decode()


def read_licence(text: str) -> Licence:
    """Return the licence of a text.

    Raises
    ------
    RunError
        It is no licence, or not as it was issued.
    """
    try:
        raw = base64.b64decode("".join(text[:_MOST_CHARACTERS].split()), validate=True)
        found = json.loads(raw)
        shown, signature = found["licence"], base64.b64decode(found["signature"], validate=True)
        licence = Licence.model_validate_json(json.dumps(shown))
    except (binascii.Error, KeyError, RecursionError, TypeError, ValidationError,
            ValueError) as error:  # fmt: skip
        raise RunError("this is no licence", hint="twin licence issue makes one") from error
    try:
        _key().public_key().verify(signature, _signed(shown))
    except InvalidSignature:
        raise RunError("this licence was tampered with: its signature is wrong") from None
    return licence


def make_licence(
    customer: str, expiration: date, abilities: Sequence[bool], types: Sequence[str]
) -> Licence:
    """Return a licence.

    Parameters
    ----------
    customer, expiration
        Whose it is, and the last day on which it holds.
    abilities
        Site director, data collector, site doctor.
    types
        Kinds of licence, like "manage" and "deploy".

    Raises
    ------
    RunError
        Nobody's licence, or one with a name that is too long.
    """
    director, collector, doctor = abilities
    try:
        return Licence(
            customer=customer, siteDirector=director, dataCollector=collector,
            siteDoctor=doctor, types=tuple(types), expiration=expiration,
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        raise RunError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def day_of(text: str) -> date:
    """Return a day, like 2027-01-31; raises RunError."""
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise RunError(f"{text!r} is no day", hint='like "2027-01-31"') from error
