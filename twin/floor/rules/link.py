"""The link in time: fades come and go, and a run of misses as long as the timeout drops it.

Loss has two states (Gilbert, "Capacity of a burst-noise channel", Bell System Technical Journal,
1960; Elliott, 1963), with exponential stays in both. The link keeps itself alive in every
connection event, scan or no scan, so the drop does not wait for a message: it comes when all
events of a supervision timeout were missed. When that is, is known as soon as a stretch between
two fades begins; messages are then cut by it.
"""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_rule, rule
from twin.draws import fold, inner_unit, log, sample_us, to_us, unit
from twin.events import NEVER
from twin.floor.rules.streams import FADE, MISSES, RECONNECT

_NEVER = int(NEVER)
_RAREST_RUN = 1e-12
"""A run of misses this rare per connection event does not come in a thousand years."""
_LONGEST_RUNS = 1e12


@rule
def fade_begins_us(link_class: np.void, link: int, number: int, since_us: int) -> int:
    """Return when the next fade begins [us]; ``number`` counts the stretches of this link."""
    stay = fold(fold(fold(link, number), FADE), 0)
    return since_us + _exponential_us(stay, link_class["fade_every_us"])


@rule
def fade_ends_us(link_class: np.void, link: int, number: int, begins_us: int) -> int:
    """Return when that fade ends [us]."""
    stay = fold(fold(fold(link, number), FADE), 1)
    return begins_us + _exponential_us(stay, link_class["fade_length_us"])


@rule
def _exponential_us(state: int, mean_us: int) -> int:
    """Return an exponential duration [us]."""
    return to_us(-log(inner_unit(state)) * mean_us)


@rule
def misses(u: float, loss: float, limit: int) -> int:
    """Return at which connection event ``limit`` misses in a row are reached, or NEVER [1].

    A run of misses that starts anew after every success reaches the limit with probability
    loss**limit; how many runs end early is geometric, and each takes the events it takes on
    average. Mean and smallest value are exact, (1 - loss**limit) / ((1 - loss) loss**limit) and
    limit (Feller, "An Introduction to Probability Theory", volume 1, XIII.7).

    Parameters
    ----------
    u
        A number in (0, 1).
    loss
        Probability that one event is missed [1].
    limit
        Misses in a row that drop the link [1].
    """
    run = 1.0
    for _ in range(limit):
        run *= loss
    if run < _RAREST_RUN:
        return _NEVER
    if run >= 1.0:
        return limit
    ended_early = float(int(log(u) / log(1.0 - run)))
    if ended_early > _LONGEST_RUNS:
        return _NEVER
    in_all = (1.0 - (limit + 1) * run + limit * run * loss) / (1.0 - loss)
    return int(limit) + int(ended_early * (in_all / (1.0 - run)) + 0.5)


@rule
def fails_us(
    link_class: np.void,
    link: int,
    number: int,
    since_us: int,
    fade_from_us: int,
    fade_to_us: int,
    loss: float,
    interval_us: int,
    limit: int,
) -> int:
    """Return when the link drops in a stretch and the fade at its end, or NEVER [us].

    Parameters
    ----------
    link_class
        A ``LINK_CLASS`` record.
    link, number
        Address state of the link, and which of its stretches this is.
    since_us, fade_from_us, fade_to_us
        The stretch: good from the first, fading from the second to the third [us].
    loss
        Probability that an event is missed outside fades [1].
    interval_us, limit
        Connection interval [us], and events in a supervision timeout [1].
    """
    address = fold(fold(link, number), MISSES)
    events = misses(inner_unit(fold(address, 0)), loss, limit)
    if events < (fade_from_us - since_us) // interval_us:
        return since_us + events * interval_us
    return _fails_fading_us(link_class, address, fade_from_us, fade_to_us, interval_us, limit)


@rule
def _fails_fading_us(
    link_class: np.void,
    address: int,
    fade_from_us: int,
    fade_to_us: int,
    interval_us: int,
    limit: int,
) -> int:
    """Return when the link drops in a fade, or NEVER [us]."""
    events = misses(inner_unit(fold(address, 1)), link_class["fade_loss"], limit)
    if events < (fade_to_us - fade_from_us) // interval_us:
        return fade_from_us + events * interval_us
    return _NEVER


