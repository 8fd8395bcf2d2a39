"""Where to draw nodes whose places nobody knows, and where to write names so they can be read."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from twin.plots.style import INK

__all__ = ["RINGS", "SPRINGS", "by_links", "names_beside"]

RINGS, SPRINGS = "rings", "springs"

_MOST_SPRINGS = 400  # nodes; beyond, to let springs relax takes long
_STEADY = 1  # the seed of a layout: the same links, the same picture
_TOO_WEAK = 100.0  # a link of this quality pulls no more [-dBm]

# Of a name: its size [points], what a letter takes [points], and what may stand around a marker.
_SIZE, _LETTER, _LINE = 8.0, 5.2, 10.0
_SIDES = ((7.0, 0.0, "left"), (-7.0, 0.0, "right"), (0.0, 11.0, "center"), (0.0, -11.0, "center"))


def by_links(nodes: pd.DataFrame, pairs: pd.DataFrame) -> tuple[NDArray[np.float64], str]:
    """Lay nodes out by their links alone; the same links give the same layout.

    Parameters
    ----------
    nodes
        One row each, with `hops` from a bridge [1], -1 for none.
    pairs
        Rows `a` and `b`, places in `nodes`, with `link_quality` [-dBm].

    Returns
    -------
    tuple
        Places, shape (nodes, 2), and how they were found: SPRINGS pull nodes together that hear
        each other well; RINGS are hops, for more nodes than springs can pull.
    """
    if len(nodes) > _MOST_SPRINGS:
        return _rings(nodes["hops"].to_numpy(np.int64)), RINGS
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(nodes)))
    pull = np.clip((_TOO_WEAK - pairs["link_quality"].to_numpy(np.float64)) / 10.0, 0.1, None)
    ends = zip(pairs["a"].tolist(), pairs["b"].tolist(), pull.tolist(), strict=True)
    graph.add_weighted_edges_from(ends)
    found = nx.spring_layout(graph, weight="weight", seed=_STEADY, iterations=200, k=1.2)
    return np.array([found[node] for node in range(len(nodes))], np.float64), SPRINGS


def _rings(hops: NDArray[np.int64]) -> NDArray[np.float64]:
    """Place nodes on rings, one for each hop; who is reached by nobody is outermost."""
    ring = np.where(hops < 0, hops.max(initial=0) + 1, hops)
    places = np.zeros((len(hops), 2))
    for number in np.unique(ring):
        own = np.flatnonzero(ring == number)
        angle = 2.0 * np.pi * np.arange(len(own)) / len(own) + 0.5 * number
        radius = number if len(own) > 1 or number else 0.0
        radius = radius or 0.3  # several bridges in the middle
        if number == 0 and len(own) == 1:
            radius = 0.0
        places[own] = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return places


def names_beside(ax: Axes, names: Sequence[str], places: NDArray[np.float64]) -> None:
    """Write names beside their markers; those that find no room are left out.

    Parameters
    ----------
    ax
        Its limits are final.
    names
        Shape (markers,).
    places
        Of the markers, shape (markers, 2), in the units of the axes.
    """
    ax.apply_aspect()
    points = ax.transData.transform(places) * 72.0 / ax.figure.dpi
    taken: list[Bbox] = [Bbox.from_bounds(x - 5, y - 5, 10, 10) for x, y in points]
    frame = ax.get_window_extent()
    room = Bbox(frame.get_points() * 72.0 / ax.figure.dpi)
    for name, (x, y), place in zip(names, points, places, strict=True):
        width = _LETTER * len(name)
        for dx, dy, side in _SIDES:
            left = x + dx - {"left": 0.0, "center": 0.5 * width, "right": width}[side]
            box = Bbox.from_bounds(left, y + dy - 0.5 * _LINE, width, _LINE)
            free = room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0
            if free and not box.count_overlaps(taken):
                taken.append(box)
                _write(ax, name, place, (dx, dy), side)
                break


def _write(
    ax: Axes, name: str, place: NDArray[np.float64], offset: tuple[float, float], side: str
) -> None:
    ax.annotate(
        name,
        (float(place[0]), float(place[1])),
        xytext=offset,
        textcoords="offset points",
        ha=side,
        va="center",
        color=INK,
        size=_SIZE,
        zorder=6,
        bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "alpha": 0.75, "linewidth": 0},
    )
