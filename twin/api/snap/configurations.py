"""Network Configuration: which devices are to run what."""

from typing import Any

from twin.api.http import Answer, ApiError, Call
from twin.api.snap.seen import reference
from twin.store.things import Things

__all__ = ["create_configuration", "get_configuration", "list_configurations"]


def list_configurations(call: Call) -> Answer:
    """Answer all network configurations."""
    things: Things = call.host.things
    return Answer({"data": [_shown(call, *one) for one in things.configurations()]})


def create_configuration(call: Call) -> Answer:
    """Make a network configuration; whether all that it names is there an update finds out."""
    groups = call.body.model_dump(exclude_none=True)["deviceGroupConfigurations"]
    found = call.host.things.add_configuration(groups)
    shown = _shown(call, found, groups)
    return Answer({"data": shown}, headers={"Location": shown["href"]})


def get_configuration(call: Call) -> Answer:
    """Answer one network configuration."""
    found = call.params["networkConfigurationId"]
    groups = call.host.things.configuration(found)
    if groups is None:
        raise ApiError(404, "Network configuration could not be found")
    return Answer({"data": _shown(call, found, groups)})


def _shown(call: Call, found: str, groups: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a network configuration as the document shows it."""
    href = reference(call, "networkConfigurations", found)
    return {"deviceGroupConfigurations": groups, "id": found, "href": href}
