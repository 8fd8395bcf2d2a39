"""Scanners are paired, one at a time at a gateway, and swapped when they are empty."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.scenarios import (
    NOTHING,
    H,
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
from twin.world.connecting import Connecting
from twin.world.roster import make_roster
from twin.world.site import Site

Rows = NDArray[np.void]
OPEN, CLOSE, UNEQUIPPED = Kind.SESSION_OPEN, Kind.SESSION_CLOSE, Kind.UNEQUIPPED

S = 1_000_000
CHARGE_TIME_US = 2 * H  # of a MARK 3
WORKERS = 6
STATIONARY, MOBILE = "links.ble.stationary", "links.ble.mobile"
POST, PHONE, OTHER_POST = 0, 2, 1


def site(**changes: object) -> Scenario:
    """Return a site with two posts and a phone; a key says where, as in ``post__connect``."""
    kinds = {"post": STATIONARY, "phone": MOBILE, "ble": "links.ble"}
    named = {}
    for key, value in changes.items():
        kind, name = key.split("__")
        named[f"{kinds[kind]}.{name}"] = value
    return scenario(
        {
            "site.stations": [station("west", 5), station("east", 25)],
            "work.shifts": [shift(workers=WORKERS)],
            "fleet.scanners": scanners(WORKERS),
            "fleet.gateways": [fixed("posts", "west", "east"), phones("walk", 1)],
            **named,
        }
    )


def connecting(document: Scenario, seed: int = 1) -> Connecting:
    return Connecting(document, make_roster(document, seed), seed)


# --- one after the other -----------------------------------------------------------


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12).map(sorted))
@settings(deadline=None, derandomize=True, max_examples=60, database=None)
def test_a_gateway_connects_one_after_the_other_in_the_order_of_arrival(
    arrive_s: list[int],
) -> None:
    found, free_s = connecting(FIVE_SECONDS), 0
    for n, there_s in enumerate(arrive_s):
        free_s = max(there_s, free_s) + 5
        assert found.connect(n % WORKERS, POST, there_s * S) == (free_s * S, 1)


FIVE_SECONDS = site(post__connect=constant("5 s"), phone__connect=constant("3 s"))


def test_gateways_do_not_wait_for_each_other() -> None:
    found = connecting(FIVE_SECONDS)
    assert [found.connect(w, POST, 0)[0] for w in range(2)] == [5 * S, 10 * S]
    assert found.connect(2, OTHER_POST, 0) == (5 * S, 1)
    assert found.connect(3, PHONE, 0) == (3 * S, 1)


def test_an_attempt_takes_what_its_law_says() -> None:
    document = site(post__connect={"law": "uniform", "low": "2 s", "high": "6 s"})
    took_s = [connecting(document).connect(w, POST, n * H)[0] / S - n * H / S
              for n in range(100) for w in range(WORKERS)]  # fmt: skip
    assert 2 <= min(took_s) < 2.1
    assert 5.9 < max(took_s) <= 6
    assert np.mean(took_s) == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("gateway", [POST, PHONE])
def test_nothing_to_do_takes_no_time(gateway: int) -> None:
    found = connecting(site(post__connect=NOTHING, phone__connect=NOTHING))
    arrive_us = [0, 0, 7, 7, 7 * S]
    assert [found.connect(w, gateway, at) for w, at in enumerate(arrive_us)] == [
        (at, 1) for at in arrive_us
    ]


# --- attempts that fail --------------------------------------------------------------


def many(document: Scenario, gateway: int, count: int = 400) -> list[tuple[int, int]]:
    """Return (time it took [us], attempts) of workers who come an hour apart."""
    found = connecting(document)
    hours = [(n, n * H) for n in range(count)]
    pairs = [(now_us, found.connect(n % WORKERS, gateway, now_us)) for n, now_us in hours]
    return [(moment_us - now_us, attempts) for now_us, (moment_us, attempts) in pairs]


def test_so_many_attempts_fail() -> None:
    document = site(post__connect_failure="40 %", phone__connect_failure="10 %")
    for gateway, share in ((POST, 0.4), (PHONE, 0.1)):
        attempts = np.array([attempts for _, attempts in many(document, gateway, 2000)])
        assert 1 - 2000 / attempts.sum() == pytest.approx(share, abs=0.04)
        assert (attempts == 1).mean() == pytest.approx(1 - share, abs=0.04)


@pytest.mark.parametrize(("timer", "each_s"), [("60 s", 60), ("5 s", 5), ("0 s", 5), ("1 s", 5)])
def test_a_failed_attempt_holds_its_worker_for_the_timer(timer: str, each_s: int) -> None:
    # The timer runs from the beginning of an attempt, which itself takes 5 s.
    document = site(
        post__connect=constant("5 s"), post__connect_failure="60 %", post__pairing_timer=timer
    )
    found = many(document, POST)
    assert max(attempts for _, attempts in found) > 4
    assert {took_us for took_us, attempts in found if attempts == 1} == {5 * S}
    for took_us, attempts in found:
        assert took_us == ((attempts - 1) * each_s + 5) * S


def test_phones_try_again_at_once_but_know_no_timer() -> None:
    document = site(
        phone__connect=constant("2 s"), phone__connect_failure="30 %", phone__pairing_timer="60 s"
    )
    found = [pair for pair in many(document, PHONE) if pair[1] <= 5]
    assert {attempts for _, attempts in found} == {1, 2, 3, 4, 5}
    assert all(took_us == 2 * S * attempts for took_us, attempts in found)


def begins_s(attempts: int, each_s: int, starts: int, window_s: int) -> int:
    """Return when an attempt begins where no window sees more than so many starts [s]."""
    begins = [0]
    for n in range(1, attempts):
        ready = begins[-1] + each_s
        begins.append(max(ready, begins[n - starts] + window_s) if n >= starts else ready)
    return begins[-1]


@pytest.mark.parametrize(
    ("starts", "window_s", "each_s"), [(5, 30, 1), (5, 30, 2), (5, 30, 6), (5, 30, 9), (1, 10, 3)]
)
def test_phones_start_five_times_in_thirty_seconds(starts: int, window_s: int, each_s: int) -> None:
    document = site(
        phone__connect=constant(f"{each_s} s"),
        phone__connect_failure="80 %",
        ble__scan_starts=starts,
        ble__scan_starts_window=f"{window_s} s",
    )
    assert (document.links.ble.scan_starts_window_us, begins_s(6, 1, 5, 30)) == (window_s * S, 30)
    found = many(document, PHONE)
    assert max(attempts for _, attempts in found) > 10
    for took_us, attempts in found:
        assert took_us == (begins_s(attempts, each_s, starts, window_s) + each_s) * S


def test_after_a_hundred_attempts_somebody_helps() -> None:
    document = site(
        post__connect=constant("1 s"),
        post__connect_failure="99.999999 %",
        post__pairing_timer="0 s",
    )
    assert connecting(document).connect(0, POST, 0) == (100 * S, 100)


# --- whose luck it is -----------------------------------------------------------------


def test_the_luck_of_an_attempt_is_that_of_worker_and_moment() -> None:
    document = site(
        post__connect={"law": "uniform", "low": "2 s", "high": "6 s"}, post__connect_failure="30 %"
    )
    alone = [connecting(document).connect(w, POST, w * H) for w in range(WORKERS)]
    together = connecting(document)
    for w in reversed(range(WORKERS)):
        assert connecting(document).connect(w, OTHER_POST, w * H) == alone[w]
    assert [together.connect(w, POST, w * H) for w in range(WORKERS)] == alone
    assert len({moment_us % H for moment_us, _ in alone}) == WORKERS
    again = [connecting(document, seed=2).connect(w, POST, w * H) for w in range(WORKERS)]
    assert again != alone
    assert connecting(document).connect(0, POST, 9 * H)[0] - 9 * H != alone[0][0]


def test_the_timer_of_one_worker_does_not_hold_the_gateway() -> None:
    document = site(
        post__connect=constant("4 s"), post__connect_failure="50 %", post__pairing_timer="60 s"
    )
    found = connecting(document)
    ends = [found.connect(w, POST, w * S) for w in range(WORKERS)]
    assert ends[0][1] == 1
    assert max(attempts for _, attempts in ends) > 1
    at_once_us = [moment_us for moment_us, attempts in ends if attempts == 1]
    assert max(at_once_us) <= 4 * S * WORKERS


def test_shifts_that_begin_together_share_a_gateway_in_the_order_of_arrival() -> None:
    shifts = [shift("a", workers=4), shift("b", workers=4)]
    equipped = {"fleet.scanners": scanners(8), "fleet.gateways": [fixed("line", "line-middle")]}
    chunks: list[Rows] = []
    Site(scenario({"work.shifts": shifts, **equipped}), 1, "compiled", chunks.append).run(1)
    rows = np.concatenate(chunks)
    assert len(rows) == 8
    assert rows["wait_us"].tolist() == [0] * 8  # for pairing takes no time here


# --- empty scanners ----------------------------------------------------------------

ENGINES = ("compiled", "reference")
TIRING: Mapping[str, object] = {
    "work.shifts": [shift("a", workers=1)],
    "work.start_spread": "0 s",
    "work.job_lines": {"median": 40, "mean": 40, "min": 40, "max": 40},
    "fleet.battery_idle_drain": "20 %/h",
    "fleet.low_charge": "90 %",
    "fleet.ready_charge": "95 %",
    "fleet.swap_time": constant("60 s"),
    "links.ble.stationary.connect": constant("4 s"),
    "links.ble.stationary.loss_near": "50 %",
    "links.ble.stationary.loss_far": "50 %",
    "links.ble.stationary.supervision_timeout": "100 ms",
}
both_engines = pytest.mark.parametrize("engine", ENGINES)


def of_kind(rows: Rows, *kinds: Kind) -> Rows:
    return rows[np.isin(rows["kind"], kinds)]


def tired(count: int, engine: str, **changes: object) -> Rows:
    """Return the rows of a worker who shares so many scanners with nobody."""
    named = {key.replace("__", "."): value for key, value in changes.items()}
    document = scenario({**TIRING, "fleet.scanners": scanners(count), **named})
    chunks: list[Rows] = []
    Site(document, 1, engine, lambda chunk: chunks.append(chunk.copy())).run(8 * H + 1)
    return np.concatenate(chunks)


@both_engines
def test_a_worker_asks_at_the_first_delivered_scan_below_low_charge(engine: str) -> None:
    rows = tired(5, engine)
    own = of_kind(rows, Kind.SCAN, Kind.SWAP)
    swaps = np.flatnonzero(own["kind"] == Kind.SWAP)
    delivered = own["outcome"] == Outcome.DELIVERED
    low = (own["kind"] == Kind.SCAN) & (own["battery"] < 9_000)
    assert np.flatnonzero(low & delivered).tolist() == (swaps - 1).tolist()
    assert len(swaps) > 10
    assert (low & ~delivered).sum() > 2  # who has not heard a beep goes on
    assert (own["time_us"][swaps] == own["time_us"][swaps - 1]).all()


@both_engines
def test_a_swap_takes_the_walk_and_the_pairing(engine: str) -> None:
    # Nothing charges, so each time it is the next of the fleet.
    posts = [{"name": "post", "zone": "line", "count": 0}]
    swaps = of_kind(tired(50, engine, fleet__chargers=posts), Kind.SWAP)
    assert set((swaps["beep_us"] - swaps["time_us"]).tolist()) == {64 * S}
    assert set(swaps["wait_us"].tolist()) == {64 * S}
    assert set(swaps["battery"].tolist()) == {10_000}
    assert swaps["scanner"].tolist() == list(range(1, len(swaps) + 1))
    assert (set(swaps["gateway"].tolist()), set(swaps["attempts"].tolist())) == ({0}, {1})


@both_engines
def test_an_empty_scanner_goes_to_a_charger(engine: str) -> None:
    rows = of_kind(tired(2, engine), OPEN, CLOSE, UNEQUIPPED, Kind.SWAP, Kind.SCAN)
    taken = np.flatnonzero(rows["kind"] == Kind.SWAP)
    assert rows["scanner"][taken].tolist() == [(n + 1) % 2 for n in range(len(taken))]
    put_back = dict[int, tuple[int, int]]()
    for n in taken:
        scanner, now_us = rows["scanner"][n], rows["time_us"][n]
        if scanner in put_back:
            since_us, battery = put_back[scanner]
            charged = 10_000 * (now_us - since_us) / CHARGE_TIME_US
            assert rows["battery"][n] == pytest.approx(min(10_000, battery + charged), abs=1.1)
        put_back[rows["scanner"][n - 1]] = now_us, rows["battery"][n - 1]
    assert len(taken) > 10


@both_engines
def test_who_finds_no_other_scanner_waits_until_one_has_charged(engine: str) -> None:
    rows = of_kind(tired(1, engine), OPEN, CLOSE, UNEQUIPPED, Kind.SWAP, Kind.SCAN)
    asks = np.flatnonzero(rows["kind"] == UNEQUIPPED)
    assert len(asks) > 5
    for n in asks[:-1]:
        scan, closed, unequipped, opened = rows[n - 2 : n + 2]
        kinds = [Kind.SCAN, CLOSE, UNEQUIPPED, OPEN]
        assert [row["kind"] for row in (scan, closed, unequipped, opened)] == kinds
        assert scan["time_us"] == closed["time_us"] == unequipped["time_us"]
        assert (closed["scanner"], closed["battery"]) == (0, scan["battery"])
        assert unequipped["outcome"] == Outcome.NO_SCANNER
        wait_us = opened["time_us"] - closed["time_us"]
        missing = 9_500 - closed["battery"]
        assert wait_us == pytest.approx(missing / 10_000 * CHARGE_TIME_US, abs=CHARGE_TIME_US / 9e3)
        assert opened["battery"] == 9_500
        assert opened["beep_us"] == opened["time_us"] + 64 * S
        assert opened["wait_us"] == opened["beep_us"] - unequipped["time_us"]


@both_engines
def test_the_job_goes_on_after_a_swap_and_after_the_wait_for_one(engine: str) -> None:
    for count, kind in ((50, Kind.SWAP), (1, UNEQUIPPED)):
        rows = tired(count, engine)
        scans = of_kind(rows, Kind.SCAN)
        swapped_us = of_kind(rows, kind)["time_us"][:-1]
        assert len(swapped_us) > 5
        before = np.searchsorted(scans["time_us"], swapped_us, "right") - 1
        inside = before[scans["line"][before] < 41]
        assert len(inside) > 4
        assert (scans["line"][inside + 1] == scans["line"][inside] + 1).all()
        assert (scans["job"][inside + 1] == scans["job"][inside]).all()
        assert (scans["number"][before + 1] == scans["number"][before] + 1).all()
        first_us = scans["time_us"][before + 1] - scans["link_us"][before + 1]
        assert (first_us - swapped_us > 64 * S).all()


def test_what_is_swapped_is_the_same_in_both_engines() -> None:
    shifts = [shift("a", workers=3), shift("b", "09:00", "4 h", workers=3)]
    posts = [{"name": "post", "zone": "line", "count": 2}]
    changes = {"work__shifts": shifts, "fleet__chargers": posts}
    one, other = (tired(4, engine, **changes) for engine in ENGINES)
    assert one.tobytes() == other.tobytes()
    assert len(of_kind(one, Kind.SWAP)) > 10
    assert len(of_kind(one, UNEQUIPPED)) > 10


@both_engines
def test_who_hears_of_the_last_scan_after_the_end_needs_no_other_scanner(engine: str) -> None:
    lossless = {f"links__ble__stationary__{key}": "0 %" for key in ("loss_near", "loss_far")}
    changes = {**lossless, "fleet__battery_idle_drain": "0 %/h", "fleet__ready_charge": "99.999 %"}
    usual = of_kind(tired(2, engine, **changes), Kind.SCAN)
    last = next(row for row in usual[200:] if row["link_us"] > 20_000)
    ends_us = int(last["time_us"] - last["link_us"] // 2)
    low = {"fleet__low_charge": f"{(last['battery'] + 0.5) / 100} %"}
    early = {"work__shifts": [shift("a", workers=1, duration=f"{ends_us} us")]}
    rows = tired(2, engine, **changes, **low, **early)
    assert rows[-1]["time_us"] == last["time_us"]
    assert len(of_kind(rows, Kind.SWAP)) == 0
