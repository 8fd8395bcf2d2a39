"""Clients that change a served twin and remember every word of it, to hold it against later."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import requests

from tests.api.asking import TARGET
from twin.draws import draw
from twin.scenario import gateway_model

ADMIN = {"USERNAME": "admin@example.com", "PASSWORD": "admin-of-the-twin"}
PATIENCE_S = 60
CUSTOMER = "/warehouse-1"
CREATED = (200, 201)
LISTS = ("users", "gateways", "job-configs")
PHONE = gateway_model("mobile")
IN_SERVICE = {"model": PHONE.model, "firmware": PHONE.firmware}
KEYS = {"users": "id", "gateways": "id", "job-configs": "job_config_id"}
NAMES = {"users": "email", "gateways": "name", "job-configs": "job_name"}
READY = r"ready: Insight at (?P<insight>http://\S+), SNAP at (?P<snap>http://\S+)\n"
# What every server does first is done once, in the process of which each is a fork.
LAUNCHER = """
import os, signal, sys
import twin, uvicorn.lifespan.on, uvicorn.loops.auto, uvicorn.protocols.http.auto
import twin.api.serve, twin.cli
warm = twin.open(sys.argv[1]).run("6 h", progress=False)
warm.insight.get(f"/{warm.customer_id}/me")
warm.kpis(), warm.insight_openapi(), warm.snap_api
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    own = os.fork()
    if own == 0:
        twin.cli.app(["serve", *line.split()])
    print("pid", own, flush=True)
"""


class Server(NamedTuple):
    """A served twin: its process, and where its APIs are."""

    pid: int
    insight: str
    snap: str

    def kill(self) -> None:
        """End it at once, as the system does where memory is short."""
        os.kill(self.pid, signal.SIGKILL)
        gone(self.pid)


def gone(pid: int) -> None:
    """Wait until a process is no more."""
    deadline_s = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{pid}").exists() or _lives(pid):
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Launcher:
    """Starts servers."""

    def __init__(self, process: "subprocess.Popen[str]", options: Sequence[str]) -> None:
        self._process, self._options = process, options

    def begin(self) -> int:
        """Begin to start a server; return its process."""
        assert self._process.stdin is not None
        print(*self._options, file=self._process.stdin, flush=True)
        return int(self._said("pid ").split()[1])

    def start(self) -> Server:
        """Start a server, and wait until it answers."""
        pid = self.begin()
        where = re.fullmatch(READY, self._said("ready"))
        assert where
        return Server(pid, where["insight"], where["snap"])

    def _said(self, begins: str) -> str:
        """Return the next line that begins so."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(begins):
                return line
        raise AssertionError("the launcher ended")


@contextmanager
def launched(state: Path, *options: str, scenario: str = "pilot_line") -> Iterator[Launcher]:
    """Give what starts servers of one file, one after the other."""
    ports = ("--insight-port", "0", "--snap-port", "0", "--state", str(state))
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, scenario],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        launcher = Launcher(process, (scenario, *ports, *options))
        try:
            yield launcher
        finally:
            process.kill()


class Chance:
    """Decisions of a test, the same each time."""

    def __init__(self, seed: int, who: int = 0) -> None:
        self._seed, self._who, self._count = seed, who, 0

    def share(self) -> float:
        """Return a number from 0 to 1."""
        self._count += 1
        return draw(self._seed, 1, self._who, self._count, 0)

    def of(self, items: Sequence[Any]) -> Any:
        """Return one of some items."""
        return items[int(self.share() * len(items))]


def login(url: str) -> dict[str, str]:
    """Return the headers of the scenario's admin."""
    known = requests.get(f"{url}/auth-information?id=warehouse-1", timeout=PATIENCE_S).json()
    asked = {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": known["user_pool_client_id"],
        "AuthParameters": ADMIN,
    }
    answer = requests.post(url, json=asked, headers={"X-Amz-Target": TARGET}, timeout=PATIENCE_S)
    return {"Authorization": answer.json()["AuthenticationResult"]["IdToken"]}


def issued_s(headers: dict[str, str]) -> int:
    """Return when a login was, on the clock of the server [s]."""
    claims = headers["Authorization"].split(".")[1]
    return int(json.loads(base64.urlsafe_b64decode(claims + "=="))["iat"])


