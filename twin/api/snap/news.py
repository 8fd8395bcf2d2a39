"""News: what happens to devices, tasks, data collectors and upgrades, for who listens.

The document has two sockets and does not say what they carry. Here each message is a JSON object
with ``kind``, ``event``, ``time`` (ISO 8601, UTC, simulated) and ``data``:

- device: created, updated, deleted, upgrading, upgraded, not upgraded; the device as
  ``GET /devices/{id}`` shows it, when it is told.
- task: started, complete; ``id`` and ``href``, and ``location`` of the results.
- collector: polled; ``name``, how many ``devices`` were asked, ``answered`` and ``failed``.
- upgrade: started, result, done; the number of the ``upgrade``, and of each device ``addr``,
  ``outcome`` and ``reason``.

Nothing is looked for while nobody listens. What happened up to a moment is told in the order of its
moments, however long the steps are in which time passes.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from twin.api.host import Host
from twin.api.http import Call, Request
from twin.api.snap.seen import Seen, is_done, is_under_way, reference
from twin.errors import RunError
from twin.events import NEVER
from twin.store.things import Device
from twin.world.clock import iso_utc
from twin.world.hosts.upgrade import Upgrade

__all__ = ["KINDS", "News", "Newsroom", "Subscription"]

KINDS = ("device", "task", "collector", "upgrade")
"""What can be listened to."""


class News(NamedTuple):
    """Something that happened at a moment [us]."""

    time_us: int
    kind: str
    event: str
    data: dict[str, Any]


class _Listener(Protocol):
    """Who is told."""

    def __call__(self, told: dict[str, Any]) -> None:
        """Take a message."""


class Subscription:
    """What was told of some kinds since it began, until it is closed."""

    def __init__(self, close: Callable[["Subscription"], None], kinds: frozenset[str]) -> None:
        """Begin with nothing."""
        self._close, self.kinds = close, kinds
        self._waiting: list[dict[str, Any]] = []

    def __call__(self, told: dict[str, Any]) -> None:
        """Keep a message until somebody takes it."""
        self._waiting.append(told)

    def take(self) -> list[dict[str, Any]]:
        """Return the messages that nobody took yet, the oldest first."""
        taken, self._waiting = self._waiting, []
        return taken

    def close(self) -> None:
        """Listen no more."""
        self._close(self)


class Newsroom:
    """Finds what is new of a twin, and tells who listens."""

    def __init__(self, host: Host) -> None:
        """Listen for nobody yet."""
        self._host = host
        self._listeners: list[tuple[frozenset[str], _Listener]] = []
        self._call = Call(host, Request("GET", "/"), {})

    def move(self, url: str) -> None:
        """Let addresses in messages begin with that of a service that is served."""
        scheme, _, host = url.partition("://")
        self._call.request = Request("GET", "/", headers={"host": host}, scheme=scheme)

    def subscribe(self, kinds: tuple[str, ...]) -> Subscription:
        """Return a subscription to some kinds, all by default; raises RunError."""
        for kind in kinds:
            if kind not in KINDS:
                raise RunError(f"no kind of news is called {kind!r}; there are {', '.join(KINDS)}")
        found = Subscription(self._forget, frozenset(kinds or KINDS))
        self.listen(found, found.kinds)
        return found

    def listen(self, listener: _Listener, kinds: frozenset[str] = frozenset(KINDS)) -> None:
        """Tell a listener of some kinds from now on."""
        if not self._listeners:
            self._begin()
        self._listeners.append((kinds, listener))

    def _forget(self, listener: _Listener) -> None:
        """Tell a listener nothing more."""
        self._listeners = [one for one in self._listeners if one[1] is not listener]

    def look(self) -> None:
        """Find what is new, and tell it."""
        if not self._listeners:
            return
        tasks = list(self._tasks())
        started = [news for news in tasks if news.event == "started"]
        complete = [news for news in tasks if news.event != "started"]
        found = [*self._devices(), *started, *self._polls(), *self._upgrades(), *complete]
        found.sort(key=lambda news: news.time_us)  # of one moment as they stand here
        for news in found:
            told = {
                "kind": news.kind,
                "event": news.event,
                "time": iso_utc(self._host.origin_us + news.time_us),
                "data": news.data,
            }
            for kinds, listener in tuple(self._listeners):
                if news.kind in kinds:
                    listener(told)

    def _begin(self) -> None:
        """Remember how things are: what is so already is no news."""
        self._known = {device.id: device for device in self._host.things.devices()}
        self._started: set[str] = set()
        self._complete: set[str] = set()
        self._told_polls: list[int] = []
        self._told_of: list[set[str]] = []  # of each upgrade: what, and of which devices
        for _ in (*self._tasks(), *self._polls(), *self._upgrades()):
            pass

    # --- devices --------------------------------------------------------------------------------

    def _devices(self) -> Iterator[News]:
        """Yield devices that came, changed or went."""
        now_us, seen = self._host.now_us, Seen(self._call)
        there = {device.id: device for device in self._host.things.devices()}
        for found in self._known.keys() - there.keys():
            gone = self._known[found]
            yield News(now_us, "device", "deleted", {"id": gone.id, "addr": gone.addr})
        for found, device in there.items():
            if self._known.get(found) != device:
                event = "updated" if found in self._known else "created"
                yield News(now_us, "device", event, seen.device(device))
        self._known = there

    # --- tasks ----------------------------------------------------------------------------------

    def _tasks(self) -> Iterator[News]:
        """Yield tasks that were begun, or are over."""
        jobs, things = self._host.network.jobs, self._host.things
        for update in things.updates():
            mine = [jobs.upgrades[one.upgrade] for one in update.groups if one.upgrade >= 0]
            ended_us = self._host.now_us
            if is_done(self._host, update):
                ended_us = max((one.ended_us for one in mine), default=ended_us)
            over = is_done(self._host, update)
            place = reference(self._call, "networkConfigurationUpdates", update.id)
            yield from self._task(update.task_id, place, ended_us if over else None)
        for topology in things.topologies():
            survey_us = jobs.surveys[topology.survey].ended_us
            place = reference(self._call, "topologies", topology.id)
            yield from self._task(
                topology.task_id, place, None if survey_us == NEVER else survey_us
            )

    def _task(self, task_id: str, location: str, ended_us: int | None) -> Iterator[News]:
        """Yield what is new of a task."""
        data = {"id": task_id, "href": reference(self._call, "tasks", task_id)}
        if task_id not in self._started:
            self._started.add(task_id)
            yield News(self._host.now_us, "task", "started", data)
        if ended_us is not None and task_id not in self._complete:
            self._complete.add(task_id)
            yield News(ended_us, "task", "complete", data | {"location": location})

    # --- data collectors ------------------------------------------------------------------------

    def _polls(self) -> Iterator[News]:
        """Yield polls that are over."""
        collectors = self._host.network.jobs.collectors
        self._told_polls += [0] * (len(collectors) - len(self._told_polls))
        for place, collector in enumerate(collectors):
            for poll in collector.polls[self._told_polls[place] :]:
                if poll.ended_us == NEVER:
                    break
                self._told_polls[place] += 1
                answered, failed = len(poll.answered_us), len(poll.failed)
                yield News(poll.ended_us, "collector", "polled", {
                    "name": collector.name, "devices": answered + failed,
                    "answered": answered, "failed": failed,
                })  # fmt: skip

    # --- upgrades -------------------------------------------------------------------------------

    def _upgrades(self) -> Iterator[News]:
        """Yield upgrades that began, devices of which it is known what became, and their ends."""
        seen = Seen(self._call)
        devices = {device.addr: device for device in self._host.things.devices()}
        for number, upgrade in enumerate(self._host.network.jobs.upgrades):
            if number == len(self._told_of):
                self._told_of.append(set())
            told = self._told_of[number]
            is_of_now = is_under_way(upgrade, self._host.now_us) or upgrade.ended_us != NEVER
            if "done" not in told and is_of_now:
                yield from self._upgrade(number, upgrade, seen, devices)

    def _upgrade(
        self, number: int, upgrade: Upgrade, seen: Seen, devices: dict[str, Device]
    ) -> Iterator[News]:
        """Yield what is new of an upgrade, and of its devices that the service knows."""
        told, now_us = self._told_of[number], self._host.now_us
        # Not begun: it waits for another one, and was asked for now.
        began_us = now_us if upgrade.began_us == NEVER else upgrade.began_us
        addresses = {n: self._host.network.nodes[n].address.lower() for n in upgrade.records}
        if "waiting" not in told:
            told.add("waiting")
            for addr in sorted(set(addresses.values()) & devices.keys()):
                yield News(began_us, "device", "upgrading", seen.device(devices[addr]))
        if upgrade.began_us != NEVER and "started" not in told:
            told.add("started")
            data = {"upgrade": number, "devices": len(upgrade.records)}
            yield News(began_us, "upgrade", "started", data)
        for node, record in upgrade.records.items():
            addr = addresses[node]
            if record.outcome == "pending" or addr in told:
                continue
            told.add(addr)
            moment_us = record.done_us if record.done_us >= 0 else now_us
            yield News(moment_us, "upgrade", "result", {
                "upgrade": number, "addr": addr, "outcome": record.outcome,
                "reason": record.reason,
            })  # fmt: skip
            if addr in devices:
                event = "upgraded" if record.outcome == "success" else "not upgraded"
                yield News(moment_us, "device", event, seen.device(devices[addr]))
        if upgrade.ended_us != NEVER:
            told.add("done")
            outcomes = [record.outcome for record in upgrade.records.values()]
            well = outcomes.count("success")
            data = {"upgrade": number, "succeeded": well, "failed": len(outcomes) - well}
            yield News(upgrade.ended_us, "upgrade", "done", data)
