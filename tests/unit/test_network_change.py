"""Networks change over the air: who hears of it goes along, who does not is stranded."""

from pathlib import Path

import pandas as pd
import pytest

import twin
from tests.band import run as run_band
from tests.band import site as band_site
from tests.band import upgrade
from twin.errors import RunError, ScenarioError
from twin.scenario import Scenario, load, vary
from twin.twin import Twin
from twin.units import parse_duration

SCENARIO = """
extends = "measured_mesh"
name = "changing"
question = "Who goes along?"

[run]
horizon = "1 h"

[mesh]
channel = 4
multicasts = []
"""
TOLD = "3 s"  # all settings were said, nobody restarted yet


@pytest.fixture(name="scenario", scope="module")
def _scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    path = tmp_path_factory.mktemp("changing") / "changing.toml"
    path.write_text(SCENARIO)
    return load(path)


def channels(t: Twin) -> dict[str, int]:
    frame = t.nodes()
    return dict(zip(frame["node"], frame["channel"].tolist(), strict=True))


def near(t: Twin) -> list[str]:
    """The nodes that hear the bridge itself, the best first."""
    links = t.links().query("start == @t.nodes().node[0] and reception > 0.9")
    return links.sort_values("reception", ascending=False)["end"].tolist()


def test_who_is_in_reach_goes_along_and_the_bridge_last(scenario: Scenario) -> None:
    t = twin.open(scenario)
    bridge, expected = scenario.mesh.bridges[0].name, near(t)
    number = t.change_network(channel=9)
    t.run("6.5 s")  # told in 3 s, then told to restart in 3 s, up again in a quarter
    found = channels(t)
    assert found[bridge] == 4
    gone = {node for node, channel in found.items() if channel == 9}
    assert gone >= set(expected)
    assert (t.network_changed()["outcome"] == "pending").all()
    t.run("2 s")
    assert channels(t)[bridge] == 9
    line = t.network_changes().loc[number]
    assert (line["status"], line["channel"], line["nodes"]) == ("done", 9, 49)
    changed = t.network_changed().set_index("node")
    assert set(changed.index[changed["outcome"] == "changed"]) == gone
    assert (line["changed"], line["stranded"]) == (len(gone), 49 - len(gone))
    t.survey("A")  # they are a mesh again
    t.run("10 min")
    assert len(t.survey_links()) > len(gone)


def test_who_misses_the_settings_or_the_restart_is_stranded(scenario: Scenario) -> None:
    t = twin.open(scenario)
    deaf, late, early = near(t)[:3]
    t.cut_power([deaf], "20 s")
    t.change_network(network_id="0x3AB3")
    t.run(TOLD)
    t.cut_power([early], "100 ms")  # restarts with what it has heard, before all others
    t.run("200 ms")
    assert t.nodes().set_index("node").loc[early, "network_id"] == "0x3AB3"
    t.cut_power([late], "10 s")
    t.run("7 s")
    changed = t.network_changed().set_index("node")
    assert tuple(changed.loc[deaf]) == ("stranded", "missed the settings", -1)
    assert tuple(changed.loc[late, ["outcome", "reason"]]) == ("stranded", "missed the restart")
    assert changed.loc[early, "outcome"] == "changed"
    assert t.kpis()["network_stranded"].iloc[0] == (changed["outcome"] == "stranded").sum() >= 2
    t.run("30 s")  # power is back: who had heard the settings takes them now
    ids = t.nodes().set_index("node")["network_id"]
    assert (ids[deaf], ids[late]) == ("0x1C2C", "0x3AB3")
    assert "network id 0x1C2C, not 0x3AB3" in t.nodes().set_index("node").loc[deaf, "cut_off"]


def test_back_again_the_stranded_are_found_and_the_others_come_along(scenario: Scenario) -> None:
    t = twin.open(scenario)
    stranded = near(t)[0]
    t.cut_power([stranded], "20 s")
    t.change_network(channel=9)
    t.run("30 s")
    assert channels(t)[stranded] == 4
    t.change_network(channel=4)
    t.run("30 s")
    found = channels(t)
    assert all(found[node] == 4 for node in near(t))
    assert t.upgrade(t.make_image("again", 640), devices=[stranded]) == 0
    t.run("2 min")
    assert t.upgraded()["outcome"].tolist() == ["success"]


