"""Gateways, jobs, users, features, files and devices: made, listed, read, deleted."""

from typing import Any

import pytest

from tests.api.asking import MISSING, ask, check_refused, ran
from tests.scenarios import scenario
from twin.twin import Twin

CLOUD = {
    "cloud.features": [
        {"feature": "brew_coffee", "enabled": True},
        {"feature": "make_tea", "enabled": False},
    ],
    "cloud.device_configs": [
        {"name": "scan conf", "text": "beep = on\nname = Ä\n"},
        {"name": "empty", "text": ""},
    ],
}
GATEWAY = {"usecase": "Picking", "station": "Station3", "name": "Gateway1"}
USER = {"first_name": "John", "last_name": "Doe", "role": "USER_ROLE", "email": "John@example.com"}


@pytest.fixture
def opened() -> Twin:
    return ran(scenario(CLOUD, before={}))


@pytest.fixture(scope="module")
def large() -> Twin:
    return ran("reference_site")


def pages(opened: Twin, path: str, limit: int) -> list[list[Any]]:
    """Return the items of each page."""
    body = ask(opened, "GET", f"{path}?limit={limit}").body
    found = [body["items"]]
    while "next" in body["links"]:
        body = opened.insight.get(f"/{opened.customer_id}" + body["links"]["next"]).json()
        assert body["metadata"]["size"] == len(body["items"])
        found.append(body["items"])
    return found


def now_ms(opened: Twin) -> int:
    return (opened.origin_us + opened.now_us) // 1000


def items(opened: Twin, path: str) -> Any:
    return ask(opened, "GET", path).body["items"]


def job(opened: Twin, **more: Any) -> dict[str, Any]:
    known = {"job_name": "pack", "start_barcode": "PICK-", "end_barcode": "DONE-"}
    return {**known, "gateway_ids": [opened.roster.gateways[0].id], **more}


# --- lists in pages -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/gateways", "/devices", "/users"])
@pytest.mark.parametrize("limit", [1, 3, 500])
def test_a_walk_meets_every_item_once_in_order(large: Twin, path: str, limit: int) -> None:
    found = pages(large, path, limit)
    assert [item for page in found for item in page] == items(large, path)
    assert all(len(page) == limit for page in found[:-1])
    assert 0 < len(found[-1]) <= limit


@pytest.mark.parametrize("path", ["/gateways", "/devices", "/users"])
@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "next_token=x"])
def test_a_page_that_is_none_is_400(large: Twin, path: str, query: str) -> None:
    check_refused(ask(large, "GET", f"{path}?{query}"), 400)


def test_a_walk_goes_on_when_its_last_item_is_gone(opened: Twin) -> None:
    for i in range(6):
        ask(opened, "POST", "/users", {**USER, "email": f"{i}@example.com"})
    body = ask(opened, "GET", "/users?limit=4").body
    ask(opened, "DELETE", f"/users/{body['items'][-1]['id']}")
    rest = opened.insight.get(f"/{opened.customer_id}" + body["links"]["next"]).json()["items"]
    known = [user["email"] for user in [*body["items"], *rest]]
    assert sorted(known[2:]) == [f"{i}@example.com" for i in range(6)]


# --- gateways -------------------------------------------------------------------------------------


def test_the_gateways_are_those_of_the_floor(large: Twin) -> None:
    found = items(large, "/gateways")
    assert len(found) > 3
    for item, gateway in zip(found, large.roster.gateways, strict=True):
        named = ("id", "name", "model", "manufacturer", "firmware", "usecase", "station")
        assert {name: item[name] for name in named} == {n: getattr(gateway, n) for n in named}
        assert (item["type"], item["thing_name"]) == (gateway.kind, gateway.thing_name)
        assert item["created"] == large.origin_us // 1000


def test_a_new_gateway_is_listed_last(opened: Twin) -> None:
    made = ask(opened, "POST", "/gateways", GATEWAY)
    assert made.status == 201
    assert made.headers["etag"] == '"1"'
    assert {name: made.body[name] for name in GATEWAY} == GATEWAY
    assert made.body["created"] == made.body["last_updated"] == now_ms(opened)
    assert items(opened, "/gateways")[-1] == made.body


def test_a_gateways_name_is_taken_once(opened: Twin) -> None:
    assert ask(opened, "POST", "/gateways", GATEWAY).status == 201
    before = items(opened, "/gateways")
    check_refused(ask(opened, "POST", "/gateways", {**GATEWAY, "station": "other"}), 409)
    own = {**GATEWAY, "name": opened.roster.gateways[0].name}
    check_refused(ask(opened, "POST", "/gateways", own), 409)
    assert items(opened, "/gateways") == before


