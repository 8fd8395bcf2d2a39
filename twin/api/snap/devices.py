"""Devices and Device Batches: what the service knows of nodes, beside what they say themselves."""

from twin.api.http import Answer, ApiError, Call
from twin.api.snap.device_types import number_of
from twin.api.snap.polls import keep_polls
from twin.api.snap.seen import Seen, reference
from twin.api.snap.shapes import NewDevice
from twin.store.things import Device, Things

__all__ = [
    "create_batch",
    "create_device",
    "delete_device",
    "get_batch",
    "get_device",
    "list_devices",
    "update_device",
]


def list_devices(call: Call) -> Answer:
    """Answer all devices, or those of a type; ``expand`` shows firmware and image in full."""
    seen, things = Seen(call), call.host.things
    found = things.devices(call.query.type)
    return Answer({"data": [seen.device(one, call.query.expand) for one in found]})


def create_device(call: Call) -> Answer:
    """Make a device; one whose address is a node of the mesh shows what that runs."""
    (made,) = _make(call, [call.body])
    shown = Seen(call).device(made)
    return Answer({"data": shown}, headers={"Location": shown["href"]})


def create_batch(call: Call) -> Answer:
    """Make many devices, or none of them where one cannot be made."""
    with call.host.database.transaction():
        made = _make(call, call.body.devices)
        batch_id = call.host.things.add_batch([one.id for one in made])
    href = reference(call, "devices/batches", batch_id)
    seen = Seen(call)
    data = {"devices": [seen.device(one) for one in made], "href": href}
    return Answer({"data": data}, headers={"Location": href})


def get_batch(call: Call) -> Answer:
    """Answer a batch: those of its devices that there still are. The document only leads here."""
    things: Things = call.host.things
    ids = things.batch(call.params["batchId"])
    if ids is None:
        raise ApiError(404, "Device batch could not be found")
    seen, found = Seen(call), [things.device(device_id) for device_id in ids]
    href = reference(call, "devices/batches", call.params["batchId"])
    devices = [seen.device(one) for one in found if one is not None]
    return Answer({"data": {"devices": devices, "href": href}})


def get_device(call: Call) -> Answer:
    """Answer one device."""
    return Answer({"data": Seen(call).device(_found(call))})


def update_device(call: Call) -> Answer:
    """Change a device."""
    device, asked, things = _found(call), call.body, call.host.things
    _check_type(things, asked)
    other = things.device_at(asked.addr)
    if other is not None and other.id != device.id:
        raise _taken()
    new = Device(device.id, asked.addr, asked.description, asked.platform, asked.deviceType)
    with call.host.database.transaction():
        things.put_device(new)
        keep_polls(call.host)
    return Answer({"data": Seen(call).device(new)})


def delete_device(call: Call) -> Answer:
    """Delete a device; the node stays in the mesh."""
    device = _found(call)
    with call.host.database.transaction():
        call.host.things.remove_device(device.id)
        keep_polls(call.host)
    return Answer()


def _make(call: Call, asked: list[NewDevice]) -> list[Device]:
    """Make devices, all or none; raises ApiError."""
    things: Things = call.host.things
    addresses = [one.addr for one in asked]
    for one in asked:
        _check_type(things, one)
    if len(set(addresses)) < len(addresses) or any(map(things.device_at, addresses)):
        raise _taken()
    facts = [(one.addr, one.description, one.platform, one.deviceType) for one in asked]
    with call.host.database.transaction():
        ids = things.add_devices(facts)
        keep_polls(call.host)
    return [Device(device_id, *fact) for device_id, fact in zip(ids, facts, strict=True)]


def _check_type(things: Things, asked: NewDevice) -> None:
    """Refuse a device of a type that there is not; raises ApiError 404."""
    if not things.has_device_type(asked.deviceType):
        raise ApiError(404, "Device type could not be found")


def _taken() -> ApiError:
    return ApiError(409, "A device with this address already exists")


def _found(call: Call) -> Device:
    """Return the device that is asked for; raises ApiError 404."""
    things: Things = call.host.things
    found = things.device(number_of(call, "deviceId"))
    if found is None:
        raise ApiError(404, "Device could not be found")
    return found
