"""Pairing: attempts until one succeeds, and one scanner after the other at each gateway.

At 99.9 %: Student for the mean, Pearson for the attempts; a chance 10 % off would be seen. The
order at a gateway is exact.
"""

import numpy as np
import pytest

import twin
from tests.scenarios import NOTHING, H, constant, fixed, scanners, scenario, shift, station
from tests.theory import intervals
from tests.theory.gates import S
from twin.events import Kind
from twin.scenario import Scenario
from twin.world.connecting import Connecting
from twin.world.roster import make_roster

BLE = "links.ble.stationary"


def failing(chance: str, **changes: object) -> Scenario:
    own = {f"{BLE}.{key}": value for key, value in changes.items()}
    return scenario({f"{BLE}.connect_failure": chance, **own})


@pytest.mark.parametrize("kind", ["stationary", "mobile"])
@pytest.mark.parametrize("chance", [0.05, 0.3])
def test_attempts_are_geometric(chance: float, kind: str) -> None:
    phones = [{"name": "walk", "kind": "mobile", "count": 5, "usecase": "Picking"}]
    changes = {"fleet.gateways": phones} if kind == "mobile" else {}
    failure = {f"links.ble.{kind}.connect_failure": f"{chance * 100:g} %"}
    document = scenario({**changes, **failure})
    connecting = Connecting(document, make_roster(document, 1), 1)
    found = np.array([connecting.connect(n % 5, 0, n * H)[1] for n in range(12_000)])
    assert 1 / (1 - chance) in intervals.mean(found)
    cells = range(1, 4 if chance < 0.1 else 7)

    def expected(success: float) -> list[float]:
        first = intervals.geometric(success, cells)
        return [len(found) * share for share in (*first, 1 - sum(first))]

    counts = [(found == n).sum() for n in cells]
    counts.append(len(found) - sum(counts))
    if chance < 0.1:
        counts, first = [*counts[:2], sum(counts[2:])], expected(1 - chance)
        assert intervals.fits(counts, [*first[:2], sum(first[2:])])
        assert 1 / (1 - chance * 1.2) not in intervals.mean(found)
        return
    assert 1 / (1 - chance * 1.1) not in intervals.mean(found)
    assert intervals.fits(counts, expected(1 - chance))
    assert not intervals.fits(counts, expected(1 - chance * 1.1))


def test_sessions_say_how_many_attempts_they_took() -> None:
    document = scenario({
        "work.shifts": [shift(workers=50, duration="1 h")],
        "fleet.gateways": [fixed("line", "line-middle", limit=50)],
        "fleet.scanners": scanners(50),
        f"{BLE}.connect_failure": "30 %",
        f"{BLE}.connect": constant("1 s"),
        f"{BLE}.pairing_timer": "0 s",
        "work.jobs": [],
        "work.pick_interval": constant("20 h"),
        "cloud.telemetry_period": "off",
        "run.horizon": "60 d",
    })  # fmt: skip
    rows = twin.open(document, seed=1).run(progress=False).rows()
    opened = rows[rows["kind"] == Kind.SESSION_OPEN]
    by_day = opened["attempts"].reshape(-1, 50).mean(axis=1)
    assert 1 / 0.7 in intervals.mean(by_day)
    assert 1 / 0.66 not in intervals.mean(by_day)


# --- one at a time -------------------------------------------------------------------------------


def test_a_gateway_connects_one_after_the_other_in_the_order_of_arrival() -> None:
    # Constant attempts that succeed: begin when there and free, by Lindley.
    document = scenario({
        "site.stations": [station("west", 5), station("east", 25)],
        "fleet.gateways": [fixed("posts", "west", "east", limit=20)],
        "work.shifts": [shift(workers=30)],
        "fleet.scanners": scanners(30),
        "work.start_spread": "1 min",
        f"{BLE}.connect": constant("4 s"),
        "run.horizon": "5 min",
    })  # fmt: skip
    rows = twin.open(document, seed=1).run(progress=False).rows()
    opened = rows[rows["kind"] == Kind.SESSION_OPEN]
    assert len(opened) == 30
    for gateway in range(2):
        own = np.sort(opened[opened["gateway"] == gateway], order="beep_us")
        there_us = own["beep_us"] - own["wait_us"]
        assert (np.diff(there_us) >= 0).all()
        free_us = 0
        for arrives_us, connected_us in zip(
            there_us.tolist(), own["beep_us"].tolist(), strict=True
        ):
            free_us = max(arrives_us, free_us) + 4 * S
            assert connected_us == free_us
        assert own["wait_us"].max() > 8 * S


def test_no_two_attempts_at_a_gateway_overlap() -> None:
    # Of constant length, and some fail: each moment of connecting is at least one attempt later.
    document = failing("40 %", connect=constant("5 s"), pairing_timer="7 s")
    connecting = Connecting(document, make_roster(document, 1), 1)
    found = np.array([connecting.connect(n % 5, 0, n * 3 * S) for n in range(2_000)])
    connected_us, attempts = np.sort(found[:, 0]), found[:, 1]
    assert (np.diff(connected_us) >= 5 * S).all()
    assert connected_us[-1] >= 5 * S * attempts.sum()
    assert connected_us[-1] < 6 * S * attempts.sum()  # and hardly a moment is idle


def test_a_failed_attempt_holds_its_worker_for_the_timer() -> None:
    document = failing("50 %", connect=constant("5 s"), pairing_timer="60 s")
    connecting = Connecting(document, make_roster(document, 1), 1)
    for n in range(200):
        connected_us, attempts = connecting.connect(n % 5, 0, n * H)
        assert connected_us == n * H + (attempts - 1) * 60 * S + 5 * S


def test_the_timer_of_one_worker_does_not_hold_the_gateway() -> None:
    document = failing("50 %", connect=constant("5 s"), pairing_timer="60 s")
    connecting = Connecting(document, make_roster(document, 1), 1)
    found = [connecting.connect(w, 0, w * S) for w in range(5)]
    # Who needs one attempt only waits for the attempts of others, not for their timers.
    first_us = max(moment_us for moment_us, attempts in found if attempts == 1)
    assert first_us <= 5 * S * 5 + 4 * S


def test_who_sets_out_later_may_be_connected_in_a_gap() -> None:
    document = failing("0 %", connect=constant("5 s"))
    connecting = Connecting(document, make_roster(document, 1), 1)
    arrive_s = [60, 20, 56, 52, 55]  # whoever sets out first is asked first
    found = [connecting.connect(w, 0, at * S)[0] / S for w, at in enumerate(arrive_s)]
    assert found == [65, 25, 70, 57, 75]


def test_nothing_to_connect_takes_no_time() -> None:
    document = failing("0 %", connect=NOTHING)
    connecting = Connecting(document, make_roster(document, 1), 1)
    assert [connecting.connect(w, 0, 7) for w in range(5)] == [(7, 1)] * 5
