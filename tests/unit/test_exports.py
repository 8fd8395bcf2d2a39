"""Exports: every form is read to the same events, and what is wrong is told with its place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import twin
from tests.scenarios import scenario
from twin.errors import ExportError
from twin.experiments.exports import read_exports
from twin.twin import Twin

EVENT: dict[str, Any] = {
    "id": "497f6eca-6276-4993-bfeb-53cbbbba6f08", "class": "event", "type": "scan",
    "created": 1772427600123, "scan_code": "1234567890", "scan_duration": 2.34,
    "scan_decode_symbology": "QR_CODE", "device_id": "M2MR141204452", "device_battery": 93,
    "device_firmware": "0.0.1", "device_temperature": 93,
    "gateway_id": "919ebc9d-9788-4f08-93db-e238c5eaa69a", "gateway_usecase": "Picking",
    "gateway_station": "Station3",
}  # fmt: skip
TOPOLOGY: dict[str, Any] = {
    "data": {
        "links": [
            {"end": "5ecad4", "linkQuality": 71, "start": "608509"},
            {"end": "608509", "linkQuality": 68, "start": "5ecad4"},
        ],
        "id": "525a2d06-bfa4-4ad5-b3a1-c614bc367d9c",
        "createdAt": "2016-07-27T13:57:43.361554Z",
        "href": "https://localhost:3000/api/v1/topologies/525a2d06",
        "gateways": ["608509"],
    }
}


def page(*events: Any) -> dict[str, Any]:
    return {"items": list(events), "links": {}, "metadata": {"size": len(events)}}


Put = Callable[[str, Any], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write a file: text as it is, anything else as JSON."""

    def put(name: str, content: Any) -> Path:
        path = tmp_path / name
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return path

    return put


@pytest.fixture(scope="module")
def ran() -> Twin:
    return twin.open(scenario({"run.horizon": "2 h"}, before={})).run(progress=False)


def pages(t: Twin) -> list[Any]:
    """Every page of events, as a client walks them."""
    path, query = f"/{t.customer_id}/events", {"limit": 100}
    found = [t.insight.get(path, params=query).json()]
    while "next" in found[-1]["links"]:
        found.append(t.insight.get(f"/{t.customer_id}{found[-1]['links']['next']}").json())
    return found


# --- every form gives the same --------------------------------------------------------------------


def test_pages_lists_lines_and_csv_give_the_same_events(ran: Twin, put: Put) -> None:
    all_pages = pages(ran)
    assert len(all_pages) > 2
    items = [item for one in all_pages for item in one["items"]]
    forms = [
        put("pages.json", all_pages),
        put("list.json", items),
        put("pages.jsonl", "\n".join(map(json.dumps, all_pages))),
        put("events.jsonl", "\n".join(map(json.dumps, items)) + "\n\n"),
        put("one.json", page(*items)),
    ]
    frames = [read_exports([form]).events for form in forms]
    first = frames[0]
    assert first is not None
    assert len(first) == len(items)
    assert all(frame is not None and frame.equals(first) for frame in frames)
    assert first["created_us"].is_monotonic_increasing
    assert first["created_us"].iloc[0] == items[0]["created"] * 1000
    table = "".join(
        ",".join(str(item.get(name, "")) for name in EVENT) + "\n" for item in (
            dict(zip(EVENT, EVENT, strict=True)), *items)
    )  # fmt: skip
    of_csv = read_exports([put("api.csv", table)]).events
    assert of_csv is not None
    assert of_csv.equals(first)


