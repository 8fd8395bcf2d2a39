"""How often a frame gets through at a received level: a noise cliff times interference.

Where nothing disturbs, reception falls from all to nothing within a few decibels: a cliff. The
wide range of levels at which some frames get through comes from interference, mostly Wi-Fi, that
disturbs weak signals more than strong ones.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["usable_reception"]

_AT_DBM = -88.0
_DECAY_DB = 9.0


def usable_reception(
    rssi_dbm: ArrayLike, *, cliff_dbm: float, width_db: float, interference: ArrayLike
) -> NDArray[np.float64]:
    """Return the probability that a frame is received [1].

    Source: own fit to two measurements with 50 and 348 nodes (FIT IoT-LAB Grenoble, 2018 and
    2016): the loss by interference falls by a factor e every 9 dB.

    Parameters
    ----------
    rssi_dbm
        Received level [dBm], any shape.
    cliff_dbm, width_db
        Level at which noise takes every other frame [dBm], and how wide the cliff is: the scale
        of the logistic curve [dB].
    interference
        Share of frames that interference takes at -88 dBm [1]; 0 on a clean channel.

    Raises
    ------
    ValueError
        The width is not positive, or an interference is none.
    """
    level, share = np.asarray(rssi_dbm, float), np.asarray(interference, float)
    if not width_db > 0.0:
        raise ValueError(f"the cliff has a width above 0 dB, not {width_db:g} dB")
    if (share < 0.0).any() or (share > 1.0).any():
        raise ValueError("interference is a share from 0 to 1")
    above = np.clip((level - cliff_dbm) / width_db, -700.0, 700.0)  # exp stays finite
    cliff = 1.0 / (1.0 + np.exp(-above))
    lost = np.clip(share * np.exp(-(level - _AT_DBM) / _DECAY_DB), 0.0, 1.0)
    return np.asarray(cliff * (1.0 - lost))
