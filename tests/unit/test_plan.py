"""Floor plans: what may happen in them, which the compiled engine knows by type."""

import pytest

import twin
from tests.agreement.shapes import CHANGES, shape
from twin.floor.compiled.state import build_floor
from twin.floor.plan import Features, FloorPlan
from twin.scenario import Scenario
from twin.world.build import make_plan
from twin.world.roster import make_roster

ONE_ON = [
    ("fleet.low_charge", "1 %", "swaps"),
    ("links.acknowledgement_loss", "1 %", "uplink"),
    ("links.ble.mobile.drops", True, "links"),
    ("links.ble.stationary.drops", True, "links"),
    ("links.buffer_messages", 1, "uplink"),
    ("links.outages", [{"after": "1 min", "duration": "1 min"}], "uplink"),
    ("links.publish_limit", 100, "uplink"),
    ("work.forgotten_end", "1 %", "slips"),
    ("work.orders", {"per_hour": 10.0}, "orders"),
    ("work.picker_sd", "1 %", "slips"),
    ("work.wrong_scan", "1 %", "slips"),
]


def plan(scenario: Scenario) -> FloorPlan:
    return make_plan(scenario, make_roster(scenario, 1), 1)


def on(features: tuple[object, ...]) -> set[str]:
    return {
        name
        for name, value in zip(Features._fields, features, strict=True)
        if value is not None and value is not False
    }


def test_which_shapes_have_no_feature() -> None:
    plain = [name for name in CHANGES if not on(plan(shape(name)).features)]
    assert plain == ["pilot plain", "pilot plain overloaded"]


@pytest.mark.parametrize("feature", Features._fields)
def test_a_shape_has_each_feature_alone(feature: str) -> None:
    assert on(plan(shape(f"site with {feature} only")).features) == {feature}


def test_a_shape_has_them_all() -> None:
    assert on(plan(shape("site with everything")).features) == set(Features._fields)


@pytest.mark.parametrize(("key", "value", "feature"), ONE_ON)
def test_a_feature_is_on_by_itself(key: str, value: object, feature: str) -> None:
    assert on(plan(twin.vary(shape("pilot plain"), key, value)).features) == {feature}


@pytest.mark.parametrize(("key", "value", "feature"), ONE_ON)
def test_the_compiled_floor_has_what_the_plan_has(key: str, value: object, feature: str) -> None:
    floor = build_floor(plan(twin.vary(shape("pilot plain"), key, value)))
    assert on(floor.has) == {feature}
