"""Every slip in a scenario is told with file, key, value, what is allowed, what is near."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import Problem, ScenarioError
from twin.scenario import from_document, load
from twin.scenario.schema import leaves


def problems(folder: Path, text: str, base: str = "pilot_line") -> tuple[Problem, ...]:
    path = folder / "s.toml"
    path.write_text(f'extends = "{base}"\n{text}', encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    for problem in caught.value.problems:
        assert problem.what
    return caught.value.problems


def one(folder: Path, text: str, base: str = "pilot_line") -> Problem:
    found = problems(folder, text, base)
    assert len(found) == 1, found
    assert found[0].file == str(folder / "s.toml")
    return found[0]


SHIFT = '[[work.shifts]]\nname = "a"\nstart = "06:00"\nduration = "8 h"\nworkers = 5\n'
GATEWAY = '[[fleet.gateways]]\nname = "g"\n'

# text, key, value, part of what is allowed, part of the hint
SLIPS = [
    ('[run]\nhoizon = "8 h"', "run.hoizon", '"8 h"', "horizon", "run.horizon?"),
    ('extend = "x"', "extend", '"x"', "extends", "extends?"),
    ("[wrok]\nx = 1", "wrok", "{x = 1}", "work", "did you mean work?"),
    (
        '[links]\nconnection_interval = "5 ms"',
        "links.connection_interval",
        '"5 ms"',
        "ble",
        "links.ble.mobile.connection_interval?",
    ),
    ("[mesh]\nnodes = 5", "mesh.nodes", "5", "a list of tables", ""),
    ('[run]\nhorizon = "8 m"', "run.horizon", '"8 m"', "us, ms, s, min, h, d", "1 h 30 min"),
    ("[run]\nhorizon = 8", "run.horizon", "8", "at most 400 d", "1 h 30 min"),
    ('[run]\nhorizon = "0 s"', "run.horizon", '"0 s"', "above 0 s", ""),
    ('[run]\nhorizon = "401 d"', "run.horizon", '"401 d"', "at most 400 d", ""),
    ("[run]\nseed = -1", "run.seed", "-1", "at least 0", ""),
    ("[run]\nseed = 1.5", "run.seed", "1.5", "a whole number", ""),
    ("[run]\nseed = true", "run.seed", "true", "a whole number", ""),
    ('[run]\nengine = "compild"', "run.engine", '"compild"', '"reference"', "compiled?"),
    (
        '[run]\ntime_zone = "Europe/Viena"',
        "run.time_zone",
        "Europe/Viena",
        "IANA",
        "Europe/Vienna?",
    ),
    (
        "[run]\nstart = 2026-03-29T02:30:00",
        "run.start",
        "2026-03-29T02:30:00",
        "exists",
        "2026-03-29T03:30:00",
    ),
    ("[run]\nstart = 2026-03-02T06:00:00Z", "run.start", "2026-03-02T06:00:00+00:00", "local", ""),
    ("[run]\nstart = 2026-03-02", "run.start", "2026-03-02", "local date and time", ""),
    ("run = 5", "run", "5", "a table with", ""),
    ("[cloud]\ncustomer_id = ''", "cloud.customer_id", '""', "letters, digits", ""),
    ("[cloud]\ntelemetry_period = 'of'", "cloud.telemetry_period", '"of"', '"off"', ""),
    ("[links]\nround_trip = 'pick_activ'", "links.round_trip", '"pick_activ"', "", "pick_active?"),
    (
        "[links]\nround_trip = { law = 'lognorm', median = '1 ms' }",
        "links.round_trip",
        "lognorm",
        "lognormal",
        "lognormal?",
    ),
    (
        "[links]\nround_trip = { law = 'lognormal', median = '1 ms', sgima = 1, sigma = 1 }",
        "links.round_trip.sgima",
        "1",
        "sigma",
        "links.round_trip.sigma?",
    ),
    (
        "[links]\nround_trip = { law = 'lognormal', median = 5, sigma = 1 }",
        "links.round_trip.median",
        "5",
        "a duration above 0 s",
        "",
    ),
    (
        "[links]\nround_trip = { law = 'lognormal', median = '5 ms', sigma = 4 }",
        "links.round_trip.sigma",
        "4",
        "at most 3",
        "",
    ),
    (
        "[links]\nround_trip = { law = 'uniform', low = '5 ms', high = '1 ms' }",
        "links.round_trip.high",
        "1 ms",
        "at least low, 5 ms",
        "",
    ),
    (
        "[links]\nround_trip = { law = 'mixture', components = [{ law = 'mixture', weight = 1 }] }",
        "links.round_trip.components.0",
        "mixture",
        "a law (constant, lognormal, normal, uniform, weibull) as a table, with its weight",
        "",
    ),
    (
        "[links.ble.stationary]\nconnection_interval = '4 s'",
        "links.ble.stationary.supervision_timeout",
        "420 ms",
        "above connection_interval, 4 s",
        "",
    ),
    ("[links.ble.mobile]\nloss_far = '100 %'", "links.ble.mobile.loss_far", "100 %", "below", ""),
    ("[links.ble.mobile]\nloss_far = 0.001", "links.ble.mobile.loss_far", "0.1 %", "loss_near", ""),
    ("[fleet]\nbattery_idle_drain = '4 %'", "fleet.battery_idle_drain", "4 %", "%/h", "4 %/h"),
    ("[work]\npick_scale = 0", "work.pick_scale", "0", "a number above 0 and at most 1000", ""),
    ("[work]\npick_scale = nan", "work.pick_scale", "nan", "a number", ""),
    ("[work]\nsymbologies = { }", "work.symbologies", "", "a table", ""),
    ("[work]\nsymbologies = { EAN_13 = -1 }", "work.symbologies", "-1", "a table", ""),
    ("[work.job_lines]\nmin = 0", "work.job_lines.min", "0", "at least 1", ""),
    ("[work.job_lines]\nmax = 5", "work.job_lines.median", "12", "1 to 5", ""),
    ("[work.job_lines]\nmean = 5", "work.job_lines.mean", "5", "at least the median", ""),
    (SHIFT.replace("5\n", "-5\n"), "work.shifts.a.workers", "-5", "at least 0", ""),
    (SHIFT.replace("06:00", "25:00"), "work.shifts.a.start", "25:00", "06:00", ""),
    (SHIFT.replace("8 h", "17 h"), "work.shifts.a.duration", "17 h", "at most 16 h", ""),
    (SHIFT + 'zones = ["lien"]', "work.shifts.a.zones", "lien", "line", "did you mean line?"),
    (SHIFT + 'days = ["monday"]', "work.shifts.a.days.0", "monday", '"mon"', "mon?"),
    (
        SHIFT + 'breaks = [{ after = "7 h 50 min", duration = "15 min" }]',
        "work.shifts.a.breaks.0.after",
        "7 h 50 min",
        "at most 7 h 45 min",
        "",
    ),
    (SHIFT + SHIFT, "work.shifts", "a", "each name once", "rename"),
    (
        '[[work.jobs]]\nname = "j"\nstart_barcode = "A"\nend_barcode = "AB"',
        "work.jobs.j.end_barcode",
        "'AB'",
        "does not begin",
        "",
    ),
    (
        '[[fleet.scanners]]\nmodel = "MARK3"\ncount = 5',
        "fleet.scanners.scanners 0.model",
        "MARK3",
        "LEO",
        "did you mean MARK 3?",
    ),
    (
        '[[fleet.scanners]]\nmodel = "LEO"\ncount = -5',
        "fleet.scanners.LEO.count",
        "-5",
        "at least 0",
        "",
    ),
    (
        '[[fleet.scanners]]\nmodel = "LEO"',
        "fleet.scanners.LEO.count",
        "(absent)",
        "a whole number",
        "add count",
    ),
    (GATEWAY + 'kind = "mobil"\ncount = 1', "fleet.gateways.g.kind", "mobil", "", "mobile?"),
    (
        GATEWAY + 'kind = "mobile"\ncount = 1\nscanner_limit = 2',
        "fleet.gateways.g.scanner_limit",
        "2",
        "1 when mobile",
        "",
    ),
    (
        GATEWAY + 'kind = "stationary"\nstations = ["line-midle"]',
        "fleet.gateways.g.stations",
        "line-midle",
        "line-middle",
        "line-middle?",
    ),
    (
        GATEWAY + 'kind = "stationary"\ncount = 2\nstations = ["line-middle"]',
        "fleet.gateways.g.count",
        "2",
        "0 to 1",
        "name more stations",
    ),
    (GATEWAY + 'kind = "stationary"\ncount = 2', "fleet.gateways.g.stations", "", "zone", "add"),
    (
        '[[site.stations]]\nname = "line-middle"\nzone = "line"\nx = "31 m"\ny = "1 m"',
        "site.stations.line-middle.x",
        "31 m",
        "x 0 to 30 m",
        "",
    ),
    (
        '[[site.walls]]\nx1 = "0 m"\ny1 = "0 m"\nx2 = "31 m"\ny2 = "0 m"',
        "site.walls.0.x2",
        "31 m",
        "at most 30 m",
        "",
    ),
    ('name = "a.b"', "name", '"a.b"', "letters, digits", ""),
]


@pytest.mark.parametrize(("text", "key", "value", "allowed", "hint"), SLIPS)
def test_a_slip_is_told_in_full(
    tmp_path: Path, text: str, key: str, value: str, allowed: str, hint: str
) -> None:
    # Top-level keys come before any table, so that `extends` stays one of them.
    problem = one(tmp_path, text)
    assert problem.key == key
    assert value in problem.value
    assert problem.allowed
    assert allowed in problem.allowed
    assert hint in problem.hint


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, '[run]\nseed = -1\nhoizon = "8 h"\n[site]\nwidth = 5\n')
    assert {problem.key for problem in found} == {"run.seed", "run.hoizon", "site.width"}


def test_a_problem_names_the_extended_file_that_holds_it(tmp_path: Path) -> None:
    base = tmp_path / "base.toml"
    base.write_text('extends = "pilot_line"\n[run]\nseed = -1\n')
    found = problems(tmp_path, "[run]\nhorizon = 3\n", base="base.toml")
    files = {problem.key: problem.file for problem in found}
    assert files == {"run.seed": str(base), "run.horizon": str(tmp_path / "s.toml")}


def test_an_empty_document_names_what_is_required() -> None:
    with pytest.raises(ScenarioError) as caught:
        from_document({})
    keys = [problem.key for problem in caught.value.problems]
    assert keys == ["name", "question", "site"]
    assert caught.value.hint == "add name = ..."


def raised(path: Any) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        load(path)
    return caught.value


def test_a_missing_file_names_the_near_ones(tmp_path: Path) -> None:
    (tmp_path / "night_shift.toml").write_text("")
    error = raised(tmp_path / "nigth_shift.toml")
    assert error.file.endswith("nigth_shift.toml")
    assert error.hint == "did you mean night_shift.toml?"
    assert raised("refrence_site").hint == "did you mean reference_site?"
    assert "pilot_line" in raised("refrence_site").allowed
    assert "does not exist" in raised(tmp_path / "no" / "s.toml").hint


def test_a_folder_is_not_a_scenario(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("")
    error = raised(tmp_path)
    assert "is a folder" in str(error)
    assert "a.toml" in error.hint


def test_extends_in_a_circle_is_told_as_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('extends = "b.toml"\n')
    (tmp_path / "b.toml").write_text('extends = "a.toml"\n')
    error = raised(tmp_path / "a.toml")
    assert error.key == "extends"
    assert error.value == "a.toml -> b.toml -> a.toml"


@pytest.mark.parametrize("value", ['"pilot_lin"', "5"])
def test_a_bad_extends_is_told_where_it_stands(tmp_path: Path, value: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(f"extends = {value}\n")
    error = raised(path)
    assert (error.file, error.key, error.value) == (str(path), "extends", value)
    if value == '"pilot_lin"':
        assert error.hint == "did you mean pilot_line?"


def test_bad_toml_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('name = "a"\n[run]\nhorizon = 8 h\n')
    error = raised(path)
    assert (error.file, error.key, error.value) == (str(path), "line 3", "horizon = 8 h")


def test_text_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b'name = "\xff"')
    assert "UTF-8" in raised(path).hint


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["5 ms", "-5 ms", "off", "pick_active"]),
    st.dictionaries(st.sampled_from(["law", "name", "value", "x"]), st.integers(), max_size=2),
    st.lists(st.one_of(st.integers(), st.dictionaries(st.just("name"), st.text())), max_size=2),
)
ABSENT = [("links", "outages"), ("fleet", "chargers"), ("work", "orders")]
PATHS = [("extends",), ("mesh",), ("run",), ("work", "jobs"), ("nonsense",), *ABSENT] + [
    tuple(key.split(".")) for key, _, _ in leaves(load("pilot_line").document())
]


@given(path=st.sampled_from(PATHS), cut=st.integers(1, 4), junk=JUNK)
@settings(deadline=None, max_examples=300)
def test_no_document_is_worse_than_a_scenario_error(
    path: tuple[str, ...], cut: int, junk: Any
) -> None:
    document: Any = load("pilot_line").document()
    here = document
    steps = path[:cut]
    for step in steps[:-1]:
        here = here[0] if isinstance(here, list) else here[step]
    if isinstance(here, list):
        here[0] = junk
    else:
        here[steps[-1]] = junk
    try:
        from_document(document)
    except ScenarioError as error:
        assert all(problem.what for problem in error.problems)
