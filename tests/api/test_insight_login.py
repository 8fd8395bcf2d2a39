"""Who gets in: login as Cognito does it, tokens on the simulated clock, roles."""

import base64
import json
from typing import Any

import jwt
import pytest

import twin
from tests.api.asking import (
    MISSING,
    TARGET,
    Reply,
    admin,
    admin_token,
    ask,
    check_cors,
    check_refused,
    client_id,
    initiate,
    logged_in,
    plain_door,
    ran,
)
from tests.scenarios import scenario
from twin.errors import RunError
from twin.twin import Twin

WRITING = (
    ("POST", "/gateways", {"usecase": "a", "station": "b", "name": "c"}),
    ("POST", "/job-configs",
     {"job_name": "a", "start_barcode": "b", "end_barcode": "c", "gateway_ids": []}),
    ("DELETE", "/job-configs/{config}", None),
    ("POST", "/users",
     {"first_name": "J", "last_name": "D", "role": "ADMIN_ROLE", "email": "j@example.com"}),
    ("DELETE", "/users/{user}", None),
    ("DELETE", "/device-configs/{file}", None),
)  # fmt: skip
READING = ("/features", "/events", "/gateways", "/job-configs", "/job-configs/{config}", "/me",
           "/devices", "/device-configs", "/device-configs/{file}")  # fmt: skip


@pytest.fixture(scope="module")
def opened() -> Twin:
    return ran(with_file())


def with_file() -> Any:
    return scenario({"cloud.device_configs": [{"name": "one", "text": "a"}]}, before={})


def user_token(opened: Twin) -> str:
    return str(logged_in(opened, *opened.insight_user)["IdToken"])


def filled(opened: Twin, path: str) -> str:
    account = opened.account
    return path.format(
        config=account.job_configs()[0].id,
        user=account.users()[0].id,
        file=account.device_configs()[0].id,
    )


def refused_login(reply: Reply, kind: str) -> None:
    """Check that a login was refused as Cognito refuses it."""
    assert reply.status == 400
    assert reply.body["__type"] == kind
    assert reply.body["message"]
    check_cors(reply)


# --- where to log in ------------------------------------------------------------------------------


def test_where_a_customer_logs_in_is_said_without_login(opened: Twin) -> None:
    reply = plain_door(opened)("GET", f"/auth-information?id={opened.customer_id}", {}, None)
    assert reply.status == 200
    assert set(reply.body) >= {"region", "user_pool_id", "user_pool_client_id"}
    assert reply.body["user_pool_id"].startswith(reply.body["region"] + "_")


@pytest.mark.parametrize(("query", "status"), [("?id=another", 404), ("?id=", 404), ("", 400)])
def test_where_nobody_logs_in_is_refused(opened: Twin, query: str, status: int) -> None:
    check_refused(plain_door(opened)("GET", f"/auth-information{query}", {}, None), status)


# --- logging in -----------------------------------------------------------------------------------


