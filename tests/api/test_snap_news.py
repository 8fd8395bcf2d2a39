"""What is told of devices, tasks, data collectors and upgrades, in process."""

from typing import Any

import pytest

import twin
from twin.errors import RunError

Told = dict[str, Any]


def of_kind(told: list[Told], kind: str) -> list[Told]:
    return [message for message in told if message["kind"] == kind]


def begun(t: twin.Twin) -> str:
    """Begin an update of all displays, then of all sensors, and a survey; return its task."""
    snap = t.snap
    snap.put("/api/v1/license", content=t.make_licence())
    image = snap.get("/api/v1/images").json()["data"][1]["href"]
    of_type = {
        kind: [one["addr"] for one in snap.get(f"/api/v1/devices?type={kind}").json()["data"]]
        for kind in ("Display", "Sensor")
    }
    groups = [
        {"devices": of_type["Display"], "configuration": {"image": {"href": image}}},
        {
            "devices": of_type["Sensor"],
            "configuration": {"firmware": {"href": "/api/v1/firmware/2.8.2"}},
        },
    ]
    made = snap.post("/api/v1/networkConfigurations", json={"deviceGroupConfigurations": groups})
    href = made.json()["data"]["href"]
    update = snap.post("/api/v1/networkConfigurationUpdates", json={"href": href})
    assert update.status_code == 202, update.text
    return str(update.headers["location"])


def told_in(steps: int, *, firmware_alone: bool = False) -> list[Told]:
    t = twin.open("trial_licence")
    listening = t.subscribe()
    if firmware_alone:
        t.upgrade(firmware="2.8.2", devices=("sensor",), transport="unicast")
    else:
        begun(t)
    for _ in range(steps):
        t.run(f"{1800 // steps} s", progress=False)
    return listening.take()


def test_an_update_is_told_from_its_task_to_every_device() -> None:
    t = twin.open("trial_licence")
    listening = t.subscribe("task", "upgrade", "device")
    task = begun(t)
    t.run("30 min", progress=False)
    told = listening.take()
    assert [(m["event"], m["data"]["href"]) for m in of_kind(told, "task")] == [
        ("started", task), ("complete", task),
    ]  # fmt: skip
    results = t.snap.get(of_kind(told, "task")[-1]["data"]["location"]).json()["data"]
    upgrades = of_kind(told, "upgrade")
    assert [m["event"] for m in upgrades if m["event"] != "result"] == 2 * ["started", "done"]
    told_of = {m["data"]["addr"]: m["data"]["outcome"] for m in upgrades if m["event"] == "result"}
    failed = {
        one["address"]
        for kind in ("firmware_results", "image_results")
        for one in results[kind]
        if one["result"] == "failure"
    }
    assert {addr for addr, outcome in told_of.items() if outcome != "success"} == failed
    assert len(told_of) == 20
    devices = of_kind(told, "device")
    assert [m["event"] for m in devices].count("upgrading") == 20
    over = {m["data"]["addr"]: m["event"] for m in devices if m["event"].endswith("upgraded")}
    assert over == {
        addr: "upgraded" if outcome == "success" else "not upgraded"
        for addr, outcome in told_of.items()
    }
    assert told == sorted(told, key=lambda message: message["time"])
    assert listening.take() == []


def test_what_is_told_is_the_same_however_long_the_steps_are() -> None:
    def known(told: list[Told]) -> list[tuple[Any, ...]]:
        # The device itself is shown as it is when it is told.
        return [(m["time"], m["kind"], m["event"], m["data"].get("addr")) for m in told]

    whole, sliced = told_in(1), told_in(60)
    assert known(whole) == known(sliced)
    assert {m["kind"] for m in whole} == {"device", "task", "collector", "upgrade"}
    assert known(told_in(1, firmware_alone=True)) == known(told_in(180, firmware_alone=True))


def test_polls_are_told_when_they_are_over() -> None:
    t = twin.open("trial_licence")
    listening = t.subscribe("collector")
    t.run("10 min", progress=False)
    told = [message["data"] for message in listening.take()]
    polls = t.collections()
    assert [one["answered"] for one in told] == polls["answered"].tolist()
    assert {one["devices"] for one in told} == {3}  # the limit of this trial
    assert len(told) == 10


def test_devices_are_told_when_they_come_change_and_go() -> None:
    t = twin.open("trial_licence")
    listening = t.subscribe("device")
    device = {"addr": "aabbcc", "description": "x", "platform": "RF200", "deviceType": "Sensor"}
    t.run("1 min", progress=False)
    href = t.snap.post("/api/v1/devices", json=device).headers["location"]
    t.run("1 min", progress=False)
    t.snap.put(href, json=device | {"description": "y"})
    t.snap.delete(href)
    told = listening.take()
    assert [message["event"] for message in told] == ["created", "updated", "deleted"]
    assert [message["time"][11:19] for message in told] == ["05:01:00", "05:02:00", "05:02:00"]
    assert told[1]["data"]["description"] == "y"


def test_who_closes_is_told_nothing_more_and_what_was_before_is_no_news() -> None:
    t = twin.open("trial_licence")
    t.run("5 min", progress=False)
    first, second = t.subscribe("collector"), t.subscribe("collector")
    t.run("90 s", progress=False)
    assert len(first.take()) == 2
    first.close()
    t.run("2 min", progress=False)
    assert first.take() == []
    assert len(second.take()) == 4


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(RunError, match="no kind of news is called 'upgrades'; there are device"):
        twin.open("trial_licence").subscribe("upgrades")
