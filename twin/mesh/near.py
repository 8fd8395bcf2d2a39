"""Which nodes are near enough to hear each other: a grid of cells instead of all pairs."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.compiling import rule


def pairs_within(
    x_m: NDArray[np.float64], y_m: NDArray[np.float64], reach_m: float
) -> NDArray[np.int64]:
    """Return all pairs of points at most a distance apart, the lower index first, in order.

    Parameters
    ----------
    x_m, y_m
        Places, shape (n,) [m].
    reach_m
        The distance, above 0 [m].

    Returns
    -------
    pairs, shape (pairs, 2)
    """
    if len(x_m) < 2:
        return np.zeros((0, 2), np.int64)
    columns = min(4096, max(1, math.ceil((x_m.max() - x_m.min()) / reach_m)))
    rows = min(4096, max(1, math.ceil((y_m.max() - y_m.min()) / reach_m)))
    column = np.minimum(((x_m - x_m.min()) / reach_m).astype(np.int64), columns - 1)
    row = np.minimum(((y_m - y_m.min()) / reach_m).astype(np.int64), rows - 1)
    cell = row * columns + column
    order = np.argsort(cell, kind="stable")
    first = np.searchsorted(cell[order], np.arange(rows * columns + 1))
    found = np.zeros((0, 2), np.int64)
    for _ in range(2):  # counted, then filled
        count = _pairs(x_m, y_m, reach_m * reach_m, column, row, columns, rows, order, first, found)
        if count > len(found):
            found = np.zeros((count, 2), np.int64)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


@rule
def _pairs(
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
    reach_m2: float,
    column: NDArray[np.int64],
    row: NDArray[np.int64],
    columns: int,
    rows: int,
    order: NDArray[np.int64],
    first: NDArray[np.int64],
    found: NDArray[np.int64],
) -> int:
    """Count the pairs, and fill those for which there is room."""
    count = 0
    for a in range(len(x_m)):
        for r in range(max(0, row[a] - 1), min(rows, row[a] + 2)):
            for c in range(max(0, column[a] - 1), min(columns, column[a] + 2)):
                cell = r * columns + c
                for k in range(first[cell], first[cell + 1]):
                    b = order[k]
                    if b <= a:
                        continue
                    dx, dy = x_m[a] - x_m[b], y_m[a] - y_m[b]
                    if dx * dx + dy * dy <= reach_m2:
                        if count < len(found):
                            found[count, 0] = a
                            found[count, 1] = b
                        count += 1
    return count


@rule
def walls_between(walls: Any, x1_m: float, y1_m: float, x2_m: float, y2_m: float) -> int:
    """Return how many walls a straight line crosses [1].

    Parameters
    ----------
    walls
        Their ends, shape (walls, 4): x1, y1, x2, y2 [m].
    x1_m, y1_m, x2_m, y2_m
        Begin and end of the line [m].
    """
    crossed = 0
    for k in range(len(walls)):
        ax, ay, bx, by = walls[k, 0], walls[k, 1], walls[k, 2], walls[k, 3]
        dx, dy = x2_m - x1_m, y2_m - y1_m
        from_a = dx * (ay - y1_m) - dy * (ax - x1_m)
        from_b = dx * (by - y1_m) - dy * (bx - x1_m)
        wx, wy = bx - ax, by - ay
        from_1 = wx * (y1_m - ay) - wy * (x1_m - ax)
        from_2 = wx * (y2_m - ay) - wy * (x2_m - ax)
        if (from_a > 0.0) != (from_b > 0.0) and (from_1 > 0.0) != (from_2 > 0.0):
            crossed += 1
    return crossed
