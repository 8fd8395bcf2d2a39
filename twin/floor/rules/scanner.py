"""The scanner: its charge and its reports.

Charge is counted in whole parts of 1e-9 of a full one, so that no order of adding changes it.
"""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_rule, rule
from twin.draws import fold, unit
from twin.draws.exact import to_us
from twin.floor.rules.streams import REPORT_PHASE

FULL_PPB = 1_000_000_000
_US_TIMES_PPM_PER_H = 3_600_000  # us * ppm/h over this gives 1e-9
_PPB_TO_BATTERY = 100_000  # 1e-9 to the 0.01 % of the event row


@rule
def charge_left_ppb(
    charge_ppb: int, scans: int, drain_ppb: int, connected_us: int, idle_drain_ppm_per_h: int
) -> int:
    """Return the charge after some scans and some time connected, not below empty [1e-9]."""
    idle_ppb = connected_us * idle_drain_ppm_per_h // _US_TIMES_PPM_PER_H
    return max(0, charge_ppb - scans * drain_ppb - idle_ppb)


@rule
def battery_column(charge_ppb: int) -> int:
    """Return a charge in the unit of the event row [0.01 %]."""
    return charge_ppb // _PPB_TO_BATTERY


@inlined_rule
def is_low(book: NDArray[np.void], battery: int) -> bool:
    """Say whether a worker takes another scanner at a charge in the unit of the event row."""
    return int(battery) * _PPB_TO_BATTERY < book[0]["low_charge_ppb"]


@rule
def report_number(scanner: int, from_us: int, period_us: int) -> int:
    """Return which report of a scanner is the first at or after a moment, from 0 [1]."""
    phase_us = to_us(unit(fold(fold(fold(scanner, 0), REPORT_PHASE), 0)) * period_us)
    return max(0, -((phase_us - from_us) // period_us))


@rule
def report_us(scanner: int, number: int, period_us: int) -> int:
    """Return when a scanner takes its how-many-eth reading [us]."""
    phase_us = to_us(unit(fold(fold(fold(scanner, 0), REPORT_PHASE), 0)) * period_us)
    return phase_us + number * period_us
