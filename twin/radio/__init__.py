"""The 2.4 GHz radio as pure formulas: no clock, no chance, no node.

>>> from twin import radio
>>> radio.airtime_us(50)
1792
>>> bool(radio.packet_success(1.0, 100) > 0.98)
True

Levels are in dBm, ratios in dB; functions take numbers or arrays.
"""

from twin.radio.air import LONGEST_PSDU_BYTES, airtime_us
from twin.radio.channels import BLE_DATA_CHANNELS, ble_mhz, mesh_mhz, overlaps, wifi_mhz
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
    "BLE_DATA_CHANNELS",
    "LONGEST_PSDU_BYTES",
    "airtime_us",
    "ble_mhz",
    "captures",
    "free_space_loss_db",
    "mesh_mhz",
    "multi_wall_loss_db",
    "noise_floor_dbm",
    "oqpsk_ber",
    "overlaps",
    "packet_success",
    "path_loss_db",
    "power_sum_dbm",
    "snr_with_interference_db",
    "standard_path_loss_db",
    "usable_reception",
    "wifi_mhz",
]
