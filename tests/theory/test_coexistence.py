"""What the band costs is what its formulas say, and about what was measured.

Up: 25 + 50 p / (1 - p) ms from scan to gateway at a connection interval of 50 ms, p the share of
connection events that fail (mark-scanners.md, section 4). Measured: see each test.
"""

import math

import numpy as np
import pandas as pd
import pytest

from tests.band import UPGRADE_US, mesh_rows, run, scans, site, upgrade
from twin.events import MeshKind
from twin.radio import airtime_us
from twin.scenario import Coexistence
from twin.twin import Twin
from twin.world.band import taken, wifi_load

OWN_LOSS = 0.01
INTERVAL_MS = 50.0
STEP_US = 20_000_000
"""So long after an upgrade begins or ends, what is scanned is as during it or after it [us]."""


def band(**changes: object) -> Coexistence:
    found = site(changes).coexistence
    assert found is not None
    return found


def mean_up_ms(loss: float) -> float:
    return INTERVAL_MS / 2 + INTERVAL_MS * loss / (1.0 - loss) + 1.0  # and 1 ms on the air


@pytest.mark.parametrize(("channel", "every"), [(0, "100 ms"), (0, "25 ms"), (4, "50 ms")])
def test_an_upgrade_in_the_middle_of_a_shift_costs_scan_latency(channel: int, every: str) -> None:
    changes = {"mesh__channel": channel, "mesh__multicasts": upgrade(every)}
    shared, apart = run(site({}, **changes)), run(site(None, **changes))
    before, after = (
        scans(shared, *stretch)["link_us"] / 1e3
        for stretch in ((0, UPGRADE_US), (UPGRADE_US + 20_000_000, shared.now_us))
    )
    quiet = scans(apart)["link_us"] / 1e3
    while_on = 1.0 - UPGRADE_US / shared.now_us
    share = float(shared.kpis()["ble_taken_mean"].iloc[0]) / while_on
    loss = OWN_LOSS + (1.0 - OWN_LOSS) * share
    assert 0.005 < share < 0.05
    for found, expected in ((before, OWN_LOSS), (quiet, OWN_LOSS), (after, loss)):
        assert abs(found.mean() - mean_up_ms(expected)) < 4.0 * found.std() / np.sqrt(len(found))
    assert after.mean() > before.mean() + 0.3
    assert abs((after > INTERVAL_MS + 1.0).mean() - loss) < 0.005
    # The beep crosses the air twice, and the figures of the whole run show it.
    one, other = shared.kpis().iloc[0], apart.kpis().iloc[0]
    rise_ms = 2.0 * INTERVAL_MS * (loss / (1.0 - loss) - OWN_LOSS / (1.0 - OWN_LOSS)) * while_on
    assert 0.6 * rise_ms < one["beep_mean_ms"] - other["beep_mean_ms"] < 1.5 * rise_ms
    assert one["beep_p99_ms"] >= other["beep_p99_ms"]
    assert one["beep_p95_ms"] > other["beep_p95_ms"]


def beeps_ms(of: Twin, from_us: int = 0, until_us: int = 1 << 60) -> pd.Series:
    """How long each scan of a stretch of time took until the beep, by worker and number."""
    rows = scans(of, from_us, until_us)
    late_us = rows["link_us"] + rows["beep_us"] - rows["time_us"]
    return pd.Series(late_us / 1e3, [rows["worker"], rows["number"]])


def error(found: pd.Series) -> float:
    return float(found.std()) / math.sqrt(len(found))


@pytest.mark.parametrize(("transport", "firmware"), [("multicast", "2.8.2"), ("unicast", "")])
def test_an_image_on_its_way_to_the_lamps_costs_scan_latency_until_it_is_there(
    transport: str, firmware: str
) -> None:
    """Beside the scans before and after, and each scan beside its like where nobody upgrades.

    The image fills the script space; by multicast firmware goes before, so that both take minutes.
    """
    pace = {"law": "uniform", "low": "0.4 s", "high": "0.8 s"}
    changes = {"mesh__multicasts": [], "work__pick_interval": pace, "mesh__upgrade__defects": "0 %"}
    image = {"name": "night", "after": "20 min", "size_bytes": 59_904, "firmware": firmware,
             "transport": transport}  # fmt: skip
    late: list[list[pd.Series]] = [[], [], []]
    later: list[list[pd.Series]] = [[], [], []]
    rises_ms = []
    for seed in (1, 2, 3, 4):
        busy = run(site({}, mesh__upgrades=[image], **changes), seed=seed)
        quiet = run(site({}, **changes), seed=seed)
        assert (busy.upgraded()["outcome"] == "success").all()
        minutes = float(busy.upgrades()["minutes"].iloc[0])
        assert 4.0 < minutes < 20.0
        ends_us = UPGRADE_US + int(minutes * 60e6)
        stretches = (0, UPGRADE_US), (UPGRADE_US + STEP_US, ends_us), (ends_us + STEP_US, 1 << 60)
        for n, stretch in enumerate(stretches):
            late[n].append(beeps_ms(busy, *stretch))
            later[n].append((late[n][-1] - beeps_ms(quiet)).dropna())
        # The beep crosses the air twice.
        one, other = busy.kpis().iloc[0], quiet.kpis().iloc[0]
        while_on = minutes * 60e6 / busy.now_us
        loss = OWN_LOSS + (1.0 - OWN_LOSS) * float(one["ble_taken_mean"]) / while_on
        rises_ms.append(2.0 * (mean_up_ms(loss) - mean_up_ms(OWN_LOSS)))
        moved_ms = one["beep_mean_ms"] - other["beep_mean_ms"]
        assert 0.6 * rises_ms[-1] * while_on < moved_ms < 1.5 * rises_ms[-1] * while_on
        assert one["beep_p99_ms"] > other["beep_p99_ms"]
    rise_ms = float(np.mean(rises_ms))
    before, during, after = (pd.concat(part) for part in late)
    assert during.mean() - before.mean() > 4.0 * math.hypot(error(during), error(before))
    assert abs(after.mean() - before.mean()) < 4.0 * math.hypot(error(after), error(before))
    before, during, after = (pd.concat(part) for part in later)
    assert (before == 0.0).all()
    assert during.mean() > 4.0 * error(during)
    assert abs(during.mean() - rise_ms) < 4.0 * error(during)
    assert abs(after.mean()) < 0.05 * rise_ms


