"""Data Collector: what polls devices again and again."""

from typing import Any
from urllib.parse import quote

from twin.api.http import Answer, ApiError, Call
from twin.api.snap.polls import keep_polls
from twin.api.snap.seen import reference
from twin.store.things import DataCollector, Things

__all__ = [
    "create_collector",
    "delete_collector",
    "get_collector",
    "list_collectors",
    "update_collector",
]


def list_collectors(call: Call) -> Answer:
    """Answer all data collectors."""
    return Answer({"data": [_shown(call, one) for one in call.host.things.collectors()]})


def create_collector(call: Call) -> Answer:
    """Make a data collector: it polls from now on; on trial only a few nodes, the nearest."""
    return Answer({"data": _shown(call, _put(call, 0))})


def delete_collector(call: Call) -> Answer:
    """Delete a data collector: it begins no more polls."""
    found = _found(call)
    with call.host.database.transaction():
        call.host.things.remove_collector(found.id)
        keep_polls(call.host)
    return Answer()


def get_collector(call: Call) -> Answer:
    """Answer how a data collector is configured."""
    return Answer({"data": _shown(call, _found(call))})


def update_collector(call: Call) -> Answer:
    """Configure a data collector anew; where something changes it polls at once."""
    return Answer({"data": _shown(call, _put(call, _found(call).id))})


def _put(call: Call, collector_id: int) -> DataCollector:
    """Make a data collector, or change one; raises ApiError."""
    asked = call.body
    things: Things = call.host.things
    other = things.collector(asked.name)
    if other is not None and other.id != collector_id:
        raise ApiError(409, "A data collector with this name already exists")
    for name in asked.deviceTypes:
        if not things.has_device_type(name):
            raise ApiError(400, f"deviceTypes: there is no device type {name!r}")
    types = tuple(asked.deviceTypes)
    facts = asked.name, types, asked.queryFunction, asked.pollInterval
    with call.host.database.transaction():
        things.put_collector(DataCollector(collector_id, *facts))
        keep_polls(call.host)
    found = things.collector(asked.name)
    assert found is not None, "it was just put there"
    return found


def _found(call: Call) -> DataCollector:
    """Return the data collector that is asked for; raises ApiError 404."""
    things: Things = call.host.things
    found = things.collector(call.params["name"])
    if found is None:
        raise ApiError(404, "Data collector could not be found")
    return found


def _shown(call: Call, collector: DataCollector) -> dict[str, Any]:
    """Return a data collector as the document shows it."""
    return {
        "name": collector.name,
        "deviceTypes": list(collector.device_types),
        "href": reference(call, "dc", quote(collector.name)),
        "queryFunction": collector.query_function,
        "id": collector.id,
        "pollInterval": collector.poll_interval_s,
    }
