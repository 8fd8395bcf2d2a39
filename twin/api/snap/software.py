"""SPY Images, Firmware and Synapse RF Module Types: what can be brought to devices."""

import base64
import binascii

from twin.api.http import Answer, ApiError, Call
from twin.api.snap.errors import in_short
from twin.api.snap.seen import Seen, reference
from twin.errors import ImageError
from twin.scenario import NODE_PLATFORM, node_platform
from twin.store.things import StoredImage, Things

__all__ = [
    "create_image",
    "delete_image",
    "delete_images",
    "get_firmware",
    "get_image",
    "list_firmware",
    "list_images",
    "list_module_types",
]


def list_images(call: Call) -> Answer:
    """Answer all images that were uploaded."""
    seen, things = Seen(call), call.host.things
    return Answer({"data": [seen.image(one) for one in things.images()]})


def create_image(call: Call) -> Answer:
    """Upload an image; its name and its CRC are read from the file.

    Two of one name and CRC are one to a node: who runs it shows the older.
    """
    try:
        content = base64.b64decode(call.body.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, "content: not Base64") from error
    try:
        made = call.host.things.add_image(content)
    except ImageError as error:
        raise ApiError(400, f"content: {in_short(error)}") from error
    shown = Seen(call).image(made)
    return Answer({"data": shown}, headers={"Location": shown["href"]})


def delete_images(call: Call) -> Answer:
    """Delete all images; devices go on with what they run."""
    call.host.things.remove_images()
    return Answer()


def get_image(call: Call) -> Answer:
    """Answer one image by its UUID."""
    return Answer({"data": Seen(call).image(_found(call))})


def delete_image(call: Call) -> Answer:
    """Delete one image; devices go on with what they run."""
    call.host.things.remove_image(_found(call).id)
    return Answer()


def _found(call: Call) -> StoredImage:
    """Return the image that is asked for; raises ApiError 404."""
    things: Things = call.host.things
    found = things.image(call.params["imageId"])
    if found is None:
        raise ApiError(404, "Image could not be found")
    return found


def list_firmware(call: Call) -> Answer:
    """Answer the firmware packages on the gateway: those that the scenario names."""
    seen = Seen(call)
    return Answer({"data": [seen.firmware(one) for one in call.host.scenario.snap.firmware]})


def get_firmware(call: Call) -> Answer:
    """Answer one firmware package by its version."""
    version = call.params["firmwareVersion"]
    if version not in call.host.scenario.snap.firmware:
        raise ApiError(404, "Firmware could not be found")
    return Answer({"data": Seen(call).firmware(version)})


def list_module_types(call: Call) -> Answer:
    """Answer the modules that the platform is sold as."""
    parts = node_platform(NODE_PLATFORM).part_names
    return Answer({"data": [
        {"partName": name, "href": reference(call, "moduleTypes", name)} for name in parts
    ]})  # fmt: skip
