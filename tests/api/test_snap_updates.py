"""Network configurations, updates and their tasks: what becomes of each device, and when."""

from typing import Any

import pytest

from tests.api.asking import ask_snap
from tests.api.snap_site import (
    FAR,
    LICENCE,
    addresses,
    asked,
    begun,
    configured,
    finished,
    got,
    made,
    names,
    refused,
    snap_site,
)
from twin.api.doors import session
from twin.twin import Twin

URL = "https://localhost:3000/api/v1"
UPDATES = "/networkConfigurationUpdates"
UNABLE = "Unable to update network configuration: "
NOT_LICENSED = (
    "Your license only permits upgrading one device at a time. Please contact your sales "
    "representative to discuss upgrading your license to support upgrading multiple device at the "
    "same time."
)


def licensed(**changes: Any) -> Twin:
    return snap_site({f"mesh.upgrade.{key}": value for key, value in changes.items()},
                     licence=LICENCE)  # fmt: skip


@pytest.fixture
def t() -> Twin:
    return licensed()


def image(t: Twin, name: str = "blink") -> dict[str, Any]:
    found = next(one for one in got(t, "/images") if one["name"] == name)
    return {"image": {"href": found["href"]}}


def firmware(version: str) -> dict[str, Any]:
    return {"firmware": {"href": f"{URL}/firmware/{version}"}}


def outcomes(t: Twin, where: str, kind: str) -> dict[str, str]:
    """Return the results of one kind by address."""
    return {one["address"]: one["result"] for one in got(t, where)[f"{kind}_results"]}


# --- configurations -------------------------------------------------------------------------------


def test_a_configuration_is_shown_as_it_was_given(t: Twin) -> None:
    groups = [
        {"configuration": image(t), "devices": ["03cd71", "04ab44"]},
        {"configuration": {}, "devices": []},
    ]
    body = {"deviceGroupConfigurations": groups}
    reply = asked(t, "POST", "/networkConfigurations", body, 201)
    data = reply.body["data"]
    assert data == {**body, "id": data["id"], "href": f"{URL}/networkConfigurations/{data['id']}"}
    assert reply.headers["location"] == data["href"]
    assert got(t, data["href"]) == data
    other = made(t, "/networkConfigurations", {"deviceGroupConfigurations": []})
    assert got(t, "/networkConfigurations") == [data, other]
    said = refused(t, "GET", "/networkConfigurations/none", None, 404)
    assert said == "Network configuration could not be found"


@pytest.mark.parametrize(("group", "said"), [
    ({"devices": ["nobody"], "configuration": {}}, "SNAP Address"),
    ({"devices": ["03cd71", "03:CD:71"], "configuration": {}}, "once"),
    ({"devices": "03cd71"}, "devices"),
    ({"configuration": {}}, "are required: devices"),
    ({"devices": [], "configuration": {"image": {}}}, "are required: href"),
    ({"devices": [], "configuration": {"firmware": {"href": ""}}}, "firmware.href"),
])  # fmt: skip
def test_a_configuration_that_cannot_be_is_refused(
    t: Twin, group: dict[str, Any], said: str
) -> None:
    body = {"deviceGroupConfigurations": [group]}
    assert said in refused(t, "POST", "/networkConfigurations", body, 400)
    assert got(t, "/networkConfigurations") == []


# --- what is refused ------------------------------------------------------------------------------


def test_an_unknown_address_is_refused_in_the_words_of_the_document(t: Twin) -> None:
    href = configured(t, (["608477"], image(t)))
    said = refused(t, "POST", UPDATES, {"href": href}, 400)
    assert said == f"{UNABLE}No devices found with address 608477"


def test_all_that_is_wrong_is_said_at_once(t: Twin) -> None:
    door = addresses(t, "Sensor")[0]
    bridge = got(t, "/network")["bridge_addr"]
    gone = {"image": {"href": f"{URL}/images/none"}}
    device = {"addr": bridge, "description": "B", "platform": "RF220", "deviceType": "Deck1"}
    made(t, "/devices", device)
    href = configured(t, ([door, bridge], gone), ([door], firmware("9.9.9")))
    said = refused(t, "POST", UPDATES, {"href": href}, 400)
    assert said.startswith(UNABLE)
    for part in (f"Device {door} is in more than one group", f"Device {bridge} is the bridge",
                 f"No image found at {URL}/images/none", f"{URL}/firmware/9.9.9"):  # fmt: skip
        assert part in said
    assert len(t.upgrades()) == 0


@pytest.mark.parametrize("href", [
    f"{URL}/networkConfigurations/none", f"{URL}/images/none", "none", "http://[", "/api/v1",
    f"{URL}/networkConfigurations/",
])  # fmt: skip
def test_an_update_with_no_configuration_is_404(t: Twin, href: str) -> None:
    said = refused(t, "POST", UPDATES, {"href": href}, 404)
    assert said == "Network configuration could not be found"


