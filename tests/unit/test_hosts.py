"""Hosts behind bridges: the serial line, surveys, polls, upgrades."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import twin
from twin.cli import app
from twin.errors import ImageError, RunError
from twin.scenario import Scenario, load, vary
from twin.world.hosts.line import Line

SCENARIO = """
extends = "measured_mesh"
name = "hosts"
question = "What do hosts do?"

[run]
horizon = "2 h"

[mesh]
multicasts = []
"""


@pytest.fixture(name="scenario", scope="module")
def _scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """The measured mesh of fifty nodes, on which nobody sends anything yet."""
    path = tmp_path_factory.mktemp("hosts") / "hosts.toml"
    path.write_text(SCENARIO)
    return load(path)


def opened(scenario: Scenario, engine: str = "compiled", **changes: str | int) -> twin.Twin:
    for key, value in changes.items():
        scenario = vary(scenario, f"mesh.{key}", value)
    return twin.open(scenario, engine=engine)


def test_a_line_passes_one_packet_after_the_other() -> None:
    """38,400 baud, ten bits a byte: 96 bytes take 25 ms."""
    line = Line(baud=38_400, framing_bytes=8, packets=2)
    assert line.pass_us(88, 0) == 25_000
    assert line.pass_us(88, 1000) == 50_000
    assert line.pass_us(88, 2000) is None  # two are there
    assert line.lost == 1
    assert line.pass_us(88, 25_000) == 75_000
    assert line.pass_us(88, 100_000) == 125_000


@pytest.mark.parametrize("generation", ["A", "B", "C"])
def test_a_survey_finds_links_that_there_are(scenario: Scenario, generation: str) -> None:
    t = opened(scenario).run("1 s")
    number = t.survey(generation)
    t.run("30 min")
    line = t.surveys().loc[number]
    assert line["status"] == "done"
    found, known = t.survey_links(number), t.links()
    assert len(found) == line["links"] > 0
    both = found.merge(known, on=["start", "end"], suffixes=("", "_known"))
    assert len(both) == len(found)
    assert (both["link_quality"] == both["link_quality_known"]).all()


def test_generation_a_takes_a_window_a_node_and_finds_most_usable_links(
    scenario: Scenario,
) -> None:
    t = opened(scenario).run("1 s")
    t.survey("A")
    t.run("30 min")
    line = t.surveys().iloc[0]
    settings = scenario.mesh.survey
    each_us = settings.window_us + settings.margin_us
    assert line["minutes"] * 60e6 == line["commands"] * each_us
    usable = t.links()[t.links()["reception"] > 0.9]
    found = t.survey_links().merge(usable, on=["start", "end"])
    assert len(found) > 0.7 * len(usable)


def test_who_is_out_of_reach_fails_with_no_route(scenario: Scenario) -> None:
    t = opened(scenario, **{"routing.most_hops": 1, "routing.host_first_hops": 1})
    far = t.nodes().query("hops == 3")["node"].iloc[0]
    t.upgrade(t.make_image("blink", 690), devices=[far])
    t.run("1 h")
    device = t.upgraded().iloc[0]
    assert (device["outcome"], device["reason"]) == ("failure", "no_route")
    tries = scenario.mesh.upgrade.attempts
    assert device["done_us"] == pytest.approx(tries * 3.5e6, abs=tries * 20_000)


@pytest.mark.parametrize("transport", ["unicast", "multicast"])
def test_an_upgrade_reaches_who_is_in_reach(scenario: Scenario, transport: str) -> None:
    t = opened(scenario)
    t.upgrade(t.make_image("blink", 690), transport=transport)
    t.run("1 h")
    devices, in_reach = t.upgraded().set_index("device"), t.nodes().set_index("node")
    assert t.upgrades().iloc[0]["status"] == "done"
    succeeded = devices["outcome"] == "success"
    hops = in_reach.loc[devices.index, "hops"]
    assert succeeded[hops == 1].all()
    assert not succeeded[hops < 0].any()
    assert (devices.loc[succeeded, "received_bytes"] == 690).all()
    ok = devices[succeeded]
    assert (ok["first_us"] > 0).all()
    assert (ok["first_us"] <= ok["last_us"]).all()
    assert (ok["last_us"] < ok["done_us"]).all()
    assert devices.loc[~succeeded, "reason"].isin({"no_route", "no_ack", "timeout"}).all()


def test_one_device_a_hop_away_takes_about_three_seconds(scenario: Scenario) -> None:
    """As the vendor's upload of blink to a bridge's neighbour (snapconnect-spy-upload)."""
    t = opened(scenario)
    near = t.nodes().query("hops == 1")["node"].iloc[0]
    t.upgrade(t.make_image("blink", 690), devices=[near])
    t.run("10 min")
    assert 2e6 < t.upgraded().iloc[0]["done_us"] < 6e6


def test_the_watchdog_ends_an_attempt_and_the_next_goes_on_where_it_stood(
    scenario: Scenario,
) -> None:
    def ran(watchdog: str) -> pd.Series:
        t = opened(scenario, **{"upgrade.watchdog": watchdog})
        device = t.links().sort_values("reception").query("start == '0'")["end"].iloc[-1]
        t.upgrade(t.make_image("long", 6400), devices=[device], transport="unicast")
        t.run("3 min")
        return t.upgraded().iloc[0]

    calm, hurried, strict = ran("100 s"), ran("3 s"), ran("1 s")
    assert (calm["outcome"], calm["retries"]) == ("success", 0)
    assert calm["done_us"] > 4_000_000  # more than one of 3 s
    assert (hurried["outcome"], hurried["retries"]) == ("success", 2)
    assert hurried["received_bytes"] == calm["received_bytes"]
    assert tuple(strict[["outcome", "reason", "retries"]]) == ("failure", "watchdog", 3)
    assert 0 < strict["received_bytes"] < calm["received_bytes"]
    assert strict["done_us"] <= 3_000_000


def test_firmware_goes_first_and_old_firmware_may_fail(scenario: Scenario) -> None:
    image = twin.Twin.make_image("blink", 690)
    near = opened(scenario).nodes().query("hops == 1")["node"].tolist()[:2]
    t = opened(scenario)
    t.upgrade(image, firmware="2.8.2", devices=near)
    t.run("2 h")
    assert (t.upgraded()["outcome"] == "success").all()
    assert (t.upgraded()["received_bytes"] == 64_000 + 690).all()
    t = opened(scenario, **{"upgrade.defects": "100 %"})
    t.upgrade(image, firmware="2.8.2", devices=near[:1])
    t.run("2 h")
    assert t.upgraded().iloc[0][["outcome", "reason"]].tolist() == ["failure", "write_error"]


def test_a_low_supply_refuses_to_write(scenario: Scenario) -> None:
    for transport in ("unicast", "multicast"):
        t = opened(scenario, **{"upgrade.low_voltage": "100 %"})
        near = t.nodes().query("hops == 1")["node"].tolist()
        t.upgrade(t.make_image("blink", 690), devices=near, transport=transport)
        t.run("30 min")
        assert set(t.upgraded()["reason"]) == {"write_refused"}


def test_an_upgrade_is_cancelled(scenario: Scenario) -> None:
    t = opened(scenario)
    number = t.upgrade(t.make_image("blink", 690), transport="unicast")
    t.run("10 s")
    t.cancel_upgrade(number)
    t.run("10 min")
    assert t.upgrades().iloc[0]["status"] == "cancelled"
    assert {"success", "cancelled"} >= set(t.upgraded()["outcome"]) >= {"cancelled"}
    with pytest.raises(RunError, match="cancelled already"):
        t.cancel_upgrade(number)
    t.upgrade(t.make_image("blink", 690), transport="multicast")  # nobody is busy any more
    t.run("20 min")
    assert t.upgrades().iloc[1]["status"] == "done"


def polling(path: Path, **facts: object) -> Scenario:
    """The same mesh with a collector."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"every": "2 min", **facts}.items()]
    file = path / "polling.toml"
    file.write_text("\n".join([SCENARIO, "[[mesh.collectors]]", 'name = "meter"', *lines]))
    return load(file)


