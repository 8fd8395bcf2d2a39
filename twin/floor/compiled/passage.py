"""A message passes its gateway: queue, host, buffer, uplink, cloud."""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_part, part
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


@inlined_part
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
    counts = floor.has.uplink is not None and floor.held_until_us.shape[1] > 0
    if counts:
        limit = book[0]["buffer_messages"]
        is_held = _held(floor.held[g], floor.held_until_us[g], served_us)
        if 0 < limit <= is_held:
            row["visible_us"] = _NEVER
            row["copies"] = 0
            return served_us
    reached_us, released_us = _publish(floor, g, message, served_us, row)
    row["visible_us"] = visible_us(book, message, reached_us)
    if counts:
        _hold(floor.held[g], floor.held_until_us[g], gateway, released_us)
    return served_us


@part
def _hold(held: np.void, until_us: NDArray[np.int64], gateway: np.void, released_us: int) -> None:
    """Count one more message that is held until a moment [us]."""
    is_held = held["end"] - held["first"]
    if is_held < len(until_us):  # else there is no limit, and nobody counts that far
        until_us[held["end"] & (len(until_us) - 1)] = released_us
        held["end"] += 1
        gateway["most_held"] = max(gateway["most_held"], is_held + 1)


@part
def _held(held: np.void, until_us: NDArray[np.int64], moment_us: int) -> int:
    """Let go what was acknowledged by a moment [us]; return how many are still held [1]."""
    mask = len(until_us) - 1  # a power of two less one: a division would cost more than all else
    while held["first"] < held["end"] and until_us[held["first"] & mask] <= moment_us:
        held["first"] += 1
    if held["first"] == held["end"]:  # stay where the memory is warm
        held["first"] = held["end"] = 0
    return held["end"] - held["first"]


@inlined_part
def _publish(floor: Floor, g: int, message: int, served_us: int, row: np.void) -> tuple[int, int]:
    """Publish a message in its turn; return when the cloud has it and the gateway knows [us]."""
    book, gateway = floor.book, floor.gateways[g]
    published_us = served_us
    if floor.has.uplink is not None:
        published_us = publishes_us(book, served_us, gateway["published_us"])
    if floor.has.links is not None and gateway["stall_to_us"] > published_us:
        link_class = floor.classes[gateway["kind"]]
        published_us = stalled_us(
            published_us, gateway["stall_from_us"], gateway["stall_to_us"],
            link_class["stall_us"], link_class["stall_every_us"],
        )  # fmt: skip
    round_trip_us = trip_us(book, message)
    row["copies"] = 1
    if floor.has.uplink is not None:
        row["copies"] = copies(book, message)
        if gateway["outage"] < gateway["end_outage"]:
            return _publish_around(floor, g, published_us, round_trip_us, row)
        gateway["published_us"] = published_us
    gateway["acknowledged_us"] = acknowledged_us(
        published_us, round_trip_us, gateway["acknowledged_us"]
    )
    return gateway["acknowledged_us"], gateway["acknowledged_us"]


@part
def _publish_around(
    floor: Floor, g: int, published_us: int, round_trip_us: int, row: np.void
) -> tuple[int, int]:
    """Publish where an outage is on or still to come; return the same.

    What an outage cuts is sent again after it, in the same order; what was sent in time behind
    it may still have got through.
    """
    book, gateway, again, outages = floor.book, floor.gateways[g], floor.again[g], floor.outages
    end = gateway["end_outage"]
    if published_us >= again["cut_us"]:
        published_us = publishes_us(book, published_us, again["published_us"])
    here = outage_after(outages, gateway["outage"], end, published_us)
    published_us, here = _outside(outages, here, end, published_us)
    gateway["outage"] = here
    gateway["published_us"] = published_us
    done_us = acknowledged_us(published_us, round_trip_us, gateway["acknowledged_us"])
    if published_us >= again["cut_us"]:
        done_us = max(done_us, again["acknowledged_us"])
    gateway["acknowledged_us"] = done_us
    reached_us = _NEVER
    while here < end and done_us >= outages[here, 0]:
        if got_through(published_us, round_trip_us, outages[here, 0]):
            row["copies"] += 1
            reached_us = min(reached_us, done_us)
        again["cut_us"] = outages[here, 0]
        published_us = publishes_us(book, outages[here, 1], again["published_us"])
        here = outage_after(outages, here, end, published_us)
        published_us, here = _outside(outages, here, end, published_us)
        done_us = acknowledged_us(published_us, round_trip_us, again["acknowledged_us"])
        again["published_us"] = published_us
        again["acknowledged_us"] = done_us
    return min(reached_us, done_us), done_us


@part
def _outside(outages: NDArray[np.int64], here: int, end: int, moment_us: int) -> tuple[int, int]:
    """Return the first moment from one on that no outage has, and the outage behind it [us]."""
    while here < end and moment_us >= outages[here, 0]:
        moment_us = max(moment_us, outages[here, 1])
        here += 1
    return moment_us, here
