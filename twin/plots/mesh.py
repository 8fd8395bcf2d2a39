"""The mesh: who hears whom how well, how far messages came, and how full the air was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from twin.plots.places import RINGS, by_links, names_beside
from twin.plots.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    VERMILLION,
    Mark,
    draw_steps,
    legend_above,
    mark_values,
    say_empty,
    thousands,
    tidy,
    two_digits,
)

__all__ = ["USABLE", "air_share", "airtime_share", "hop_shares", "mesh_map", "reach_by_hop"]

USABLE = 0.1
"""From which reception on a link is drawn [1]."""

_MOST_LINKS = 6_000
_MANY_NODES = 1_500  # dots of which one file of a report would hold as many lines
_COLOURS = "cividis"
_STEP = 10  # of the scale of link quality [dB]
_BINS = 24
_MOST_BARS = 12  # with their number above


# --- the map -----------------------------------------------------------------


def mesh_map(ax: Axes, nodes: pd.DataFrame, links: pd.DataFrame) -> Axes:
    """Draw the nodes at their places, and between them the better direction of each link.

    Parameters
    ----------
    ax
        Where to draw.
    nodes
        One row each, with `node`, `is_bridge`, `x_m`, `y_m` [m], `hops` and
        `cut_off`. If places are missing, the links give the layout.
    links
        One row for each direction, with `start`, `end`, `link_quality` [-dBm] and
        `reception` [1]; those that bring fewer than one frame in ten are left out.

    Returns
    -------
    Axes
        x and y: metres, one scale, or no unit without places; colour: link quality
        [-dBm]. Of very many links each node shows its best few.
    """
    ax.set_aspect("equal")
    ax.spines[:].set_visible(False)
    if nodes.empty:
        return say_empty(ax, "no mesh")
    pairs = _better(nodes, links)
    places = _places(ax, nodes, pairs)
    _limits(ax, places)
    shown, few = _few(pairs, len(nodes))
    if len(shown):
        _lines(ax, shown, places)
    _legend(ax, nodes, _links_text(len(shown), len(pairs), few))
    _dots(ax, nodes, places)
    return ax


def _better(nodes: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Give the better direction of each pair that hears each other, the best first.

    As `a` and `b`, places in `nodes`, and `link_quality` [-dBm].
    """
    usable = links[links["reception"] >= USABLE]
    index = pd.Index(nodes["node"])
    start, end = (index.get_indexer(pd.Index(usable[name])) for name in ("start", "end"))
    low, high = np.minimum(start, end), np.maximum(start, end)
    quality = usable["link_quality"].to_numpy(np.float64)
    found = pd.DataFrame({"a": low, "b": high, "link_quality": quality})
    # The places break ties, so the order of the rows does not matter.
    ordered: pd.DataFrame = found[low >= 0].sort_values(["link_quality", "a", "b"])
    return ordered.drop_duplicates(["a", "b"]).reset_index(drop=True)


