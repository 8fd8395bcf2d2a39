"""The events that the cloud shows, in the order in which it came to show them.

An event is visible from the moment at which it arrived in the cloud. So the list only ever grows
at its end, a place in it means the same event for ever, and a page costs the same wherever it is.
"""

import numpy as np
from numpy.typing import NDArray

from twin.events import NEVER, Kind, scan_us

__all__ = ["EventLog"]

_BLOCK = 4096
_ROWS_AT_ONCE = 1 << 20


class EventLog:
    """The visible messages of a run so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows = np.zeros(0, np.int64)  # of each event: which row it is
        self._created_us = np.zeros(0, np.int64)
        self._visible_us = np.zeros(0, np.int64)
        self._length = 0
        self._seen = 0
        self._coming = np.zeros((0, 3), np.int64)  # (visible, row, created) of what is to come

    def __len__(self) -> int:
        return self._length

    def bring_up(self, rows: NDArray[np.void], now_us: int) -> None:
        """Add what has become visible.

        Parameters
        ----------
        rows
            All rows of the run so far.
        now_us
            The moment [us].
        """
        for first in range(self._seen, len(rows), _ROWS_AT_ONCE):
            fresh = rows[first : first + _ROWS_AT_ONCE]
            # Nothing is visible before it arrives, and rows are in the order of arrival.
            self._take(fresh, first, min(now_us, int(fresh["time_us"][-1])))
        self._seen = len(rows)
        self._take(rows[:0], 0, now_us)

    def _take(self, fresh: NDArray[np.void], first: int, until_us: int) -> None:
        """Take up rows, the first of them with its number, and show what is visible by a moment."""
        is_message = (fresh["kind"] == Kind.SCAN) | (fresh["kind"] == Kind.TELEMETRY)
        shown = np.flatnonzero(is_message & (fresh["visible_us"] != NEVER))
        columns = fresh["visible_us"], np.arange(first, first + len(fresh)), scan_us(fresh)
        taken = np.column_stack([column[shown] for column in columns])
        coming = np.concatenate([self._coming, taken])
        here = coming[:, 0] <= until_us
        self._coming = coming[~here]
        found = coming[here]  # in the order of rows, and nearly in that of being shown
        self._append(found[np.argsort(found[:, 0], kind="stable")])

    def _append(self, found: NDArray[np.int64]) -> None:
        """Put events behind the others; room doubles, so that many small steps stay cheap."""
        end = self._length + len(found)
        if end > len(self._rows):
            room = max(end, 2 * len(self._rows), 1024)
            for name in ("_rows", "_created_us", "_visible_us"):
                longer = np.empty(room, np.int64)
                longer[: self._length] = getattr(self, name)[: self._length]
                setattr(self, name, longer)
        span = slice(self._length, end)
        self._visible_us[span], self._rows[span], self._created_us[span] = found.T
        self._length = end

    def first_from(self, moment_us: int) -> int:
        """Return the place before which nothing was created at or after a moment [us].

        What is created cannot be visible before.
        """
        return int(np.searchsorted(self._visible_us[: self._length], moment_us))

    def page(
        self, place: int, bound: int, from_us: int, until_us: int, limit: int
    ) -> tuple[NDArray[np.int64], int]:
        """Return the rows of a page, and the place behind it.

        Parameters
        ----------
        place, bound
            Where the page begins, and the end of the list as its reader first saw it.
        from_us, until_us
            Only what was created from the one to the other, both included [us].
        limit
            How many at most.
        """
        found: list[NDArray[np.int64]] = []
        while place < bound and limit > 0:
            end = min(place + _BLOCK, bound)
            created_us = self._created_us[place:end]
            inside = np.flatnonzero((created_us >= from_us) & (created_us <= until_us))
            taken = inside[:limit] + place
            found.append(taken)
            limit -= len(taken)
            place = int(taken[-1]) + 1 if limit == 0 else end
        places = np.concatenate(found) if found else np.zeros(0, np.int64)
        return self._rows[places], place

    def all_rows(self) -> NDArray[np.int64]:
        """Return the rows of all events, in the order of the list."""
        return self._rows[: self._length]

    def created_us(self) -> NDArray[np.int64]:
        """Return when each was created [us]."""
        return self._created_us[: self._length]
