"""An image to all devices at once: announce, erase, stream, gather bitmaps, repair, restart.

The protocol of the vendor is not published; this is the usual one of selective repair. What is left
in the end goes by unicast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.events import Answer, Mark
from twin.world.hosts.work import Call, Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twin.mesh.transfer import Transfer
    from twin.world.hosts.devices import Order
    from twin.world.hosts.hosts import Hosts

_ANNOUNCE, _GATHER, _COMMIT, _VERIFY, _FIND = -1, -2, -3, -4, -5  # what is said beside chunks
_NEXT, _ERASED, _ASK, _ASK_NEXT, _COMMITTED, _UP = range(6)  # what it is woken for
_BITS_OF_A_BYTE = 8
_OF_A_ROUTES_LIFE = 0.75
"""How much of it answers may take: it began when the first of them was looked for."""
_DRAIN_SPACINGS = 4
"""For how many spacings the last flood has time to end."""


class MulticastTransfer(Work):
    """Bring a part to the devices of a bridge by multicast."""

    def __init__(
        self, hosts: Hosts, number: int, upgrade: Order, bridge: int, transfer: Transfer
    ) -> None:
        """Plan it for all its devices."""
        self._hosts, self._number, self._upgrade = hosts, number, upgrade
        self._bridge, self._transfer = bridge, transfer
        self._to_say: list[int] = []  # the last comes first
        self._then = _ERASED
        self._rounds = 0
        self._asking = _GATHER
        self._sector: list[int] = []
        self._is_second = False  # who was silent is asked once more
        self._left: list[int] = []  # places that were not asked yet, the last comes first
        self._needed = np.zeros(transfer.chunks, bool)
        self._answered: set[int] = set()  # places that did in this gathering
        self._whole: set[int] = set()  # places that said that they miss nothing
        self._heard: set[int] = set()  # places that heard the announcement, or to commit

    def begin(self, now_us: int) -> None:
        """Announce."""
        self._say_all([_ANNOUNCE] * self._hosts.mesh.upgrade.announces, _ERASED, now_us)

    def _say_all(self, items: list[int], then: int, now_us: int) -> None:
        """Say some things, one after the other, and then do something."""
        self._to_say, self._then = items[::-1], then
        self.woken(_NEXT, now_us)

    def woken(self, tag: int, now_us: int) -> None:
        """The next thing is to be said, or a phase is over."""
        if self._upgrade.is_cancelled:
            self._upgrade.end_transfer(now_us)
        elif tag == _NEXT:
            self._say_next(now_us)
        elif tag == _ERASED:
            self._begin_stream(now_us)
        elif tag == _ASK:
            self._ask_all(_GATHER, now_us)
        elif tag == _ASK_NEXT:
            silent = [place for place in self._sector if place not in self._answered]
            if silent and not self._is_second:
                self._is_second = True
                self._find(silent, now_us)
            else:
                self._ask_next(now_us)
        elif tag == _COMMITTED:
            self._restart(now_us)
        else:
            self._ask_all(_VERIFY, now_us)

    def _say_next(self, now_us: int) -> None:
        """Say the next thing; after the last let its flood end."""
        settings = self._hosts.mesh.upgrade
        if self._to_say:
            item = self._to_say.pop()
            self._say(item, now_us)
            self._hosts.wake(self._number, _NEXT, now_us + settings.spacing_us)
            return
        due_us = now_us + (_DRAIN_SPACINGS - 1) * settings.spacing_us
        erase_us = settings.erase_us if self._then == _ERASED else 0
        self._hosts.wake(self._number, self._then, due_us + erase_us)

    def _say(self, item: int, now_us: int, window_us: int = 0) -> None:
        """Multicast a chunk, or what is about all; a window lets devices answer."""
        settings = self._hosts.mesh.upgrade
        size = settings.chunk_bytes if item >= 0 else 0
        reply = {_GATHER: settings.bitmap_bytes + settings.call_bytes,
                 _VERIFY: settings.answer_bytes}.get(item, 0)  # fmt: skip
        call = Call(
            self._bridge,
            payload_bytes=settings.call_bytes + size,
            ttl=settings.ttl,
            reply_bytes=reply,
            window_us=window_us,
            answer=Answer.REPORT,
            unless=Mark.COMPLETE if reply else 0,
        )
        self._hosts.say(self._number, item, call, now_us)

    def received(self, item: int, source: int, rows: NDArray[np.void]) -> None:
        """Devices heard an announcement, a chunk, or to commit."""
        del source
        transfer = self._transfer
        if item in (_ANNOUNCE, _COMMIT):
            places = transfer.place[rows["node"]]
            self._heard.update(places[places >= 0].tolist())
        elif item >= 0:
            transfer.take(item, rows)

    def _begin_stream(self, now_us: int) -> None:
        """Who heard the announcement has erased: send the chunks, all or those that are missed."""
        transfer = self._transfer
        fresh = [k for k in sorted(self._heard) if not transfer.erased[k]]
        takers = [k for k in fresh if not self._upgrade.refuses(int(transfer.nodes[k]))]
        transfer.erased[takers] = True
        self._upgrade.erase(transfer.nodes[takers].tolist())
        self._heard.clear()
        chunks = np.flatnonzero(self._needed) if self._rounds else np.arange(transfer.chunks)
        self._needed[:] = False
        self._say_all(chunks.tolist(), _ASK, now_us)

    def _ask_all(self, what: int, now_us: int) -> None:
        """Ask all what they run, or those what they miss that did not say that it is nothing."""
        nodes, self._asking = self._transfer.nodes, what
        done = self._whole if what == _GATHER else set()
        refuse = [what == _GATHER and self._upgrade.refuses(node) for node in nodes.tolist()]
        self._left = [k for k in range(len(nodes)) if k not in done and not refuse[k]][::-1]
        self._answered = set()
        self._ask_next(now_us)

    def _ask_next(self, now_us: int) -> None:
        """Ask some devices, no more than can answer while routes live; after the last go on.

        The first of them is asked alone before: looking for it tells all the way to the bridge.
        """
        if not self._left:
            if self._asking == _GATHER:
                self._repair(now_us)
            else:
                self._upgrade.go_on_by_unicast(self._bridge, self._transfer, now_us)
            return
        gather_us, idle_us = self._hosts.mesh.upgrade.gather_us, self._hosts.mesh.routing.idle_us
        most = max(1, int(_OF_A_ROUTES_LIFE * idle_us) // gather_us)
        self._is_second = False
        self._find([self._left.pop() for _ in range(min(most, len(self._left)))], now_us)

    def _find(self, places: list[int], now_us: int) -> None:
        """Look for the first of some devices, which tells all on the way where the bridge is."""
        settings, self._sector = self._hosts.mesh.upgrade, places
        call = Call(
            self._bridge,
            to=int(self._transfer.nodes[places[0]]),
            payload_bytes=settings.call_bytes,
            reply_bytes=settings.answer_bytes,
        )
        self._hosts.ask(self._number, _FIND, call, now_us, tries=1)

    def answered(self, tag: int, node: int, now_us: int) -> None:
        """The first of some devices is found: ask all of them."""
        del tag, node
        self._ask_sector(now_us)

    def unanswered(self, tag: int, node: int, reason: str, now_us: int) -> None:
        """The first of some devices is not found: ask all of them nevertheless."""
        del tag, node, reason
        self._ask_sector(now_us)

    def _ask_sector(self, now_us: int) -> None:
        """Ask some devices; who is not among them is silent."""
        nodes, settings = self._transfer.nodes, self._hosts.mesh.upgrade
        asked = np.zeros(len(nodes), bool)
        asked[self._sector] = True
        self._hosts.engine.mark(nodes[~asked], Mark.COMPLETE, True)
        self._hosts.engine.mark(nodes[asked], Mark.COMPLETE, False)
        window_us = settings.gather_us * len(self._sector)
        self._say(self._asking, now_us, window_us)
        due_us = now_us + window_us + self._hosts.mesh.host.timeout_us
        self._hosts.wake(self._number, _ASK_NEXT, due_us)

    def reported(self, item: int, about: int, node: int, message: int, now_us: int) -> None:
        """A device says what it misses, or what it runs."""
        del about, message
        place = int(self._transfer.place[node])
        if place < 0:
            return
        self._answered.add(place)
        if item == _GATHER:
            missing = self._transfer.missing(place)
            if not missing:
                self._whole.add(place)
                return
            room = self._hosts.mesh.upgrade.bitmap_bytes * _BITS_OF_A_BYTE
            self._needed[[k for k in missing if k < missing[0] + room]] = True
        elif item == _VERIFY and self._upgrade.runs_it(node):
            self._upgrade.settle(node, self._transfer, "", now_us)

    def _repair(self, now_us: int) -> None:
        """Send what was missed again, or be content with what there is."""
        if not self._needed.any() or self._rounds == self._hosts.mesh.upgrade.rounds:
            announces = self._hosts.mesh.upgrade.announces
            self._say_all([_COMMIT] * announces, _COMMITTED, now_us)
            return
        self._rounds += 1
        self._upgrade.rounds = max(self._upgrade.rounds, self._rounds)
        late = [place for place in self._answered if not self._transfer.erased[place]]
        if late:
            self._say_all([_ANNOUNCE], _ERASED, now_us)
        else:
            self._begin_stream(now_us)

    def _restart(self, now_us: int) -> None:
        """Who has all and heard to commit restarts; then all are asked what they run."""
        transfer, settings = self._transfer, self._hosts.mesh.upgrade
        complete = transfer.is_complete
        ready = [int(transfer.nodes[k]) for k in sorted(self._heard) if complete[k]]
        self._heard.clear()
        self._upgrade.restart(ready, now_us)
        self._hosts.wake(self._number, _UP, now_us + 2 * settings.reboot_us)
