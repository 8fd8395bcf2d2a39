"""The scanners that nobody holds, and the chargers they share.

Who comes gets the one with the most charge, of equal ones the first of the fleet, if it has the
charge from which on scanners are handed out. Who puts one back docks it at the first free charger
whose zone is neither too cold nor too warm for it; where none is free it waits in line. A full
scanner makes room for the next. Without chargers in the scenario every scanner has its own.
"""

import heapq

import numpy as np
from numpy.typing import NDArray

from twin.events import NEVER
from twin.floor.rules.scanner import FULL_PPB
from twin.scenario import Scenario
from twin.world.roster import Roster

_MILLION = 1_000_000
_NEVER = int(NEVER)


class Pool:
    """The scanners that nobody holds."""

    def __init__(self, scenario: Scenario, roster: Roster) -> None:
        """Begin with every scanner full and off the chargers."""
        scanners = roster.scanners
        self._ready_ppb = round(scenario.fleet.ready_charge * FULL_PPB)
        self._full_us = np.array([scanner.charge_time_us for scanner in scanners], np.int64)
        self._charge_ppb = np.full(len(scanners), FULL_PPB, np.int64)
        self._docked_us = np.full(len(scanners), _NEVER, np.int64)
        self._free = np.ones(len(scanners), bool)
        self._charger = np.full(len(scanners), -1)
        self._line: list[int] = []
        self._fills: list[tuple[int, int]] = []  # (when full if nobody takes it, scanner)
        groups = scenario.fleet.chargers
        self._room = [group.count for group in groups] or [len(scanners)]
        warm = [scenario.site.zone(group.zone).temperature_degc for group in groups]
        self._fits = [
            [s.charge_min_degc <= degc <= s.charge_max_degc for degc in warm] or [True]
            for s in scanners
        ]

    def charges_ppb(self, now_us: int) -> NDArray[np.int64]:
        """Return what charging at a constant rate has made of every scanner's charge [1e-9]."""
        docked = self._docked_us != _NEVER
        since_us = np.where(docked, np.minimum(now_us - self._docked_us, self._full_us), 0)
        gained_ppb = since_us * _MILLION // np.maximum(self._full_us, 1) * 1000
        return np.asarray(np.minimum(self._charge_ppb + gained_ppb, FULL_PPB))

    def fullest_first(self, now_us: int) -> list[tuple[int, int]]:
        """Return the scanners that may be handed out as (scanner, charge [1e-9])."""
        self._settle(now_us)
        charges = self.charges_ppb(now_us)
        ready = np.flatnonzero(self._free & (charges >= self._ready_ppb))
        ranked = ready[np.argsort(-charges[ready], kind="stable")]
        return list(zip(ranked.tolist(), charges[ranked].tolist(), strict=True))

    def fullest(self, now_us: int) -> tuple[int, int] | None:
        """Return the first of them."""
        self._settle(now_us)
        charges = np.where(self._free, self.charges_ppb(now_us), -1)
        scanner = int(np.argmax(charges)) if len(charges) else -1
        if scanner < 0 or charges[scanner] < self._ready_ppb:
            return None
        return scanner, int(charges[scanner])

    def take(self, scanner: int, now_us: int) -> None:
        """Hand a scanner out."""
        self._free[scanner] = False
        if self._charger[scanner] >= 0:
            self._undock(scanner, now_us)
        elif scanner in self._line:
            self._line.remove(scanner)

    def put_back(self, scanner: int, charge_ppb: int, now_us: int) -> None:
        """Take a scanner back with the charge it has [1e-9]."""
        self._settle(now_us)
        self._free[scanner] = True
        self._charge_ppb[scanner] = charge_ppb
        if not self._dock(scanner, now_us):
            self._line.append(scanner)

    def next_ready_us(self, now_us: int) -> int:
        """Return when the next scanner may have charged enough, NEVER without one [us]."""
        self._settle(now_us)
        # The inverse of ``charges_ppb``, which counts in steps of 1000.
        missing_ppb = self._ready_ppb - self._charge_ppb
        wait_us = -(-(-(-missing_ppb // 1000) * self._full_us) // _MILLION)
        charging = (self._docked_us != _NEVER) & self._free
        ready_us = np.where(charging, self._docked_us, 0) + wait_us
        moments = ready_us[charging & (ready_us > now_us)].tolist()
        if self._line and self._fills:
            moments.append(max(now_us + 1, self._fills[0][0]))
        return min(moments, default=_NEVER)

    def _dock(self, scanner: int, now_us: int) -> bool:
        """Dock a scanner, if a charger is free that can charge it."""
        for charger, fits in enumerate(self._fits[scanner]):
            if fits and self._room[charger] > 0:
                self._room[charger] -= 1
                self._charger[scanner] = charger
                self._docked_us[scanner] = now_us
                missing_ppb = int(FULL_PPB - self._charge_ppb[scanner])
                full_us = now_us + -(-missing_ppb * int(self._full_us[scanner]) // FULL_PPB)
                heapq.heappush(self._fills, (full_us, scanner))
                return True
        return False

    def _undock(self, scanner: int, now_us: int) -> None:
        """Take a scanner from its charger, and dock the first in line that fits there."""
        self._charge_ppb[scanner] = self.charges_ppb(now_us)[scanner]
        charger, self._charger[scanner] = int(self._charger[scanner]), -1
        self._docked_us[scanner] = _NEVER
        self._room[charger] += 1
        self._fills = [fill for fill in self._fills if fill[1] != scanner]
        heapq.heapify(self._fills)
        for waiting in self._line:
            if self._fits[waiting][charger]:
                self._line.remove(waiting)
                self._dock(waiting, now_us)
                return

    def _settle(self, now_us: int) -> None:
        """Let full scanners make room, in the order in which they became full."""
        while self._fills and self._fills[0][0] <= now_us:
            full_us, scanner = self._fills[0]
            self._undock(scanner, full_us)
            self._charge_ppb[scanner] = FULL_PPB
