"""Scanners that nobody holds: who gets which, who charges where, and when the next one is ready."""

from bisect import bisect_left
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scenarios import H, Table, scanners, scenario, zone
from twin.events import NEVER
from twin.scenario import Scenario
from twin.scenario.fleet import ChargerGroup
from twin.world.pool import Pool
from twin.world.roster import make_roster

FULL = 1_000_000_000
SECOND = 1_000_000
CHARGE_TIME_US = 2 * H  # of a MARK 3
COLD = {**zone("cold"), "temperature": "-5 degC"}
WARM = zone("line")


def chargers(name: str, count: int, at: str = "line") -> Table:
    return {"name": name, "zone": at, "count": count}


def hall(count: int, *groups: Table, ready: str = "50 %") -> Scenario:
    """Return a site with so many scanners; without groups each has its own charger."""
    return scenario(
        {
            "site.zones": [WARM, COLD],
            "fleet.scanners": scanners(count),
            "fleet.chargers": list(groups),
            "fleet.ready_charge": ready,
        }
    )


def pool(count: int = 3, *groups: Table, ready: str = "50 %") -> Pool:
    document = hall(count, *groups, ready=ready)
    return Pool(document, make_roster(document, 1))


def emptied(count: int, *groups: Table, ready: str = "50 %") -> Pool:
    """Return a pool all of whose scanners are taken."""
    found = pool(count, *groups, ready=ready)
    for scanner in range(count):
        found.take(scanner, 0)
    return found


def offered(found: Pool, now_us: int) -> list[tuple[int, int]]:
    """Return the scanners that may be handed out; the first alone is the same."""
    first, ranked = found.fullest(now_us), found.fullest_first(now_us)
    assert first == (ranked[0] if ranked else None)
    return ranked


def after(share: float) -> int:
    """Return when a scanner has charged for a share of its charge time [us]."""
    return int(share * CHARGE_TIME_US)


# --- who gets which --------------------------------------------------------------


