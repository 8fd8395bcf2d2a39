"""Arrays that the inner loop visits at random: on cache lines and, where large, on large pages."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_CACHE_LINE = 64
_LARGE_PAGE = 1 << 21
_LARGE = 1 << 18  # from here on, looking up small pages costs more than the data


def zeros(count: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return an array of zeros for random access, shape (count,).

    numpy asks the system for large pages from 4 MiB on, and the system gives them on their own
    boundaries; so a large array takes that much address space, of which it touches what it needs.
    """
    size = count * np.dtype(dtype).itemsize
    boundary, spare = (_LARGE_PAGE, 2 * _LARGE_PAGE) if size >= _LARGE else (_CACHE_LINE, 0)
    room = np.empty(size + boundary + spare, np.uint8)
    first = -room.ctypes.data % boundary
    found = room[first : first + size]
    found[:] = 0
    return found.view(dtype)


def placed(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy of an array that lies in memory as one of ``zeros`` does."""
    found = zeros(array.size, array.dtype).reshape(array.shape)
    found[...] = array
    return found
