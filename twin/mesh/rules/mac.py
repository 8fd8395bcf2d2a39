"""Medium access: when a node sends, and what it does when others are heard."""

from typing import Any

from twin.compiling import inlined_rule, rule
from twin.draws import fold, unit
from twin.events import Answer, MessageKind
from twin.mesh.rules.streams import BACKOFF, JITTER, REPLY

PREAMBLE_US = 192
"""From the start of a frame to its first byte: what airtime counts beside the frame [us]."""
_BYTE_US = 32
_ADDRESSEE = 3  # bytes of an address
_UNICAST, _PING = int(MessageKind.UNICAST), int(Answer.PING)


@inlined_rule
def airtime_us(frame_bytes: int) -> int:
    """Return how long a frame is on the air [us]: the same as ``twin.radio.airtime_us``."""
    return PREAMBLE_US + frame_bytes * _BYTE_US


@rule
def multicast_bytes(payload_bytes: int, addressees: int, overhead_bytes: int) -> int:
    """Return how long the frame of a multicast is, directed to nobody or to some [B].

    Parameters
    ----------
    payload_bytes, overhead_bytes
        What is said, and what packet and frame add [B].
    addressees
        How many it is directed to; an answer is directed to one.
    """
    return payload_bytes + _ADDRESSEE * addressees + overhead_bytes


@rule
def _slots_us(mac: Any, window_us: int, state: int) -> int:
    """Return a random number of whole slots within a window [us]."""
    slots = window_us // mac["slot_us"]
    return int(unit(state) * (slots + 1)) * mac["slot_us"]


@rule
def send_wait_us(mac: Any, frame: int, tries: int) -> int:
    """Return how long a node waits before it sends a frame of its own, or repeats it [us].

    Parameters
    ----------
    mac
        A ``MAC`` record.
    frame
        Address state of this message at this node.
    tries
        How often it was sent before.
    """
    if mac["jitter"] == 0:
        return 0
    return _slots_us(mac, mac["send_jitter_us"], fold(fold(frame, JITTER), tries))


@rule
def busy_wait_us(mac: Any, frame: int, tries: int) -> int:
    """Return how long a node waits that found the channel occupied: a slot at least [us]."""
    return mac["slot_us"] + _slots_us(mac, mac["send_jitter_us"], fold(fold(frame, BACKOFF), tries))


@rule
def forward_wait_us(mac: Any, frame: int) -> int:
    """Return how long a node waits before it sends on what it heard [us]."""
    if mac["jitter"] == 0:
        return mac["forward_delay_us"]
    return mac["forward_delay_us"] + _slots_us(
        mac, mac["forward_jitter_us"], fold(fold(frame, JITTER), 0)
    )


@inlined_rule
def is_busy(mac: Any, heard_fw: float) -> bool:
    """Say whether a node that hears so much takes the channel for occupied."""
    return heard_fw >= mac["busy_fw"]


@rule
def reply_wait_us(mac: Any, frame: int, place: int, delay_factor: int, window_us: int) -> int:
    """Return how long a node waits before it answers [us].

    Parameters
    ----------
    mac
        A ``MAC`` record.
    frame
        Address state of the message at this node.
    place
        Of the node in the list of a directed multicast; -1 for one that is not directed.
    delay_factor
        What a directed one staggers its answers by [1].
    window_us
        Within which all others choose a moment [us].
    """
    if place >= 0:
        return place * delay_factor * mac["delay_factor_us"]
    return int(unit(fold(fold(frame, REPLY), 0)) * (window_us + 1))


@rule
def answer_window_us(kind: int, answer: int, window_us: int) -> int:
    """Return within which time a node answers [us]: who alone is told to ping does so at once."""
    return 0 if kind == _UNICAST and answer == _PING else window_us


@inlined_rule
def is_meant(groups: int, process_groups: int, is_directed: bool, place: int) -> bool:
    """Say whether a node processes what it heard: one of its groups, and named if any is."""
    return (groups & process_groups) != 0 and (place >= 0 or not is_directed)


@inlined_rule
def goes_on(groups: int, forward_groups: int, ttl: int) -> bool:
    """Say whether a node sends on what it heard with so many hops left."""
    return ttl > 1 and (groups & forward_groups) != 0
