"""What a run leaves behind: `report.html`, `kpis.csv` and `twin.sqlite` in one folder.

The report is one file: pictures inside, no script, nothing fetched. Files are
written beside their name and then moved there, so a stop leaves whole files.
"""

from __future__ import annotations

import html
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from twin import units
from twin.errors import OutputError
from twin.plots.album import pictures, svg
from twin.plots.lines import upgrade_line
from twin.scenario import Assumption, assumptions

if TYPE_CHECKING:
    from twin.twin import Twin

__all__ = [
    "Outputs",
    "headline",
    "kpi_texts",
    "number_text",
    "prepare",
    "reached",
    "write_all",
    "write_kpis",
    "write_report",
]

REPORT, KPIS, STATE = "report.html", "kpis.csv", "twin.sqlite"


@dataclass(frozen=True)
class Outputs:
    """Where the files of a run are."""

    report: Path
    kpis: Path
    state: Path


def prepare(folder: Path) -> Path:
    """Make sure that a run can be written to a folder, before time is spent on it.

    Parameters
    ----------
    folder
        Is made if it does not exist. Raises OutputError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = _beside(folder / REPORT)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(folder, f"cannot be written: {_reason(error)}") from error
    for name in (REPORT, KPIS, STATE):
        if (folder / name).is_dir():
            raise OutputError(folder / name, "is a folder, a file is due", hint="remove it")
    return folder


def write_all(twin: Twin, folder: Path) -> Outputs:
    """Write the report, the KPIs and the state of a twin into a folder; raises OutputError."""
    prepare(folder)
    # What cannot be made again comes first: a second Ctrl-C may stop the rest.
    with _replacing(folder / STATE) as part:
        twin.save(part, snapshot=False)
    return Outputs(write_report(twin, folder), write_kpis(twin, folder), folder / STATE)


def write_report(twin: Twin, folder: Path) -> Path:
    """Write `report.html` into a folder, and give its path; raises OutputError."""
    text = _page(twin)
    with _replacing(folder / REPORT) as part:
        part.write_text(text, encoding="utf-8")
    return folder / REPORT


def write_kpis(twin: Twin, folder: Path) -> Path:
    """Write `kpis.csv` into a folder: name, value, unit, definition; raises OutputError."""
    table = twin.kpi_table()
    with _replacing(folder / KPIS) as part:
        table.to_csv(part, index=False, lineterminator="\n")
    return folder / KPIS


def number_text(value: float, *, digits: int = 4) -> str:
    """Write a number for reading, such as "12,345" or "98.12".

    Parameters
    ----------
    value
        Whole numbers are written whole, one that is not finite as "-".
    digits
        Significant digits of the others; before the point all are written [1].
    """
    if not math.isfinite(value):
        return "-"
    if value == round(value):
        return f"{value:,.0f}"
    rounded = float(f"{value:.{digits}g}")
    places = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{value:,.{places}f}"


def kpi_texts(table: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """Write a KPI table for reading: name, value, unit, definition of each."""
    columns = (table[name] for name in ("name", "value", "unit", "definition"))
    return [
        (str(name), number_text(float(value)), str(unit), str(definition))
        for name, value, unit, definition in zip(*columns, strict=True)
    ]


def reached(twin: Twin) -> str:
    """Say what was simulated: the whole horizon, or how far it came."""
    horizon = units.format_duration(twin.horizon_us)
    if twin.now_us >= twin.horizon_us:
        part = "the whole" if twin.now_us == twin.horizon_us else f"beyond the {horizon} of the"
        return f"simulated {units.format_duration(twin.now_us)}, {part} horizon"
    minutes = units.format_duration(_minutes_us(twin.now_us))
    return f"simulated until {twin.now:%Y-%m-%d %H:%M}: {minutes} of {horizon}"


def headline(twin: Twin) -> str:
    """Say the result in one sentence with its numbers."""
    kpi = _named(twin.kpi_table())
    scans = f"{kpi['scans']} scans in {units.format_duration(_minutes_us(twin.now_us))}"
    mesh = _mesh_headline(twin, kpi)
    if kpi["scans"] == "0":
        return mesh.strip() or f"{scans}: nobody scanned anything."
    half, most = kpi["beep_p50_ms"], kpi["beep_p95_ms"]
    beep = f"half of the beeps came within {half} ms, 95 % within {most} ms"
    return f"{scans}: {beep}; {kpi['lost']} messages lost, {kpi['jobs']} jobs done.{mesh}"


def _mesh_headline(twin: Twin, kpi: Mapping[str, str]) -> str:
    """Say how the last upgrade went, or what became of the multicasts, if there were any."""
    if "upgrade_failed" in kpi:
        return f" {upgrade_line(twin.upgrades(), twin.upgraded())}"
    if kpi.get("mesh_multicasts", "0") == "0":
        return ""
    reach = 100 * float(kpi["mesh_reach_mean"])
    return f" {kpi['mesh_multicasts']} multicasts reached {reach:.1f} % of the mesh on average."


def _named(table: pd.DataFrame) -> dict[str, str]:
    """Write the value of each KPI, by name, shorter than in the table."""
    pairs = zip(table["name"], table["value"], strict=True)
    return {str(name): number_text(float(value), digits=3) for name, value in pairs}


def _minutes_us(us: int) -> int:
    # A stop by Ctrl-C is at no round moment: microseconds would only distract.
    return us // 60_000_000 * 60_000_000 if us >= 60_000_000 else us


# --- files -------------------------------------------------------------------


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _beside(path: Path) -> Path:
    # The process id keeps two runs into one folder apart.
    return path.with_name(f".{path.name}.{os.getpid()}.part")


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a name to write to; move it to `path` when all went well, else remove it."""
    part = _beside(path)
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {_reason(error)}") from error
    finally:
        part.unlink(missing_ok=True)


