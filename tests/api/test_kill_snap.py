"""The same for SNAP Thing Services: devices, batches, images, updates, topologies, the licence."""

import base64
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

import twin
from tests.api.killing import PATIENCE_S, Chance, Server, launched
from tests.api.test_kill import without_snapshot

KILLS, CLIENTS = 20, 3
FIRE_S = 0.7
SPEED = 900  # an hour, and so a snapshot, takes four seconds
LOGIN = ("admin", "Thing-Services-1")
API = "/api/v1"
LISTS = ("devices", "deviceTypes", "images", "dc", "networkConfigurations")
LIVE = {"upgrading", "firmware", "image"}  # of a device: what its node says
CHANCE = 20260302
SITE = twin.open("trial_licence")

Shown = dict[str, Any]


class Client:
    """Somebody who changes the service, and remembers what was acknowledged.

    ``there`` and ``gone`` go by path; ``open`` is what was under way when the server died.
    """

    def __init__(self, number: int, displays: Sequence[str]) -> None:
        self.number, self.displays = number, displays
        self.chance = Chance(CHANCE, number)
        self.there: dict[str, Shown] = {}
        self.gone: set[str] = set()
        self.open = ""
        self.batches: list[str] = []
        self.tasks: dict[str, str] = {}  # and where each led, once it was over
        self.licence = self.asked_licence = "Trial"
        self.acknowledged = self._named = 0
        self.server = Server(0, "", "")

    def connect(self, server: Server) -> None:
        """Talk to a server from now on."""
        self.server, self.session = server, requests.Session()
        self.session.trust_env, self.session.auth = False, LOGIN

    def name(self) -> str:
        """Return a name that nobody has had."""
        self._named += 1
        return f"c{self.number}-{self._named}"

    def ask(self, method: str, path: str, body: Any = None, *, about: str) -> requests.Response:
        """Ask; what is under way is ``about`` until it is acknowledged."""
        self.open = about
        found = self.session.request(
            method, f"{self.server.snap}{API}{path}", json=body, timeout=PATIENCE_S,
            allow_redirects=False,
        )  # fmt: skip
        assert found.status_code < 500, found.text
        self.open = ""
        self.acknowledged += found.status_code < 400
        return found

    def make(self, kind: str, body: Shown, about: str) -> Shown:
        """Create something, and remember it."""
        answer = self.ask("POST", f"/{kind}", body, about=about)
        assert answer.status_code == 201, answer.text
        made: Shown = named(self.server, answer.json()["data"])
        self.there[path_of(made)] = made
        return made

    def mine(self, kind: str) -> list[str]:
        """Return what there is of a kind."""
        return [path for path in self.there if path.startswith(f"/{kind}/")]

    def end(self, kind: str) -> None:
        """Delete something of a kind, if there is something."""
        paths = self.mine(kind)
        if paths:
            path = self.chance.of(paths)
            assert self.ask("DELETE", path, about=path).status_code == 204
            self.gone.add(path)
            del self.there[path]


def named(server: Server, shown: Any) -> Any:
    """Return what was shown with addresses as paths: another server has another port."""
    return json.loads(json.dumps(shown).replace(f"{server.snap}{API}", ""))


def path_of(shown: Shown) -> str:
    """Return the path of what was shown."""
    return str(shown["href"])


def new_type(client: Client) -> None:
    """Create a type of devices."""
    name = client.name()
    client.make("deviceTypes", {"description": name}, name)


def new_device(client: Client) -> None:
    """Create a device that the mesh does not have."""
    client.make("devices", device(client, client.name()), "")


def device(client: Client, name: str) -> Shown:
    """Return a device whose address is made of the client and its name."""
    number = int(name.partition("-")[2])
    return {
        "addr": f"{client.number:02x}{number:04x}", "description": name, "platform": "RF200",
        "deviceType": "Sensor",
    }  # fmt: skip


def new_batch(client: Client) -> None:
    """Create two devices at once: both, or none."""
    names = [client.name(), client.name()]
    body = {"devices": [device(client, name) for name in names]}
    answer = client.ask("POST", "/devices/batches", body, about=names[0])
    assert answer.status_code == 201, answer.text
    data = named(client.server, answer.json()["data"])
    client.there |= {path_of(one): one for one in data["devices"]}
    client.batches.append(data["href"])


