"""How nodes of the mesh find the way to each other."""

from typing import Annotated

from pydantic import Field

from twin.scenario.base import Part
from twin.scenario.quantities import DurationUs, PositiveDurationUs

__all__ = ["Attempts", "MeshRouting"]

Attempts = Annotated[int, Field(strict=True, ge=1, le=16)]
Hops = Annotated[int, Field(strict=True, ge=1, le=255)]
Routes = Annotated[int, Field(strict=True, ge=1, le=4096)]
LinkQuality = Annotated[int, Field(strict=True, ge=0, le=127)]
Bytes = Annotated[int, Field(strict=True, ge=0, le=127)]


class MeshRouting(Part):
    """How a node finds the way to another, and how long it remembers it.

    A request goes `first_hops` hops (`host_first_hops` from a bridge), from the
    second on `most_hops`. There are `tries` of them; for the first the node
    waits `wait_us` [us], then twice as long each time. A route that is not used
    lives `idle_us`, none longer than `most_us`; before `least_us` it does not
    make room for another [us]. A node knows `entries` routes, a bridge with its
    host `host_entries`. Requests over a hop whose link quality is above
    `worst_quality` are not heeded [-dBm]. Requests, replies and errors have `request_bytes`,
    `reply_bytes` and `error_bytes` in all [B].
    """

    tries: Attempts
    wait_us: PositiveDurationUs
    first_hops: Hops
    host_first_hops: Hops
    most_hops: Hops
    idle_us: PositiveDurationUs
    most_us: PositiveDurationUs
    least_us: DurationUs
    entries: Routes
    host_entries: Routes
    worst_quality: LinkQuality
    request_bytes: Bytes
    reply_bytes: Bytes
    error_bytes: Bytes
