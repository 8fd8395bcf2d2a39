"""A scenario from exports: what is put where, what is left and why, what is written."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import twin
from tests.scenarios import constant, scenario, station
from twin.cli import app
from twin.draws import fold, laws, normal_quantile, root, sample_us
from twin.draws.addressing import inner_unit
from twin.errors import ExportError, OutputError, ScenarioError
from twin.experiments.exports import read_exports
from twin.experiments.fit_work import of_work
from twin.experiments.fitting import Fitted, fit
from twin.experiments.recognising import Work, recognise
from twin.experiments.scenario_text import scenario_text
from twin.experiments.usual import Usual
from twin.scenario import Scenario, load, vary
from twin.twin import Twin

LAW = {"law": "lognormal", "median": "12 s", "sigma": 0.3}
T0_MS = 1772427600000  # Monday 2 March 2026, 06:00 in Vienna


def event(number: int, at_s: float, code: str, device: str = "a", **more: Any) -> dict[str, Any]:
    return {"id": f"{device}{number}", "type": "scan", "created": round(T0_MS + 1000 * at_s),
            "scan_code": code, "scan_duration": 1.0, "device_id": device, "gateway_id": "g",
            **more}  # fmt: skip


def written(folder: Path, events: Any, name: str = "events.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(events), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run() -> Twin:
    changed = scenario({"work.pick_interval": LAW, "run.horizon": "8 h"})
    return twin.open(changed, seed=3).run(progress=False)


@pytest.fixture(scope="module")
def events(run: Twin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "events.csv"
    run.events().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def found(events: Path) -> Fitted:
    return fit(events)


# --- what is recognised ---------------------------------------------------------------------------


def seen(folder: Path, codes: list[tuple[float, str]], base: Scenario | None = None) -> Work:
    rows = [event(n, at_s, code) for n, (at_s, code) in enumerate(codes)]
    frame = read_exports([written(folder, rows)]).events
    assert frame is not None
    return recognise(frame, base or load("pilot_line"), Usual(beep_us=100_000.0))


def test_intervals_are_what_they_lead_to(tmp_path: Path) -> None:
    work = seen(tmp_path, [
        (0, "PICK-1"), (10, "i"), (21, "j"), (33, "DONE-1"),
        (53, "PICK-2"), (63, "k"), (93, "PICK-3"), (95, "PICK-3"), (105, "l"),
    ])  # fmt: skip
    seconds = lambda found: [round(us / 1e6, 3) for us in found]  # noqa: E731
    assert seconds(work.picks_us) == [9.9, 10.9, 9.9, 9.9]
    assert seconds(work.closes_us) == [11.9]
    assert seconds(work.setups_us) == [19.9, 29.9]  # the second forgot its end barcode
    assert work.lines.tolist() == [2, 1]
    assert work.lines_at_least.tolist() == [1]
    assert (work.forgotten, work.finished) == (1, 1)
    assert not work.slips_known


def test_breaks_and_ends_of_shifts_are_no_picks(tmp_path: Path) -> None:
    # The pilot's first break begins after 2 h; its shift ends after 8 h.
    hours = [(1.99 * 3600, "PICK-1"), (1.999 * 3600, "i"), (2.3 * 3600, "j"), (2.31 * 3600, "k"),
             (7.99 * 3600, "l"), (8.5 * 3600, "m")]  # fmt: skip
    work = seen(tmp_path, hours)
    assert [round(us / 3.6e9, 3) for us in work.picks_us] == [0.009, 0.01]
    assert work.left_out["over a break or the end of a shift"] >= 2
    assert work.lines.size == 0
    assert work.lines_at_least.tolist() == [3]  # the job went on over the break; away for hours


def test_scanners_are_told_apart(tmp_path: Path) -> None:
    rows = [event(n, 10 * n, "i", device) for n, device in enumerate("abab")]
    frame = read_exports([written(tmp_path, rows)]).events
    assert frame is not None
    work = recognise(frame, load("pilot_line"), Usual())
    assert work.picks_us.tolist() == [20e6, 20e6]
    assert len(set(work.stretch.tolist())) == 2


def test_how_much_workers_differ_is_taken_off_their_picks() -> None:
    state, sd, stretches, picks = root(4), 0.15, 60, 150
    paces = [1 + sd * normal_quantile(inner_unit(fold(state, n))) for n in range(stretches)]
    record = laws.law_record([(1.0, laws.LOGNORMAL, math.log(12e6), 0.4)])
    drawn = [[paces[n] * sample_us(record, fold(fold(state, n), k), 1) for k in range(picks)]
             for n in range(stretches)]  # fmt: skip
    empty, no = np.zeros(0), np.zeros(0, np.int64)
    work = Work(np.array(drawn).ravel(), np.repeat(np.arange(stretches), picks), empty, empty,
                empty, no, no, 0, 0, False, 0, 0, {})  # fmt: skip
    lines = {line.key: line for line in of_work(work, load("pilot_line"))}
    sd_found = float(lines["work.picker_sd"].value.removesuffix(" %")) / 100
    assert abs(sd_found - sd) < 3 * sd / math.sqrt(2 * stretches)
    law = lines["work.pick_interval"].value
    assert law["law"] == "lognormal"
    # With paces left in, sigma would be hypot(0.4, 0.15) = 0.427: 8 standard errors off.
    assert abs(law["sigma"] - 0.4) < 4 * 0.4 / math.sqrt(2 * stretches * picks)
    few = Work(work.picks_us[:700], work.stretch[:700], empty, empty, empty, no, no, 0, 0, False,
               0, 0, {})  # fmt: skip
    (line,) = (one for one in of_work(few, load("pilot_line")) if one.key == "work.picker_sd")
    assert not line.is_fitted
    assert "at least 8 due" in line.note


# --- what is put where ----------------------------------------------------------------------------


def test_what_is_fitted_and_what_is_left_is_told(found: Fitted) -> None:
    table = found.table.set_index("key")
    assert table.loc["work.pick_interval", "law"] == "lognormal"
    assert table.loc["work.pick_interval", "samples"] > 3000
    assert not table.loc["links.gateway_service", "fitted"]
    assert all(line.note for line in found.lines)
    law = found.scenario.work.pick_interval
    assert law.expected_us == pytest.approx(12e6 * math.exp(0.045), rel=0.03)
    assert found.scenario.work.wrong_scan == 0.0
    assert found.scenario.work.picker_sd == found.base.work.picker_sd  # too few shifts to tell
    assert found.scenario.site == found.base.site
    assert found.scenario.name == "pilot_line_fitted"
    assert set(found.fits) == {
        line.key for line in found.lines if line.fits is not None and line.is_fitted
    }


def test_with_orders_a_set_up_is_left(events: Path) -> None:
    orders = {"per_hour": 100.0}
    base = vary(load("pilot_line"), "work.orders", orders)
    table = fit(events, base).table.set_index("key")
    assert "waiting" in table.loc["work.job_setup", "note"]
    assert not table.loc["work.job_setup", "fitted"]


def test_a_short_export_leaves_what_it_cannot_tell(tmp_path: Path) -> None:
    path = written(tmp_path, [event(n, 10 * n, "i") for n in range(15)])
    few = fit(path)
    assert not any(line.is_fitted for line in few.lines)
    assert few.table.set_index("key").loc["work.pick_interval", "note"] == (
        "14 samples, and at least 20 are due"
    )
    assert few.scenario.work == few.base.work


def test_a_base_of_other_barcodes_knows_no_jobs(events: Path) -> None:
    base = vary(load("pilot_line"), "work.jobs", [])
    table = fit(events, base).table.set_index("key")
    assert "give the prefixes" in table.loc["work.job_lines", "note"]


def test_places_alone_and_a_wrong_base_are_refused(tmp_path: Path, events: Path) -> None:
    places = tmp_path / "places.csv"
    places.write_text("node,x_m,y_m\na,1,2\n", encoding="utf-8")
    with pytest.raises(ExportError, match="places alone"):
        fit(places)
    with pytest.raises(ScenarioError, match="did you mean pilot_line"):
        fit(events, "pilot_lin")


def test_places_may_come_from_a_file(tmp_path: Path) -> None:
    spots = [(x, y) for x in range(0, 80, 8) for y in range(0, 40, 8)]
    names = [f"{0x100 + n:06x}" for n in range(len(spots))]
    rows = [f"{name.upper()},{x},{y}" for name, (x, y) in zip(names, spots, strict=True)]
    (tmp_path / "places.csv").write_text("\n".join(["node,x_m,y_m", *rows]), encoding="utf-8")
    links = []
    for a, (ax, ay) in enumerate(spots):
        for b, (bx, by) in enumerate(spots):
            loss_db = 40 + 35 * math.log10(max(1.0, math.hypot(ax - bx, ay - by)))
            z = normal_quantile(inner_unit(fold(fold(root(6), min(a, b)), max(a, b))))
            if a != b and 3.5 - loss_db + 7 * z > -94:
                quality = min(90, max(0, round(loss_db - 3.5 - 7 * z)))
                links.append({"start": names[a], "end": names[b], "linkQuality": quality})
    topology = written(tmp_path, {"data": {"links": links, "gateways": []}}, "topology.json")
    base = load("quiet_line")
    table = fit([topology, tmp_path / "places.csv"], base).table.set_index("key")
    assert table.loc["mesh.radio.path_loss_exponent", "fitted"]
    radio = fit([topology, tmp_path / "places.csv"], base).scenario.mesh.radio
    assert radio.path_loss_exponent == pytest.approx(3.5, abs=0.3)
    alone = fit(topology, base).table.set_index("key")
    assert "no gateway" in alone.loc["mesh.measured", "note"]


# --- what is written ------------------------------------------------------------------------------


def test_the_file_says_where_values_come_from(found: Fitted, tmp_path: Path) -> None:
    path = found.write(tmp_path / "mine.toml")
    assert load(path) == found.scenario
    text = path.read_text(encoding="utf-8")
    assert 'extends = "pilot_line"' in text
    assert "# Fitted to events.csv" in text
    assert "# lognormal from" in text
    assert "links.gateway_service is left as the base has it" in text
    with pytest.raises(OutputError, match="exists already"):
        found.write(path)
    with pytest.raises(OutputError, match="cannot be written"):
        found.write(tmp_path / "none" / "mine.toml")


def test_a_base_of_ones_own_is_extended_or_written_whole(events: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('extends = "pilot_line"\nname = "own"\nquestion = "What?"\n', encoding="utf-8")
    by_file = fit(events, own)
    folder = tmp_path / "below"
    folder.mkdir()
    text = by_file.write(folder / "mine.toml").read_text(encoding="utf-8")
    assert 'extends = "../own.toml"' in text
    assert load(folder / "mine.toml") == by_file.scenario
    whole = fit(events, vary(load(own), "site.stations", [station("line-middle", 4)]))
    place = whole.write(tmp_path / "whole.toml")
    assert "extends" not in place.read_text(encoding="utf-8").split("\n[")[0].split('name = "')[0]
    assert load(place) == whole.scenario


@pytest.mark.parametrize("name", ["reference_site", "measured_mesh", "upgrade_night", "cold_store"])
def test_any_scenario_can_be_written(name: str, tmp_path: Path) -> None:
    scenario = load(name)
    path = tmp_path / "all.toml"
    comments = {"work.pick_interval": "why " * 60, "site": "where"}
    path.write_text(scenario_text(scenario.document(), comments, ["top"]), encoding="utf-8")
    assert load(path) == scenario
    assert path.read_text(encoding="utf-8").startswith("# top\n\n")


def test_odd_texts_survive(tmp_path: Path) -> None:
    document = vary(load("pilot_line"), "question", 'A "b" \\ c\tü?').document()
    document["links"]["gateway_service"] = constant("5 ms")
    path = tmp_path / "odd.toml"
    path.write_text(scenario_text(document, {}), encoding="utf-8")
    assert load(path).document() == document


# --- the command ----------------------------------------------------------------------------------


def test_the_command_writes_and_says_what_next(events: Path, tmp_path: Path) -> None:
    out, laws, page = (tmp_path / name for name in ("site.toml", "laws.csv", "page.html"))
    words = ["fit", str(events), "-o", str(out), "--laws", str(laws), "--report", str(page)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "work.pick_interval" in done.stdout
    assert "left as it is" in done.stdout
    assert f"next:  twin check {out}" in done.stdout
    assert load(out).name == "pilot_line_fitted"
    tried = pd.read_csv(laws)
    assert {"lognormal", "empirical"} <= set(tried[tried["key"] == "work.pick_interval"]["name"])
    text = page.read_text()
    assert "<h1>pilot_line_fitted: fitted to what was recorded</h1>" in text
    assert "<h2>work.pick_interval</h2>" in text
    assert text.count("data:image/svg+xml") == len(set(tried["key"]))
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2
    assert "exists already" in again.stderr


def test_the_command_refuses_what_is_no_export(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}", encoding="utf-8")
    done = CliRunner().invoke(app, ["fit", str(path), "-o", str(tmp_path / "s.toml")])
    assert done.exit_code == 2
    assert "no page of events" in done.stderr
    assert not (tmp_path / "s.toml").exists()