def test_a_frame_of_the_twin_tells_more(ran: Twin, put: Put, tmp_path: Path) -> None:
    events = ran.events()
    events.to_csv(tmp_path / "frame.csv", index=False)
    read = read_exports([tmp_path / "frame.csv"]).events
    assert read is not None
    messages = events[events["kind"].isin(["scan", "telemetry"])]
    assert len(read) == len(messages)
    of_api = read_exports([put("pages.json", pages(ran))]).events
    assert of_api is not None
    both = of_api.merge(read, on="id", suffixes=("", "_frame"))
    assert len(both) == len(of_api)
    assert (both["created_us"] - both["created_us_frame"]).abs().max() < 1000
    for name in ("device", "code", "gateway", "trigger_s"):
        assert (
            both[name].fillna(-1).equals(both[f"{name}_frame"].fillna(-1).astype(both[name].dtype))
        )
    failed = events["outcome"].isin(["lost_ble", "no_feedback"]) | (
        events["slip"] == "wrong_barcode"
    )
    is_message = events["kind"].isin(["scan", "telemetry"])
    assert int((read["failed"] == 1).sum()) == int((failed & is_message).sum()) > 0
    assert read["beep_us"].notna().sum() == messages["beep_time"].notna().sum()


def test_an_event_in_two_files_counts_once(put: Put) -> None:
    other = {**EVENT, "id": "x", "created": EVENT["created"] - 5}
    read = read_exports([put("a.json", page(EVENT)), put("b.json", [page(EVENT, other)])])
    assert read.doubles == 1
    assert read.events is not None
    assert list(read.events["id"]) == ["x", EVENT["id"]]


def test_the_topology_is_the_latest(put: Put) -> None:
    read = read_exports([put("t.json", TOPOLOGY)])
    assert read.topology is not None
    assert read.topology.links["levels"] == [-71.0, -68.0]
    assert read.topology.gateways == ("608509",)
    older = {**TOPOLOGY["data"], "createdAt": "2015", "links": [
        {"start": "a", "end": "b", "linkQuality": 1}]}  # fmt: skip
    listed = read_exports([put("l.json", {"data": [TOPOLOGY["data"], older]})]).topology
    bare = read_exports([put("b.json", TOPOLOGY["data"])]).topology
    assert listed is not None
    assert bare is not None
    assert listed.links == bare.links == read.topology.links
    lines = "start,end,link_quality\n608509,5ecad4,71\n5ecad4,608509,68\n"
    of_csv = read_exports([put("t.csv", lines)]).topology
    assert of_csv is not None
    assert of_csv.links == read.topology.links


def test_places_go_by_node(put: Put) -> None:
    read = read_exports([put("p.csv", "node,x_m,y_m\n608509,1.5,2\n5ecad4,3,4\n")])
    assert read.places == {"608509": (1.5, 2.0), "5ecad4": (3.0, 4.0)}


# --- what is wrong --------------------------------------------------------------------------------


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in EVENT.items() if key != name}


