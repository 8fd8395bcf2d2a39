"""Licence, password, backup: who may do what, and what of it is kept where."""

import json
import sqlite3
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twin
from tests.api.asking import Reply, basic, plain_door
from tests.api.snap_site import LICENCE, PASSWORD, asked, got, made, refused, snap_site
from twin.api.snap.licences import read_licence
from twin.errors import RunError
from twin.twin import Twin

LAW = settings(derandomize=True, deadline=None, database=None, max_examples=80)
TRIAL = {
    "customer": "Trial", "siteDirector": False, "dataCollector": False, "types": ["trial"],
    "expiration": "9999-12-31", "siteDoctor": False,
}  # fmt: skip
FULL = {
    "customer": "John Smith", "siteDirector": True, "dataCollector": True,
    "types": ["manage", "deploy"], "expiration": "2027-01-31", "siteDoctor": True,
}  # fmt: skip


@pytest.fixture
def t() -> Twin:
    return snap_site()


def capabilities(t: Twin) -> Any:
    return got(t, "/licenseCapabilities")


# --- licence --------------------------------------------------------------------------------------


def test_a_licence_is_shown_as_in_the_document_and_can_be_removed(t: Twin) -> None:
    assert capabilities(t) == TRIAL
    text = t.make_licence("John Smith", "2027-01-31")
    assert asked(t, "PUT", "/license", {"license": text}, 200).body is None
    assert capabilities(t) == FULL
    assert asked(t, "DELETE", "/license", None, 204).body is None
    assert capabilities(t) == TRIAL
    asked(t, "DELETE", "/license", None, 204)


@pytest.mark.parametrize("write", [
    lambda text: text.encode(), lambda text: f"{text}\n".encode(),
    lambda text: json.dumps(text).encode(), lambda text: json.dumps({"license": text}).encode(),
    lambda text: "\r\n".join(text[n : n + 76] for n in range(0, len(text), 76)).encode(),
])  # fmt: skip
def test_a_licence_may_be_bare_or_in_json(t: Twin, write: Any) -> None:
    asked(t, "PUT", "/license", write(t.make_licence("John Smith", "2027-01-31")), 200)
    assert capabilities(t) == FULL


@pytest.mark.parametrize("body", [
    b"", b"{}", b"[]", b"null", b"1", b'{"license": 1}', b'{"license": null}', b"{", b"\xff",
    b'{"license": ""}', b"AAAA", b'"' + b"A" * 500_000 + b'"', b"[" * 100_000,
])  # fmt: skip
def test_what_is_no_licence_is_refused_and_that_before_stays(t: Twin, body: bytes) -> None:
    asked(t, "PUT", "/license", {"license": t.make_licence("John Smith", "2027-01-31")}, 200)
    assert "licen" in refused(t, "PUT", "/license", body, 400)
    assert capabilities(t) == FULL


TEXT = snap_site().make_licence("John Smith", "2027-01-31")
RAW = b64decode(TEXT)


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
@LAW
def test_a_licence_with_a_wrong_byte_is_refused(place: int, flip: int) -> None:
    wrong = bytearray(RAW)
    wrong[place] ^= flip
    check_tampered(bytes(wrong))


def check_tampered(raw: bytes) -> None:
    """Check that a text is refused, unless it says the same as before in other blanks."""
    try:
        same = json.loads(raw) == json.loads(RAW)
    except ValueError:
        same = False
    if same:
        assert read_licence(b64encode(raw).decode()) == read_licence(TEXT)
        return
    with pytest.raises(RunError, match="licence"):
        read_licence(b64encode(raw).decode())


def test_each_single_byte_is_under_the_signature() -> None:
    for place in range(len(RAW)):
        for flip in (1, 32, 128):
            wrong = bytearray(RAW)
            wrong[place] ^= flip
            check_tampered(bytes(wrong))


