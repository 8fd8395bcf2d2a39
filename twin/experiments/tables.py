"""Runs as intervals: what a frame of runs says of each design, and of each against the first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from twin.analysis.intervals import bonferroni, mean_interval, paired
from twin.errors import RunError
from twin.experiments.parts import unit_of

__all__ = ["difference_table", "interval_table", "number", "of_kpi", "percent", "spread"]

_DIGITS_FROM = 3
"""An interval this many times wider than the last digit shown: its bounds can be told apart."""


def interval_table(runs: pd.DataFrame, kpis: Sequence[str], confidence: float) -> pd.DataFrame:
    """Return the mean of each key figure of each design with its interval.

    Columns ``design``, the factors, ``kpi``, ``unit``, ``n`` (replications), ``mean``, ``low``,
    ``high`` (Student's t) and ``sd`` (standard deviation of replications), in the figure's unit.
    """
    factors = _factors(runs)
    rows = []
    for design, own in runs.groupby("design", sort=False):
        for kpi in kpis:
            samples = own[kpi].to_numpy(float)
            found = mean_interval(samples, confidence)
            rows.append(
                {"design": design}
                | {factor: own[factor].iloc[0] for factor in factors}
                | {"kpi": kpi, "unit": unit_of(kpi), "n": found.n, "mean": found.estimate}
                | {"low": found.low, "high": found.high}
                | {"sd": float(samples.std(ddof=1)) if len(samples) > 1 else math.nan}
            )
    return pd.DataFrame(rows)


def difference_table(
    runs: pd.DataFrame, kpis: Sequence[str], baseline: str, confidence: float
) -> pd.DataFrame:
    """Return for each other design how far it is from the baseline, replication by replication.

    Columns ``design``, ``baseline``, ``kpi``, ``unit``, ``n``, ``difference`` (design less
    baseline), ``low``, ``high``, ``better`` (probability that the design's mean is smaller),
    ``variance_ratio`` (what pairing won: the variance of the difference of independent runs over
    that of these) and ``correlation``. Several designs share the error of the confidence
    (Bonferroni): all intervals of a figure hold at once.
    """
    others = [name for name in runs["design"].unique() if name != baseline]
    each = bonferroni(confidence, max(1, len(others)))
    base = runs[runs["design"] == baseline].set_index("replication")
    rows = []
    for design in others:
        own = runs[runs["design"] == design].set_index("replication")
        both = base.index.intersection(own.index)
        for kpi in kpis:
            found = paired(
                own.loc[both, kpi].to_numpy(float), base.loc[both, kpi].to_numpy(float), each
            )
            rows.append({
                "design": design, "baseline": baseline, "kpi": kpi, "unit": unit_of(kpi),
                "n": found.n, "difference": found.difference, "low": found.low,
                "high": found.high, "better": found.better,
                "variance_ratio": found.variance_ratio, "correlation": found.correlation,
            })  # fmt: skip
    columns = [
        "design", "baseline", "kpi", "unit", "n", "difference", "low", "high", "better",
        "variance_ratio", "correlation",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def of_kpi(table: pd.DataFrame, kpi: str) -> pd.DataFrame:
    """Return the lines of a table that are about one key figure.

    Raises
    ------
    RunError
        There is none.
    """
    found = table[table["kpi"] == kpi]
    if found.empty and len(table):
        known = ", ".join(table["kpi"].unique())
        raise RunError(f"{kpi!r} was not asked for", hint=f"there are {known}")
    return found


def _factors(runs: pd.DataFrame) -> list[str]:
    """Return the columns of what was varied: those between the design and the replication."""
    columns = list(runs.columns)
    return columns[1 : columns.index("replication")]


def number(value: float, width: float) -> str:
    """Write an estimate with the digits that its interval is good for.

    Parameters
    ----------
    value
        The estimate, in any unit.
    width
        Of its interval, in the same unit.

    >>> [number(212.345, 14.2), number(0.01234, 0.0021), number(12345.6, 900.0)]
    ['212', '0.0123', '12,346']
    """
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else ("infinite" if value > 0 else "-infinite")
    if not (math.isfinite(width) and width > 0):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    digits = max(0, math.ceil(math.log10(_DIGITS_FROM / width)))
    return f"{value:,.{min(digits, 9)}f}"


def spread(line: pd.Series, estimate: str = "mean") -> str:
    """Write a line of a table as "212 ms, 95 % interval 205 to 219" without the confidence."""
    if math.isnan(line[estimate]):
        return "unknown: not every run has it"
    width = float(line["high"] - line["low"])
    value, low, high = (number(float(line[name]), width) for name in (estimate, "low", "high"))
    unit = "" if line["unit"] == "share" else f" {line['unit']}"
    return f"{value}{unit}, interval {low} to {high}"


def percent(share: float) -> str:
    """Write a probability as text that never claims certainty.

    >>> [percent(0.99997), percent(0.5), percent(0.0001)]
    ['above 0.99', '0.50', 'below 0.01']
    """
    if share > 0.99:
        return "above 0.99"
    return "below 0.01" if share < 0.01 else f"{share:.2f}"
