"""Images, firmware, modules, and the settings of the network."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.snap_site import addresses, asked, begun, finished, got, made, refused, snap_site
from twin.mesh.images import crc_16, make_image
from twin.twin import Twin

URL = "https://localhost:3000/api/v1"
SETTINGS = {
    "networkId": "0x3ab3", "featureBits": "0x001f", "channel": 10,
    "encryptionKey": "YWFhYWJiYmJjY2NjZGRkZA==", "encryptionType": "AES-128",
}  # fmt: skip
UNABLE = "Could not update network settings"


@pytest.fixture
def t() -> Twin:
    return snap_site()


def uploaded(file: bytes) -> dict[str, str]:
    return {"content": b64encode(file).decode()}


# --- images ---------------------------------------------------------------------------------------


def test_name_size_and_crc_of_an_image_are_those_of_its_file(t: Twin) -> None:
    script = bytes(range(90))
    crc = crc_16(b"blonk" + script)
    file = b"TSPY\x01\x05blonk" + len(script).to_bytes(4) + crc.to_bytes(2) + script
    reply = asked(t, "POST", "/images", uploaded(file), 201)
    data = reply.body["data"]
    assert data == {
        "name": "blonk", "size": 90, "id": data["id"], "href": f"{URL}/images/{data['id']}",
        "crc": f"0x{crc:04x}",
    }  # fmt: skip
    assert reply.headers["location"] == data["href"]
    assert got(t, data["href"]) == data
    assert [one["name"] for one in got(t, "/images")] == ["McastCounter", "blink", "blonk"]
    asked(t, "DELETE", data["href"], None, 204)
    for method in ("GET", "DELETE"):
        assert refused(t, method, data["href"], None, 404) == "Image could not be found"
    again = made(t, "/images", uploaded(file))
    assert again["id"] != data["id"]
    asked(t, "DELETE", "/images", None, 204)
    assert got(t, "/images") == []


@pytest.mark.parametrize(("given", "said"), [
    ("!", "Not Base64"), ("VFNQWQ", "Not Base64"), ("VFNQWQ==\n", "Not Base64"),
    ("VFNQWQ==", "content: "), ("\u00e4", "Not Base64"),
])  # fmt: skip
def test_what_is_no_image_is_refused(t: Twin, given: str, said: str) -> None:
    message = refused(t, "POST", "/images", {"content": given}, 400)
    assert message.startswith("content: ")
    assert said.lower() in message.lower()
    assert len(got(t, "/images")) == 2


FILE = make_image("blink", 30)
SITE = snap_site()


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
@settings(derandomize=True, deadline=None, database=None, max_examples=60)
def test_a_file_with_a_wrong_byte_is_refused(place: int, flip: int) -> None:
    wrong = bytearray(FILE)
    wrong[place] ^= flip
    assert refused(SITE, "POST", "/images", uploaded(bytes(wrong)), 400).startswith("content: ")
    assert len(got(SITE, "/images")) == 2


# --- firmware and modules -------------------------------------------------------------------------


def test_firmware_is_what_the_scenario_has_on_the_gateway(t: Twin) -> None:
    expected = [{"version": version, "href": f"{URL}/firmware/{version}"}
                for version in ("2.6.9", "2.7.1", "2.8.2")]  # fmt: skip
    assert got(t, "/firmware") == expected
    assert got(t, "/firmware/2.7.1") == expected[1]
    assert refused(t, "GET", "/firmware/2.8.1", None, 404) == "Firmware could not be found"
    assert got(snap_site(firmware=[]), "/firmware") == []


def test_modules_are_those_of_the_platform(t: Twin) -> None:
    found = got(t, "/moduleTypes")
    assert {"partName": "RF200PF1", "href": f"{URL}/moduleTypes/RF200PF1"} in found
    assert all(one["href"] == f"{URL}/moduleTypes/{one['partName']}" for one in found)


# --- network --------------------------------------------------------------------------------------


def test_before_a_change_what_is_configured_is_what_the_bridge_has(t: Twin) -> None:
    (bridge,) = [node for node in t.network.nodes if node.is_bridge]
    found = got(t, "/network")
    assert found["configured_settings"] == found["actual_settings"]
    assert found["actual_settings"] == {
        "networkId": f"0x{bridge.network.network_id:04x}",
        "featureBits": f"0x{bridge.network.feature_bits:04x}",
        "channel": bridge.network.channel, "encryptionKey": "", "encryptionType": "None",
    }  # fmt: skip
    assert found["bridge_addr"] == bridge.address.lower()


def test_a_change_goes_over_the_air_and_the_bridge_goes_last(t: Twin) -> None:
    before = got(t, "/network")["actual_settings"]
    reply = asked(t, "PUT", "/network", SETTINGS, 200)
    assert reply.body == {"apiVersion": "v1", "data": SETTINGS}
    assert moved(t) == (0, False)
    seen = []
    while not moved(t)[1]:
        found = got(t, "/network")
        assert (found["configured_settings"], found["actual_settings"]) == (SETTINGS, before)
        seen.append(moved(t)[0])
        t.run("500 ms", progress=False)
    assert seen[0] == 0
    assert seen[-1] >= 10  # of twelve, before their bridge
    assert got(t, "/network")["actual_settings"] == SETTINGS
    assert t.network_changes()["status"].tolist() == ["done"]
    key = t.network.nodes[-1].network.key
    assert key == "aaaabbbbccccdddd"


def moved(t: Twin) -> tuple[int, bool]:
    """Return how many nodes are in the new network, and whether the bridge is."""
    there = t.nodes().set_index("node")["channel"] == SETTINGS["channel"]
    return int(there.drop("bridge").sum()), bool(there["bridge"])


def test_what_is_there_already_is_not_said_again(t: Twin) -> None:
    same = got(t, "/network")["actual_settings"]
    asked(t, "PUT", "/network", same, 200)
    assert len(t.network_changes()) == 0


def test_one_change_goes_at_a_time_and_none_during_an_upgrade(t: Twin) -> None:
    before = got(t, "/network")["actual_settings"]
    asked(t, "PUT", "/network", SETTINGS, 200)
    for settings_ in ({**SETTINGS, "channel": 3}, before):
        body = asked(t, "PUT", "/network", settings_, 400).body
        assert body["apiVersion"] == "v1"
        assert body["error"]["code"] == 400
        assert body["error"]["message"] == f"{UNABLE}: a change is under way"
    assert got(t, "/network")["configured_settings"] == SETTINGS
    t.run("1 min", progress=False)
    assert got(t, "/network")["actual_settings"] == SETTINGS
    image = {"image": {"href": got(t, "/images")[1]["href"]}}
    task = begun(t, ([addresses(t, "Sensor")[0]], image))
    said = refused(t, "PUT", "/network", {**SETTINGS, "channel": 3}, 400)
    assert said == f"{UNABLE}: an upgrade is under way"
    finished(t, task)
    asked(t, "PUT", "/network", {**SETTINGS, "channel": 3}, 200)


@pytest.mark.parametrize(("name", "value"), [
    ("channel", 16), ("channel", -1), ("channel", "10"), ("channel", True), ("channel", 10.5),
    ("networkId", "3ab3"), ("networkId", "0x3ab"), ("networkId", 15027), ("networkId", "0x3abg"),
    ("networkId", "0x3ab3\n"), ("featureBits", "0x1001f"), ("featureBits", 31),
    ("encryptionType", "aes-128"), ("encryptionType", None), ("encryptionKey", "YWFh"),
    ("encryptionKey", "no Base64"), ("encryptionKey", "/////////////////////w=="),
    ("encryptionKey", ""),
])  # fmt: skip
def test_settings_that_no_network_has_are_refused(t: Twin, name: str, value: Any) -> None:
    body = asked(t, "PUT", "/network", {**SETTINGS, name: value}, 400).body
    assert (body["apiVersion"], body["error"]["code"]) == ("v1", 400)
    assert name in body["error"]["message"]
    assert len(t.network_changes()) == 0


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_without_one_are_refused(t: Twin, name: str) -> None:
    body = {key: value for key, value in SETTINGS.items() if key != name}
    said = refused(t, "PUT", "/network", body, 400)
    assert said.startswith("The following properties are required: ")
    assert name in said


def test_a_site_without_a_bridge_has_no_network() -> None:
    t = snap_site({"mesh.nodes": [], "mesh.bridges": []}, devices=[])
    expected = {"message": "Could not get network settings", "code": 400}
    assert asked(t, "GET", "/network", None, 400).body["error"] == expected
    expected["message"] = UNABLE
    assert asked(t, "PUT", "/network", SETTINGS, 400).body["error"] == expected
    assert "no mesh" in refused(t, "POST", "/topologies", None, 400)
    assert got(t, "/topologies") == []
