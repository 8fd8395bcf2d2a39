"""The gateway: one message at a time in order of arrival, then the uplink, then the cloud."""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_rule
from twin.draws import sample_us
from twin.floor.rules.streams import CLOUD, SERVICE_TIME, UPLINK_TRIP


@inlined_rule
def service_us(book: NDArray[np.void], message: int) -> int:
    """Return how long the gateway's host works on a message [us]."""
    return sample_us(book[0]["service"], message, SERVICE_TIME)


@inlined_rule
def uplinked_us(book: NDArray[np.void], message: int, served_us: int, last_uplinked_us: int) -> int:
    """Return when the cloud's front door acknowledges a message [us].

    The uplink is one TCP connection: what was sent first arrives first.
    """
    trip_us = sample_us(book[0]["round_trip"], message, UPLINK_TRIP)
    return max(last_uplinked_us, served_us + trip_us)


@inlined_rule
def visible_us(book: NDArray[np.void], message: int, uplinked_us: int) -> int:
    """Return when the cloud shows a message [us]."""
    return uplinked_us + sample_us(book[0]["cloud_delay"], message, CLOUD)
