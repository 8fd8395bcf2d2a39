"""The stretches of work between breaks, as sessions refer to them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


class Windows:
    """The stretches of work between breaks, of the shifts of one offer."""

    def __init__(self, edges_us: Callable[[int, int], list[int]], now_us: int) -> None:
        """Begin without any; ``edges_us`` gives begin, breaks and end of a shift [us]."""
        self._edges_us = edges_us
        self._now_us = now_us
        self._rows: list[tuple[int, int]] = []
        self._of: dict[int, tuple[int, int]] = {}

    def of(self, shift: int, until_us: int) -> tuple[int, int]:
        """Return the rows (first, one past the last) of a shift that ends at a moment [us]."""
        if shift not in self._of:
            first = len(self._rows)
            self._rows += self._stretches(shift, until_us)
            self._of[shift] = first, len(self._rows)
        return self._of[shift]

    def begin_us(self, stretches: tuple[int, int]) -> int:
        """Return when the first of some stretches begins [us]."""
        return self._rows[stretches[0]][0]

    def _stretches(self, shift: int, until_us: int) -> list[tuple[int, int]]:
        """Return what breaks leave of a shift from now on; empty stretches are left out [us]."""
        edges = self._edges_us(shift, until_us)
        clipped = [min(max(edge, self._now_us), until_us) for edge in edges]
        pairs = zip(clipped[::2], clipped[1::2], strict=True)
        return [(a, b) for a, b in pairs if a < b] or [(self._now_us, self._now_us)]

    def array(self) -> NDArray[np.int64]:
        """Return all stretches, shape (n, 2) [us]."""
        return np.array(self._rows, np.int64).reshape(-1, 2)
