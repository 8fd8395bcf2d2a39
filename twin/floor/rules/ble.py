"""The BLE link: messages wait for a connection event and are repeated until one succeeds."""

from twin.compiling import inlined_rule
from twin.draws import fold, unit


@inlined_rule
def attempts(state: int, stream: int, loss: float, limit: int) -> int:
    """Return at which connection event a message gets through, or limit + 1 if at none [1].

    Each event fails independently: the count is geometric, cut at the supervision timeout.
    """
    if loss == 0.0:
        return 1
    u = unit(fold(fold(state, stream), 0))
    n = 1
    still_failing = loss
    while u < still_failing and n <= limit:
        n += 1
        still_failing *= loss
    return n


@inlined_rule
def first_event_us(ready_us: int, anchor_us: int, interval_us: int) -> int:
    """Return the first connection event at or after a moment [us]."""
    return ready_us + (anchor_us - ready_us) % interval_us


@inlined_rule
def exchange_us(
    ready_us: int, anchor_us: int, interval_us: int, air_us: int, tries: int, limit: int
) -> int:
    """Return when a message is across, or when the link gives up on it [us].

    Parameters
    ----------
    ready_us
        When the message is ready to go [us].
    anchor_us, interval_us
        The connection's events lie at anchor + n * interval [us].
    air_us
        Air time of the exchange [us].
    tries, limit
        The event that succeeds, and how many there are within the supervision timeout.
    """
    first_us = first_event_us(ready_us, anchor_us, interval_us)
    if tries > limit:
        return first_us + limit * interval_us
    return first_us + (tries - 1) * interval_us + air_us
