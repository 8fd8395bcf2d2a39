"""The serial line between a host and its bridge: one queue for each direction."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_BITS_OF_A_BYTE = 10  # 8N1: a start bit, eight of data, a stop bit


@dataclass
class Line:
    """One direction of a serial line; what finds its buffer full is lost.

    Parameters
    ----------
    baud
        How fast it is [bit/s].
    framing_bytes
        What the line adds to a packet [B].
    packets
        How many packets wait or are under way at most [1].
    """

    baud: int
    framing_bytes: int
    packets: int
    under_way_us: deque[int] = field(default_factory=deque)  # when each has passed
    lost: int = 0

    def pass_us(self, packet_bytes: int, now_us: int) -> int | None:
        """Return when a packet that comes now has passed, None where it is lost [us]."""
        while self.under_way_us and self.under_way_us[0] <= now_us:
            self.under_way_us.popleft()
        if len(self.under_way_us) >= self.packets:
            self.lost += 1
            return None
        begins_us = max(now_us, self.under_way_us[-1]) if self.under_way_us else now_us
        bits = (packet_bytes + self.framing_bytes) * _BITS_OF_A_BYTE
        passed_us = begins_us + -(-bits * 1_000_000 // self.baud)
        self.under_way_us.append(passed_us)
        return passed_us
