"""A gateway that gets its certificate goes into service: on the floor, in events, in figures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import twin
from tests.agreement.shapes import shape
from twin.commands import InstallGateway
from twin.events import Kind, Outcome
from twin.scenario import Scenario
from twin.twin import Twin

NEW = {"usecase": "Picking", "station": "Station3", "name": "Walking phone"}
NO_PLACE = {"fleet.gateways": []}
OUTAGE = {"links.outages": [{"after": "1 h", "duration": "20 min"}]}


def pilot(**changes: object) -> Scenario:
    scenario = twin.load("pilot_line")
    for key, value in changes.items():
        scenario = twin.vary(scenario, key, value)
    return scenario


def provisioned(t: Twin, name: str = "Walking phone") -> dict[str, Any]:
    """Create a gateway and fetch its certificate, as its installer does."""
    path = f"/{t.customer_id}/gateways"
    made = t.insight.post(path, json=NEW | {"name": name}).json()
    token = t.insight.post(f"{path}/{made['id']}/prepare-provisioning").json()["token"]
    answer = t.anonymous_insight.post("/provisioning", json={"token": token})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["gateway"])


def shown(t: Twin, gateway_id: str) -> list[dict[str, Any]]:
    """Return the events that the cloud shows of a gateway."""
    found = t.insight.get(f"/{t.customer_id}/events", params={"gateway_id": gateway_id})
    assert found.status_code == 200
    return list(found.json()["items"])


def test_a_provisioned_gateway_carries_scans() -> None:
    t = twin.open("pilot_line")
    gateway = provisioned(t)
    assert t.roster.gateways[-1].id == gateway["id"]
    t.run("2 h", progress=False)
    scans = [event for event in shown(t, gateway["id"]) if event["type"] == "scan"]
    assert len(scans) > 100
    assert {event["gateway_station"] for event in scans} == {"Station3"}
    assert {event["gateway_usecase"] for event in scans} == {"Picking"}
    frame = t.gateways().set_index("name")
    assert frame.loc["Walking phone", "messages"] >= len(scans)
    assert (t.events("scan")["gateway"] == "Walking phone").sum() >= len(scans)


def test_it_shows_what_is_installed() -> None:
    t = twin.open("pilot_line")
    made = t.insight.post(f"/{t.customer_id}/gateways", json=NEW).json()
    assert (made["model"], made["firmware"]) == ("", "0.0.0")
    way = t.insight.post(f"/{t.customer_id}/gateways/{made['id']}/prepare-provisioning")
    t.run("1 min", progress=False)
    body = {"token": way.json()["token"]}
    gateway = t.anonymous_insight.post("/provisioning", json=body).json()["gateway"]
    assert gateway["type"] == "mobile"
    assert gateway["model"] == t.roster.gateways[-1].model != ""
    assert gateway["firmware"] == t.roster.gateways[-1].firmware != "0.0.0"
    assert gateway["last_updated"] == gateway["created"] + 60_000
    listed = t.insight.get(f"/{t.customer_id}/gateways").json()["items"]
    assert gateway in listed


def test_who_waits_for_a_gateway_gets_it_at_once() -> None:
    t = twin.open(pilot(**NO_PLACE)).run("1 h", progress=False)
    assert t.kpis()["scans"].iloc[0] == 0
    provisioned(t)
    t.run("1 h", progress=False)
    rows = t.rows()
    (opened,) = rows[rows["kind"] == Kind.SESSION_OPEN]
    assert opened["time_us"] == 3600 * 10**6
    assert opened["gateway"] == 0
    assert t.kpis()["scans"].iloc[0] > 50


def test_a_gateway_of_the_scenario_is_not_installed_twice() -> None:
    t = twin.open("pilot_line")
    known = t.roster.gateways
    path = f"/{t.customer_id}/gateways/{known[0].id}/prepare-provisioning"
    token = t.insight.post(path).json()["token"]
    assert t.anonymous_insight.post("/provisioning", json={"token": token}).status_code == 200
    assert t.roster.gateways == known


def test_an_outage_of_all_gateways_is_one_of_the_new_one() -> None:
    t = twin.open(pilot(**OUTAGE, **NO_PLACE))
    provisioned(t)
    t.run("2 h", progress=False)
    rows = t.rows()
    arrived = rows[(rows["kind"] == Kind.SCAN) & (rows["outcome"] == Outcome.DELIVERED)]
    visible_min = arrived["visible_us"] / 6e7
    assert ((visible_min > 40) & (visible_min < 60)).any()
    assert not ((visible_min > 61) & (visible_min < 80)).any()


@pytest.mark.parametrize("name", ["pilot", "pilot plain", "site bad uplink"])
def test_both_engines_take_a_new_gateway_alike(name: str) -> None:
    scenario, found = shape(name), []
    for engine in ("compiled", "reference"):
        t = twin.open(scenario, engine=engine)
        for number, moment_us in enumerate((0, 50_000_000, 100_000_000)):
            t.run_to_us(moment_us, progress=False)
            t.submit(InstallGateway(f"id-{number}", f"phone-{number}", "somewhere", "test"))
        found.append(t.run(progress=False))
    one, other = found
    assert one.rows().tobytes() == other.rows().tobytes()
    assert one.kpis().equals(other.kpis())
    assert one.gateways().equals(other.gateways())
    assert (one.gateways()["messages"].iloc[-3:] > 0).any()


def test_figures_are_the_same_with_and_without_rows() -> None:
    found = []
    for record in ("rows", "kpis"):
        t = twin.open("pilot_line", record=record)  # type: ignore[arg-type]
        provisioned(t)
        t.run("1 h", progress=False)
        provisioned(t, "Another phone")
        found.append(t.run(progress=False))
    assert found[0].kpis().equals(found[1].kpis())
    assert found[0].gateways().equals(found[1].gateways())


def test_jobs_under_way_are_still_paired() -> None:
    scenario = twin.load("pilot_line")
    undisturbed = twin.open(scenario).run(progress=False).kpis()["jobs"].iloc[0]
    t = twin.open(scenario).run("1 h", progress=False)
    t.submit(InstallGateway("id", "phone", "somewhere", "test"))  # everybody has a place
    assert t.run(progress=False).kpis()["jobs"].iloc[0] == undisturbed


def test_a_saved_twin_has_it_on_the_floor_again(tmp_path: Path) -> None:
    t = twin.open("pilot_line")
    provisioned(t)
    t.run("1 h", progress=False)
    again = twin.open(t.save(tmp_path / "site.sqlite"))
    assert again.roster == t.roster
    assert again.rows().tobytes() == t.rows().tobytes()
    provisioned(again, "Another phone")
    provisioned(t, "Another phone")
    assert np.array_equal(
        again.run("2 h", progress=False).rows(), t.run("2 h", progress=False).rows()
    )
    assert t.sql("SELECT count(*) AS n FROM gateway")["n"].iloc[0] == len(t.roster.gateways)
