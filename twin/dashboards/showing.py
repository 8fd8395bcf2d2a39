"""How a plan is shown: as lines of text, as a table in HTML, as a picture. No widgets."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator

import pandas as pd

from twin.dashboards.plan import NOW, PLANNED, Plan
from twin.errors import RunError
from twin.experiments.tables import number
from twin.plots import differences, intervals, more
from twin.plots.sheet import png

__all__ = ["picture", "say_state", "table_html", "text_lines"]

_TELLS = {
    "as it stands": "The plan is the site as it stands: change something.",
    "not simulated yet": "Not simulated yet: press Simulate.",
    "simulated": "Simulated.",
    "refused": "No site can be like this:",
}
_STYLE = """<style>
.twin-plan{border-collapse:collapse;font-size:13px;line-height:1.35}
.twin-plan th,.twin-plan td{padding:3px 8px;text-align:right;border-bottom:1px solid #ddd}
.twin-plan th:first-child,.twin-plan td:first-child{text-align:left;padding-left:0}
.twin-plan small{color:#555;white-space:nowrap}
</style>"""


def text_lines(plan: Plan) -> list[str]:
    """Return what is known of a plan as lines: each key figure now, planned, and the difference."""
    lines = []
    for _, line in plan.table.iterrows():
        sides = [f"{NOW} {_said(line, NOW)}"]
        if PLANNED in line:
            sides += [f"{PLANNED} {_said(line, PLANNED)}"]
            sides += [f"difference {_said(line, 'difference')} ({_verdict(line)})"]
        lines.append(f"{_name(line)}: {'; '.join(sides)}")
    return [*lines, _foot(plan)]


def table_html(plan: Plan) -> str:
    """Return the same as a table; what was not simulated yet is a dash."""
    heads = ("", "now", "planned", "difference", "")
    rows = [f"<tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"]
    rows += ["".join(_cells(line)) for _, line in plan.table.iterrows()]
    foot = html.escape(_foot(plan))
    return f'{_STYLE}<table class="twin-plan">{"".join(rows)}</table><small>{foot}</small>'


def say_state(plan: Plan) -> str:
    """Return in HTML how far a plan is, with what is wrong where it cannot be."""
    told = html.escape(_TELLS[plan.state])
    if plan.state == "refused":
        return f"<b>{told}</b>{say_error(plan.refusal)}"
    return told


def say_error(text: str) -> str:
    """Return an error of the house in HTML, its lines as they are."""
    style = "white-space:pre-wrap;margin:4px 0;color:#a03000;line-height:1.3"
    return f'<pre style="{style}">{html.escape(text)}</pre>'


def picture(plan: Plan, kpi: str) -> bytes:
    """Draw a key figure: both sides run by run and their difference; alone, how runs are spread.

    Parameters
    ----------
    plan
        What is drawn of it is what is known now.
    kpi
        Which key figure.

    Returns
    -------
    bytes
        A PNG.

    Raises
    ------
    RunError
        It was not asked for.
    """
    if kpi not in plan.kpis:
        raise RunError(f"{kpi!r} was not asked for", hint=f"there are {', '.join(plan.kpis)}")
    found = plan.found
    if found is None or not plan.changes:
        table, runs = plan.standing.table, plan.standing.frame
        unit = str(table.loc[table["kpi"] == kpi, "unit"].iloc[0])
        return png([lambda ax: more(ax, runs, kpi, unit)], height=3.2)
    return png([
        lambda ax: intervals(ax, found.table, kpi, runs=found.frame),
        lambda ax: differences(ax, found.differences, kpi),
    ])  # fmt: skip


def _cells(line: pd.Series) -> Iterator[str]:
    """Yield the row of one key figure, cell by cell."""
    yield f'<tr data-kpi="{html.escape(line["kpi"])}"><td>{html.escape(_name(line))}</td>'
    for side in (NOW, PLANNED, "difference"):
        if side in line:
            value, low, high = _numbers(line, side)
            yield f'<td class="{side}">{value}<br><small>{low} to {high}</small></td>'
        else:
            yield f'<td class="{side}">&ndash;</td>'
    yield f"<td>{_verdict(line) if PLANNED in line else ''}</td></tr>"


def _name(line: pd.Series) -> str:
    """Return the name of a key figure, with the unit where it does not say it."""
    name, unit = str(line["kpi"]), str(line["unit"])
    return name if unit in name.split("_") else f"{name} [{unit}]"


def _numbers(line: pd.Series, side: str) -> tuple[str, str, str]:
    """Write an estimate and its bounds with as many digits as they are good for."""
    low, high = float(line[f"{side}_low"]), float(line[f"{side}_high"])
    value, width = float(line[side]), high - low
    return number(value, width), number(low, width), number(high, width)


def _said(line: pd.Series, side: str) -> str:
    value, low, high = _numbers(line, side)
    return f"{value} (interval {low} to {high})"


def _verdict(line: pd.Series) -> str:
    """Say what the interval of the difference decides."""
    low, high = float(line["difference_low"]), float(line["difference_high"])
    if low == high == 0:
        return "the same"
    if high < 0:
        return "smaller"
    if low > 0:
        return "larger"
    return "not decided" if math.isfinite(low + high) else "unknown"


def _foot(plan: Plan) -> str:
    share = 100 * plan.standing.confidence
    paired = ", the same luck on both sides" if plan.found is not None else ""
    return f"means of {plan.replications} runs with {share:g} % intervals{paired}"
