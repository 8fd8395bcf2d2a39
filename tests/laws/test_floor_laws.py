"""What holds on every floor, whatever the scenario: order, completeness, charge, loss, queues."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import twin
from tests.scenarios import MIN, Table, constant, fixed, phones, scanners, scenario, shift, station
from twin.events import NEVER, Kind, Outcome
from twin.scenario import Scenario
from twin.twin import Twin

Rows = NDArray[np.void]

HORIZON = 20 * MIN
AIR_US = 1_000
LIMITS = {"stationary": 420 // 50, "mobile": 5_000 // 50}  # attempts within the timeout
DELIVERED, LOST, NO_FEEDBACK = Outcome.DELIVERED, Outcome.LOST_BLE, Outcome.NO_FEEDBACK

few = settings(deadline=None, derandomize=True, max_examples=20, database=None)
percents = st.integers(0, 90)


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
        return scenario(changes)


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


def ran(floor: Floor, **how: Any) -> Twin:
    return twin.open(floor.scenario(**how)).run(progress=False)


def messages(rows: Rows) -> Rows:
    return rows[np.isin(rows["kind"], (Kind.SCAN, Kind.TELEMETRY))]


def arrived(rows: Rows) -> list[Rows]:
    """Return what reached each gateway, in the order in which it came."""
    found = messages(rows)
    found = found[found["outcome"] != LOST]
    return [found[found["gateway"] == gateway] for gateway in np.unique(found["gateway"])]


def scans_of(rows: Rows) -> dict[int, Rows]:
    scans = rows[rows["kind"] == Kind.SCAN]
    return {int(w): scans[scans["worker"] == w] for w in np.unique(scans["worker"])}


def test_a_busy_floor_has_all_that_the_laws_speak_of() -> None:
    rows = ran(BUSY).rows()
    assert set(np.unique(rows["kind"])) == {1, 2, 3, 4}
    assert set(np.unique(ran(BUSY._replace(loss=80)).rows()["outcome"])) >= {0, 1, 2}
    assert rows["wait_us"].max() > 1_000_000
    assert len(rows) > 1000


# --- time ------------------------------------------------------------------------


@given(floor=floors, cuts=st.lists(st.integers(0, HORIZON), max_size=8))
@few
def test_any_slicing_gives_the_same_rows(floor: Floor, cuts: list[int]) -> None:
    whole, sliced = ran(floor), twin.open(floor.scenario())
    on_rows = whole.rows()["time_us"][:: max(1, len(whole.rows()) // 4)].tolist()
    for moment_us in sorted({*cuts, *on_rows, HORIZON}):
        sliced.run_to_us(moment_us, progress=False)
        assert (sliced.rows()["time_us"] < max(moment_us, 1)).all()
    assert whole.rows().tobytes() == sliced.rows().tobytes()
    assert whole.kpis().equals(sliced.kpis())


@given(floor=floors)
@few
def test_a_shorter_run_is_the_beginning_of_a_longer_one(floor: Floor) -> None:
    rows = ran(floor).rows()
    short = twin.open(floor.scenario()).run("11 min", progress=False).rows()
    assert short.tobytes() == rows[: len(short)].tobytes()
    assert len(short) == (rows["time_us"] < 11 * MIN).sum()


# --- gateways --------------------------------------------------------------------


@given(floor=floors)
@few
def test_gateways_serve_in_the_order_of_arrival(floor: Floor) -> None:
    shortest_us, longest_us = (ms * 1000 for ms in floor.service_ms)
    for rows in arrived(ran(floor).rows()):
        begins_us = rows["time_us"] + rows["wait_us"]
        assert (rows["wait_us"] >= 0).all()
        assert (np.diff(rows["time_us"]) >= 0).all()
        assert (np.diff(begins_us) >= shortest_us).all()
        # Who waits begins as the one before is done: no longer after it than a service lasts.
        waited = rows["wait_us"][1:] > 0
        assert (np.diff(begins_us)[waited] <= longest_us).all()


@given(floor=floors)
@few
def test_a_gateway_of_constant_service_follows_lindley(floor: Floor) -> None:
    steady = floor._replace(service_ms=(floor.service_ms[1], floor.service_ms[1]))
    for rows in arrived(ran(steady).rows()):
        left_us = rows["wait_us"][:-1] + steady.service_ms[0] * 1000 - np.diff(rows["time_us"])
        assert (rows["wait_us"][1:] == np.maximum(left_us, 0)).all()


@given(floor=floors)
@few
def test_gateways_uplink_in_the_order_of_arrival(floor: Floor) -> None:
    for rows in arrived(ran(floor).rows()):
        uplinked_us = rows["visible_us"] - 150_000
        assert (np.diff(uplinked_us) >= 0).all()
        served_us = rows["time_us"] + rows["wait_us"] + floor.service_ms[0] * 1000
        assert (uplinked_us >= served_us).all()


@given(floor=floors)
@few
def test_nothing_takes_less_than_the_least_service(floor: Floor) -> None:
    opened = ran(floor)
    for rows in scans_of(opened.rows()).values():
        got = rows[rows["outcome"] != LOST]
        at_least_us = got["wait_us"] + floor.service_ms[0] * 1000 + AIR_US
        heard = got[got["outcome"] == DELIVERED]
        heard_us = at_least_us[got["outcome"] == DELIVERED]
        assert (heard["beep_us"] - heard["time_us"] >= heard_us).all()
        assert (got["link_us"] >= AIR_US).all()


@given(floor=floors)
@few
def test_littles_law_holds_at_every_gateway(floor: Floor) -> None:
    opened = ran(floor)
    queues = []
    for rows in arrived(opened.rows()):
        # The queue rebuilt: one more at each arrival, one less at each beginning of service.
        moments_us = np.concatenate([rows["time_us"], rows["time_us"] + rows["wait_us"]])
        moments_us = np.minimum(moments_us, opened.now_us)  # what waits longer waits until now
        steps = np.repeat([1, -1], len(rows))
        order = np.lexsort((-steps, moments_us))
        waiting = np.cumsum(steps[order])
        assert waiting.min() >= 0
        assert waiting[-1] == 0
        queues.append(int((waiting[:-1] * np.diff(moments_us[order])).sum()) / opened.now_us)
    assert opened.kpis()["gateway_queue_max"].iloc[0] == pytest.approx(max(queues), rel=1e-12)


# --- nothing is lost without a row that says why ---------------------------------------


@given(floor=floors)
@few
def test_every_scan_has_one_row_that_says_what_became_of_it(floor: Floor) -> None:
    opened = ran(floor)
    limits = np.array([LIMITS[g.kind] for g in opened._site.roster.gateways])
    for rows in scans_of(opened.rows()).values():
        assert rows["number"].tolist() == list(range(len(rows)))
        assert set(rows["outcome"].tolist()) <= {DELIVERED, LOST, NO_FEEDBACK}
        lost = rows["outcome"] == LOST
        assert ((rows["visible_us"] == NEVER) == lost).all()
        assert (rows["beep_us"] != NEVER).all()
        assert (rows["attempts"] <= limits[rows["gateway"]]).all()
        assert (rows["attempts"] == limits[rows["gateway"]])[lost].all()


@given(floor=floors)
@few
def test_what_failed_is_scanned_again(floor: Floor) -> None:
    for rows in scans_of(ran(floor).rows()).values():
        failed = rows["outcome"][:-1] != DELIVERED
        place = rows["job"].astype(np.int64) * 10_000 + rows["line"]
        if floor.jobs:
            assert (place[1:][failed] == place[:-1][failed]).all()
            assert (place[1:][~failed] != place[:-1][~failed]).all()


@given(floor=floors)
@few
def test_every_report_of_a_session_has_one_row(floor: Floor) -> None:
    rows = ran(floor).rows()
    reports = rows[rows["kind"] == Kind.TELEMETRY]
    for opened in rows[rows["kind"] == Kind.SESSION_OPEN]:
        own = reports[reports["worker"] == opened["worker"]]
        made_us = own["time_us"] - own["link_us"]
        assert (np.diff(own["number"]) == 1).all()
        assert (np.diff(made_us) == 20_000_000).all()
        assert opened["time_us"] <= made_us[0] < opened["time_us"] + 20_000_000
        closed = rows[(rows["kind"] == Kind.SESSION_CLOSE) & (rows["worker"] == opened["worker"])]
        ends_us = closed["time_us"][0] if len(closed) else HORIZON
        # The last one may still be on its way when the run ends.
        assert ends_us - 25_000_000 - 5_000_000 * (not len(closed)) <= made_us[-1] < ends_us


# --- charge and loss -------------------------------------------------------------------


@given(floor=floors)
@few
def test_charge_never_rises_in_a_session(floor: Floor) -> None:
    rows = ran(floor).rows()
    held = rows[rows["kind"] != Kind.UNEQUIPPED]
    for worker in np.unique(held["worker"]):
        own = held[held["worker"] == worker]
        assert (own["kind"] == Kind.SESSION_OPEN).sum() == 1
        for kind in (Kind.SCAN, Kind.TELEMETRY):
            edges = own[np.isin(own["kind"], (kind, Kind.SESSION_OPEN, Kind.SESSION_CLOSE))]
            inside = edges[edges["time_us"] < _closed_us(edges)]
            assert (np.diff(inside["battery"]) <= 0).all()
            assert edges["battery"][edges["kind"] == Kind.SESSION_CLOSE].max(
                initial=0
            ) <= inside["battery"].min()  # fmt: skip
        assert own["battery"].min() < own["battery"][0]


def _closed_us(rows: Rows) -> int:
    """When a session closes, or NEVER; what was on the air then arrives later [us]."""
    return int(rows["time_us"][rows["kind"] == Kind.SESSION_CLOSE].min(initial=NEVER))


@given(floor=floors, more=percents)
@few
def test_more_loss_never_brings_a_message_sooner(floor: Floor, more: int) -> None:
    low, high = sorted((floor.loss, more))
    clear, lossy = (scans_of(ran(floor, loss=loss).rows()) for loss in (low, high))
    firsts = np.zeros(2, int)
    for worker in clear.keys() & lossy.keys():
        n = min(len(clear[worker]), len(lossy[worker]))
        one, other = clear[worker][:n], lossy[worker][:n]
        assert (one["gateway"] == other["gateway"]).all()
        assert (one["attempts"] <= other["attempts"]).all()
        assert ((one["outcome"] == LOST) <= (other["outcome"] == LOST)).all()
        firsts += [(rows["attempts"] == 1).sum() for rows in (one, other)]
    assert firsts[0] >= firsts[1]
