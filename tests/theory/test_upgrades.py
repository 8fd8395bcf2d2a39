"""Upgrades against closed forms: rounds of repair, time per chunk and hop, rate end to end."""

from math import sqrt
from pathlib import Path
from statistics import mean, stdev

import pytest

import twin
from twin.scenario import Scenario, load

# E[max of n geometrics], in rounds: Eisenberg 2008; the exact sum over 1 - (1 - p^k)^n.
ROUNDS_AT_MOST = 60
CHUNK_FRAME_BYTES = 64 + 14 + 12 + 4
BASE = """
extends = "measured_mesh"
name = "truth"
question = "Is it true?"

[run]
horizon = "20 h"

[mesh]
multicasts = []
channel = 4

[mesh.measured]
file = "links.csv"

[mesh.radio]
reference_bytes = {frame_bytes}

[mesh.upgrade]
announces = 30
rounds = 60
gather = "1 s"
ttl = {ttl}

[mesh.routing]
most_hops = 10
"""


def expected_max_geometric(loss: float, count: int) -> float:
    """How many rounds pass on average until the last of so many has it (radio.md section 5)."""
    total, k = 0.0, 0
    while (left := 1 - (1 - loss**k) ** count) > 1e-12:
        total += left
        k += 1
    return total


def meshed(path: Path, pairs: list[tuple[int, int]], reception: float, ttl: int = 1) -> Scenario:
    """A mesh of these links, both ways, each with the same reception of a chunk."""
    lines = [f"{a},{b},{channel},{reception},-60" for channel in (15,)
             for x, y in pairs for a, b in ((x, y), (y, x))]  # fmt: skip
    (path / "links.csv").write_text("\n".join(["src,dst,channel,prr,rssi_dbm", *lines]))
    (path / "truth.toml").write_text(BASE.format(frame_bytes=CHUNK_FRAME_BYTES, ttl=ttl))
    return load(path / "truth.toml")


def test_as_many_rounds_of_repair_as_the_largest_of_geometrics(tmp_path: Path) -> None:
    """A star of ten devices that lose three of ten chunks: 4 standard errors, and half a round
    more for answers that are lost.
    """
    devices, chunks, loss = 10, 20, 0.3
    star = meshed(tmp_path, [(0, n) for n in range(1, devices + 1)], 1 - loss)
    rounds = []
    for seed in range(24):
        t = twin.open(star, seed=seed)
        t.upgrade(t.make_image("star", 64 * chunks), transport="multicast")
        t.run("2 h", progress=False)
        assert (t.upgraded()["outcome"] == "success").all()
        sent = t.upgrades()["rounds"].iloc[0]
        rounds.append(1 + int(sent))
    assert max(rounds) < ROUNDS_AT_MOST
    expected = expected_max_geometric(loss, devices * chunks)
    error = stdev(rounds) / sqrt(len(rounds))
    assert expected - 4 * error < mean(rounds) < expected + 4 * error + 0.5


@pytest.mark.parametrize("hops", [1, 3, 5])
def test_a_chunk_takes_its_time_on_the_line_and_its_hops(tmp_path: Path, hops: int) -> None:
    """38 ms and 12 ms a hop for 64 bytes at 38,400 baud (snap-mesh.md section 3, inferred there
    from the line, the air and the manual's 5 ms a hop): within a third.
    """
    line = meshed(tmp_path, [(n, n + 1) for n in range(hops)], 1.0)
    t = twin.open(line, seed=3)
    t.upgrade(t.make_image("McastCounter", 3489), devices=[str(hops)], transport="unicast")
    t.run("10 min", progress=False)
    device = t.upgraded().iloc[0]
    assert device["outcome"] == "success"
    chunk_ms = (device["last_us"] - device["first_us"]) / 1e3 / (-(-3489 // 64) - 1)
    assert chunk_ms == pytest.approx(38 + 12 * hops, rel=1 / 3)


def test_end_to_end_an_upgrade_is_as_slow_as_dissemination_is() -> None:
    """30 to 240 bytes a second: what protocols without constructive interference reach
    (radio.md section 4: Deluge, SurF, BLE mesh, Zigbee), here with 1,000 nodes.
    """
    t = twin.open("upgrade_night")
    t.run("20 min", progress=False)
    line = t.upgrades().iloc[0]
    assert line["status"] == "done"
    assert line["succeeded"] == line["devices"]
    assert 30 < 59_904 / (line["t95_min"] * 60) < 240
