"""How a plan is shown: as a table in HTML, as a picture. No widgets."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd

from twin.dashboards.plan import Plan
from twin.dashboards.words import DIFFERENCE, NOW, PLANNED, numbers, verdict
from twin.errors import RunError
from twin.plots import differences, intervals, more
from twin.plots.sheet import png

__all__ = ["picture", "say_error", "say_state", "table_html"]

_SIDES = (NOW, PLANNED, DIFFERENCE)
_TELLS = {
    "as it stands": "The site as it stands: move something.",
    "not simulated yet": "Not simulated yet: press Simulate.",
    "simulated": "Simulated.",
    "refused": "No site can be like this:",
}
_STYLE = """<style>
.twin-plan{border-collapse:collapse;font-size:13px;line-height:1.35}
.twin-plan th,.twin-plan td{padding:3px 6px;text-align:right;border-bottom:1px solid #ddd}
.twin-plan th:first-child,.twin-plan td:first-child{text-align:left;padding-left:0}
.twin-plan small{color:#555}
</style>"""


def table_html(plan: Plan, *, is_static: bool = False) -> str:
    """Return what is known of a plan as a table.

    Parameters
    ----------
    plan
        What is not simulated yet is a dash.
    is_static
        Nobody can simulate it here: without dashes.
    """
    table = plan.table
    sides = [side for side in _SIDES if side in table or not is_static]
    heads = "".join(f"<th>{side}</th>" for side in ("", *sides))
    rows = [_row(line, sides) for _, line in table.iterrows()]
    foot = html.escape(plan.answer()[-1])
    body = f"<tr>{heads}</tr>{''.join(rows)}"
    return f'{_STYLE}<table class="twin-plan">{body}</table><small>{foot}</small>'


def say_state(plan: Plan) -> str:
    """Return in HTML how far a plan is: what is changed, or why it cannot be."""
    moved = [one for one in plan.controls if plan.shown[one.key] != one.start]
    each = [f"{one.label} {one.start} \N{RIGHTWARDS ARROW} {plan.shown[one.key]}" for one in moved]
    changed = html.escape(", ".join(each))
    told = f"{html.escape(_TELLS[plan.state])}<br><small>{changed}</small>"
    return told + (say_error(plan.refusal) if plan.refusal else "")


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


def _row(line: pd.Series, sides: Sequence[str]) -> str:
    """Return the row of one key figure; its name may break where it has an underscore."""
    name, unit = html.escape(line["kpi"]), html.escape(line["unit"])
    cells = [f"<td>{name.replace('_', '_<wbr>')}<br><small>[{unit}]</small></td>"]
    for side in sides:
        if side not in line:
            cells.append(f'<td class="{side}">&ndash;</td>')
            continue
        value, low, high = numbers(line, side)
        decided = f", {verdict(line)}" if side == DIFFERENCE else ""
        text = f"<b>{value}</b><br><small>{low} to {high}{decided}</small>"
        cells.append(f'<td class="{side}">{text}</td>')
    return f'<tr data-kpi="{name}">{"".join(cells)}</tr>'
