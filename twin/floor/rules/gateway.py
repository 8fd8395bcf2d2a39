"""The gateway: one message at a time in order of arrival, then the uplink, then the cloud.

Delivery is at least once: what is not acknowledged is sent again, and the cloud removes the
second copy by its event id. A message waits for the uplink in a buffer; where that is full the
newest message is dropped.
"""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_rule
from twin.draws import fold, sample_us, unit
from twin.floor.rules.streams import ACKNOWLEDGEMENT, CLOUD, SERVICE_TIME, UPLINK_TRIP


@inlined_rule
def service_us(book: NDArray[np.void], message: int) -> int:
    """Return how long the gateway's host works on a message [us]."""
    return sample_us(book[0]["service"], message, SERVICE_TIME)


@inlined_rule
def publishes_us(book: NDArray[np.void], served_us: int, last_published_us: int) -> int:
    """Return when a message may be published: the broker limits publishes a second [us]."""
    return max(served_us, last_published_us + book[0]["publish_spacing_us"])


@inlined_rule
def trip_us(book: NDArray[np.void], message: int) -> int:
    """Return how long a publish takes to the cloud's front door and back [us]."""
    return sample_us(book[0]["round_trip"], message, UPLINK_TRIP)


@inlined_rule
def acknowledged_us(published_us: int, round_trip_us: int, last_acknowledged_us: int) -> int:
    """Return when the cloud's front door acknowledges a message [us].

    The uplink is one TCP connection: what was sent first arrives first.
    """
    return max(last_acknowledged_us, published_us + round_trip_us)


@inlined_rule
def got_through(published_us: int, round_trip_us: int, outage_us: int) -> bool:
    """Say whether a publish reached the cloud before the outage that cut its acknowledgement."""
    return published_us + round_trip_us // 2 < outage_us


@inlined_rule
def copies(book: NDArray[np.void], message: int) -> int:
    """Return how often the cloud gets a message whose uplink holds [1]."""
    chance = book[0]["acknowledgement_loss"]
    if chance == 0.0 or unit(fold(fold(message, ACKNOWLEDGEMENT), 0)) >= chance:
        return 1
    return 2


@inlined_rule
def visible_us(book: NDArray[np.void], message: int, reached_us: int) -> int:
    """Return when the cloud shows a message [us]."""
    return reached_us + sample_us(book[0]["cloud_delay"], message, CLOUD)
