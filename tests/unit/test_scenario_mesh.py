"""The mesh section: what is refused, what is read from files of measured links, what is odd."""

import json
from pathlib import Path

import pytest

import twin
from twin.errors import ScenarioError
from twin.scenario import ANY_CHANNEL, Scenario, assumptions, from_document, warnings

MESH = """
extends = "pilot_line"
name = "small"

[[mesh.bridges]]
name = "bridge"
x = "5 m"
y = "5 m"

[[mesh.nodes]]
name = "lamp"
zone = "line"
count = 3

[[mesh.multicasts]]
name = "hello"
source = "bridge"
every = "1 min"
"""
MEASURED = """
extends = "pilot_line"
name = "measured"

[mesh.measured]
file = "{file}"

[[mesh.bridges]]
name = "{bridge}"
"""


def load(folder: Path, text: str) -> Scenario:
    (folder / "own.toml").write_text(text)
    return twin.load(folder / "own.toml")


def said(folder: Path, text: str) -> str:
    with pytest.raises(ScenarioError) as error:
        load(folder, text)
    return str(error.value)


def with_links(folder: Path, name: str, text: str, bridge: str = "a") -> Scenario:
    (folder / name).write_text(text)
    return load(folder, MEASURED.format(file=name, bridge=bridge))


def refused(folder: Path, name: str, text: str) -> str:
    with pytest.raises(ScenarioError) as error:
        with_links(folder, name, text)
    return str(error.value)


def test_names_and_defaults(tmp_path: Path) -> None:
    mesh = load(tmp_path, MESH).mesh
    assert mesh.node_names == ("bridge", "lamp-001", "lamp-002", "lamp-003")
    assert mesh.named("lamp") == ("lamp-001", "lamp-002", "lamp-003")
    assert mesh.named("bridge") == ("bridge",)
    assert (mesh.channel, mesh.network_id) == (4, "0x1C2C")
    assert (mesh.mac.carrier_sense, mesh.mac.jitter) == (False, True)
    assert mesh.exists
    assert not twin.load("pilot_line").mesh.exists


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("mesh.channel", 16, "at most 15"),
        ("mesh.network_id", "1C2C", "four hexadecimal digits"),
        ("mesh.encryption_key", "short", "exactly 16 characters"),
        ("mesh.encryption", "aes-128", "a key is due"),
        ("mesh.nodes.lamp.zone", "lime", "did you mean line?"),
        ("mesh.nodes.lamp.count", 1001, "one for each 1,000 nodes: 2"),
        ("mesh.nodes.lamp.placement", "heap", "grid"),
        ("mesh.bridges", [], "one for each 1,000 nodes: 1"),
        ("mesh.bridges.bridge.x", "31 m", "at most 30 m"),
        ("mesh.bridges.bridge.name", "lamp-002", "a name is used twice"),
        ("mesh.multicasts.hello.source", "brigde", "did you mean bridge?"),
        ("mesh.multicasts.hello.to", ["lump"], "did you mean lamp"),
        ("mesh.multicasts.hello.ttl", 0, "at least 1"),
        ("mesh.multicasts.hello.payload_bytes", 112, "at most 111"),
        ("mesh.multicasts.hello.reply_bytes", 109, "at most 108"),
        ("mesh.multicasts.hello.every", "0 s", "above 0 s"),
        ("mesh.radio.cliff_width", "0 dB", "above 0 dB"),
        ("mesh.radio.path_loss_exponent", 0.5, "at least 1"),
        ("mesh.mac.packet_bytes", 124, "together at most 127"),
        ("mesh.mac.header_bytes", 127, "at most packet_bytes"),
    ],
)
def test_what_is_refused(tmp_path: Path, key: str, value: object, what: str) -> None:
    with pytest.raises(ScenarioError) as error:
        twin.vary(load(tmp_path, MESH), key, value)
    assert what in str(error.value)


def test_named_nodes_take_room_in_the_packet(tmp_path: Path) -> None:
    crowd = twin.vary(load(tmp_path, MESH), "mesh.nodes.lamp.count", 40)
    with pytest.raises(ScenarioError, match="for 40 named nodes"):
        twin.vary(crowd, "mesh.multicasts.hello.to", ["lamp"])


def test_a_bridge_stands_somewhere(tmp_path: Path) -> None:
    assert "both x and y" in said(tmp_path, MESH.replace('x = "5 m"\n', ""))
    without = MESH.replace('x = "5 m"\n', "").replace('y = "5 m"\n', "")
    assert "x and y in the site" in said(tmp_path, without)


def test_a_slip_in_a_key_names_the_nearest(tmp_path: Path) -> None:
    assert "ttl?" in said(tmp_path, MESH + "tll = 2\n")


