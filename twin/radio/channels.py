"""Where channels lie in the band at 2.4 GHz, and which of them overlap."""

__all__ = ["BLE_DATA_CHANNELS", "ble_mhz", "mesh_mhz", "overlaps", "wifi_mhz"]

BLE_DATA_CHANNELS = 37
"""Over how many channels a BLE connection hops: 40 without three for advertising."""
_BELOW_ADVERTISING = 11


def ble_mhz(channel: int) -> int:
    """Return the centre of a BLE data channel, 0 to 36 [MHz].

    2404 to 2424 and 2428 to 2478; 2426 is for advertising (Bluetooth core specification, volume
    6, part B, 1.4.1).

    >>> ble_mhz(0), ble_mhz(10), ble_mhz(11), ble_mhz(36)
    (2404, 2424, 2428, 2478)
    """
    return 2404 + 2 * channel + (2 if channel >= _BELOW_ADVERTISING else 0)


def mesh_mhz(channel: int) -> int:
    """Return the centre of a SNAP channel, 0 to 15, which is channel 11 to 26 of IEEE 802.15.4
    [MHz] (SNAP Reference Manual 2.4, p. 48).

    >>> mesh_mhz(4)
    2425
    """
    return 2405 + 5 * channel


def wifi_mhz(channel: int) -> int:
    """Return the centre of a Wi-Fi channel, 1 to 13 [MHz] (IEEE 802.11).

    >>> wifi_mhz(1), wifi_mhz(6), wifi_mhz(11)
    (2412, 2437, 2462)
    """
    return 2407 + 5 * channel


def overlaps(one_mhz: float, other_mhz: float, reach_mhz: float) -> bool:
    """Say whether two channels overlap: centres at most so far apart [MHz].

    >>> sum(overlaps(ble_mhz(k), wifi_mhz(6), 9) for k in range(37))
    10
    """
    return abs(one_mhz - other_mhz) <= reach_mhz