def test_before_the_upgrade_nothing_is_different() -> None:
    shared, apart = run(site({})), run(site(None))
    one, other = shared.rows(), apart.rows()
    early = one["time_us"] < UPGRADE_US
    assert early.sum() > 1000
    assert one[early].tobytes() == other[other["time_us"] < UPGRADE_US].tobytes()
    assert one.tobytes() != other.tobytes()


def test_and_back_the_mesh_hears_less_where_scanners_are_connected() -> None:
    weak = {"mesh__radio__transmit_power": "-22 dBm"}
    shared = run(site({"near": "-115 dBm"}, **weak))
    apart = run(site(None, **weak))
    one, other = shared.kpis().iloc[0], apart.kpis().iloc[0]
    # 10 connections with 20 events a second of 0.31 ms, 5 scans a second with their answers of
    # 1 ms, each beside a frame of 3.392 ms, on 2 of 37 channels.
    load = (10 * 20 * (airtime_us(100) + 310) + 2 * 5 * (airtime_us(100) + 1000)) / 1e6 * 2 / 37
    assert one["mesh_taken_max"] == pytest.approx(1.0 - math.exp(-load), rel=0.05)
    heard = [mesh_rows(t)["kind"] == MeshKind.HEARD for t in (shared, apart)]
    assert heard[0].sum() < heard[1].sum()
    assert one["mesh_lost_link"] / one["mesh_transmissions"] > (
        other["mesh_lost_link"] / other["mesh_transmissions"]
    )


def test_wifi_on_the_channel_of_the_mesh_costs_it_and_beside_it_does_not() -> None:
    lost = {}
    for wifi in (None, 1, 11):
        cells = [] if wifi is None else [{"channel": wifi, "duty": "20 %"}]
        lost[wifi] = float(run(site({"wifi": cells})).kpis()["mesh_lost_link"].iloc[0])
    assert lost[1] > 1.2 * lost[None]
    assert lost[11] == pytest.approx(lost[None], rel=0.02)


def test_busy_and_bad_wifi_are_what_they_are_called() -> None:
    """A share of 0.1 of the events on busy Wi-Fi, 0.3 on bad (mark-scanners.md, section 4)."""
    for duty, share in ((0.10, 0.1), (0.35, 0.3)):
        cells = [{"channel": channel, "duty": duty} for channel in (1, 6, 11)]
        found = run(site({"wifi": cells}, mesh__multicasts=[], run__horizon="10 min"))
        loss = OWN_LOSS + (1.0 - OWN_LOSS) * float(found.kpis()["ble_taken_max"].iloc[0])
        assert float(found.kpis()["ble_taken_max"].iloc[0]) == pytest.approx(share, abs=0.015)
        up_ms = scans(found)["link_us"] / 1e3
        # Scans that take longer than the supervision timeout are given up: loss ** 8 of them.
        assert abs(up_ms.mean() - mean_up_ms(loss)) < 4.0 * up_ms.std() / np.sqrt(len(up_ms))


def test_a_jammer_takes_what_was_measured() -> None:
    """Wilab2: of frames at 4 a second .75 got through at 10 % duty, .68 at 20 % (radio.md, 1.6)."""
    for duty, measured in ((0.10, 0.75), (0.20, 0.68)):
        through = [1.0 - taken(wifi_load(band(), duty, airtime_us(size))) for size in (20, 50, 100)]
        assert min(through) - 0.03 < measured < max(through)


def test_a_saturated_mesh_takes_of_ble_what_was_measured() -> None:
    """KTH: 2.25 % of the throughput over all channels with 802.15.4 beside it (essays.se)."""
    frame_us, packet_us = airtime_us(127), 1000
    duty = 0.649  # one sender without acknowledgements (radio.md, 1.7)
    load = duty * (1 + packet_us / frame_us)
    one_channel = taken(load) / 37
    assert one_channel < 0.0225 < 2 * one_channel
