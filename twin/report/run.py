"""What a run leaves behind: `report.html`, `kpis.csv` and `twin.sqlite` in one folder."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from twin import units
from twin.errors import OutputError
from twin.plots.album import pictures
from twin.plots.lines import upgrade_line
from twin.report.page import (
    beside,
    cells,
    document,
    figures,
    number_text,
    provenance,
    reason,
    replacing,
    unsourced,
    write_page,
)
from twin.scenario import assumptions

if TYPE_CHECKING:
    from twin.twin import Twin

__all__ = [
    "Outputs",
    "headline",
    "kpi_texts",
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
        probe = beside(folder / REPORT)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(folder, f"cannot be written: {reason(error)}") from error
    for name in (REPORT, KPIS, STATE):
        if (folder / name).is_dir():
            raise OutputError(folder / name, "is a folder, a file is due", hint="remove it")
    return folder


def write_all(twin: Twin, folder: Path) -> Outputs:
    """Write the report, the KPIs and the state of a twin into a folder; raises OutputError."""
    prepare(folder)
    # What cannot be made again comes first: a second Ctrl-C may stop the rest.
    with replacing(folder / STATE) as part:
        twin.save(part, snapshot=False)
    return Outputs(write_report(twin, folder), write_kpis(twin, folder), folder / STATE)


def write_report(twin: Twin, folder: Path) -> Path:
    """Write `report.html` into a folder, and give its path; raises OutputError."""
    return write_page(folder / REPORT, _page(twin))


def write_kpis(twin: Twin, folder: Path) -> Path:
    """Write `kpis.csv` into a folder: name, value, unit, definition; raises OutputError."""
    table = twin.kpi_table()
    with replacing(folder / KPIS) as part:
        table.to_csv(part, index=False, lineterminator="\n")
    return folder / KPIS


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


# --- the page ----------------------------------------------------------------


def _page(twin: Twin) -> str:
    made = {**twin.provenance(), "horizon": units.format_duration(twin.horizon_us)}
    return document(
        f"{twin.scenario.name}: report of a run",
        [
            *_opening(twin),
            *_kpis(twin),
            *figures(pictures(twin)),
            *provenance(made),
            *unsourced(assumptions(twin.scenario)),
        ],
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
    yield from cells(
        ("name", "value", "unit", "definition"),
        kpi_texts(twin.kpi_table()),
        ("name", "number", "name", ""),
    )
