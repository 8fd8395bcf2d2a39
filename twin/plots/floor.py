"""The floor plan, with the gateways and how busy they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from twin import units
from twin.plots.style import BLUE, GREY, INK, legend_above, two_digits
from twin.scenario import Site, Zone

__all__ = ["floor_map"]

_CEILINGS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_COLOURS = "cividis_r"


def floor_map(
    ax: Axes, site: Site, gateways: pd.DataFrame, sessions: pd.DataFrame | None = None
) -> Axes:
    """Draw zones, walls and stations, and each stationary gateway as busy as it was.

    Parameters
    ----------
    ax
        Where to draw.
    site
        The floor plan [m].
    gateways
        One row each, with `name`, `kind`, `x_m`, `y_m` [m] and `use`, the share
        of time it serves [1].
    sessions
        Rows of events, with `gateway`, `gateway_kind` and `zone`: where the
        phones went; None when not known.

    Returns
    -------
    Axes
        x and y: metres from the lower left corner, one scale; colour: busy [%].
    """
    _plan(ax, site)
    if gateways.empty:
        ax.set_title("no gateways", loc="left", size=10, color=GREY)
        return ax
    fixed = gateways[gateways["kind"] == "stationary"]
    phones = gateways[gateways["kind"] == "mobile"]
    _stationary(ax, fixed)
    _phones(ax, site, phones, sessions)
    _legend(ax, site, fixed, phones)
    return ax


def _plan(ax: Axes, site: Site) -> None:
    for zone in site.zones:
        _zone(ax, zone)
    for wall in site.walls:
        ax.plot([wall.x1_m, wall.x2_m], [wall.y1_m, wall.y2_m], color=INK, linewidth=3)
    ax.add_patch(
        Rectangle((0, 0), site.width_m, site.depth_m, fill=False, edgecolor=INK, linewidth=1.5)
    )
    if site.stations:
        places = [(station.x_m, station.y_m) for station in site.stations]
        ax.plot(*zip(*places, strict=True), "+", color=GREY, markersize=9, gid="stations")
    ax.set_aspect("equal")
    ax.set_xlim(-0.01 * site.width_m, 1.01 * site.width_m)
    ax.set_ylim(-0.01 * site.depth_m, 1.01 * site.depth_m)
    ax.set_xlabel("x [m]")
    ax.set_ylabel("y [m]")
    ax.spines[:].set_visible(False)


def _zone(ax: Axes, zone: Zone) -> None:
    corner = (zone.x_m, zone.y_m)
    style: dict[str, Any] = {"facecolor": "#f3f5f7", "edgecolor": "#b5bcc4", "linewidth": 1.0}
    ax.add_patch(Rectangle(corner, zone.width_m, zone.depth_m, **style))
    ax.annotate(
        f"{zone.name}\n{units.format_temperature(zone.temperature_degc).replace('degC', '°C')}",
        (zone.x_m, zone.y_m + zone.depth_m),
        xytext=(5, -5),
        textcoords="offset points",
        va="top",
        size=9,
    )


def _stationary(ax: Axes, fixed: pd.DataFrame) -> None:
    if fixed.empty:
        return
    busy = 100.0 * fixed["use"].fillna(0.0).to_numpy(np.float64)
    top = next((item for item in _CEILINGS if item >= busy.max()), 100.0)
    norm = Normalize(0.0, top)
    ax.scatter(
        fixed["x_m"],
        fixed["y_m"],
        s=60.0 + 240.0 * busy / top,
        c=busy,
        cmap=_COLOURS,
        norm=norm,
        marker="s",
        edgecolors=INK,
        zorder=3,
    )
    for name, x, y, use in zip(fixed["name"], fixed["x_m"], fixed["y_m"], busy, strict=True):
        text = f"{name}\n{two_digits(float(use))} %"
        ax.annotate(
            text,
            (x, y),
            xytext=(0, -11),
            textcoords="offset points",
            ha="center",
            va="top",
            size=8,
        )
    bar = ax.figure.colorbar(ScalarMappable(norm, _COLOURS), ax=ax, fraction=0.04, pad=0.02)
    bar.set_label("gateway busy, share of time [%]")


def _phones(ax: Axes, site: Site, phones: pd.DataFrame, sessions: pd.DataFrame | None) -> None:
    """Write into each zone how many phones worked there."""
    if phones.empty or sessions is None or sessions.empty:
        return
    own = sessions[sessions["gateway_kind"] == "mobile"]
    for zone in site.zones:
        count = own.loc[own["zone"] == zone.name, "gateway"].nunique()
        if count:
            ax.annotate(
                f"\N{BLACK CIRCLE} {count:,}",
                (zone.x_m + zone.width_m, zone.y_m + zone.depth_m),
                xytext=(-5, -5),
                textcoords="offset points",
                ha="right",
                va="top",
                color=BLUE,
                size=9,
            )


def _legend(ax: Axes, site: Site, fixed: pd.DataFrame, phones: pd.DataFrame) -> None:
    square: dict[str, Any] = {"marker": "s", "color": "none", "markeredgecolor": INK}
    handles = [Line2D([], [], label=f"{len(fixed):,} stationary", markerfacecolor=GREY, **square)]
    if len(phones):
        busy = two_digits(100.0 * float(phones["use"].mean()))
        them = "1 phone with its worker"
        if len(phones) > 1:
            them = f"{len(phones):,} phones with their workers"
        text = f"{them}, {busy} % busy"
        dot: dict[str, Any] = {"marker": "o", "color": "none", "markerfacecolor": BLUE}
        handles.append(Line2D([], [], label=text, markeredgecolor=BLUE, **dot))
    if site.stations:
        station: dict[str, Any] = {"marker": "+", "color": "none", "markeredgecolor": GREY}
        handles.append(Line2D([], [], label="station", **station))
    if site.walls:
        handles.append(Line2D([], [], color=INK, linewidth=3, label="wall"))
    legend_above(ax, handles)
