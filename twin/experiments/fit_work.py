"""What of a scenario an export of events tells: each law with what it was fitted from."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin import units
from twin.analysis.fitting import FEWEST, Fits, fit_laws
from twin.analysis.job_sizes import fit_job_sizes
from twin.errors import RunError
from twin.experiments.recognising import Work
from twin.experiments.usual import alike, overheads_us
from twin.scenario import Scenario

__all__ = ["Line", "latencies", "law_line", "left", "of_events", "of_work"]

Floats = NDArray[np.float64]
_FEW_STRETCHES = 8
_FEW_SHARES = 100
_MINUTE_US = 60e6
_SILENT = 10.0


@dataclass(frozen=True)
class Line:
    """One key of a scenario: what was fitted to it from how many samples, or why nothing was.

    Parameters
    ----------
    key
        Dotted, as in the scenario.
    samples
        How many [1].
    law
        What it is called, empty where the key was left as it is.
    value
        As the scenario has it, None where it was left.
    goodness
        How far the law is from the samples, in words.
    note
        Where the samples come from, what was left out, or why the key was left.
    fits
        All laws that were tried.
    """

    key: str
    samples: int
    law: str
    value: Any
    goodness: str
    note: str
    fits: Fits | None = field(default=None, repr=False, compare=False)

    @property
    def is_fitted(self) -> bool:
        """Whether the export decided the key."""
        return self.value is not None


def left(key: str, why: str, samples: int = 0) -> Line:
    """Return the line of a key that is left as the base says."""
    return Line(key, samples, "", None, "", why)


def law_line(key: str, samples_us: Floats, note: str) -> Line:
    """Return the line of a law of durations, fitted if there are samples enough.

    Parameters
    ----------
    key
        Of the scenario.
    samples_us
        Durations [us].
    note
        Where they come from.
    """
    if len(samples_us) < FEWEST:
        return left(key, f"{len(samples_us)} samples, and at least {FEWEST} are due",
                    len(samples_us))  # fmt: skip
    fits = fit_laws(samples_us)
    best = fits.best
    p = "" if math.isnan(best.ks_p) else f", p {best.ks_p:.2f}"
    goodness = f"off by at most {best.ks:.1%}{p}"
    return Line(key, len(samples_us), best.name, dict(best.law), goodness, note, fits)


# --- work -----------------------------------------------------------------------------------------


def of_work(work: Work, base: Scenario) -> Iterator[Line]:
    """Yield what workers did, as keys of `[work]`."""
    told = "; ".join(f"{count:,} {why}" for why, count in work.left_out.items() if count)
    more = f"; left out: {told}" if told else ""
    picks_us, pace = _paces(work)
    yield law_line("work.pick_interval", picks_us, f"between lines of a job{more}")
    if len(picks_us) >= FEWEST:
        note = "the picks were measured as they are"
        yield Line("work.pick_scale", len(picks_us), "number", 1.0, "", note)
    yield pace
    yield law_line("work.job_close", work.closes_us, "from the last line to the end barcode")
    if base.work.orders is None:
        yield law_line("work.job_setup", work.setups_us, "from a job to the next start barcode")
    else:
        yield left("work.job_setup", "with orders it cannot be told from waiting for one")
    yield _lines_line(work, base)
    yield _share_line("work.forgotten_end", work.forgotten, work.forgotten + work.finished,
                      "jobs that the next start barcode ended")  # fmt: skip
    if work.slips_known:
        yield _share_line("work.wrong_scan", work.wrong, work.scans, "told by the export")
        yield law_line("work.rescan_delay", work.rescans_us, "from a failure to the next scan")
    else:
        why = "the API does not say which scans were wrong or failed"
        yield left("work.wrong_scan", why)
        yield left("work.rescan_delay", why)


def _paces(work: Work) -> tuple[Floats, Line]:
    """Return picks at the mean pace, and the line of how much workers differ.

    Logarithms of picks by scanner and shift: the variance between them less what chance makes
    (analysis of variance). Each pick is then divided by the pace of its worker, pulled towards the
    mean as far as it is uncertain.
    """
    key = "work.picker_sd"
    picks_us = work.picks_us
    usable = picks_us > 0
    logs = pd.Series(np.log(picks_us[usable]))
    of = work.stretch[usable]
    groups = logs.groupby(of)
    sizes = groups.count()
    many = sizes[sizes >= FEWEST]
    if len(many) < _FEW_STRETCHES:
        why = f"{len(many)} scanners and shifts with {FEWEST} picks, at least {_FEW_STRETCHES} due"
        return picks_us, left(key, why, len(many))
    n, k = int(sizes.sum()), len(sizes)
    means = groups.mean()
    within = float(((logs - means.reindex(of).to_numpy()) ** 2).sum()) / (n - k)
    between = float((sizes * (means - logs.mean()) ** 2).sum()) / (k - 1)
    weight = (n - float((sizes**2).sum()) / n) / (k - 1)
    variance = max(0.0, (between - within) / weight)
    shrunk = variance / (variance + within / sizes) * (means - logs.mean())
    paces = np.exp(shrunk.reindex(work.stretch).fillna(0.0).to_numpy())
    # Paces are normal around 1, and so is their mean: that of their logarithms is a little less.
    sd = min(0.30, math.sqrt(variance))
    error = math.sqrt(2 / (k - 1)) * between / weight / 2 / max(math.sqrt(variance), 1e-9)
    off = f"standard error {min(error, sd):.1%}" if sd else "no difference to be seen"
    value = units.format_ratio(round(sd, 4))
    return picks_us / paces, Line(key, k, "normal", value, off, "paces by scanner and shift")


def _lines_line(work: Work, base: Scenario) -> Line:
    """Return the line of the size of jobs."""
    key, own = "work.job_lines", base.work.job_lines
    if not base.work.jobs:
        return left(key, "the base has no [[work.jobs]]: give the prefixes of job barcodes")
    try:
        found = fit_job_sizes(work.lines, work.lines_at_least, least=own.min, most=own.max)
    except RunError as error:
        return left(key, error.what, len(work.lines))
    median = min(max(round(found.median, 4), found.least), found.most)
    value = {"median": median, "mean": max(round(found.mean, 4), median),
             "min": found.least, "max": found.most}  # fmt: skip
    note = f"lines between start and end barcode; {found.cut_off} jobs cut off count as begun"
    return Line(key, found.jobs, "lognormal, cut", value, f"off by at most {found.ks:.1%}", note)


def _share_line(key: str, count: int, of: int, note: str) -> Line:
    """Return the line of a share."""
    if of < _FEW_SHARES:
        return left(key, f"{of} samples, and at least {_FEW_SHARES} are due", of)
    share = count / of
    error = math.sqrt(share * (1 - share) / of)
    value = units.format_ratio(round(share, 5))
    return Line(key, of, "share", value, f"standard error {error:.2%}", note)


# --- scans by themselves --------------------------------------------------------------------------


def of_events(events: pd.DataFrame, base: Scenario) -> Iterator[Line]:
    """Yield what single events tell: trigger, symbologies, how often scanners report."""
    scans = events[events["is_scan"]]
    held_us = scans["trigger_s"].to_numpy(float) * 1e6
    held_us = held_us[np.isfinite(held_us)]
    yield law_line("work.trigger", held_us, "how long the trigger was held, to 10 ms")
    prefixes = [text for job in base.work.jobs for text in (job.start_barcode, job.end_barcode)]
    of_jobs = scans["code"].astype(str).str.startswith(tuple(prefixes)) if prefixes else None
    items = scans if of_jobs is None else scans[~of_jobs]
    yield _symbologies(items["symbology"])
    if of_jobs is not None and of_jobs.any():
        most = str(scans.loc[of_jobs, "symbology"].mode().iloc[0])
        note = "the most frequent of job barcodes"
        if most:
            yield Line("work.job_symbology", int(of_jobs.sum()), "text", most, "", note)
    yield _telemetry(events[~events["is_scan"]])


def _symbologies(found: "pd.Series[str]") -> Line:
    """Return the line of symbologies."""
    key, named = "work.symbologies", found[found != ""]
    if len(named) < _FEW_SHARES:
        return left(key, f"{len(named)} samples, and at least {_FEW_SHARES} are due", len(named))
    shares = named.value_counts(normalize=True).sort_index()
    value: Mapping[str, float] = {str(name): round(float(s), 5) for name, s in shares.items()}
    error = 0.5 / math.sqrt(len(named))
    off = f"standard errors at most {error:.2%}"
    return Line(key, len(named), "shares", dict(value), off, "of scans that are no job barcodes")


def _telemetry(reports: pd.DataFrame) -> Line:
    """Return the line of how often scanners report their state."""
    key = "cloud.telemetry_period"
    in_time = reports.sort_values(["device", "created_us"])
    gaps_us = in_time.groupby("device")["created_us"].diff().dropna().to_numpy(float)
    if len(gaps_us) < FEWEST:
        return left(key, f"{len(gaps_us)} samples, and at least {FEWEST} are due", len(gaps_us))
    period_us = round(float(np.median(gaps_us)) / 1e4) * 10_000
    same = float((np.abs(gaps_us - period_us) < 0.05 * period_us).mean())
    if same < 0.5 or not 1_000_000 <= period_us <= 7 * 24 * 60 * _MINUTE_US:
        return left(key, "reports do not come at a fixed period", len(gaps_us))
    value = units.format_duration(period_us)
    return Line(key, len(gaps_us), "constant", value, f"{same:.0%} within 5 %",
                "median time between reports of a scanner")  # fmt: skip


def latencies(events: pd.DataFrame, base: Scenario) -> Iterator[Line]:
    """Yield what the export tells of the way from scanner to cloud."""
    total_us = (events["visible_us"] - events["arrived_us"] - events["wait_us"]).to_numpy(float)
    total_us = total_us[np.isfinite(total_us)]
    why = "an export has no time between the gateway and the cloud but their sum"
    if len(total_us) >= FEWEST:
        yield _delay(total_us, overheads_us(base))
    else:
        yield left("cloud.delay", "the API does not say when an event came to be visible")
    for key in ("links.gateway_service", "links.round_trip"):
        yield left(key, why)
    yield left("links.ble", "the API does not say when the worker heard the beep")


def _delay(total_us: Floats, own_us: Floats) -> Line:
    """Return the line of the cloud's delay, from all that lies behind the gateway's queue.

    Parameters
    ----------
    total_us
        From the queue to visible, in the export [us].
    own_us
        The same in the base with a cloud that shows everything at once [us].
    """
    usual_us = float(np.median(own_us)) if len(own_us) else 0.0
    # Now and then the uplink is silent: that is in the base, and must not be in the law as well.
    silent_us = own_us[own_us > _SILENT * usual_us]
    stuck = np.zeros(len(total_us), bool)
    if len(silent_us):
        middle_us = np.quantile(total_us, (np.arange(20) + 0.5) / 20)
        like_us = np.add.outer(silent_us, middle_us).ravel()
        share = len(silent_us) / len(own_us)
        every = np.ones(len(total_us), bool)
        stuck = alike(total_us, every, like_us, share * len(total_us) / len(like_us))
    samples_us = np.maximum(0.0, total_us[~stuck] - usual_us)
    less = units.format_duration(round(usual_us))
    note = f"gateway's queue to visible, less {less} of service and round trip as in the base"
    if stuck.any():
        note += f"; left out: {int(stuck.sum()):,} while the uplink was silent"
    return law_line("cloud.delay", samples_us, note)