# --- job configurations ---------------------------------------------------------------------------


def test_the_job_configs_of_the_scenario_are_there(opened: Twin) -> None:
    (found,) = items(opened, "/job-configs")
    assert found["job_name"] == "pick order"
    assert (found["start_barcode"], found["end_barcode"]) == ("PICK-", "DONE-")
    assert found["gateway_ids"] == [gateway.id for gateway in opened.roster.gateways]
    assert (found["class"], found["version"]) == ("jobconfig", 1)


def test_a_job_config_lives_from_its_creation_to_its_deletion(opened: Twin) -> None:
    before = items(opened, "/job-configs")
    made = ask(opened, "POST", "/job-configs", job(opened))
    assert made.status == 201
    assert {name: made.body[name] for name in job(opened)} == job(opened)
    assert made.body["created"] == now_ms(opened)
    path = f"/job-configs/{made.body['job_config_id']}"
    assert ask(opened, "GET", path).body == made.body
    assert items(opened, "/job-configs") == [*before, made.body]
    assert ask(opened, "DELETE", path)[::2] == (204, None)
    check_refused(ask(opened, "DELETE", path), 404)
    check_refused(ask(opened, "GET", path), 404)
    assert items(opened, "/job-configs") == before
    again = ask(opened, "POST", "/job-configs", job(opened)).body
    assert again["job_config_id"] != made.body["job_config_id"]


def test_the_etag_changes_with_the_list_and_stays_without(opened: Twin) -> None:
    def etag() -> str:
        return ask(opened, "GET", "/job-configs").headers["etag"]

    first = etag()
    opened.run("1 min", progress=False)
    user = {"first_name": "A", "last_name": "B", "role": "USER_ROLE", "email": "etag@example.com"}
    assert ask(opened, "POST", "/users", user).status == 200
    assert etag() == first  # another list has changed
    made = ask(opened, "POST", "/job-configs", job(opened)).body
    second = etag()
    ask(opened, "DELETE", f"/job-configs/{made['job_config_id']}")
    assert len({first, second, etag()}) == 3
    assert all(tag.strip('"').isdigit() for tag in (first, second))


@pytest.mark.parametrize("more", [
    {"job_name": "pick order"},
    {"gateway_ids": [MISSING]},
    {"gateway_ids": "all"},
    {"gateway_ids": [1]},
    {"gateway_ids": None},
    {"start_barcode": ""},
])  # fmt: skip
def test_a_job_config_that_cannot_be_is_400(opened: Twin, more: dict[str, Any]) -> None:
    before = items(opened, "/job-configs")
    check_refused(ask(opened, "POST", "/job-configs", job(opened, **more)), 400)
    assert items(opened, "/job-configs") == before


def test_one_unknown_gateway_among_known_ones_is_400(opened: Twin) -> None:
    ids = [opened.roster.gateways[0].id, MISSING]
    check_refused(ask(opened, "POST", "/job-configs", job(opened, gateway_ids=ids)), 400)


# --- job analysis ---------------------------------------------------------------------------------


def analysed(opened: Twin, config: str, start: float = 0, end: float = 4e12) -> Any:
    body = {"job_config_id": config, "start_time": start, "end_time": end}
    reply = ask(opened, "POST", "/job-analysis", body)
    assert reply.status == 200, reply.body
    return {result["gateway_id"]: result["jobs"] for result in reply.body["results"]}


