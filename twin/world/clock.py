"""The calendar: simulated microseconds to dates on the site's wall, and back.

Simulated time runs evenly; the wall clock of the site jumps at daylight saving. Nothing outside
this module knows of time zones.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from twin.scenario.work import DAYS

_US = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - of UTC, as what is reckoned with it


def iso_utc(since_1970_us: int) -> str:
    """Return a moment as ISO 8601 in UTC, like 2016-07-27T13:57:43.361554Z.

    Parameters
    ----------
    since_1970_us
        The moment [us].
    """
    return (_EPOCH + since_1970_us * _US).isoformat(timespec="microseconds") + "Z"


def day_ends_us(day: date) -> int:
    """Return when a day of UTC is over, since 1970 [us]."""
    return (datetime.combine(day, time()) + _DAY - _EPOCH) // _US


class Calendar:
    """Dates of a site whose scenario begins at a local time in a time zone."""

    def __init__(self, start: datetime, time_zone: str) -> None:
        """Set the origin.

        Parameters
        ----------
        start
            Local time, without time zone, at which the simulated clock shows 0.
        time_zone
            IANA name.
        """
        self.zone = ZoneInfo(time_zone)
        self._origin = start.replace(tzinfo=self.zone).astimezone(UTC)

    @property
    def origin_us(self) -> int:
        """The origin in microseconds since 1970 [us]."""
        return (self._origin - datetime(1970, 1, 1, tzinfo=UTC)) // _US

    def at(self, moment_us: int) -> datetime:
        """Return the date and local time of a simulated moment [us]."""
        return (self._origin + moment_us * _US).astimezone(self.zone)

    def moment_us(self, local: datetime) -> int:
        """Return the simulated moment of a date [us].

        Parameters
        ----------
        local
            With a time zone, or without one for the site's own. A time that the spring change
            skips counts as the same time after it; one that the autumn change repeats is the
            first of the two.
        """
        aware = local if local.tzinfo else local.replace(tzinfo=self.zone)
        return (aware.astimezone(UTC) - self._origin) // _US

    def occurrences(
        self, start: time, lasts_us: int, from_us: int
    ) -> Iterator[tuple[str, int, int]]:
        """Yield (weekday, begin, end) of a daily stretch, from the first that ends after a moment.

        Begin and end are faces of the wall clock: the night shift of the autumn change is an hour
        longer, that of the spring change an hour shorter. A short one that begins in the skipped
        hour and would end before it begins is left out.

        Parameters
        ----------
        start
            Local time of day.
        lasts_us
            Length on the wall clock [us].
        from_us
            The moment [us].
        """
        day = self.at(from_us).date() - 2 * _DAY
        while True:
            begins_us, ends_us = self._stretch_us(day, start, lasts_us)
            if ends_us > max(from_us, begins_us):
                yield DAYS[day.weekday()], begins_us, ends_us
            day += _DAY

    def _stretch_us(self, day: date, start: time, lasts_us: int) -> tuple[int, int]:
        """Return begin and end of one day's stretch [us]."""
        begins = datetime.combine(day, start)
        return self.moment_us(begins), self.moment_us(begins + lasts_us * _US)
