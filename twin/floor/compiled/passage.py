"""A message passes its gateway: queue, host, buffer, uplink, cloud."""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_rule, rule
from twin.events import NEVER
from twin.floor.compiled.state import Floor
from twin.floor.rules.gateway import (
    acknowledged_us,
    copies,
    got_through,
    publishes_us,
    service_us,
    trip_us,
    visible_us,
)
from twin.floor.rules.link import outage_after, stalled_us

_NEVER = int(NEVER)


@inlined_rule
def accept(floor: Floor, g: int, message: int, now_us: int, row: np.void) -> int:
    """Queue a message at its gateway; return when the gateway's host is done with it [us].

    The row's ``copies`` is 0 where the buffer was full and the message is gone.
    """
    book, gateway = floor.book, floor.gateways[g]
    begins_us = max(now_us, gateway["free_us"])
    work_us = service_us(book, message)
    served_us = begins_us + work_us
    gateway["free_us"] = served_us
    gateway["busy_us"] += work_us
    row["wait_us"] = begins_us - now_us
    limit = book[0]["buffer_messages"]
    if limit > 0 and _held(floor.held[g], floor.held_until_us[g], now_us) >= limit:
        row["visible_us"] = _NEVER
        row["copies"] = 0
        return served_us
    reached_us = _publish(floor, gateway, message, served_us, row)
    row["visible_us"] = visible_us(book, message, reached_us)
    if limit > 0:
        held = floor.held[g]
        floor.held_until_us[g, held["end"] % limit] = gateway["acknowledged_us"]
        held["end"] += 1
        gateway["most_held"] = max(gateway["most_held"], held["end"] - held["first"])
    return served_us


@inlined_rule
def _held(held: np.void, until_us: NDArray[np.int64], now_us: int) -> int:
    """Let go what was acknowledged by now; return how many messages are still held [1]."""
    while held["first"] < held["end"] and until_us[held["first"] % len(until_us)] <= now_us:
        held["first"] += 1
    return held["end"] - held["first"]


@inlined_rule
def _publish(floor: Floor, gateway: np.void, message: int, served_us: int, row: np.void) -> int:
    """Publish a message in its turn; return when it reaches the cloud [us]."""
    book = floor.book
    published_us = publishes_us(book, served_us, gateway["published_us"])
    if gateway["stall_to_us"] > published_us:
        link_class = floor.classes[gateway["kind"]]
        published_us = stalled_us(
            published_us, gateway["stall_from_us"], gateway["stall_to_us"],
            link_class["stall_us"], link_class["stall_every_us"],
        )  # fmt: skip
    round_trip_us = trip_us(book, message)
    row["copies"] = copies(book, message)
    if gateway["outage"] < gateway["end_outage"]:
        return _publish_around(floor.outages, gateway, published_us, round_trip_us, row)
    gateway["published_us"] = published_us
    gateway["acknowledged_us"] = acknowledged_us(
        published_us, round_trip_us, gateway["acknowledged_us"]
    )
    return gateway["acknowledged_us"]


@rule
def _publish_around(
    outages: NDArray[np.int64],
    gateway: np.void,
    published_us: int,
    round_trip_us: int,
    row: np.void,
) -> int:
    """Publish where an outage is on or still to come; return when the cloud is reached [us]."""
    end = gateway["end_outage"]
    gateway["outage"] = outage_after(outages, gateway["outage"], end, published_us)
    from_us = outages[gateway["outage"], 0] if gateway["outage"] < end else _NEVER
    if published_us >= from_us:
        published_us = outages[gateway["outage"], 1]
        from_us = outages[gateway["outage"] + 1, 0] if gateway["outage"] + 1 < end else _NEVER
    before_us = gateway["acknowledged_us"]
    done_us = acknowledged_us(published_us, round_trip_us, before_us)
    reached_us = done_us
    if done_us >= from_us:
        again_us = outages[outage_after(outages, gateway["outage"], end, from_us), 1]
        done_us = acknowledged_us(again_us, round_trip_us, before_us)
        if got_through(published_us, round_trip_us, from_us):
            row["copies"] = 2
        else:
            row["copies"] = 1
            reached_us = done_us
        published_us = again_us
    gateway["published_us"] = published_us
    gateway["acknowledged_us"] = done_us
    return reached_us
