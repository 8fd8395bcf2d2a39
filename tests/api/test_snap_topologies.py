"""Topologies and data collectors: what a trial shows, what a licence lifts, until it expires."""

from typing import Any

import pytest

from tests.api.asking import ask_snap
from tests.api.snap_site import (
    LICENCE,
    addresses,
    asked,
    finished,
    got,
    made,
    names,
    refused,
    snap_site,
)
from twin.twin import Twin
from twin.world.clock import iso_utc

URL = "https://localhost:3000/api/v1"
NEW = {"deviceTypes": ["Deck1"], "name": "dc1", "pollInterval": 60, "queryFunction": "data"}


def surveyed(t: Twin) -> str:
    """Let a survey find a topology; return where it is."""
    return finished(t, asked(t, "POST", "/topologies", None, 202).headers["location"])


# --- topologies -----------------------------------------------------------------------------------


def test_a_survey_finds_a_topology() -> None:
    t = snap_site(licence=LICENCE)
    reply = asked(t, "POST", "/topologies", None, 202)
    assert reply.body is None
    assert got(t, "/topologies") == []  # it takes a while
    assert refused(t, "GET", "/topologies/latest", None, 404) == "Topology could not be found"
    where = finished(t, reply.headers["location"])
    found = got(t, where)
    assert set(found) == {"links", "id", "createdAt", "href", "gateways"}
    assert found["href"] == where == f"{URL}/topologies/{found['id']}"
    assert found["gateways"] == [got(t, "/network")["bridge_addr"]]
    ended_us = t.origin_us + round(t.surveys()["minutes"].iloc[0] * 60e6)
    assert found["createdAt"] == iso_utc(ended_us) == "2026-03-02T05:00:16.250000Z"
    called = {node.name: node.address.lower() for node in t.network.nodes}
    expected = [
        {"start": called[one.start], "end": called[one.end], "linkQuality": one.link_quality}
        for one in t.survey_links().itertuples()
    ]
    assert len(expected) > 100
    assert sorted(found["links"], key=str) == sorted(
        [{"end": one["end"], "linkQuality": one["linkQuality"], "start": one["start"]}
         for one in expected], key=str,
    )  # fmt: skip


def test_the_latest_is_that_which_was_found_last() -> None:
    t = snap_site()
    first, second = surveyed(t), surveyed(t)
    assert [one["href"] for one in got(t, "/topologies")] == [first, second]
    assert got(t, "/topologies/latest")["href"] == second
    assert got(t, first)["createdAt"] < got(t, second)["createdAt"]
    asked(t, "DELETE", "/topologies/latest", None, 204)
    assert refused(t, "GET", second, None, 404) == "Topology could not be found"
    assert refused(t, "DELETE", second, None, 404) == "Topology could not be found"
    assert got(t, "/topologies/latest")["href"] == first
    third = surveyed(t)
    running = asked(t, "POST", "/topologies", None, 202).headers["location"]
    asked(t, "DELETE", "/topologies", None, 204)
    assert got(t, "/topologies") == []
    assert refused(t, "DELETE", "/topologies/latest", None, 404) == "Topology could not be found"
    assert third != finished(t, running) == got(t, "/topologies/latest")["href"]


def test_a_trial_shows_the_five_nodes_that_are_nearest() -> None:
    t = snap_site()
    few = got(t, surveyed(t))
    shown = {one[end] for one in few["links"] for end in ("start", "end")}
    hops = {node.address.lower(): int(n) for node, n in
            zip(t.network.nodes, t.nodes()["hops"], strict=True)}  # fmt: skip
    nearest = sorted(hops, key=lambda addr: (hops[addr], addr))[:5]
    assert few["gateways"][0] in nearest
    assert shown <= set(nearest)
    assert len(shown) >= 4
    asked(t, "PUT", "/license", {"license": t.make_licence(site_doctor=False)}, 200)
    assert got(t, few["href"]) == few
    asked(t, "PUT", "/license", {"license": t.make_licence()}, 200)
    assert len(got(t, few["href"])["links"]) > len(few["links"])
    asked(t, "DELETE", "/license", None, 204)
    assert got(t, few["href"]) == few


# --- data collectors ------------------------------------------------------------------------------


def polls(t: Twin, name: str = "dc1") -> Any:
    frame = t.collections()
    return frame[frame["collector"] == name]


def test_a_collector_is_shown_as_in_the_document() -> None:
    t = snap_site()
    assert got(t, "/dc") == []
    expected = {**NEW, "href": f"{URL}/dc/dc1", "id": 1}
    assert asked(t, "POST", "/dc", NEW, 201).body == {"data": expected}
    assert got(t, "/dc") == [expected]
    assert got(t, "/dc/dc1/config") == expected
    said = "A data collector with this name already exists"
    assert refused(t, "POST", "/dc", NEW, 409) == said
    other = {**NEW, "name": "d c/2".replace("/", "-"), "deviceTypes": []}
    assert made(t, "/dc", other)["href"] == f"{URL}/dc/d%20c-2"
    assert got(t, "/dc/d%20c-2/config")["name"] == "d c-2"
    assert refused(t, "PUT", "/dc/dc1/config", other, 409) == said
    changed = {**NEW, "name": "dc3", "pollInterval": 5, "queryFunction": "volts"}
    shown = {**changed, "href": f"{URL}/dc/dc3", "id": 1}
    assert asked(t, "PUT", "/dc/dc1/config", changed, 200).body == {"data": shown}
    assert got(t, "/dc")[0] == shown
    for method, path, body in (("DELETE", "/dc/dc1", None), ("GET", "/dc/dc1/config", None),
                               ("PUT", "/dc/dc1/config", NEW)):  # fmt: skip
        assert refused(t, method, path, body, 404) == "Data collector could not be found"
    asked(t, "DELETE", "/dc/dc3", None, 204)
    assert [one["name"] for one in got(t, "/dc")] == ["d c-2"]


