"""What holds on every floor where all goes wrong that can: links, batteries, uplinks, slips.

Nothing is lost without a row that says why, charge never rises in a hand, order is kept.
"""

import numpy as np
import pytest
from hypothesis import strategies as st

import twin
from tests.laws.floors import (
    AIR_US,
    DELIVERED,
    LIMITS,
    LOST,
    LOST_BUFFER,
    NO_FEEDBACK,
    NOT_CONNECTED,
    ROUGH,
    SHORT,
    TAKEN,
    Rough,
    Rows,
    Session,
    arrived,
    law,
    made_us,
    messages,
    ran,
    roughs,
    scans_of,
    sessions,
)
from tests.scenarios import MIN, constant, fixed, scanners, scenario, shift
from twin.draws import fold, root
from twin.events import NEVER, Kind, Outcome, Role, Slip
from twin.floor.rules.scanner import report_number, report_us
from twin.twin import Twin
from twin.world.roster import scanner_word

LONGEST_US = 5_000_000
"""No message is on the air for longer than the longer supervision timeout [us]."""


def test_a_rough_floor_has_all_that_the_laws_speak_of() -> None:
    opened = ran(ROUGH)
    rows = opened.rows()
    assert set(np.unique(rows["kind"])) == set(Kind)
    assert set(np.unique(rows["outcome"])) == set(Outcome) - {Outcome.NO_GATEWAY}
    assert set(np.unique(rows["slip"])) == set(Slip)
    assert set(np.unique(rows["copies"])) == {0, 1, 2}
    assert (rows["kind"] == Kind.SWAP).sum() > 5
    assert any(session.low for session in sessions(rows, SHORT))
    assert len(rows) > 1000


# --- time ------------------------------------------------------------------------


