"""Queues in closed formulas: what a planner may ask before, or beside, a run.

Times are means in seconds, loads are shares. A gateway's host is a single server with a queue in
order of arrival; its uplink with a publish limit is one of constant service; workers who wait for
the beep before they go on are a finite source.
"""

import math
from typing import NamedTuple

_LARGE = 1e200


class FiniteSource(NamedTuple):
    """How a server does whose customers come back: ``use`` [1], ``rate_hz`` [Hz], ``wait_s`` [s].

    ``rate_hz`` counts services, ``wait_s`` is the mean time in the queue, service not included.
    """

    use: float
    rate_hz: float
    wait_s: float


def mean_number(rate_hz: float, time_s: float) -> float:
    """Return how many are there in the mean, by Little's law [1].

    Little, "A proof for the queuing formula L = lambda W", Operations Research 9, 1961.

    Parameters
    ----------
    rate_hz
        How many come in a second [Hz].
    time_s
        How long each stays in the mean [s].
    """
    return rate_hz * time_s


def mm1_wait_s(load: float, service_s: float) -> float:
    """Return the mean wait for a server of exponential service and Poisson arrivals [s].

    M/M/1; Kleinrock, "Queueing Systems", volume 1, 1975, section 3.2.

    Parameters
    ----------
    load
        Arrivals in a mean service; from 1 on the wait has no end [1].
    service_s
        Mean service [s].

    Examples
    --------
    >>> mm1_wait_s(0.5, 2.0)
    2.0
    """
    return mg1_wait_s(load, service_s, 1.0)


def md1_wait_s(load: float, service_s: float) -> float:
    """Return the mean wait for a server of constant service and Poisson arrivals [s].

    M/D/1, half of M/M/1; Erlang, "Sandsynlighedsregning og telefonsamtaler", 1909.

    Parameters
    ----------
    load
        Arrivals in a service; from 1 on the wait has no end [1].
    service_s
        Service [s].

    Examples
    --------
    >>> md1_wait_s(0.5, 2.0)
    1.0
    """
    return mg1_wait_s(load, service_s, 0.0)


def mg1_wait_s(load: float, service_s: float, variation: float) -> float:
    """Return the mean wait for a server of any service and Poisson arrivals [s].

    M/G/1; Pollaczek, 1930, and Khinchine, 1932 (Kleinrock, volume 1, section 5.6).

    Parameters
    ----------
    load
        Arrivals in a mean service; from 1 on the wait has no end [1].
    service_s
        Mean service [s].
    variation
        Standard deviation of the service over its mean: 0 constant, 1 exponential [1].

    Examples
    --------
    >>> round(mg1_wait_s(0.8, 0.0125, 0.35), 4)  # a host of 5 to 20 ms, 64 messages a second
    0.0281
    """
    if load >= 1.0:
        return math.inf
    return load / (1.0 - load) * (1.0 + variation * variation) / 2.0 * service_s


def mm1k_loss(load: float, places: int) -> float:
    """Return the share that finds a server of exponential service and its queue full [1].

    M/M/1/K; Kleinrock, volume 1, section 3.6.

    Parameters
    ----------
    load
        Arrivals in a mean service [1].
    places
        How many there is room for, the one in service included [1].

    Examples
    --------
    >>> mm1k_loss(1.0, 4)
    0.2
    """
    if load == 1.0:
        return 1.0 / (places + 1)
    if load > 1.0:  # the same, without a power that overflows
        return (load - 1.0) / (load - load**-places)
    return (1.0 - load) * load**places / (1.0 - load ** (places + 1))


def md1k_loss(load: float, places: int) -> float:
    """Return the share that finds a server of constant service and its queue full [1].

    M/D/1/K, by the chain of what a service leaves behind (Gross and Harris, "Fundamentals of
    Queueing Theory", 1974, section 5.1.7). What goes up through a level comes down through it.

    Parameters
    ----------
    load
        Arrivals in a service, above 0 and at most 700 [1].
    places
        How many there is room for, the one in service included [1].

    Examples
    --------
    >>> md1k_loss(1.0, 1)  # Erlang's loss with one line
    0.5
    """
    none = math.exp(-load)
    more = _more_than(load, places)
    left = [1.0]  # after a service: how often so many are left, not yet scaled to a sum of 1
    for level in range(places - 1):
        up = left[0] * more[level]
        up += math.fsum(left[i] * more[level + 1 - i] for i in range(1, level + 1))
        left.append(up / none)
        if left[-1] > _LARGE:
            left = [share / _LARGE for share in left]
    offered = left[0] / math.fsum(left) + load
    return max(0.0, offered - 1.0) / offered


def _more_than(load: float, most: int) -> list[float]:
    """Return the chances of more than 0, 1 ... ``most`` Poisson arrivals [1]."""
    terms = [math.exp(-load)]
    # Summed from the far end, so that small chances keep their digits.
    for n in range(1, most + int(load + 12.0 * math.sqrt(load) + 40.0)):
        terms.append(terms[-1] * load / n)
    sums = [0.0]
    for term in reversed(terms):
        sums.append(sums[-1] + term)
    return sums[-2::-1][: most + 1]


def finite_source(sources: int, away_s: float, service_s: float) -> FiniteSource:
    """Return use, rate and wait of a server whose customers come back some time after service.

    M/M/1//N, the repair of machines: exact for exponential service and any law of the time away,
    by mean value analysis (Reiser and Lavenberg, Journal of the ACM 27, 1980).

    Parameters
    ----------
    sources
        How many customers there are, like the workers of a gateway [1].
    away_s
        Mean time from the end of a service until the same customer is back [s].
    service_s
        Mean service [s].

    Examples
    --------
    >>> finite_source(1, 9.0, 1.0)
    FiniteSource(use=0.1, rate_hz=0.1, wait_s=0.0)
    """
    there = rate_hz = stay_s = 0.0
    for n in range(1, sources + 1):
        stay_s = service_s * (1.0 + there)
        rate_hz = n / (away_s + stay_s)
        there = mean_number(rate_hz, stay_s)
    return FiniteSource(rate_hz * service_s, rate_hz, max(0.0, stay_s - service_s))
