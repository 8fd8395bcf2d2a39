"""Small floors for laws: what hypothesis draws of their scenarios, and how their rows are read."""

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import twin
from tests.scenarios import (
    MIN,
    Table,
    constant,
    fixed,
    phones,
    scanners,
    scenario,
    shift,
    station,
)
from twin.events import Kind, Outcome
from twin.scenario import Scenario
from twin.twin import Twin

Rows = NDArray[np.void]

HORIZON = 20 * MIN
SHORT = 10 * MIN
"""What a rough floor runs [us]."""
AIR_US = 1_000
LIMITS = {"stationary": 420 // 50, "mobile": 5_000 // 50}  # attempts within the timeout
DELIVERED, LOST, NO_FEEDBACK = Outcome.DELIVERED, Outcome.LOST_BLE, Outcome.NO_FEEDBACK
NOT_CONNECTED, LOST_BUFFER = Outcome.NOT_CONNECTED, Outcome.LOST_BUFFER
TAKEN = (Kind.SESSION_OPEN, Kind.SWAP, Kind.ROAM)

few = settings(
    deadline=None,
    derandomize=True,
    max_examples=20,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),  # to explain takes minutes
)
percents = st.integers(0, 90)


def law(**drawn: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a test to hold for what is drawn: the same for every law, so that a run serves many."""
    return lambda test: seed(20260302)(few(given(**drawn)(test)))


class Floor(NamedTuple):
    """A small floor: what is drawn of its scenario."""

    loss: int
    service_ms: tuple[int, int]
    limit: int
    walking: int
    pace: float
    jobs: bool
    seed: int

    def scenario(self, loss: int | None = None) -> Scenario:
        """Return it as a scenario, with another loss [%] where one is given."""
        return scenario(self.changes(loss))

    def changes(self, loss: int | None = None) -> Table:
        """Return what it changes in the quiet pilot line."""
        shortest, longest = (f"{ms} ms" for ms in self.service_ms)
        percent = f"{self.loss if loss is None else loss} %"
        changes: Table = {
            "run.horizon": "20 min",
            "run.seed": self.seed,
            "site.stations": [station("west", 5), station("east", 25)],
            "work.shifts": [
                shift("a", workers=5, breaks=[{"after": "6 min", "duration": "2 min"}]),
                shift("b", "06:10", "5 min", 3),
                shift("c", "06:15", "1 h", 3),
            ],
            "work.start_spread": "30 s",
            "work.break_return_min": "5 s",
            "work.break_return_max": "30 s",
            "work.job_setup": constant("3 s"),
            "work.pick_scale": self.pace,
            "fleet.scanners": scanners(9),
            "fleet.gateways": [
                fixed("posts", "west", "east", limit=self.limit), phones("walk", self.walking)
            ],
            "links.gateway_service": {"law": "uniform", "low": shortest, "high": longest},
            "cloud.delay": constant("150 ms"),
            "cloud.telemetry_period": "20 s",
        }  # fmt: skip
        for kind in ("stationary", "mobile"):
            changes[f"links.ble.{kind}.loss_near"] = changes[f"links.ble.{kind}.loss_far"] = percent
        if not self.jobs:
            changes["work.jobs"] = []
        return changes


floors = st.builds(
    Floor,
    loss=percents,
    service_ms=st.tuples(st.integers(1, 400), st.integers(0, 1500)).map(lambda t: (t[0], sum(t))),
    limit=st.integers(1, 8),
    walking=st.integers(0, 3),
    pace=st.sampled_from([0.02, 0.1, 0.5]),
    jobs=st.booleans(),
    seed=st.integers(0, 2**63 - 1),
)
BUSY = Floor(30, (200, 900), 8, 0, 0.02, True, 1)


class Rough(NamedTuple):
    """The same with all that can go wrong; times in seconds, shares in percent."""

    floor: Floor
    fades: tuple[int, int, int]  # every, length, loss
    reconnect: tuple[int, int]
    connect: tuple[int, int, int]  # each attempt, failures, pairing timer
    slips: tuple[int, int]  # wrong scans, forgotten ends
    uplink: tuple[int, int, int]  # publish limit, buffer, lost acknowledgements
    outages: tuple[tuple[int, int, str], ...]  # pause before it, length, who
    batteries: tuple[int, int, int]  # scanners, chargers (0: one each), low charge
    orders_per_h: int  # 0: work never runs out
    stall_ms: int
    roam_after: int  # 0: never

    def scenario(self, outages: int | None = None) -> Scenario:
        """Return it as a scenario, with its first outages only where their number is given."""
        return scenario(self.floor.changes() | self.changes(outages))

    def changes(self, outages: int | None = None) -> Table:
        """Return what it changes beside its floor."""
        count, chargers, low = self.batteries
        changes: Table = {
            "run.horizon": "10 min",
            "work.shifts": [
                shift("a", workers=5, breaks=[{"after": "3 min", "duration": "1 min"}]),
                shift("b", "06:04", "3 min", 3),
                shift("c", "06:07", "1 h", 3),
            ],
            "links.publish_limit": self.uplink[0],
            "links.buffer_messages": self.uplink[1],
            "links.acknowledgement_loss": f"{self.uplink[2]} %",
            "links.round_trip": {"law": "lognormal", "median": "80 ms", "sigma": 1.0},
            "links.outages": self._outages()[:outages],
            "links.ble.roam_after": f"{self.roam_after} s",
            "work.wrong_scan": f"{self.slips[0]} %",
            "work.forgotten_end": f"{self.slips[1]} %",
            "work.picker_sd": "20 %",
            "fleet.scanners": scanners(count, "LEO"),
            "fleet.battery_idle_drain": "100 %/h",
            "fleet.low_charge": f"{low} %",
            "fleet.ready_charge": f"{low + 1} %",
            "fleet.swap_time": {"law": "uniform", "low": "5 s", "high": "40 s"},
        }
        if chargers:
            changes["fleet.chargers"] = [{"name": "posts", "zone": "line", "count": chargers}]
        if self.orders_per_h:
            changes["work.orders"] = {"per_hour": float(self.orders_per_h)}
        for kind in ("stationary", "mobile"):
            changes |= {f"links.ble.{kind}.{key}": value for key, value in self._link().items()}
        return changes

    def _link(self) -> Table:
        """Return how links fail."""
        every, length, loss = self.fades
        return {
            "drops": True,
            "fade_every": f"{every} s",
            "fade_length": f"{length} s",
            "fade_loss": f"{loss} %",
            "reconnect": {"law": "uniform", **_ends(*self.reconnect)},
            "connect": constant(f"{self.connect[0]} s"),
            "connect_failure": f"{self.connect[1]} %",
            "pairing_timer": f"{self.connect[2]} s",
            "connect_stall": f"{self.stall_ms} ms",
            "connect_every": "3 s",
        }

    def _outages(self) -> list[Table]:
        """Return the stretches without uplink, one after the other."""
        found, now = list[Table](), 0
        for pause, length, who in self.outages:
            own = {"gateways": [who]} if who else {}
            found.append({"after": f"{now + pause} s", "duration": f"{length} s", **own})
            now += pause + length
        return found


def _ends(low: int, more: int) -> Table:
    return {"low": f"{low} s", "high": f"{low + more} s"}


outage_lists = st.lists(
    st.tuples(st.integers(1, 200), st.integers(1, 200), st.sampled_from(["", "posts", "walk"])),
    min_size=1, max_size=4,
).map(tuple)  # fmt: skip
roughs = st.builds(
    Rough,
    floor=floors,
    fades=st.tuples(st.integers(5, 120), st.integers(1, 20), st.sampled_from([50, 95, 99])),
    reconnect=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    connect=st.tuples(st.integers(0, 5), st.integers(0, 50), st.integers(0, 20)),
    slips=st.tuples(st.integers(0, 30), st.integers(0, 50)),
    uplink=st.tuples(
        st.sampled_from([0, 1, 5]), st.sampled_from([0, 1, 4, 50]), st.integers(0, 40)
    ),
    outages=outage_lists,
    batteries=st.tuples(st.integers(6, 30), st.integers(0, 4), st.sampled_from([90, 97])),
    orders_per_h=st.sampled_from([0, 100, 2000]),
    stall_ms=st.sampled_from([0, 500, 2000]),
    roam_after=st.sampled_from([0, 1, 10]),
)
ROUGH = Rough(
    floor=Floor(20, (10, 200), 8, 2, 0.02, True, 1),
    fades=(8, 4, 95),
    reconnect=(1, 10),
    connect=(2, 30, 5),
    slips=(10, 30),
    uplink=(1, 4, 20),
    outages=((30, 30, ""), (60, 60, "posts")),
    batteries=(14, 2, 97),
    orders_per_h=2000,
    stall_ms=500,
    roam_after=7,
)


@lru_cache(maxsize=100)
def ran(floor: Floor | Rough, **how: Any) -> Twin:
    """Return a finished run; who asks for the same again gets the same, so leave it as it is."""
    return twin.open(floor.scenario(**how)).run(progress=False)


def messages(rows: Rows) -> Rows:
    return rows[np.isin(rows["kind"], (Kind.SCAN, Kind.TELEMETRY))]


def arrived(rows: Rows) -> list[Rows]:
    """Return what reached each gateway, in the order in which it came."""
    found = messages(rows)
    found = found[~np.isin(found["outcome"], (LOST, NOT_CONNECTED))]
    return [found[found["gateway"] == gateway] for gateway in np.unique(found["gateway"])]


def scans_of(rows: Rows) -> dict[int, Rows]:
    scans = rows[rows["kind"] == Kind.SCAN]
    return {int(w): scans[scans["worker"] == w] for w in np.unique(scans["worker"])}


class Session(NamedTuple):
    """A scanner in a worker's hand: from when, connected from when, until when [us].

    ``rows`` are those of this worker with it, what was on the air at its end included; ``end`` is
    the kind of row that ended it, None where it goes on; ``low`` whether for its charge.
    """

    taken: np.void
    opened_us: int
    ends_us: int
    end: Kind | None
    low: bool
    rows: Rows


def sessions(rows: Rows, now_us: int) -> list[Session]:
    """Return every session of a run that has come to a moment."""
    found = []
    for worker in np.unique(rows["worker"]):
        mine = rows[rows["worker"] == worker]
        alone_us = mine["time_us"][mine["kind"] == Kind.UNEQUIPPED].tolist()
        own = mine[mine["scanner"] >= 0]
        begins = np.flatnonzero(np.isin(own["kind"], TAKEN)).tolist()
        for first, after in pairwise([*begins, len(own)]):
            part, rest = own[first + 1 : after], own[after:]
            ends = [*part[part["kind"] == Kind.SESSION_CLOSE], *rest[:1]]
            ends_us = int(ends[0]["time_us"]) if ends else now_us
            end = Kind(ends[0]["kind"]) if ends else None
            low = end == Kind.SWAP or (end == Kind.SESSION_CLOSE and ends_us in alone_us)
            found.append(Session(own[first], int(own[first]["beep_us"]), ends_us, end, low, part))
    return found


def made_us(rows: Rows) -> NDArray[np.int64]:
    """Return when messages were made [us]."""
    return np.asarray(rows["time_us"] - rows["link_us"])
