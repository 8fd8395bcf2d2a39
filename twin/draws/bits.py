"""Machine words: 64-bit integers and the bits of a float, compiled and plain alike.

Outside this room a hash is a signed 64-bit integer, so that one type serves numpy columns, Python
integers and compiled code. Inside, arithmetic is unsigned: numba turns a mixture of signed and
unsigned words into a float.
"""

import struct
from typing import TYPE_CHECKING

import numpy as np

from twin.compiling import COMPILED, rule

_MASK = (1 << 64) - 1
_SIGN = 1 << 63

if COMPILED or TYPE_CHECKING:
    ALL_ONES = np.uint64(_MASK)

    def word(value: int) -> np.uint64:
        """Return a constant as the unsigned word that compiled code expects."""
        return np.uint64(value)

    @rule
    def unsigned(value: int) -> np.uint64:
        """Return the bits of a signed word as an unsigned one."""
        return np.uint64(value)

    @rule
    def signed(value: np.uint64) -> int:
        """Return the bits of an unsigned word as a signed one."""
        return int(np.int64(value))

    @rule
    def bits_of(value: float) -> int:
        """Return the IEEE 754 bits of a double as a signed word."""
        return int(np.float64(value).view(np.int64))

    @rule
    def float_of(bits: int) -> float:
        """Return the double with these IEEE 754 bits."""
        return np.int64(bits).view(np.float64)

else:
    ALL_ONES = _MASK

    def word(value: int) -> int:
        """Return a constant as the Python integer that plain code masks to 64 bits."""
        return value

    def unsigned(value: int) -> int:
        """Return the bits of a signed word as an unsigned one."""
        return int(value) & _MASK

    def signed(value: int) -> int:
        """Return the bits of an unsigned word as a signed one."""
        return (value ^ _SIGN) - _SIGN

    def bits_of(value: float) -> int:
        """Return the IEEE 754 bits of a double as a signed word."""
        return struct.unpack("<q", struct.pack("<d", value))[0]

    def float_of(bits: int) -> float:
        """Return the double with these IEEE 754 bits."""
        return struct.unpack("<d", struct.pack("<q", bits))[0]
