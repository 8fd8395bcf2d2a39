"""The rows of a run: taken as they come, in one piece when somebody looks."""

import numpy as np
from numpy.typing import DTypeLike, NDArray

from twin.events import EVENT

__all__ = ["KeptRows"]


class KeptRows:
    """All rows so far.

    Looking again and again while rows come costs no more than the new rows: the room doubles, and
    memory that is not written yet is not there yet.
    """

    def __init__(self, dtype: DTypeLike = EVENT) -> None:
        """Begin with none, of one kind of rows."""
        self._whole = np.zeros(0, dtype)
        self._used = 0
        self._chunks: list[NDArray[np.void]] = []  # not in the whole yet

    def __len__(self) -> int:
        """How many there are [1]."""
        return self._used + sum(map(len, self._chunks))

    def fork(self) -> "KeptRows":
        """Return the same rows, to which others are added: what there is is shared, not copied."""
        found = KeptRows(self._whole.dtype)
        # Of our room the fork knows the used part only, so its next rows find room of its own.
        found._whole, found._used = self._whole[: self._used], self._used
        found._chunks = list(self._chunks)
        return found

    def add(self, chunk: NDArray[np.void]) -> None:
        """Take the next rows; they must not be changed later."""
        self._chunks.append(chunk)

    def whole(self) -> NDArray[np.void]:
        """Return all rows as one array; it stays as it is when more come."""
        if self._chunks:
            end = self._used + sum(map(len, self._chunks))
            if end > len(self._whole):
                room = np.empty(max(end, 2 * self._used), self._whole.dtype)
                room[: self._used] = self._whole[: self._used]
                self._whole = room
            np.concatenate(self._chunks, out=self._whole[self._used : end])
            self._chunks, self._used = [], end
        return self._whole[: self._used]
