"""License: what the service may do, by licence or on trial.

On trial it upgrades one device at a time, shows five nodes of a topology, and its data collectors
poll a few nodes. A licence that has expired, on the simulated clock, allows no more than a trial.
"""

import json
from datetime import date
from typing import Any

from twin.api.host import Host
from twin.api.http import Answer, ApiError, Call
from twin.api.snap.errors import in_short
from twin.api.snap.licences import read_licence
from twin.api.snap.polls import keep_polls
from twin.api.snap.trial import NO_LICENCE, applied, licence_of
from twin.errors import RunError
from twin.store.things import Things
from twin.world.clock import day_ends_us

__all__ = ["apply_licence", "delete_licence", "get_capabilities"]

_TRIAL = {"customer": "Trial", "siteDirector": False, "dataCollector": False, "types": ["trial"],
          "expiration": date.max.isoformat(), "siteDoctor": False}  # fmt: skip


def apply_licence(call: Call) -> Answer:
    """Apply a licence: ``{"license": "<Base64>"}``, or the bare Base64 text.

    What was tampered with, or has expired, is refused; what was applied before stays then.
    """
    host = call.host
    text = _given(call.request.body)
    try:
        licence = read_licence(text)
    except RunError as error:
        raise ApiError(400, in_short(error)) from error
    if host.origin_us + host.now_us >= day_ends_us(licence.expiration):
        raise ApiError(400, f"this licence expired on {licence.expiration}")
    _put(host, text)
    return Answer()


def delete_licence(call: Call) -> Answer:
    """Delete the licence: the service is on trial from now on, as it may have been before."""
    _put(call.host, NO_LICENCE)
    return Answer()


def get_capabilities(call: Call) -> Answer:
    """Answer what the licence allows; one that has expired allows nothing more."""
    host, holds = call.host, licence_of(call.host)
    if holds is not None:
        return Answer({"data": holds.shown()})
    expired = applied(host)
    if expired is None:
        return Answer({"data": _TRIAL})
    none = {"siteDirector": False, "dataCollector": False, "siteDoctor": False, "types": []}
    return Answer({"data": expired.shown() | none})


def _put(host: Host, text: str) -> None:
    """Keep a licence, and let data collectors poll as many nodes as it allows."""
    things: Things = host.things
    with host.database.transaction():
        things.put_setting("licence", text)
        keep_polls(host)


def _given(body: bytes) -> str:
    """Return the text of a licence; raises ApiError 400."""
    try:
        text = body.decode("ascii").strip()
        found: Any = json.loads(text) if text[:1] in ("{", '"') else text
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ApiError(400, "this is no licence") from error
    if isinstance(found, dict):
        found = found.get("license")
    if not isinstance(found, str):
        raise ApiError(400, 'the license is due: {"license": "<Base64>"}, or its Base64 text')
    return found
