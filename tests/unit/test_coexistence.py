"""The shared band by hand: the section, channels, who is near, loss, what BLE did in a step."""

import math
from typing import Any

import numpy as np
import pytest

import twin
from tests.band import run, site
from tests.scenarios import wall
from twin.errors import ScenarioError
from twin.events import EVENT, NEVER, Kind, Outcome
from twin.floor.plan import LINK_CLASS
from twin.floor.rules.link import disturbed_loss, fails_anew_us, fails_us
from twin.mesh.nodes import make_nodes
from twin.mesh.rules.radio import disturbed_reception
from twin.radio import ble_mhz, mesh_mhz
from twin.scenario import Coexistence, Scenario, assumptions, load, warnings
from twin.world.band import hops, near_nodes, share_of_hops, taken, wifi_load, wifi_on_mesh
from twin.world.coexistence import _Activity

INTERVAL_US, LIMIT = 50_000, 8
SECOND_US = 1_000_000


def band(**changes: object) -> Coexistence:
    found = site(changes).coexistence
    assert found is not None
    return found


def refusal(**changes: object) -> str:
    with pytest.raises(ScenarioError) as error:
        site(changes)
    return str(error.value)


def test_it_is_off_unless_a_scenario_has_the_section() -> None:
    for name in ("pilot_line", "reference_site", "mesh_10k"):
        assert load(name).coexistence is None
        assert "coexistence" not in load(name).document()
        assert not [a.key for a in assumptions(load(name)) if a.key.startswith("coexistence")]


def test_an_empty_section_rests_on_the_data() -> None:
    found = {a.key: a for a in assumptions(site({}))}
    assert (found["coexistence.step"].value, found["coexistence.step"].unit) == ("10", "s")
    assert found["coexistence.near"].certainty == "C"
    assert found["coexistence.idle_air"].certainty == "A"
    assert twin.scenario.from_document(site({}).document()) == site({})


def test_what_is_refused() -> None:
    assert "at most 10 s" in refusal(step="11 s")
    assert "at least 100 ms" in refusal(step="50 ms")
    cell = {"channel": 6, "duty": "10 %"}
    assert "given twice" in refusal(wifi=[cell, cell])
    assert "wifi.0.channel" in refusal(wifi=[{**cell, "channel": 14}])
    assert "below 100 %" in refusal(wifi=[{**cell, "duty": "100 %"}])
    assert "duty" in refusal(wifi=[{"channel": 6}])


def test_what_is_odd() -> None:
    assert not [text for text in warnings(site({})) if text.startswith("coexistence")]
    alone = site({}, fleet__gateways=[])
    assert [text for text in warnings(alone) if "coexistence: no gateway" in text]
    measured = twin.vary(load("measured_mesh"), "coexistence", {})
    gateway = load("pilot_line").document()
    mixed = {**gateway, "mesh": measured.document()["mesh"], "coexistence": {}}
    found = warnings(twin.scenario.from_document(mixed))
    assert [text for text in found if "none is near a gateway" in text]


def test_wifi_lies_over_28_data_channels_and_leaves_nine() -> None:
    """Wi-Fi 1, 6 and 11: data channels 0 to 8, 11 to 20, 24 to 32."""
    under: list[int] = []
    for channel in (1, 6, 11):
        found = hops(band(wifi=[{"channel": channel, "duty": 0.2}]), [])
        assert sum(hop.channels for hop in found) == 37
        under += [hop.channels for hop in found if hop.wifi_duty == 0.2]
    assert under == [9, 10, 9]


def test_a_channel_of_the_mesh_meets_one_or_two_data_channels() -> None:
    met = [round(37 * share_of_hops(band(), channel)) for channel in range(16)]
    # 2405 lies between 2404 and 2406, 2410 on one; 2425 beside 2424 and an advertising channel.
    assert met == [2, 1, 2, 1, 1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 0]
    assert (mesh_mhz(15), ble_mhz(36)) == (2480, 2478)


def test_the_channels_between_wifi_are_clean() -> None:
    """Measured in Grenoble: 802.15.4 channels 14, 15, 19, 20, 24 to 26 (radio.md, 1.6)."""
    wifi = [{"channel": channel, "duty": 0.2} for channel in (1, 6, 11)]
    clean = [n + 11 for n in range(16) if wifi_on_mesh(band(wifi=wifi), n) == 0.0]
    assert clean == [14, 15, 19, 20, 24, 25, 26]


def test_a_load_by_hand() -> None:
    assert taken(0.0) == 0.0
    assert taken(0.5) == pytest.approx(1.0 - math.exp(-0.5), rel=1e-12)
    # 10 % of bursts of 2 ms are 50 a second; a window of 2 + 3.392 ms.
    assert wifi_load(band(), 0.1, 3392) == pytest.approx(50 * 5.392e-3)


