"""The list of events: what is visible, what is said of it, filters, limits and pages."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from tests.api.asking import MISSING, Reply, ask, check_refused, ran
from tests.scenarios import constant, scenario
from twin.events import NEVER, Kind, scan_us
from twin.twin import Twin

DAY_MS = 24 * 3600 * 1000
SLOW = scenario({"cloud.delay": constant("10 min")}, before={})
LOSSY = scenario(
    {"links.ble.stationary.loss_near": "60 %", "links.ble.stationary.loss_far": "60 %"}, before={}
)


@pytest.fixture(scope="module")
def opened() -> Twin:
    return ran()


def now_ms(opened: Twin) -> int:
    return (opened.origin_us + opened.now_us) // 1000


def listed(opened: Twin, query: str = "") -> Any:
    reply = ask(opened, "GET", f"/events{query}")
    assert reply.status == 200, reply.body
    return reply.body


def follow(opened: Twin, link: str) -> Reply:
    return ask(opened, "GET", link)


def walked(opened: Twin, query: str = "", between: str = "") -> list[dict[str, Any]]:
    """Return the items of all pages, the clock running on between them."""
    body = listed(opened, query)
    found = list(body["items"])
    while "next" in body["links"]:
        if between:
            opened.run(between, progress=False)
        body = follow(opened, body["links"]["next"]).body
        found += body["items"]
    return found


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def visible(opened: Twin, since_ms: int = 0, until_ms: int = 4 * 10**12) -> set[str]:
    """Return the ids of what is visible and was created from the one to the other moment."""
    rows = opened.rows()
    shown = rows["visible_us"] <= opened.now_us
    messages = rows[shown & np.isin(rows["kind"], (Kind.SCAN, Kind.TELEMETRY))]
    created_ms = (scan_us(messages) + opened.origin_us) // 1000
    inside = (created_ms >= since_ms) & (created_ms <= until_ms)
    return set(opened.frames.ids(messages[inside]))


def on_the_way(opened: Twin) -> Any:
    """Return the rows of messages that the cloud does not show yet."""
    rows = opened.rows()
    return rows[(rows["visible_us"] > opened.now_us) & (rows["visible_us"] != NEVER)]


# --- what is listed -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["slow", "lossy", "pilot_line", "quiet_line"])
def test_all_that_is_visible_is_listed_once_and_nothing_else(name: str) -> None:
    opened = ran({"slow": SLOW, "lossy": LOSSY}.get(name, name))
    found = ids(walked(opened))
    assert len(found) == len(set(found)) > 100
    assert set(found) == visible(opened)


def test_what_is_on_its_way_is_not_listed_yet() -> None:
    opened = ran(SLOW)
    hidden = set(opened.frames.ids(on_the_way(opened)))
    assert hidden
    assert not hidden & set(ids(walked(opened)))
    opened.run("11 min", progress=False)
    assert hidden <= set(ids(walked(opened)))


def test_an_event_shows_at_the_very_moment_it_arrives() -> None:
    opened = ran()
    rows = opened.rows()
    while not (
        waiting := (rows["visible_us"] > opened.now_us) & (rows["visible_us"] != NEVER)
    ).any():
        opened.run("1 s", progress=False)
        rows = opened.rows()
    coming = rows[waiting]
    first = coming[np.argmin(coming["visible_us"])]
    event_id = opened.frames.ids(coming[coming["visible_us"] == first["visible_us"]])[0]
    opened.run_to_us(int(first["visible_us"]) - 1)
    assert event_id not in ids(walked(opened))
    opened.run("1 us", progress=False)
    assert event_id in ids(walked(opened))


def test_nothing_is_listed_before_anything_happened() -> None:
    body = listed(ran(duration="0 s"))
    assert (body["items"], body["links"], body["metadata"]["size"]) == ([], {}, 0)


# --- what is said of it ---------------------------------------------------------------------------


def expected(row: Any) -> dict[str, Any]:
    """Return what an event of the frame is to look like."""
    item = {
        "id": row.event_id, "class": "event", "type": row.kind,
        "created": int(row.scan_time.value // 1_000_000),
        "device_id": row.device, "device_firmware": row.firmware,
        "device_temperature": row.temperature_degc, "gateway_id": row.gateway_id,
        "gateway_usecase": row.usecase, "gateway_station": row.station,
    }  # fmt: skip
    if row.kind == "scan":
        item["scan_code"] = row.scan_code
        item["scan_duration"] = row.trigger_s
        item["scan_decode_symbology"] = row.symbology
    return item


@pytest.mark.parametrize("kind", ["scan", "telemetry"])
@pytest.mark.parametrize("name", ["pilot_line", "reference_site"])
def test_every_field_is_that_of_the_event(name: str, kind: str) -> None:
    opened = ran(name, "40 min" if name == "reference_site" else "2 h")
    found = {item["id"]: item for item in walked(opened) if item["type"] == kind}
    assert len(found) > 20
    frame = opened.events(kind)
    frame["scan_time"] = frame["scan_time"].dt.tz_convert("UTC").astype("datetime64[ns, UTC]")
    shown = frame[frame["event_id"].isin(found.keys())]
    assert len(shown) == len(found)
    for row in shown.itertuples():
        item = dict(found[row.event_id])
        assert abs(item.pop("device_battery") - row.battery_percent) <= 0.5
        assert item == expected(row)


# --- filters --------------------------------------------------------------------------------------


def test_start_and_end_are_both_included(opened: Twin) -> None:
    created = sorted({item["created"] for item in walked(opened)})
    first, last = created[100], created[300]
    found = walked(opened, f"?start_time_millis={first}&end_time_millis={last}")
    assert set(ids(found)) == visible(opened, first, last)
    assert {first, last} <= {item["created"] for item in found}
    inside = walked(opened, f"?start_time_millis={first + 1}&end_time_millis={last - 1}")
    assert {item["created"] for item in inside} == set(created[101:300])
    alone = listed(opened, f"?start_time_millis={first}&end_time_millis={first}")["items"]
    assert {item["created"] for item in alone} == {first}


def test_without_a_start_the_last_day_is_listed() -> None:
    opened = ran(duration="26 h")
    found = walked(opened)
    assert set(ids(found)) == visible(opened, now_ms(opened) - DAY_MS)
    assert len(found) < len(visible(opened))
    everything = walked(opened, f"?start_time_millis={opened.origin_us // 1000}")
    assert set(ids(everything)) == visible(opened)
    end_ms = now_ms(opened) - 3600 * 1000
    earlier = walked(opened, f"?end_time_millis={end_ms}")
    assert set(ids(earlier)) == visible(opened, end_ms - DAY_MS, end_ms)


def test_a_list_says_its_size_and_its_filters(opened: Twin) -> None:
    start, end = now_ms(opened) - 3600_000, now_ms(opened) - 1000
    query = f"?start_time_millis={start}&end_time_millis={end}&limit=7"
    metadata = listed(opened, query)["metadata"]
    assert metadata["size"] == 7
    assert {(one["name"], one["value"]) for one in metadata["filters"]} >= {
        ("start_time_millis", start),
        ("end_time_millis", end),
    }
    assert metadata["description"]


@pytest.mark.parametrize("limit", [1, 2, 499, 500])
def test_a_page_has_at_most_its_limit(opened: Twin, limit: int) -> None:
    assert len(listed(opened, f"?limit={limit}")["items"]) == limit
    assert len(listed(opened)["items"]) == 500


@pytest.mark.parametrize("query", [
    "limit=0", "limit=501", "limit=-1", "limit=", "limit=ten", "limit=1.5", "limit=1_0",
    "limit=nan", "limit=1e2", "limit=" + "9" * 5000, "limit=%00", "limit=5&limit=0",
    "start_time_millis=yesterday", "start_time_millis=", "start_time_millis=-1",
    "end_time_millis=inf", "end_time_millis=2026-03-02", "end_time_millis=" + "9" * 30,
    "start_time_millis=2000&end_time_millis=1999", "start_time_millis=253402300799999",
    "gateway_id=", "next_token=",
])  # fmt: skip
def test_a_query_that_makes_no_sense_is_400(opened: Twin, query: str) -> None:
    check_refused(ask(opened, "GET", f"/events?{query}"), 400)


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [137, 500])
def test_a_walk_meets_everything_once_while_time_goes_on(limit: int) -> None:
    opened = ran(SLOW)
    before = visible(opened)
    found = ids(walked(opened, f"?limit={limit}", between="7 min"))
    assert len(found) == len(set(found))
    assert set(found) == before
    assert visible(opened) > before


def test_pages_of_one_are_the_list(opened: Twin) -> None:
    start = now_ms(opened) - 5 * 60_000
    query = f"?start_time_millis={start}"
    assert walked(opened, f"{query}&limit=1") == walked(opened, query)


def test_the_link_carries_the_filters_and_works_behind_the_customer(opened: Twin) -> None:
    start, end = now_ms(opened) - 3600_000, now_ms(opened) - 1000
    body = listed(opened, f"?start_time_millis={start}&end_time_millis={end}&limit=20")
    link = urlsplit(body["links"]["next"])
    assert link.path == "/events"
    carried = dict(parse_qsl(link.query))
    assert {name: carried[name] for name in ("start_time_millis", "end_time_millis", "limit")} == {
        "start_time_millis": str(start),
        "end_time_millis": str(end),
        "limit": "20",
    }
    reply = opened.insight.get(f"/{opened.customer_id}" + body["links"]["next"])
    assert reply.status_code == 200
    again = reply.json()
    assert len(again["items"]) == 20
    assert not set(ids(again["items"])) & set(ids(body["items"]))
    assert all(start <= item["created"] <= end for item in again["items"])


def test_the_token_alone_carries_the_filters_too(opened: Twin) -> None:
    start = now_ms(opened) - 3600_000
    link = listed(opened, f"?start_time_millis={start}&limit=20")["links"]["next"]
    token = dict(parse_qsl(urlsplit(link).query))["next_token"]
    assert listed(opened, f"?next_token={token}")["items"] == follow(opened, link).body["items"]
    assert len(listed(opened, f"?next_token={token}&limit=3")["items"]) == 3


def test_the_same_link_gives_the_same_page_again(opened: Twin) -> None:
    link = listed(opened, "?limit=20")["links"]["next"]
    assert follow(opened, link).body == follow(opened, link).body


def test_the_last_page_has_no_next(opened: Twin) -> None:
    first = sorted(item["created"] for item in walked(opened))[-500]
    body = listed(opened, f"?start_time_millis={first}")
    assert len(body["items"]) == 500
    assert body["links"] == {}


def next_token(opened: Twin, path: str = "/events?limit=2") -> str:
    link = ask(opened, "GET", path).body["links"]["next"]
    return str(dict(parse_qsl(urlsplit(link).query))["next_token"])


@pytest.mark.parametrize("how", [
    "cut", "first letter", "a mark inside", "doubled", "a word", "empty box", "not ascii",
])  # fmt: skip
def test_a_damaged_token_is_400(opened: Twin, how: str) -> None:
    token = next_token(opened)
    other = "B" if token[0] == "A" else "A"
    damaged = {
        "cut": token[:-2], "first letter": other + token[1:], "doubled": token + token,
        "a mark inside": f"{token[:9]}!{token[9:]}", "a word": "token", "empty box": "AAAA",
        "not ascii": "t%C3%B6ken",
    }[how]  # fmt: skip
    check_refused(ask(opened, "GET", f"/events?next_token={damaged}"), 400)


def test_a_token_of_another_list_is_400(opened: Twin) -> None:
    for what in ("devices", "users"):
        token = next_token(opened, f"/{what}?limit=1")
        check_refused(ask(opened, "GET", f"/events?next_token={token}"), 400)
        check_refused(ask(opened, "GET", f"/gateways?next_token={token}"), 400)
        check_refused(ask(opened, "GET", f"/{what}?next_token={next_token(opened)}"), 400)


def test_a_token_of_another_customer_is_400(opened: Twin) -> None:
    other = ran(scenario({"cloud.customer_id": "another"}))
    check_refused(ask(opened, "GET", f"/events?next_token={next_token(other)}"), 400)


# --- one gateway ----------------------------------------------------------------------------------


def test_one_gateway_gives_all_its_events_at_once() -> None:
    opened = ran("reference_site")
    everything = walked(opened, f"?start_time_millis={opened.origin_us // 1000}")
    counts = {gateway.id: 0 for gateway in opened.roster.gateways}
    for item in everything:
        counts[item["gateway_id"]] += 1
    busiest = max(counts, key=lambda gateway_id: counts[gateway_id])
    assert counts[busiest] > 500
    body = listed(opened, f"?gateway_id={busiest}")
    assert body["links"] == {}
    assert body["metadata"]["size"] == counts[busiest]
    assert ids(body["items"]) == ids([one for one in everything if one["gateway_id"] == busiest])
    named = {one["name"]: one["value"] for one in body["metadata"]["filters"]}
    assert named["gateway_id"] == busiest


def test_one_gateway_is_filtered_by_time_and_by_no_limit(opened: Twin) -> None:
    gateway_id, start = opened.roster.gateways[0].id, now_ms(opened) - 1800_000
    query = f"?gateway_id={gateway_id}&start_time_millis={start}&limit=1"
    assert set(ids(listed(opened, query)["items"])) == visible(opened, start)


@pytest.mark.parametrize("gateway_id", [MISSING, "line-01", "0", "-1", "%27%20OR%201=1", "%00"])
def test_an_unknown_gateway_has_no_events(opened: Twin, gateway_id: str) -> None:
    body = listed(opened, f"?gateway_id={gateway_id}")
    assert (body["items"], body["links"], body["metadata"]["size"]) == ([], {}, 0)


def test_a_gateway_that_nobody_installed_has_no_events() -> None:
    opened = ran()
    body = {"usecase": "Picking", "station": "S", "name": "new"}
    made = ask(opened, "POST", "/gateways", body).body["id"]
    assert listed(opened, f"?gateway_id={made}")["items"] == []