@pytest.mark.parametrize(("name", "value"), [
    ("customer", "Jane"), ("expiration", "2999-01-01"), ("siteDoctor", False), ("types", []),
    ("more", 1),
])  # fmt: skip
def test_a_licence_that_was_written_anew_is_refused(t: Twin, name: str, value: Any) -> None:
    found = json.loads(RAW)
    found["licence"][name] = value
    text = b64encode(json.dumps(found).encode()).decode()
    said = refused(t, "PUT", "/license", {"license": text}, 400)
    assert "tampered" in said or "no licence" in said
    assert capabilities(t) == TRIAL


def test_a_licence_expires_on_the_simulated_clock() -> None:
    """The run begins on 2 March at 5 in UTC; the day ends 19 hours later."""
    t = snap_site()
    said = refused(t, "PUT", "/license", {"license": t.make_licence("A", "2026-03-01")}, 400)
    assert said == "this licence expired on 2026-03-01"
    text = t.make_licence("John Smith", "2026-03-02")
    asked(t, "PUT", "/license", {"license": text}, 200)
    t.run_to_us(19 * 3_600_000_000 - 1, progress=False)
    assert capabilities(t) == FULL | {"expiration": "2026-03-02"}
    t.run_to_us(19 * 3_600_000_000, progress=False)
    assert capabilities(t) == {
        "customer": "John Smith", "siteDirector": False, "dataCollector": False, "types": [],
        "expiration": "2026-03-02", "siteDoctor": False,
    }  # fmt: skip
    refused(t, "PUT", "/license", {"license": text}, 400)


def test_the_licence_of_a_scenario_holds_from_the_start_and_can_be_deleted() -> None:
    t = snap_site(licence={**LICENCE, "site_doctor": False, "types": ["deploy"]})
    assert capabilities(t) == FULL | {"siteDoctor": False, "types": ["deploy"]}
    asked(t, "DELETE", "/license", None, 204)
    assert capabilities(t) == TRIAL


# --- password -------------------------------------------------------------------------------------

NEW = "yourNewPassword1#"


def as_user(t: Twin, password: str) -> Reply:
    return plain_door(t, "snap")("GET", "/api/v1/firmware", basic("admin", password), None)


def test_a_password_is_changed(t: Twin) -> None:
    reply = asked(t, "POST", "/changePassword", {"old": PASSWORD, "new": NEW}, 200)
    assert reply.body == {"data": "Successfully changed password"}
    assert as_user(t, PASSWORD).status == 401
    assert as_user(t, NEW).status == 200
    assert t.login_snap("admin", NEW).get("/api/v1/dc").json() == {"data": []}
    with pytest.raises(RunError, match="cannot log in as admin"):
        t.login_snap("admin", PASSWORD)


@pytest.mark.parametrize("new", [
    "Short1#", "nouppercase1#", "NOLOWERCASE1#", "NoDigits###", "NoSymbols11", "With blank1#",
    "W\u00efthAccent1#", "Passw0rd(", "Passw0rd#\n", "\uff11Password#",
])  # fmt: skip
def test_a_simple_password_is_refused_in_the_words_of_the_document(t: Twin, new: str) -> None:
    said = refused(t, "POST", "/changePassword", {"old": PASSWORD, "new": new}, 400)
    assert said == {
        "new": "Password must be at least 8 characters and include a combination of lower and "
        "uppercase letters, numbers, and symbols."
    }
    assert as_user(t, PASSWORD).status == 200


def test_what_is_wrong_is_said_of_the_field(t: Twin) -> None:
    said = refused(t, "POST", "/changePassword", {"old": NEW, "new": NEW}, 400)
    assert set(said) == {"old"}
    assert set(refused(t, "POST", "/changePassword", {}, 400)) == {"old", "new"}
    assert set(refused(t, "POST", "/changePassword", {"old": 1, "new": None}, 400)) == {
        "old", "new"
    }  # fmt: skip