def test_devices_answer_one_after_the_other_and_congest_all_at_once(tmp_path: Path) -> None:
    shares = {}
    for name, facts in {
        "unicast": {},
        "at once": {"transport": "multicast"},
        "staggered": {"transport": "multicast", "window": "20 s"},
    }.items():
        t = opened(polling(tmp_path, **facts)).run("20 min")
        polls = t.collections().query("took_us >= 0")
        assert (polls["answered"] + polls["failed"] == polls["devices"]).all()
        shares[name] = polls["success"].mean()
    assert shares["at once"] < 0.8 * shares["staggered"]
    assert shares["staggered"] < shares["unicast"]


def test_who_lost_its_script_does_not_answer_polls(scenario: Scenario, tmp_path: Path) -> None:
    near = opened(scenario).nodes().query("hops == 1")["node"].tolist()[:1]
    t = opened(polling(tmp_path, devices=near, every="1 min"))
    t.upgrade(t.make_image("long", 20_000), devices=near, transport="unicast")
    t.run("2 s")
    t.cancel_upgrade()
    t.run("10 min")
    assert (t.collections()["success"].iloc[1:] == 0).all()


@pytest.mark.parametrize("cut", ["7 s", "1 min"])
def test_slices_and_engines_make_no_difference(tmp_path: Path, cut: str) -> None:
    def ran(engine: str, *slices: str) -> list[pd.DataFrame]:
        t = opened(polling(tmp_path), engine)
        t.survey("A")
        t.upgrade(t.make_image("blink", 690), devices=t.nodes()["node"].tolist()[1:20])
        for piece in slices:
            t.run(piece)
        t.run(until=t.start + pd.Timedelta("6 min"))
        return [t.upgraded(), t.collections(), t.survey_links(), t.mesh_events()]

    whole = ran("compiled")
    for other in (ran("compiled", cut, cut, cut), ran("reference")):
        for mine, theirs in zip(whole, other, strict=True):
            pd.testing.assert_frame_equal(mine, theirs)


