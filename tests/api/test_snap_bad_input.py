"""Whatever is sent to SNAP Thing Services, the answer is a refusal, and nothing is half done."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api import strange
from tests.api.asking import Reply, ask_snap, basic, check_refused, plain_door
from tests.api.snap_site import PASSWORD, configured, got, snap_site
from tests.api.test_snap_software import SETTINGS
from twin.api.http import MOST_BODY_BYTES
from twin.twin import Twin

OPENED = snap_site(
    licence={"customer": "John Smith", "expiration": "2027-01-31"},
    collectors=[{"name": "dc1", "device_types": ["sensors"], "query_function": "data",
                 "poll_interval": "1 min"}],
)  # fmt: skip
DEVICE = {"deviceType": "Deck1", "description": "Device1", "addr": "ccddee", "platform": "RF200"}
COLLECTOR = {"deviceTypes": ["sensors"], "name": "dc1", "pollInterval": 60, "queryFunction": "d"}
GROUP = {"devices": ["ccddee"], "configuration": {}}
WRITES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/changePassword"): {"old": PASSWORD, "new": PASSWORD},
    ("PUT", "/network"): SETTINGS,
    ("POST", "/dc"): {**COLLECTOR, "name": "dc2"},
    ("PUT", "/dc/dc1/config"): COLLECTOR,
    ("POST", "/devices"): DEVICE,
    ("PUT", "/devices/1"): DEVICE,
    ("POST", "/devices/batches"): {"devices": [DEVICE]},
    ("POST", "/deviceTypes"): {"description": "D"},
    ("PUT", "/deviceTypes/1"): {"description": "D"},
    ("POST", "/images"): {"content": "AAAA"},
    ("POST", "/networkConfigurations"): {"deviceGroupConfigurations": [GROUP]},
    ("POST", "/networkConfigurationUpdates"): {"href": configured(OPENED)},
    ("PUT", "/license"): {"license": "AAAA"},
}
NAMES = [f"{method} {path}" for method, path in WRITES]
FIELDS = [(*where, name) for where, body in WRITES.items() for name in body]
NESTED = [
    ("/devices/batches", lambda value: {"devices": [value]}),
    ("/devices/batches", lambda value: {"devices": [DEVICE, {**DEVICE, "addr": value}]}),
    ("/networkConfigurations", lambda value: {"deviceGroupConfigurations": [value]}),
    ("/networkConfigurations",
     lambda value: {"deviceGroupConfigurations": [{**GROUP, "devices": [value]}]}),
    ("/networkConfigurations",
     lambda value: {"deviceGroupConfigurations": [{**GROUP, "configuration": value}]}),
    ("/networkConfigurations", lambda value: {"deviceGroupConfigurations": [
        {**GROUP, "configuration": {"image": {"href": value}}}]}),
]  # fmt: skip
SINGLE = [
    (method, path)
    for path, methods in {
        "/devices/{}": ("GET", "DELETE"), "/deviceTypes/{}": ("GET", "DELETE"),
        "/devices/batches/{}": ("GET",), "/images/{}": ("GET", "DELETE"), "/firmware/{}": ("GET",),
        "/networkConfigurations/{}": ("GET",), "/networkConfigurationUpdates/{}": ("GET",),
        "/tasks/{}": ("GET",), "/topologies/{}": ("GET", "DELETE"), "/dc/{}": ("DELETE",),
        "/dc/{}/config": ("GET",),
    }.items()
    for method in methods
]  # fmt: skip
WHO = basic("admin", PASSWORD)


def state(t: Twin) -> Any:
    """Return all that a request might change."""
    lists = ("devices", "deviceTypes", "images", "dc", "networkConfigurations", "topologies")
    found = [got(t, f"/{name}") for name in (*lists, "network", "licenseCapabilities")]
    works = len(t.upgrades()), len(t.surveys()), len(t.network_changes())
    return found, works, t.network.jobs.polled, t.things.knows("admin", PASSWORD)


def check_nothing_done(method: str, path: str, body: Any, status: int | None = None) -> Reply:
    before = state(OPENED)
    reply = ask_snap(OPENED, method, path, body)
    check_refused(reply, status, "snap")
    assert state(OPENED) == before
    return reply


# --- bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), WRITES, ids=NAMES)
@pytest.mark.parametrize("body", strange.BODIES, ids=range(len(strange.BODIES)))
def test_a_body_that_is_no_object_is_400(method: str, path: str, body: bytes) -> None:
    check_nothing_done(method, path, body, 400)


@pytest.mark.parametrize(("method", "path", "name"), FIELDS)
def test_a_missing_field_is_400_and_named(method: str, path: str, name: str) -> None:
    body = {key: value for key, value in WRITES[method, path].items() if key != name}
    reply = check_nothing_done(method, path, body, 400)
    assert name in str(reply.body["error"]["message"])


@pytest.mark.parametrize(("method", "path", "name"), FIELDS)
@pytest.mark.parametrize("value", [None, True, {}, [[]], [None], -1.5, 10**400, [{}]], ids=str)
def test_a_field_of_a_wrong_type_is_400(method: str, path: str, name: str, value: Any) -> None:
    check_nothing_done(method, path, {**WRITES[method, path], name: value}, 400)


@pytest.mark.parametrize(("method", "path"), WRITES, ids=NAMES)
def test_a_body_of_more_than_a_megabyte_is_413(method: str, path: str) -> None:
    body = json.dumps({**WRITES[method, path], "more": "x" * MOST_BODY_BYTES}).encode()
    check_nothing_done(method, path, body, 413)


@pytest.mark.parametrize(("path", "wrong"), [
    ("/devices", {"description": "x" * 257}), ("/devices", {"platform": "x" * 257}),
    ("/deviceTypes", {"description": "x" * 257}), ("/dc", {"name": "x" * 65}),
    ("/dc", {"pollInterval": 10**9}), ("/dc", {"deviceTypes": ["sensors"] * 1001}),
    ("/networkConfigurationUpdates", {"href": "x" * 2001}),
    ("/networkConfigurations", {"deviceGroupConfigurations": [GROUP] * 1001}),
])  # fmt: skip
def test_what_is_too_long_is_400(path: str, wrong: dict[str, Any]) -> None:
    check_nothing_done("POST", path, {**WRITES["POST", path], **wrong}, 400)


@given(st.binary(max_size=200), st.sampled_from(list(WRITES)))
@strange.LAW
def test_any_bytes_as_a_body_are_400(body: bytes, where: tuple[str, str]) -> None:
    check_refused(ask_snap(OPENED, *where, body), 400, "snap")


@given(st.sampled_from(FIELDS), strange.JSON)
@strange.LAW
def test_any_json_in_a_field_is_answered(field: tuple[str, str, str], value: Any) -> None:
    method, path, name = field
    t = MEANWHILE
    before = state(t)
    given_ = {**WRITES[method, path], name: value}
    reply = ask_snap(t, method, path, json.dumps(given_).encode())
    if reply.status >= 400:
        check_refused(reply, None, "snap")
        assert state(t) == before
    else:
        assert reply.status in (200, 201, 202)


@given(st.sampled_from(range(len(NESTED))), strange.JSON)
@strange.LAW
def test_any_json_deeper_down_is_answered(which: int, value: Any) -> None:
    path, body = NESTED[which]
    before = state(MEANWHILE)
    reply = ask_snap(MEANWHILE, "POST", path, json.dumps(body(value)).encode())
    if reply.status != 201:
        check_refused(reply, None, "snap")
        assert state(MEANWHILE) == before


MEANWHILE = snap_site()
"""A twin on which something may be made."""


@pytest.mark.parametrize("name", ["two\nlines", "\r\nSet-Cookie: a=b", "\x00", "\u2028", "a?b#c"])
def test_odd_letters_are_refused_or_kept_and_reach_no_header(name: str) -> None:
    t = snap_site()
    for path, body in (("/deviceTypes", {"description": name}), ("/devices", {**DEVICE,
                       "platform": name}), ("/dc", {**COLLECTOR, "name": name})):  # fmt: skip
        reply = ask_snap(t, "POST", path, body)
        assert all(ord(letter) >= 32 for value in reply.headers.values() for letter in value)
        assert "set-cookie" not in reply.headers
        if reply.status == 201:
            assert name in reply.body["data"].values()
            href = reply.body["data"]["href"] + ("/config" if path == "/dc" else "")
            assert name in str(got(t, href)) or repr(name)[1:-1] in repr(got(t, href))
        else:
            check_refused(reply, 400, "snap")


def test_half_a_letter_is_400() -> None:
    for path, name in (("/deviceTypes", "description"), ("/devices", "platform"), ("/dc", "name")):
        body = json.dumps({**WRITES["POST", path], name: "\ud800"}).encode()
        check_nothing_done("POST", path, body, 400)


# --- paths and queries ----------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), SINGLE)
@pytest.mark.parametrize("name", [
    *strange.NAMES, "0", "1.0", "1e0", "\u0661", "9" * 19, "9" * 5000, "0x1", "1_0", "True",
])  # fmt: skip
def test_an_odd_id_is_404(method: str, path: str, name: str) -> None:
    check_nothing_done(method, path.format(name), None, 404)


@given(st.text(max_size=30), st.sampled_from(SINGLE))
@strange.LAW
def test_any_text_as_an_id_is_404(name: str, single: tuple[str, str]) -> None:
    method, path = single
    if method == "DELETE" or (name.isascii() and name.isdigit()):
        return  # there may be one of this number
    written = quote(name.encode(errors="surrogatepass"), safe="")
    if written:
        check_refused(ask_snap(OPENED, method, path.format(written)), 404, "snap")


@pytest.mark.parametrize("path", [
    "", "/", "//", "/api", "/api/v1", "/api/v1/", "/api/v2/devices", "/api/v1/Devices", "/ws/",
    "/api/v1/devicesx", "/api/v1//devices", "/api/v1/devices%2F1", "/ws/websocket/x", "*",
    "/\ud800", "/a" * 50_000, "/api/v1/devices/batches/a/b", "/api/v1/dc/dc1/config/",
    "/api/v1/../v1/devices",
], ids=range(19))  # fmt: skip
def test_an_odd_path_is_404(path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        check_refused(plain_door(OPENED, "snap")(method, path, WHO, None), 404, "snap")


@pytest.mark.parametrize("method", strange.METHODS)
def test_an_odd_method_is_405(method: str) -> None:
    check_nothing_done(method, "/devices", None, 405)


@pytest.mark.parametrize("query", [
    "expand=", "type=", "type=%00", "expand=firmware&expand=image", "a=b", "&&&", "%", "type=%ff",
])  # fmt: skip
def test_an_odd_query_does_no_harm(query: str) -> None:
    assert ask_snap(OPENED, "GET", f"/devices?{query}").status == 200


@pytest.mark.parametrize("expand", ["all", "firmware,", ",image", "Firmware", "firmware;image"])
def test_to_expand_what_there_is_not_is_400(expand: str) -> None:
    check_nothing_done("GET", f"/devices?expand={expand}", None, 400)
