"""The report is one sound file that says what was run, and is written whole or not at all."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from twin import opening, report
from twin.errors import OutputError
from twin.plots import lines
from twin.plots.style import two_digits
from twin.scenario import assumptions, load, vary
from twin.twin import Twin
from unit import frames

VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Reads a page strictly: every tag is closed in order; collects texts and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.words.setdefault(self.open[-1], []).append(data.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.found if name == tag]


def fake(**changes: Any) -> Twin:
    return cast(Twin, frames.FakeTwin(**changes))


def page(folder: Path, twin: Twin | None = None) -> Page:
    return Page(report.write_report(twin or fake(), folder).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page(tmp_path_factory.mktemp("report"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_three_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    found = report.write_all(fake(), tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == ["kpis.csv", "report.html", "twin.sqlite"]
    assert found.report.is_file()
    assert found.kpis.is_file()
    assert found.state.read_bytes().startswith(b"SQLite format 3")


def test_the_page_says_question_headline_and_how_it_was_made(read: Page) -> None:
    words = read.words
    scenario = load("pilot_line")
    assert words["h1"] == ["pilot_line"]
    assert scenario.question in words["p"]
    assert report.headline(fake()) in words["p"]
    assert {scenario.digest, "7", "compiled", "Europe/Vienna", "8 h"} <= set(words["td"])


def test_the_headline_has_numbers_with_units() -> None:
    text = report.headline(fake())
    assert "12,345 scans in 8 h" in text
    assert "62.2 ms" in text
    assert "98.1 ms" in text


def test_the_kpi_table_has_value_unit_and_definition(read: Page) -> None:
    cells = read.words["td"]
    place = cells.index("beep_p95_ms")
    assert cells[place + 1 : place + 4] == ["98.12", "ms", "95 % of the beeps come sooner"]


def test_a_night_of_nothing_but_an_upgrade_is_told_and_drawn(tmp_path: Path) -> None:
    night = vary(
        vary(load("upgrade_night"), "mesh.nodes.display.count", 12), "run.horizon", "8 min"
    )
    for key, value in {"mesh.upgrades.night.size_bytes": 3489, "site.zones.hall.width": "60 m",
                       "site.zones.hall.depth": "40 m", "mesh.bridges.bridge.x": "30 m",
                       "mesh.bridges.bridge.y": "20 m"}.items():  # fmt: skip
        night = vary(night, key, value)
    twin = opening.open(night).run(progress=False)
    assert report.headline(twin).startswith("12 of 12 devices run the image, 95 % of all after")
    found = page(tmp_path, twin)
    assert {"The mesh", "The last upgrade", "Where devices failed"} <= set(found.words["h2"])
    assert len(found.all("img")) == 5


def test_eight_pictures_lie_in_the_file_each_with_a_line_of_numbers(read: Page) -> None:
    images = read.all("img")
    assert len(images) == 8
    assert len(read.words["figcaption"]) == 8
    assert all(re.search(r"\d", line) for line in read.words["figcaption"])
    for image in images:
        assert image["alt"]
        kind, _, data = str(image["src"]).partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert ET.fromstring(base64.b64decode(data)).tag.endswith("svg")


def test_pictures_of_what_holds_work_up_follow_the_queue(read: Page) -> None:
    heads = read.words["h2"]
    place = heads.index("Queue over the day")
    assert heads[place + 1 : place + 4] == [
        "Charge of the scanners",
        "Links that were down",
        "Messages held for the uplink",
    ]


def test_outages_and_waits_under_way_last_until_the_run_ends(tmp_path: Path) -> None:
    twin = frames.FakeTwin(now_us=70 * 60_000_000)
    twin.rows = frames.troubles().assign(
        shift="early", zone="line", gateway_kind="mobile", scan_to_beep_ms=1.0, scan_to_cloud_ms=1.0
    )
    captions = " ".join(page(tmp_path, cast(Twin, twin)).words["figcaption"])
    assert "4 drops, 1 of them until the worker was at another gateway; 40 min" in captions
    assert "20 min without scanner" in captions


def test_nothing_is_fetched_and_nothing_is_run(read: Page) -> None:
    assert not [tag for tag, _ in read.found if tag in {"script", "link", "iframe", "object"}]
    addresses = [attrs.get(key) for _, attrs in read.found for key in ("src", "href")]
    assert all(str(address).startswith("data:") for address in addresses if address)
    assert "url(" not in " ".join(read.words["style"])
    assert "@import" not in " ".join(read.words["style"])


def test_text_of_the_scenario_is_escaped(tmp_path: Path) -> None:
    question = 'Is <script>alert("1")</script> & more safe?'
    scenario = vary(load("pilot_line"), "question", question)
    text = report.write_report(fake(scenario=scenario), tmp_path).read_text(encoding="utf-8")
    assert "<script" not in text
    assert question in Page(text).words["p"]


def test_what_has_no_source_is_listed(read: Page) -> None:
    found = [item for item in assumptions(load("pilot_line")) if item.unsourced]
    assert f"{len(found)} of" in read.words["summary"][0]
    assert {item.key for item in found} <= set(read.words["td"])


def test_a_run_that_stopped_early_says_how_far_it_came(tmp_path: Path) -> None:
    twin = fake(now_us=3 * 3_600_000_000 + 15 * 60_000_000 + 123_456)
    said = "simulated until 2026-03-02 09:15: 3 h 15 min of 8 h"
    assert report.reached(twin) == said
    read = page(tmp_path, twin)
    assert any(said in text for text in read.words["p"])
    assert {"class": "partial"} in read.all("p")


def test_a_whole_run_says_so() -> None:
    assert report.reached(fake()) == "simulated 8 h, the whole horizon"
    assert report.reached(fake(now_us=172_800_000_000)).endswith("beyond the 8 h of the horizon")


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    first = report.write_report(fake(), tmp_path).read_bytes()
    assert report.write_report(fake(), tmp_path).read_bytes() == first


def test_a_day_without_any_event_is_reported(tmp_path: Path) -> None:
    twin = frames.FakeTwin()
    twin.rows = twin.rows.iloc[:0]
    read = page(tmp_path, cast(Twin, twin))
    assert "No scan was made." in read.words["figcaption"]
    assert "No scanner was in hand." in read.words["figcaption"]


def test_kpis_are_written_in_full(tmp_path: Path) -> None:
    table = pd.read_csv(report.write_kpis(fake(), tmp_path))
    assert list(table.columns) == ["name", "value", "unit", "definition"]
    assert table.loc[3, "value"] == 98.123


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (12345.0, "12,345"), (98.123, "98.12"), (0.0004567, "0.0004567"),
     (123456.7, "123,457"), (9.99996, "10.00"), (float("nan"), "-"), (float("inf"), "-")],
)  # fmt: skip
def test_numbers_are_written_to_four_digits(value: float, text: str) -> None:
    assert report.number_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.0042, "0.0042"), (0.4, "0.40"), (9.96, "10"), (98.4, "98"), (123.4, "123"),
     (12345.6, "12,346"), (float("nan"), "-")],
)  # fmt: skip
def test_two_digits(value: float, text: str) -> None:
    assert two_digits(value) == text


@pytest.mark.parametrize(
    ("line", "frame", "parts"),
    [
        (lines.scan_line, frames.events, ("6 scans,", "06:00 on 2026-03-02: 3 scans", "2 failed")),
        (lines.latency_line, frames.events, ("Scan to beep: p50 100 ms", "longest 700 ms")),
        (lines.queue_line, frames.events, ("50 % of 6 messages", "mean wait of all is 1,000 ms")),
        (
            lines.battery_line,
            frames.troubles,
            (
                "Lowest charge 10.0 %, bob at 06:29 on 2026-03-02",
                "1 swap;",
                "9.0 min without scanner",
            ),
        ),
        (
            lines.links_line,
            frames.troubles,
            (
                "4 drops, 1 of them until",
                "29 min down in all",
                "outage 4.0 min",
                "1 scan not connected",
            ),
        ),
        (
            lines.backlog_line,
            frames.troubles,
            ("Most at once: 2 at G1, at 06:10 on 2026-03-02", "1 dropped", "2 duplicates"),
        ),
        (lines.job_line, frames.jobs, ("4 jobs", "p50 5.5 min", "mean 8.9 min")),
        (lines.floor_line, frames.gateways, ("Busiest: G1, 0.40 %", "1 phone 0.10 %")),
    ],
)
def test_lines_of_numbers(line: Any, frame: Any, parts: tuple[str, ...]) -> None:
    text = line(frame())
    assert all(part in text for part in parts), text
    assert line(frame().iloc[:0]).endswith(".")
    assert line(pd.DataFrame()).startswith(("No ", "The site has no"))


def test_a_file_in_the_way_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="cannot be written: not a directory"):
        report.prepare(tmp_path / "out" / "pilot_line")


def test_a_folder_that_takes_no_file_is_refused_before_the_run() -> None:
    # Holds for the superuser too, whom permissions do not stop.
    with pytest.raises(OutputError, match="--out"):
        report.prepare(Path("/proc"))


def test_a_folder_in_place_of_a_file_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        report.prepare(tmp_path)


def test_preparing_leaves_nothing_but_the_folder(tmp_path: Path) -> None:
    assert names(report.prepare(tmp_path / "new")) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    (tmp_path / "twin.sqlite").write_text("yesterday")

    def fail(self: object, path: Path, *, snapshot: bool) -> Path:
        path.write_text("half")
        raise error

    monkeypatch.setattr(frames.FakeTwin, "save", fail)
    expected = OutputError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        report.write_all(fake(), tmp_path)
    assert names(tmp_path) == ["twin.sqlite"]
    assert (tmp_path / "twin.sqlite").read_text() == "yesterday"
