"""Device Types: the words by which devices are told apart."""

from typing import Any

from twin.api.http import Answer, ApiError, Call
from twin.api.snap.polls import keep_polls
from twin.api.snap.seen import reference
from twin.store.things import Things

__all__ = [
    "create_device_type",
    "delete_device_type",
    "get_device_type",
    "list_device_types",
    "number_of",
    "update_device_type",
]

_MOST_DIGITS = 18


def number_of(call: Call, name: str) -> int:
    """Return a number of the path; -1, which nothing has, where it is none."""
    text = call.params[name]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else -1


def list_device_types(call: Call) -> Answer:
    """Answer all types of devices."""
    return Answer({"data": [_shown(call, one) for one in call.host.things.device_types()]})


def create_device_type(call: Call) -> Answer:
    """Make a type of devices."""
    made = call.host.things.add_device_type(call.body.description)
    if made is None:
        raise _taken()
    shown = _shown(call, made)
    return Answer({"data": shown}, headers={"Location": shown["href"]})


def get_device_type(call: Call) -> Answer:
    """Answer one type of devices: a list of one, as the document shows it."""
    return Answer({"data": [_shown(call, _found(call))]})


def update_device_type(call: Call) -> Answer:
    """Give a type another name; devices and data collectors that have it go along."""
    things: Things = call.host.things
    type_id, _ = _found(call)
    with call.host.database.transaction():
        if not things.rename_device_type(type_id, call.body.description):
            raise _taken()
        keep_polls(call.host)  # devices may have had the new name already
    return Answer({"data": _shown(call, (type_id, call.body.description))})


def delete_device_type(call: Call) -> Answer:
    """Delete a type; devices that have it keep its name."""
    type_id, _ = _found(call)
    call.host.things.remove_device_type(type_id)
    return Answer()


def _found(call: Call) -> tuple[int, str]:
    """Return the type that is asked for; raises ApiError 404."""
    things: Things = call.host.things
    found = things.device_type(number_of(call, "deviceTypeId"))
    if found is None:
        raise ApiError(404, "Device type could not be found")
    return found


def _taken() -> ApiError:
    return ApiError(409, "A device type with this description already exists")


def _shown(call: Call, found: tuple[int, str]) -> dict[str, Any]:
    """Return a type as the document shows it."""
    type_id, description = found
    href = reference(call, "deviceTypes", type_id)
    return {"id": type_id, "href": href, "description": description}
