"""The compiled engine of the mesh: takes what is due first, lets the rules decide, writes rows."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from twin.arrays import zeros
from twin.compiling import rule, settled
from twin.draws import fold
from twin.events import MESH_EVENT, NEVER, Cause
from twin.mesh.compiled.kernel import ROWS_OF_A_LINK, drop, plan_node, run, wait
from twin.mesh.compiled.messages import add_message, fill_below
from twin.mesh.compiled.state import Mesh, build_mesh
from twin.mesh.plan import MESSAGE, USE, MeshPlan
from twin.mesh.rules.mac import multicast_bytes, send_wait_us
from twin.mesh.rules.radio import hour_of

KEPT_CHUNK_ROWS = 1 << 18
"""Rows of a chunk that is kept: 8 MiB."""
PASSING_CHUNK_ROWS = 1 << 11
"""Rows of the chunk that is used again and again: it stays in the cache beside the nodes."""
_HOUR_US = 3_600_000_000
_LENGTHS = ["payload_bytes", "reply_bytes", "first_to", "end_to"]
_NO_CAUSE = int(Cause.NONE)
_NOT_FORWARDED, _FULL = int(Cause.NOT_FORWARDED), int(Cause.BUFFER_FULL)


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
        self._hour = 0
        self._shares = np.zeros(plan.nodes)  # that others in the band take at each place
        self._lengths: dict[int, int] = {}  # which row of ``below`` is for frames of so many bytes
        self._overhead_bytes = int(plan.mac[0]["overhead_bytes"])
        self._room = plan.most_links
        rows = KEPT_CHUNK_ROWS if keeps_rows else PASSING_CHUNK_ROWS
        self._chunk_rows = max(rows, ROWS_OF_A_LINK * self._room + 2)
        self._keeps_rows = keeps_rows
        self._chunk = np.empty(self._chunk_rows, MESH_EVENT)
        self._used = self._yielded = 0
        self._prepared: set[tuple[int, int, int]] = set()  # sizes whose lengths are known
        self._begin: Callable[..., int] | None = None
        self._run = settled(run, self._mesh, 0, self._room, self._chunk, 0)

    def offer(self, wishes: NDArray[np.void], to: NDArray[np.int32], now_us: int) -> None:
        """Multicast messages now.

        Parameters
        ----------
        wishes
            Array of ``WISH`` rows.
        to
            The nodes to which directed ones go, one list behind the other.
        now_us
            The moment, no earlier than any up to which the mesh was advanced [us].
        """
        self._grow(len(wishes), len(to))
        self._make_room(len(wishes))
        hour = now_us // _HOUR_US
        if hour != self._hour:
            self._begin_hour(hour)
        for wish in wishes[_LENGTHS].tolist():
            self._know_lengths(*wish)
        arguments = (
            self._mesh, wishes, to, self._plan.is_bridge, now_us, self._chunk, self._used
        )  # fmt: skip
        if self._begin is None:
            self._begin = settled(begin, *arguments)
        self._used = self._begin(*arguments)

    def advance(self, until_us: int) -> Iterator[NDArray[np.void]]:
        """Yield the rows before a moment that were not yielded yet, in order, as chunks."""
        while True:
            self._grow(self._room, self._room)
            self._make_room(ROWS_OF_A_LINK * self._room + 2)
            hour_ends_us = (self._hour + 1) * _HOUR_US
            self._used = self._run(
                self._mesh, min(until_us, hour_ends_us), self._room, self._chunk, self._used
            )
            if self._used > self._yielded:
                yield self._chunk[self._yielded : self._used]
                self._yielded = self._used
            next_us = self.next_us
            if next_us >= until_us:
                break
            if next_us >= hour_ends_us:
                self._begin_hour(hour_of(next_us))

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

    @property
    def next_us(self) -> int:
        """When something happens next, NEVER for not at all [us]."""
        key = int(self._mesh.tree[1])
        return key if key == NEVER else key >> (self._mesh.bits + 1)

    def _make_room(self, rows: int) -> None:
        """Begin a new chunk where fewer rows than these are left."""
        if self._used + rows > len(self._chunk):
            fresh = self._chunk[self._yielded : self._used]  # rows of an offer, not yielded yet
            if self._keeps_rows:
                self._chunk = np.empty(self._chunk_rows, MESH_EVENT)
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
        self, payload_bytes: int, reply_bytes: int, first_to: int, end_to: int
    ) -> None:
        """Prepare for frames as long as a message and its answers."""
        known = payload_bytes, reply_bytes, end_to - first_to
        if known in self._prepared:
            return
        self._prepared.add(known)
        lengths = [multicast_bytes(payload_bytes, end_to - first_to, self._overhead_bytes)]
        if reply_bytes > 0:
            lengths.append(multicast_bytes(reply_bytes, 1, self._overhead_bytes))
        for length in lengths:
            if length not in self._lengths:
                self._lengths[length] = len(self._lengths)
                self._mesh.length_of[length] = len(self._mesh.below)
                rows, links = len(self._lengths), len(self._mesh.links)
                below = zeros(rows * links, np.int32).reshape(rows, links)
                below[:-1] = self._mesh.below
                self._mesh = self._mesh._replace(below=below)
                fill_below(self._mesh, length, self._hour, self._shares, below[-1])

    def _begin_hour(self, hour: int) -> None:
        """Let the links be as they are in another hour."""
        self._hour = hour
        for length, row in self._lengths.items():
            fill_below(self._mesh, length, hour, self._shares, self._mesh.below[row])

    def messages(self) -> NDArray[np.void]:
        """Return all messages so far, an array of ``MESSAGE`` records."""
        messages = self._mesh.messages[: self._mesh.used[0]].copy()
        messages["source"] = self._mesh.mouths["number"][messages["source"]]
        return messages

    def use(self) -> NDArray[np.void]:
        """Return what each node's radio did so far, an array of ``USE`` records."""
        use = np.zeros(self._plan.nodes, USE)
        for name in USE.names or ():
            use[name] = self._mesh.mouths[name][self._mesh.places]
        return use


@rule
def begin(
    mesh: Mesh, wishes: NDArray[np.void], to: NDArray[np.int32], is_bridge: NDArray[np.bool_],
    now_us: int, rows: NDArray[np.void], used: int,
) -> int:  # fmt: skip
    """Let messages begin their way, or not begin it; return the rows used."""
    for k in range(len(to)):
        mesh.to[mesh.used[1] + k] = mesh.places[to[k]]
    for i in range(len(wishes)):
        wish = wishes[i]
        m, n, ttl = add_message(mesh, wish, now_us), mesh.places[wish["source"]], wish["ttl"]
        mouth, cause = mesh.mouths[n], _NO_CAUSE
        frame = fold(mesh.messages[m]["state"], mouth["state"])
        due_us = now_us + send_wait_us(mesh.mac[0], frame, 0)
        if is_bridge[wish["source"]] and (wish["groups"] & mouth["forward_groups"]) == 0:
            cause = _NOT_FORWARDED
        elif not wait(mesh, n, m, ttl, due_us, 0):
            cause = _FULL
        if cause != _NO_CAUSE:
            drop(mesh, n, m, ttl, now_us, cause, rows[used])
            used += 1
        plan_node(mesh, n, now_us)
    return used
