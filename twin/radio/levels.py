"""Powers that add up: noise, interference, and the stronger of two frames."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["captures", "noise_floor_dbm", "power_sum_dbm", "snr_with_interference_db"]

_BOLTZMANN_J_K = 1.380649e-23  # exact since 2019 (SI)
_ROOM_K = 290.0  # the standard noise temperature (IEEE Std 161)


def noise_floor_dbm(bandwidth_hz: float, noise_figure_db: float) -> float:
    """Return the noise that a receiver adds to what it hears: k T B and its noise figure [dBm].

    Parameters
    ----------
    bandwidth_hz
        Of the receiver [Hz]; 2 MHz for IEEE 802.15.4 at 2.4 GHz.
    noise_figure_db
        Of the receiver [dB].
    """
    thermal_mw = 1e3 * _BOLTZMANN_J_K * _ROOM_K * bandwidth_hz
    return float(10.0 * np.log10(thermal_mw) + noise_figure_db)


def power_sum_dbm(levels_dbm: ArrayLike) -> NDArray[np.float64]:
    """Return what several signals give together, over the last axis [dBm].

    Parameters
    ----------
    levels_dbm
        Their levels [dBm]; no signal is -inf.
    """
    power_mw = np.power(10.0, np.asarray(levels_dbm, float) / 10.0).sum(axis=-1)
    with np.errstate(divide="ignore"):  # nothing at all is -inf
        return np.asarray(10.0 * np.log10(power_mw))


def snr_with_interference_db(
    signal_dbm: ArrayLike, noise_dbm: ArrayLike, interference_dbm: ArrayLike
) -> NDArray[np.float64]:
    """Return the ratio of a signal to noise and interference together [dB].

    Parameters
    ----------
    signal_dbm, noise_dbm
        Levels of the signal and of the noise [dBm], of the same shape.
    interference_dbm
        Levels of what disturbs [dBm], -inf for nothing, of the same shape.
    """
    signal, noise, others = np.broadcast_arrays(
        np.asarray(signal_dbm, float),
        np.asarray(noise_dbm, float),
        np.asarray(interference_dbm, float),
    )
    return np.asarray(signal - power_sum_dbm(np.stack([noise, others], axis=-1)))


def captures(
    signal_dbm: ArrayLike, others_dbm: ArrayLike, threshold_db: float
) -> NDArray[np.bool_]:
    """Say whether a frame is received although others are on the air.

    What counts is the total power of the others, not how many there are (Gezer et al., Sensors
    14(3):5622, 2014).

    Parameters
    ----------
    signal_dbm
        Level of the frame [dBm].
    others_dbm
        Levels of the others, along the last axis [dBm].
    threshold_db
        How much stronger it has to be than all of them together [dB].
    """
    return np.asarray(np.asarray(signal_dbm, float) - power_sum_dbm(others_dbm) >= threshold_db)
