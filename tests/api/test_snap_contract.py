"""SNAP Thing Services keeps to its OpenAPI, whatever Schemathesis asks."""

from base64 import b64encode
from typing import Any

import pytest
import schemathesis

from tests.api.asking import account_of, basic, bring_back
from tests.api.contract import SEQUENCES, Contract, configured, wsgi
from tests.api.snap_site import FAR, asked, begun, finished, got, made, snap_site
from twin.mesh.images import make_image

V = "/api/v1"
REFUSED = {
    f"POST {V}/changePassword": "the old password has to be right",
    f"PUT {V}/network": "a key is the Base64 text of 16 characters, and one change goes at a time",
    f"POST {V}/dc": "a type of devices may be unknown",
    f"PUT {V}/dc/{{name}}/config": "a type of devices may be unknown",
    f"PUT {V}/license": "a licence has to be signed",
    f"POST {V}/images": "a file has to be an image",
    f"POST {V}/networkConfigurations": "two addresses may be one in another notation",
    f"POST {V}/networkConfigurationUpdates": "a device or an image may be gone",
}
"""Where 400 is right for a request that keeps to its schema, and why."""
GUARDED = {
    f"POST {V}/changePassword": "nobody can make up the old password",
    f"PUT {V}/license": "nobody can make up a signature",
}
"""Where no made-up request succeeds, and why."""
AMBIGUOUS = {f"PUT {V}/devices/{{deviceId}}": "404 also where there is no such type of devices"}
"""Where 404 may be about something else than what the path leads to, and what."""
OPENED = snap_site(
    licence={"customer": "John Smith", "expiration": "2027-01-31"},
    collectors=[{"name": "dc2", "device_types": ["sensors"], "query_function": "data",
                 "poll_interval": "1 min"}],
)  # fmt: skip


def begin() -> dict[str, list[Any]]:
    """Make one of everything, and return what there is."""
    survey = asked(OPENED, "POST", "/topologies", None, 202).headers["location"]
    topology = got(OPENED, finished(OPENED, survey))
    device = {"addr": FAR, "description": "D", "platform": "RF200", "deviceType": "sensors"}
    made(OPENED, "/devices", device)
    batch = made(OPENED, "/devices/batches", {"devices": [device | {"addr": "fffffd"}]})
    image = {"image": {"href": got(OPENED, "/images")[0]["href"]}}
    task = begun(OPENED, ([FAR], image))
    running = asked(OPENED, "POST", "/topologies", None, 202).headers["location"]
    results = finished(OPENED, task)
    files = [make_image("blink", 690), make_image("wink", 10)]
    return {
        "path.deviceId": [one["id"] for one in got(OPENED, "/devices")],
        "path.batchId": [batch["href"].rpartition("/")[2]],
        "path.deviceTypeId": [one["id"] for one in got(OPENED, "/deviceTypes")],
        "path.name": ["dc2"],
        "path.firmwareVersion": ["2.7.1", "2.8.2"],
        "path.imageId": [one["id"] for one in got(OPENED, "/images")],
        "path.networkConfigurationId": [one["id"] for one in got(OPENED, "/networkConfigurations")],
        "path.networkConfigurationUpdateId": [results.rpartition("/")[2]],
        "path.taskId": [one.rpartition("/")[2] for one in (survey, task, running)],
        "path.topologyId": [topology["id"], "latest"],
        "body.deviceType": ["Deck1", "Sensor"],
        "body.href": [one["href"] for one in got(OPENED, "/networkConfigurations")],
        "body.content": [b64encode(file).decode() for file in files],
    }


VALUES = begin()
AT_FIRST = account_of(OPENED)
WHO = basic(OPENED.snap_user, OPENED.snap_password)["Authorization"]
SCHEMA = schemathesis.openapi.from_dict(
    OPENED.snap_openapi(), config=configured(VALUES, {}, REFUSED, AMBIGUOUS)
)
SCHEMA.app = wsgi(OPENED.snap_api)
CONTRACT = Contract(SCHEMA, WHO)


def begin_anew() -> None:
    """Let nothing be in the way that was made, deleted, or is still under way."""
    bring_back(OPENED, AT_FIRST)
    while OPENED.network.jobs.under_way(OPENED.now_us):
        OPENED.run("1 min", progress=False)


@pytest.fixture(autouse=True)
def things_as_at_first() -> None:
    """What one operation did is not in the way of the next."""
    begin_anew()


globals().update(CONTRACT.tests())


class Sequences(SCHEMA.as_state_machine()):
    """Goes from what one operation answered to another: what is made is there, until it is not."""

    def setup(self) -> None:
        begin_anew()


TestSequences = Sequences.TestCase
TestSequences.settings = SEQUENCES


def test_the_operations_were_reached_behind_login_and_checks() -> None:
    CONTRACT.check_reached(GUARDED)


def test_the_tables_speak_of_operations_that_there_are() -> None:
    CONTRACT.check_names({*REFUSED, *GUARDED, *AMBIGUOUS})
