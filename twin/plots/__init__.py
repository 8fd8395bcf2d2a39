"""Pictures: a frame and an Axes in, the Axes out; no figure is kept behind the caller's back."""

from twin.plots.batteries import battery
from twin.plots.designs import sobol_indices, tornado
from twin.plots.experiments import (
    completion_band,
    differences,
    intervals,
    more,
    response,
    warm_up,
)
from twin.plots.fits import fit_quality
from twin.plots.floor import floor_map
from twin.plots.jobs import job_durations
from twin.plots.latency import latency_distribution
from twin.plots.mesh import airtime_share, mesh_map, reach_by_hop
from twin.plots.outages import links
from twin.plots.queue import queue_over_day
from twin.plots.scans import scans_per_hour
from twin.plots.upgrades import upgrade_curve, upgrade_map
from twin.plots.uplink import backlog

__all__ = [
    "airtime_share",
    "backlog",
    "battery",
    "completion_band",
    "differences",
    "fit_quality",
    "floor_map",
    "intervals",
    "job_durations",
    "latency_distribution",
    "links",
    "mesh_map",
    "more",
    "queue_over_day",
    "reach_by_hop",
    "response",
    "scans_per_hour",
    "sobol_indices",
    "tornado",
    "upgrade_curve",
    "upgrade_map",
    "warm_up",
]
