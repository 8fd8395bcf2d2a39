"""The compiled engine of the mesh: takes what is due first, lets the rules decide, writes rows."""

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.arrays import zeros
from twin.compiling import rule, settled
from twin.events import MESH_EVENT, NEVER, Answer, Cause
from twin.mesh.compiled.frames import drop, own_wait_us, plan_node, wait
from twin.mesh.compiled.kernel import ROWS_MORE, ROWS_OF_A_LINK, run
from twin.mesh.compiled.messages import add_wish, fill_below, fill_exponents
from twin.mesh.compiled.rewire import rewire
from twin.mesh.compiled.state import NOTHING, OFF, SENDS, Mesh, build_mesh, placed_mesh
from twin.mesh.plan import FACTS, MESSAGE, USE, WISH, MeshPlan
from twin.mesh.rules.mac import multicast_bytes
from twin.mesh.rules.radio import hour_of

KEPT_CHUNK_ROWS = 1 << 18
"""Rows of a chunk that is kept: 8 MiB."""
PASSING_CHUNK_ROWS = 1 << 13
"""Rows of the chunk that is used again and again: it stays in the second cache."""
_HOUR_US = 3_600_000_000
_LENGTHS = itemgetter(*(
    list(WISH.names or ()).index(name)
    for name in ("payload_bytes", "reply_bytes", "first_to", "end_to", "target", "answer")
))  # fmt: skip
_MORE_MESSAGES = 2
"""How many messages a step makes beside one for each receiver: who asks or tells of a route."""
_NO_CAUSE = int(Cause.NONE)
_NOT_FORWARDED, _FULL = int(Cause.NOT_FORWARDED), int(Cause.BUFFER_FULL)
_OFF = int(Cause.SWITCHED_OFF)