FRAME = "kind,scan_time,device,time,wait_ms\n"
WRONG: list[tuple[str, Any, str, str]] = [
    ("a.json", page({**EVENT, "created": "soon"}), "items.0, created", "no moment"),
    ("a.json", page({**EVENT, "created": True}), "items.0, created", "no moment"),
    ("a.json", page({**EVENT, "created": 1557220259}), "items.0, created", "out of range"),
    ("a.json", page(EVENT, {**EVENT, "type": "beep"}), "items.1, type", "no type of event"),
    ("a.json", page(without("device_id")), "items.0, device_id", "a text is due"),
    ("a.json", page({**EVENT, "id": 7}), "items.0, id", "a text is due"),
    ("a.json", page(without("scan_code")), "items.0, scan_code", "without its text"),
    ("a.json", page({**EVENT, "scan_duration": -1}), "items.0, scan_duration", "no duration"),
    ("a.json", page("scan"), "items.0", "no event"),
    ("a.json", [page(EVENT), page("scan")], "1, items.0", "no event"),
    ("a.json", page(), "items", "no event in it"),
    ("a.json", {"message": "Access denied."}, "", "no page of events"),
    ("a.json", 5, "", "no page of events"),
    ("a.json", '{"items": [', "line 1, column 12", "not JSON"),
    ("a.json", '{"items": [\n  {"id": x}\n]}', "line 2, column 10", "not JSON"),
    ("a.jsonl", json.dumps(page(EVENT)) + "\n{", "line 2, column 2", "not JSON"),
    ("a.jsonl", json.dumps(page(EVENT)) + "\n[7]", "line 2, 0", "no page of events"),
    ("a.json", "", "", "an empty file"),
    ("a.csv", "id,type,created,device_id,gateway_id\n1,scan,x,2,3\n", "line 2, created",
     "no moment"),
    ("a.csv", "id,type,created,device_id\n1,scan\n", "line 2", "a line of another length"),
    ("a.csv", "id,type,created,device_id\n", "line 2", "no event in it"),
    ("a.csv", "one,two\n1,2\n", "line 1", "no export"),
    ("a.csv", "scan_time,device\n2026-03-02,a\n", "line 1", "column kind is missing"),
    ("a.csv", f"{FRAME}scan,noon,a,,\n", "line 2, scan_time", "no moment"),
    ("a.csv", f"{FRAME}scan,,a,,\n", "line 2, scan_time", "no moment"),
    ("a.csv", f"{FRAME}scan,2026-03-02T06:00Z,a,late,\n", "line 2, time", "no moment"),
    ("a.csv", f"{FRAME}scan,2026-03-02T06:00Z,a,,-4\n", "line 2, wait_ms", "no number"),
    ("a.csv", f"{FRAME}drop,,a,,\n", "kind", "no scan in it"),
    ("t.json", {"links": [{"start": "a", "end": "a", "linkQuality": 5}]}, "links.0, end", "itself"),
    ("t.json", {"links": [{"start": "a", "end": "b"}]}, "links", "no topology"),
    ("t.json", {"links": [{"start": "a", "end": "b", "linkQuality": 200}]},
     "links.0, linkQuality", "out of range"),
    ("t.json", {"links": []}, "links", "no link in it"),
    ("t.json", {"links": [{"start": "a", "end": "b", "linkQuality": 5}], "gateways": "a"},
     "gateways", "no list of gateways"),
    ("t.csv", "start,end,link_quality\na,b,loud\n", "line 2, link_quality", "out of range"),
    ("p.csv", "node,x_m,y_m\na,1,2\na,3,4\n", "line 3", "two places"),
    ("p.csv", "node,x_m,y_m\na,1,far\n", "line 2", "no place of a node"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "key", "said"), WRONG)
def test_what_is_wrong_is_told_with_its_place(
    name: str, content: Any, key: str, said: str, put: Put
) -> None:
    path = put(name, content)
    with pytest.raises(ExportError) as caught:
        read_exports([path])
    problem = caught.value.problems[0]
    assert problem.file == str(path)
    assert problem.key == key
    assert said in problem.what
    assert problem.allowed or problem.hint


def test_seconds_are_told_from_milliseconds(put: Put) -> None:
    with pytest.raises(ExportError, match="multiply by 1000"):
        read_exports([put("a.json", page({**EVENT, "created": 1557220259}))])


def test_all_problems_of_all_files_are_told_and_nothing_is_read(put: Put, tmp_path: Path) -> None:
    good, bad = put("good.json", page(EVENT)), put("bad.json", page({**EVENT, "type": "x"}, 5))
    with pytest.raises(ExportError) as caught:
        read_exports([good, bad, tmp_path / "none.json", tmp_path])
    told = [(Path(one.file).name, one.what) for one in caught.value.problems]
    assert [name for name, _ in told] == ["bad.json", "bad.json", "none.json", tmp_path.name]
    assert "there is no such file" in told[2]
    many = put("many.json", page(*[{**EVENT, "type": "x"}] * 500))
    with pytest.raises(ExportError, match="and 480 problems more"):
        read_exports([many])
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'"\xe4"')
    with pytest.raises(ExportError, match="not UTF-8 text, at byte 1"):
        read_exports([latin])
    with pytest.raises(ExportError, match="no export is named"):
        read_exports([])
