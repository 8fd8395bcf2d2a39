"""What comes next on the links that may drop, and what becomes of messages meanwhile.

A message is decided on when it is made, by the stretch of its link in which that is. What is made
later than the stretch that is known waits undecided, its leaf empty, until the link has come there.
"""

import numpy as np
from numpy.typing import NDArray

from twin.arrays import put
from twin.compiling import inlined_part, part, rule
from twin.draws import fold
from twin.events import NEVER, Kind
from twin.floor.compiled.charge import charge_ppb
from twin.floor.compiled.state import Floor
from twin.floor.rules.ble import attempts, exchange_us, first_event_us
from twin.floor.rules.link import (
    disturbed_loss,
    fade_begins_us,
    fade_ends_us,
    fading_attempts,
    fails_anew_us,
    fails_us,
    is_cut,
    reconnects_us,
    roams,
)
from twin.floor.rules.scanner import battery_column
from twin.floor.rules.streams import UPLINK

_NEVER = int(NEVER)
_DROP, _RECONNECT = int(Kind.DROP), int(Kind.RECONNECT)
NOT_CONNECTED = 0
"""Instead of the tries of a message that found its link down."""


@inlined_part
def cross(
    floor: Floor, me: np.void, w: int, message: int, stream: int, ready_us: int
) -> tuple[int, int]:
    """Return the tries of a message, more than the limit if it fails, and when that is [us]."""
    if floor.has.links is None or floor.links[w]["fade_to_us"] == _NEVER:
        return _cross_steady(me, message, stream, ready_us)
    link = floor.links[w]
    if is_cut(ready_us, link["fails_us"], me["interval_us"], me["limit"]):
        return me["limit"] + 1, max(ready_us, link["fails_us"])
    if ready_us + me["limit"] * me["interval_us"] < link["fade_from_us"]:
        tries, end_us = _cross_steady(me, message, stream, ready_us)
        if tries > me["limit"]:  # the link holds
            return me["limit"], end_us - me["interval_us"] + me["air_us"]
        return tries, end_us
    return _cross_fading(me, link, floor.classes[link["kind"]], message, stream, ready_us)


@inlined_part
def _cross_steady(me: np.void, message: int, stream: int, ready_us: int) -> tuple[int, int]:
    """Return the same where the loss stays as it is."""
    limit = me["limit"]
    tries = attempts(message, stream, me["loss"], limit)
    return tries, exchange_us(
        ready_us, me["anchor_us"], me["interval_us"], me["air_us"], tries, limit
    )


@part
def _cross_fading(
    me: np.void, link: np.void, link_class: np.void, message: int, stream: int, ready_us: int
) -> tuple[int, int]:
    """Return the same on a link that fades meanwhile, or has just been fading."""
    first_us = first_event_us(ready_us, me["anchor_us"], me["interval_us"])
    tries = fading_attempts(
        message, stream, first_us, me["interval_us"], me["limit"], me["loss"],
        link_class["fade_loss"], link["fade_from_us"], link["fade_to_us"],
    )  # fmt: skip
    return tries, first_us + (tries - 1) * me["interval_us"] + me["air_us"]


@inlined_part
def decide_scan(floor: Floor, me: np.void, w: int) -> int:
    """Return when the coming scan arrives or fails; NEVER while that is undecided [us]."""
    scan_us = me["scan_us"]
    if scan_us == _NEVER:
        return _NEVER
    if floor.has.links is not None and not is_known(floor.links[w], scan_us):
        return _NEVER
    if floor.has.links is not None and floor.links[w]["up_us"] != _NEVER:
        me["tries"] = NOT_CONNECTED
        return scan_us
    tries, arrival_us = cross(floor, me, w, me["scan"], UPLINK, scan_us)
    me["tries"] = tries
    return arrival_us


@inlined_part
def decide_report(floor: Floor, me: np.void, mine: np.void, w: int) -> int:
    """Return the same of the coming report [us]."""
    made_us = mine["made_us"]
    if made_us == _NEVER:
        return _NEVER
    if floor.has.links is not None and not is_known(floor.links[w], made_us):
        return _NEVER
    if floor.has.links is not None and floor.links[w]["up_us"] != _NEVER:
        mine["tries"] = NOT_CONNECTED
        return made_us
    report = fold(mine["scanner_state"], mine["number"])
    tries, arrival_us = cross(floor, me, w, report, UPLINK, made_us)
    mine["tries"] = tries
    return arrival_us


@part
def ask(floor: Floor, w: int, now_us: int, why: int) -> None:
    """A worker turns to the site: with a scanner that is nearly empty, or a link that is down."""
    floor.asks[0] = w
    floor.asks[1] = now_us
    floor.asks[2] = why


@inlined_part
def is_known(link: np.void, moment_us: int) -> bool:
    """Say whether the stretch that is known of a link reaches to a moment."""
    if link["up_us"] != _NEVER:
        return moment_us < link["up_us"]
    return moment_us < min(link["fails_us"], link["fade_to_us"])


@part
def open_link(floor: Floor, w: int, opened_us: int, until_us: int) -> None:
    """A worker's scanner is connected from a moment on."""
    me, link = floor.workers[w], floor.links[w]
    link["kind"] = floor.gateways[me["gateway"]]["kind"]
    link["state"] = fold(me["state"], opened_us)
    link["number"] = -1
    link["up_us"] = _NEVER
    link["until_us"] = until_us
    _begin_stretch(floor, me, link, opened_us)
    _put_link(floor, w, link)


