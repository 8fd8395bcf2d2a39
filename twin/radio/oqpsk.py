"""Errors of O-QPSK with sixteen spreading sequences: the 2.4 GHz radio of IEEE 802.15.4.

The formula is that of white noise and an ideal receiver. Real ones need 5 to 6 dB more, which
belongs into the noise floor, not in here.
"""

from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["oqpsk_ber", "packet_success"]

_SEQUENCES = 16
_K = np.arange(2, _SEQUENCES + 1)
_WEIGHTS = np.array([(-1) ** k * comb(_SEQUENCES, k) for k in _K.tolist()], float)


def oqpsk_ber(snr_db: ArrayLike) -> NDArray[np.float64]:
    """Return the probability that a bit is wrong [1].

    Source: IEEE 802.15.4-2006, Annex E.4.1.8.

    Parameters
    ----------
    snr_db
        Signal to noise ratio [dB], any shape.
    """
    snr = np.power(10.0, np.asarray(snr_db, float) / 10.0)[..., None]
    terms = _WEIGHTS * np.exp(20.0 * snr * (1.0 / _K - 1.0))
    return np.asarray(np.clip(8.0 / 15.0 / _SEQUENCES * terms.sum(axis=-1), 0.0, 0.5))


def packet_success(snr_db: ArrayLike, psdu_bytes: ArrayLike) -> NDArray[np.float64]:
    """Return the probability that every bit of a frame is right [1].

    Source: bits err independently, as ns-3's ``LrWpanErrorModel`` has it.

    Parameters
    ----------
    snr_db
        Signal to noise ratio, the same over the whole frame [dB].
    psdu_bytes
        Length of the frame [B].
    """
    return np.asarray((1.0 - oqpsk_ber(snr_db)) ** (8.0 * np.asarray(psdu_bytes, float)))
