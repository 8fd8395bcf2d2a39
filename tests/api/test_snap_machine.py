"""Whatever is asked of SNAP Thing Services in whatever order, it answers what a plain model says.

A machine makes, changes and deletes every resource, lets simulated time pass, and saves and opens
the twin again in between. Beside it stands the model: dictionaries of what was acknowledged. After
each step all lists are compared.
"""

import tempfile
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import twin
from tests.api.asking import Reply, account_of, ask_snap, bring_back
from tests.api.snap_site import FAR, got, snap_site
from twin.mesh.images import make_image
from twin.twin import Twin

START = snap_site(devices=[])
AT_FIRST = account_of(START)
LICENCE = START.make_licence("Model", "2027-01-31")
NODES = [node.address.lower() for node in START.network.nodes if not node.is_bridge]
BRIDGE = next(node.address.lower() for node in START.network.nodes if node.is_bridge)

# Few names, so that many are taken.
KINDS = st.sampled_from(["Deck1", "Sensor", "Lamp", "Door"])
SOME = st.sampled_from([*NODES[:2], *NODES[-3:], BRIDGE, FAR, "fffffd", "fffffc"])
TEXTS = st.sampled_from(["one", "Zwei ä"])
WHICH = st.sampled_from([-1, -2, 0])  # mostly what came last
GROUPS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 4), max_size=2, unique=True),
        st.sampled_from(["", "image", "firmware"]),
    ),
    max_size=2,
)
"""Devices by their place among those that there are, and what they are to run."""
THEN = st.sampled_from(["", "change", "delete"])
"""What follows in the same rule: of rules by themselves hypothesis leaves out many in a run."""
GONE = "00000000-0000-4000-8000-000000000000"


@dataclass
class Task:
    """What takes long: where it is asked for, what it is, and whose devices it is about."""

    path: str
    kind: str
    addresses: list[str] = field(default_factory=list)
    results: str = ""


