"""Pictures of the mesh: what is drawn is what the frames say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

import twin
from tests.unit.test_twin_mesh import opened
from twin.plots import airtime_share, mesh_map, reach_by_hop
from twin.plots.lines import airtime_line, mesh_line, reach_line
from twin.plots.mesh import USABLE, air_share, hop_shares
from twin.twin import Twin


def axes() -> Axes:
    return Figure(figsize=(8, 5)).add_subplot()


def texts(ax: Axes) -> str:
    legend = ax.get_legend()
    own = [text.get_text() for text in ax.texts]
    return " | ".join(own + ([text.get_text() for text in legend.get_texts()] if legend else []))


@pytest.fixture(scope="module")
def ran() -> Twin:
    far = ("mesh.nodes", [
        {"name": "lamp", "zone": "line", "count": 12},
        {"name": "stray", "zone": "line", "count": 2, "channel": 9},
    ])  # fmt: skip
    return opened(far).run("5 min", progress=False)


def drawn_links(ax: Axes) -> LineCollection:
    (found,) = [item for item in ax.collections if isinstance(item, LineCollection)]
    return found


def test_the_map_shows_nodes_links_and_who_is_cut_off(ran: Twin) -> None:
    ax, nodes, links = axes(), ran.nodes(), ran.links()
    mesh_map(ax, nodes, links)
    usable = links[links["reception"] >= USABLE]
    pairs = {frozenset(pair) for pair in usable[["start", "end"]].to_numpy().tolist()}
    shown = drawn_links(ax)
    assert len(shown.get_segments()) == len(pairs)
    best = usable.groupby(
        [usable[["start", "end"]].min(axis=1), usable[["start", "end"]].max(axis=1)]
    )
    assert sorted(shown.get_array()) == sorted(best["link_quality"].min())
    points = {line.get_gid(): len(line.get_xdata()) for line in ax.lines}
    assert points == {"nodes": 12, "bridges": 1, "reached by no bridge": 2}
    assert "stray-001" in texts(ax)
    assert "2 reached by no bridge" in texts(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x [m]", "y [m]")


def test_the_map_without_places_says_so() -> None:
    t = twin.open("measured_mesh")
    maps = [axes(), axes()]
    for ax in maps:
        mesh_map(ax, t.nodes(), t.links())
    assert "no places are known" in maps[0].get_xlabel()
    one, again = (drawn_links(ax).get_segments() for ax in maps)
    assert np.allclose(np.array(one), np.array(again))


def test_the_map_of_next_to_nothing() -> None:
    for change in (("mesh.nodes", []), ("mesh.radio.transmit_power", "-100 dBm")):
        t, ax = opened(change), axes()
        mesh_map(ax, t.nodes(), t.links())
        assert "0 links" in texts(ax)
    empty, ax = twin.open("quiet_line"), axes()
    mesh_map(ax, empty.nodes(), empty.links())
    assert "no mesh" in texts(ax)


def test_a_large_map_draws_the_best_links_of_each_node() -> None:
    count = 500
    nodes = pd.DataFrame({
        "node": [f"n{n}" for n in range(count)], "is_bridge": False, "cut_off": "", "hops": 1,
        "x_m": np.arange(count) % 25, "y_m": np.arange(count) // 25,
    })  # fmt: skip
    a, b = np.triu_indices(count, 1)
    keep = (b - a) < 40
    links = pd.DataFrame({
        "start": nodes["node"].to_numpy()[a[keep]], "end": nodes["node"].to_numpy()[b[keep]],
        "link_quality": 40 + (b - a)[keep], "reception": 1.0,
    })  # fmt: skip
    ax = axes()
    mesh_map(ax, nodes, links)
    assert len(drawn_links(ax).get_segments()) < len(links) / 2
    assert "the best 12 of each node" in texts(ax)


def test_reach_by_hop_counts_who_heard_when(ran: Twin) -> None:
    events, messages = ran.mesh_events("heard"), ran.messages()
    shares = hop_shares(events, messages)
    assert shares.sum() == pytest.approx(messages["reach"].mean())
    one = hop_shares(events, messages, message=0)
    assert one.sum() == pytest.approx(messages.loc[0, "reach"])
    ax = axes()
    reach_by_hop(ax, events, messages)
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == pytest.approx((100 * shares).tolist())
    assert ax.lines[0].get_ydata().tolist() == pytest.approx((100 * shares.cumsum()).tolist())
    nobody = axes()
    reach_by_hop(nobody, events, messages, message=99)
    assert "no message 99" in texts(nobody)


def test_answers_are_not_counted_as_messages() -> None:
    t = opened(("mesh.multicasts", []))
    t.multicast(reply_bytes=5)
    t.run("5 s", progress=False)
    shares = hop_shares(t.mesh_events("heard"), t.messages())
    assert len(t.messages()) > 1
    assert shares.sum() == pytest.approx(t.messages().loc[0, "reach"])


def test_airtime_is_a_share_of_the_time(ran: Twin) -> None:
    nodes = ran.nodes()
    shares = air_share(nodes, ran.now_us)
    assert shares.max() == pytest.approx(ran.kpis()["mesh_airtime_max"].iloc[0])
    ax = axes()
    airtime_share(ax, nodes, ran.now_us)
    assert "mean" in texts(ax)
    assert "max" in texts(ax)
    silent = axes()
    airtime_share(silent, nodes.assign(air_us=0, heard_air_us=0), ran.now_us)
    assert "nothing was sent" in texts(silent)


def test_the_lines_under_the_pictures(ran: Twin) -> None:
    nodes, links, messages = ran.nodes(), ran.links(), ran.messages()
    line = mesh_line(nodes, links)
    assert "15 nodes" in line
    assert "2 cut off: stray-001, stray-002." in line
    reach = reach_line(hop_shares(ran.mesh_events("heard"), messages), messages)
    assert reach.startswith("5 messages; heard by ")
    assert "where it is most" in airtime_line(air_share(nodes, ran.now_us))
    assert reach_line(np.zeros(1), messages.iloc[:0]) == "No message was sent."
    assert airtime_line(np.zeros(3)) == "Nothing was sent."
