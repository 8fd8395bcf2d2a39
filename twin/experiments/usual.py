"""What the base does by itself: the beep, repeated scans, dropped links.

An export of the API shows scans that arrived, not what came to nothing between them. An interval
over a dropped link or a wrong barcode looks like a long or a short pick; since the base brings
drops and wrong barcodes of its own into the fitted scenario, they must not also be in its picks.
So the base is run, its intervals over what an export would not show are kept, and as many like
them are left out of the export.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.jobs import LINE
from twin.events import NEVER, Kind, Outcome, Slip, scan_us
from twin.experiments.steps import Steps, steps_of
from twin.opening import open as open_twin
from twin.scenario import Scenario, vary

__all__ = ["Usual", "alike", "overheads_us", "usual_of"]

Floats = NDArray[np.float64]
_DAY_US = 86_400_000_000
_HOUR_US = 3_600_000_000
_RUNS, _ENOUGH = 20, 100_000
_ALIKE = 0.25


def _none() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True)
class Usual:
    """What the base does by itself, where an export does not say it.

    Parameters
    ----------
    beep_us
        From scan to beep, the median [us].
    again_us, cut_us
        Intervals before scans that repeat one that arrived, and over scans that did not arrive
        [us].
    scans, hours
        Among so many scans [1], and in so much work [h].
    """

    beep_us: float = 0.0
    again_us: Floats = field(default_factory=_none, repr=False)
    cut_us: Floats = field(default_factory=_none, repr=False)
    scans: int = 0
    hours: float = 0.0

    def unseen(self, steps: Steps) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which scans most likely repeat one that arrived, and which follow lost ones."""
        none = np.zeros(len(steps.gap_us), bool)
        if not steps.silent or not self.scans:
            return none, none
        left = steps.joined & ~steps.again
        hours = float(steps.gap_us[left].sum()) / _HOUR_US
        again = alike(steps.gap_us, left, self.again_us, int(left.sum()) / self.scans)
        cut = alike(steps.gap_us, left & ~again, self.cut_us, hours / max(self.hours, 1e-9))
        return again, cut


def alike(
    gaps_us: Floats, among: NDArray[np.bool_], examples_us: Floats, factor: float
) -> NDArray[np.bool_]:
    """Return intervals that are like examples, so many times as many as there are examples.

    For each quantile of the examples the nearest that is left; none where none is near.
    """
    found, places = np.zeros(len(gaps_us), bool), np.flatnonzero(among)
    count = round(factor * len(examples_us))
    if not count or not len(places):
        return found
    in_order = places[np.argsort(gaps_us[places], kind="stable")]
    values_us = gaps_us[in_order]
    wanted_us = np.quantile(examples_us, (np.arange(count) + 0.5) / count)
    free = 0
    for wanted, at in zip(wanted_us, np.searchsorted(values_us, wanted_us), strict=True):
        place = max(free, int(at))
        if place < len(values_us) and values_us[place] <= (1 + _ALIKE) * wanted:
            found[in_order[place]] = True
            free = place + 1
    return found


def overheads_us(base: Scenario) -> Floats:
    """Return how long messages of a scenario take behind the gateway's queue [us].

    Its service, the round trip, and what silences the uplink now and then: all but the delay of
    the cloud.
    """
    if not (base.work.shifts and base.fleet.scanners and base.fleet.gateways):
        return _none()
    at_once = vary(base, "cloud.delay", {"law": "constant", "value": "0 s"})
    twin = open_twin(at_once)
    twin.run_to_us(min(base.run.horizon_us, _DAY_US), progress=False)
    rows = twin.rows()
    shown = rows[np.isin(rows["kind"], (Kind.SCAN, Kind.TELEMETRY)) & (rows["visible_us"] != NEVER)]
    return np.asarray(shown["visible_us"] - shown["time_us"] - shown["wait_us"], float)


def usual_of(base: Scenario) -> Usual:
    """Return what a scenario does by itself, from some runs of at most a day each."""
    if not (base.work.shifts and base.fleet.scanners and base.fleet.gateways):
        return Usual()
    runs, scans = [], 0
    for seed in range(_RUNS):
        twin = open_twin(base, seed=seed)
        twin.run_to_us(min(base.run.horizon_us, _DAY_US), progress=False)
        runs.append(_seen(twin.rows(), twin.origin_us))
        scans += len(runs[-1])
        if scans >= _ENOUGH:
            break
    beep_us = float(np.median(np.concatenate([run["took_us"].to_numpy(float) for run in runs])))
    again, cut, hours = [], [], 0.0
    for run in runs:
        steps = steps_of(run, base, beep_us)
        missed = run["number"].to_numpy() - run["number"].to_numpy()[steps.before] > 1
        wrong = run["wrong"].to_numpy(bool)[steps.before]
        again.append(steps.gap_us[steps.joined & wrong & ~missed])
        cut.append(steps.gap_us[steps.joined & missed])
        hours += float(steps.gap_us[steps.joined].sum()) / _HOUR_US
    return Usual(beep_us, np.concatenate(again), np.concatenate(cut), scans, hours)


def _seen(rows: NDArray[np.void], origin_us: int) -> pd.DataFrame:
    """Return the scans of a run as an export would show them, and what it would not show."""
    scans = rows[(rows["kind"] == Kind.SCAN) & (rows["visible_us"] != NEVER)]
    made_us = scan_us(scans)
    frame = pd.DataFrame({
        "device": scans["worker"],
        "created_us": made_us + origin_us,
        "beep_us": math.nan,
        "failed": math.nan,
        "code": "",
        "mark": LINE,
        "took_us": scans["beep_us"] - made_us,
        "number": scans["number"],
        "wrong": (scans["slip"] == Slip.WRONG_BARCODE) | (scans["outcome"] == Outcome.NO_FEEDBACK),
    })  # fmt: skip
    return frame.sort_values(["device", "created_us"], kind="stable", ignore_index=True)
