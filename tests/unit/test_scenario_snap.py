"""The section `[snap]`: what it says, and what it is told where it says what cannot be."""

from typing import Any

import pytest

from tests.api.snap_site import SNAP, snap_scenario
from twin.errors import ScenarioError

SENSORS = {"nodes": ["door"], "device_type": "Sensor"}
COLLECTOR = {"name": "doors", "device_types": ["Sensor"], "query_function": "data",
             "poll_interval": "1 min"}  # fmt: skip
LICENCE = {"customer": "John Smith", "expiration": "2027-01-31"}


@pytest.mark.parametrize(("name", "value", "said"), [
    ("devices", [{**SENSORS, "nodes": ["dor"]}], "snap.devices.0.nodes"),
    ("devices", [{**SENSORS, "nodes": ["dor"]}], "door"),
    ("devices", [SENSORS, {**SENSORS, "nodes": ["door-001"]}], "is a device already"),
    ("devices", [{**SENSORS, "device_type": "Senor"}], "Sensor"),
    ("device_types", ["Deck1", "Deck1", "Sensor"], "two have the same name"),
    ("collectors", [{**COLLECTOR, "device_types": ["Senor"]}], "Sensor"),
    ("collectors", [COLLECTOR, COLLECTOR], "two have the same name"),
    ("collectors", [{**COLLECTOR, "poll_interval": "0 s"}], "poll_interval"),
    ("firmware", ["2.7.11"], "2.7.1"),
    ("images", [{"name": "big", "size_bytes": 59_905}], "no node has so much room"),
    ("images", [{"name": "none", "size_bytes": 0}], "size_bytes"),
    ("users", [], "users"),
    ("users", [{"name": "admin", "password": "password"}], "too simple"),
    ("users", [{"name": "ad:min", "password": "Thing-Services-1"}], "name"),
    ("users", [{"name": "a", "password": "Thing-Services-1"}] * 2, "two have the same name"),
    ("licence", {**LICENCE, "expiration": "2027-02-30"}, "expiration"),
    ("licence", {**LICENCE, "site_docter": True}, "site_docter"),
    ("trial_topology", -1, "trial_topology"),
    ("trial_collector", 1.5, "trial_collector"),
    ("device_type", ["Deck1"], "device_type"),
])  # fmt: skip
def test_what_cannot_be_is_told_with_its_key(name: str, value: Any, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        snap_scenario(**{name: value})
    assert said in str(caught.value)
    assert "snap" in str(caught.value)


def test_no_password_is_told() -> None:
    with pytest.raises(ScenarioError) as caught:
        snap_scenario(users=[{"name": "admin", "password": "my-secret-word"}])
    assert "my-secret-word" not in str(caught.value)


def test_without_a_word_it_is_a_trial_with_one_user() -> None:
    found = snap_scenario(**dict.fromkeys(SNAP, ())).snap
    assert [user.name for user in found.users] == ["admin"]
    assert (found.licence, found.devices, found.firmware) == (None, (), ())
    assert (found.trial_topology, found.trial_collector) == (5, 5)


def test_the_largest_image_that_a_node_has_room_for_is_one() -> None:
    found = snap_scenario(images=[{"name": "big", "size_bytes": 59_904}]).snap
    assert found.images[0].size_bytes == 59_904