def test_what_was_asked_comes_back_with_the_file(scenario: Scenario, tmp_path: Path) -> None:
    t = opened(scenario)
    t.survey("C")
    t.upgrade(t.make_image("blink", 690), transport="multicast")
    t.run("5 min")
    t.save(tmp_path / "t.sqlite")
    again = twin.open(tmp_path / "t.sqlite")
    pd.testing.assert_frame_equal(t.upgraded(), again.upgraded())
    pd.testing.assert_frame_equal(t.survey_links(), again.survey_links())


def test_wrong_wishes_are_refused(scenario: Scenario) -> None:
    t = opened(scenario)
    image = t.make_image("blink", 690)
    for wrong, match in (
        (lambda: t.survey("D"), 'generation "A", "B" or "C"'),
        (t.upgrade, "brings an image or firmware"),
        (lambda: t.upgrade(image, devices=["nobody"]), "no node of the mesh is called 'nobody'"),
        (lambda: t.upgrade(image, transport="pigeon"), '"auto", "unicast" or "multicast"'),
        (lambda: t.cancel_upgrade(3), "there is no upgrade 3"),
        (lambda: t.upgraded(0), "there is no upgrade 0"),
        (t.survey_links, "there is no survey"),
    ):
        with pytest.raises(RunError, match=match):
            wrong()
    with pytest.raises(ImageError):
        t.upgrade(image[:-1])
    with pytest.raises(ImageError, match=r"2\.8\.2"):
        t.upgrade(image, firmware="9.9")
    t.upgrade(image)
    with pytest.raises(RunError, match="is being upgraded already"):
        t.upgrade(image)
    with pytest.raises(RunError, match="no mesh"):
        twin.open("pilot_line").survey()


