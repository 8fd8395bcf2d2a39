"""The running site: shifts on the calendar, equipment from hand to hand, odd sites."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

import twin
from tests.scenarios import MIN, H, fixed, phones, scanners, scenario, shift
from twin.events import EVENT, Kind, Outcome
from twin.scenario import Scenario, warnings
from twin.world.site import Site

OPEN, CLOSE, UNEQUIPPED = Kind.SESSION_OPEN, Kind.SESSION_CLOSE, Kind.UNEQUIPPED
ONE_PLACE = {"fleet.gateways": [phones("walk", 1)]}
QUIET = {"work.jobs": [], "cloud.telemetry_period": "off"}


def site(document: Scenario, until_us: int) -> tuple[Site, NDArray[np.void]]:
    """Return a site at a moment, and its rows."""
    chunks: list[NDArray[np.void]] = []
    found = Site(document, 1, "compiled", lambda chunk: chunks.append(chunk.copy()))
    found.run(until_us)
    return found, np.concatenate([np.zeros(0, EVENT), *chunks])


def decisions(document: Scenario, hours: float) -> list[tuple[Kind, float, str]]:
    """Return what the site decided: (kind, hour, worker), in order."""
    found, rows = site(document, int(hours * H))
    own = rows[rows["kind"] >= OPEN]
    names = [worker.name for worker in found.roster.workers]
    return [(Kind(row["kind"]), row["time_us"] / H, names[row["worker"]]) for row in own]


def hours_of(kind: Kind, document: Scenario, hours: float) -> list[float]:
    return [hour for what, hour, _ in decisions(document, hours) if what == kind]


def stretches(document: Scenario, until_us: int, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return begin and end of each stretch of work that the floor was offered [h]."""
    found: list[float] = []
    built = Site(document, 1, "compiled", lambda _: None)
    offer = built.floor.offer

    def listen(sessions: NDArray[np.void], windows: NDArray[np.int64]) -> None:
        found.extend((windows.ravel() / H).tolist())
        offer(sessions, windows)

    monkeypatch.setattr(built.floor, "offer", listen)
    built.run(until_us)
    return found


# --- shifts ------------------------------------------------------------------


def test_shifts_open_and_close_at_their_hours() -> None:
    shifts = [shift("a", "07:00", "2 h", 1), shift("b", "23:30", "90 min", 1)]
    found = decisions(scenario({"work.shifts": shifts}), 43)
    assert found == [
        (OPEN, 1, "a-01"), (CLOSE, 3, "a-01"), (OPEN, 17.5, "b-01"), (CLOSE, 19, "b-01"),
        (OPEN, 25, "a-01"), (CLOSE, 27, "a-01"), (OPEN, 41.5, "b-01"),
    ]  # fmt: skip


def test_what_happens_at_the_end_of_a_run_is_left_for_later() -> None:
    document = scenario({"work.shifts": [shift("a", "07:00", "2 h", 1)]})
    assert hours_of(OPEN, document, 1) == []
    assert hours_of(OPEN, document, 1 + 1 / H) == [1]
    assert hours_of(CLOSE, document, 3) == []
    assert hours_of(CLOSE, document, 3 + 1 / H) == [3]


def test_a_run_that_begins_in_a_shift_has_it_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    breaks = [{"after": "2 h", "duration": "30 min"}, {"after": "3 h 30 min", "duration": "1 h"}]
    shifts = [shift(workers=1, breaks=breaks)]
    document = scenario({"run.start": "2026-03-02T09:00:00", "work.shifts": shifts})
    assert decisions(document, 6) == [(OPEN, 0, "day-01"), (CLOSE, 5, "day-01")]
    assert hours_of(OPEN, document, 22) == [0, 21]
    assert stretches(document, 6 * H, monkeypatch) == [0, 0.5, 1.5, 5]


def test_a_run_that_begins_in_a_break_waits_for_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    shifts = [shift(workers=1, breaks=[{"after": "2 h 30 min", "duration": "1 h"}])]
    document = scenario({"run.start": "2026-03-02T09:00:00", "work.shifts": shifts})
    assert stretches(document, 6 * H, monkeypatch) == [0.5, 5]


def test_a_night_shift_of_the_day_before_is_under_way() -> None:
    shifts = [shift("night", "22:00", "9 h", 1, days=["sun"])]
    found = decisions(scenario({"work.shifts": shifts}), 7 * 24)  # from Monday, 06:00
    assert found == [(OPEN, 0, "night-01"), (CLOSE, 1, "night-01"), (OPEN, 160, "night-01")]


