"""A served twin is killed at any moment, again and again: nothing acknowledged is ever lost."""

import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

import twin
from tests.api.killing import (
    CUSTOMER,
    IN_SERVICE,
    KEYS,
    LISTS,
    MAKERS,
    NAMES,
    PATIENCE_S,
    Chance,
    Client,
    Server,
    issued_s,
    launched,
    login,
)

KILLS, EARLY_KILLS, CLIENTS = 25, 5, 4
FIRE_S = 0.6
SPEED = 1800  # an hour, and so a snapshot, takes two seconds


def fire(client: Client) -> None:
    """Change things until the server is gone."""
    try:
        while True:
            client.chance.of(MAKERS)(client)
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return


def listed(server: Server, headers: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return all there is, by path."""
    found = {}
    for kind in LISTS:
        path: str | None = f"/{kind}?limit=500" if kind != "job-configs" else f"/{kind}"
        while path:
            url = f"{server.insight}{CUSTOMER}{path}"
            body = requests.get(url, headers=headers, timeout=PATIENCE_S).json()
            found |= {f"/{kind}/{item[KEYS[kind]]}": item for item in body["items"]}
            path = body["links"].get("next") if "links" in body else None
    return found


def check(clients: Sequence[Client], now: dict[str, dict[str, Any]], at_first: set[str]) -> None:
    """Hold what there is against what was acknowledged; learn what became of what was under way."""
    for client in clients:
        for path, known in list(client.there.items()):
            if path == client.open and path not in now:  # deleted, but nobody was told
                del client.there[path]
                client.gone.add(path)
                continue
            if path == client.open and now[path].get("model") == IN_SERVICE["model"]:
                client.there[path] = known | IN_SERVICE  # put into service, but nobody was told
            assert unchanging(now[path]) == unchanging(client.there[path])
        assert not client.gone & now.keys()
    known_to = {path for client in clients for path in client.there} | at_first
    under_way = {client.open: client for client in clients if client.open}
    for path in now.keys() - known_to:
        kind = path.split("/")[1]
        owner = under_way[now[path][NAMES[kind]]]  # nobody else has asked for it
        owner.there[path] = now[path]


def unchanging(item: dict[str, Any]) -> dict[str, Any]:
    """Return what clients know of something that nobody changed but by putting it into service."""
    return {name: value for name, value in item.items() if name != "last_updated"}


def check_file(state: Path, clients: Sequence[Client]) -> None:
    """Look into the file of a killed server: whatever was done was done wholly."""
    with closing(sqlite3.connect(state)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        for table in ("user", "gateway", "job_config"):
            query = "SELECT count(*) FROM journal WHERE action = ?"
            (come,) = db.execute(query, (f"add {table}",)).fetchone()
            (left,) = db.execute(query, (f"remove {table}",)).fetchone()
            (there,) = db.execute(f"SELECT count(*) FROM account_{table}").fetchone()  # noqa: S608
            (ever,) = db.execute(
                "SELECT count FROM account_made WHERE name = ?", (table,)
            ).fetchone()
            if table == "gateway":
                assert there >= come
            else:
                assert there == ever - left
        (used,) = db.execute(
            "SELECT count(*) FROM account_provisioning WHERE used_ms IS NOT NULL"
        ).fetchone()
        for action in ("provision gateway", "install gateway"):
            assert db.execute(
                "SELECT count(*) FROM journal WHERE action = ?", (action,)
            ).fetchone() == (used,)
        (agreed,) = db.execute(
            "SELECT count(*) FROM journal WHERE action = 'agree to EULA'"
        ).fetchone()
        assert agreed >= sum(client.agreed for client in clients)
        times = [row[0] for row in db.execute("SELECT now_us FROM journal ORDER BY id")]
        assert times == sorted(times)


def check_tokens(server: Server, headers: dict[str, str], clients: Sequence[Client]) -> None:
    """What was prepared or used once is so still."""
    for client in clients:
        for path in sorted(client.prepared)[-2:]:
            url = f"{server.insight}{CUSTOMER}{path}/prepare-provisioning"
            assert requests.post(url, headers=headers, timeout=PATIENCE_S).status_code == 403
        for token in list(client.used.values())[-2:]:
            answer = requests.post(
                f"{server.insight}/provisioning", json={"token": token}, timeout=PATIENCE_S
            )
            assert answer.status_code == 403


def now_ms(server: Server, headers: dict[str, str], name: str) -> tuple[int, str]:
    """Return what time it is to a client, by a user that is made for it, and that user's path."""
    body = {"first_name": "A", "last_name": "B", "role": "USER_ROLE", "email": f"{name}@clock.org"}
    url = f"{server.insight}{CUSTOMER}/users"
    made = requests.post(url, json=body, headers=headers, timeout=PATIENCE_S).json()
    return made["created"], f"/users/{made['id']}"


def looked_at(server: Server, told_s: int) -> int:
    """Tell somebody the time who changes nothing, and kill the server; return that time [s]."""
    time.sleep(0.3)
    found_s = issued_s(login(server.insight))
    assert found_s > told_s
    server.kill()
    return found_s


def test_nothing_acknowledged_is_lost_however_often_it_is_killed(tmp_path: Path) -> None:
    state, chance, told_s = tmp_path / "site.sqlite", Chance(1), 0
    clients = [Client(number) for number in range(1, CLIENTS + 1)]
    with launched(state, "--speed", str(SPEED)) as launcher:
        server = launcher.start()
        at_first = set(listed(server, login(server.insight)))
        for turn in range(KILLS):
            headers = login(server.insight)
            for client in clients:
                client.connect(server, headers)
            threads = [threading.Thread(target=fire, args=(client,)) for client in clients]
            for thread in threads:
                thread.start()
            time.sleep(FIRE_S * chance.share())
            server.kill()
            for thread in threads:
                thread.join(PATIENCE_S)
                assert not thread.is_alive()
            check_file(state, clients)
            if turn % (KILLS // EARLY_KILLS) == 0:
                pid = launcher.begin()
                time.sleep(0.2 * chance.share())
                Server(pid, "", "").kill()
                told_s = looked_at(launcher.start(), told_s)
            server = launcher.start()
            headers = login(server.insight)
            assert issued_s(headers) >= told_s
            check(clients, listed(server, headers), at_first)
            check_tokens(server, headers, clients)
            shown_ms, path = now_ms(server, headers, f"turn-{turn}")
            assert shown_ms >= max(client.told_ms for client in clients)
            at_first.add(path)
        server.kill()
    assert sum(client.acknowledged for client in clients) > 400
    again, replayed = twin.open(state), without_snapshot(state, tmp_path)
    assert again.now_us >= 3_600_000_000
    assert again.rows().tobytes() == replayed.rows().tobytes()
    assert again.kpis().equals(replayed.kpis())
    assert again.roster == replayed.roster


def without_snapshot(state: Path, folder: Path) -> "twin.Twin":
    """Return what a file comes back to where its snapshot counts for nothing."""
    other = folder / "other.sqlite"
    with closing(sqlite3.connect(state)) as source, closing(sqlite3.connect(other)) as copy:
        source.backup(copy)
        assert copy.execute("DELETE FROM snapshot").rowcount == 1
        copy.commit()
    return twin.open(other)