def test_a_password_gives_three_tokens_for_an_hour(opened: Twin) -> None:
    email, password = opened.insight_user
    result = logged_in(opened, email, password)
    assert result["ExpiresIn"] == 3600
    assert result["TokenType"] == "Bearer"
    claims = jwt.decode(result["IdToken"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["iat"] == (opened.origin_us + opened.now_us) // 1_000_000
    assert claims["email"] == email
    assert ask(opened, "GET", "/me", token=result["IdToken"]).body["email"] == email
    assert {"AccessToken", "IdToken", "RefreshToken"} <= set(result)


def test_an_email_is_the_same_in_upper_case(opened: Twin) -> None:
    email, password = opened.insight_user
    assert logged_in(opened, email.upper(), password)["IdToken"]


def test_a_refresh_token_gives_new_tokens_and_no_new_refresh_token(opened: Twin) -> None:
    refresh = logged_in(opened, *opened.insight_user)["RefreshToken"]
    for flow in ("REFRESH_TOKEN", "REFRESH_TOKEN_AUTH"):
        reply = initiate(opened, flow, {"REFRESH_TOKEN": refresh})
        assert reply.status == 200
        result = reply.body["AuthenticationResult"]
        assert "RefreshToken" not in result
        assert ask(opened, "GET", "/me", token=result["IdToken"]).status == 200


def test_a_refresh_token_outlives_the_id_token() -> None:
    opened = ran()
    refresh = logged_in(opened, *opened.insight_user)["RefreshToken"]
    opened.run("6 h", progress=False)
    reply = initiate(opened, "REFRESH_TOKEN", {"REFRESH_TOKEN": refresh})
    token = reply.body["AuthenticationResult"]["IdToken"]
    assert ask(opened, "GET", "/me", token=token).status == 200


@pytest.mark.parametrize("use", ["IdToken", "AccessToken", "nonsense", ""])
def test_only_a_refresh_token_refreshes(opened: Twin, use: str) -> None:
    given = logged_in(opened, *opened.insight_user).get(use, use)
    reply = initiate(opened, "REFRESH_TOKEN", {"REFRESH_TOKEN": given})
    refused_login(reply, "NotAuthorizedException")


@pytest.mark.parametrize("given", [
    {"USERNAME": "admin@example.com", "PASSWORD": "wrong"},
    {"USERNAME": "admin@example.com", "PASSWORD": ""},
    {"USERNAME": "admin@example.com"},
    {"USERNAME": "nobody@example.com", "PASSWORD": "admin-of-the-twin"},
    {"USERNAME": "user@example.com", "PASSWORD": "admin-of-the-twin"},
    {"PASSWORD": "admin-of-the-twin"},
    {},
])  # fmt: skip
def test_a_wrong_password_and_an_unknown_user_are_told_alike(
    opened: Twin, given: dict[str, str]
) -> None:
    reply = initiate(opened, "USER_PASSWORD_AUTH", given)
    refused_login(reply, "NotAuthorizedException")
    assert reply.body["message"] == "Incorrect username or password."


def test_a_new_user_has_no_password_and_cannot_log_in() -> None:
    opened = ran()
    body = {"first_name": "J", "last_name": "D", "role": "ADMIN_ROLE", "email": "j@example.com"}
    assert ask(opened, "POST", "/users", body).status == 200
    for password in ("", "None", "j@example.com"):
        given = {"USERNAME": "j@example.com", "PASSWORD": password}
        refused_login(initiate(opened, "USER_PASSWORD_AUTH", given), "NotAuthorizedException")


@pytest.mark.parametrize(("body", "kind"), [
    (b"", "InvalidParameterException"),
    (b"{", "InvalidParameterException"),
    (b"[]", "InvalidParameterException"),
    (b"\xff\xfe", "InvalidParameterException"),
    ({"AuthFlow": "USER_PASSWORD_AUTH"}, "InvalidParameterException"),
    ({"AuthFlow": 1, "ClientId": "a", "AuthParameters": {}}, "InvalidParameterException"),
    ({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "a", "AuthParameters": {"USERNAME": 1}},
     "InvalidParameterException"),
    ({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "a", "AuthParameters": {}},
     "ResourceNotFoundException"),
])  # fmt: skip
def test_a_login_that_is_not_one_is_refused_as_cognito_does(
    opened: Twin, body: Any, kind: str
) -> None:
    refused_login(plain_door(opened)("POST", "/", {"X-Amz-Target": TARGET}, body), kind)


@pytest.mark.parametrize("flow", ["", "USER_SRP_AUTH", "user_password_auth"])
def test_another_flow_is_refused(opened: Twin, flow: str) -> None:
    email, password = admin(opened)
    given = {"USERNAME": email, "PASSWORD": password}
    refused_login(initiate(opened, flow, given), "InvalidParameterException")


@pytest.mark.parametrize("headers", [{}, {"X-Amz-Target": ""}, {"X-Amz-Target": "A.SignUp"}])
def test_a_login_without_its_target_is_refused(opened: Twin, headers: dict[str, str]) -> None:
    email, password = admin(opened)
    body = {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": client_id(opened),
        "AuthParameters": {"USERNAME": email, "PASSWORD": password},
    }
    refused_login(plain_door(opened)("POST", "/", headers, body), "UnknownOperationException")


def test_a_client_of_nobody_is_refused(opened: Twin) -> None:
    with pytest.raises(RunError, match="cannot log in as nobody"):
        opened.login("nobody@example.com", "password")


# --- the header -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "Bearer {}", " {} ", "Bearer  {}"])
def test_the_token_stands_in_the_header_raw_or_as_bearer(opened: Twin, form: str) -> None:
    assert ask(opened, "GET", "/me", token=form.format(admin_token(opened))).status == 200


@pytest.mark.parametrize("header", ["", " ", "Bearer ", "Bearer"])
def test_an_empty_header_is_401(opened: Twin, header: str) -> None:
    check_refused(ask(opened, "GET", "/me", token=header), 401)


def test_no_header_is_401_on_every_operation_of_the_customer(opened: Twin) -> None:
    reads = [("GET", path, None) for path in (*READING, "/users", "/users/{user}")]
    asked = [*WRITING, *reads, ("POST", "/job-analysis", None)]
    for method, path, body in asked:
        full = f"/{opened.customer_id}{filled(opened, path)}"
        check_refused(plain_door(opened)(method, full, {}, body), 401)


def forged(opened: Twin, how: str) -> str:
    """Return a token that is not one of this twin."""
    token = admin_token(opened)
    head, claims, signature = token.split(".")
    known = jwt.decode(token, options={"verify_signature": False})
    if how == "other key":
        return jwt.encode(known, b"k" * 32, algorithm="HS256")
    if how == "no algorithm":
        return jwt.encode(known, "", algorithm="none")
    if how == "other claims":
        text = json.dumps({**known, "exp": known["exp"] + 9}).encode()
        return f"{head}.{base64.urlsafe_b64encode(text).decode().rstrip('=')}.{signature}"
    made = {"cut": token[:-1], "no signature": f"{head}.{claims}.", "two parts": f"{head}.{claims}",
            "a scheme": f"Basic {token}", "a word": "IdToken", "dots": "..",
            "not ascii": "t\u00f6ken", "other letters": token.upper()}  # fmt: skip
    return made[how]


@pytest.mark.parametrize("how", [
    "other key", "no algorithm", "other claims", "cut", "no signature", "two parts", "a scheme",
    "a word", "dots", "not ascii", "other letters",
])  # fmt: skip
def test_a_forged_token_is_403(opened: Twin, how: str) -> None:
    check_refused(ask(opened, "GET", "/me", token=forged(opened, how)), 403)


def test_a_token_with_a_bottomless_head_is_403(opened: Twin) -> None:
    head = base64.urlsafe_b64encode(b"[" * 200_000).decode().rstrip("=")
    check_refused(ask(opened, "GET", "/me", token=f"{head}.e30.AAAA"), 403)


@pytest.mark.parametrize("use", ["AccessToken", "RefreshToken"])
def test_other_tokens_are_no_id_tokens(opened: Twin, use: str) -> None:
    token = logged_in(opened, *admin(opened))[use]
    check_refused(ask(opened, "GET", "/me", token=token), 403)


def test_another_customer_is_403(opened: Twin) -> None:
    headers = {"Authorization": admin_token(opened)}
    for customer in ("another", opened.customer_id.upper(), ""):
        reply = plain_door(opened)("GET", f"/{customer}/me", headers, None)
        check_refused(reply, 403 if customer else 404)


def test_the_token_of_another_customers_twin_is_403(opened: Twin) -> None:
    other = ran(scenario({"cloud.customer_id": "another"}))
    check_refused(ask(opened, "GET", "/me", token=admin_token(other)), 403)


# --- time -----------------------------------------------------------------------------------------


def test_a_token_lasts_an_hour_of_simulated_time_to_the_moment() -> None:
    opened = ran()
    token = admin_token(opened)
    opened.run("59 min", progress=False).run("59999 ms", progress=False)
    assert ask(opened, "GET", "/me", token=token).status == 200
    opened.run("1 ms", progress=False)
    check_refused(ask(opened, "GET", "/me", token=token), 403)


def test_a_refresh_token_expires_after_thirty_days() -> None:
    opened = ran()
    refresh = logged_in(opened, *admin(opened))["RefreshToken"]
    opened.run("30 d", progress=False)
    reply = initiate(opened, "REFRESH_TOKEN", {"REFRESH_TOKEN": refresh})
    refused_login(reply, "NotAuthorizedException")


def test_the_clients_renew_themselves() -> None:
    opened = ran()
    path = f"/{opened.customer_id}/me"
    clients = [opened.insight, opened.login(*opened.insight_user)]
    before = [client.get(path).request.headers["Authorization"] for client in clients]
    for duration in ("30 min", "29 min", "999 ms", "1 h", "3 d"):
        opened.run(duration, progress=False)
        assert [client.get(path).status_code for client in clients] == [200, 200]
    after = [client.get(path).request.headers["Authorization"] for client in clients]
    assert not set(before) & set(after)


def test_a_client_keeps_its_token_while_it_holds() -> None:
    opened = ran()
    path = f"/{opened.customer_id}/me"
    before = opened.insight.get(path).request.headers["Authorization"]
    opened.run("30 min", progress=False)
    assert opened.insight.get(path).request.headers["Authorization"] == before


@pytest.mark.parametrize(("header", "status"), [("wrong", 403), ("", 401)])
def test_a_client_leaves_a_header_alone_that_the_caller_set(
    opened: Twin, header: str, status: int
) -> None:
    path = f"/{opened.customer_id}/me"
    reply = opened.insight.get(path, headers={"Authorization": header})
    assert reply.status_code == status
    token = user_token(opened)
    reply = opened.insight.get(path, headers={"Authorization": token})
    assert reply.json()["email"] == opened.insight_user[0]


# --- users and roles ------------------------------------------------------------------------------


def test_a_deleted_user_is_nobody() -> None:
    opened = twin.open(with_file()).run("2 h", progress=False)
    email, password = opened.insight_user
    tokens = logged_in(opened, email, password)
    me = ask(opened, "GET", "/me", token=tokens["IdToken"]).body
    assert ask(opened, "DELETE", f"/users/{me['id']}").status == 204
    check_refused(ask(opened, "GET", "/me", token=tokens["IdToken"]), 403)
    given = {"USERNAME": email, "PASSWORD": password}
    refused_login(initiate(opened, "USER_PASSWORD_AUTH", given), "NotAuthorizedException")
    given = {"REFRESH_TOKEN": tokens["RefreshToken"]}
    refused_login(initiate(opened, "REFRESH_TOKEN", given), "NotAuthorizedException")
    again = {"first_name": "U", "last_name": "U", "role": "USER_ROLE", "email": email}
    assert ask(opened, "POST", "/users", again).body["id"] != me["id"]
    check_refused(ask(opened, "GET", "/me", token=tokens["IdToken"]), 403)


def test_nobody_deletes_themselves(opened: Twin) -> None:
    me = ask(opened, "GET", "/me").body
    check_refused(ask(opened, "DELETE", f"/users/{me['id']}"), 403)
    assert ask(opened, "GET", "/me").body == me


@pytest.mark.parametrize("path", READING)
def test_a_plain_user_reads(opened: Twin, path: str) -> None:
    assert ask(opened, "GET", filled(opened, path), token=user_token(opened)).status == 200


def test_a_plain_user_runs_job_analysis(opened: Twin) -> None:
    config = opened.account.job_configs()[0].id
    body = {"job_config_id": config, "start_time": 0, "end_time": 4e12}
    assert ask(opened, "POST", "/job-analysis", body, user_token(opened)).body["results"]


@pytest.mark.parametrize(("method", "path", "body"), WRITING)
def test_a_plain_user_writes_nothing(opened: Twin, method: str, path: str, body: Any) -> None:
    before = opened.account.journal()
    found = filled(opened, path)
    check_refused(ask(opened, method, found, body, user_token(opened)), 403)
    assert opened.account.journal() == before


@pytest.mark.parametrize("path", ["/users", "/users/{user}", f"/users/{MISSING}"])
def test_a_plain_user_sees_no_users(opened: Twin, path: str) -> None:
    check_refused(ask(opened, "GET", filled(opened, path), token=user_token(opened)), 403)


def test_what_somebody_may_is_said_by_me(opened: Twin) -> None:
    plain = ask(opened, "GET", "/me", token=user_token(opened)).body
    everything = ask(opened, "GET", "/me").body
    assert plain["roles"] == ["USER_ROLE"]
    assert everything["roles"] == ["ADMIN_ROLE"]
    assert set(plain["permissions"]) < set(everything["permissions"])
    assert not any(word in p for p in plain["permissions"] for word in ("create", "delete"))
