"""How long a frame is on the air: IEEE 802.15.4 at 2.4 GHz, 250 kbit/s."""

__all__ = ["LONGEST_PSDU_BYTES", "airtime_us"]

LONGEST_PSDU_BYTES = 127
"""aMaxPHYPacketSize (IEEE 802.15.4-2006, 6.4.1) [B]."""
_HEADER_BYTES = 6  # preamble 4, start of frame 1, length 1 (IEEE 802.15.4-2006, 6.3)
_BYTE_US = 32  # two symbols of 16 us, four bits each (6.5)


def airtime_us(psdu_bytes: int) -> int:
    """Return how long a frame is on the air, its preamble included [us].

    Parameters
    ----------
    psdu_bytes
        Length of what the header's length field counts, the frame check included [B].

    Raises
    ------
    ValueError
        The length is negative, or more than a frame can hold.
    """
    if not 0 <= psdu_bytes <= LONGEST_PSDU_BYTES:
        raise ValueError(f"a frame has 0 to {LONGEST_PSDU_BYTES} bytes, not {psdu_bytes}")
    return (_HEADER_BYTES + psdu_bytes) * _BYTE_US