def test_a_shift_opens_only_on_its_days() -> None:
    shifts = [shift(workers=1, days=["wed", "mon"])]
    found = hours_of(OPEN, scenario({"work.shifts": shifts}), 10 * 24)
    assert [hour / 24 for hour in found] == [0, 2, 7, 9]


@pytest.mark.parametrize(("start", "hours"), [("2026-10-24", 9), ("2026-03-28", 7)])
def test_the_night_of_the_clock_change_is_worked_as_long_as_it_lasts(
    start: str, hours: int
) -> None:
    shifts = [shift("night", "22:00", "8 h", 3)]
    document = scenario({"run.start": f"{start}T20:00:00", "work.shifts": shifts})
    opened = twin.open(document).run("24 h", progress=False)
    assert opened.kpis()["worker_hours"].iloc[0] == 3 * hours
    ends = opened.events("session_close")["time"]
    assert set(ends.dt.hour) == {6}


def test_breaks_are_clipped_by_the_short_night(monkeypatch: pytest.MonkeyPatch) -> None:
    breaks = [
        {"after": "4 h", "duration": "30 min"},
        {"after": "6 h 30 min", "duration": "1 h"},
        {"after": "7 h 45 min", "duration": "15 min"},
    ]
    shifts = [shift("night", "22:00", "8 h", 1, breaks=breaks)]
    document = scenario({"run.start": "2026-03-28T22:00:00", "work.shifts": shifts})
    assert stretches(document, 8 * H, monkeypatch) == [0, 4, 4.5, 6.5]
    usual = scenario({"run.start": "2026-03-27T22:00:00", "work.shifts": shifts})
    assert stretches(usual, 8 * H, monkeypatch) == [0, 4, 4.5, 6.5, 7.5, 7.75]


def test_a_shift_that_the_spring_change_swallows_does_not_turn_the_clock_back() -> None:
    shifts = [shift("short", "02:30", "45 min", 1)]
    document = scenario({"run.start": "2026-03-28T20:00:00", "work.shifts": shifts})
    assert decisions(document, 30) == [(OPEN, 29.5, "short-01")]


# --- equipment from hand to hand -----------------------------------------------


def test_a_place_freed_at_the_change_is_taken_at_the_same_moment() -> None:
    shifts = [shift("late", "14:00", "8 h", 1), shift("early", "06:00", "8 h", 1)]
    document = scenario({"work.shifts": shifts, "fleet.scanners": scanners(1), **ONE_PLACE})
    assert decisions(document, 10) == [
        (OPEN, 0, "early-01"), (CLOSE, 8, "early-01"), (OPEN, 8, "late-01")
    ]  # fmt: skip


def test_the_next_shift_takes_the_fullest_scanners() -> None:
    shifts = [shift("early", "06:00", "8 h", 2), shift("late", "14:00", "8 h", 2)]
    _, rows = site(scenario({"work.shifts": shifts, "fleet.scanners": scanners(3)}), 9 * H)
    opened = rows[rows["kind"] == OPEN]
    closed = rows[rows["kind"] == CLOSE]
    assert sorted(opened["scanner"].tolist()[:2]) == [0, 1]
    assert 2 in opened["scanner"].tolist()[2:]
    used = dict(zip(closed["scanner"].tolist(), closed["battery"].tolist(), strict=True))
    second = opened[2:][opened["scanner"][2:] != 2][0]
    assert second["scanner"] == max(used, key=lambda scanner: used[scanner])
    assert second["battery"] == max(used.values()) < 10_000


def test_workers_who_wait_begin_when_something_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    breaks = [{"after": "1 h", "duration": "30 min"}, {"after": "3 h", "duration": "1 h"}]
    shifts = [shift("a", "06:00", "8 h", 1), shift("b", "12:00", "8 h", 2, breaks=breaks)]
    document = scenario({"work.shifts": shifts, **ONE_PLACE})
    assert decisions(document, 15) == [
        (OPEN, 0, "a-01"),
        (UNEQUIPPED, 6, "b-01"), (UNEQUIPPED, 6, "b-02"),
        (CLOSE, 8, "a-01"), (OPEN, 8, "b-01"),
        (CLOSE, 14, "b-01"), (CLOSE, 14, "b-02"),
    ]  # fmt: skip
    assert stretches(document, 15 * H, monkeypatch) == [0, 8, 8, 9, 10, 14]


def test_workers_who_wait_are_counted_once() -> None:
    shifts = [
        shift("a", "06:00", "1 h", 1), shift("b", "06:00", "2 h", 1), shift("c", "06:00", "8 h", 3)
    ]  # fmt: skip
    document = scenario({"work.shifts": shifts, "fleet.gateways": [phones("walk", 2)]})
    opened = twin.open(document).run("9 h", progress=False)
    assert opened.kpis()["unequipped"].iloc[0] == 3
    assert opened.kpis()["worker_hours"].iloc[0] == 1 + 2 + 7 + 6


