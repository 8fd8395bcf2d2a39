"""The `[links]` section: the radio between scanner and gateway, and the way to the network."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from twin import units
from twin.scenario.base import Finding, Part, refuse
from twin.scenario.laws import Law
from twin.scenario.quantities import (
    Fraction,
    LengthM,
    PositiveDurationUs,
    PositiveLengthM,
    Quantity,
)

__all__ = ["Ble", "BleLink", "Links"]

# Bluetooth core specification: 7.5 ms to 4 s, and 100 ms to 32 s.
IntervalUs = Annotated[int, Quantity(units.DURATION, at_least="7.5 ms", at_most="4 s")]
SupervisionUs = Annotated[int, Quantity(units.DURATION, at_least="100 ms", at_most="32 s")]


class BleLink(Part):
    """The BLE link of one kind of gateway; times [us], losses [1] per connection event."""

    connection_interval_us: IntervalUs
    supervision_timeout_us: SupervisionUs
    loss_near: Fraction
    loss_far: Fraction
    range_m: PositiveLengthM
    packet_air_us: PositiveDurationUs

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        interval = units.format_duration(self.connection_interval_us)
        near = units.format_ratio(self.loss_near)
        findings = []
        if self.supervision_timeout_us <= self.connection_interval_us:
            given = units.format_duration(self.supervision_timeout_us)
            allowed = f"above connection_interval, {interval}"
            findings.append(Finding("supervision_timeout", "out of range", given, allowed))
        if self.packet_air_us > self.connection_interval_us:
            given = units.format_duration(self.packet_air_us)
            allowed = f"at most connection_interval, {interval}"
            findings.append(Finding("packet_air", "out of range", given, allowed))
        if self.loss_far < self.loss_near:
            given = units.format_ratio(self.loss_far)
            findings.append(
                Finding("loss_far", "out of range", given, f"at least loss_near, {near}")
            )
        refuse(findings)
        return self


class Ble(Part):
    """The links of both kinds of gateway, and what a wall costs: so many metres more [m]."""

    stationary: BleLink
    mobile: BleLink
    wall_penalty_m: LengthM


class Links(Part):
    """BLE, the gateway's own time per message, and its round trip to the network."""

    ble: Ble
    gateway_service: Annotated[Law, Field(description="host time per message")]
    round_trip: Annotated[Law, Field(description="Wi-Fi and uplink, there and back")]