@pytest.mark.parametrize("header", [
    "", "Basic", "Basic ", "Basic !", "Basic YWRtaW4=", "Bearer YWRtaW46eA==", "Basic YWRtaW46eA==",
    basic("nobody", PASSWORD)["Authorization"], basic("admin", PASSWORD + "x")["Authorization"],
    "Basic \u00e4", "Basic " + "A" * 100_000, basic("Admin", PASSWORD)["Authorization"],
])  # fmt: skip
def test_who_says_no_name_and_password_is_401(t: Twin, header: str) -> None:
    for path in ("/api/v1/devices", "/api/v1/backup", "/api/v1/network"):
        reply = plain_door(t, "snap")("GET", path, {"Authorization": header}, None)
        assert reply.status == 401
        assert reply.headers["www-authenticate"].startswith("Basic realm=")


def test_the_word_basic_is_one_in_any_letters(t: Twin) -> None:
    header = {"Authorization": basic("admin", PASSWORD)["Authorization"].replace("Basic", "bAsIC")}
    assert plain_door(t, "snap")("GET", "/api/v1/devices", header, None).status == 200


def test_the_sockets_ask_nobody_who_they_are(t: Twin) -> None:
    assert plain_door(t, "snap")("GET", "/ws", {}, None).status == 200


# --- what is kept ---------------------------------------------------------------------------------


def test_no_password_is_in_the_database_or_in_its_journal(t: Twin) -> None:
    asked(t, "POST", "/changePassword", {"old": PASSWORD, "new": NEW}, 200)
    dump = "\n".join(t.database.connection.iterdump())
    assert PASSWORD not in dump
    assert NEW not in dump
    assert "change password" in dump


def test_a_saved_twin_knows_its_devices_passwords_and_licence(t: Twin, tmp_path: Path) -> None:
    device = {"deviceType": "Deck1", "description": "D", "addr": "ccddee", "platform": "RF200"}
    made(t, "/devices", device)
    asked(t, "DELETE", "/deviceTypes/3", None, 204)
    asked(t, "POST", "/changePassword", {"old": PASSWORD, "new": NEW}, 200)
    again = twin.open(t.save(tmp_path / "site.sqlite"))
    assert as_user(again, NEW).status == 200
    assert as_user(again, PASSWORD).status == 401
    assert [one.addr for one in again.things.devices()][-1] == "ccddee"
    assert [kind for _, kind in again.things.device_types()] == ["Deck1", "Sensor"]


def test_the_backup_is_a_database_of_the_documented_name(t: Twin, tmp_path: Path) -> None:
    reply = asked(t, "GET", "/backup", None, 200)
    disposition = 'attachment; filename="synapse-network-service.sqlite"'
    assert reply.headers["content-disposition"] == disposition
    assert reply.body.startswith(b"SQLite format 3\0")
    path = tmp_path / "backup.sqlite"
    path.write_bytes(reply.body)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT count(*) FROM snap_device").fetchone() == (12,)
    connection.close()
    assert [one.addr for one in twin.open(path).things.devices()] == [
        one.addr for one in t.things.devices()
    ]


def test_a_backup_that_cannot_be_made_is_refused_in_the_words_of_the_document(t: Twin) -> None:
    t.fault("GET /api/v1/backup", status=400)
    assert refused(t, "GET", "/backup", None, 400)


def test_who_asks_for_a_socket_without_one_is_told(t: Twin) -> None:
    door, who = plain_door(t, "snap"), basic("admin", PASSWORD)
    greeted = door("GET", "/ws", who, None)
    assert (greeted.status, greeted.body) == (200, "Welcome to SockJS!\n")
    plain = door("GET", "/ws/websocket", who, None)
    assert (plain.status, plain.body["error"]["message"]) == (
        400, 'Can "Upgrade" only to "WebSocket".',
    )  # fmt: skip
    asked_for = door("GET", "/ws/websocket", {**who, "Upgrade": "websocket"}, None)
    assert (asked_for.status, asked_for.body) == (200, "Established Websocket Connection")
