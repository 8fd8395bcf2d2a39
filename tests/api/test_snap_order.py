"""One update after the other, whatever is cancelled; and what keeps an update from beginning."""

from typing import Any

import pytest

import twin
from twin.errors import RunError

API = "/api/v1"


def addresses(t: twin.Twin, kind: str) -> list[str]:
    found = t.snap.get(f"{API}/devices?type={kind}").json()["data"]
    return [one["addr"] for one in found]


def update(t: twin.Twin, devices: list[str], **wanted: str) -> Any:
    """Begin an update of some devices; return the answer."""
    configuration = {kind: {"href": href} for kind, href in wanted.items()}
    groups = [{"devices": devices, "configuration": configuration}]
    made = t.snap.post(f"{API}/networkConfigurations", json={"deviceGroupConfigurations": groups})
    href = made.json()["data"]["href"]
    return t.snap.post(f"{API}/networkConfigurationUpdates", json={"href": href})


def running(t: twin.Twin) -> int:
    return int((t.upgrades()["status"] == "running").sum())


@pytest.fixture
def t() -> twin.Twin:
    return twin.open("trial_licence")


@pytest.mark.parametrize("cancelled", [1, 2, 3])
def test_whatever_is_cancelled_of_those_that_wait_one_runs_after_the_other(
    t: twin.Twin, cancelled: int
) -> None:
    displays = addresses(t, "Display")[:6]
    for display in displays[:4]:
        assert update(t, [display], firmware=f"{API}/firmware/2.8.2").status_code == 202
    t.run("5 s", progress=False)
    t.cancel_upgrade(cancelled)
    for display in displays[4:]:
        assert update(t, [display], firmware=f"{API}/firmware/2.8.2").status_code == 202
    most = 0
    for _ in range(60):
        t.run("20 s", progress=False)
        most = max(most, running(t))
    assert most == 1
    over = t.upgrades()
    assert over["status"].tolist() == [
        "cancelled" if number == cancelled else "done" for number in range(6)
    ]
    began = over["began_us"][over["status"] == "done"].tolist()
    assert began == sorted(began)


def test_a_device_is_through_as_soon_as_its_result_is_there(t: twin.Twin) -> None:
    t.snap.put(f"{API}/license", content=t.make_licence())
    sensors = addresses(t, "Sensor")[:2]
    assert update(t, sensors, firmware=f"{API}/firmware/2.8.2").status_code == 202
    shown: dict[str, Any] = {}
    while not shown:
        t.run("5 s", progress=False)
        found = t.snap.get(f"{API}/devices?type=Sensor").json()["data"][:2]
        shown = {one["addr"]: one for one in found if not one["upgrading"]}
    assert running(t) == 1, "the other one is still to come"
    (through,) = shown.values()
    assert through["firmware"]["href"].endswith("/2.8.2")
    t.cancel_upgrade(0)
    outcomes = t.upgraded(0).set_index("device")["outcome"]
    assert sorted(outcomes.tolist()) == ["cancelled", "success"]
    again = update(t, [through["addr"]], firmware=f"{API}/firmware/2.7.1")
    assert again.status_code == 202


def test_no_update_begins_while_nodes_are_told_of_another_network(t: twin.Twin) -> None:
    settings = t.snap.get(f"{API}/network").json()["data"]["actual_settings"]
    assert t.snap.put(f"{API}/network", json=settings | {"channel": 9}).status_code == 200
    display = addresses(t, "Display")[:1]
    refused = update(t, display, firmware=f"{API}/firmware/2.8.2")
    assert refused.status_code == 400
    assert "A change of the network is under way" in refused.json()["error"]["message"]
    t.run("5 min", progress=False)
    assert update(t, display, firmware=f"{API}/firmware/2.8.2").status_code == 202


def test_a_type_that_takes_a_name_over_takes_its_polls_along(t: twin.Twin) -> None:
    t.snap.put(f"{API}/license", content=t.make_licence())
    body = {"name": "all", "deviceTypes": ["Sensor"], "pollInterval": 60, "queryFunction": "f"}
    assert t.snap.post(f"{API}/dc", json=body).status_code == 201
    assert t.snap.delete(f"{API}/deviceTypes/1").status_code == 204
    renamed = t.snap.put(f"{API}/deviceTypes/2", json={"description": "Display"})
    assert renamed.status_code == 200
    t.run("90 s", progress=False)
    polls = t.collections()
    assert polls[polls["collector"] == "all"]["devices"].tolist() == [20, 20]


def test_what_no_caller_causes_is_said_in_the_words_of_the_document(t: twin.Twin) -> None:
    t.fault("GET /api/v1/backup", status=400)
    said = t.snap.get(f"{API}/backup").json()["error"]["message"]
    assert said.startswith("Unable to backup the database.")
    t.fault("GET /api/v1/network", status=400)
    assert t.snap.get(f"{API}/network").json() == {
        "apiVersion": "v1", "error": {"message": "Could not get network settings", "code": 400},
    }  # fmt: skip
    with pytest.raises(RunError, match="like 'GET /api/v1/backup'"):
        t.fault("GET /backup", status=400)


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_addresses_lose_is_refused(t: twin.Twin, name: str) -> None:
    body = {"name": name, "deviceTypes": [], "pollInterval": 60, "queryFunction": "f"}
    assert t.snap.post(f"{API}/dc", json=body).status_code == 400


def test_words_for_a_terminal_do_not_go_to_clients(t: twin.Twin) -> None:
    said = t.snap.put(f"{API}/license", content="no").json()["error"]["message"]
    assert said == "this is no licence"
