"""Drops, pairing, limits of the uplink and outages: what the scenario says of the links."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import ScenarioError
from twin.scenario import Constant, Lognormal, Uniform, from_document, load, vary, warnings

LINE = load("pilot_line")
SITE = load("reference_site")
S = 1_000_000


def refused(key: str, value: Any) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        vary(SITE, key, value)
    assert len(caught.value.problems) == 1
    return caught.value


def uniform(low_s: int, high_s: int) -> Uniform:
    law = {"law": "uniform", "low": f"{low_s} s", "high": f"{high_s} s"}
    return Uniform.model_validate(law)


def test_a_gateway_takes_minutes_to_reconnect_and_a_phone_seconds() -> None:
    gateway, phone = LINE.links.ble.stationary, LINE.links.ble.mobile
    assert (gateway.drops, phone.drops) == (True, True)
    # The maker's engineer: 1 to 5 min before usable again.
    assert gateway.reconnect == uniform(60, 300)
    assert phone.reconnect == uniform(1, 5)
    assert (gateway.connect, phone.connect) == (uniform(2, 6), uniform(1, 3))
    assert (gateway.connect_failure, phone.connect_failure) == (0.05, 0.05)
    assert (gateway.pairing_timer_us, phone.pairing_timer_us) == (60 * S, 60 * S)


def test_only_a_gateway_starves_its_wifi() -> None:
    gateway, phone = LINE.links.ble.stationary, LINE.links.ble.mobile
    assert (gateway.connect_stall_us, gateway.connect_every_us) == (2 * S, 10 * S)
    assert (phone.connect_stall_us, phone.connect_every_us) == (0, 10 * S)


def test_fades_come_to_both_kinds() -> None:
    for link in (LINE.links.ble.stationary, LINE.links.ble.mobile):
        assert (link.fade_every_us, link.fade_length_us) == (7200 * S, S)
        assert link.fade_loss == 0.95


def test_a_phone_starts_five_scans_in_half_a_minute() -> None:
    ble = LINE.links.ble
    assert (ble.scan_starts, ble.scan_starts_window_us) == (5, 30 * S)


def test_a_link_may_be_back_at_once() -> None:
    changed = vary(LINE, "links.ble.mobile.reconnect", {"law": "constant", "value": "0 s"})
    assert changed.links.ble.mobile.reconnect == Constant.model_validate(
        {"law": "constant", "value": "0 s"}
    )


def test_power_save_decides_which_round_trip_applies() -> None:
    assert not LINE.links.power_save
    assert LINE.links.uplink_trip == LINE.links.round_trip
    saving = vary(LINE, "links.power_save", True).links
    assert saving.uplink_trip == saving.round_trip_power_save
    assert saving.uplink_trip != saving.round_trip


def test_the_power_save_law_lies_where_it_was_measured() -> None:
    law = LINE.links.round_trip_power_save
    assert isinstance(law, Lognormal)
    assert 49_000 <= law.median_us <= 127_000
    assert 375_000 <= law.median_us * 2.718281828 ** (1.2816 * law.sigma) <= 554_000


@given(st.integers(1, 1_000_000))
@settings(deadline=None, max_examples=50)
def test_publishes_spaced_so_keep_the_limit(limit: int) -> None:
    spacing = vary(LINE, "links.publish_limit", limit).links.publish_spacing_us
    assert spacing * limit >= S
    assert (spacing - 1) * limit < S


def test_no_publish_limit_is_no_spacing() -> None:
    assert LINE.links.publish_spacing_us == 10_000
    assert vary(LINE, "links.publish_limit", 0).links.publish_spacing_us == 0
    assert (LINE.links.buffer_messages, LINE.links.acknowledgement_loss) == (1000, 0.001)


def test_the_digest_depends_on_every_key_of_the_links() -> None:
    law = {"law": "constant", "value": "9 s"}
    link = {
        "drops": False, "fade_every": "3 h", "fade_length": "2 s", "fade_loss": "90 %",
        "reconnect": law, "connect": law, "connect_failure": "1 %", "pairing_timer": "30 s",
        "connect_stall": "1 s", "connect_every": "5 s",
    }  # fmt: skip
    changes = {f"links.ble.{kind}.{key}": value
               for kind in ("stationary", "mobile") for key, value in link.items()}  # fmt: skip
    changes |= {
        "links.ble.scan_starts": 6, "links.ble.scan_starts_window": "20 s",
        "links.power_save": True, "links.round_trip_power_save": law,
        "links.publish_limit": 99, "links.buffer_messages": 0,
        "links.acknowledgement_loss": "1 %", "links.outages": [{"after": "1 h", "duration": "1 s"}],
    }  # fmt: skip
    digests = {vary(LINE, key, value).digest for key, value in changes.items()}
    assert len(digests | {LINE.digest}) == len(changes) + 1


SLIPS = [
    ("ble.mobile.drops", "no", '"no"', "true or false", ""),
    ("ble.mobile.drops", 1, "1", "true or false", ""),
    ("ble.mobile.fade_every", "0 s", "0 s", "above 0 s", ""),
    ("ble.mobile.fade_length", "1", '"1"', "a duration", "write it like"),
    ("ble.stationary.fade_loss", "100 %", "100 %", "below 100 %", ""),
    ("ble.stationary.reconnect", "pick_activ", "pick_activ", "a table with law", "pick_active?"),
    ("ble.stationary.connect_failure", "100 %", "100 %", "below 100 %", ""),
    ("ble.stationary.pairing_timer", "-1 s", "-1 s", "at least 0 s", ""),
    ("ble.stationary.connect_stall", "11 s", "11 s", "at most connect_every, 10 s", ""),
    ("ble.scan_starts", 0, "0", "at least 1", ""),
    ("ble.scan_starts", 5.5, "5.5", "a whole number", ""),
    ("ble.scan_starts_window", "0 s", "0 s", "above 0 s", ""),
    ("power_save", "on", '"on"', "true or false", ""),
    ("publish_limit", -1, "-1", "at least 0", ""),
    ("publish_limit", 1_000_001, "1000001", "at most 1000000", ""),
    ("buffer_messages", 1_000_001, "1000001", "at most 1000000", ""),
    ("acknowledgement_loss", "100 %", "100 %", "below 100 %", ""),
]


@pytest.mark.parametrize(("key", "value", "given", "allowed", "hint"), SLIPS)
def test_a_slip_is_told_with_what_is_allowed(
    key: str, value: Any, given: str, allowed: str, hint: str
) -> None:
    error = refused(f"links.{key}", value)
    assert error.key == f"links.{key}"
    assert given in error.value
    assert allowed in error.allowed
    assert hint in error.hint


def test_a_stall_may_fill_the_time_between_two_attempts() -> None:
    full = vary(LINE, "links.ble.stationary.connect_stall", "10 s").links.ble.stationary
    assert full.connect_stall_us == full.connect_every_us


# --- outages -----------------------------------------------------------------


def outage(after: str, duration: str, *gateways: str) -> dict[str, Any]:
    return {"after": after, "duration": duration, "gateways": list(gateways)}


def test_outages_arrive_with_their_groups_as_a_set() -> None:
    rows = [outage("1 h", "20 min", "phones", "aisles", "phones"), outage("2 h", "1 s")]
    links = vary(SITE, "links.outages", rows).links
    assert [item.gateways for item in links.outages] == [("aisles", "phones"), ()]
    assert links.outages[0].after_us == 3600 * S
    assert links.outages[0].end_us == 4800 * S
    other = [outage("1 h", "20 min", "aisles", "phones"), outage("120 min", "1 s")]
    scenario = vary(SITE, "links.outages", other)
    assert scenario.links == links
    assert from_document(scenario.document()) == scenario


# The outages, and which of them begins while another lasts.
MEETING = [
    ([outage("1 h", "20 min"), outage("70 min", "20 min")], 1),
    ([outage("70 min", "20 min"), outage("1 h", "20 min")], 0),
    ([outage("1 h", "20 min", "aisles"), outage("70 min", "1 s")], 1),
    ([outage("1 h", "20 min"), outage("1 h", "20 min", "aisles")], 1),
    ([outage("1 h", "20 min", "aisles", "cold"), outage("70 min", "1 s", "cold", "dock")], 1),
    ([outage("1 h", "20 min"), outage("90 min", "1 s"), outage("70 min", "1 s")], 2),
]


@pytest.mark.parametrize(("rows", "late"), MEETING)
def test_two_outages_of_one_gateway_do_not_overlap(rows: list[dict[str, Any]], late: int) -> None:
    error = refused("links.outages", rows)
    assert error.key == f"links.outages.{late}.after"
    assert "overlap" in str(error)
    assert error.allowed == "at least 1 h 20 min, the end of the one before"


def test_an_outage_of_all_waits_for_the_last_of_those_before() -> None:
    rows = [outage("1 h", "20 min", "aisles"), outage("62 min", "28 min", "cold")]
    error = refused("links.outages", [*rows, outage("70 min", "1 s")])
    assert error.allowed == "at least 1 h 30 min, the end of the one before"


APART = [
    [outage("1 h", "20 min"), outage("80 min", "20 min")],
    [outage("80 min", "20 min"), outage("1 h", "20 min")],
    [outage("1 h", "20 min", "aisles"), outage("70 min", "20 min", "cold")],
]


@pytest.mark.parametrize("rows", APART)
def test_outages_may_touch_or_be_of_others(rows: list[dict[str, Any]]) -> None:
    assert len(vary(SITE, "links.outages", rows).links.outages) == 2


def test_an_outage_of_nobody_names_the_nearest() -> None:
    error = refused("links.outages", [outage("1 h", "1 s"), outage("2 h", "1 s", "aisle")])
    assert (error.key, error.value) == ("links.outages.1.gateways", "aisle")
    assert error.hint == "did you mean aisles?"
    assert "phones" in error.allowed


def test_an_outage_lasts() -> None:
    assert refused("links.outages", [outage("1 h", "0 s")]).key == "links.outages.0.duration"
    assert refused("links.outages", [{"after": "1 h"}]).hint == "add duration = ..."


def test_an_outage_beyond_the_horizon_is_a_warning() -> None:
    (text,) = warnings(vary(SITE, "run.horizon", "9 h"))
    assert text == "links.outages.0: begins 9 h after the start, but run.horizon is 9 h"
    assert warnings(vary(SITE, "run.horizon", "9 h 1 min")) == ()
