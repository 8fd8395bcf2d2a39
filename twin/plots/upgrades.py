"""Upgrades: when devices were through, and where those stand that were not."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from twin.plots.style import (
    BLUE,
    GREY,
    ORANGE,
    VERMILLION,
    Mark,
    legend_above,
    mark_values,
    say_empty,
    thousands,
    tidy,
)

__all__ = ["upgrade_curve", "upgrade_map"]

_MINUTE_US = 60e6
_ROOM = 1.3  # of the x axis: what stands beside the last mark has to fit
_COLOURS = {"success": BLUE, "pending": GREY, "cancelled": ORANGE, "failure": VERMILLION}


def upgrade_curve(ax: Axes, devices: pd.DataFrame, began_us: int) -> Axes:
    """Draw how many devices were through at each moment of an upgrade.

    Parameters
    ----------
    ax
        Where to draw.
    devices
        One row each, with `outcome` and `done_us` [us], as `Twin.upgraded` gives them.
    began_us
        When the upgrade began [us].

    Returns
    -------
    Axes
        x: minutes since its begin; y: devices, those that succeeded and those that failed, as
        steps; when half and 95 % had succeeded is marked.
    """
    tidy(ax).set_xlabel("time since the begin of the upgrade [min]")
    ax.set_ylabel("number of devices")
    over = devices[devices["done_us"] >= 0]
    if over.empty:
        return say_empty(ax, "no device is through")
    last_min = float((over["done_us"].max() - began_us) / _MINUTE_US)
    for outcome, name in (("success", "succeeded"), ("failure", "failed")):
        some = over.loc[over["outcome"] == outcome, "done_us"]
        if len(some):
            at = np.sort((some.to_numpy(np.float64) - began_us) / _MINUTE_US)
            x = np.concatenate([[0.0], at, [_ROOM * last_min]])
            y = np.concatenate([[0], np.arange(1, len(at) + 1), [len(at)]])
            label = f"{name}: {len(at):,}"
            ax.step(x, y, where="post", color=_COLOURS[outcome], label=label, gid=outcome)
    ax.set_xlim(0.0, _ROOM * last_min)
    ax.set_ylim(0.0, 1.3 * len(devices))
    thousands(ax.yaxis)
    done = np.sort(over.loc[over["outcome"] == "success", "done_us"].to_numpy(np.float64))
    marks = []
    for share in (0.5, 0.95):
        needed = int(np.ceil(share * len(devices)))
        if len(done) >= needed:
            at_min = float(done[needed - 1] - began_us) / _MINUTE_US
            marks.append(Mark(at_min, f"{100 * share:.0f} % in {at_min:.1f} min", BLUE))
    mark_values(ax, marks)
    legend_above(ax)
    return ax


def upgrade_map(ax: Axes, nodes: pd.DataFrame, devices: pd.DataFrame) -> Axes:
    """Draw where the devices of an upgrade stand, by what became of them.

    Parameters
    ----------
    ax
        Where to draw.
    nodes
        One row each, with `node`, `is_bridge`, `x_m` and `y_m` [m].
    devices
        One row each, with `device` and `outcome`.

    Returns
    -------
    Axes
        x and y: metres, one scale; colour: outcome; bridges as squares.
    """
    ax.set_aspect("equal")
    ax.spines[:].set_visible(False)
    placed = nodes[nodes["x_m"].notna()]
    if placed.empty or devices.empty:
        return say_empty(ax, "no device has a place")
    merged = placed.merge(devices, left_on="node", right_on="device")
    for outcome, colour in _COLOURS.items():
        some = merged[merged["outcome"] == outcome]
        if len(some):
            ax.plot(
                some["x_m"], some["y_m"], "o", ms=4, color=colour, gid=outcome,
                label=f"{outcome}: {len(some):,}",
            )  # fmt: skip
    hosts = placed[placed["is_bridge"]]
    ax.plot(hosts["x_m"], hosts["y_m"], "s", ms=7, color="black", gid="bridges", label="bridge")
    ax.set_xlabel("x [m]")
    ax.set_ylabel("y [m]")
    legend_above(ax)
    return ax