def _few(pairs: pd.DataFrame, nodes: int) -> tuple[pd.DataFrame, int]:
    """Give the links to draw, and how many of each node those are, 0 for all."""
    if len(pairs) <= _MOST_LINKS:
        return pairs, 0
    few = max(2, _MOST_LINKS // nodes)
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    ends = pd.Series(np.stack([a, b], axis=1).reshape(-1))
    best = (ends.groupby(ends).cumcount() < few).to_numpy().reshape(-1, 2)
    return pairs.iloc[np.flatnonzero(best.any(axis=1))], few


def _places(ax: Axes, nodes: pd.DataFrame, pairs: pd.DataFrame) -> NDArray[np.float64]:
    """Give each node its place, shape (nodes, 2), and say on the axes what places are."""
    known = nodes[["x_m", "y_m"]].to_numpy(np.float64)
    if np.isfinite(known).all():
        ax.set_xlabel("x [m]")
        ax.set_ylabel("y [m]")
        return known
    ax.set_xticks([])
    ax.set_yticks([])
    places, how = by_links(nodes, pairs)
    what = "rings: hops from a bridge" if how == RINGS else "near: heard well"
    ax.set_xlabel(f"no places are known: drawn by links, {what}")
    return places


def _limits(ax: Axes, places: NDArray[np.float64]) -> None:
    low, high = places.min(axis=0), places.max(axis=0)
    # Room for a marker and, below and beside it, for a name.
    pad = 0.06 * max(1.0, float((high - low).max()))
    ax.set_xlim(low[0] - pad, high[0] + pad)
    ax.set_ylim(low[1] - pad, high[1] + pad)


def _lines(ax: Axes, shown: pd.DataFrame, places: NDArray[np.float64]) -> None:
    """Draw the links, the best on top, with the scale of their colours."""
    shown = shown.iloc[::-1]
    quality = shown["link_quality"].to_numpy(np.float64)
    low, high = np.floor(quality.min() / _STEP), np.ceil(quality.max() / _STEP)
    norm = Normalize(_STEP * low, _STEP * max(high, low + 1))
    crowd = min(1.0, 400.0 / len(shown))
    style: dict[str, Any] = {
        "linewidths": 0.5 + 0.9 * crowd,
        "alpha": 0.35 + 0.5 * crowd,
        # In a report thousands of lines are one image.
        "rasterized": len(shown) > _MANY_NODES,
    }
    ends = np.stack([places[shown["a"].to_numpy()], places[shown["b"].to_numpy()]], axis=1)
    found = LineCollection(list(ends), cmap=_COLOURS, norm=norm, zorder=1, gid="links", **style)
    found.set_array(quality)
    ax.add_collection(found, autolim=False)
    # Not of the lines themselves, whose colours shine through.
    scale = ScalarMappable(norm, _COLOURS)
    bar = ax.figure.colorbar(scale, ax=ax, fraction=0.04, pad=0.02)
    bar.set_label("link quality [-dBm]")
    bar.locator = MaxNLocator(integer=True, nbins=8)
    bar.update_ticks()


def _marks(nodes: pd.DataFrame) -> list[tuple[str, str, NDArray[np.bool_], dict[str, Any]]]:
    """Tell the kinds of nodes apart: one and many of it, which they are, how they look."""
    bridge = nodes["is_bridge"].to_numpy(bool)
    cut_off = (nodes["cut_off"] != "").to_numpy(bool)
    size = 6.0 if len(nodes) <= 100 else max(1.2, 60.0 / np.sqrt(len(nodes)))
    plain: dict[str, Any] = {"marker": "o", "markersize": size, "markeredgewidth": 0.3}
    square: dict[str, Any] = {"marker": "s", "markersize": 10, "markeredgewidth": 1.0}
    cross: dict[str, Any] = {"marker": "X", "markersize": 9, "markeredgewidth": 0.8}
    return [
        ("node", "nodes", ~bridge & ~cut_off, {**plain, "markerfacecolor": INK}),
        ("bridge", "bridges", bridge, {**square, "markerfacecolor": ORANGE}),
        ("reached by no bridge", "reached by no bridge", cut_off,
         {**cross, "markerfacecolor": VERMILLION}),
    ]  # fmt: skip


def _edge(style: dict[str, Any]) -> dict[str, Any]:
    return {"linestyle": "none", "markeredgecolor": "white", **style}


def _dots(ax: Axes, nodes: pd.DataFrame, places: NDArray[np.float64]) -> None:
    many = len(nodes) > _MANY_NODES
    for level, (_, kind, which, style) in enumerate(_marks(nodes)):
        if which.any():
            x, y = places[which].T
            look = _edge(style)
            ax.plot(x, y, zorder=3 + level, rasterized=many and level == 0, gid=kind, **look)
    cut_off = (nodes["cut_off"] != "").to_numpy(bool)
    names_beside(ax, nodes.loc[cut_off, "node"].tolist(), places[cut_off])


def _links_text(shown: int, pairs: int, few: int) -> str:
    if not few:
        return f"{pairs:,} link{'' if pairs == 1 else 's'}"
    return f"{shown:,} of {pairs:,} links, the best {few} of each node"


def _legend(ax: Axes, nodes: pd.DataFrame, links: str) -> None:
    handles = []
    for one, many, which, style in _marks(nodes):
        count = int(which.sum())
        if count:
            size = max(4.0, style["markersize"])
            look = {**_edge(style), "markersize": size, "markeredgecolor": INK}
            handles.append(Line2D([], [], label=f"{count:,} {many if count > 1 else one}", **look))
    handles.append(Line2D([], [], color=GREY, linewidth=1.5, label=links))
    legend_above(ax, handles)


# --- how far messages came ---------------------------------------------------


def reach_by_hop(
    ax: Axes,
    events: pd.DataFrame,
    messages: pd.DataFrame,
    message: int | None = None,
) -> Axes:
    """Draw at which hop the nodes first heard a message.

    Parameters
    ----------
    ax
        Where to draw.
    events
        Rows of the mesh of kind `heard`, with `message` and `hops`.
    messages
        One row each, by number, with `asked`, which is empty unless it is an answer, and
        `others`, how many nodes could hear it [1].
    message
        The number of one message; None for the mean of all that are no answers.

    Returns
    -------
    Axes
        x: hops from the sender [1]; y: share of the other nodes [%], as bars, and
        within so many hops as a line.
    """
    tidy(ax).set_xlabel("hops from the sender [1]")
    ax.set_ylabel("share of the other nodes [%]")
    count = len(_asked(messages, message))
    if not count or not _asked(messages, message)["others"].any():
        return say_empty(ax, "no message was sent" if message is None else f"no message {message}")
    shares = 100.0 * hop_shares(events, messages, message)
    hops = np.arange(1, len(shares) + 1)
    whose = f"message {message:,}" if message is not None else (
        f"mean of {count:,} messages" if count > 1 else "one message")  # fmt: skip
    ax.bar(hops, shares, width=0.7, color=BLUE, label=f"first heard at this hop, {whose}")
    style: dict[str, Any] = {"color": VERMILLION, "marker": "o", "markersize": 5}
    ax.plot(hops, shares.cumsum(), label="heard within so many hops", **style)
    _write_shares(ax, shares)
    ax.set_xlim(0.4, len(shares) + 0.6)
    ax.set_ylim(0, 112)
    ax.set_yticks(range(0, 101, 20))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
    legend_above(ax)
    return ax


def hop_shares(
    events: pd.DataFrame, messages: pd.DataFrame, message: int | None = None
) -> NDArray[np.float64]:
    """Give which share of the other nodes first heard a message at 1, 2, ... hops [1].

    Parameters
    ----------
    events, messages, message
        As `reach_by_hop` takes them.

    Returns
    -------
    ndarray
        Shape (most hops,), at least one; zeros where nobody heard anything.
    """
    asked = _asked(messages, message)
    counted = events["message"].isin(asked.index)
    if "kind" in events:
        counted &= events["kind"] == "heard"
    hops = events.loc[counted, "hops"].to_numpy(np.int64)
    counts = np.bincount(hops, minlength=2)[1:]
    return np.asarray(counts / max(1, int(asked["others"].sum())))


def _asked(messages: pd.DataFrame, message: int | None) -> pd.DataFrame:
    """Give the messages that count: the one, or all multicasts that are no answers."""
    if message is not None:
        return messages[messages.index == message]
    if "kind" in messages:
        messages = messages[messages["kind"] == "multicast"]
    return messages[messages["asked"].isna()] if len(messages) else messages


def _write_shares(ax: Axes, shares: NDArray[np.float64]) -> None:
    """Write the share into or above each bar, and above the line what was reached in the end."""
    reached = shares.cumsum()
    style: dict[str, Any] = {"ha": "center", "size": 9, "textcoords": "offset points"}
    if len(shares) <= _MOST_BARS:
        for hop, (share, total) in enumerate(zip(shares, reached, strict=True), 1):
            # A label that would lie on the line moves into its bar.
            inside = share > 10.0 and total - share < 8.0
            text, colour = f"{two_digits(float(share))} %", "white" if inside else INK
            below: dict[str, Any] = {
                "xytext": (0, -4 if inside else 3),
                "va": "top" if inside else "bottom",
            }
            ax.annotate(text, (hop, share), color=colour, **below, **style)
    text = f"{two_digits(float(reached[-1]))} %"
    place = (len(shares), reached[-1])
    ax.annotate(text, place, xytext=(0, 7), va="bottom", color=VERMILLION, **style)


# --- the air -----------------------------------------------------------------


def airtime_share(ax: Axes, nodes: pd.DataFrame, now_us: int) -> Axes:
    """Draw how the nodes differ in the share of time that their air is in use.

    Parameters
    ----------
    ax
        Where to draw.
    nodes
        One row each, with `air_us` and `heard_air_us` [us].
    now_us
        How long the run is so far [us].

    Returns
    -------
    Axes
        x: share of time that a node sends or has a sender in reach [%], two senders at
        once counted twice; y: nodes; mean and maximum are marked.
    """
    tidy(ax).set_xlabel("time that a node sends or has a sender in reach, of all time [%]")
    ax.set_ylabel("number of nodes")
    percent = 100.0 * air_share(nodes, now_us)
    top = float(percent.max(initial=0.0))
    if not top:
        return say_empty(ax, "nothing was sent")
    edges = np.linspace(0.0, top, _BINS + 1)
    counts, _ = np.histogram(percent, edges)
    draw_steps(ax, counts, edges, colour=BLUE, edgecolor="white", linewidth=0.4)
    ax.set_xlim(0.0, 1.2 * top)
    ax.set_ylim(0.0, 1.25 * counts.max())
    thousands(ax.yaxis)
    mean = float(percent.mean())
    marks = [(mean, "mean", INK), (top, "max", VERMILLION)]
    mark_values(ax, [Mark(x, f"{name} {two_digits(x)} %", colour) for x, name, colour in marks])
    return ax


def air_share(nodes: pd.DataFrame, now_us: int) -> NDArray[np.float64]:
    """Give the share of time that each node sends or has a sender in reach, shape (nodes,) [1].

    Parameters
    ----------
    nodes
        One row each, with `air_us` and `heard_air_us` [us].
    now_us
        How long the run is so far [us].
    """
    if nodes.empty:
        return np.empty(0)
    used_us = (nodes["air_us"] + nodes["heard_air_us"]).to_numpy(np.float64)
    return np.asarray(used_us / max(1, now_us))
