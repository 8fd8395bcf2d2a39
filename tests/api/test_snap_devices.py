"""Devices, their types and batches: field for field what the document shows, each of its words."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.asking import ask_snap
from tests.api.snap_site import (
    FAR,
    addresses,
    asked,
    begun,
    finished,
    got,
    made,
    names,
    refused,
    snap_site,
)
from twin.twin import Twin

URL = "https://localhost:3000/api/v1"
DEVICE = {"deviceType": "Deck1", "description": "Device1", "addr": "ccddee", "platform": "RF200"}
REQUIRED = "The following properties are required: addr, description, platform, deviceType"
UNKNOWN = {"href": "Unknown"}
NO_ADDRESS = (
    "A valid SNAP Address must be a hex value of at least 6 digits with optional period or colon "
    "delimiters (ex: a18ca9, 04:3E:82)."
)


@pytest.fixture
def t() -> Twin:
    return snap_site()


def shown(number: int, **facts: Any) -> dict[str, Any]:
    """Return a device that nobody knows what it runs."""
    return {
        **DEVICE, "upgrading": False, "firmware": UNKNOWN, "image": UNKNOWN, "id": number,
        "href": f"{URL}/devices/{number}", **facts,
    }  # fmt: skip


# --- devices --------------------------------------------------------------------------------------


def test_a_new_device_is_shown_as_in_the_document(t: Twin) -> None:
    reply = asked(t, "POST", "/devices", DEVICE, 201)
    assert reply.body == {"data": shown(13)}
    assert reply.headers["location"] == f"{URL}/devices/13"
    assert got(t, reply.headers["location"]) == shown(13)
    assert got(t, "/devices")[-1] == shown(13)
    changed = {**DEVICE, "description": "Other", "platform": "SM220", "deviceType": "Sensor"}
    expected = shown(13, **changed)
    assert asked(t, "PUT", "/devices/13", changed, 200).body == {"data": expected}
    assert got(t, "/devices/13") == expected
    assert asked(t, "DELETE", "/devices/13", None, 204).body is None
    assert refused(t, "GET", "/devices/13", None, 404) == "Device could not be found"
    assert refused(t, "DELETE", "/devices/13", None, 404) == "Device could not be found"
    assert made(t, "/devices", DEVICE)["id"] == 14  # no number comes twice


def test_the_service_goes_by_the_name_that_the_client_called() -> None:
    t = snap_site()
    client = t.login_snap(t.snap_user, t.snap_password)
    answer = client.get("https://gateway.example:3001/api/v1/firmware")
    assert answer.json()["data"][0]["href"] == "https://gateway.example:3001/api/v1/firmware/2.6.9"


@pytest.mark.parametrize("written", [
    "ABCDEF", "abcdef", "ab:cd:ef", "AB.CD.EF", "a.b:cd.ef", "00:1C:2C:00:00:AB:CD:EF",
    "001c2c1234abcdef", "00.1c.2C.12.34.ab.cd.ef",
])  # fmt: skip
def test_an_address_is_known_by_its_last_six_digits(t: Twin, written: str) -> None:
    assert made(t, "/devices", {**DEVICE, "addr": written})["addr"] == "abcdef"
    again = {**DEVICE, "addr": "abcdef"}
    said = refused(t, "POST", "/devices", again, 409)
    assert said == "A device with this address already exists"


@pytest.mark.parametrize("written", [
    "", "abcde", "abcdefa", "abcdeg", "ab-cd-ef", "abcdef:", " abcdef", "abcdef\n", "ab::cd:ef",
    "001d2c1234abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "0x12ab", "1c2c1234abcdef",
])  # fmt: skip
def test_what_is_no_address_is_refused_in_the_words_of_the_document(t: Twin, written: str) -> None:
    for method, path in (("POST", "/devices"), ("PUT", "/devices/1")):
        said = refused(t, method, path, {**DEVICE, "addr": written}, 400)
        assert said == f"addr: {NO_ADDRESS}"
    assert len(got(t, "/devices")) == 12


@given(
    st.text("0123456789abcdefABCDEF", min_size=6, max_size=6),
    st.lists(st.sampled_from(["", ".", ":"]), min_size=5, max_size=5),
)
@settings(derandomize=True, deadline=None, database=None, max_examples=50)
def test_any_address_in_any_notation_is_one(digits: str, between: list[str]) -> None:
    written = "".join(a + b for a, b in zip(digits, [*between, ""], strict=True))
    device = made(SITE, "/devices", {**DEVICE, "addr": written})
    assert device["addr"] == digits.lower()
    asked(SITE, "DELETE", device["href"], None, 204)


SITE = snap_site()


@pytest.mark.parametrize("name", DEVICE)
def test_a_device_without_a_property_is_refused_in_the_words_of_the_document(
    t: Twin, name: str
) -> None:
    body = {key: value for key, value in DEVICE.items() if key != name}
    assert refused(t, "POST", "/devices", body, 400) == REQUIRED
    assert refused(t, "PUT", "/devices/1", body, 400) == REQUIRED
    assert refused(t, "POST", "/devices/batches", {"devices": [DEVICE, body]}, 400) == REQUIRED
    assert len(got(t, "/devices")) == 12


def test_a_device_of_an_unknown_type_is_refused(t: Twin) -> None:
    body = {**DEVICE, "deviceType": "deck1"}
    for method, path in (("POST", "/devices"), ("PUT", "/devices/1")):
        assert refused(t, method, path, body, 404) == "Device type could not be found"
    assert refused(t, "PUT", "/devices/99", DEVICE, 404) == "Device could not be found"


def test_a_device_takes_no_address_of_another(t: Twin) -> None:
    first, second = got(t, "/devices")[:2]
    body = {**DEVICE, "addr": second["addr"]}
    said = refused(t, "PUT", first["href"], body, 409)
    assert said == "A device with this address already exists"
    assert got(t, first["href"]) == first
    body["addr"] = first["addr"].upper()  # its own
    assert asked(t, "PUT", first["href"], body, 200).body["data"]["addr"] == first["addr"]


def test_the_list_is_of_a_type_and_expands_what_is_asked_for(t: Twin) -> None:
    assert [one["deviceType"] for one in got(t, "/devices?type=Sensor")] == ["Sensor"] * 4
    assert got(t, "/devices?type=sensor") == []
    image, _ = got(t, "/images")
    firmware = got(t, "/firmware/2.7.1")
    plain = got(t, "/devices")[0]
    assert plain["firmware"] == {"href": firmware["href"]}
    assert plain["image"] == {"href": image["href"]}
    for query, expected in {
        "expand=firmware": {**plain, "firmware": firmware},
        "expand=image": {**plain, "image": image},
        "expand=firmware,image&type=Deck1": {**plain, "firmware": firmware, "image": image},
    }.items():
        assert got(t, f"/devices?{query}")[0] == expected
    assert refused(t, "GET", "/devices?expand=platform", None, 400).startswith("expand: ")


def test_a_device_that_is_a_node_shows_what_that_runs(t: Twin) -> None:
    door = got(t, "/devices?type=Sensor&expand=firmware,image")[0]
    assert door["firmware"]["version"] == "2.6.9"
    assert door["image"] == UNKNOWN  # nobody gave it a script
    task = begun(t, ([door["addr"]], {"image": {"href": got(t, "/images")[1]["href"]}}))
    finished(t, task)
    assert got(t, "/devices?type=Sensor&expand=image")[0]["image"]["name"] == "blink"
    asked(t, "DELETE", "/images", None, 204)  # it goes on running what nobody knows any more
    assert got(t, door["href"])["image"] == UNKNOWN
    blink = made(t, "/images", {"content": content(t.make_image("blink", 690))})
    assert got(t, door["href"])["image"] == {"href": blink["href"]}


def content(file: bytes) -> str:
    from base64 import b64encode

    return b64encode(file).decode()


def test_a_device_is_upgrading_from_the_answer_until_its_result(t: Twin) -> None:
    addr, other = addresses(t, "Sensor")[:2]
    image = {"image": {"href": got(t, "/images")[1]["href"]}}
    task = begun(t, ([addr], image))
    assert upgrading(t) == [addr]
    while ask_snap(t, "GET", task.rpartition("/api/v1")[2]).status == 200:
        assert upgrading(t) == [addr]
        t.run("1 s", progress=False)
    assert upgrading(t) == []
    begun(t, ([other], image))
    assert upgrading(t) == [other]


def upgrading(t: Twin) -> list[str]:
    return [one["addr"] for one in got(t, "/devices") if one["upgrading"]]


def test_a_device_that_goes_leaves_its_node_in_the_mesh(t: Twin) -> None:
    first = got(t, "/devices")[0]
    before = t.nodes()
    asked(t, "DELETE", first["href"], None, 204)
    assert t.nodes().equals(before)
    body = {**DEVICE, "addr": first["addr"]}
    assert made(t, "/devices", body)["firmware"] == first["firmware"]


# --- batches --------------------------------------------------------------------------------------


def test_a_batch_is_shown_as_in_the_document_and_can_be_read(t: Twin) -> None:
    second = {**DEVICE, "addr": "60:84:77", "description": "Device2"}
    reply = asked(t, "POST", "/devices/batches", {"devices": [DEVICE, second]}, 201)
    where = reply.headers["location"]
    devices = [shown(13), shown(14, addr="608477", description="Device2")]
    assert reply.body == {"data": {"devices": devices, "href": where}}
    assert where.startswith(f"{URL}/devices/batches/")
    assert got(t, where) == reply.body["data"]
    assert got(t, "/devices")[-2:] == devices
    asked(t, "DELETE", "/devices/13", None, 204)
    assert got(t, where) == {"devices": devices[1:], "href": where}
    said = refused(t, "GET", "/devices/batches/none", None, 404)
    assert said == "Device batch could not be found"


@pytest.mark.parametrize(("wrong", "status"), [
    ({"addr": "608477"}, 409), ({"addr": "60:84:77"}, 409), ({"deviceType": "None"}, 404),
    ({"addr": "nothing"}, 400), ({"platform": None}, 400), ({"description": ""}, 400),
])  # fmt: skip
def test_of_a_batch_with_one_wrong_device_none_is_made(
    t: Twin, wrong: dict[str, Any], status: int
) -> None:
    before = got(t, "/devices"), t.things.devices()
    good = [{**DEVICE, "addr": "608477"}, {**DEVICE, "addr": "608478"}]
    refused(t, "POST", "/devices/batches", {"devices": [*good, {**DEVICE, **wrong}]}, status)
    assert (got(t, "/devices"), t.things.devices()) == before


def test_a_batch_with_a_device_that_there_is_makes_none(t: Twin) -> None:
    there = addresses(t, "Deck1")[0]
    body = {"devices": [{**DEVICE, "addr": FAR}, {**DEVICE, "addr": there}]}
    said = refused(t, "POST", "/devices/batches", body, 409)
    assert said == "A device with this address already exists"
    assert FAR not in addresses(t, "Deck1")


def test_a_batch_of_nobody_is_a_batch(t: Twin) -> None:
    reply = asked(t, "POST", "/devices/batches", {"devices": []}, 201)
    assert got(t, reply.headers["location"])["devices"] == []


# --- types ----------------------------------------------------------------------------------------


def test_types_are_shown_as_in_the_document(t: Twin) -> None:
    reply = asked(t, "POST", "/deviceTypes", {"description": "Some Device Type"}, 201)
    expected = {"id": 4, "href": f"{URL}/deviceTypes/4", "description": "Some Device Type"}
    assert reply.body == {"data": expected}
    assert reply.headers["location"] == expected["href"]
    assert got(t, expected["href"]) == [expected]  # a list of one, as the document shows it
    assert [one["description"] for one in got(t, "/deviceTypes")] == [
        "Deck1", "Sensor", "sensors", "Some Device Type"
    ]  # fmt: skip
    said = "A device type with this description already exists"
    assert refused(t, "POST", "/deviceTypes", {"description": "Sensor"}, 409) == said
    assert refused(t, "PUT", expected["href"], {"description": "Sensor"}, 409) == said
    same = asked(t, "PUT", expected["href"], {"description": "Some Device Type"}, 200)
    assert same.body == {"data": expected}
    asked(t, "DELETE", expected["href"], None, 204)
    for method, body in (("GET", None), ("DELETE", None), ("PUT", {"description": "X"})):
        said = refused(t, method, expected["href"], body, 404)
        assert said == "Device type could not be found"


def test_a_type_of_another_name_takes_its_devices_along(t: Twin) -> None:
    doors = addresses(t, "Sensor")
    asked(t, "PUT", "/deviceTypes/2", {"description": "Door"}, 200)
    assert addresses(t, "Door") == doors
    assert addresses(t, "Sensor") == []


def test_devices_keep_the_name_of_a_type_that_goes(t: Twin) -> None:
    doors = addresses(t, "Sensor")
    asked(t, "DELETE", "/deviceTypes/2", None, 204)
    assert addresses(t, "Sensor") == doors
    body = {**DEVICE, "deviceType": "Sensor"}
    assert refused(t, "POST", "/devices", body, 404) == "Device type could not be found"
    assert names(t, doors) == [f"door-00{n}" for n in (1, 2, 3, 4)]
