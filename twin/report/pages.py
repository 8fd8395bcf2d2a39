"""Which page each kind of experiment gets: its pictures and tables, each with its numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin import plots
from twin.experiments import (
    Choice,
    Comparison,
    Fitted,
    Replications,
    Search,
    Selection,
    Sensitivity,
    Sweep,
)
from twin.experiments.tables import of_kpi, percent, spread
from twin.plots.album import Picture
from twin.report.experiment import ExperimentPage, Sheet
from twin.report.page import number_text
from twin.scenario import Scenario

__all__ = ["Answered", "Result", "page_of"]

Answered = Replications | Comparison | Sweep | Selection | Choice | Sensitivity | Search
Result = Answered | Fitted
_MOST_KPIS = 6
"""So many figures get pictures: who asked for all of them reads the table."""
_MOST_ROWS = 40
_MOST_LAWS = 4
_NAMED_LEFT = 3.2
"""Margin where the names of designs stand [inches]."""
_US_PER_S = 1e6
Density = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def page_of(found: Result, scenario: Scenario) -> ExperimentPage:
    """Return the page of an experiment's result.

    Parameters
    ----------
    found
        What an experiment gave.
    scenario
        The first of those that were simulated: its question and its assumptions are told.
    """
    title, pictures, sheets = _PAGES[type(found)](found)
    made = _made(found) if isinstance(found, Fitted) else found.provenance
    answer = _fitted_lines(found) if isinstance(found, Fitted) else found.answer()
    return ExperimentPage(
        f"{scenario.name}: {title}", scenario.question, answer, pictures, sheets, made, scenario
    )


Parts = tuple[str, list[Picture], list[Sheet]]


def _of_replications(found: Replications) -> Parts:
    pictures = []
    for kpi in found.kpis[:_MOST_KPIS]:
        line = of_kpi(found.table, kpi).iloc[0]
        low, high = found.quantiles(kpi, (0.05, 0.95))["estimate"]
        pictures.append(Picture(
            kpi, f"Histogram of {kpi} over the runs with intervals of its mean and quantiles.",
            f"Mean {spread(line)}. One run in twenty is below {number_text(low)}, one in twenty "
            f"above {number_text(high)}: the box is where most runs lie.",
            partial(plots.more, runs=found.frame, kpi=kpi, unit=str(line["unit"])), right=0.8,
        ))  # fmt: skip
    return "replications", pictures, [_means(found.table)]


def _of_comparison(found: Comparison) -> Parts:
    pictures = []
    others = len(found.frame["design"].unique()) - 1
    for kpi in found.kpis[:_MOST_KPIS]:
        lines = of_kpi(found.differences, kpi)
        told = "; ".join(
            f"{line['design']}: {spread(line, 'difference')}"
            for _, line in lines.head(3).iterrows()
        )
        pictures.append(Picture(
            f"{kpi}: difference to {found.baseline}",
            f"Paired differences of {kpi} to {found.baseline} with intervals.",
            f"{told}. Replication by replication with the same luck.",
            partial(plots.differences, table=found.differences, kpi=kpi),
            height=1.6 + 0.4 * others, left=_NAMED_LEFT,
        ))  # fmt: skip
        pictures.append(_intervals(found.table, kpi, found.frame))
    heads = ("design", "figure", "unit", "runs", "difference", "from", "to", "P(smaller)",
             "variance won")  # fmt: skip
    rows = [
        (str(line["design"]), str(line["kpi"]), str(line["unit"]), f"{line['n']}",
         *(number_text(line[name]) for name in ("difference", "low", "high")),
         percent(line["better"]), number_text(line["variance_ratio"], digits=2))
        for _, line in found.differences.iterrows()
    ]  # fmt: skip
    return "comparison", pictures, [Sheet("Differences", heads, rows, 3), _means(found.table)]


def _of_sweep(found: Sweep) -> Parts:
    pictures = [_of_factors(found, kpi) for kpi in found.kpis[:_MOST_KPIS]]
    return "sweep", [one for one in pictures if one is not None], [_means(found.table)]


def _of_factors(found: Sweep, kpi: str) -> Picture | None:
    """Return the picture that fits what was varied: a tornado, a response, or means."""
    table, unit = of_kpi(found.table, kpi), str(of_kpi(found.table, kpi)["unit"].iloc[0])
    if "base" in set(table["design"]):
        tornado = found.tornado(kpi)
        first = tornado.iloc[0]
        return Picture(
            f"What matters most for {kpi}",
            f"Tornado of {kpi}: a bar for each key from its first value to its last.",
            f"{first['factor']} most: {number_text(first['at_low'])} at {first['low_value']}, "
            f"{number_text(first['at_high'])} at {first['high_value']} [{unit}]; "
            f"{number_text(first['base'])} as it stands.",
            partial(plots.tornado, table=tornado, kpi=kpi, unit=unit),
            height=1.4 + 0.45 * len(tornado), left=_NAMED_LEFT,
        )  # fmt: skip
    if _is_response(found, table):
        factor, *others = found.factors
        ordered = table.dropna(subset=["mean"]).sort_values("mean")
        low, high = ordered.iloc[0], ordered.iloc[-1]
        return Picture(
            f"{kpi} by {factor}", f"Mean of {kpi} over {factor}, with a band of its intervals.",
            f"Least {spread(low)}, at {low['design']}; most {spread(high)}, at {high['design']}.",
            partial(plots.response, table=found.table, factor=factor, kpi=kpi,
                    by=others[0] if others else None),
        )  # fmt: skip
    return _intervals(found.table, kpi, found.frame) if len(table) <= _MOST_ROWS else None


def _is_response(found: Sweep, table: pd.DataFrame) -> bool:
    """Return whether figures can be drawn over the first key, a line for each value of another."""
    is_known = table["mean"].notna().any()
    first = table[found.factors[0]] if found.factors else pd.Series(dtype=object)
    is_number = pd.api.types.is_numeric_dtype(first) and not pd.api.types.is_bool_dtype(first)
    is_line = len(found.factors) == 1 or (
        len(found.factors) == 2 and table[found.factors[1]].nunique() <= _MOST_KPIS
    )
    return bool(is_known and is_number and is_line and _varies(first))


def _varies(values: pd.Series) -> bool:
    return bool(values.notna().all()) and len(set(values)) > 1


def _of_selection(found: Selection) -> Parts:
    heads = ("design", "runs", "mean", "from", "to", "left")
    rows = [
        (str(line["design"]), f"{line['n']}",
         *(number_text(line[name]) for name in ("mean", "low", "high")),
         "yes" if line["left"] else "dropped")
        for _, line in found.table.iterrows()
    ]  # fmt: skip
    sheet = Sheet(f"{found.kpi} of each design", heads, rows)
    return "selection", [_intervals(found.table, found.kpi, found.frame)], [sheet]


def _of_choice(found: Choice) -> Parts:
    picture = _intervals(found.table, found.kpi, found.frame, limit=found.at_most)
    wanted = f"kept it ({100 * found.probability:g} % wanted)"
    heads = ("design", "verdict", "runs", wanted, "from", "to", "P(enough)", "mean")
    rows = [
        (str(line["design"]), str(line["verdict"]), f"{line['n']}",
         *(f"{100 * line[name]:.1f} %" for name in ("share", "share_low", "share_high")),
         percent(line["chance_enough"]), number_text(line["mean"]))
        for _, line in found.table.iterrows()
    ]  # fmt: skip
    return "the cheapest that is enough", [picture], [Sheet("Verdicts", heads, rows, 2)]


def _of_sensitivity(found: Sensitivity) -> Parts:
    first = found.table.iloc[0]
    picture = Picture(
        f"What decides {found.kpi}", f"Share of the variance of {found.kpi} by each key.",
        f"{first['factor']} most: {100 * first['total']:.0f} % of the variance with all that it "
        f"does together with others, {100 * first['first']:.0f} % alone.",
        partial(plots.sobol_indices, table=found.table, kpi=found.kpi),
        height=1.4 + 0.5 * len(found.table), left=_NAMED_LEFT,
    )  # fmt: skip
    heads = ("key", "with others", "from", "to", "alone", "from", "to")
    names = [f"{kind}{end}" for kind in ("total", "first") for end in ("", "_low", "_high")]
    rows = [
        (str(line["factor"]), *(f"{100 * line[name]:.1f} %" for name in names))
        for _, line in found.table.iterrows()
    ]
    return "what decides", [picture], [Sheet("Sobol's indices", heads, rows)]


def _of_search(found: Search) -> Parts:
    decision = _PAGES[type(found.decision)](found.decision)
    columns = [name for name in found.trials.columns if name != "design"]
    rows = [
        tuple(_text(line[name]) for name in columns) for _, line in found.trials.iterrows()
    ]  # fmt: skip
    return "search", decision[1], [*decision[2], Sheet("Trials", tuple(columns), rows, 0)]


def _of_fitted(found: Fitted) -> Parts:
    pictures = []
    for key, fits in found.fits.items():
        best, shown = fits.best, [fit for fit in fits.fits if fit.name != "empirical"][:_MOST_LAWS]
        pictures.append(Picture(
            key, f"Histogram of what was measured for {key} with the laws that were fitted.",
            f"{len(fits.samples_us):,} samples; taken: {best.name}.",
            partial(plots.fit_quality, samples=fits.samples_us / _US_PER_S, label="duration [s]",
                    fits=[(fit.name, _per_second(fit.density)) for fit in shown]),
        ))  # fmt: skip
    laws = [
        (key, fit.name, "yes" if fit.holds else "no", number_text(fit.bic, digits=6),
         number_text(fit.ks, digits=3), number_text(fit.ks_p, digits=2),
         number_text(fit.ad, digits=3))
        for key, fits in found.fits.items()
        for fit in fits.fits
    ]  # fmt: skip
    heads = ("key", "law", "holds", "BIC", "KS", "p", "AD")
    lines = [
        (line.key, line.law or "left as it is", line.goodness or line.note, f"{line.samples:,}")
        for line in found.lines
    ]
    return (
        "fitted to what was recorded",
        pictures,
        [
            Sheet("What was taken, and what was left", ("key", "law", "why", "samples"), lines, 3),
            Sheet("All laws that were tried", heads, laws, 2),
        ],
    )


def _made(found: Fitted) -> dict[str, str]:
    """Return what makes a fit again."""
    files = {f"export {Path(file).name}": str(file) for file in found.exports.files}
    base = {f"scenario {found.base.name}": found.base.digest}
    return files | base | {"fitted scenario": found.scenario.digest, "twin": version("twin")}


def _fitted_lines(found: Fitted) -> list[str]:
    taken = [line for line in found.lines if line.is_fitted]
    files = ", ".join(Path(file).name for file in found.exports.files)
    return [
        f"{len(taken)} keys fitted to {files}, {len(found.lines) - len(taken)} left as they are",
        *(f"{line.key}: {'; '.join(filter(None, (line.law, line.goodness)))}" for line in taken),
    ]


_PAGES: dict[type, Callable[..., Parts]] = {
    Replications: _of_replications, Comparison: _of_comparison, Sweep: _of_sweep,
    Selection: _of_selection, Choice: _of_choice, Sensitivity: _of_sensitivity,
    Search: _of_search, Fitted: _of_fitted,
}  # fmt: skip


def _intervals(
    table: pd.DataFrame, kpi: str, runs: pd.DataFrame, *, limit: float | None = None
) -> Picture:
    """Return the means of designs below each other."""
    found = of_kpi(table, kpi)
    told = "; ".join(f"{line['design']}: {spread(line)}" for _, line in found.head(3).iterrows())
    more = f"; and {len(found) - 3} designs more" if len(found) > 3 else ""
    shown = limit if limit is not None and np.isfinite(limit) else None
    return Picture(
        f"{kpi} of each design", f"Means of {kpi} with their intervals; each dot is a run.",
        f"{told}{more}. Each dot is a run.",
        partial(plots.intervals, table=table, kpi=kpi, runs=runs, limit=shown),
        height=1.6 + 0.4 * len(found), left=_NAMED_LEFT,
    )  # fmt: skip


def _means(table: pd.DataFrame) -> Sheet:
    """Return the key figures of each design with their intervals."""
    heads = ("design", "figure", "unit", "runs", "mean", "from", "to", "sd of runs")
    rows = [
        (str(line["design"]), str(line["kpi"]), str(line["unit"]), f"{line['n']}",
         *(number_text(line[name]) for name in ("mean", "low", "high", "sd")))
        for _, line in table.iterrows()
    ]  # fmt: skip
    return Sheet("Key figures", heads, rows, 3)


def _per_second(density: Density) -> Density:
    """Return a density of durations in seconds, from one in microseconds."""
    return lambda at_s: _US_PER_S * np.asarray(density(at_s * _US_PER_S), np.float64)


def _text(value: object) -> str:
    return number_text(float(value)) if isinstance(value, (int, float)) else str(value)