@pytest.mark.parametrize(("wrong", "said"), [
    ({"deviceTypes": ["deck1"]}, "there is no device type 'deck1'"),
    ({"deviceTypes": ["Deck1", "Deck1"]}, "once"), ({"deviceTypes": "Deck1"}, "deviceTypes"),
    ({"pollInterval": 0}, "pollInterval"), ({"pollInterval": 1.5}, "pollInterval"),
    ({"name": "a/b"}, "name"), ({"name": ""}, "name"), ({"queryFunction": ""}, "queryFunction"),
])  # fmt: skip
def test_a_collector_that_cannot_be_is_refused(wrong: dict[str, Any], said: str) -> None:
    t = snap_site()
    assert said in refused(t, "POST", "/dc", {**NEW, **wrong}, 400)
    assert got(t, "/dc") == []


def test_a_collector_polls_the_nearest_few_until_a_licence_lifts_the_limit() -> None:
    t = snap_site()
    made(t, "/dc", NEW)
    t.run("5 min", progress=False)
    assert polls(t)["answered"].between(4, 5).all()
    assert polls(t)["began_us"].tolist() == [n * 60_000_000 for n in range(5)]
    asked(t, "PUT", "/license", {"license": t.make_licence(data_collector=False)}, 200)
    t.run("3 min", progress=False)
    assert (polls(t)["answered"] <= 5).all()
    asked(t, "PUT", "/license", {"license": t.make_licence()}, 200)
    before = len(polls(t))
    t.run("3 min", progress=False)
    assert (polls(t)["answered"].iloc[before:] > 5).all()
    asked(t, "DELETE", "/license", None, 204)
    before = len(polls(t))
    t.run("3 min", progress=False)
    assert len(polls(t)) >= before + 2
    assert (polls(t)["answered"].iloc[before:] <= 5).all()


def test_the_limit_is_back_when_the_licence_expires() -> None:
    """The run begins at 6 in Vienna, and the day ends at midnight in UTC: 19 hours later."""
    t = snap_site(licence={**LICENCE, "expiration": "2026-03-02"})
    made(t, "/dc", {**NEW, "pollInterval": 3600})
    t.run("22.5 h", progress=False)
    answered = polls(t).set_index("began_us")["answered"]
    hours = {began_us / 3_600_000_000: count for began_us, count in answered.items()}
    assert sorted(hours) == list(range(23))
    assert all((hours[hour] > 5) == (hour < 19) for hour in hours), hours


def test_a_collector_that_is_deleted_polls_no_more() -> None:
    t = snap_site()
    made(t, "/dc", NEW)
    t.run("90 s", progress=False)
    asked(t, "DELETE", "/dc/dc1", None, 204)
    before = len(polls(t))
    t.run("10 min", progress=False)
    assert len(polls(t)) == before == 2
    assert ask_snap(t, "DELETE", "/dc/dc1").status == 404


def test_a_collector_goes_with_devices_types_and_its_own_settings() -> None:
    t = snap_site(licence=LICENCE)
    made(t, "/dc", {**NEW, "deviceTypes": ["Sensor"]})
    assert polled(t) == sorted(names(t, addresses(t, "Sensor")))
    doors = got(t, "/devices?type=Sensor")
    asked(t, "DELETE", doors[0]["href"], None, 204)
    assert polled(t) == ["door-002", "door-003", "door-004"]
    body = {key: doors[1][key] for key in ("addr", "description", "platform")}
    asked(t, "PUT", doors[1]["href"], {**body, "deviceType": "Deck1"}, 200)
    assert polled(t) == ["door-003", "door-004"]
    asked(t, "PUT", "/deviceTypes/2", {"description": "Door"}, 200)
    assert polled(t) == ["door-003", "door-004"]
    assert got(t, "/dc/dc1/config")["deviceTypes"] == ["Door"]
    asked(t, "PUT", "/dc/dc1/config", {**NEW, "deviceTypes": ["Door", "Deck1"]}, 200)
    assert len(polled(t)) == 11
    asked(t, "PUT", "/dc/dc1/config", {**NEW, "deviceTypes": []}, 200)
    assert t.network.jobs.polled == {}
    batch = [{"addr": doors[0]["addr"], "description": "D", "platform": "RF200",
              "deviceType": "sensors"}]  # fmt: skip
    asked(t, "PUT", "/dc/dc1/config", {**NEW, "deviceTypes": ["sensors"]}, 200)
    asked(t, "POST", "/devices/batches", {"devices": batch}, 201)
    assert polled(t) == ["door-001"]
    asked(t, "PUT", "/dc/dc1/config", {**NEW, "deviceTypes": ["sensors"], "pollInterval": 1}, 200)
    assert t.network.jobs.polled["dc1"].every_us == 1_000_000


def polled(t: Twin) -> list[str]:
    return sorted(t.network.jobs.polled["dc1"].devices)


def test_the_collectors_of_a_scenario_poll_from_the_start() -> None:
    collector = {"name": "doors", "device_types": ["Sensor"], "query_function": "data",
                 "poll_interval": "1 min"}  # fmt: skip
    t = snap_site(collectors=[collector])
    t.run("150 s", progress=False)
    assert polls(t, "doors")["began_us"].tolist() == [0, 60_000_000, 120_000_000]
    (shown,) = got(t, "/dc")
    assert (shown["name"], shown["pollInterval"]) == ("doors", 60)
    asked(t, "DELETE", shown["href"], None, 204)
    t.run("5 min", progress=False)
    assert len(polls(t, "doors")) == 3