def test_who_waits_for_a_shift_that_ends_now_does_not_begin() -> None:
    shifts = [shift("a", "06:00", "8 h", 1), shift("b", "10:00", "4 h", 1)]
    found = decisions(scenario({"work.shifts": shifts, **ONE_PLACE}), 10)
    assert found == [
        (OPEN, 0, "a-01"), (UNEQUIPPED, 4, "b-01"), (CLOSE, 8, "a-01"), (CLOSE, 8, "b-01")
    ]  # fmt: skip


def test_who_found_nothing_one_day_is_told_again_the_next() -> None:
    document = scenario({"work.shifts": [shift(workers=1)], "fleet.scanners": []})
    assert hours_of(UNEQUIPPED, document, 49) == [0, 24, 48]


# --- sites without ---------------------------------------------------------------

WITHOUT: Mapping[str, tuple[Mapping[str, object], Outcome | None, str]] = {
    "gateways": ({"fleet.gateways": []}, Outcome.NO_GATEWAY, "no gateway, so no scan"),
    "scanners": ({"fleet.scanners": []}, Outcome.NO_SCANNER, "0 scanners for 5 workers"),
    "workers": ({"work.shifts.0.workers": 0}, None, "nobody works"),
    "shifts": ({"work.shifts": []}, None, "nobody works"),
}


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("what", WITHOUT)
def test_a_site_without_runs_to_its_end_and_says_what_is_missing(what: str, engine: str) -> None:
    changes, outcome, warning = WITHOUT[what]
    document = scenario(changes)
    assert any(warning in text for text in warnings(document))
    opened = twin.open(document, engine=engine).run(progress=False)
    events = opened.events()
    if outcome is None:
        assert events.empty
    else:
        assert set(events["kind"]) == {"unequipped"}
        assert set(events["outcome"]) == {outcome.name.lower()}
        assert len(events) == 5
    kpis = opened.kpis().iloc[0]
    for name in ("scans", "jobs", "lost", "worker_hours", "gateway_use_max", "gateway_queue_max"):
        assert kpis[name] == 0, name
    for name in ("beep_mean_ms", "cloud_p99_ms", "job_p50_min", "scans_per_worker_hour"):
        assert np.isnan(kpis[name]), name
    assert opened.jobs().empty
    assert len(opened.gateways()) == len(opened._site.roster.gateways)
    assert opened.sql("SELECT * FROM scan").empty
    assert len(opened.sql("SELECT * FROM event")) == len(events)


# --- what the floor is told --------------------------------------------------------


def test_sessions_carry_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    document = scenario({"work.shifts": [shift(workers=2)], **QUIET})
    built = Site(document, 1, "compiled", lambda _: None)
    offered: list[NDArray[np.void]] = []
    monkeypatch.setattr(built.floor, "offer", lambda sessions, _: offered.append(sessions))
    built.run(MIN)
    (sessions,) = offered
    link = document.links.ble.stationary
    spread_us = document.work.start_spread_us
    assert 0 < sessions["opened_us"][0] < sessions["opened_us"][1] < spread_us
    assert sessions["until_us"].tolist() == [8 * H, 8 * H]
    assert set(sessions["interval_us"].tolist()) == {link.connection_interval_us}
    assert set(sessions["air_us"].tolist()) == {link.packet_air_us}
    assert set(sessions["attempts"].tolist()) == {420 // 50}
    assert sorted(sessions["scanner"].tolist()) == [0, 1]
    assert len(set(sessions["anchor_us"].tolist())) == 2
    assert ((link.loss_near <= sessions["loss"]) & (sessions["loss"] <= link.loss_far)).all()
    assert set(sessions["charge_ppb"].tolist()) == {1_000_000_000}


def test_who_finds_no_scanner_leaves_the_place_to_others() -> None:
    shifts = [shift("a", workers=1), shift("b", "07:00", workers=3)]
    gateways = [phones("walk", 2)]
    document = scenario(
        {"work.shifts": shifts, "fleet.scanners": scanners(1), "fleet.gateways": gateways}
    )
    _, rows = site(document, 2 * H)
    found = rows[rows["kind"] == UNEQUIPPED]["outcome"].tolist()
    assert found == [Outcome.NO_SCANNER] * 3


def test_a_full_gateway_leaves_the_rest_without() -> None:
    document = scenario({"fleet.gateways": [fixed("line", "line-middle", limit=3)]})
    found = decisions(document, 1)
    assert [kind for kind, *_ in found].count(OPEN) == 3
    assert [kind for kind, *_ in found].count(UNEQUIPPED) == 2
