"""Whatever is asked in whatever order, the twin answers what a plain model of it says.

A machine makes, reads, lists and deletes every resource of Insight, lets simulated time pass, and
saves and opens the twin again in between. Beside it stands the model: dictionaries of what was
acknowledged. After each step all lists are compared.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

import twin
from tests.api.asking import MISSING, account_of, admin_token, bring_back, ran
from tests.scenarios import scenario
from twin.twin import Twin

QUARTER_MS = 15 * 60 * 1000
HOUR_MS = 4 * QUARTER_MS
START = "10 min"
FILES = {"scan conf": "beep = on\nname = Ä\n", "empty": "", "glove": "led = green\n"}
ASSETS = {"1.9.2": "older firmware", "1.10.0": "newer firmware"}
SCENARIO = scenario(
    {
        "cloud.features": [{"feature": "brew_coffee", "enabled": True}],
        "cloud.device_configs": [{"name": name, "text": text} for name, text in FILES.items()],
        "cloud.assets": [
            {"asset_type": "MARK_FIRMWARE", "version": version, "text": text}
            for version, text in ASSETS.items()
        ],
    },
    before={},
)
LISTS = ("users", "gateways", "job-configs", "device-configs", "devices", "features")
WALKED = ("events", "gateways", "users")
"""What is read page by page, with other steps in between."""

# Few names, so that many are taken; upper and lower case are one email.
EMAILS = st.sampled_from(["a@example.com", "A@Example.com", "b@example.com", "c@example.com"])
NAMES = st.sampled_from(["one", "two", "Three", "three", "vier ä"])
ROLES = st.sampled_from(["USER_ROLE", "ADMIN_ROLE"])
WHICH = st.sampled_from([-1, -1, -2, 0])  # mostly what came last
LIMITS = st.sampled_from([1, 2, 7, 500])


AT_FIRST = account_of(ran(SCENARIO, START))


@dataclass
class Walk:
    """A list on the way from page to page: where it goes on, what was there at first, what came."""

    what: str
    link: str
    at_first: list[str]
    found: list[str] = field(default_factory=list)


class Resources(RuleBasedStateMachine):
    gateways = Bundle("gateways")
    tokens = Bundle("tokens")
    files = Bundle("files")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.saves = 0
        self.t: Twin = ran(SCENARIO, START)
        bring_back(self.t, AT_FIRST)  # faster than to make the users' passwords again
        self.until_ms = {"login": 0}  # until when a token or an address holds
        # The model: answers by id, in the order in which they came.
        self.known: dict[str, dict[str, Any]] = {
            "users": {one["id"]: one for one in self.items("users")},
            "gateways": {one["id"]: one for one in self.items("gateways")},
            "job-configs": {one["job_config_id"]: one for one in self.items("job-configs")},
            "device-configs": {one["id"]: one for one in self.got("device-configs")["configs"]},
        }
        self.ever = {found for known in self.known.values() for found in known}
        self.mine: dict[str, list[str]] = {  # ids, those of what is deleted too
            "users": [MISSING, *list(self.known["users"])[1:]],  # the first is who asks
            "job-configs": [MISSING, *self.known["job-configs"]],
        }
        self.prepared: dict[str, str] = {}  # gateway by token
        self.texts: dict[str, str] = {}  # by address: the same address always has the same text
        self.used: set[str] = set()
        self.events: list[dict[str, Any]] = []
        self.walks: list[Walk] = []
        self.etags = {self.etag()}
        self.changes = dict.fromkeys(self.known, 0)
        self.last = (0, *self.etags)

    def teardown(self) -> None:
        self.folder.cleanup()

    # --- ways to ask ------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        if self.now_ms() >= self.until_ms["login"]:
            self.until_ms["login"] = self.now_ms() + HOUR_MS
            self.token = admin_token(self.t)
        door, headers = self.t.anonymous_insight, {"Authorization": self.token}
        return door.request(method, f"/{self.t.customer_id}/{path}", json=body, headers=headers)

    def got(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def items(self, path: str) -> list[dict[str, Any]]:
        return list(self.got(path)["items"])

    def etag(self) -> str:
        return str(self.ask("GET", "job-configs").headers["etag"])

    def now_ms(self) -> int:
        return (self.t.origin_us + self.t.now_us) // 1000

    def made(
        self, what: str, status: int, body: dict[str, Any], name: str = "id"
    ) -> dict[str, Any]:
        """Make one of a resource, and put it into the model; its id was never there before."""
        answer = self.ask("POST", what, body)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        assert found[name] not in self.ever
        assert found["created"] == found["last_updated"] == self.now_ms()
        self.ever.add(found[name])
        self.known[what][found[name]] = found
        self.changes[what] += 1
        return found

    def refused(self, status: int, method: str, path: str, body: Any = None) -> None:
        answer = self.ask(method, path, body)
        assert (answer.status_code, set(answer.json())) == (status, {"title", "details"})

    def reads(self, what: str, found: str, delete: bool) -> None:
        """Read one of a resource, and once more after it was deleted."""
        answer = self.ask("GET", f"{what}/{found}")
        if found in self.known[what]:
            assert (answer.status_code, answer.json()) == (200, self.known[what][found])
        else:
            assert answer.status_code == 404
        if delete:
            self.deletes(what, found, unknown=404)
            self.reads(what, found, delete=False)

    def deletes(self, what: str, found: str, unknown: int) -> None:
        """Delete one of a resource, or get the status of one that is unknown."""
        there = self.known[what].pop(found, None) is not None
        self.changes[what] += there
        status = 204 if there else unknown
        assert self.ask("DELETE", f"{what}/{found}").status_code == status

    # --- users ------------------------------------------------------------------------------------

    @rule(email=EMAILS, role=ROLES, which=WHICH, delete=st.booleans())
    def users_come_and_go(self, email: str, role: str, which: int, delete: bool) -> None:
        body = {"first_name": "A", "last_name": "Ä", "role": role, "email": email}
        taken = {user["email"].lower() for user in self.known["users"].values()}
        if email.lower() in taken:
            self.refused(409, "POST", "users", body)
        else:
            shown = self.made("users", 200, body)
            assert (shown["email"], shown["roles"]) == (email, [role])
            self.mine["users"].append(shown["id"])
        self.reads("users", self.mine["users"][which], delete)
        me = self.got("me")
        assert me == self.known["users"][me["id"]]
        self.refused(403, "DELETE", f"users/{me['id']}")

    # --- gateways and their certificates ----------------------------------------------------------

    @initialize(target=gateways)
    def gateway_of_the_floor(self) -> str:
        return self.t.roster.gateways[0].id

    @rule(target=gateways, name=NAMES)
    def create_gateway(self, name: str) -> Any:
        body = {"usecase": "Picking", "station": "S", "name": name}
        if name in {gateway["name"] for gateway in self.known["gateways"].values()}:
            self.refused(409, "POST", "gateways", body)
            return multiple()
        return self.made("gateways", 201, body)["id"]

    @rule(target=tokens, gateway_id=gateways)
    def prepare(self, gateway_id: str) -> Any:
        self.refused(404, "POST", f"gateways/{MISSING}/prepare-provisioning")
        path = f"gateways/{gateway_id}/prepare-provisioning"
        if gateway_id in self.prepared.values():
            self.refused(403, "POST", path)
            return multiple()
        answer = self.ask("POST", path)
        assert answer.status_code == 200
        token = answer.json()["token"]
        assert token not in self.prepared
        self.prepared[token] = gateway_id
        self.until_ms[token] = self.now_ms() + QUARTER_MS
        return token

    @rule(token=tokens)
    def provision(self, token: str) -> None:
        self.provision_with(token)

    def provision_with(self, token: str) -> None:
        answer = self.t.anonymous_insight.post("/provisioning", json={"token": token})
        if token in self.used or self.now_ms() >= self.until_ms[token]:
            assert answer.status_code == 403
            return
        assert answer.status_code == 200
        gateway_id = self.prepared[token]
        assert answer.json()["certificate_common_name"] == gateway_id
        shown, before = answer.json()["gateway"], self.known["gateways"][gateway_id]
        if not before["model"]:  # it is installed now, and on the floor
            assert shown["model"]
            assert shown["last_updated"] == self.now_ms()
            assert self.t.roster.gateways[-1].id == gateway_id
            before |= {
                key: shown[key] for key in ("model", "manufacturer", "firmware", "last_updated")
            }
        assert shown == before
        assert gateway_id in {gateway.id for gateway in self.t.roster.gateways}
        self.used.add(token)

    # --- job configurations -----------------------------------------------------------------------

    @rule(name=NAMES, ids=st.lists(gateways, max_size=3), which=WHICH, delete=st.booleans())
    def jobs_come_and_go(self, name: str, ids: list[str], which: int, delete: bool) -> None:
        body = {"job_name": name, "start_barcode": "PICK-", "end_barcode": "DONE-"}
        body["gateway_ids"] = list(dict.fromkeys(ids))
        if name in {job["job_name"] for job in self.known["job-configs"].values()}:
            self.refused(400, "POST", "job-configs", body)
        else:
            self.refused(400, "POST", "job-configs", {**body, "gateway_ids": [*ids, MISSING]})
            shown = self.made("job-configs", 201, body, "job_config_id")
            assert {name: shown[name] for name in body} == body
            self.mine["job-configs"].append(shown["job_config_id"])
        job_id = self.mine["job-configs"][which]
        self.reads("job-configs", job_id, delete)
        body = {"job_config_id": job_id, "start_time": 0, "end_time": self.now_ms()}
        status = 200 if job_id in self.known["job-configs"] else 400
        assert self.ask("POST", "job-analysis", body).status_code == status

    # --- files for scanners -----------------------------------------------------------------------

    @initialize(target=files)
    def files_of_the_scenario(self) -> Any:
        return multiple(MISSING, *self.known["device-configs"])

    @rule(file_id=files, delete=st.booleans())
    def read_file(self, file_id: str, delete: bool) -> None:
        if delete:
            self.deletes("device-configs", file_id, unknown=204)
        answer = self.ask("GET", f"device-configs/{file_id}")
        if file_id in self.known["device-configs"]:
            name = self.known["device-configs"][file_id]["name"]
            assert (answer.status_code, answer.text) == (200, FILES[name])
        else:
            assert answer.status_code == 404

    # --- downloads --------------------------------------------------------------------------------

    @rule(version=st.sampled_from([None, *ASSETS]))
    def ask_for_a_file(self, version: str | None) -> None:
        body = {"eula_version": "1", "asset_type": "MARK_FIRMWARE", "agreed_by": "a@b.c"}
        answer = self.ask("POST", "generate-download-url", {**body, "asset_version": version})
        assert answer.status_code == 200
        address = answer.json()["download_url"]
        self.until_ms[address] = self.now_ms() + QUARTER_MS
        self.texts[address] = ASSETS[version or "1.10.0"]
        self.load_from(address)

    def load_from(self, address: str) -> None:
        answer = self.t.anonymous_insight.get(address)
        if self.now_ms() < self.until_ms[address]:
            assert (answer.status_code, answer.text) == (200, self.texts[address])
        else:
            assert answer.status_code == 403

    # --- lists page by page -----------------------------------------------------------------------

    @rule(what=st.sampled_from(WALKED), limit=LIMITS)
    def begin_to_read(self, what: str, limit: int) -> None:
        at_first = [item["id"] for item in self.everything(what)]
        limit = min(500, 20 * limit) if what == "events" else limit  # there are many events
        walk = Walk(what, f"{what}?limit={limit}", at_first)
        self.walks.append(walk)
        self.turn(walk)

    @precondition(lambda self: self.walks)
    @rule(data=st.data(), pages=st.sampled_from([1, 2, 100]))
    def read_on_while_time_passes(self, data: st.DataObject, pages: int) -> None:
        walk = data.draw(st.sampled_from(self.walks))
        self.t.run("1 min", progress=False)
        for _ in range(pages):
            if walk.link:
                self.turn(walk)

    def turn(self, walk: Walk) -> None:
        """Read one page; nothing comes twice, and nothing is left out that stayed all the time."""
        body = self.got(walk.link)
        walk.found += [item["id"] for item in body["items"]]
        walk.link = self.next_of(body)
        if walk.link:
            return
        self.walks.remove(walk)
        assert len(set(walk.found)) == len(walk.found)
        if walk.what == "events":
            assert walk.found == walk.at_first
        else:
            stayed = [found for found in walk.at_first if found in self.known[walk.what]]
            assert [found for found in walk.found if found in set(stayed)] == stayed

    def next_of(self, body: dict[str, Any]) -> str:
        """Return where the next page is, nothing after the last."""
        return str(body["links"].get("next", "")).removeprefix("/")

    def everything(self, what: str) -> list[dict[str, Any]]:
        """Return a whole list, in as few pages as there are."""
        path, found = what, []
        while path:
            body = self.got(path)
            assert body["metadata"]["size"] == len(body["items"])
            found += body["items"]
            path = self.next_of(body)
        return found

    @rule(limit=LIMITS)
    def what_was_listed_stays(self, limit: int) -> None:
        found = self.everything(f"devices?limit={limit}")
        assert [one["id"] for one in found] == [one.serial for one in self.t.roster.scanners]
        assert found == self.items("devices")
        found = self.everything("events")
        assert found[: len(self.events)] == self.events
        assert len({event["id"] for event in found}) == len(found)
        self.events = found

    # --- time, and other twins --------------------------------------------------------------------

    @rule(duration=st.sampled_from(["7 min", "8 min", "15 min"]))
    def time_passes(self, duration: str) -> None:
        self.t.run(duration, progress=False)
        for token in self.prepared:
            if self.now_ms() >= self.until_ms[token]:
                self.provision_with(token)
        for address in self.texts:
            self.load_from(address)

    @precondition(lambda self: self.saves < 3)  # each takes as long as twenty other steps
    @rule()
    def saved_and_opened_again(self) -> None:
        before = [self.got(path) for path in LISTS], self.everything("events"), self.etag()
        self.saves += 1
        path = self.t.save(Path(self.folder.name) / f"{self.saves}.sqlite")
        self.t = twin.open(path)
        after = [self.got(path) for path in LISTS], self.everything("events"), self.etag()
        assert before == after

    # --- what always holds ------------------------------------------------------------------------

    @invariant()
    def lists_are_those_of_the_model(self) -> None:
        for what in ("users", "gateways", "job-configs"):
            assert self.items(what) == list(self.known[what].values())
        files = self.got("device-configs")["configs"]
        assert files == list(self.known["device-configs"].values())

    @invariant()
    def the_etag_changes_exactly_with_the_list(self) -> None:
        changes, etag = self.changes["job-configs"], self.etag()
        if changes == self.last[0]:
            assert etag == self.last[1]
        else:
            assert etag not in self.etags
        self.etags.add(etag)
        self.last = changes, etag


TestResources = Resources.TestCase
TestResources.settings = settings(
    derandomize=True, deadline=None, database=None, max_examples=90, stateful_step_count=25
)