@part
def close_link(floor: Floor, w: int) -> None:
    """Nothing more comes on a link."""
    floor.links[w]["up_us"] = _NEVER
    put(floor.tree, floor.bits, 2 * len(floor.workers) + w, _NEVER)


@part
def _begin_stretch(floor: Floor, me: np.void, link: np.void, since_us: int) -> None:
    """Look ahead to the end of the next fade."""
    link_class = floor.classes[link["kind"]]
    if link_class["drops"] == 0:
        link["fade_from_us"] = link["fade_to_us"] = link["fails_us"] = _NEVER
        return
    link["number"] += 1
    number = link["number"]
    link["fade_from_us"] = fade_begins_us(link_class, link["state"], number, since_us)
    link["fade_to_us"] = fade_ends_us(link_class, link["state"], number, link["fade_from_us"])
    link["fails_us"] = fails_us(
        link_class, link["state"], number, since_us, link["fade_from_us"], link["fade_to_us"],
        me["loss"], me["interval_us"], me["limit"],
    )  # fmt: skip


@inlined_part
def _put_link(floor: Floor, w: int, link: np.void) -> None:
    """Note when something comes next on a link."""
    next_us = link["up_us"]
    if next_us == _NEVER:
        next_us = min(link["fails_us"], link["fade_to_us"])
    if next_us >= link["until_us"]:
        next_us = _NEVER
    put(floor.tree, floor.bits, 2 * len(floor.workers) + w, next_us)


@part
def link_turns(floor: Floor, w: int, now_us: int, row: np.void) -> bool:
    """A link drops, is back, or a fade is over; return whether there is a row of it."""
    me, link = floor.workers[w], floor.links[w]
    has_row = True
    if link["up_us"] != _NEVER:
        _write_link(floor.book, me, w, now_us, _RECONNECT, now_us - link["dropped_us"], row)
        link["up_us"] = _NEVER
        _begin_stretch(floor, me, link, now_us)
    elif link["fails_us"] == now_us:
        _write_link(floor.book, me, w, now_us, _DROP, 0, row)
        _drop(floor, me, link, now_us)
        if roams(floor.book, now_us, link["up_us"]):
            ask(floor, w, now_us, _DROP)
    else:
        has_row = False
        _begin_stretch(floor, me, link, now_us)
    _put_link(floor, w, link)
    _decide_again(floor, me, w, now_us)
    return has_row


@part
def _drop(floor: Floor, me: np.void, link: np.void, now_us: int) -> None:
    """A link is down until it is back, and the attempts to connect stall the gateway's Wi-Fi."""
    gateway = floor.gateways[me["gateway"]]
    link_class = floor.classes[gateway["kind"]]
    link["dropped_us"] = now_us
    link["up_us"] = reconnects_us(link_class, link["state"], link["number"], now_us)
    if link_class["stall_us"] > 0:
        if now_us >= gateway["stall_to_us"]:
            gateway["stall_from_us"] = now_us
        gateway["stall_to_us"] = max(gateway["stall_to_us"], link["up_us"])


@part
def _decide_again(floor: Floor, me: np.void, w: int, now_us: int) -> None:
    """Decide on what is not in the air yet."""
    if me["scan_us"] >= now_us and me["scan_us"] != _NEVER:
        put(floor.tree, floor.bits, w, decide_scan(floor, me, w))
    mine = floor.reporters[w]
    if floor.book[0]["telemetry_period_us"] > 0 and mine["made_us"] >= now_us:
        put(floor.tree, floor.bits, len(floor.workers) + w, decide_report(floor, me, mine, w))


@rule
def disturb(floor: Floor, now_us: int) -> None:
    """Let the links lose what the shares that others take at their gateways say, from now on."""
    for w in range(len(floor.workers)):
        exposed, me = floor.exposed[w], floor.workers[w]
        loss = disturbed_loss(exposed["loss"], floor.taken[me["gateway"]])
        if now_us < exposed["until_us"] and loss != me["loss"]:
            me["loss"] = loss
            if floor.has.links is not None:
                _change_link(floor, me, w, now_us)
            _decide_again(floor, me, w, now_us)


@part
def _change_link(floor: Floor, me: np.void, w: int, now_us: int) -> None:
    """The loss of a worker's link changes within a stretch."""
    link = floor.links[w]
    if link["up_us"] != _NEVER or link["fade_to_us"] == _NEVER:
        return
    link["fails_us"] = fails_anew_us(
        floor.classes[link["kind"]], link["state"], link["number"], max(now_us, me["opened_us"]),
        link["fade_from_us"], link["fade_to_us"], link["fails_us"],
        me["loss"], me["interval_us"], me["limit"],
    )  # fmt: skip
    _put_link(floor, w, link)


@part
def _write_link(
    book: NDArray[np.void], me: np.void, w: int, now_us: int, kind: int, down_us: int, row: np.void
) -> None:
    """Write the row of a drop or a reconnect."""
    row["time_us"] = now_us
    row["beep_us"] = _NEVER
    row["visible_us"] = _NEVER
    row["wait_us"] = down_us
    row["link_us"] = 0
    row["worker"] = w
    row["scanner"] = me["scanner"]
    row["number"] = -1
    row["job"] = -1
    row["gateway"] = me["gateway"]
    row["line"] = -1
    row["battery"] = battery_column(charge_ppb(book, me, now_us, me["scans"]))
    row["kind"] = kind
    row["outcome"] = 0
    row["attempts"] = 0
    row["role"] = 0
    row["copies"] = 0
    row["slip"] = 0
