"""Pages of experiments: each result gets its pictures, its tables and what makes it again."""

import re
from pathlib import Path
from typing import Any

import pytest

import twin
from twin import experiments as ex
from twin.errors import OutputError
from twin.experiments import Promise, Range
from twin.report import ExperimentPage, write_experiment
from twin.report.experiment import Sheet
from twin.report.pages import Answered, page_of
from twin.scenario import Scenario

HOW: Any = {"until": "1 h", "executor": "serial", "cache": False, "progress": False}
WORKERS, SCALE = "work.shifts.pilot.workers", "work.pick_scale"


def line() -> Scenario:
    return twin.load("pilot_line")


def written(found: Answered, folder: Path) -> tuple[ExperimentPage, str]:
    """Return the page of a result, and its text."""
    page = page_of(found, line())
    return page, write_experiment(folder / "page.html", page).read_text()


def numbers(text: str) -> list[str]:
    return re.findall(r'<td class="number">([^<]*)</td>', text)


def test_replications_have_a_picture_of_each_figure_and_a_table(tmp_path: Path) -> None:
    found = ex.replicate(line(), 4, kpis=["scans", "beep_p95_ms"], **HOW)
    page, text = written(found, tmp_path)
    assert [one.title for one in page.pictures] == ["scans", "beep_p95_ms"]
    assert "<h1>pilot_line: replications</h1>" in text
    assert f'<p class="headline">{found.answer()[0]}</p>' in text
    assert text.count("data:image/svg+xml") == 2
    mean = found.table["mean"].iloc[0]
    assert numbers(text)[:2] == ["4", f"{mean:.1f}"]
    assert found.provenance["scenario pilot_line"] in text
    assert "have no source: we assumed them" in text
    assert "<script" not in text


def test_a_comparison_says_what_differs_and_by_how_much(tmp_path: Path) -> None:
    scenarios = {"today": line(), "quicker": twin.vary(line(), SCALE, 0.8)}
    page, text = written(ex.compare(scenarios, 3, kpis=["scans"], **HOW), tmp_path)
    assert [one.title for one in page.pictures] == [
        "scans: difference to today", "scans of each design",
    ]  # fmt: skip
    assert '<td class="long">quicker</td>' in text
    assert "below 0.01" in numbers(text)  # more scans, not fewer


@pytest.mark.parametrize(
    ("designs", "title"),
    [
        (ex.grid(line(), {WORKERS: [2, 4]}), f"scans by {WORKERS}"),
        (ex.grid(line(), {WORKERS: [2, 4], SCALE: [0.9, 1.0]}), f"scans by {WORKERS}"),
        (ex.one_at_a_time(line(), {WORKERS: [2], SCALE: [0.9]}), "What matters most for scans"),
        (ex.grid(line(), {"links.power_save": [True, False]}), "scans of each design"),
    ],
)
def test_a_sweep_gets_the_picture_that_fits_it(
    designs: list[ex.Design], title: str, tmp_path: Path
) -> None:
    found = ex.sweep(designs, 2, kpis=["scans"], **HOW)
    page, text = written(found, tmp_path)
    assert [one.title for one in page.pictures] == [title]
    assert text.count("<tr>") > len(designs)


def test_decisions_say_why(tmp_path: Path) -> None:
    designs = ex.grid(line(), {SCALE: [2.5, 1.0]})
    choice = ex.cheapest(designs, "job_p50_min", 7.0, probability=0.8, **HOW)
    page, text = written(choice, tmp_path)
    assert page.sheets[0].rows[0][:2] == (f"{SCALE}=2.5", "not enough")
    assert page.sheets[0].rows[1][:2] == (f"{SCALE}=1.0", "enough")
    assert "kept it (80 % wanted)" in text
    best = ex.select(designs, "scans", 50.0, smaller_is_better=False, **HOW)
    page, _ = written(best, tmp_path)
    assert [row[-1] for row in page.sheets[0].rows] == ["dropped", "yes"]


def test_searches_and_indices_have_pages(tmp_path: Path) -> None:
    space = {SCALE: Range(0.6, 1.4), WORKERS: Range(2, 5)}
    page, text = written(ex.sensitivity(line(), space, "scans", 8, 1, **HOW), tmp_path)
    assert page.pictures[0].title == "What decides scans"
    assert {row[0] for row in page.sheets[0].rows} == {SCALE, WORKERS}
    found = ex.search_cheapest(
        line(), space, Promise("job_p50_min", 9.0, 0.8), lambda v: v[WORKERS], trials=8, **HOW
    )
    page, text = written(found, tmp_path)
    assert len(page.sheets[1].rows) == len(found.trials)
    assert "8 designs were tried" in text


def test_what_is_written_on_a_page_cannot_be_read_as_html(tmp_path: Path) -> None:
    page = ExperimentPage(
        "a <b>", "why & how?", ["x < y", "<li>"], (), [Sheet("<t>", ("<h>",), [("<c>",)])],
        {f"scenario {n}": "digest" for n in range(20)},
    )  # fmt: skip
    text = write_experiment(tmp_path / "page.html", page).read_text()
    for word in (
        "a &lt;b&gt;",
        "why &amp; how?",
        "&lt;li&gt;",
        "&lt;t&gt;",
        "&lt;h&gt;",
        "&lt;c&gt;",
    ):
        assert word in text
    assert text.count(">digest<") == 8
    assert "more scenarios" in text


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    page = ExperimentPage("t", "q", ["a"])
    with pytest.raises(OutputError, match="cannot be written"):
        write_experiment(tmp_path / "none" / "page.html", page)
