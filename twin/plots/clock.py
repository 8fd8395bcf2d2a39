"""Time axes: bins that begin on the local hour, ticks in local time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DateLocator
from matplotlib.ticker import Formatter
from numpy.typing import NDArray

__all__ = ["HOUR_US", "MINUTE_US", "date_numbers", "local_bins", "show_local_time", "utc_us"]

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US

# Ticks by year, month, day, hour, minute, second; then those on a round one.
_FORMATS = {
    "formats": ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%H:%M:%S"],
    "zero_formats": ["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M"],
}


def utc_us(times: pd.Series) -> NDArray[np.int64]:
    """Count microseconds since 1970 of moments with a time zone, shape (rows,) [us]."""
    plain = times.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(plain.to_numpy().astype("datetime64[us]").astype(np.int64))


def date_numbers(us: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn microseconds since 1970 [us] into the numbers of a date axis [d]."""
    # An axis counts days since 1970: matplotlib's own epoch.
    return us / float(24 * HOUR_US)


def local_bins(times: pd.Series, width_us: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut the time from the first to the last moment into bins on local time.

    Parameters
    ----------
    times
        Moments with a time zone, shape (rows,), at least one.
    width_us
        Length of a bin [us].

    Returns
    -------
    tuple
        Edges since 1970, shape (bins + 1,) [us], and the bin of each row, shape (rows,).
    """
    us = utc_us(times)
    offset = times.iloc[0].utcoffset()
    # Zones like India's are half an hour off: there, hours in UTC begin at half past.
    shift = round(offset.total_seconds() * 1_000_000) % width_us if offset is not None else 0
    places = (us + shift) // width_us
    first, last = int(places.min()), int(places.max())
    edges = np.arange(first, last + 2, dtype=np.int64) * width_us - shift
    return edges, places - first


def show_local_time(ax: Axes, times: pd.Series) -> Axes:
    """Write the x axis of date numbers in the time zone of `times`, and name the zone."""
    zone: tzinfo | None = times.dt.tz
    # Without these types matplotlib's date tools would be unchecked calls.
    locator_of: Callable[..., DateLocator] = mdates.AutoDateLocator
    formatter_of: Callable[..., Formatter] = mdates.ConciseDateFormatter
    locator = locator_of(tz=zone, minticks=4, maxticks=10)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(formatter_of(locator, tz=zone, show_offset=False, **_FORMATS))
    first = times.iloc[0]
    ax.set_xlabel(f"local time [{zone}], from {first:%Y-%m-%d}")
    return ax