def test_a_trial_upgrades_one_device_at_a_time() -> None:
    t = snap_site()
    one, other = addresses(t, "Sensor")[:2]
    for groups in ([([one, other], image(t))], [([one], image(t)), ([other], image(t))]):
        said = refused(t, "POST", UPDATES, {"href": configured(t, *groups)}, 403)
        assert said == NOT_LICENSED
    assert len(t.upgrades()) == 0
    first = begun(t, ([one], image(t)))
    second = begun(t, ([other], image(t)))  # after the first: one device at a time
    finished(t, first)
    finished(t, second)
    lines = t.upgrades()
    assert lines["succeeded"].tolist() == [1, 1]
    assert lines["began_us"].iloc[1] >= t.upgraded(0)["done_us"].iloc[0]


def test_a_licence_without_site_director_is_as_a_trial() -> None:
    t = snap_site(licence={**LICENCE, "site_director": False})
    href = configured(t, (addresses(t, "Sensor"), image(t)))
    assert refused(t, "POST", UPDATES, {"href": href}, 403) == NOT_LICENSED


def test_a_busy_device_is_refused_until_its_result(t: Twin) -> None:
    one, other = addresses(t, "Sensor")[:2]
    first = begun(t, ([one], image(t)))
    waiting = begun(t, ([other], image(t)))
    for addr in (one, other):
        href = configured(t, ([addr], image(t)))
        said = refused(t, "POST", UPDATES, {"href": href}, 400)
        assert said == f"{UNABLE}Device {addr} is upgrading already"
    finished(t, first)
    finished(t, waiting)
    begun(t, ([one, other], image(t, "McastCounter")))


# --- what becomes of it ---------------------------------------------------------------------------


def test_an_update_is_accepted_at_once_and_its_task_leads_to_the_results(t: Twin) -> None:
    doors, before_us = addresses(t, "Sensor"), t.now_us
    reply = asked(t, "POST", UPDATES, {"href": configured(t, (doors, image(t)))}, 202)
    assert reply.body is None
    assert t.now_us == before_us
    task = reply.headers["location"]
    assert got(t, task) == {"id": task.rpartition("/")[2], "href": task}
    where = finished(t, task)
    assert where.startswith(f"{URL}{UPDATES}/")
    found = got(t, where)
    assert found == {
        "firmware_results": [{"result": "success", "address": addr} for addr in doors],
        "id": where.rpartition("/")[2],
        "href": where,
        "image_results": [{"result": "success", "address": addr} for addr in doors],
    }
    assert [one["image"] for one in got(t, "/devices?type=Sensor")] == [image(t)["image"]] * 4


def test_there_are_no_results_before_the_end(t: Twin) -> None:
    begun(t, ([addresses(t, "Sensor")[0]], image(t)))
    (update,) = t.things.updates()
    said = refused(t, "GET", f"{UPDATES}/{update.id}", None, 404)
    assert said == "Network configuration update results could not be found"
    assert refused(t, "GET", f"{UPDATES}/none", None, 404) == said
    assert refused(t, "GET", "/tasks/none", None, 404) == "Task could not be found"
    assert refused(t, "GET", f"/tasks/{update.id}", None, 404) == "Task could not be found"


def test_requests_follows_a_task_to_its_results_and_httpx2_does_not(t: Twin) -> None:
    task = begun(t, ([addresses(t, "Sensor")[0]], image(t)))
    finished(t, task)
    own = session({"https://localhost:3000": t.snap_api})
    own.auth = (t.snap_user, t.snap_password)
    followed = own.get(task)
    assert followed.status_code == 200
    assert set(followed.json()["data"]) == {"firmware_results", "id", "href", "image_results"}
    assert t.snap.get(task).status_code == 303


def test_a_node_without_power_for_it_fails_and_keeps_its_firmware() -> None:
    t = licensed(low_voltage="100 %")
    door = addresses(t, "Sensor")[0]
    where = finished(t, begun(t, ([door], {**firmware("2.8.2"), **image(t)})))
    assert outcomes(t, where, "firmware") == {door: "failure"}
    assert outcomes(t, where, "image") == {door: "success"}  # nothing was attempted any more
    shown = next(one for one in got(t, "/devices") if one["addr"] == door)
    assert (shown["firmware"], shown["upgrading"]) == (firmware("2.6.9")["firmware"], False)


def test_an_image_can_fail_where_the_firmware_did_not(t: Twin) -> None:
    door = addresses(t, "Sensor")[0]
    task = begun(t, ([door], {**firmware("2.8.2"), **image(t)}))
    while got(t, "/devices?type=Sensor")[0]["firmware"] != firmware("2.8.2")["firmware"]:
        t.run("1 s", progress=False)
    t.run("1 s", progress=False)
    t.cancel_upgrade()
    where = finished(t, task)
    assert outcomes(t, where, "firmware") == {door: "success"}
    assert outcomes(t, where, "image") == {door: "failure"}