# --- the page ----------------------------------------------------------------

_STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #222; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { margin: 0.5rem 0 0; font-size: 1.6rem; }
h2 { margin: 2rem 0 0.5rem; font-size: 1.2rem; }
.question { margin: 0.2rem 0 1rem; color: #555; font-style: italic; }
.headline { font-size: 1.2rem; border-left: 4px solid #0072B2; padding-left: 0.8rem; }
.partial { border-left: 4px solid #D55E00; padding-left: 0.8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; }
td.long { overflow-wrap: anywhere; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.name { white-space: nowrap; }
figure { margin: 1rem 0 2rem; overflow-x: auto; break-inside: avoid; }
figure img { display: block; width: 100%; min-width: 40rem; height: auto; }
figcaption { position: sticky; left: 0; color: #444; font-size: 0.95rem; }
summary { cursor: pointer; font-weight: 600; }
@media print {
  main { max-width: none; padding: 0; }
  body { font-size: 11pt; }
  tr { break-inside: avoid; }
  figure img { min-width: 0; }
  details::details-content { content-visibility: visible; height: auto; }
}
"""


def _page(twin: Twin) -> str:
    name = html.escape(twin.scenario.name)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{name}: report of a run</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            "<main>",
            *_opening(twin),
            *_kpis(twin),
            *_figures(twin),
            *_provenance(twin),
            *_unsourced(assumptions(twin.scenario)),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _opening(twin: Twin) -> Iterator[str]:
    scenario = twin.scenario
    yield f"<h1>{html.escape(scenario.name)}</h1>"
    yield f'<p class="question">{html.escape(scenario.question)}</p>'
    yield f'<p class="headline">{html.escape(headline(twin))}</p>'
    kind = "" if twin.now_us >= twin.horizon_us else ' class="partial"'
    start = f"{scenario.run.start:%Y-%m-%d %H:%M} ({scenario.run.time_zone})"
    yield f"<p{kind}>From {html.escape(start)}, {html.escape(reached(twin))}.</p>"


def _kpis(twin: Twin) -> Iterator[str]:
    yield "<h2>Key figures</h2>"
    yield from _table(
        ("name", "value", "unit", "definition"),
        kpi_texts(twin.kpi_table()),
        ("name", "number", "name", ""),
    )


def _figures(twin: Twin) -> Iterator[str]:
    for picture in pictures(twin):
        yield f"<h2>{html.escape(picture.title)}</h2>"
        yield "<figure>"
        yield f'<img src="{svg(picture)}" alt="{html.escape(picture.alt)}">'
        yield f"<figcaption>{html.escape(picture.line)}</figcaption>"
        yield "</figure>"


def _provenance(twin: Twin) -> Iterator[str]:
    yield "<h2>How this was made</h2>"
    made = {**twin.provenance(), "horizon": units.format_duration(twin.horizon_us)}
    rows = [(key.replace("_", " "), str(value)) for key, value in made.items()]
    yield from _table(("what", "value"), rows, ("name", "long"))


def _unsourced(found: tuple[Assumption, ...]) -> Iterator[str]:
    rows = [(item.key, item.value, item.unit, item.source) for item in found if item.unsourced]
    yield "<h2>What this rests on</h2>"
    if not rows:
        yield "<p>Every value has a source.</p>"
        return
    yield "<details>"
    share = f"{len(rows):,} of {len(found):,} values"
    yield f"<summary>{share} have no source: we assumed them (certainty D)</summary>"
    yield from _table(("key", "value", "unit", "why"), rows, ("long", "long", "", ""))
    yield "</details>"


def _table(
    heads: Iterable[str], rows: Iterable[tuple[str, ...]], classes: tuple[str, ...]
) -> Iterator[str]:
    yield '<div class="wide"><table>'
    yield f"<thead><tr>{''.join(f'<th>{html.escape(head)}</th>' for head in heads)}</tr></thead>"
    yield "<tbody>"
    for row in rows:
        yield f"<tr>{''.join(map(_cell, row, classes))}</tr>"
    yield "</tbody></table></div>"


def _cell(text: str, kind: str) -> str:
    label = f' class="{kind}"' if kind else ""
    return f"<td{label}>{html.escape(text)}</td>"
