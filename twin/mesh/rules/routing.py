"""Routes: how long one is good, which one goes, how a node asks for another, how it tries a hop."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_rule, rule

NO_ROUTE = -1
"""Instead of a place in a table of routes."""


@rule
def find_route(routes: NDArray[np.void], first: int, end: int, target: int, now_us: int) -> int:
    """Return the place of a route to a node that is still good, -1 for none.

    Parameters
    ----------
    routes, first, end
        Array of ``ROUTE`` records, and which of them are this node's; those never used have
        expired at 0.
    """
    for k in range(first, end):
        if routes[k]["target"] == target and routes[k]["expires_us"] > now_us:
            return k
    return NO_ROUTE


@rule
def room_for_route(
    routing: Any, routes: NDArray[np.void], first: int, end: int, target: int, now_us: int
) -> int:
    """Return the place for a route to a node, -1 where all others are too young to go.

    The old one to the same node, else one that has expired, else that which expires first of those
    that have lived as long as a route may at least (NV21).
    """
    best, best_us = NO_ROUTE, 0
    for k in range(first, end):
        route = routes[k]
        if route["target"] == target and route["expires_us"] > 0:
            return k
        expires_us = route["expires_us"]
        may_go = expires_us <= now_us or route["made_us"] + routing["least_us"] <= now_us
        if may_go and (best == NO_ROUTE or expires_us < best_us):
            best, best_us = k, expires_us
    return best


@rule
def renewed_us(routing: Any, made_us: int, now_us: int) -> int:
    """Return until when a route is good that is used now (NV20, NV23) [us]."""
    return min(now_us + routing["idle_us"], made_us + routing["most_us"])


@rule
def learn_route(
    routing: Any, routes: NDArray[np.void], first: int, end: int, target: int, via: int,
    is_fresh: bool, now_us: int,
) -> bool:  # fmt: skip
    """Note that a node is reached by way of another; say whether there was room to.

    Parameters
    ----------
    is_fresh
        A request or its answer came this way: the route's age begins anew. Else a frame passed,
        which only renews what is known.
    """
    k = room_for_route(routing, routes, first, end, target, now_us)
    if k == NO_ROUTE:
        return False
    route = routes[k]
    known = route["target"] == target and route["next"] == via and route["expires_us"] > now_us
    if is_fresh or not known:
        route["made_us"] = now_us
    route["target"] = target
    route["next"] = via
    route["expires_us"] = renewed_us(routing, route["made_us"], now_us)
    return True


@rule
def forget_route(routes: NDArray[np.void], first: int, end: int, target: int, via: int) -> None:
    """Forget the way to a node where it leads by way of another."""
    for k in range(first, end):
        if routes[k]["target"] == target and routes[k]["next"] == via:
            routes[k]["expires_us"] = 0


@inlined_rule
def is_rejected(routing: Any, is_request: bool, quality: int) -> bool:
    """Say whether a request came over a hop that is too weak for a route (NV32): not heard."""
    return is_request and quality > routing["worst_quality"]


@rule
def request_hops(routing: Any, asked: int, is_host: bool) -> int:
    """Return how many hops a request goes, by how often it was asked before (NV27, NV28)."""
    if asked > 0:
        return routing["most_hops"]
    first = routing["host_first_hops"] if is_host else routing["first_hops"]
    return min(first, routing["most_hops"])


@rule
def request_wait_us(routing: Any, asked: int) -> int:
    """Return how long a node waits for an answer, by how often it asked before (NV26) [us]."""
    return routing["wait_us"] << asked