@pytest.mark.parametrize("name", ["reference_site", "pilot_line", "quiet_line", "cold_store"])
def test_job_analysis_finds_the_jobs_of_the_twin(name: str) -> None:
    opened = ran(name).run("10 min", progress=False)
    opened.run("3 s", progress=False)
    frame = opened.jobs()
    names = {gateway.id: gateway.name for gateway in opened.roster.gateways}
    for config in items(opened, "/job-configs"):
        own = frame[(frame["job_config"] == config["job_name"]) & (frame["end"] < opened.now)]
        found = analysed(opened, config["job_config_id"])
        said = sorted(
            (names[gateway_id], one["start_time"], one["end_time"])
            for gateway_id, jobs in found.items()
            for one in jobs
        )
        known = sorted(
            (row.gateway, row.start.value // 10**6, row.end.value // 10**6)
            for row in own.assign(
                start=own["start"].astype("datetime64[ns, Europe/Vienna]"),
                end=own["end"].astype("datetime64[ns, Europe/Vienna]"),
            ).itertuples()
        )
        assert len(known) > 10
        unseen = len(known) - len(said)  # the cloud shows an end a moment later
        assert 0 <= unseen <= 2
        assert set(said) <= set(known)


def test_jobs_are_ordered_by_start_and_made_of_events(large: Twin) -> None:
    config = items(large, "/job-configs")[0]
    start = large.origin_us // 1000
    found = analysed(large, config["job_config_id"])
    for gateway_id, jobs in found.items():
        query = f"/events?gateway_id={gateway_id}&start_time_millis={start}"
        events = {item["id"]: item for item in items(large, query)}
        assert [one["start_time"] for one in jobs] == sorted(one["start_time"] for one in jobs)
        for one in jobs:
            first, last = events[one["start_event_id"]], events[one["end_event_id"]]
            assert (first["created"], last["created"]) == (one["start_time"], one["end_time"])
            assert first["scan_code"].startswith(config["start_barcode"])
            assert last["scan_code"].startswith(config["end_barcode"])
            assert first["device_id"] == last["device_id"]


def test_job_analysis_keeps_to_the_gateways_of_the_config(large: Twin) -> None:
    first = items(large, "/job-configs")[0]
    everything = analysed(large, first["job_config_id"])
    busiest = max(everything, key=lambda gateway_id: len(everything[gateway_id]))
    body = {
        "job_name": "one gateway", "gateway_ids": [busiest],
        "start_barcode": first["start_barcode"], "end_barcode": first["end_barcode"],
    }  # fmt: skip
    made = ask(large, "POST", "/job-configs", body).body
    assert analysed(large, made["job_config_id"]) == {busiest: everything[busiest]}
    ask(large, "DELETE", f"/job-configs/{made['job_config_id']}")


def test_a_job_is_found_between_its_own_start_and_end(opened: Twin) -> None:
    config = items(opened, "/job-configs")[0]["job_config_id"]
    (jobs,) = analysed(opened, config).values()
    one = jobs[3]
    (found,) = analysed(opened, config, one["start_time"], one["end_time"]).values()
    assert one in found
    later = analysed(opened, config, one["start_time"] + 1, one["end_time"])
    assert one not in [other for others in later.values() for other in others]
    earlier = analysed(opened, config, one["start_time"], one["end_time"] - 1)
    assert one not in [other for others in earlier.values() for other in others]


@pytest.mark.parametrize("more", [
    {"job_config_id": MISSING}, {"end_time": 999}, {"start_time": "1000"}, {"start_time": None},
    {"end_time": True}, {"job_config_id": 1}, {"end_time": 1e300}, {"start_time": -1},
    {"start_time": float("nan")}, {"end_time": float("nan")}, {"end_time": float("inf")},
])  # fmt: skip
def test_an_analysis_that_cannot_be_is_400(opened: Twin, more: dict[str, Any]) -> None:
    config = items(opened, "/job-configs")[0]["job_config_id"]
    body = {"job_config_id": config, "start_time": 1000, "end_time": 2000, **more}
    check_refused(ask(opened, "POST", "/job-analysis", body), 400)


# --- users ----------------------------------------------------------------------------------------


def test_a_user_lives_from_its_creation_to_its_deletion(opened: Twin) -> None:
    before = items(opened, "/users")
    made = ask(opened, "POST", "/users", USER)
    assert made.status == 200
    names = ("first_name", "last_name", "email")
    assert {name: made.body[name] for name in names} == {name: USER[name] for name in names}
    assert made.body["roles"] == ["USER_ROLE"]
    assert made.body["created"] == made.body["last_updated"] == now_ms(opened)
    assert items(opened, "/users") == [*before, made.body]
    path = f"/users/{made.body['id']}"
    assert ask(opened, "GET", path).body == made.body
    assert ask(opened, "DELETE", path)[::2] == (204, None)
    check_refused(ask(opened, "GET", path), 404)
    check_refused(ask(opened, "DELETE", path), 404)
    assert items(opened, "/users") == before


@pytest.mark.parametrize("email", ["John@example.com", "john@EXAMPLE.com", "JOHN@EXAMPLE.COM"])
def test_an_email_is_taken_once_in_upper_and_lower_case(opened: Twin, email: str) -> None:
    ask(opened, "POST", "/users", USER)
    before = items(opened, "/users")
    check_refused(ask(opened, "POST", "/users", {**USER, "email": email}), 409)
    assert items(opened, "/users") == before


def test_me_is_who_is_listed(opened: Twin) -> None:
    me = ask(opened, "GET", "/me").body
    assert me in items(opened, "/users")
    assert ask(opened, "GET", f"/users/{me['id']}").body == me


def test_what_did_not_change_anything_is_not_written_down(opened: Twin) -> None:
    before = opened.account.journal()
    for path in ("/users", "/job-configs", "/device-configs"):
        ask(opened, "DELETE", f"{path}/{MISSING}")
    assert opened.account.journal() == before


# --- features, files, devices ---------------------------------------------------------------------


def test_the_features_are_those_of_the_scenario(opened: Twin) -> None:
    found = ask(opened, "GET", "/features").body["features"]
    assert [(one["feature"], one["enabled"]) for one in found] == [
        ("brew_coffee", True),
        ("make_tea", False),
    ]
    assert ask(ran(), "GET", "/features").body == {"features": []}


def test_a_file_for_scanners_is_read_and_deleted(opened: Twin) -> None:
    first, second = ask(opened, "GET", "/device-configs").body["configs"]
    assert (first["name"], first["class"], first["file_size"]) == (
        "scan conf", "device_config", len("beep = on\nname = Ä\n".encode()),
    )  # fmt: skip
    reply = ask(opened, "GET", f"/device-configs/{first['id']}")
    assert (reply.status, reply.body) == (200, "beep = on\nname = Ä\n")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    empty = ask(opened, "GET", f"/device-configs/{second['id']}")
    assert (empty.status, empty.body, second["file_size"]) == (200, None, 0)
    for _ in range(2):
        assert ask(opened, "DELETE", f"/device-configs/{first['id']}")[::2] == (204, None)
    check_refused(ask(opened, "GET", f"/device-configs/{first['id']}"), 404)
    assert ask(opened, "GET", "/device-configs").body == {"configs": [second]}


def test_devices_show_the_last_event_of_each(opened: Twin) -> None:
    last: dict[str, Any] = {}
    for event in items(opened, f"/events?gateway_id={opened.roster.gateways[0].id}"):
        if event["created"] >= last.get(event["device_id"], event)["created"]:
            last[event["device_id"]] = event
    found = items(opened, "/devices")
    assert [device["id"] for device in found] == [s.serial for s in opened.roster.scanners]
    assert last
    for device in found:
        event = last[device["id"]]
        assert device["last_activity_time"] == event["created"]
        assert device["battery"] == event["device_battery"]
        assert (device["status"], device["manufacturer"]) == ("ACTIVE", "Workaround GmbH")


def test_a_device_that_is_not_heard_of_for_a_day_is_inactive() -> None:
    opened = ran(scenario({"work.shifts.0.days": ["mon", "fri"]}, before={}), "0 s")
    assert {device["status"] for device in items(opened, "/devices")} == {"INACTIVE"}
    opened.run(until="4 d 12 h", progress=False)  # Friday evening
    assert {device["status"] for device in items(opened, "/devices")} == {"ACTIVE"}
    for hours in range(12, 49, 6):
        opened.run("6 h", progress=False)
        for device in items(opened, "/devices"):
            quiet_ms = now_ms(opened) - device["last_activity_time"]
            active = quiet_ms <= 24 * 3600 * 1000
            assert device["status"] == ("ACTIVE" if active else "INACTIVE"), hours
    assert {device["status"] for device in items(opened, "/devices")} == {"INACTIVE"}


def test_no_user_is_left_out_when_those_before_are_deleted_meanwhile() -> None:
    opened = ran()
    made = [
        ask(opened, "POST", "/users", {
            "first_name": "A", "last_name": "B", "role": "USER_ROLE", "email": f"u{i}@example.com",
        }).body["id"]
        for i in range(6)
    ]  # fmt: skip
    first = ask(opened, "GET", "/users?limit=4").body
    assert [user["id"] for user in first["items"]][2:] == made[:2]
    for user_id in made[:2]:
        assert ask(opened, "DELETE", f"/users/{user_id}").status == 204
    assert ask(opened, "DELETE", f"/users/{made[5]}").status == 204
    ask(opened, "POST", "/users", {
        "first_name": "A", "last_name": "B", "role": "USER_ROLE", "email": "late@example.com",
    })  # fmt: skip
    rest = ask(opened, "GET", first["links"]["next"]).body
    assert [user["id"] for user in rest["items"]][:3] == made[2:5]
    assert [user["email"] for user in rest["items"]][3:] == ["late@example.com"]
