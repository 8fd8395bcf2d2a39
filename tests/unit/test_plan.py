"""Floor plans: which of them the compiled engine may take for plain."""

import pytest

import twin
from tests.agreement.shapes import CHANGES, shape
from twin.scenario import Scenario
from twin.world.build import make_plan
from twin.world.roster import make_roster

EXTRAS: dict[str, object] = {
    "fleet.low_charge": "1 %",
    "links.acknowledgement_loss": "1 %",
    "links.ble.mobile.drops": True,
    "links.ble.stationary.drops": True,
    "links.buffer_messages": 1,
    "links.outages": [{"after": "1 min", "duration": "1 min"}],
    "links.publish_limit": 100,
    "work.forgotten_end": "1 %",
    "work.orders": {"per_hour": 10.0},
    "work.picker_sd": "1 %",
    "work.wrong_scan": "1 %",
}


def is_plain(scenario: Scenario) -> bool:
    return make_plan(scenario, make_roster(scenario, 1), 1).is_plain


def test_which_shapes_are_plain() -> None:
    plain = [name for name in CHANGES if is_plain(shape(name))]
    assert plain == ["pilot plain", "pilot plain overloaded"]


@pytest.mark.parametrize("key", EXTRAS)
def test_one_extra_is_enough(key: str) -> None:
    assert not is_plain(twin.vary(shape("pilot plain"), key, EXTRAS[key]))
