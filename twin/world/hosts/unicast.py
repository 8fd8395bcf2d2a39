"""An image to one device after the other: ask, erase, chunk by chunk, restart, ask again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.world.hosts.work import Call, Work

if TYPE_CHECKING:
    from twin.mesh.transfer import Transfer
    from twin.world.hosts.devices import Order
    from twin.world.hosts.hosts import Hosts

_QUERY, _ERASE, _RESTART, _CHECK = -1, -2, -3, -4
_FIRST_CHUNK, _GO_DOWN, _IS_UP, _WATCHDOG = range(4)  # what it is woken for
_KINDS = 4  # a tag is the attempt times so many, and what for
_RESTART_AFTER_US = 50_000  # once its answer is out


class UnicastTransfer(Work):
    """Bring what devices of a bridge miss, each after the other; every step is answered.

    Steps are chunks from 0 on, and negative what is before and behind them.
    """

    def __init__(
        self, hosts: Hosts, number: int, upgrade: Order, bridge: int, transfer: Transfer
    ) -> None:
        """Plan it for all devices that did not fail and do not run it."""
        self._hosts, self._number, self._upgrade = hosts, number, upgrade
        self._bridge, self._transfer = bridge, transfer
        self._left: list[int] = []
        self._node, self._step, self._question = -1, _QUERY, -1
        self._attempts = 0  # at this device
        self._attempt = 0  # at any, so that what is left of those before is known

    def begin(self, now_us: int) -> None:
        """Take the first device."""
        records = self._upgrade.records
        nodes = self._transfer.nodes.tolist()
        self._left = [node for node in nodes if records[node].outcome == "pending"][::-1]
        self._next_device(now_us)

    def _next_device(self, now_us: int) -> None:
        """Take the next device, or end."""
        while self._left and not self._upgrade.is_cancelled:
            self._node = self._left.pop()
            if not self._transfer.is_settled[self._transfer.place[self._node]]:
                self._attempts = 0
                self._begin_attempt(now_us)
                return
        self._node = -1
        self._upgrade.end_transfer(now_us)

    def _begin_attempt(self, now_us: int) -> None:
        """Begin with the device, or begin anew; the watchdog ends it if it takes too long."""
        self._attempt += 1
        self._wake(_WATCHDOG, now_us + self._hosts.mesh.upgrade.watchdog_us)
        self._ask(_QUERY, now_us)

    def _wake(self, what: int, due_us: int) -> None:
        """Be woken for something in this attempt, at a moment [us]."""
        self._hosts.wake(self._number, self._attempt * _KINDS + what, due_us)

    def _ask(self, step: int, now_us: int) -> None:
        """Ask the device to take a step."""
        settings = self._hosts.mesh.upgrade
        size = settings.call_bytes + (settings.chunk_bytes if step >= 0 else 0)
        call = Call(
            self._bridge, to=self._node, payload_bytes=size, reply_bytes=settings.answer_bytes
        )
        self._step = step
        self._question = self._hosts.ask(self._number, step, call, now_us)

    def heeded(self, tag: int, node: int) -> None:
        """The device does what it is asked, whether its answer arrives or not."""
        transfer = self._transfer
        place = int(transfer.place[node])
        if tag == _ERASE and not self._upgrade.refuses(node):
            transfer.erased[place] = True

    def answered(self, tag: int, node: int, now_us: int) -> None:
        """A step is done: take the next."""
        transfer, place = self._transfer, int(self._transfer.place[node])
        settings = self._hosts.mesh.upgrade
        if self._upgrade.is_cancelled:
            self._next_device(now_us)
        elif tag in (_QUERY, _CHECK) and self._upgrade.runs_it(node):
            self._settle("", now_us)
        elif tag == _CHECK:
            self._try_again("write_error", now_us)
        elif tag == _QUERY and not transfer.erased[place]:
            self._ask(_ERASE, now_us)
        elif tag == _ERASE and self._upgrade.refuses(node):
            self._settle("write_refused", now_us)
        elif tag == _ERASE:
            self._upgrade.erase([node])
            self._wake(_FIRST_CHUNK, now_us + settings.erase_us)
        elif not transfer.erased[place]:  # it lost its power, and what it had
            self._try_again("power_lost", now_us)
        elif tag == _RESTART:
            self._wake(_GO_DOWN, now_us + _RESTART_AFTER_US)
        else:
            if tag >= 0:
                transfer.take_one(tag, place, now_us)
            self._next_chunk(now_us)

    def _next_chunk(self, now_us: int) -> None:
        """Send the next chunk that the device misses, or let it restart."""
        missing = self._transfer.missing(int(self._transfer.place[self._node]))
        self._ask(missing[0] if missing else _RESTART, now_us)

    def woken(self, tag: int, now_us: int) -> None:
        """The device has erased, or is to go down, or is up again, or has taken too long."""
        attempt, what = divmod(tag, _KINDS)
        if attempt != self._attempt or self._node < 0:
            return
        if self._upgrade.is_cancelled:
            if what != _WATCHDOG:
                self._next_device(now_us)
        elif what == _WATCHDOG:
            self._hosts.withdraw(self._question)
            self.unanswered(self._step, self._node, "watchdog", now_us)
        elif what == _FIRST_CHUNK:
            self._next_chunk(now_us)
        elif what == _GO_DOWN:
            self._upgrade.restart([self._node], now_us)
            due_us = now_us + self._hosts.mesh.upgrade.reboot_us + 1
            self._wake(_IS_UP, due_us)
        else:
            self._ask(_CHECK, now_us)

    def unanswered(self, tag: int, node: int, reason: str, now_us: int) -> None:
        """The device did not answer, however often it was asked."""
        if tag == _ERASE and self._transfer.erased[self._transfer.place[node]]:
            self._upgrade.erase([node])  # though its answer did not come
        self._try_again(reason, now_us)

    def _try_again(self, reason: str, now_us: int) -> None:
        """Begin anew with the device, or give it up."""
        if self._upgrade.is_cancelled:
            self._next_device(now_us)
            return
        self._attempts += 1
        self._upgrade.records[self._node].retries += 1
        if self._attempts < self._hosts.mesh.upgrade.attempts:
            self._begin_attempt(now_us)
        else:
            self._settle(reason, now_us)

    def _settle(self, reason: str, now_us: int) -> None:
        """Note what became of the device, and take the next."""
        self._upgrade.settle(self._node, self._transfer, reason, now_us)
        self._next_device(now_us)