class CompiledMesh:
    """The mesh as arrays; same rows as ``ReferenceMesh``, byte for byte."""

    def __init__(self, plan: MeshPlan, *, keeps_rows: bool = True) -> None:
        """Build a mesh on which nobody sends yet.

        Parameters
        ----------
        plan
            Nodes and links as numbers.
        keeps_rows
            Whether chunks stay valid; else each is overwritten after the next one is asked for.
        """
        self._plan = plan
        self._mesh = build_mesh(plan)
        self._numbers = np.append(self._mesh.mouths["number"], NOTHING)  # the last for nobody
        self._hour = 0
        self._shares = np.zeros(plan.nodes)  # that others in the band take at each place
        self._exponents: NDArray[np.float64] | None = None  # of each link now
        self._lengths: dict[int, int] = {}  # which row of ``below`` is for frames of so many bytes
        self._room = plan.most_links
        rows = KEPT_CHUNK_ROWS if keeps_rows else PASSING_CHUNK_ROWS
        self._chunk_rows = max(rows, ROWS_OF_A_LINK * self._room + ROWS_MORE)
        self._keeps_rows = keeps_rows
        self._chunk = np.empty(self._chunk_rows, MESH_EVENT)
        self._used = self._yielded = 0
        self._prepared: set[tuple[int, ...]] = set()  # sizes whose lengths are known
        self._begin: Callable[..., int] | None = None
        self.halted_us = NEVER
        self._run = settled(run, self._mesh, 0, self._room, self._chunk, 0)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state between two advances: of the chunk what was not yielded yet."""
        fresh = self._chunk[self._yielded : self._used].copy()
        return self.__dict__ | {"_chunk": fresh, "_exponents": None, "_run": None, "_begin": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on from there, arrays in memory as the kernel likes them."""
        self.__dict__.update(state)
        fresh = state["_chunk"]
        self._chunk = np.empty(max(self._chunk_rows, len(fresh)), MESH_EVENT)
        self._chunk[: len(fresh)] = fresh
        self._used, self._yielded = len(fresh), 0
        self._mesh = placed_mesh(self._mesh)
        self._run = settled(run, self._mesh, 0, self._room, self._chunk, 0)

    def offer(self, wishes: NDArray[np.void], to: NDArray[np.int32], now_us: int) -> None:
        """Say something now.

        Parameters
        ----------
        wishes
            Array of ``WISH`` rows.
        to
            The nodes to which directed multicasts go, one list behind the other.
        now_us
            The moment, no earlier than any up to which the mesh was advanced [us].
        """
        self._grow(len(wishes), len(to))
        self._make_room(len(wishes))
        hour = now_us // _HOUR_US
        if hour != self._hour:
            self._begin_hour(hour)
        for wish in wishes.tolist():
            self._know_lengths(*_LENGTHS(wish))
        arguments = self._mesh, wishes, to, now_us, self._chunk, self._used
        if self._begin is None:
            self._begin = settled(begin, *arguments)
        self._used = self._begin(*arguments)

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment that were not yielded yet, in order, as chunks.

        It ends early, at ``halted_us``, where a host has to be asked what it does next.
        """
        while True:
            self._grow(self._room + _MORE_MESSAGES, self._room)
            self._make_room(ROWS_OF_A_LINK * self._room + ROWS_MORE)
            hour_ends_us = (self._hour + 1) * _HOUR_US
            self._used = self._run(
                self._mesh, min(until_us, hour_ends_us), self._room, self._chunk, self._used
            )
            self.halted_us, next_us = self._mesh.turn.tolist()
            if self._used > self._yielded:
                yield self._chunk[self._yielded : self._used]
                self._yielded = self._used
            if next_us >= until_us or self.halted_us != NEVER:
                break
            if next_us >= hour_ends_us:
                self._begin_hour(hour_of(next_us))
        self._mesh.turn[0] = NEVER

    def disturb(self, shares: NDArray[np.float64]) -> None:
        """Let others in the band take a share of the frames that begin from now on.

        Parameters
        ----------
        shares
            Of frames of the reference length at -88 dBm at each node, shape (nodes,) [1].
        """
        placed = shares[self._mesh.mouths["number"]]
        if not np.array_equal(placed, self._shares):
            self._shares = placed
            self._begin_hour(self._hour)

    def rewire(self, plan: MeshPlan, nodes: NDArray[np.int64]) -> None:
        """Let nodes be in other networks from now on.

        Parameters
        ----------
        plan
            The same nodes with the links that there are now.
        nodes
            Those that moved: who followed a frame of theirs has lost it.
        """
        self._plan, self._room = plan, plan.most_links
        self._mesh = rewire(self._mesh, plan, nodes)
        self._exponents = None
        lengths, self._lengths = list(self._lengths), {}
        for length in lengths:
            self._know_length(length)

    @property
    def next_us(self) -> int:
        """When something happens next, NEVER for not at all [us]."""
        key = int(self._mesh.tree[1])
        return key if key == NEVER else key >> (self._mesh.bits + 1)

    def _make_room(self, rows: int) -> None:
        """Begin a new chunk where fewer rows than these are left."""
        if self._used + rows > len(self._chunk):
            fresh = self._chunk[self._yielded : self._used]  # rows of an offer, not yielded yet
            needed = max(self._chunk_rows, len(fresh) + rows)
            if self._keeps_rows or needed > len(self._chunk):
                self._chunk = np.empty(needed, MESH_EVENT)
            self._chunk[: len(fresh)] = fresh.copy()
            self._used, self._yielded = len(fresh), 0

    def _grow(self, messages: int, addressees: int) -> None:
        """Make room for some messages and addressees more."""
        mesh = self._mesh
        used = mesh.used.tolist()
        if used[0] + messages > len(mesh.messages):
            more = np.zeros(len(mesh.messages) + messages, MESSAGE)
            self._mesh = mesh = mesh._replace(messages=np.concatenate([mesh.messages, more]))
        if used[1] + addressees > len(mesh.to):
            more_to = np.zeros(len(mesh.to) + addressees, np.int32)
            self._mesh = mesh._replace(to=np.concatenate([mesh.to, more_to]))

    def _know_lengths(
        self, payload_bytes: int, reply_bytes: int, first_to: int, end_to: int, target: int,
        answer: int,
    ) -> None:  # fmt: skip
        """Prepare for frames as long as a message, its answers, and all that routes need."""
        known = payload_bytes, reply_bytes, end_to - first_to, target >= 0, answer
        if known in self._prepared:
            return
        self._prepared.add(known)
        mac, routing = self._plan.mac[0], self._plan.routing[0]
        overhead_bytes = int(mac["overhead_bytes"])
        unicast_overhead_bytes = int(mac["unicast_overhead_bytes"])
        is_unicast = target >= 0
        answers_by_unicast = reply_bytes > 0 and (is_unicast or answer != Answer.IN_KIND)
        lengths = [
            payload_bytes + unicast_overhead_bytes if is_unicast
            else multicast_bytes(payload_bytes, end_to - first_to, overhead_bytes)
        ]  # fmt: skip
        if answers_by_unicast:
            lengths.append(reply_bytes + unicast_overhead_bytes)
        elif reply_bytes > 0:
            lengths.append(multicast_bytes(reply_bytes, 1, overhead_bytes))
        if is_unicast or answers_by_unicast:
            lengths += [int(routing[f"{name}_bytes"]) for name in ("request", "reply", "error")]
            lengths.append(int(mac["ack_bytes"]))
        for length in lengths:
            self._know_length(int(length))

    def _know_length(self, length: int) -> None:
        """Prepare for frames of so many bytes."""
        if length not in self._lengths:
            self._lengths[length] = len(self._lengths)
            self._mesh.length_of[length] = len(self._mesh.below)
            rows, links = len(self._lengths), len(self._mesh.links)
            below = zeros(rows * links, np.int32).reshape(rows, links)
            below[:-1] = self._mesh.below
            self._mesh = self._mesh._replace(below=below)
            fill_below(self._mesh, length, self._exponents_now(), below[-1])

    def _begin_hour(self, hour: int) -> None:
        """Let the links be as they are in another hour."""
        self._hour, self._exponents = hour, None
        for length, row in self._lengths.items():
            fill_below(self._mesh, length, self._exponents_now(), self._mesh.below[row])

    def _exponents_now(self) -> NDArray[np.float64]:
        """Return the logarithm of how often frames get through on each link now [1]."""
        if self._exponents is None:
            self._exponents = np.empty(len(self._mesh.links))
            fill_exponents(self._mesh, self._hour, self._shares, self._exponents)
        return self._exponents

    def switch(self, nodes: NDArray[np.int64], is_on: bool, now_us: int) -> None:
        """Switch nodes on or off: what is off hears and sends nothing, and forgets all it held.

        A frame that is on the air already ends as if its sender were on.
        """
        self._make_room(len(nodes) * self._plan.buffers)
        places = self._mesh.places[nodes]
        self._used = switch(self._mesh, places, is_on, now_us, self._chunk, self._used)

    def mark(self, nodes: NDArray[np.int64], mark: int, is_set: bool) -> None:
        """Set a mark at nodes, or take it away; see ``twin.events.Mark``."""
        places, marks = self._mesh.places[nodes], self._mesh.mouths["marks"]
        marks[places] = (marks[places] & ~np.uint8(mark)) | (mark if is_set else 0)

    def facts(self, first: int) -> NDArray[np.void]:
        """Return what hosts have to know of all messages from one on, an array of ``FACTS``."""
        fresh = self._mesh.messages[first : self.count]
        facts = np.empty(len(fresh), FACTS)
        facts["source"] = self._numbers.take(fresh["source"])
        facts["asked"], facts["group"] = fresh["asked"], NOTHING
        facts["kind"], facts["answer"] = fresh["kind"], fresh["answer"]
        return facts

    @property
    def count(self) -> int:
        """How many messages there are so far [1]."""
        return int(self._mesh.used[0])

    def messages(self) -> NDArray[np.void]:
        """Return all messages so far, an array of ``MESSAGE`` records."""
        found = self._mesh.messages[: self.count].copy()
        for name in ("source", "target", "subject", "report_to"):
            found[name] = self._numbers[found[name]]
        return found

    def use(self) -> NDArray[np.void]:
        """Return what each node's radio did so far, an array of ``USE`` records."""
        use, mesh = np.zeros(self._plan.nodes, USE), self._mesh
        for name in USE.names or ():
            records = mesh.lines if name in (mesh.lines.dtype.names or ()) else mesh.mouths
            use[name] = records[name][mesh.places]
        return use


