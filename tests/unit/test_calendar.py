"""The calendar: what the wall of the site shows, also in the two odd nights of the year.

In Vienna the clocks of 2026 go from 03:00 back to 02:00 on 25 October and from 02:00 to 03:00 on
29 March.
"""

from datetime import UTC, datetime, time, timedelta, timezone
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.world.clock import Calendar

MIN = 60_000_000
H = 60 * MIN
ZONE = "Europe/Vienna"
AUTUMN = Calendar(datetime(2026, 10, 24, 6), ZONE)
SPRING = Calendar(datetime(2026, 3, 28, 6), ZONE)


def stretches(
    calendar: Calendar, start: time, lasts_us: int, from_us: int, count: int
) -> list[tuple[str, int, int]]:
    return list(islice(calendar.occurrences(start, lasts_us, from_us), count))


def test_the_clock_shows_0_at_the_start() -> None:
    assert AUTUMN.moment_us(datetime(2026, 10, 24, 6)) == 0
    assert AUTUMN.at(0).isoformat() == "2026-10-24T06:00:00+02:00"
    assert AUTUMN.at(-1).isoformat() == "2026-10-24T05:59:59.999999+02:00"


def test_the_origin_is_that_of_unix_time() -> None:
    assert AUTUMN.origin_us == 1_792_814_400_000_000
    assert SPRING.origin_us == 1_774_674_000_000_000
    assert Calendar(datetime(1971, 1, 1, 0, 0, 0, 7), "UTC").origin_us == 365 * 86_400_000_000 + 7


def test_the_origin_counts_the_first_of_a_repeated_hour() -> None:
    first = Calendar(datetime(2026, 10, 25, 2, 30), ZONE)
    assert first.at(0).isoformat() == "2026-10-25T02:30:00+02:00"
    assert first.at(H).isoformat() == "2026-10-25T02:30:00+01:00"


@given(moment_us=st.integers(-400 * 24 * H, 400 * 24 * H), autumn=st.booleans())
@settings(deadline=None, derandomize=True, max_examples=100)
def test_every_moment_is_found_again_from_its_local_time(moment_us: int, autumn: bool) -> None:
    calendar = AUTUMN if autumn else SPRING
    local = calendar.at(moment_us)
    assert calendar.moment_us(local) == moment_us
    assert calendar.moment_us(local.replace(tzinfo=None)) == moment_us  # keeps its fold
    assert calendar.moment_us(local.astimezone(UTC)) == moment_us


def test_the_hour_from_two_to_three_happens_twice_in_autumn() -> None:
    assert AUTUMN.at(20 * H).isoformat() == "2026-10-25T02:00:00+02:00"
    assert AUTUMN.at(21 * H).isoformat() == "2026-10-25T02:00:00+01:00"
    half_past = datetime(2026, 10, 25, 2, 30)
    assert AUTUMN.moment_us(half_past) == 20 * H + 30 * MIN
    assert AUTUMN.moment_us(half_past.replace(fold=1)) == 21 * H + 30 * MIN


def test_a_zone_of_its_own_tells_the_two_apart() -> None:
    half_past = datetime(2026, 10, 25, 2, 30)
    summer, winter = (timezone(timedelta(hours=hours)) for hours in (2, 1))
    assert AUTUMN.moment_us(half_past.replace(tzinfo=summer)) == 20 * H + 30 * MIN
    assert AUTUMN.moment_us(half_past.replace(tzinfo=winter)) == 21 * H + 30 * MIN


def test_a_skipped_time_counts_as_the_same_time_after_the_change() -> None:
    half_past_two = SPRING.moment_us(datetime(2026, 3, 29, 2, 30))
    assert half_past_two == SPRING.moment_us(datetime(2026, 3, 29, 3, 30)) == 20 * H + 30 * MIN
    assert SPRING.at(half_past_two).isoformat() == "2026-03-29T03:30:00+02:00"
    assert SPRING.at(20 * H - 1).isoformat() == "2026-03-29T01:59:59.999999+01:00"
    assert SPRING.at(20 * H).isoformat() == "2026-03-29T03:00:00+02:00"


@pytest.mark.parametrize(("calendar", "hours"), [(AUTUMN, 9), (SPRING, 7)])
def test_the_night_shift_of_the_change_is_an_hour_off(calendar: Calendar, hours: int) -> None:
    nights = stretches(calendar, time(22), 8 * H, 0, 2)
    assert nights == [
        ("sat", 16 * H, (16 + hours) * H),
        ("sun", (32 + hours) * H, (40 + hours) * H),
    ]


def test_shifts_after_the_change_begin_at_their_local_hour() -> None:
    found = stretches(AUTUMN, time(6), 8 * H, 0, 3)
    assert [AUTUMN.at(begins_us).isoformat() for _, begins_us, _ in found] == [
        "2026-10-24T06:00:00+02:00",
        "2026-10-25T06:00:00+01:00",
        "2026-10-26T06:00:00+01:00",
    ]
    assert [day for day, *_ in found] == ["sat", "sun", "mon"]


def test_the_first_occurrence_is_the_one_that_ends_after_the_moment() -> None:
    night = ("fri", -8 * H, 0)  # ends as the scenario begins
    assert stretches(AUTUMN, time(22), 8 * H, -1, 1) == [night]
    assert stretches(AUTUMN, time(22), 8 * H, 0, 1) == [("sat", 16 * H, 25 * H)]
    assert stretches(AUTUMN, time(22), 8 * H, 20 * H, 1) == [("sat", 16 * H, 25 * H)]


def test_a_long_shift_under_way_since_the_day_before_is_found() -> None:
    calendar = Calendar(datetime(2026, 3, 3, 7), ZONE)
    assert stretches(calendar, time(16), 16 * H, 0, 2) == [
        ("mon", -15 * H, H),
        ("tue", 9 * H, 25 * H),
    ]


def test_a_stretch_that_the_spring_change_swallows_is_left_out() -> None:
    for lasts_us in (20 * MIN, 45 * MIN, 60 * MIN):
        found = stretches(SPRING, time(2, 30), lasts_us, 0, 2)
        if lasts_us == 20 * MIN:  # all of it skipped, so all of it is an hour later
            assert found[0] == ("sun", 20 * H + 30 * MIN, 20 * H + 50 * MIN)
        else:  # it would end before, or as, it begins
            assert found[0] == ("mon", 43 * H + 30 * MIN, 43 * H + 30 * MIN + lasts_us)
        assert all(begins_us < ends_us for _, begins_us, ends_us in found)
