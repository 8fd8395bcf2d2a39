"""The pictures of a run in the order of its report, each with its heading and its numbers."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.plots import lines
from twin.plots.batteries import battery
from twin.plots.floor import floor_map
from twin.plots.jobs import job_durations
from twin.plots.latency import latency_distribution
from twin.plots.mesh import air_share, airtime_share, hop_shares, mesh_map, reach_by_hop
from twin.plots.outages import MOST_GATEWAYS, links, outages
from twin.plots.queue import queue_over_day
from twin.plots.scans import scans_per_hour
from twin.plots.style import house_style
from twin.plots.upgrades import upgrade_curve, upgrade_map
from twin.plots.uplink import backlog

if TYPE_CHECKING:
    from twin.twin import Twin

__all__ = ["Picture", "pictures", "svg"]

_WIDTH = 9.0  # of a picture [inches]
# The columns that pictures and their lines read; texts and ids would take longer than the run.
_DRAWN = (
    "time", "kind", "outcome", "worker", "shift", "zone", "gateway", "gateway_kind", "copies",
    "battery_percent", "wait_ms", "beep_time", "visible_time", "scan_to_beep_ms",
    "scan_to_cloud_ms",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A picture: its heading, what it shows to who cannot see it, its numbers, its drawing."""

    title: str
    alt: str
    line: str
    draw: Callable[[Axes], Axes]
    height: float = 4.2  # inches
    left: float = 0.85  # margin, inches
    right: float = 0.35  # margin, inches


def pictures(twin: Twin) -> tuple[Picture, ...]:
    """Choose the pictures of a run; they are drawn when they are asked for."""
    work, fleet = twin.scenario.work, twin.scenario.fleet
    mesh = (*_mesh(twin), *_upgrade(twin)) if twin.scenario.mesh.exists else ()
    if mesh and not (work.shifts or fleet.gateways):
        return mesh
    events = twin.events(columns=_DRAWN)
    return (
        _floor(twin, events),
        *_work(events),
        _battery(twin, events),
        _links(twin, events),
        _backlog(events),
        _jobs(twin),
        *mesh,
    )


def svg(picture: Picture) -> str:
    """Draw into a figure of its own, and give it as an address that holds the whole picture."""
    with house_style():
        # Not pyplot: it would keep the figure for good.
        height = picture.height
        figure = Figure(figsize=(_WIDTH, height))
        # Margins in inches, by hand: to fit them draws each picture twice.
        sides = {"left": picture.left / _WIDTH, "right": 1 - picture.right / _WIDTH}
        figure.subplots_adjust(bottom=0.55 / height, top=1 - 0.4 / height, **sides)
        picture.draw(figure.add_subplot())
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}"


def _floor(twin: Twin, events: pd.DataFrame) -> Picture:
    site, gateways = twin.scenario.site, twin.gateways()
    opened = events[events["kind"] == "session_open"]
    return Picture(
        "The floor and its gateways",
        "Floor plan with zones, walls and gateways, coloured by how busy each gateway was.",
        lines.floor_line(gateways),
        lambda ax: floor_map(ax, site, gateways, opened),
        height=1.0 + 6.3 * min(1.4, max(0.25, site.depth_m / site.width_m)),
        right=0.75,
    )


def _work(events: pd.DataFrame) -> tuple[Picture, Picture, Picture]:
    return (
        Picture(
            "Scans per hour",
            "Scans in each local hour, stacked by zone, with the beginnings of shifts.",
            lines.scan_line(events),
            partial(scans_per_hour, events=events),
        ),
        Picture(
            "Latency",
            "Distribution of the time from scan to beep and from scan to cloud, with percentiles.",
            lines.latency_line(events),
            partial(latency_distribution, events=events),
        ),
        Picture(
            "Queue over the day",
            "Mean number of messages that wait at the gateways over the time of day.",
            lines.queue_line(events),
            partial(queue_over_day, events=events),
        ),
    )


def _battery(twin: Twin, events: pd.DataFrame) -> Picture:
    return Picture(
        "Charge of the scanners",
        "Charge of the scanners in hand over the time of day, with the swaps for a charged one.",
        lines.battery_line(events, twin.now),
        partial(battery, events=events),
    )


def _links(twin: Twin, events: pd.DataFrame) -> Picture:
    down = outages(events, twin.now)
    names = [str(name) for name in down["gateway"].unique()]
    return Picture(
        "Links that were down",
        "Times at which links of scanners were down, one row for each gateway, the worst first.",
        lines.links_line(events, twin.now),
        partial(links, events=events, until=twin.now),
        height=max(2.9, 2.2 + 0.17 * min(len(names), MOST_GATEWAYS)),
        # The names of gateways stand there with their minutes.
        left=1.0 + 0.068 * max(map(len, names), default=0),
    )


def _backlog(events: pd.DataFrame) -> Picture:
    return Picture(
        "Messages held for the uplink",
        "Number of messages that gateways hold for the uplink over the time of day.",
        lines.backlog_line(events),
        partial(backlog, events=events),
    )


def _jobs(twin: Twin) -> Picture:
    jobs = twin.jobs()
    return Picture(
        "Job durations",
        "Histogram of how long jobs took, in minutes, by kind of job.",
        lines.job_line(jobs),
        partial(job_durations, jobs=jobs),
    )


def _mesh(twin: Twin) -> tuple[Picture, Picture, Picture]:
    site, nodes, links = twin.scenario.site, twin.nodes(), twin.links()
    events, messages = twin.mesh_events("heard"), twin.messages()
    ratio = site.depth_m / site.width_m if nodes["x_m"].notna().all() else 0.75
    return (
        Picture(
            "The mesh",
            "Plan of the nodes of the mesh and their links, coloured by link quality.",
            lines.mesh_line(nodes, links),
            lambda ax: mesh_map(ax, nodes, links),
            height=1.0 + 6.3 * min(1.4, max(0.25, ratio)),
            right=0.75,
        ),
        Picture(
            "Reach by hop",
            "Share of the nodes that first heard a message at each number of hops.",
            lines.reach_line(hop_shares(events, messages), messages),
            lambda ax: reach_by_hop(ax, events, messages),
        ),
        Picture(
            "Airtime",
            "Histogram of the share of time that nodes send or have a sender in reach.",
            lines.airtime_line(air_share(nodes, twin.now_us)),
            lambda ax: airtime_share(ax, nodes, twin.now_us),
        ),
    )


def _upgrade(twin: Twin) -> tuple[Picture, ...]:
    upgrades = twin.upgrades()
    if upgrades.empty:
        return ()
    site, nodes, devices = twin.scenario.site, twin.nodes(), twin.upgraded()
    line = lines.upgrade_line(upgrades, devices)
    began_us = int(upgrades["began_us"].iloc[-1])
    return (
        Picture(
            "The last upgrade",
            "Number of devices that had succeeded or failed, over the time since its begin.",
            line,
            lambda ax: upgrade_curve(ax, devices, began_us),
        ),
        Picture(
            "Where devices failed",
            "Plan of the devices of the last upgrade, coloured by what became of them.",
            line,
            lambda ax: upgrade_map(ax, nodes, devices),
            height=1.0 + 6.3 * min(1.4, max(0.25, site.depth_m / site.width_m)),
        ),
    )