class Client:
    """Somebody who changes the account, and remembers what was acknowledged.

    ``there`` is what has to be there, by path; ``gone`` what must not; ``open`` is the name or
    the path of what was under way when the server died: that may be there or not, but whole.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.chance = Chance(20260302, number)
        self.there: dict[str, dict[str, Any]] = {}
        self.gone: set[str] = set()
        self.open = ""
        self.asked_for: set[str] = set()  # gateways that were to be prepared, and those that were
        self.prepared: set[str] = set()
        self.used: dict[str, str] = {}  # tokens by gateway
        self.agreed = self.acknowledged = self._named = 0
        self.told_ms = 0  # the latest moment that was heard of
        self._url, self._session = "", requests.Session()

    def connect(self, server: Server, headers: dict[str, str]) -> None:
        """Talk to a server from now on."""
        self._url, self._session = server.insight, requests.Session()
        self._session.trust_env = False
        self._session.headers.update(headers)

    def name(self) -> str:
        """Return a name that nobody has had."""
        self._named += 1
        return f"c{self.number}-{self._named}"

    def paths(self, kind: str) -> list[str]:
        """Return what there is of a kind."""
        return [path for path in self.there if path.startswith(f"/{kind}/")]

    def ask(self, method: str, path: str, body: Any = None, *, about: str = "") -> Any:
        """Ask, and note that it was acknowledged; return status and body."""
        self.open = about
        answer = self._session.request(method, self._url + path, json=body, timeout=PATIENCE_S)
        found = answer.json() if answer.content else {}
        assert answer.status_code < 500, found
        for moment in ("created", "last_updated"):
            self.told_ms = max(self.told_ms, found.get(moment, 0))
        return answer.status_code, found

    def done(self) -> None:
        """Note that what was asked was acknowledged, and all of it is written down."""
        self.open = ""
        self.acknowledged += 1

    def make(self, kind: str, body: dict[str, Any]) -> None:
        """Create something."""
        status, made = self.ask("POST", f"{CUSTOMER}/{kind}", body, about=body[NAMES[kind]])
        assert status in CREATED, made
        self.there[f"/{kind}/{made[KEYS[kind]]}"] = made
        self.done()

    def end(self, kind: str) -> None:
        """Delete something of a kind, if there is something."""
        paths = self.paths(kind)
        if paths:
            path = self.chance.of(paths)
            assert self.ask("DELETE", CUSTOMER + path, about=path)[0] == 204
            self.gone.add(path)
            del self.there[path]
            self.done()


def new_user(client: Client) -> None:
    """Create a user."""
    body = {"first_name": "A", "last_name": "B", "role": "USER_ROLE"}
    client.make("users", {**body, "email": f"{client.name()}@example.com"})


def end_user(client: Client) -> None:
    """Delete a user."""
    client.end("users")


def new_gateway(client: Client) -> None:
    """Create a gateway."""
    client.make("gateways", {"usecase": "Picking", "station": "S", "name": client.name()})


def provision(client: Client) -> None:
    """Put a gateway into service: one that nobody has prepared."""
    paths = [path for path in client.paths("gateways") if path not in client.asked_for]
    if not paths:
        return
    path = client.chance.of(paths)
    client.asked_for.add(path)
    status, way = client.ask("POST", f"{CUSTOMER}{path}/prepare-provisioning", about=path)
    assert status == 200
    client.prepared.add(path)
    client.done()
    status, _ = client.ask("POST", "/provisioning", {"token": way["token"]}, about=path)
    if status == 200:
        client.used[path] = way["token"]
        client.there[path] |= IN_SERVICE
        client.done()


def new_job(client: Client) -> None:
    """Create a job configuration."""
    gateways = [path.rpartition("/")[2] for path in client.paths("gateways")[:2]]
    if gateways:
        body = {"start_barcode": "A-", "end_barcode": "B-", "gateway_ids": gateways}
        client.make("job-configs", {**body, "job_name": client.name()})


def end_job(client: Client) -> None:
    """Delete a job configuration."""
    client.end("job-configs")


def agree(client: Client) -> None:
    """Agree to a licence before a download."""
    body = {"eula_version": "1", "asset_type": "MARK_FIRMWARE", "agreed_by": client.name()}
    status, _ = client.ask("POST", f"{CUSTOMER}/generate-download-url", body, about="agree")
    if status == 200:
        client.agreed += 1
        client.done()


MAKERS: tuple[Callable[[Client], None], ...] = (
    new_user, new_user, end_user, new_gateway, provision, new_job, end_job, agree,
)  # fmt: skip
"""What clients do; each notes what was acknowledged, and what is under way."""