@rule
def begin(
    mesh: Mesh, wishes: NDArray[np.void], to: NDArray[np.int32], now_us: int,
    rows: NDArray[np.void], used: int,
) -> int:  # fmt: skip
    """Let messages begin their way, or not begin it; return the rows used."""
    for k in range(len(to)):
        mesh.to[mesh.used[1] + k] = mesh.places[to[k]]
    for i in range(len(wishes)):
        m = add_wish(mesh, wishes[i], now_us)
        message = mesh.messages[m]
        n, ttl, cause = message["source"], message["ttl"], _NO_CAUSE
        mouth = mesh.mouths[n]
        is_flooded = message["target"] == NOTHING
        if mesh.ears[n]["deaf"] & OFF:
            cause = _OFF
        elif mouth["is_host"] and is_flooded and (message["groups"] & mouth["forward_groups"]) == 0:
            cause = _NOT_FORWARDED
        elif not wait(mesh, n, m, ttl, now_us + own_wait_us(mesh, n, m, 0), 0):
            cause = _FULL
        if cause != _NO_CAUSE:
            drop(mesh, n, m, ttl, now_us, cause, rows[used])
            used += 1
        plan_node(mesh, n, now_us)
    return used


@rule
def switch(
    mesh: Mesh, nodes: NDArray[np.int32], is_on: bool, now_us: int,
    rows: NDArray[np.void], used: int,
) -> int:  # fmt: skip
    """Switch nodes on or off; return the rows used."""
    for i in range(len(nodes)):
        n = nodes[i]
        ear, mouth = mesh.ears[n], mesh.mouths[n]
        if not is_on and ear["deaf"] & OFF == 0:
            for k in range(mouth["waiting"]):
                frame = mesh.waiting[n, k]
                drop(mesh, n, frame["message"], frame["ttl"], now_us, _OFF, rows[used])
                used += 1
            if ear["link"] != NOTHING:
                ear["link"] = NOTHING
                mouth["lost_sending"] += 1
            mouth["waiting"] = 0
            ear["urgent"] = 0
            ear["latest"] = NOTHING
            for k in range(mesh.known.shape[1]):
                mesh.known[n, k] = NOTHING
            for k in range(mesh.first_route[n], mesh.first_route[n + 1]):
                mesh.routes[k]["expires_us"] = 0
                mesh.routes[k]["made_us"] = 0
        ear["deaf"] = (ear["deaf"] & SENDS) | (0 if is_on else OFF)
        plan_node(mesh, n, now_us)
    return used
