"""What was measured or published: the manual's latencies, and floods over fifty measured nodes.

The reach of floods was computed apart from this project, in floating point and with its own chance,
from the same measured receptions: 50 sources, 40 floods each, the source counted among the reached.
The two agree within 0.015.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import twin
from tests.theory import intervals, meshes
from tests.theory.meshes import Offer, S
from twin.mesh.links import make_mesh_plan
from twin.mesh.nodes import make_nodes
from twin.mesh.plan import MeshPlan
from twin.mesh.topology import expected_reach

# --- latency ------------------------------------------------------------------------------


def chain(folder: Path, hops: int) -> Path:
    """A scenario: a bridge at the end of a chain of perfect links, defaults for all else."""
    links = [link for a, b in pairwise(range(hops + 1)) for link in ((a, b), (b, a))]
    lines = [f"{a},{b},-60,1" for a, b in links]
    (folder / "chain.csv").write_text("\n".join(["start,end,rssi_dbm,reception", *lines]))
    file = folder / "chain.toml"
    file.write_text(f"""
        extends = "quiet_line"
        name = "chain"
        [run]
        horizon = "20 min"
        [mesh.measured]
        file = "chain.csv"
        [[mesh.bridges]]
        name = "0"
        [[mesh.multicasts]]
        name = "short call"
        source = "0"
        every = "1 s"
        ttl = {hops}
    """)
    return file


def latencies_ms(folder: Path, hops: int) -> pd.DataFrame:
    """How long messages took to each hop, a line for each message."""
    opened = twin.open(chain(folder, hops), seed=1).run(progress=False)
    heard = opened.mesh_events("heard").set_index("message")
    heard["late_ms"] = (heard["time_us"] - opened.messages()["made_us"]) / 1000
    return heard.pivot_table(index="message", columns="hops", values="late_ms")


def test_a_multicast_of_one_hop_takes_four_milliseconds(tmp_path: Path) -> None:
    # SNAP Reference Manual 2.4, p. 126.
    found = intervals.mean(latencies_ms(tmp_path, 1)[1])
    assert 3.5 < found.low < found.high < 4.5
    assert (6 + 36) * 0.032 + 7.5 * 0.320 in found  # on the air, and in the middle 7.5 slots before


def test_every_further_hop_takes_more_than_twenty(tmp_path: Path) -> None:
    # SNAP Reference Manual 2.4, p. 126; what is more than 20 ms is up to 20 ms (User Manual 2.5).
    late = latencies_ms(tmp_path, 5)
    steps = late.diff(axis=1).iloc[:, 1:].to_numpy()
    assert steps.shape == (1200, 4)
    air_ms = (6 + 36) * 0.032
    assert steps.min() > 20 + air_ms - 0.001
    assert steps.max() <= 20 + 20 + air_ms + 0.001
    middle = intervals.mean(steps.ravel())
    assert 20 + 10 + air_ms in middle
    assert 20 + air_ms not in middle


# --- fifty measured nodes -----------------------------------------------------------------

TTLS = (1, 2, 3, 5, 8, 12)
REACHED = {
    # SNAP channel: share of nodes that a flood reaches, its source included
    4: (0.162, 0.365, 0.588, 0.885, 0.988, 0.990),  # 15 of IEEE 802.15.4, clean
    1: (0.137, 0.297, 0.477, 0.806, 0.963, 0.970),  # 12, under Wi-Fi
}
NODES, TOLERANCE = 50, 0.015


Plans = dict[int, MeshPlan]


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Plans:
    """The links of Grenoble, January 2018 (trace of the 6TiSCH simulator), by channel."""
    file = tmp_path_factory.mktemp("measured") / "measured.toml"
    file.write_text("""
        extends = "pilot_line"
        name = "measured"
        [mesh.measured]
        file = "grenoble50_links.csv"
        [[mesh.bridges]]
        name = "0"
    """)
    loaded = twin.load(file)
    found = {channel: twin.vary(loaded, "mesh.channel", channel) for channel in REACHED}
    return {
        channel: make_mesh_plan(varied, make_nodes(varied, 1), 1)
        for channel, varied in found.items()
    }


def expected(plan: MeshPlan) -> NDArray[np.float64]:
    """The mean share of others that one flood reaches without collisions, by hops."""
    reach = [expected_reach(plan, source, 12, runs=100) for source in range(NODES)]
    return np.mean(reach, axis=0)[[ttl - 1 for ttl in TTLS]]


@pytest.mark.parametrize("channel", REACHED)
def test_reach_by_hops_is_what_another_program_found(plans: Plans, channel: int) -> None:
    with_source = (expected(plans[channel]) * (NODES - 1) + 1) / NODES
    assert with_source == pytest.approx(REACHED[channel], abs=TOLERANCE)
    other = REACHED[5 - channel]
    assert with_source != pytest.approx(other, abs=TOLERANCE)


@pytest.mark.parametrize("channel", REACHED)
def test_collisions_take_some_of_the_reach_and_never_add(plans: Plans, channel: int) -> None:
    for ttl, at_best in zip(TTLS, expected(plans[channel]), strict=True):
        offers = (Offer(n * 5 * S, [n % NODES], ttl, 84) for n in range(40 * NODES))
        run = meshes.run(plans[channel], offers)
        assert set(run.messages["frame_bytes"]) == {100}  # the receptions are those of 100 bytes
        rounds = intervals.mean((run.messages["heard"] / (NODES - 1)).reshape(40, NODES).mean(1))
        if ttl == 1:
            assert at_best in rounds  # one sender: nothing collides
            assert run.use["lost_collision"].sum() == 0
        else:
            assert at_best > rounds.low
            assert run.use["lost_collision"].sum() > 0
        assert rounds.high > at_best - 0.1
