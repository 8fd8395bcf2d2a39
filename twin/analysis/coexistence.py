"""Key figures of the band at 2.4 GHz: what BLE, Wi-Fi and the mesh took from each other."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.kpis import Kpi

__all__ = ["BAND_KPIS", "band_row"]

BAND_KPIS = (
    Kpi("ble_taken_mean", "share", "share of connection events that mesh and Wi-Fi took, mean of "
        "gateways and time"),
    Kpi("ble_taken_max", "share", "the same at the gateway and in the step where it was most"),
    Kpi("mesh_taken_max", "share", "share of frames at -88 dBm that BLE and Wi-Fi took, at the "
        "node and in the step where it was most"),
    Kpi("mesh_duty_max", "share", "share of time that nodes near a gateway sent, overlaps counted "
        "twice; at the gateway and in the step where it was most"),
)  # fmt: skip


def band_row(
    ble_taken: NDArray[np.float64],
    ble_taken_max: float,
    mesh_taken_max: float,
    mesh_duty_max: float,
) -> pd.DataFrame:
    """Return the key figures of the band as a frame of one row.

    Parameters
    ----------
    ble_taken
        Share of each gateway's connection events that others took, shape (gateways,) [1].
    ble_taken_max, mesh_taken_max, mesh_duty_max
        The most of each in one step [1].
    """
    figures = {
        "ble_taken_mean": float(ble_taken.mean()) if ble_taken.size else np.nan,
        "ble_taken_max": ble_taken_max,
        "mesh_taken_max": mesh_taken_max,
        "mesh_duty_max": mesh_duty_max,
    }
    return pd.DataFrame({kpi.name: [figures[kpi.name]] for kpi in BAND_KPIS})
