"""How much of a signal is lost on its way."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "free_space_loss_db",
    "multi_wall_loss_db",
    "path_loss_db",
    "standard_path_loss_db",
]

_LIGHT_M_S = 299_792_458.0
_BREAK_M = 8.0


def path_loss_db(
    distance_m: ArrayLike, *, exponent: float, reference_db: float, reference_m: float = 1.0
) -> NDArray[np.float64]:
    """Return the loss of the log-distance law, without shadowing [dB].

    Source: Rappaport, "Wireless Communications", 4.9.1. Nearer than the reference the loss is
    that of the reference: the law says nothing there.

    Parameters
    ----------
    distance_m
        From sender to receiver [m], any shape.
    exponent
        How fast the signal fades: 2 in free space [1].
    reference_db, reference_m
        The loss [dB] at a distance [m].

    Raises
    ------
    ValueError
        A distance is negative.
    """
    distance = np.asarray(distance_m, float)
    if (distance < 0.0).any():
        raise ValueError(f"a distance is 0 m or more, not {distance.min():g} m")
    ratio = np.maximum(distance, reference_m) / reference_m
    return np.asarray(reference_db + 10.0 * exponent * np.log10(ratio))


def free_space_loss_db(distance_m: ArrayLike, frequency_hz: float) -> NDArray[np.float64]:
    """Return the loss in free space [dB].

    Source: Friis, Proc. IRE 34 (5), 1946; from 1 m on.

    Parameters
    ----------
    distance_m
        From sender to receiver [m].
    frequency_hz
        Of the carrier [Hz].
    """
    at_1_m_db = 20.0 * np.log10(4.0 * np.pi * frequency_hz / _LIGHT_M_S)
    return path_loss_db(distance_m, exponent=2.0, reference_db=float(at_1_m_db))


def standard_path_loss_db(distance_m: ArrayLike) -> NDArray[np.float64]:
    """Return the loss at 2.4 GHz as IEEE 802.15.4 assumes it, with a break at 8 m [dB].

    Source: IEEE 802.15.4-2006, Annex E.5.3.

    Parameters
    ----------
    distance_m
        From sender to receiver [m].
    """
    near = path_loss_db(distance_m, exponent=2.0, reference_db=40.2)
    far = path_loss_db(distance_m, exponent=3.3, reference_db=58.5, reference_m=_BREAK_M)
    return np.where(np.asarray(distance_m, float) <= _BREAK_M, near, far)


def multi_wall_loss_db(
    path_db: ArrayLike, walls: ArrayLike, wall_loss_db: ArrayLike
) -> NDArray[np.float64]:
    """Return a loss with what the walls on the way take besides [dB].

    Source: the multi-wall model of COST 231, final report, 4.7.2, without its term for floors.

    Parameters
    ----------
    path_db
        The loss without walls [dB], shape (...).
    walls
        How many walls of each kind are on the way, shape (..., kinds).
    wall_loss_db
        What one of each kind takes [dB], shape (kinds,).
    """
    taken = (np.asarray(walls, float) * np.asarray(wall_loss_db, float)).sum(axis=-1)
    return np.asarray(np.asarray(path_db, float) + taken)
