"""A small site for SNAP Thing Services: a bridge, a dozen nodes near it, and nothing else to do."""

from collections.abc import Mapping
from typing import Any

import twin
from tests.api.asking import Reply, ask_snap
from tests.scenarios import scenario
from twin.scenario import Scenario
from twin.twin import Twin

Table = dict[str, Any]

PASSWORD = "Thing-Services-1"
FAR = "fffffe"
"""An address that no node has."""
_NODES: list[Table] = [
    {"name": "shelf", "zone": "line", "count": 8, "firmware": "2.7.1", "image": "McastCounter",
     "image_bytes": 3489},
    {"name": "door", "zone": "line", "count": 4, "firmware": "2.6.9"},
]  # fmt: skip
SNAP: Table = {
    "device_types": ["Deck1", "Sensor", "sensors"],
    "firmware": ["2.6.9", "2.7.1", "2.8.2"],
    "devices": [
        {"nodes": ["shelf"], "device_type": "Deck1"},
        {"nodes": ["door"], "device_type": "Sensor"},
    ],
    "images": [
        {"name": "McastCounter", "size_bytes": 3489},
        {"name": "blink", "size_bytes": 690},
    ],
}
LICENCE: Table = {"customer": "John Smith", "expiration": "2027-01-31"}


def snap_scenario(changes: Mapping[str, object] | None = None, **snap: object) -> Scenario:
    """Return the site with keys replaced, those of ``[snap]`` by name."""
    return scenario(
        {
            "work.shifts": [],
            "mesh.nodes": _NODES,
            "mesh.bridges": [{"name": "bridge", "x": "15 m", "y": "10 m"}],
            **{f"snap.{name}": value for name, value in (SNAP | snap).items()},
            **(changes or {}),
        }
    )


def snap_site(changes: Mapping[str, object] | None = None, **snap: object) -> Twin:
    return twin.open(snap_scenario(changes, **snap))


def got(opened: Twin, path: str) -> Any:
    """Return what is shown at a path, or at an address."""
    reply = ask_snap(opened, "GET", path.rpartition("/api/v1")[2])
    assert reply.status == 200, reply.body
    return reply.body["data"]


def asked(opened: Twin, method: str, path: str, body: Any, status: int) -> Reply:
    """Ask for something that is to have a status."""
    reply = ask_snap(opened, method, path.rpartition("/api/v1")[2], body)
    assert reply.status == status, reply.body
    return reply


def made(opened: Twin, path: str, body: Any) -> Any:
    return asked(opened, "POST", path, body, 201).body["data"]


def refused(opened: Twin, method: str, path: str, body: Any, status: int) -> Any:
    """Ask for something that is refused; return the message."""
    return asked(opened, method, path, body, status).body["error"]["message"]


def addresses(opened: Twin, kind: str) -> list[str]:
    """Return the addresses of the devices of a type, as the service has them."""
    return [one["addr"] for one in got(opened, "/devices") if one["deviceType"] == kind]


def names(opened: Twin, some: list[str]) -> list[str]:
    """Return what the nodes of some addresses are called."""
    known = {node.address.lower(): node.name for node in opened.network.nodes}
    return [known[addr] for addr in some]


def configured(opened: Twin, *groups: tuple[list[str], Table]) -> str:
    """Make a network configuration of devices and what they are to run; return its address."""
    given = [{"devices": devices, "configuration": what} for devices, what in groups]
    body = {"deviceGroupConfigurations": given}
    return str(made(opened, "/networkConfigurations", body)["href"])


def begun(opened: Twin, *groups: tuple[list[str], Table]) -> str:
    """Begin an update; return the address of its task."""
    body = {"href": configured(opened, *groups)}
    reply = asked(opened, "POST", "/networkConfigurationUpdates", body, 202)
    return reply.headers["location"]


def finished(opened: Twin, task: str) -> str:
    """Let time pass until a task is over; return where its results are."""
    path = task.rpartition("/api/v1")[2]
    for _ in range(1000):
        reply = ask_snap(opened, "GET", path)
        if reply.status == 303:
            return reply.headers["location"]
        assert reply.status == 200
        opened.run("10 s", progress=False)
    raise AssertionError(f"{task} is still under way after hours")
