"""What several pictures read from rows of events: order, who arrived, when a run ended."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.plots import clock

__all__ = ["arrivals", "end_us", "group_of", "in_order"]

# What never reached its gateway; a row without outcome is no message.
_NOT_THERE = ("lost_ble", "not_connected")


def in_order(events: pd.DataFrame) -> pd.DataFrame:
    """Give rows by time; those of one moment stay as they stand."""
    if events.empty or events["time"].is_monotonic_increasing:
        return events
    return events.sort_values("time", kind="stable")


def arrivals(events: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Give the messages that reached their gateway, scans and telemetry alike.

    Parameters
    ----------
    events
        Rows of events, with `kind` and `outcome`.
    *columns
        Only these: of a whole day, all take longer than what is asked of them.
    """
    if events.empty:
        return events
    message = events["kind"].isin(["scan", "telemetry"])
    return events.loc[message & ~events["outcome"].isin(_NOT_THERE), list(columns)]


def group_of(column: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    """Number the names in a column: the number of each row, -1 without name, and the names."""
    found = column.astype("category").cat
    return found.codes.to_numpy().astype(np.int64), [str(name) for name in found.categories]


def end_us(events: pd.DataFrame, until: datetime | None) -> int:
    """Say when a run ended, since 1970 [us]: at `until`, or with the last of its rows."""
    times = events["time"] if until is None else pd.Series([until])
    return int(clock.utc_us(times).max())