def test_the_fullest_scanner_is_taken_first_then_the_first_of_the_fleet() -> None:
    found = pool(ready="20 %")
    assert offered(found, 0) == [(0, FULL), (1, FULL), (2, FULL)]
    for scanner, charge_ppb in ((0, FULL // 4), (2, FULL // 2)):
        found.take(scanner, 0)
        found.put_back(scanner, charge_ppb, 0)
    assert offered(found, 0) == [(1, FULL), (2, FULL // 2), (0, FULL // 4)]


def test_a_scanner_in_use_is_not_offered() -> None:
    found = pool()
    found.take(0, 0)
    assert [scanner for scanner, _ in offered(found, 0)] == [1, 2]
    found.take(2, 0)
    assert offered(found, 0) == [(1, FULL)]
    found.take(1, 0)
    assert offered(found, 0) == []
    assert Pool(hall(0), make_roster(hall(0), 1)).fullest(0) is None


def test_from_ready_charge_on_a_scanner_is_handed_out() -> None:
    found = emptied(3, chargers("far", 0), ready="60 %")
    for scanner, charge_ppb in enumerate((FULL * 6 // 10 - 1, FULL * 6 // 10, FULL)):
        found.put_back(scanner, charge_ppb, 0)
    assert offered(found, 0) == [(2, FULL), (1, FULL * 6 // 10)]


# --- charge ----------------------------------------------------------------------


@pytest.mark.parametrize("model", ["MARK 2", "MARK 3", "LEO"])
def test_charge_rises_evenly_to_full_in_the_charge_time(model: str) -> None:
    document = scenario({"fleet.scanners": scanners(1, model)})
    roster = make_roster(document, 1)
    charge_time_us = roster.scanners[0].charge_time_us
    assert charge_time_us >= H
    found = Pool(document, roster)
    found.take(0, 0)
    found.put_back(0, FULL // 10, H)
    for share in (0, 0.25, 0.5, 0.75):
        (charge_ppb,) = found.charges_ppb(H + int(share * charge_time_us))
        assert charge_ppb == pytest.approx(FULL * (0.1 + share), abs=1000)
    for share in (0.9, 1.0, 1000.0):
        assert found.charges_ppb(H + int(share * charge_time_us)) == [FULL]


def test_a_scanner_charged_over_night_does_not_overflow() -> None:
    found = emptied(1)
    found.put_back(0, 0, 0)
    assert found.charges_ppb(400 * 24 * H) == [FULL]
    assert offered(found, 400 * 24 * H) == [(0, FULL)]


def test_what_was_charged_is_kept_when_a_scanner_is_taken() -> None:
    found = emptied(1, ready="10 %")
    found.put_back(0, 0, 0)
    found.take(0, after(0.25))
    assert found.charges_ppb(after(0.75)) == [FULL // 4]  # in use: what it had
    found.put_back(0, FULL // 5, after(1))
    assert found.charges_ppb(after(1.5)) == [FULL * 7 // 10]


# --- chargers --------------------------------------------------------------------


def test_as_many_charge_as_there_are_chargers_and_the_rest_wait_in_line() -> None:
    found = emptied(4, chargers("posts", 2))
    for scanner in (2, 0, 3, 1):
        found.put_back(scanner, FULL // 5 * scanner, 0)
    assert found.charges_ppb(after(0.1)).tolist() == [
        FULL // 10, FULL // 5, FULL * 5 // 10, FULL * 6 // 10
    ]  # fmt: skip


def test_a_full_scanner_makes_room_for_the_first_in_line() -> None:
    found = emptied(3, chargers("post", 1))
    found.put_back(2, FULL // 2, 0)
    found.put_back(1, 0, 0)  # comes before scanner 0
    found.put_back(0, 0, after(0.25))
    assert offered(found, after(0.5)) == [(2, FULL)]
    assert offered(found, after(0.75)) == [(2, FULL)]
    assert found.charges_ppb(after(0.75)).tolist() == [0, FULL // 4, FULL]
    assert offered(found, after(2)) == [(1, FULL), (2, FULL), (0, FULL // 2)]


def test_many_full_scanners_make_room_one_after_the_other_though_nobody_looked() -> None:
    found = emptied(5, chargers("post", 1))
    for scanner in range(5):
        found.put_back(scanner, FULL // 2, 0)
    assert offered(found, after(2.25)) == [
        (0, FULL), (1, FULL), (2, FULL), (3, FULL), (4, FULL * 3 // 4)
    ]  # fmt: skip


def test_who_takes_a_scanner_makes_room_too() -> None:
    found = emptied(2, chargers("post", 1))
    found.put_back(0, FULL // 2, 0)
    found.put_back(1, 0, 0)
    found.take(0, after(0.25))
    assert found.charges_ppb(after(0.5)).tolist() == [FULL * 3 // 4, FULL // 4]


def test_who_is_taken_out_of_the_line_charges_no_more() -> None:
    found = emptied(3, chargers("post", 1))
    for scanner in range(3):
        found.put_back(scanner, FULL * 6 // 10, 0)
    found.take(1, 0)
    assert offered(found, after(0.5)) == [(0, FULL), (2, FULL * 7 // 10)]
    assert found.charges_ppb(after(9)).tolist() == [FULL, FULL * 6 // 10, FULL]


def test_in_the_cold_nothing_charges() -> None:
    found = emptied(2, chargers("frozen", 5, "cold"))
    found.put_back(0, FULL * 4 // 10, 0)
    found.put_back(1, FULL * 6 // 10, 0)
    assert found.charges_ppb(30 * H).tolist() == [FULL * 4 // 10, FULL * 6 // 10]
    assert offered(found, 30 * H) == [(1, FULL * 6 // 10)]
    found.take(1, 30 * H)
    assert found.next_ready_us(30 * H) == NEVER


def test_the_first_charger_that_is_warm_enough_is_taken() -> None:
    found = emptied(2, chargers("frozen", 5, "cold"), chargers("warm", 1))
    found.put_back(0, 0, 0)
    found.put_back(1, 0, 0)
    assert found.charges_ppb(after(0.5)).tolist() == [FULL // 2, 0]


def test_a_scanner_charges_from_its_least_to_its_most_degrees() -> None:
    roster = make_roster(hall(1), 1)
    (scanner,) = roster.scanners
    for shift_degc, charges in ((0.0, True), (0.1, False)):
        for least, most in ((20 + shift_degc, 40), (0, 20 - shift_degc)):
            only = replace(scanner, charge_min_degc=least, charge_max_degc=most)
            found = Pool(hall(1, chargers("post", 1)), replace(roster, scanners=(only,)))
            found.take(0, 0)
            found.put_back(0, 0, 0)
            assert (found.charges_ppb(H)[0] > 0) == charges


# --- when the next is ready --------------------------------------------------------


def looks(found: Pool, now_us: int) -> Iterator[int]:
    """Yield the moments at which it is worth a look, until somebody can be equipped [us]."""
    while not offered(found, now_us):
        now_us = found.next_ready_us(now_us)
        if now_us == NEVER:
            return
        yield now_us


def test_the_next_ready_one_is_the_first_on_its_charger() -> None:
    found = emptied(2, ready="60 %")
    found.put_back(0, FULL // 10, 0)
    found.put_back(1, FULL // 2, 0)
    (ready_us,) = looks(found, 0)
    assert ready_us == pytest.approx(after(0.1), abs=1)
    found.take(1, ready_us)
    (ready_us,) = looks(found, ready_us)
    assert ready_us == pytest.approx(after(0.5), abs=1)


def test_the_next_ready_one_may_still_stand_in_line() -> None:
    found = emptied(2, chargers("post", 1), ready="50 %")
    found.put_back(1, FULL * 9 // 10, 0)
    found.put_back(0, 0, 0)
    found.take(1, 0)
    found.put_back(1, FULL * 49 // 100, 0)  # behind the other, which charges now
    assert found.next_ready_us(0) == pytest.approx(after(0.5), abs=1)
    found.take(0, after(0.01))
    (ready_us,) = looks(found, after(0.01))
    assert ready_us == pytest.approx(after(0.02), abs=1)


# --- against a slow pool ------------------------------------------------------------

RATES = (1, 2, 5)  # thousandths of a full charge in a second
STEP = FULL // 1000


@dataclass
class SlowPool:
    """The same pool, second by second and in whole thousandths of a charge."""

    rates: list[int]
    room: list[int]
    fits: list[list[bool]]
    ready: int
    now_s: int = 0
    line: list[int] = field(default_factory=list)
    at: dict[int, int] = field(default_factory=dict)  # charger of each scanner on one

    def __post_init__(self) -> None:
        self.charge = [1000] * len(self.rates)
        self.free = [True] * len(self.rates)

    def offered(self) -> list[tuple[int, int]]:
        found = [(-c, s) for s, c in enumerate(self.charge) if self.free[s] and c >= self.ready]
        return [(s, -c * STEP) for c, s in sorted(found)]

    def take(self, scanner: int) -> None:
        self.free[scanner] = False
        if scanner in self.at:
            self.leave(scanner)
        elif scanner in self.line:
            self.line.remove(scanner)

    def put_back(self, scanner: int, charge: int) -> None:
        self.charge[scanner], self.free[scanner] = charge, True
        self.line.append(scanner)
        self.fill()
        self.make_room()

    def leave(self, scanner: int) -> None:
        self.room[self.at.pop(scanner)] += 1
        self.fill()

    def fill(self) -> None:
        """Let who stands in line dock, who came first first."""
        for scanner in list(self.line):
            free = [c for c, fits in enumerate(self.fits[scanner]) if fits and self.room[c]]
            if free:
                self.line.remove(scanner)
                self.at[scanner] = free[0]
                self.room[free[0]] -= 1

    def make_room(self) -> None:
        while full := sorted(s for s in self.at if self.charge[s] >= 1000):
            self.leave(full[0])

    def tick(self) -> None:
        self.now_s += 1
        for scanner in self.at:
            self.charge[scanner] = min(1000, self.charge[scanner] + self.rates[scanner])
        self.make_room()


def first_ready_s(slow: SlowPool) -> int:
    """Return the first second at which somebody can be equipped, NEVER without one."""
    ahead = deepcopy(slow)
    while not ahead.offered():
        if not ahead.at:
            return NEVER
        ahead.tick()
    return ahead.now_s


def scene(fleet: list[tuple[int, bool]], rooms: tuple[int, int], ready: int) -> Pool:
    """Return a pool of scanners that charge at their rates, the hardy ones in the cold too."""
    document, roster = SMALL[len(fleet)]
    at = zip(("cold", "line"), rooms, strict=True)
    groups = tuple(ChargerGroup(name=name, zone=name, count=count) for name, count in at)
    changes = {"chargers": groups, "ready_charge": ready / 10}
    own = [
        replace(one, charge_time_us=1000 * SECOND // rate, charge_min_degc=-20 if hardy else 5)
        for one, (rate, hardy) in zip(roster.scanners, fleet, strict=True)
    ]
    changed = {"fleet": document.fleet.model_copy(update=changes)}
    return Pool(document.model_copy(update=changed), replace(roster, scanners=tuple(own)))


SMALL = {count: (hall(count), make_roster(hall(count), 1)) for count in range(1, 7)}
FLEETS = st.lists(st.tuples(st.sampled_from(RATES), st.booleans()), min_size=1, max_size=6)
ROOMS = st.tuples(st.integers(0, 2), st.integers(0, 3))
STEP_TAKEN = st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 10), st.integers(0, 300))
Step = tuple[bool, int, int, int]


@given(FLEETS, ROOMS, st.integers(1, 9), st.lists(STEP_TAKEN, min_size=1, max_size=40))
@settings(deadline=None, derandomize=True, max_examples=150, database=None)
def test_the_pool_does_what_a_slow_one_does(
    fleet: list[tuple[int, bool]], rooms: tuple[int, int], ready: int, steps: list[Step]
) -> None:
    fast = scene(fleet, rooms, ready)
    fits = [[hardy, True] for _, hardy in fleet]
    slow = SlowPool([rate for rate, _ in fleet], list(rooms), fits, 100 * ready)
    for takes, which, tenths, wait_s in steps:
        now_us = slow.now_s * SECOND
        found = offered(fast, now_us)
        assert found == slow.offered()
        held = [scanner for scanner, free in enumerate(slow.free) if not free]
        if takes and found:
            scanner = found[which % len(found)][0]
            fast.take(scanner, now_us)
            slow.take(scanner)
        elif not takes and held:
            scanner = held[which % len(held)]
            fast.put_back(scanner, 100 * tenths * STEP, now_us)
            slow.put_back(scanner, 100 * tenths)
        assert_ready(fast, slow)
        for _ in range(wait_s):
            slow.tick()


def assert_ready(fast: Pool, slow: SlowPool) -> None:
    """The pool names the moment at which the next one is ready, or an earlier one to look again."""
    if slow.offered():
        return
    now_us, ready_s = slow.now_s * SECOND, first_ready_s(slow)
    named_us = fast.next_ready_us(now_us)
    assert now_us < named_us
    if slow.line:  # one that charges may make room for one that is nearer to ready
        assert named_us <= ready_s * SECOND
    else:
        assert named_us == (NEVER if ready_s == NEVER else ready_s * SECOND)


def docked(start_ppb: int) -> tuple[Pool, int]:
    """Return a pool of one that is docked at 0, and when it has 90 % [us]."""
    found = Pool(*ONE)
    found.take(0, 0)
    found.put_back(0, start_ppb, 0)
    moments_us = range(CHARGE_TIME_US)
    ready_us = bisect_left(moments_us, FULL * 9 // 10, key=lambda us: int(found.charges_ppb(us)[0]))
    return found, ready_us


ONE = (hall(1, ready="90 %"), SMALL[1][1])


@given(st.integers(0, FULL // 2), st.integers(0, CHARGE_TIME_US // 4))
@settings(deadline=None, derandomize=True, max_examples=200, database=None)
def test_the_moment_named_is_the_first_at_which_the_scanner_is_ready(
    start_ppb: int, asked_us: int
) -> None:
    found, ready_us = docked(start_ppb)
    assert list(looks(found, asked_us)) == [ready_us]
