"""Certificates for gateways, downloads behind signed addresses, and accounts that are saved."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

import twin
from twin.twin import Twin

ACCOUNT = ("account_user", "account_gateway", "account_job_config", "account_secret", "journal")
NEW = {"usecase": "Picking", "station": "Station3", "name": "Gateway1"}
EULA = {
    "eula_version": "1.1.0", "eula_checksum": "FD23456ABC", "asset_type": "MARK_FIRMWARE",
    "agreed_by": "john.doe@example.com",
}  # fmt: skip


def opened() -> Twin:
    return twin.open("reference_site").run("10 min", progress=False)


def made(t: Twin) -> str:
    answer = t.insight.post(f"/{t.customer_id}/gateways", json=NEW)
    assert answer.status_code == 201
    return str(answer.json()["id"])


def prepared(t: Twin, gateway_id: str) -> Any:
    return t.insight.post(f"/{t.customer_id}/gateways/{gateway_id}/prepare-provisioning")


def provisioned(t: Twin, body: object) -> Any:
    return t.anonymous_insight.post("/provisioning", json=body)


# --- certificates -----------------------------------------------------------------------------


def test_a_gateway_gets_a_certificate_that_the_twin_has_signed() -> None:
    t = opened()
    gateway_id = made(t)
    way = prepared(t, gateway_id)
    assert way.status_code == 200
    assert set(way.json()) == {"registration_path", "token"}
    answer = t.anonymous_insight.post(
        way.json()["registration_path"], json={"token": way.json()["token"]}
    )
    assert answer.status_code == 200
    found = answer.json()
    key, certificate, issuers = pkcs12.load_key_and_certificates(
        base64.b64decode(found["pkcs12"]), None
    )
    assert key is not None
    assert certificate is not None
    certificate.verify_directly_issued_by(issuers[0])
    assert certificate.public_key() == key.public_key()
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == found["certificate_common_name"] == gateway_id
    assert certificate.not_valid_before_utc <= t.now < certificate.not_valid_after_utc
    listed = t.insight.get(f"/{t.customer_id}/gateways").json()["items"]
    assert found["gateway"] in listed


def test_two_gateways_have_one_issuer_and_two_keys() -> None:
    t = opened()
    ids = [gateway.id for gateway in t.roster.gateways[:2]]
    found = []
    for gateway_id in ids:
        answer = provisioned(t, {"token": prepared(t, gateway_id).json()["token"]})
        raw = base64.b64decode(answer.json()["pkcs12"])
        found.append(pkcs12.load_key_and_certificates(raw, None))
    (_, one, first), (_, other, second) = found
    assert first == second
    assert one is not None
    assert other is not None
    assert one.public_key() != other.public_key()


def test_a_gateway_is_prepared_once_and_a_token_used_once() -> None:
    t = opened()
    gateway_id = made(t)
    token = prepared(t, gateway_id).json()["token"]
    assert prepared(t, gateway_id).status_code == 403
    assert provisioned(t, {"token": token}).status_code == 200
    assert provisioned(t, {"token": token}).status_code == 403
    assert prepared(t, gateway_id).status_code == 403
    assert prepared(t, "00000000-0000-4000-8000-000000000000").status_code == 404


def test_a_token_lasts_a_quarter_of_an_hour_on_the_simulated_clock() -> None:
    for minutes, status in (("14 min", 200), ("15 min", 403)):
        t = opened()
        token = prepared(t, made(t)).json()["token"]
        t.run(minutes, progress=False)
        assert provisioned(t, {"token": token}).status_code == status


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": None}])
def test_without_a_token_it_is_401(body: dict[str, object]) -> None:
    assert provisioned(opened(), body).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"), [({"token": "x"}, 403), ({"token": 1}, 400), ([], 400)]
)
def test_another_token_is_refused(body: object, status: int) -> None:
    answer = provisioned(opened(), body)
    assert (answer.status_code, set(answer.json())) == (status, {"title", "details"})


# --- downloads ------------------------------------------------------------------------------


def url(t: Twin, **changes: object) -> str:
    path = f"/{t.customer_id}/generate-download-url"
    answer = t.insight.post(path, json={**EULA, **changes})
    assert answer.status_code == 200
    assert set(answer.json()) == {"download_url"}
    return str(answer.json()["download_url"])


def test_what_is_downloaded_is_the_latest_or_the_version_asked_for() -> None:
    t = opened()
    assets = {asset.version: asset.text for asset in t.scenario.cloud.assets}
    for changes, version in (({}, "1.10.0"), ({"asset_version": "1.9.2"}, "1.9.2")):
        where = url(t, **changes)
        for client in (t.anonymous_insight, t.requests()):
            answer = client.get(where)
            assert answer.status_code == 200
            assert answer.content.decode() == assets[version]
            assert answer.headers["content-type"] == "application/octet-stream"


def test_a_signed_address_expires_and_cannot_be_changed() -> None:
    t = opened()
    where = url(t)
    later = where.replace("expires=1", "expires=2")
    other = where.replace("1.10.0", "1.9.2")
    for changed in (later, other, where[:-1], where.partition("?")[0]):
        assert t.anonymous_insight.get(changed).status_code == 403
    assert t.anonymous_insight.get(where).status_code == 200
    t.run("15 min", progress=False)
    assert t.anonymous_insight.get(where).status_code == 403


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"asset_version": "9.9.9"}, 404),
        ({"asset_type": "TRADE_FAIR_DEMO_APP"}, 404),
        ({"asset_type": "GAME"}, 400),
        ({"agreed_by": "nobody"}, 400),
        ({"eula_checksum": "lower"}, 400),
        ({"eula_version": None}, 400),
    ],
)
def test_what_cannot_be_downloaded_is_refused(change: dict[str, object], status: int) -> None:
    t = opened()
    answer = t.insight.post(f"/{t.customer_id}/generate-download-url", json={**EULA, **change})
    assert answer.status_code == status
    assert t.account.journal() == []


def test_who_agreed_is_written_down() -> None:
    t = opened()
    url(t)
    (entry,) = t.account.journal()
    assert entry[1] == "agree to EULA"
    assert entry[2]["email"] == "john.doe@example.com"


# --- saved ----------------------------------------------------------------------------------


def test_a_saved_twin_brings_its_account_back(tmp_path: Path) -> None:
    t = opened()
    token = prepared(t, made(t)).json()["token"]
    path = t.save(tmp_path / "site.sqlite")
    again = twin.open(path)
    assert again.account.journal() == t.account.journal()
    assert again.account.gateways() == t.account.gateways()
    assert provisioned(again, {"token": token}).status_code == 200
    assert again.insight.post(f"/{t.customer_id}/gateways", json=NEW).status_code == 409


def test_the_authority_is_the_same_in_a_twin_opened_again(tmp_path: Path) -> None:
    t = opened()
    one, other = (gateway.id for gateway in t.roster.gateways[:2])
    found = [provisioned(t, {"token": prepared(t, one).json()["token"]})]
    again = twin.open(t.save(tmp_path / "site.sqlite"))
    found.append(provisioned(again, {"token": prepared(again, other).json()["token"]}))
    issuers = [
        pkcs12.load_key_and_certificates(base64.b64decode(answer.json()["pkcs12"]), None)[2]
        for answer in found
    ]
    assert issuers[0] == issuers[1]


def test_who_asks_nothing_saves_nothing_of_it(tmp_path: Path) -> None:
    t = opened()
    path = t.save(tmp_path / "site.sqlite")
    with closing(sqlite3.connect(path)) as saved:
        counts = [saved.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ACCOUNT]  # noqa: S608
    assert counts == [(0,)] * len(ACCOUNT)
    assert len(twin.open(path).account.users()) == 2
