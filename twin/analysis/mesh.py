"""Key figures of the mesh: what messages reached, and what the air was used for."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.kpis import Kpi
from twin.events import MessageKind

__all__ = ["MESH_KPIS", "heard_air_us", "mesh_row"]

MESH_KPIS = (
    Kpi("mesh_multicasts", "messages", "messages that hosts or nodes multicast, answers left out"),
    Kpi("mesh_reach_mean", "share", "mean share of the other nodes of its network that had such a "
        "message in the end, whatever its hops and groups"),
    Kpi("mesh_answered", "share", "answers that came back, of those that nodes made"),
    Kpi("mesh_latency_mean_ms", "ms", "mean time from a message to the last node "
        "that processed it"),
    Kpi("mesh_transmissions", "frames", "frames sent, forwarded ones included, acknowledgements "
        "not"),
    Kpi("mesh_receptions", "frames", "frames received, copies included"),
    Kpi("mesh_duplicates", "frames", "frames received of what the receiver knew already"),
    Kpi("mesh_lost_link", "frames", "receptions that noise or interference took"),
    Kpi("mesh_lost_collision", "frames", "receptions lost because frames met at the receiver"),
    Kpi("mesh_lost_sending", "frames", "receptions lost because the receiver sent itself"),
    Kpi("mesh_dropped", "frames", "frames that a node should have sent and did not"),
    Kpi("mesh_airtime_mean", "share", "share of time that a node sends or has a sender in reach, "
        "overlaps counted twice; mean of all nodes"),
    Kpi("mesh_airtime_max", "share", "the same of the node where it is most"),
    Kpi("mesh_cut_off", "nodes", "nodes to which no usable path leads from any bridge"),
)  # fmt: skip


def mesh_row(
    messages: NDArray[np.void],
    use: NDArray[np.void],
    heard_us: NDArray[np.int64],
    others: NDArray[np.int64],
    cut_off: int,
    now_us: int,
) -> pd.DataFrame:
    """Return the key figures of the mesh as a frame of one row.

    Parameters
    ----------
    messages, use
        What became of the messages, and what each node's radio did.
    heard_us
        For how long each node had a sender in reach, shape (nodes,) [us].
    others
        How many other nodes were in the network of each message's source, shape (messages,) [1].
    cut_off
        How many nodes no bridge reaches [1].
    now_us
        How long the run is so far [us].
    """
    is_asked = (messages["asked"] < 0) & (messages["kind"] == MessageKind.MULTICAST)
    asked = messages[is_asked]
    answers = messages[messages["asked"] >= 0]
    processed = asked[asked["processed"] > 0]
    air = (use["air_us"] + heard_us) / max(now_us, 1)
    figures = {
        "mesh_multicasts": len(asked),
        "mesh_reach_mean": _mean(asked["heard"] / np.maximum(1, others[is_asked])),
        "mesh_answered": _mean(answers["processed"] > 0),
        "mesh_latency_mean_ms": _mean((processed["last_us"] - processed["made_us"]) / 1e3),
        "mesh_transmissions": int(use["sent"].sum()),
        "mesh_receptions": int(use["heard"].sum() + use["duplicates"].sum()),
        "mesh_duplicates": int(use["duplicates"].sum()),
        "mesh_lost_link": int(use["lost_link"].sum()),
        "mesh_lost_collision": int(use["lost_collision"].sum()),
        "mesh_lost_sending": int(use["lost_sending"].sum()),
        "mesh_dropped": int(use["dropped"].sum()),
        "mesh_airtime_mean": _mean(air),
        "mesh_airtime_max": float(air.max()) if len(air) else np.nan,
        "mesh_cut_off": cut_off,
    }
    return pd.DataFrame({kpi.name: [figures[kpi.name]] for kpi in MESH_KPIS})


def _mean(values: NDArray[np.float64 | np.bool_]) -> float:
    """Return the mean, nan of nothing."""
    return float(np.mean(values)) if len(values) else np.nan


def heard_air_us(
    first_link: NDArray[np.int64], ends: NDArray[np.int32], air_us: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for how long each node had a sender in reach, two at once counted twice [us].

    Parameters
    ----------
    first_link, ends
        The receivers of sender n are ends[first_link[n]:first_link[n + 1]].
    air_us
        How long each node sent, shape (nodes,) [us].
    """
    sent_us = np.repeat(air_us, np.diff(first_link))
    heard_us = np.zeros(len(air_us), np.int64)
    np.add.at(heard_us, ends, sent_us)
    return heard_us