def test_what_is_planned_later_begins_with_what_came_before(tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text(f"""{SCENARIO}
[[mesh.changes]]
name = "channel"
channel = 9

[[mesh.changes]]
name = "id"
after = "1 min"
network_id = "0x3AB3"
""")
    t = twin.open(load(tmp_path / "two.toml")).run("2 min")
    bridge = t.nodes().iloc[0]
    assert (bridge["channel"], bridge["network_id"]) == (9, "0x3AB3")
    first, second = t.network_changes().itertuples()
    assert (second.channel, second.nodes) == (9, first.changed)
    assert second.changed > 30


def test_a_bridge_that_does_not_forward_leaves_all_behind(scenario: Scenario) -> None:
    name = scenario.mesh.bridges[0].name
    t = twin.open(vary(scenario, f"mesh.bridges.{name}.forward_groups", 0))
    t.change_network(channel=9)
    t.run("30 s")
    found = channels(t)
    assert found.pop(name) == 9
    assert set(found.values()) == {4}
    assert (t.network_changed()["reason"] == "missed the settings").all()


def test_a_key_changes_and_who_has_the_old_one_is_not_understood(scenario: Scenario) -> None:
    t = twin.open(scenario)
    deaf = near(t)[0]
    t.cut_power([deaf], "20 s")
    t.change_network(encryption="aes-128", encryption_key="aaaabbbbccccdddd")
    t.run("30 s")
    cut = t.nodes().set_index("node").loc[deaf, "cut_off"]
    assert "encryption none, not aes-128" in cut
    assert t.mesh.degree(deaf) == 0


@pytest.mark.parametrize("cut", ["12 s", "700 ms"])
def test_engines_and_slices_make_no_difference(tmp_path: Path, cut: str) -> None:
    (tmp_path / "busy.toml").write_text(
        SCENARIO.replace("multicasts = []", "")
        + """
[[mesh.multicasts]]
name = "busy"
source = "1"
every = "30 ms"
ttl = 5

[[mesh.changes]]
name = "move"
after = "2 s"
channel = 9
"""
    )
    scenario = load(tmp_path / "busy.toml")
    whole = twin.open(scenario, engine="reference").run("12 s")
    other = twin.open(scenario)
    for _ in range(12_000_000 // parse_duration(cut)):
        other.run(cut)
    other.run(until=other.start + pd.Timedelta("12 s"))
    assert whole.mesh_rows().tobytes() == other.mesh_rows().tobytes()
    assert whole.network_changed().equals(other.network_changed())
    assert whole.kpis().equals(other.kpis())
    reach = whole.messages()["reach"]
    assert 0.5 < reach.max() < 1.05  # the bridge may come while a flood is under way


def test_what_was_changed_comes_back_with_the_file(scenario: Scenario, tmp_path: Path) -> None:
    t = twin.open(scenario)
    t.change_network(channel=9, network_id="0x3AB3")
    t.run("10 s")
    t.save(tmp_path / "changed.sqlite")
    again = twin.open(tmp_path / "changed.sqlite")
    assert again.network_changes().equals(t.network_changes())
    assert again.mesh_rows().tobytes() == t.mesh_rows().tobytes()


def test_networks_of_several_bridges_change_one_by_one() -> None:
    scenario = vary(load("mesh_10k"), "mesh.nodes.lamp-01.count", 30)
    for number in range(2, 11):
        scenario = vary(scenario, f"mesh.nodes.lamp-{number:02d}.count", 10)
    t = twin.open(scenario)
    t.change_network(["bridge-02", "bridge-05"], channel=14)
    assert t.network_changes()["bridges"].tolist() == ["bridge-02", "bridge-05"]
    t.run("10 s")
    moved = t.nodes().query("channel == 14")
    assert set(moved["network_id"]) == {"0x2002", "0x2005"}
    assert t.network_changes()["nodes"].tolist() == [10, 10]


def test_scanners_feel_the_mesh_where_it_went() -> None:
    """On channel 15 a mesh meets one channel of BLE fewer than on channel 0 (2480 MHz)."""
    shares = {}
    for channel in (None, 15):
        t = twin.open(band_site({}, run__horizon="30 min", mesh__multicasts=upgrade(after="0 s")))
        if channel is not None:
            t.change_network(channel=channel)
        t.run(progress=False)
        shares[channel] = float(t.kpis()["ble_taken_mean"].iloc[0])
    there = float(run_band(band_site(
        {}, run__horizon="30 min", mesh__multicasts=upgrade(after="0 s"), mesh__channel=15
    )).kpis()["ble_taken_mean"].iloc[0])  # fmt: skip
    assert shares[15] != pytest.approx(shares[None], rel=0.05)
    assert shares[15] == pytest.approx(there, rel=0.05)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({}, "is that already"),
        ({"channel": 16}, "channel is a whole number from 0 to 15, not 16"),
        ({"channel": True}, "channel is a whole number from 0 to 15"),
        ({"network_id": "3AB3"}, "like \"0x1C2C\", not '3AB3'"),
        ({"feature_bits": -1}, "feature_bits is a whole number"),
        ({"encryption": "AES"}, 'encryption is "none", "aes-128" or "basic"'),
        ({"encryption": "aes-128"}, "encryption is due a key"),
        ({"encryption_key": "short"}, "exactly 16 characters"),
        ({"bridges": ["bridge-1"], "channel": 5}, "no bridge is called 'bridge-1'"),
    ],
)
def test_wrong_changes_are_refused(scenario: Scenario, wish: dict[str, object], told: str) -> None:
    t = twin.open(scenario)
    with pytest.raises(RunError, match=told.replace("(", r"\(")):
        t.change_network(**wish)  # type: ignore[arg-type]
    assert t.network_changes().empty
    with pytest.raises(RunError, match="no change 0"):
        t.network_changed(0)