def test_of_many_devices_each_has_its_own_result() -> None:
    t = licensed(low_voltage="50 %")
    doors = addresses(t, "Sensor")
    where = finished(t, begun(t, (doors, image(t))))
    found = outcomes(t, where, "image")
    assert set(found.values()) == {"success", "failure"}
    assert set(outcomes(t, where, "firmware").values()) == {"success"}  # none was attempted
    runs = {one["addr"]: one["image"] for one in got(t, "/devices?type=Sensor")}
    assert all((runs[addr] == image(t)["image"]) == (found[addr] == "success") for addr in doors)


def test_old_firmware_with_a_defect_does_not_get_to_the_new_one() -> None:
    t = licensed(defects="100 %")
    door = addresses(t, "Sensor")[0]
    where = finished(t, begun(t, ([door], firmware("2.7.1"))))
    shown = got(t, "/devices?type=Sensor")[0]
    assert outcomes(t, where, "firmware") == {door: "failure"}
    assert shown["firmware"] == firmware("2.6.9")["firmware"]


def test_a_device_that_the_mesh_does_not_have_fails_at_once(t: Twin) -> None:
    made(t, "/devices", {"addr": FAR, "description": "D", "platform": "RF200",
                         "deviceType": "Deck1"})  # fmt: skip
    where = finished(t, begun(t, ([FAR], image(t))))
    assert t.now_us == 0
    assert outcomes(t, where, "image") == {FAR: "failure"}
    assert outcomes(t, where, "firmware") == {FAR: "success"}
    door = addresses(t, "Sensor")[0]
    where = finished(t, begun(t, ([FAR, door], image(t))))  # others are brought it all the same
    assert outcomes(t, where, "image") == {FAR: "failure", door: "success"}


def test_an_update_of_nothing_is_over_at_once_and_went_well(t: Twin) -> None:
    door = addresses(t, "Sensor")[0]
    where = finished(t, begun(t, ([door], {})))
    assert t.now_us == 0
    assert outcomes(t, where, "image") == outcomes(t, where, "firmware") == {door: "success"}
    assert finished(t, begun(t)).startswith(URL)


def test_groups_come_one_after_the_other_and_updates_too(t: Twin) -> None:
    shelves, doors = addresses(t, "Deck1"), addresses(t, "Sensor")
    first = begun(t, (shelves, image(t)), (doors[:2], image(t, "McastCounter")))
    second = begun(t, (doors[2:], firmware("2.8.2")))
    places = [finished(t, first), finished(t, second)]
    lines = t.upgrades()
    assert lines["devices"].tolist() == [8, 2, 2]
    assert lines["transport"].tolist() == ["multicast", "unicast", "unicast"]  # from four on
    for before in (0, 1):
        assert lines["began_us"].iloc[before + 1] >= t.upgraded(before)["done_us"].max()
    assert outcomes(t, places[0], "image") == dict.fromkeys(shelves + doors[:2], "success")
    assert outcomes(t, places[1], "firmware") == dict.fromkeys(doors[2:], "success")
    runs = {one["addr"]: one["image"] for one in got(t, "/devices")}
    assert [runs[addr] for addr in doors[:2]] == [image(t, "McastCounter")["image"]] * 2


def test_what_is_cancelled_has_failed_and_who_waits_goes_on(t: Twin) -> None:
    one, two, three = addresses(t, "Sensor")[:3]
    tasks = [begun(t, ([addr], {**firmware("2.8.2"), **image(t)})) for addr in (one, two, three)]
    t.run("2 s", progress=False)
    t.cancel_upgrade(1)  # which waits
    t.cancel_upgrade(0)
    assert outcomes(t, finished(t, tasks[0]), "firmware") == {one: "failure"}
    assert outcomes(t, finished(t, tasks[1]), "firmware") == {two: "failure"}
    assert ask_snap(t, "GET", tasks[2].rpartition("/api/v1")[2]).status == 200
    assert outcomes(t, finished(t, tasks[2]), "image") == {three: "success"}


def test_an_image_that_has_gone_is_still_brought(t: Twin) -> None:
    door = addresses(t, "Sensor")[0]
    task = begun(t, ([door], image(t)))
    asked(t, "DELETE", "/images", None, 204)
    assert outcomes(t, finished(t, task), "image") == {door: "success"}


def test_a_device_that_has_gone_still_has_its_result(t: Twin) -> None:
    door = got(t, "/devices?type=Sensor")[0]
    task = begun(t, ([door["addr"]], image(t)))
    asked(t, "DELETE", door["href"], None, 204)
    assert outcomes(t, finished(t, task), "image") == {door["addr"]: "success"}


def test_nodes_are_upgraded_whatever_the_service_calls_them(t: Twin) -> None:
    doors = addresses(t, "Sensor")
    finished(t, begun(t, (doors, image(t))))
    assert sorted(t.upgraded()["device"]) == sorted(names(t, doors))