def end_device(client: Client) -> None:
    """Delete a device that the client made."""
    client.end("devices")


def new_image(client: Client) -> None:
    """Upload an image."""
    name = client.name()
    content = base64.b64encode(SITE.make_image(name, 700)).decode()
    client.make("images", {"content": content}, name)


def new_collector(client: Client) -> None:
    """Make a data collector, which polls at once."""
    name = client.name()
    body = {
        "name": name, "deviceTypes": ["Sensor"], "pollInterval": 600, "queryFunction": "data",
    }  # fmt: skip
    client.make("dc", body, name)


def end_collector(client: Client) -> None:
    """Delete a data collector."""
    client.end("dc")


def update(client: Client) -> None:
    """Bring an image of the client to one of its displays."""
    images = client.mine("images")
    if not images:
        return
    configuration = {"image": {"href": f"{API}{client.chance.of(images)}"}}
    group = {"devices": [client.chance.of(client.displays)], "configuration": configuration}
    body = {"deviceGroupConfigurations": [group]}
    made = client.make("networkConfigurations", body, "configuration")
    href = {"href": f"{API}{made['href']}"}
    answer = client.ask("POST", "/networkConfigurationUpdates", href, about="update")
    assert answer.status_code in {202, 400}, answer.text
    if answer.status_code == 202:
        client.tasks[named(client.server, answer.headers["location"])] = ""


def survey(client: Client) -> None:
    """Ask for a topology."""
    answer = client.ask("POST", "/topologies", about="survey")
    assert answer.status_code == 202
    client.tasks[named(client.server, answer.headers["location"])] = ""


def look(client: Client) -> None:
    """Look what became of a task."""
    if client.tasks:
        check_task(client, client.chance.of(list(client.tasks)))


def licence(client: Client) -> None:
    """Apply a licence, or remove it: only one client does, so that it knows which there is."""
    if client.number > 1:
        return
    client.asked_licence = client.chance.of([client.name(), "Trial"])
    if client.asked_licence == "Trial":
        client.ask("DELETE", "/license", about="licence")
    else:
        body = {"license": SITE.make_licence(client.asked_licence)}
        assert client.ask("PUT", "/license", body, about="licence").status_code == 200
    client.licence = client.asked_licence


def check_task(client: Client, task: str) -> None:
    """A task that was acknowledged is there, and leads where it led before."""
    answer = client.ask("GET", task, about="")
    assert answer.status_code in {200, 303}, (task, answer.text)
    if answer.status_code == 303:
        place = named(client.server, answer.headers["location"])
        assert client.tasks[task] in {"", place}
        client.tasks[task] = place
    else:
        assert not client.tasks[task]


MAKERS: tuple[Callable[[Client], None], ...] = (
    new_type, new_device, new_device, new_batch, end_device, new_image, new_collector,
    end_collector, update, update, survey, look, licence,
)  # fmt: skip


def fire(client: Client) -> None:
    """Change things until the server is gone."""
    try:
        while True:
            client.chance.of(MAKERS)(client)
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return


def listed(server: Server) -> dict[str, Shown]:
    """Return all there is, by path."""
    found = {}
    for kind in LISTS:
        answer = requests.get(f"{server.snap}{API}/{kind}", auth=LOGIN, timeout=PATIENCE_S)
        found |= {path_of(one): one for one in named(server, answer.json()["data"])}
    return found


def lasting(shown: Shown) -> Shown:
    """Return what is kept of something: not what a node says of itself."""
    return {key: value for key, value in shown.items() if key not in LIVE}


def check(clients: Sequence[Client], now: dict[str, Shown], at_first: set[str]) -> None:
    """Hold what there is against what was acknowledged."""
    for client in clients:
        for path, known in list(client.there.items()):
            if path == client.open and path not in now:  # deleted, but nobody was told
                del client.there[path]
                client.gone.add(path)
            else:
                assert lasting(now[path]) == lasting(known)
        assert not client.gone & now.keys()
        for batch in client.batches[-2:]:
            found = requests.get(
                f"{client.server.snap}{API}{batch}", auth=LOGIN, timeout=PATIENCE_S
            )
            assert found.status_code == 200
        for task in client.tasks:
            check_task(client, task)
    adopt(clients, now, at_first)