class Things(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.saves = 0
        self.t: Twin = twin.open(START.scenario)
        bring_back(self.t, AT_FIRST)  # faster than to make the users' passwords again
        # The model: what was shown, by id, in the order in which it came.
        self.types = {one["id"]: one["description"] for one in self.listed("deviceTypes")}
        self.devices = {one["id"]: facts(one) for one in self.listed("devices")}
        self.images = {one["id"]: one for one in self.listed("images")}
        self.collectors: dict[str, dict[str, Any]] = {}
        self.configurations: dict[str, list[dict[str, Any]]] = {}
        self.topologies: list[str] = []
        self.tasks: list[Task] = []
        self.batches: dict[str, list[int]] = {}
        self.is_licensed = False
        self.ever = {"devices": 0, "deviceTypes": max(self.types)}

    def teardown(self) -> None:
        self.folder.cleanup()

    def ask(self, method: str, path: str, body: Any = None) -> Reply:
        return ask_snap(self.t, method, f"/{path}", body)

    def listed(self, path: str) -> Any:
        return got(self.t, f"/{path}")

    def numbered(self, what: str, reply: Reply) -> int:
        """Return the number of what was made: one that nothing had before."""
        assert reply.status == 201, reply.body
        assert reply.headers["location"] == reply.body["data"]["href"]
        found: int = reply.body["data"]["id"]
        assert found > self.ever[what]
        self.ever[what] = found
        return found

    # --- types ------------------------------------------------------------------------------------

    @rule(kind=KINDS, other=KINDS, which=WHICH, then=THEN)
    def types_come_and_go(self, kind: str, other: str, which: int, then: str) -> None:
        self.make_type(kind)
        if then:
            self.change_type(other, which, then == "delete")

    def make_type(self, kind: str) -> None:
        reply = self.ask("POST", "deviceTypes", {"description": kind})
        if kind in self.types.values():
            assert reply.status == 409
        else:
            self.types[self.numbered("deviceTypes", reply)] = kind

    def change_type(self, kind: str, which: int, delete: bool) -> None:
        number = chosen([0, *self.types], which)
        old = self.types.get(number)
        if delete:
            status = self.ask("DELETE", f"deviceTypes/{number}").status
            assert status == (404 if old is None else 204)
            self.types.pop(number, None)
            return
        status = self.ask("PUT", f"deviceTypes/{number}", {"description": kind}).status
        if old is None:
            assert status == 404
        elif kind != old and kind in self.types.values():
            assert status == 409
        else:
            assert status == 200
            self.types[number] = kind
            for device in self.devices.values():
                device["deviceType"] = kind if device["deviceType"] == old else device["deviceType"]
            for collector in self.collectors.values():
                collector["deviceTypes"] = [
                    kind if name == old else name for name in collector["deviceTypes"]
                ]

    # --- devices ----------------------------------------------------------------------------------

    def status_of(self, new: list[dict[str, str]], but: int = 0) -> int:
        """Return how it is refused that there be these devices, 0 where it is not."""
        if any(one["deviceType"] not in self.types.values() for one in new):
            return 404
        there = [one["addr"] for n, one in self.devices.items() if n != but]
        given = [one["addr"] for one in new]
        return 409 if len({*there, *given}) < len(there) + len(given) else 0

    @rule(addr=SOME, other=SOME, kind=KINDS, text=TEXTS, which=WHICH, then=THEN)
    def devices_come_and_go(
        self, addr: str, other: str, kind: str, text: str, which: int, then: str
    ) -> None:
        self.make_device(addr, kind, text)
        if then:
            self.change_device(other, kind, text, which, then == "delete")

    def make_device(self, addr: str, kind: str, text: str) -> None:
        new = device(addr, kind, text)
        reply = self.ask("POST", "devices", new)
        refused = self.status_of([new])
        if refused:
            assert reply.status == refused
        else:
            self.devices[self.numbered("devices", reply)] = new

    @rule(some=st.lists(st.tuples(SOME, KINDS), max_size=3), text=TEXTS)
    def make_batch(self, some: list[tuple[str, str]], text: str) -> None:
        new = [device(addr, kind, text) for addr, kind in some]
        reply = self.ask("POST", "devices/batches", {"devices": new})
        refused = self.status_of(new)
        if refused:  # all or nothing: the lists are compared after this
            assert reply.status == refused
            return
        assert reply.status == 201
        made = reply.body["data"]["devices"]
        assert [facts(one) for one in made] == new
        self.devices |= {one["id"]: facts(one) for one in made}
        self.ever["devices"] = max(self.ever["devices"], 0, *[one["id"] for one in made])
        path = reply.headers["location"].rpartition("/api/v1/")[2]
        assert path not in self.batches
        self.batches[path] = [one["id"] for one in made]

    def change_device(self, addr: str, kind: str, text: str, which: int, delete: bool) -> None:
        number = chosen([0, *self.devices], which)
        there = number in self.devices
        if delete:
            assert self.ask("DELETE", f"devices/{number}").status == (204 if there else 404)
            self.devices.pop(number, None)
            return
        new = device(addr, kind, text)
        reply = self.ask("PUT", f"devices/{number}", new)
        refused = self.status_of([new], number) if there else 404
        assert reply.status == (refused or 200)
        if not refused:
            self.devices[number] = new

    # --- images -----------------------------------------------------------------------------------

    @rule(name=st.sampled_from(["blink", "wink"]), size=st.sampled_from([64, 690]))
    def upload(self, name: str, size: int) -> None:
        content = b64encode(make_image(name, size)).decode()
        reply = self.ask("POST", "images", {"content": content})
        data = reply.body["data"]
        assert (reply.status, data["name"], data["size"]) == (201, name, size)
        assert data["id"] not in self.images
        self.images[data["id"]] = data

    @rule(which=WHICH, all_of_them=st.booleans())
    def delete_images(self, which: int, all_of_them: bool) -> None:
        found = chosen([GONE, *self.images], which)
        if all_of_them:
            assert self.ask("DELETE", "images").status == 204
            self.images.clear()
            return
        there = self.images.pop(found, None)
        assert self.ask("DELETE", f"images/{found}").status == (204 if there else 404)
        assert self.ask("GET", f"images/{found}").status == 404

    # --- collectors and licence -------------------------------------------------------------------

    @rule(name=TEXTS, kinds=st.lists(KINDS, max_size=2, unique=True), delete=st.booleans())
    def collectors_come_and_go(self, name: str, kinds: list[str], delete: bool) -> None:
        body = {"name": name, "deviceTypes": kinds, "pollInterval": 20, "queryFunction": "data"}
        there = name in self.collectors
        if delete:
            assert self.ask("DELETE", f"dc/{name}").status == (204 if there else 404)
            self.collectors.pop(name, None)
        elif not set(kinds) <= set(self.types.values()):
            assert self.ask("POST", "dc", body).status == (409 if there else 400)
        else:
            assert self.ask("POST", "dc", body).status == (409 if there else 201)
            changed = {**body, "pollInterval": 30}
            assert self.ask("PUT", f"dc/{name}/config", changed).status == 200
            self.collectors[name] = changed

    def license(self, apply: bool) -> None:
        if apply:
            assert self.ask("PUT", "license", {"license": LICENCE}).status == 200
        else:
            assert self.ask("DELETE", "license").status == 204
        self.is_licensed = apply

    # --- configurations, updates, topologies ------------------------------------------------------

    @rule(groups=GROUPS, addr=SOME, at_once=st.booleans(), apply=st.booleans())
    def configure(
        self, groups: list[tuple[list[int], str]], addr: str, at_once: bool, apply: bool
    ) -> None:
        self.make_device(addr, next(iter(self.types.values()), "None"), "of an update")
        self.license(apply)
        known = [*(one["addr"] for one in self.devices.values()), "fffff0"]
        image = {"href": f"/api/v1/images/{[GONE, *self.images][-1]}"}
        firmware = {"href": "/api/v1/firmware/2.8.2"}
        what = {"": {}, "image": {"image": image}, "firmware": {"firmware": firmware}}
        given = [
            {"configuration": what[kind], "devices": sorted({known[n % len(known)] for n in some})}
            for some, kind in groups
        ]
        reply = self.ask("POST", "networkConfigurations", {"deviceGroupConfigurations": given})
        assert reply.status == 201
        assert reply.body["data"]["id"] not in self.configurations
        self.configurations[reply.body["data"]["id"]] = given
        if at_once:
            self.begin_update(reply.body["data"]["id"])

    @rule(which=WHICH)
    def update(self, which: int) -> None:
        self.begin_update(chosen([GONE, *self.configurations], which))

    def begin_update(self, found: str) -> None:
        """Ask for an update with a configuration."""
        href = f"https://a.gateway/api/v1/networkConfigurations/{found}"
        groups = self.configurations.get(found)
        expected = self.expected(groups)
        reply = self.ask("POST", "networkConfigurationUpdates", {"href": href})
        assert reply.status == expected, reply.body
        if reply.status == 202 and groups is not None:
            addresses = [addr for group in groups for addr in group["devices"]]
            path = reply.headers["location"].rpartition("/api/v1/")[2]
            self.tasks.append(Task(path, "networkConfigurationUpdates", addresses))

    def expected(self, groups: list[dict[str, Any]] | None) -> int:
        """Return the status of an update of these groups."""
        if groups is None:
            return 404
        some = [addr for group in groups for addr in group["devices"]]
        known = {one["addr"] for one in self.devices.values()} - {BRIDGE} - self.upgrading()
        images = {f"/api/v1/images/{found}" for found in self.images}
        wanted = {group["configuration"].get("image", {}).get("href") for group in groups} - {None}
        if len(set(some)) < len(some) or not set(some) <= known or not wanted <= images:
            return 400
        return 202 if self.is_licensed or len(some) < 2 else 403

    def upgrading(self) -> set[str]:
        return {one["addr"] for one in self.listed("devices") if one["upgrading"]}

    @rule()
    def survey(self) -> None:
        reply = self.ask("POST", "topologies")
        assert reply.status == 202
        path = reply.headers["location"].rpartition("/api/v1/")[2]
        self.tasks.append(Task(path, "topologies"))

    @rule(which=WHICH, all_of_them=st.booleans())
    def delete_topologies(self, which: int, all_of_them: bool) -> None:
        if all_of_them:
            assert self.ask("DELETE", "topologies").status == 204
            self.topologies.clear()
            return
        found = chosen([GONE, *self.topologies], which)
        there = found in self.topologies
        assert self.ask("DELETE", f"topologies/{found}").status == (204 if there else 404)
        self.topologies = [one for one in self.topologies if one != found]

    # --- time, and other twins --------------------------------------------------------------------

    @rule(duration=st.sampled_from(["1 s", "25 s", "5 min"]))
    def time_passes(self, duration: str) -> None:
        self.t.run(duration, progress=False)

    @precondition(lambda self: self.saves < 2)
    @rule()
    def saved_and_opened_again(self) -> None:
        self.saves += 1
        path = self.t.save(Path(self.folder.name) / f"{self.saves}.sqlite")
        shown = [self.listed(one) for one in ("devices", "topologies", "licenseCapabilities")]
        self.t = twin.open(path)
        again = [self.listed(one) for one in ("devices", "topologies", "licenseCapabilities")]
        assert again == shown

    # --- what always holds ------------------------------------------------------------------------

    @invariant()
    def it_answers_as_the_model_does(self) -> None:
        self.check_tasks()  # first: what is over makes a topology
        self.check_lists()

    def check_tasks(self) -> None:
        """Check that tasks lead to results, once they are over."""
        for task in self.tasks:
            reply = self.ask("GET", task.path)
            if reply.status == 303:
                where = reply.headers["location"].rpartition("/api/v1/")[2]
                assert where.startswith(task.kind)
                if not task.results and task.kind == "topologies":
                    self.topologies.append(where.rpartition("/")[2])
                task.results = where
            assert reply.status == (303 if task.results else 200)
            if task.kind != "topologies" and task.results:
                data = self.listed(task.results)
                for kind in ("firmware_results", "image_results"):
                    assert [one["address"] for one in data[kind]] == task.addresses

    def check_lists(self) -> None:
        """Check that lists are those of the model."""
        shown = self.listed("devices")
        assert {one["id"]: facts(one) for one in shown} == self.devices
        assert all(one["image"] == one["firmware"] == {"href": "Unknown"}
                   for one in shown if one["addr"] not in {*NODES, BRIDGE})  # fmt: skip
        running = {addr for task in self.tasks if not task.results for addr in task.addresses}
        assert {one["addr"] for one in shown if one["upgrading"]} <= running
        types = {one["id"]: one["description"] for one in self.listed("deviceTypes")}
        assert types == self.types
        assert self.listed("images") == list(self.images.values())
        found = {one["name"]: one for one in self.listed("dc")}
        assert {name: {key: one[key] for key in self.collectors[name]}
                for name, one in found.items()} == self.collectors  # fmt: skip
        assert [(one["id"], one["deviceGroupConfigurations"])
                for one in self.listed("networkConfigurations")
                ] == list(self.configurations.items())  # fmt: skip
        assert sorted(one["id"] for one in self.listed("topologies")) == sorted(self.topologies)
        assert self.listed("licenseCapabilities")["siteDirector"] == self.is_licensed
        for path, ids in self.batches.items():
            kept = [number for number in ids if number in self.devices]
            assert [one["id"] for one in self.listed(path)["devices"]] == kept


T = TypeVar("T")


def chosen(some: list[T], which: int) -> T:
    """Return one of a list, its first where there is none so far from the end."""
    return some[max(which, -len(some))]


def device(addr: str, kind: str, text: str) -> dict[str, str]:
    return {"addr": addr, "deviceType": kind, "description": text, "platform": "RF200"}


def facts(shown: dict[str, Any]) -> dict[str, str]:
    """Return what a device was told to be."""
    return {key: shown[key] for key in ("addr", "deviceType", "description", "platform")}


TestThings = Things.TestCase
TestThings.settings = settings(
    derandomize=True, deadline=None, database=None, max_examples=60, stateful_step_count=30
)
