"""The charge of the scanner in a worker's hand."""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_part, rule
from twin.floor.compiled.state import Floor
from twin.floor.rules.scanner import charge_left_ppb


@inlined_part
def charge_ppb(book: NDArray[np.void], me: np.void, now_us: int, scans: int) -> int:
    """Return the charge of a worker's scanner after some scans [1e-9]."""
    return charge_left_ppb(
        me["charge_ppb"],
        scans,
        me["drain_ppb"],
        max(0, now_us - me["opened_us"]),
        book[0]["idle_drain_ppm_per_h"],
    )


@rule
def session_charges(floor: Floor, first: int, now_us: int, out: NDArray[np.int64]) -> None:
    """Fill the charges of scanners, from a first worker's on, scans before now counted [1e-9]."""
    for i in range(len(out)):
        me = floor.workers[first + i]
        under_way = 1 if me["scan_us"] < now_us else 0
        out[i] = charge_ppb(floor.book, me, now_us, me["scans"] + under_way)