def test_one_thing_at_a_time(scenario: Scenario) -> None:
    t = twin.open(scenario)
    t.upgrade(t.make_image("first", 640))
    with pytest.raises(RunError, match="an upgrade is under way"):
        t.change_network(channel=5)
    t.cancel_upgrade()
    t.change_network(channel=5)
    with pytest.raises(RunError, match="a change is under way"):
        t.change_network(channel=6)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('[[mesh.changes]]\nname = "m"\nbridges = ["x"]', "mesh.changes.m.bridges: no such bridge"),
        ('[[mesh.changes]]\nname = "m"\nchannel = 16', "mesh.changes.m.channel"),
        ('[[mesh.upgrades]]\nname = "u"\ndevices = ["x"]', "mesh.upgrades.u.devices: no such node"),
        ('[[mesh.upgrades]]\nname = "u"\nfirmware = "9"', "mesh.upgrades.u.firmware: no such"),
        ('[[mesh.upgrades]]\nname = "u"\nsize_bytes = 59905', "u.size_bytes: no node has so much"),
        ('[[mesh.upgrades]]\nname = "u"\nimage = ""', "mesh.upgrades.u: brings nothing"),
        ('[[mesh.collectors]]\nname = "c"\ndevices = ["x"]', "mesh.collectors.c.devices"),
    ],
)
def test_a_typo_in_what_hosts_do_is_found(tmp_path: Path, table: str, told: str) -> None:
    (tmp_path / "typo.toml").write_text(f"{SCENARIO}\n{table}\n")
    with pytest.raises(ScenarioError, match=told):
        load(tmp_path / "typo.toml")


def test_a_change_of_nothing_is_odd(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text(f'{SCENARIO}\n[[mesh.changes]]\nname = "m"\n')
    odd = twin.scenario.warnings(load(tmp_path / "odd.toml"))
    assert any("mesh.changes.m: nothing changes" in line for line in odd)