@rule
def fails_anew_us(
    link_class: np.void,
    link: int,
    number: int,
    now_us: int,
    fade_from_us: int,
    fade_to_us: int,
    fails_us: int,
    loss: float,
    interval_us: int,
    limit: int,
) -> int:
    """Return the same where the loss outside fades becomes another one within a stretch [us].

    Every event errs by itself, so what is to come is drawn anew from this moment on. A run of
    misses that has begun by then goes on to its end, and the fade is what it was.

    Parameters
    ----------
    link_class, link, number, limit
        As for ``fails_us``.
    fade_from_us, fade_to_us, interval_us
        As there [us].
    now_us
        When the loss changes; when the link opens, if that is later [us].
    fails_us
        When it would have dropped [us].
    loss
        From now on [1].
    """
    if now_us >= fade_from_us or is_cut(now_us, fails_us, interval_us, limit):
        return fails_us
    address = fold(fold(link, number), MISSES)
    events = misses(inner_unit(fold(fold(address, 2), now_us)), loss, limit)
    if events < (fade_from_us - now_us) // interval_us:
        return now_us + events * interval_us
    return _fails_fading_us(link_class, address, fade_from_us, fade_to_us, interval_us, limit)


@inlined_rule
def disturbed_loss(loss: float, share: float) -> float:
    """Return the loss of a link of whose connection events others in the band take a share [1]."""
    return loss + (1.0 - loss) * share


@rule
def reconnects_us(link_class: np.void, link: int, number: int, dropped_us: int) -> int:
    """Return when a link that dropped is usable again [us]."""
    return dropped_us + sample_us(link_class["reconnect"], fold(link, number), RECONNECT)


@rule
def roams(book: NDArray[np.void], dropped_us: int, up_us: int) -> bool:
    """Say whether a worker looks for another gateway: the link stays down too long."""
    after_us = book[0]["roam_after_us"]
    return after_us > 0 and up_us - dropped_us > after_us


@inlined_rule
def loss_at(
    moment_us: int, loss: float, fade_loss: float, fade_from_us: int, fade_to_us: int
) -> float:
    """Return the probability that the connection event at a moment is missed [1]."""
    return fade_loss if fade_from_us <= moment_us < fade_to_us else loss


@inlined_rule
def is_cut(ready_us: int, drop_us: int, interval_us: int, limit: int) -> bool:
    """Say whether a message falls into the run of misses that ends with the drop."""
    return drop_us != _NEVER and ready_us >= drop_us - limit * interval_us


@rule
def fading_attempts(
    state: int,
    stream: int,
    first_us: int,
    interval_us: int,
    limit: int,
    loss: float,
    fade_loss: float,
    fade_from_us: int,
    fade_to_us: int,
) -> int:
    """Return at which connection event a message of a link that holds gets through [1].

    The link holds, so one of the events within the timeout succeeds: the last, if no other.

    Parameters
    ----------
    state, stream
        Address state of the message and what is sent.
    first_us, interval_us, limit
        The first event [us], their distance [us], and how many there are in a timeout [1].
    loss, fade_loss, fade_from_us, fade_to_us
        Loss outside and inside the fade [1], and when that is [us].
    """
    u = unit(fold(fold(state, stream), 0))
    n = 1
    still_failing = loss_at(first_us, loss, fade_loss, fade_from_us, fade_to_us)
    while u < still_failing and n < limit:
        moment_us = first_us + n * interval_us
        still_failing *= loss_at(moment_us, loss, fade_loss, fade_from_us, fade_to_us)
        n += 1
    return n


@inlined_rule
def stalled_us(moment_us: int, from_us: int, to_us_: int, stall_us: int, every_us: int) -> int:
    """Return when a gateway whose link reconnects can use its Wi-Fi, from a moment on [us].

    Every ``every_us`` a connection attempt silences it for ``stall_us``: both share one antenna.
    """
    if moment_us >= to_us_ or moment_us < from_us:
        return moment_us
    into_us = (moment_us - from_us) % every_us
    return moment_us + max(0, stall_us - into_us)


@rule
def outage_after(outages: NDArray[np.int64], here: int, end: int, moment_us: int) -> int:
    """Return the first outage that ends after a moment, ``end`` for none.

    Parameters
    ----------
    outages
        Array of shape (n, 2), in order [us].
    here, end
        The first row to look at, and one past the last.
    moment_us
        The moment [us].
    """
    while here < end and outages[here, 1] <= moment_us:
        here += 1
    return here