def adopt(clients: Sequence[Client], now: dict[str, Shown], at_first: set[str]) -> None:
    """Learn what became of what was under way: each client has asked for one thing at most."""
    known = {path for client in clients for path in client.there} | at_first
    fresh: dict[int, list[str]] = {}
    for path in now.keys() - known:
        text = json.dumps(now[path])
        owners = [one for one in clients if f'"c{one.number}-' in text]
        if path.startswith("/networkConfigurations/"):
            at_first.add(path)
            continue
        fresh.setdefault(owners[0].number, []).append(path)
        owners[0].there[path] = now[path]
    assert all(len(paths) <= 2 for paths in fresh.values())
    for paths in fresh.values():
        if len(paths) == 2:  # a batch, and no half one
            assert all(path.startswith("/devices/") for path in paths)


def check_licence(server: Server, client: Client) -> None:
    """The licence that was acknowledged holds, or the one that was asked for last."""
    url = f"{server.snap}{API}/licenseCapabilities"
    shown = requests.get(url, auth=LOGIN, timeout=PATIENCE_S).json()["data"]["customer"]
    assert shown in {client.licence, client.asked_licence}
    client.licence = client.asked_licence = shown


def check_file(state: Path) -> None:
    """Look into the file of a killed server: whatever was done was done wholly."""
    with closing(sqlite3.connect(state)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (batched,) = db.execute(
            "SELECT coalesce(sum(json_array_length(device_ids)), 0) FROM snap_batch"
        ).fetchone()
        query = "SELECT facts FROM journal WHERE action = 'add devices'"
        pairs = [len(json.loads(facts)["addresses"]) for (facts,) in db.execute(query)]
        assert sum(count for count in pairs if count > 1) == batched
        for action, table in (("add update", "update"), ("add topology", "topology")):
            noted = "SELECT count(*) FROM journal WHERE action = ?"
            there = f"SELECT count(*) FROM snap_{table}"  # noqa: S608
            assert db.execute(noted, (action,)).fetchone() == db.execute(there).fetchone()
        surveys = "SELECT count(*) FROM journal WHERE action = 'start survey'"
        asked = "SELECT count(*) FROM snap_topology"
        assert db.execute(surveys).fetchone() == db.execute(asked).fetchone()
        times = [row[0] for row in db.execute("SELECT now_us FROM journal ORDER BY id")]
        assert times == sorted(times)


def test_nothing_that_the_service_acknowledged_is_lost(tmp_path: Path) -> None:
    state, chance = tmp_path / "site.sqlite", Chance(2)
    displays = [node.address.lower() for node in SITE.network.nodes if node.group == "display"]
    clients = [Client(n, displays[n - 1 :: CLIENTS]) for n in range(1, CLIENTS + 1)]
    with launched(state, "--speed", str(SPEED), scenario="trial_licence") as launcher:
        server = launcher.start()
        at_first = set(listed(server))
        for _ in range(KILLS):
            for client in clients:
                client.connect(server)
            threads = [threading.Thread(target=fire, args=(client,)) for client in clients]
            for thread in threads:
                thread.start()
            time.sleep(FIRE_S * chance.share())
            server.kill()
            for thread in threads:
                thread.join(PATIENCE_S)
                assert not thread.is_alive()
            check_file(state)
            server = launcher.start()
            under_way = [client.open for client in clients]
            for client in clients:
                client.connect(server)
            now = listed(server)
            check_licence(server, clients[0])
            for client, was in zip(clients, under_way, strict=True):
                client.open = was
            check(clients, now, at_first)
        server.kill()
    assert sum(client.acknowledged for client in clients) > 300
    assert any(place for client in clients for place in client.tasks.values())
    again, replayed = twin.open(state), without_snapshot(state, tmp_path)
    assert again.mesh_rows().tobytes() == replayed.mesh_rows().tobytes()
    assert again.upgrades().equals(replayed.upgrades())
    for path in ("topologies", "devices?expand=image", "dc"):
        shown = again.snap.get(f"{API}/{path}").json()
        assert shown == replayed.snap.get(f"{API}/{path}").json()