@law(rough=roughs, cuts=st.lists(st.integers(0, SHORT), max_size=8))
def test_any_slicing_gives_the_same_rows(rough: Rough, cuts: list[int]) -> None:
    whole, sliced = ran(rough), twin.open(rough.scenario())
    assert (np.diff(whole.rows()["time_us"]) >= 0).all()
    on_rows = whole.rows()["time_us"][:: max(1, len(whole.rows()) // 6)].tolist()
    for moment_us in sorted({*cuts, *on_rows, SHORT}):
        sliced.run_to_us(moment_us, progress=False)
        assert (sliced.rows()["time_us"] < max(moment_us, 1)).all()
    assert whole.rows().tobytes() == sliced.rows().tobytes()
    assert whole.kpis().equals(sliced.kpis())


@law(rough=roughs)
def test_both_engines_give_the_same_rows(rough: Rough) -> None:
    compiled, reference = (
        twin.open(rough.scenario(), engine=engine).run("6 min", progress=False)
        for engine in ("compiled", "reference")
    )
    assert compiled.rows().tobytes() == reference.rows().tobytes()


# --- nothing is delivered that was not sent, nothing lost without a row that says why ------------


@law(rough=roughs)
def test_every_scan_has_one_row_that_says_what_became_of_it(rough: Rough) -> None:
    opened = ran(rough)
    rows = opened.rows()
    limits = np.array([LIMITS[g.kind] for g in opened._site.roster.gateways])
    for own in scans_of(rows).values():
        assert own["number"].tolist() == list(range(len(own)))
        assert (own["beep_us"] != NEVER).all()
        assert (np.diff(made_us(own)) > 0).all()
    found = messages(rows)
    shown = found["visible_us"] != NEVER
    assert (shown == (found["copies"] >= 1)).all()
    assert (shown == np.isin(found["outcome"], (DELIVERED, NO_FEEDBACK))).all()
    assert found["copies"].max(initial=0) <= 2
    assert (found["visible_us"] > found["time_us"])[shown].all()
    down = found["outcome"] == NOT_CONNECTED
    lost = found["outcome"] == LOST
    assert set(found["outcome"].tolist()) <= {*range(3), NOT_CONNECTED, LOST_BUFFER}
    assert (found["attempts"][down] == 0).all()
    assert (found["attempts"][lost] == limits[found["gateway"]][lost]).all()
    assert (found["attempts"][~down] >= 1).all()
    assert (found["attempts"] <= limits[found["gateway"]]).all()
    assert (found["link_us"][~down & ~lost] >= AIR_US).all()
    assert (found["link_us"][down] == 0).all()
    assert rough.uplink[1] or LOST_BUFFER not in found["outcome"]


@law(rough=roughs)
def test_every_report_of_a_session_has_one_row(rough: Rough) -> None:
    opened = ran(rough)
    rows = opened.rows()
    assert len(np.unique(_reports(rows)[["scanner", "number"]])) == len(_reports(rows))
    for session in sessions(rows, SHORT):
        due = _due(opened, session)
        own = _reports(session.rows)
        own = own[own["scanner"] == session.taken["scanner"]]
        assert made_us(own).tolist() == [due[number] for number in own["number"].tolist()]
        missing = sorted({*due} - {*own["number"].tolist()})
        # Only the last may be without one: on its way as the run ends, or as the scanner is laid
        # aside for another or leaves its gateway.
        cut = session.low or session.end == Kind.ROAM or session.ends_us >= SHORT - LONGEST_US
        assert missing == [] or (cut and missing == [max(due)])
        assert all(session.ends_us - due[number] <= LONGEST_US for number in missing)


def _reports(rows: Rows) -> Rows:
    found: Rows = rows[rows["kind"] == Kind.TELEMETRY]
    return found


def _due(opened: Twin, session: Session) -> dict[int, int]:
    """When the scanner takes its readings in a session, by number [us]."""
    seed, period_us = root(opened.seed), 20_000_000
    scanner = opened._site.roster.scanners[int(session.taken["scanner"])]
    state = fold(seed, scanner_word(scanner))
    number = report_number(state, session.opened_us, period_us)
    due = {}
    while (moment_us := report_us(state, number, period_us)) < session.ends_us:
        due[number] = moment_us
        number += 1
    return due


@law(rough=roughs)
def test_who_scans_holds_a_connected_scanner(rough: Rough) -> None:
    rows = ran(rough).rows()
    found = 0
    for session in sessions(rows, SHORT):
        own = messages(session.rows)
        assert (own["scanner"] == session.taken["scanner"]).all()
        assert (own["gateway"] == session.taken["gateway"]).all()
        assert (made_us(own) >= session.opened_us).all()
        assert (made_us(own) < session.ends_us).all()
        found += len(own)
    assert found == len(messages(rows))


@law(rough=roughs)
def test_what_failed_is_scanned_again(rough: Rough) -> None:
    rows = ran(rough).rows()
    for session in sessions(rows, SHORT):
        scans = session.rows[session.rows["kind"] == Kind.SCAN]
        if not rough.floor.jobs or len(scans) < 2:
            continue
        place = scans["job"].astype(np.int64) * 10_000 + scans["line"]
        wrong = scans["slip"] == Slip.WRONG_BARCODE
        failed = wrong | np.isin(scans["outcome"], (LOST, NO_FEEDBACK, NOT_CONNECTED))
        heard = (scans["outcome"] == DELIVERED) & ~wrong  # of LOST_BUFFER the row does not say
        assert (place[1:] == place[:-1])[failed[:-1]].all()
        assert (place[1:] != place[:-1])[heard[:-1]].all()
        assert not (wrong & np.isin(scans["role"], (Role.START, Role.END))).any()
        forgotten = scans["slip"][:-1] == Slip.END_FORGOTTEN
        assert (scans["role"][:-1][forgotten] == Role.LINE).all()
        assert (scans["role"][1:][forgotten] == Role.START).all()
        ended = (scans["role"][:-1] == Role.END) & heard[:-1]
        assert (scans["role"][1:][ended] == Role.START).all()


# --- links ---------------------------------------------------------------------------------


def downs_us(session: Session) -> list[tuple[int, int]]:
    """Return when the link of a session was down [us]."""
    turns = session.rows[np.isin(session.rows["kind"], (Kind.DROP, Kind.RECONNECT))]
    moments_us = [*turns["time_us"].tolist(), NEVER]
    return list(zip(moments_us[:-1:2], moments_us[1::2], strict=False))


@law(rough=roughs)
def test_a_link_drops_and_is_back_in_turn(rough: Rough) -> None:
    for session in sessions(ran(rough).rows(), SHORT):
        turns = session.rows[np.isin(session.rows["kind"], (Kind.DROP, Kind.RECONNECT))]
        assert (turns["kind"][::2] == Kind.DROP).all()
        assert (turns["kind"][1::2] == Kind.RECONNECT).all()
        assert (turns["time_us"] >= session.opened_us).all()
        assert (turns["time_us"] <= session.ends_us).all()
        for drop_us, up_us in downs_us(session):
            shortest, more = (s * 1_000_000 for s in rough.reconnect)
            assert up_us == NEVER or shortest <= up_us - drop_us <= shortest + more
        back = turns[turns["kind"] == Kind.RECONNECT]
        assert back["wait_us"].tolist() == np.diff(turns["time_us"])[::2].tolist()


@law(rough=roughs)
def test_a_message_is_not_connected_just_where_the_link_is_down(rough: Rough) -> None:
    for session in sessions(ran(rough).rows(), SHORT):
        own = messages(session.rows)
        moments_us = made_us(own)
        down = np.zeros(len(own), bool)
        for drop_us, up_us in downs_us(session):
            inside = (drop_us <= moments_us) & (moments_us < up_us)
            down |= inside
            if up_us != NEVER:
                assert (moments_us + own["wait_us"] == up_us)[inside].all()
        assert (down == (own["outcome"] == NOT_CONNECTED)).all()
        # Who finds the link down scans again when it is up.
        scans = own[own["kind"] == Kind.SCAN]
        blocked = scans["outcome"][:-1] == NOT_CONNECTED
        again_us = made_us(scans)[1:][blocked]
        assert (again_us >= (scans["time_us"] + scans["wait_us"])[:-1][blocked]).all()


# --- scanners, places, chargers --------------------------------------------------------------


@law(rough=roughs)
def test_charge_never_rises_in_a_hand(rough: Rough) -> None:
    low, ready = rough.batteries[2] * 100, (rough.batteries[2] + 1) * 100
    for session in sessions(ran(rough).rows(), SHORT):
        charges = np.array([session.taken["battery"], *session.rows["battery"]], int)
        assert (np.diff(charges) <= 0).all()
        assert ready <= charges[0] <= 10_000 or session.taken["kind"] == Kind.ROAM
        scans = session.rows[session.rows["kind"] == Kind.SCAN]
        before = scans[:-1] if session.low else scans
        heard = (before["outcome"] == DELIVERED) & (before["slip"] != Slip.WRONG_BARCODE)
        assert (before["battery"][heard] >= low).all()
        assert not session.low or scans["battery"][-1] < low


@law(rough=roughs)
def test_a_scanner_is_in_one_hand_and_a_place_is_taken_once(rough: Rough) -> None:
    opened = ran(rough)
    limits = [gateway.scanner_limit for gateway in opened._site.roster.gateways]
    held: dict[int, tuple[int, int]] = {}
    for row in opened.rows():
        worker, kind = int(row["worker"]), row["kind"]
        if kind in TAKEN:
            now = int(row["scanner"]), int(row["gateway"])
            assert (worker in held) == (kind != Kind.SESSION_OPEN)
            if kind != Kind.SESSION_OPEN:  # another scanner, or else another gateway
                same = held[worker][0] == now[0], held[worker][1] == now[1]
                assert same == (kind == Kind.ROAM, kind == Kind.SWAP)
            assert now[0] not in {scanner for w, (scanner, _) in held.items() if w != worker}
            held[worker] = now
            assert sum(gateway == now[1] for _, gateway in held.values()) <= limits[now[1]]
        elif kind == Kind.SESSION_CLOSE and row["scanner"] >= 0:
            assert held.pop(worker) == (int(row["scanner"]), int(row["gateway"]))
        elif kind == Kind.UNEQUIPPED:
            assert worker not in held


@law(rough=roughs, chargers=st.integers(1, 4))
def test_no_more_are_charging_than_there_are_chargers(rough: Rough, chargers: int) -> None:
    count, _, low = rough.batteries
    opened = twin.open(rough._replace(batteries=(count, chargers, low)).scenario())
    pool = opened._site._pool
    before, before_us = pool.charges_ppb(0), 0
    for moment_us in range(0, SHORT + 1, SHORT // 40):
        opened.run_to_us(moment_us, progress=False)
        pool._settle(moment_us)  # full ones make room when somebody looks
        docked = pool._docked_us != NEVER
        assert docked.sum() <= chargers
        assert pool._free[docked].all()
        after = pool.charges_ppb(moment_us)
        # Who was not in a hand all the while gained no more than chargers give.
        idle = pool._free & (after >= before)
        most = chargers * (moment_us - before_us) / 3600 * 1000
        rows = opened.rows()
        taken = rows[np.isin(rows["kind"], TAKEN) & (rows["time_us"] >= before_us)]["scanner"]
        idle[taken] = False
        assert (after - before)[idle].sum() <= most + 1000 * count
        before, before_us = after, moment_us


@law(rough=roughs)
def test_nobody_waits_for_what_is_there(rough: Rough) -> None:
    opened = twin.open(rough.scenario())
    for moment_us in range(0, SHORT, SHORT // 40):
        opened.run_to_us(moment_us, progress=False)
        assert not _ignored(opened)


def _ignored(opened: Twin) -> list[int]:
    """Who waits although there is a charged scanner and a place in range."""
    site = opened._site
    if site._pool.fullest(max(0, opened.now_us - 1)) is None:
        return []
    found = []
    for worker in site._waiting:
        place = site._gateways.take(worker)
        if place is not None:
            site._gateways.put_back(place)
            found.append(worker)
    return found


@pytest.mark.parametrize("run_seed", [1, 3])
def test_who_waited_for_a_place_is_not_forgotten_when_scanners_charge(run_seed: int) -> None:
    opened = twin.open(
        scenario({
            "run.horizon": "2 h",
            "work.shifts": [
                shift("x", workers=1), shift("y", duration="40 min", workers=1),
                shift("z", "06:10", "7 h", 1),
            ],
            "work.start_spread": "0 s",
            "fleet.gateways": [fixed("line", "line-middle", limit=2)],
            "fleet.scanners": scanners(2),
            "fleet.battery_idle_drain": "100 %/h",
            "fleet.low_charge": "50 %",
            "fleet.ready_charge": "60 %",
            "fleet.swap_time": constant("1 min"),
        }),
        seed=run_seed,
    )  # fmt: skip
    for minute in range(120):
        opened.run_to_us(minute * MIN, progress=False)
        assert not _ignored(opened), f"after {minute} min"


# --- gateways and uplinks ----------------------------------------------------------------------


@law(rough=roughs)
def test_gateways_serve_in_the_order_of_arrival(rough: Rough) -> None:
    shortest_us, longest_us = (ms * 1000 for ms in rough.floor.service_ms)
    for rows in arrived(ran(rough).rows()):
        begins_us = rows["time_us"] + rows["wait_us"]
        assert (np.diff(begins_us) >= shortest_us).all()
        waited = rows["wait_us"][1:] > 0
        assert (np.diff(begins_us)[waited] <= longest_us).all()


@law(rough=roughs)
def test_gateways_uplink_in_the_order_of_arrival(rough: Rough) -> None:
    for rows in arrived(ran(rough).rows()):
        shown = rows[rows["copies"] > 0]
        begins_us = shown["time_us"] + shown["wait_us"]
        uplinked_us = shown["visible_us"] - 150_000  # the delay of the cloud is constant
        assert (np.diff(uplinked_us) >= 0).all()
        shortest_us, longest_us = (ms * 1000 for ms in rough.floor.service_ms)
        served_us, spread_us = begins_us + shortest_us, longest_us - shortest_us
        assert (uplinked_us >= served_us).all()
        if rough.uplink[1] and len(shown) > rough.uplink[1]:
            # So many before it, the buffer would have been full.
            ahead = uplinked_us[: -rough.uplink[1]]
            assert (ahead <= served_us[rough.uplink[1] :] + spread_us).all() or rough.outages


@law(rough=roughs)
def test_more_outages_never_show_more_early(rough: Rough) -> None:
    rough = rough._replace(stall_ms=0)
    few_of_them = twin.open(rough.scenario(len(rough.outages) - 1)).run(progress=False).rows()
    all_of_them = ran(rough).rows()
    for name in ("time_us", "worker", "kind", "number", "beep_us", "wait_us", "slip"):
        assert (few_of_them[name] == all_of_them[name]).all()  # nobody on the floor hears of it
    for gateway in np.unique(messages(few_of_them)["gateway"]):
        one, other = (
            np.sort(rows["visible_us"][rows["gateway"] == gateway])
            for rows in (messages(few_of_them), messages(all_of_them))
        )
        assert (one <= other).all()  # the n-th to be shown, with or without a limit of the buffer
        if not rough.uplink[1]:
            own = messages(few_of_them)["gateway"] == gateway
            earlier = messages(few_of_them)["visible_us"][own]
            assert (earlier <= messages(all_of_them)["visible_us"][own]).all()


@law(rough=roughs)
def test_littles_law_holds_at_every_gateway(rough: Rough) -> None:
    opened = ran(rough)
    queues = [0.0]
    for rows in arrived(opened.rows()):
        begins_us = np.minimum(rows["time_us"] + rows["wait_us"], opened.now_us)
        queues.append(int((begins_us - rows["time_us"]).sum()) / opened.now_us)
    assert opened.kpis()["gateway_queue_max"].iloc[0] == pytest.approx(max(queues), rel=1e-12)