def test_who_is_near_by_hand() -> None:
    """3.5 dBm - 40.2 dB - 33 log10(d) is -90 dBm at 41.2 m; behind 6 dB at 27.1 m."""
    scene = site({}, site__walls=[wall(0, 9, 30, 9)], mesh__radio__wall_loss="6 dB")
    nodes = make_nodes(scene, 1)[:1]  # at (15, 10)
    places = np.array([[15.0, 51.0], [15.0, 51.4], [15.0, -17.0], [15.0, -17.3], [15.0, 10.0]])
    assert near_nodes(scene, places, nodes)[:, 0].tolist() == [True, False, True, False, True]


def test_a_node_without_a_place_is_near_nobody() -> None:
    scene = twin.vary(load("measured_mesh"), "coexistence", {})
    assert not near_nodes(scene, np.zeros((2, 2)), make_nodes(scene, 1)).any()


def test_a_share_comes_on_top_of_the_loss_of_the_link() -> None:
    assert disturbed_loss(0.1, 0.0) == 0.1
    assert disturbed_loss(0.1, 0.2) == pytest.approx(1.0 - 0.9 * 0.8)


def test_a_strong_link_of_the_mesh_suffers_less() -> None:
    assert disturbed_reception(0.9, -88.0, 0.0) == 0.9
    assert disturbed_reception(0.9, -88.0, 0.2) == pytest.approx(0.9 * 0.8)
    assert disturbed_reception(0.9, -79.0, 0.2) == pytest.approx(0.9 * (1.0 - 0.2 / math.e))
    assert disturbed_reception(0.9, -118.0, 0.2) == 0.0


def link_class() -> Any:
    found = np.zeros(1, LINK_CLASS)
    found["fade_loss"], found["drops"] = 0.95, 1
    return found[0]


def anew(
    now_us: int, fails: int, loss: float, link: int = 7, fade_us: int = 3600 * SECOND_US
) -> int:
    return int(fails_anew_us(link_class(), link, 0, now_us, fade_us, fade_us + SECOND_US, fails,
                             loss, INTERVAL_US, LIMIT))  # fmt: skip


def test_a_run_of_misses_under_way_goes_on() -> None:
    now_us = 100 * SECOND_US
    assert anew(now_us, now_us + LIMIT * INTERVAL_US, 0.0) == now_us + LIMIT * INTERVAL_US
    assert anew(now_us, now_us + LIMIT * INTERVAL_US + 1, 0.0) != now_us + LIMIT * INTERVAL_US + 1


def test_in_a_fade_nothing_is_drawn_anew() -> None:
    assert anew(3600 * SECOND_US, 3700 * SECOND_US, 0.9) == 3700 * SECOND_US


def test_without_loss_what_remains_is_the_fade() -> None:
    for link in range(50):
        fade = (3600 * SECOND_US, 3601 * SECOND_US)
        first = fails_us(link_class(), link, 0, 0, *fade, 0.0, INTERVAL_US, LIMIT)
        assert anew(100 * SECOND_US, int(NEVER), 0.0, link) == first


def test_every_change_draws_anew() -> None:
    far_us, never = 1 << 44, int(NEVER)
    waits = {anew(now_us, never, 0.5, 7, far_us) - now_us for now_us in range(20)}
    first = fails_us(link_class(), 7, 0, 0, far_us, far_us + 1, 0.5, INTERVAL_US, LIMIT)
    assert len(waits) > 15
    assert int(first) not in waits


def test_drops_come_as_often_as_the_new_loss_says() -> None:
    """Mean of (1 - p^8) / ((1 - p) p^8) events, from the moment of the change on."""
    now_us, loss, never = 100 * SECOND_US, 0.5, int(NEVER)
    far_us = 1 << 44
    waits = [anew(now_us, never, loss, link, far_us) - now_us for link in range(4000)]
    events = (1.0 - loss**LIMIT) / ((1.0 - loss) * loss**LIMIT)
    assert np.mean(waits) / INTERVAL_US == pytest.approx(events, rel=4.0 / math.sqrt(4000))
    assert min(waits) >= LIMIT * INTERVAL_US


def rows(*facts: tuple[float, Kind, int, int, int]) -> np.ndarray[Any, Any]:
    """Return rows: time [s], kind, worker, gateway, attempts."""
    found = np.zeros(len(facts), EVENT)
    for row, (time_s, kind, worker, gateway, attempts) in zip(found, facts, strict=True):
        row["time_us"], row["kind"] = int(time_s * SECOND_US), kind
        row["worker"], row["gateway"], row["attempts"] = worker, gateway, attempts
    return found


