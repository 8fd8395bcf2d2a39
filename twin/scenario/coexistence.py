"""The `[coexistence]` section: what BLE, the mesh and Wi-Fi cost each other at 2.4 GHz."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from twin import units
from twin.scenario.base import Finding, Number, Part, refuse
from twin.scenario.quantities import Fraction, PositiveDurationUs, PowerDbm, Quantity

__all__ = ["Coexistence", "Wifi"]

StepUs = Annotated[int, Quantity(units.DURATION, at_least="100 ms", at_most="10 s")]
Megahertz = Annotated[Number, Field(ge=0.0, le=20.0)]


class Wifi(Part):
    """Wi-Fi that is on the air on one of its channels for a share `duty` of the time, all over.

    It is meant beside what `mesh.radio.interference` and the losses of `links.ble` hold already.
    """

    channel: Annotated[int, Field(strict=True, ge=1, le=13)]
    duty: Fraction


class Coexistence(Part):
    """Who disturbs whom; without this section nobody does.

    Every `step_us` while the mesh works, BLE and mesh learn what the other did
    in the step before. A node disturbs a gateway, and is disturbed by its
    connections, where it arrives with at least `near_dbm`. Channels overlap up to
    `mesh_reach_mhz` between BLE and the mesh, `wifi_reach_mhz` between BLE and
    Wi-Fi, `wifi_mesh_reach_mhz` between the mesh and Wi-Fi, centre to centre [MHz].

    A burst of Wi-Fi lasts `wifi_burst_us`, an exchange of a connection without
    anything to say `idle_air_us`. BLE hops over all its data channels alike: that a
    gateway learns to leave some out (adaptive hopping) is not in the model.
    """

    step_us: StepUs
    near_dbm: PowerDbm
    mesh_reach_mhz: Megahertz
    wifi_reach_mhz: Megahertz
    wifi_mesh_reach_mhz: Megahertz
    wifi_burst_us: PositiveDurationUs
    idle_air_us: PositiveDurationUs
    wifi: tuple[Wifi, ...] = ()

    @model_validator(mode="after")
    def _each_channel_once(self) -> Self:
        channels = [cell.channel for cell in self.wifi]
        twice = sorted({channel for channel in channels if channels.count(channel) > 1})
        what, hint = "a Wi-Fi channel is given twice", "add their duties"
        refuse(Finding("wifi", what, str(channel), "each once", hint) for channel in twice)
        return self
