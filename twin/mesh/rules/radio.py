"""The radio: which level arrives on a link, and how often a frame gets through at it.

The formulas are those of ``twin.radio``, here from exact operations only: what they decide has to
be the same bytes on every machine.
"""

import math
from typing import Any

from twin.compiling import inlined_rule, rule
from twin.draws import exp, fold, inner_unit, log, normal_quantile
from twin.mesh.rules.streams import (
    DIRECTION,
    EXPOSURE,
    FADING,
    RECEIVING_OFFSET,
    SENDING_OFFSET,
    SHADOWING,
    WEATHER,
)

_PER_LN = 4.342944819032518  # 10 / ln 10
_AT_DBM = -88.0
_DECAY_DB = 9.0
_STAGES = 6
_ALL = 1 << 32
_NO_CHANCE = -(1 << 31)
_NEVER = -math.inf
_HOUR_US = 3_600_000_000
_FEMTOWATT_PER_MW = 1e12
_TOP_DBM = 30.0


@inlined_rule
def _spread(state: int, stream: int, sd: float) -> float:
    """Return a normal number around 0 with a standard deviation."""
    return sd * normal_quantile(inner_unit(fold(fold(state, stream), 0)))


@rule
def level_dbm(
    radio: Any,
    distance_m: float,
    walls: int,
    power_dbm: float,
    start: int,
    end: int,
    pair: int,
    channel: int,
) -> float:
    """Return the level at which a receiver hears a sender [dBm].

    Parameters
    ----------
    radio
        A ``RADIO`` record.
    distance_m, walls
        Between them [m], and how many walls [1].
    power_dbm
        Of the sender [dBm].
    start, end, pair
        Address states of the sender, of the receiver, and of both together, whichever sends.
    channel
        SNAP channel.
    """
    ratio = distance_m if distance_m > 1.0 else 1.0
    loss_db = radio["reference_loss_db"] + _PER_LN * radio["path_loss_exponent"] * log(ratio)
    loss_db += walls * radio["wall_loss_db"]
    level = power_dbm - loss_db + _spread(pair, SHADOWING, radio["shadowing_db"])
    level += _spread(fold(pair, channel), FADING, radio["fading_db"])
    level += _spread(start, SENDING_OFFSET, radio["node_offset_db"])
    level += _spread(end, RECEIVING_OFFSET, radio["node_offset_db"])
    return level + _spread(fold(start, end), DIRECTION, radio["direction_db"])


@rule
def exposure(link: int) -> float:
    """Return how much more than others a link suffers from interference, 1 in the mean [1].

    The square of a normal number: a few links suffer much, most next to nothing, so that reception
    spreads over links of one level as it was measured.
    """
    normal = normal_quantile(inner_unit(fold(fold(link, EXPOSURE), 0)))
    return normal * normal


@rule
def weather(link: int, hour: int) -> float:
    """Return how much more than on average a link suffers in one hour, 1 in the mean [1].

    Erlang of six stages: on links that are neither good nor bad the variance of the losses of 50
    frames is then near three times the binomial one, and correlated over minutes (own analysis of
    24 hours in IoT-LAB: 2.9 times where a quarter of the frames is lost).
    """
    state = fold(fold(link, WEATHER), hour)
    product = 1.0
    for stage in range(_STAGES):
        product *= inner_unit(fold(state, stage))
    return -log(product) / _STAGES


@rule
def reception(radio: Any, level: float, interference: float) -> float:
    """Return how often a frame of the reference length gets through [1]: cliff times interference.

    Parameters
    ----------
    radio
        A ``RADIO`` record.
    level
        At the receiver [dBm].
    interference
        Share of frames that interference takes at -88 dBm [1].
    """
    cliff = 1.0 / (1.0 + exp(-(level - radio["cliff_dbm"]) / radio["cliff_width_db"]))
    lost = interference * exp(-(level - _AT_DBM) / _DECAY_DB)
    return cliff * (1.0 - min(1.0, lost)) * (1.0 - radio["residual_loss"])


@rule
def hourly_reception(radio: Any, link: Any, hour: int) -> float:
    """Return how often a frame of the reference length gets through in an hour of the run [1].

    Parameters
    ----------
    radio, link
        A ``RADIO`` and a ``LINK`` record; the reception that was measured stays as it is.
    hour
        Counted from the start of the run.
    """
    if link["reception"] >= 0.0:
        return link["reception"]
    share = link["interference"]
    if share > 0.0:
        share *= exposure(link["state"]) * weather(link["state"], hour)
    return reception(radio, link["level_dbm"], share)


@inlined_rule
def disturbed_reception(chance: float, level: float, share: float) -> float:
    """Return how often a frame gets through where others in the band take a share more [1].

    The stronger the link the less it suffers, as from the Wi-Fi that was measured.

    Parameters
    ----------
    chance
        Without them [1].
    level
        At the receiver [dBm].
    share
        Of the frames of the reference length at -88 dBm [1].
    """
    if share == 0.0:
        return chance
    return chance * (1.0 - min(1.0, share * exp(-(level - _AT_DBM) / _DECAY_DB)))


@rule
def exponent(chance: float) -> float:
    """Return the logarithm of how often a frame gets through, as ``threshold`` takes it [1]."""
    if chance <= 0.0:
        return _NEVER
    return log(chance) if chance < 1.0 else 0.0


@rule
def threshold(exponent: float, frame_bytes: int, reference_bytes: int) -> int:
    """Return below which signed 32-bit number a frame of some length gets through.

    Every byte errs by itself: the chance of the reference length is raised to the power of the
    ratio of lengths (IEEE 802.15.4-2006, Annex E.4.1.8, for bits). The logarithm of that chance,
    ``exponent``, is the same for all lengths.
    """
    if exponent == _NEVER:
        return _NO_CHANCE
    chance = exp(exponent * frame_bytes / reference_bytes) if exponent < 0.0 else 1.0
    return min(int(chance * _ALL) + _NO_CHANCE, -_NO_CHANCE - 1)


@inlined_rule
def gets_through(state: int, below: int) -> bool:
    """Say whether a frame gets through on a link; ``below`` is from ``threshold``."""
    return (state >> 32) < below


@rule
def power_fw(level: float) -> float:
    """Return a level as a power, in whole femtowatts: so sums are the same in any order [fW].

    A double holds whole numbers up to 2**53: nine senders at 30 dBm; -100 dBm are 100 fW.
    """
    return float(int(_FEMTOWATT_PER_MW * exp(min(level, _TOP_DBM) / _PER_LN) + 0.5))


@inlined_rule
def is_clear(signal_fw: float, others_fw: float, ratio: float) -> bool:
    """Say whether a frame is strong enough beside all others together [fW].

    What counts is their total power, not their number (Gezer et al., Sensors 14(3):5622, 2014).
    """
    return signal_fw >= ratio * others_fw


@inlined_rule
def hour_of(moment_us: int) -> int:
    """Return in which hour of the run a moment lies [1]."""
    return moment_us // _HOUR_US
