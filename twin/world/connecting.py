"""Pairing: a worker scans the gateway's code, and gateway and scanner connect.

A gateway connects one scanner after the other, so at the start of a shift workers wait for each
other. Its time goes to whoever comes first of those who set out together; who sets out later gets
the first gap that is long enough. A failed attempt holds a worker for the pairing timer (Scan2Pair
shows it); phones may be tried again at once, but Android blocks who starts scanning more often
than it allows.
"""

from bisect import insort
from itertools import count

from twin.draws import fold, root, sample_us, unit
from twin.floor.rules.streams import CONNECT, CONNECT_FAILURE
from twin.scenario import BleLink, Scenario
from twin.world.build import record_of
from twin.world.roster import Roster, worker_word

_LONGEST_WAY_US = 3_600_000_000  # nobody comes that long before who set out earlier
_MOST_ATTEMPTS = 100  # then somebody helps


class Connecting:
    """Who is being connected where."""

    def __init__(self, scenario: Scenario, roster: Roster, seed: int) -> None:
        """Begin with nobody."""
        ble = scenario.links.ble
        self._ble = ble
        self._root = root(seed)
        self._booked: list[list[tuple[int, int]]] = []
        self.grow(roster)
        self._laws = {kind: record_of(self._class(kind).connect)
                      for kind in ("stationary", "mobile")}  # fmt: skip

    def grow(self, roster: Roster) -> None:
        """Take up the gateways that a roster has more than before."""
        self._roster = roster
        self._booked += [[] for _ in roster.gateways[len(self._booked) :]]

    def _class(self, kind: str) -> BleLink:
        """Return the link of a kind of gateway."""
        return self._ble.mobile if kind == "mobile" else self._ble.stationary

    def connect(self, w: int, gateway: int, arrives_us: int) -> tuple[int, int]:
        """Return when a worker's scanner is connected [us], and after how many attempts.

        Parameters
        ----------
        w, gateway
            Whose scanner, and with what; call it in the order of arrival at each gateway.
        arrives_us
            When the worker is there [us].
        """
        booked = self._booked[gateway]
        while booked and booked[0][1] < arrives_us - _LONGEST_WAY_US:
            booked.pop(0)
        kind = self._roster.gateways[gateway].kind
        link = self._class(kind)
        state = fold(fold(self._root, worker_word(self._roster.workers[w])), arrives_us)
        ready_us, starts = arrives_us, list[int]()
        for attempt in count(1):
            took_us = sample_us(self._laws[kind], fold(state, attempt), CONNECT)
            begins_us = _book(booked, ready_us, took_us)
            u = unit(fold(fold(fold(state, attempt), CONNECT_FAILURE), 0))
            if u >= link.connect_failure or attempt == _MOST_ATTEMPTS:
                return begins_us + took_us, attempt
            starts.append(begins_us)
            ready_us = begins_us + took_us
            if kind == "stationary":
                ready_us = max(ready_us, begins_us + link.pairing_timer_us)
            elif len(starts) >= self._ble.scan_starts:
                oldest_us = starts[-self._ble.scan_starts]
                ready_us = max(ready_us, oldest_us + self._ble.scan_starts_window_us)
        raise AssertionError("count() does not end")


def _book(booked: list[tuple[int, int]], ready_us: int, took_us: int) -> int:
    """Book the first gap of a gateway that is long enough; return its begin [us].

    Parameters
    ----------
    booked
        What is booked, as (begin, end) in order; the new stretch is put in [us].
    ready_us, took_us
        When the gap may begin, and how long it must be [us].
    """
    begins_us = ready_us
    for begin_us, end_us in booked:
        if begins_us + took_us <= begin_us:
            break
        begins_us = max(begins_us, end_us)
    insort(booked, (begins_us, begins_us + took_us))
    return begins_us