def test_links_from_csv(tmp_path: Path) -> None:
    text = "start,end,link_quality,reception\na,b,71,0.5\nb,a,68,\n"
    assert "line 3, reception" in refused(tmp_path, "x.csv", text)
    mesh = with_links(tmp_path, "x.csv", text.replace("68,\n", "68,1\n")).mesh
    assert mesh.measured is not None
    assert mesh.node_names == ("a", "b")
    assert mesh.measured.levels_dbm == (-71.0, -68.0)
    assert mesh.measured.receptions == (0.5, 1.0)
    assert mesh.measured.channels == (ANY_CHANNEL, ANY_CHANNEL)


def test_links_from_the_topology_of_the_api(tmp_path: Path) -> None:
    link = {"start": "a", "end": "5D32A1", "linkQuality": 71}
    mesh = with_links(tmp_path, "x.json", json.dumps({"links": [link]})).mesh
    assert mesh.measured is not None
    assert (mesh.measured.levels_dbm, mesh.measured.receptions) == ((-71.0,), (-1.0,))


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("x.csv", "", "a column is missing"),
        ("x.csv", "start,end\na,b\n", "rssi_dbm, link_quality"),
        ("x.csv", "start,end,link_quality\n", "no link in it"),
        ("x.csv", "start,end,link_quality\na,b,128\n", "line 2, link_quality: out of range"),
        ("x.csv", "start,end,link_quality\na,b,loud\n", "given:   loud"),
        ("x.csv", "start,end,link_quality\na,b\n", "(empty)"),
        ("x.csv", "start,end,rssi_dbm\n,b,-70\n", "a name is due"),
        ("x.csv", "start,end,rssi_dbm\na,a,-70\n", "a link of a node to itself"),
        ("x.csv", "start,end,rssi_dbm\na,b,-70\na,b,-71\n", "a link is given twice"),
        ("x.csv", "src,dst,rssi_dbm,channel\na,b,-70,10\n", "11 to 26"),
        ("x.csv", "src,dst,rssi_dbm,channel\na,b,-70,11.5\n", "a whole number"),
        ("x.json", "[", "no topology"),
        ("x.json", '{"links": [{"start": "a"}]}', "no topology"),
        ("x.json", '{"links": [{"start": "a", "end": "b", "linkQuality": -1}]}', "links.0"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, text: str, what: str) -> None:
    found = refused(tmp_path, name, text)
    assert what in found
    assert name in found


def test_all_bad_rows_are_told_at_once(tmp_path: Path) -> None:
    text = "start,end,rssi_dbm\na,b,1e9\nb,c,-70\nc,,-70\n"
    found = refused(tmp_path, "x.csv", text)
    assert "line 2" in found
    assert "line 4" in found


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "nowhere.csv" in said(tmp_path, MEASURED.format(file="nowhere.csv", bridge="a"))
    assert "not a path" in said(tmp_path, MEASURED.format(file="x", bridge="a").replace('"x"', "3"))


def test_the_bridge_is_one_of_the_measured_nodes(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such node among the measured"):
        with_links(tmp_path, "x.csv", "start,end,rssi_dbm\na,b,-70\n", bridge="c")


def test_measured_links_travel_in_the_document(tmp_path: Path) -> None:
    scenario = twin.load("measured_mesh")
    again = from_document(json.loads(json.dumps(scenario.document())))
    assert again.digest == scenario.digest
    assert twin.vary(scenario, "mesh.channel", 1).digest != scenario.digest
    assert scenario.mesh.node_count == 50


def test_what_is_odd(tmp_path: Path) -> None:
    scenario = load(tmp_path, MESH)
    assert not [text for text in warnings(scenario) if "mesh" in text]
    under_wifi = warnings(twin.vary(scenario, "mesh.channel", 1))
    assert any("lies under Wi-Fi" in text for text in under_wifi)
    deaf = warnings(twin.vary(scenario, "mesh.bridges.bridge.forward_groups", 2))
    assert any("never goes out" in text for text in deaf)
    silent = warnings(twin.vary(scenario, "mesh.multicasts", []))
    assert any("Twin.multicast" in text for text in silent)
    assert warnings(twin.load("measured_mesh")) == ()


def test_a_result_rests_on_the_mesh_only_where_there_is_one(tmp_path: Path) -> None:
    with_mesh = {item.key for item in assumptions(load(tmp_path, MESH))}
    without = {item.key for item in assumptions(twin.load("pilot_line"))}
    assert "mesh.radio.cliff" in with_mesh
    assert not [key for key in without if key.startswith("mesh.")]
