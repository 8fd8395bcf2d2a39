"""A gateway as the reference engine sees it: one server, then one connection to the cloud."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.floor.rules.gateway import service_us, uplinked_us, visible_us


class Passage(NamedTuple):
    """How a message passed: its wait, when the host was done, when the cloud shows it [us]."""

    wait_us: int
    served_us: int
    visible_us: int


class Gateway:
    """First come, first served.

    Service is not preempted and arrivals come in order, so the whole passage of a message is
    known when it arrives: it begins when the one before it is done (Lindley, 1952).
    """

    def __init__(self, book: NDArray[np.void]) -> None:
        """Start empty."""
        self._book = book
        self._free_us = 0
        self._uplinked_us = 0
        self._accepted_us = 0

    def accept(self, message: int, now_us: int) -> Passage:
        """Queue a message that arrives now.

        Parameters
        ----------
        message
            Address state of the message.
        now_us
            When it arrives [us].
        """
        begins_us = max(now_us, self._free_us)
        work_us = service_us(self._book, message)
        self._free_us = begins_us + work_us
        self._uplinked_us = uplinked_us(self._book, message, self._free_us, self._uplinked_us)
        self._accepted_us += work_us
        shown_us = visible_us(self._book, message, self._uplinked_us)
        return Passage(begins_us - now_us, self._free_us, shown_us)

    def served_us(self, now_us: int) -> int:
        """Return how long it has served until now: accepted less still to do [us]."""
        return self._accepted_us - max(0, self._free_us - now_us)
