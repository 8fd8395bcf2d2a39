"""The 2.4 GHz radio as pure formulas: no clock, no chance, no node.

>>> from twin import radio
>>> radio.airtime_us(50)
1792
>>> bool(radio.packet_success(1.0, 100) > 0.98)
True

Levels are in dBm, ratios in dB; functions take numbers or arrays.
"""

from twin.radio.air import LONGEST_PSDU_BYTES, airtime_us
from twin.radio.levels import (
    captures,
    noise_floor_dbm,
    power_sum_dbm,
    snr_with_interference_db,
)
from twin.radio.oqpsk import oqpsk_ber, packet_success
from twin.radio.path_loss import (
    free_space_loss_db,
    multi_wall_loss_db,
    path_loss_db,
    standard_path_loss_db,
)
from twin.radio.reception import usable_reception

__all__ = [
    "LONGEST_PSDU_BYTES",
    "airtime_us",
    "captures",
    "free_space_loss_db",
    "multi_wall_loss_db",
    "noise_floor_dbm",
    "oqpsk_ber",
    "packet_success",
    "path_loss_db",
    "power_sum_dbm",
    "snr_with_interference_db",
    "standard_path_loss_db",
    "usable_reception",
]
