"""Gateway Calls: the gateways of the account, and new ones."""

from typing import Any

from twin.api.http import Answer, ApiError, Call
from twin.api.insight.pages import page
from twin.store.account import Gateway

__all__ = ["create_gateway", "list_gateways", "shown_gateway"]


def list_gateways(call: Call) -> Answer:
    """Answer the gateways, in the order in which they came."""
    found = call.host.account.gateways()
    return page(
        call, "gateways", [gateway.number or 0 for gateway in found], lambda i: _at(found, i)
    )


def _at(gateways: list[Gateway], i: int) -> dict[str, Any]:
    """Return the gateway at a place."""
    return shown_gateway(gateways[i])


def create_gateway(call: Call) -> Answer:
    """Make a gateway that nobody has installed yet; its name is taken once."""
    asked = call.body
    made = call.host.account.add_gateway(asked.name, asked.usecase, asked.station)
    if made is None:
        raise ApiError(409, f"There is a gateway called {asked.name[:100]!r} already.")
    return Answer(shown_gateway(made), headers={"ETag": f'"{made.version}"'})


def shown_gateway(gateway: Gateway) -> dict[str, Any]:
    """Return a gateway as the document shows it."""
    return {
        "id": gateway.id,
        "model": gateway.model,
        "manufacturer": gateway.manufacturer,
        "class": "gateway",
        "type": gateway.kind,
        "firmware": gateway.firmware,
        "created": gateway.created_ms,
        "last_updated": gateway.updated_ms,
        "usecase": gateway.usecase,
        "station": gateway.station,
        "thing_name": gateway.thing_name,
        "name": gateway.name,
    }