DAY = (
    (0.0, Kind.SESSION_OPEN, 0, 1, 0),
    (1.0, Kind.SCAN, 0, 1, 3),
    (12.0, Kind.SESSION_OPEN, 1, 0, 0),
    (13.0, Kind.TELEMETRY, 1, 0, 2),
    (14.0, Kind.ROAM, 0, 0, 0),
    (21.0, Kind.SCAN, 0, 0, 1),
    (22.0, Kind.SESSION_CLOSE, 1, 0, 0),
)


@pytest.mark.parametrize("cut", range(len(DAY) + 1))
def test_what_ble_did_in_a_step_however_it_is_told(cut: int) -> None:
    """A scan counts its tries and the answer, a report its tries."""
    said = {}
    activity = _Activity(2, 2, 10 * SECOND_US)
    told = rows(*DAY)
    for step in range(5):
        now = told[told["time_us"] < step * 10 * SECOND_US]
        fresh = now[now["time_us"] >= (step - 1) * 10 * SECOND_US]
        for chunk in (fresh[:cut], fresh[cut:]):
            activity.add(chunk)
        before = activity.before(step)
        said[step] = before.messages.tolist(), before.gateway_of.tolist()
    assert said[1] == ([0, 4], [1, -1])
    assert said[2] == ([2, 0], [0, 0])
    assert said[3] == ([2, 0], [0, -1])
    assert said[4] == ([0, 0], [0, -1])


@pytest.mark.parametrize("cut", range(len(DAY) + 1))
def test_rows_of_this_step_do_not_count_for_the_one_before(cut: int) -> None:
    activity = _Activity(2, 2, 10 * SECOND_US)
    activity.add(rows(*DAY[:cut]))
    activity.add(rows(*DAY[cut:]))
    before = activity.before(2)
    assert before.messages.tolist() == [2, 0]
    assert before.gateway_of.tolist() == [0, 0]


def test_a_scan_that_was_lost_has_no_answer() -> None:
    lost = rows((1.0, Kind.SCAN, 0, 0, 8))
    lost["outcome"] = Outcome.LOST_BLE
    activity = _Activity(1, 1, 10 * SECOND_US)
    activity.add(lost)
    assert activity.before(1).messages.tolist() == [8]


def _short(coexistence: dict[str, Any]) -> Scenario:
    return site(coexistence, run__horizon="21 min", mesh__multicasts=[
        {"name": "once", "source": "bridge", "after": "10 min", "every": "1 h", "ttl": 1,
         "payload_bytes": 100},
    ])  # fmt: skip


def test_each_side_feels_the_step_before_and_only_then() -> None:
    """One frame of 4.096 ms in a step of 10 s: (4.096 + 1) ms on 2 of 37 channels, for one step."""
    opened = twin.open(_short({}), seed=1)
    felt = []
    for until in ("10 min", "10 min 10 s", "10 min 10.1 s", "10 min 20 s", "10 min 20.1 s"):
        opened.run(until=until, progress=False)
        assert opened._site.band is not None
        felt.append(float(opened._site.band._ble_taken[0]))
    frame_us = opened.mesh_events("sent")["air_us"].iloc[0]
    share = 2 / 37 * (1.0 - math.exp(-(frame_us + 1000) / 1e7))
    assert felt == [0.0, 0.0, pytest.approx(share), pytest.approx(share), 0.0]
    row = opened.run(progress=False).kpis().iloc[0]
    assert row["ble_taken_mean"] == pytest.approx(share * 10 / (21 * 60))
    assert row["ble_taken_max"] == pytest.approx(share)
    assert row["mesh_duty_max"] == pytest.approx(frame_us / 1e7)


def test_no_step_is_made_while_the_mesh_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    plain = twin.world.coexistence.SharedBand.exchange  # type: ignore[attr-defined]

    def noted(self: object, now_us: int) -> None:
        made.append(now_us // SECOND_US)
        plain(self, now_us)

    monkeypatch.setattr("twin.world.coexistence.SharedBand.exchange", noted)
    run(_short({}))
    assert made == [610, 620]
    run(_short({"step": "5 s"}))
    assert made[2:] == [605, 610]


def test_a_phone_that_comes_into_service_feels_wifi() -> None:
    wifi = [{"channel": 6, "duty": "20 %"}]
    opened = twin.open(site({"wifi": wifi}), seed=1).run("1 min", progress=False)
    asked = twin.commands.InstallGateway("id", "phone", "here", "Picking")
    opened.submit(asked)
    assert opened._site.band is not None
    shares = opened._site.band._ble_taken.tolist()
    assert len(shares) == 2
    assert shares[0] == shares[1] == pytest.approx(10 / 37 * (1 - math.exp(-0.2 * 1.5)))
    opened.run("1 min", progress=False)
