"""What holds on every floor, whatever the scenario: order, completeness, charge, loss, queues."""

import numpy as np
import pytest
from hypothesis import strategies as st

import twin
from tests.laws.floors import (
    AIR_US,
    BUSY,
    DELIVERED,
    HORIZON,
    LIMITS,
    LOST,
    NO_FEEDBACK,
    Floor,
    arrived,
    floors,
    law,
    made_us,
    percents,
    ran,
    scans_of,
    sessions,
)
from tests.scenarios import MIN
from twin.events import NEVER, Kind


def test_a_busy_floor_has_all_that_the_laws_speak_of() -> None:
    rows = ran(BUSY).rows()
    assert set(np.unique(rows["kind"])) == {1, 2, 3, 4}
    assert set(np.unique(ran(BUSY._replace(loss=80)).rows()["outcome"])) >= {0, 1, 2}
    assert rows["wait_us"].max() > 1_000_000
    assert len(rows) > 1000


# --- time ------------------------------------------------------------------------


@law(floor=floors, cuts=st.lists(st.integers(0, HORIZON), max_size=8))
def test_any_slicing_gives_the_same_rows(floor: Floor, cuts: list[int]) -> None:
    whole, sliced = ran(floor), twin.open(floor.scenario())
    on_rows = whole.rows()["time_us"][:: max(1, len(whole.rows()) // 4)].tolist()
    for moment_us in sorted({*cuts, *on_rows, HORIZON}):
        sliced.run_to_us(moment_us, progress=False)
        assert (sliced.rows()["time_us"] < max(moment_us, 1)).all()
    assert whole.rows().tobytes() == sliced.rows().tobytes()
    assert whole.kpis().equals(sliced.kpis())


@law(floor=floors)
def test_a_shorter_run_is_the_beginning_of_a_longer_one(floor: Floor) -> None:
    rows = ran(floor).rows()
    short = twin.open(floor.scenario()).run("11 min", progress=False).rows()
    assert short.tobytes() == rows[: len(short)].tobytes()
    assert len(short) == (rows["time_us"] < 11 * MIN).sum()


# --- gateways --------------------------------------------------------------------


@law(floor=floors)
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


@law(floor=floors)
def test_a_gateway_of_constant_service_follows_lindley(floor: Floor) -> None:
    steady = floor._replace(service_ms=(floor.service_ms[1], floor.service_ms[1]))
    for rows in arrived(ran(steady).rows()):
        left_us = rows["wait_us"][:-1] + steady.service_ms[0] * 1000 - np.diff(rows["time_us"])
        assert (rows["wait_us"][1:] == np.maximum(left_us, 0)).all()


@law(floor=floors)
def test_gateways_uplink_in_the_order_of_arrival(floor: Floor) -> None:
    for rows in arrived(ran(floor).rows()):
        uplinked_us = rows["visible_us"] - 150_000
        assert (np.diff(uplinked_us) >= 0).all()
        served_us = rows["time_us"] + rows["wait_us"] + floor.service_ms[0] * 1000
        assert (uplinked_us >= served_us).all()


@law(floor=floors)
def test_nothing_takes_less_than_the_least_service(floor: Floor) -> None:
    opened = ran(floor)
    for rows in scans_of(opened.rows()).values():
        got = rows[rows["outcome"] != LOST]
        at_least_us = got["wait_us"] + floor.service_ms[0] * 1000 + AIR_US
        heard = got[got["outcome"] == DELIVERED]
        heard_us = at_least_us[got["outcome"] == DELIVERED]
        assert (heard["beep_us"] - heard["time_us"] >= heard_us).all()
        assert (got["link_us"] >= AIR_US).all()


@law(floor=floors)
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


@law(floor=floors)
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


@law(floor=floors)
def test_what_failed_is_scanned_again(floor: Floor) -> None:
    for rows in scans_of(ran(floor).rows()).values():
        failed = rows["outcome"][:-1] != DELIVERED
        place = rows["job"].astype(np.int64) * 10_000 + rows["line"]
        if floor.jobs:
            assert (place[1:][failed] == place[:-1][failed]).all()
            assert (place[1:][~failed] != place[:-1][~failed]).all()


@law(floor=floors)
def test_every_report_of_a_session_has_one_row(floor: Floor) -> None:
    rows = ran(floor).rows()
    reports = rows[rows["kind"] == Kind.TELEMETRY]
    for session in sessions(rows, HORIZON):
        own = reports[reports["worker"] == session.taken["worker"]]
        moments_us = made_us(own)
        assert (np.diff(own["number"]) == 1).all()
        assert (np.diff(moments_us) == 20_000_000).all()
        assert session.opened_us <= moments_us[0] < session.opened_us + 20_000_000
        # The last one may still be on its way when the run ends.
        earliest_us = session.ends_us - 25_000_000 - 5_000_000 * (session.ends_us == HORIZON)
        assert earliest_us <= moments_us[-1] < session.ends_us


# --- charge and loss -------------------------------------------------------------------


@law(floor=floors)
def test_charge_never_rises_in_a_session(floor: Floor) -> None:
    for session in sessions(ran(floor).rows(), HORIZON):
        charges = [session.taken["battery"], *session.rows["battery"]]
        assert (np.diff(np.array(charges, int)) <= 0).all()
        assert charges[-1] < charges[0]


@law(floor=floors, more=percents)
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