def test_key_figures_show_what_hosts_did(tmp_path: Path) -> None:
    t = opened(polling(tmp_path))
    assert "survey_minutes" not in t.kpis()
    t.survey("C")
    t.upgrade(t.make_image("blink", 690), devices=t.nodes().query("hops == 1")["node"].tolist())
    t.run("20 min")
    kpis = t.kpis().iloc[0]
    assert 0 < kpis["upgrade_t50_min"] <= kpis["upgrade_t95_min"] <= kpis["upgrade_t100_min"] < 20
    assert kpis["upgrade_failed"] == 0
    assert 0 < kpis["collector_success"] <= 1
    assert kpis["survey_minutes"] > 0
    assert {"upgrade_t50_min", "survey_links"} <= set(t.kpi_table()["name"])


def call(*words: str) -> tuple[int, str, str]:
    """Give status, stdout and stderr of a command."""
    found = CliRunner().invoke(app, list(words))
    return found.exit_code, found.stdout, found.stderr


def test_the_command_upgrades_and_writes_who_got_it(tmp_path: Path) -> None:
    spy, out = tmp_path / "blink.spy", tmp_path / "devices.csv"
    spy.write_bytes(twin.Twin.make_image("blink", 690))
    words = "upgrade", "measured_mesh", "--image", str(spy), "--transport", "multicast"
    status, said, _ = call(*words, "--out", str(out))
    assert status == 0
    devices = pd.read_csv(out)
    succeeded = (devices["outcome"] == "success").sum()
    assert f"{succeeded} of 49 devices run the image, by multicast" in said
    assert succeeded > 30
    for why, n in devices["reason"].dropna().value_counts().items():
        assert f"failed: {why}" in said
        assert f"{n}\n" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("measured_mesh", "--image", "missing.spy"), "missing.spy: cannot be read"),
        (("measured_mesh", "--image", "x", "--devices", "nobody"), "is called 'nobody'"),
        (("pilot_line", "--image", "x"), "no mesh"),
        (("measured_mesh", "--image", "x", "--size", "60000"), "1 to 59904 B"),
    ],
)
def test_the_command_refuses(words: tuple[str, ...], told: str) -> None:
    status, _, error = call("upgrade", *words)
    assert status == 2
    assert told in error


def test_who_is_not_meant_keeps_still(scenario: Scenario) -> None:
    """Only the devices of an upgrade by multicast say what they miss and what they run."""
    t = opened(scenario)
    near = t.nodes().query("hops == 1")["node"].tolist()
    t.upgrade(t.make_image("blink", 690), devices=near, transport="multicast")
    t.run("20 min")
    assert (t.upgraded()["outcome"] == "success").all()
    assert (t.upgraded()["received_bytes"] == 690).all()
    answers = t.messages().query("kind == 'unicast' and source != '0'")
    assert set(answers["source"]) <= set(near)


@pytest.mark.parametrize("transport", ["unicast", "multicast"])
def test_who_loses_power_is_without_script_and_begins_anew(tmp_path: Path, transport: str) -> None:
    near = opened(polling(tmp_path)).nodes().query("hops == 1")["node"].tolist()[:3]
    t = opened(polling(tmp_path, devices=near, every="20 s"))
    t.upgrade(t.make_image("long", 20_000), devices=near, transport=transport)
    t.run("12 s")
    t.cut_power(near[0], "3 s" if transport == "unicast" else "20 s")
    t.run("1 min")
    first = t.collections().query("began_us == 20_000_000").iloc[0]
    # By unicast the others wait for their turn, and run what they ran.
    assert first["answered"] == (2 if transport == "unicast" else 0)
    t.run("30 min")
    assert (t.upgraded()["outcome"] == "success").all()
    assert (t.upgraded()["received_bytes"] == 20_000).all()
    assert t.collections()["success"].iloc[-1] == 1.0
    heard = t.mesh_events("heard").query("node == @near[0]")["time_us"]
    assert not heard.between(12_000_000, 14_999_999).any()
    with pytest.raises(RunError, match="is called 'nobody'"):
        t.cut_power(["nobody"])
    with pytest.raises(RunError, match="lasts longer"):
        t.cut_power(near, "0 s")
