"""The `[links]` section: the radio between scanner and gateway, and the way to the network."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from twin import units
from twin.scenario.base import Finding, Part, refuse
from twin.scenario.laws import Law
from twin.scenario.quantities import (
    DurationUs,
    Fraction,
    LengthM,
    PositiveDurationUs,
    PositiveLengthM,
    Quantity,
)

__all__ = ["Ble", "BleLink", "Links", "Outage"]


def _as_set(value: Any) -> Any:
    # Groups are a set: their order and repetition must not change the digest.
    if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
        return tuple(sorted(set(value)))
    return value


# Bluetooth core specification: 7.5 ms to 4 s, and 100 ms to 32 s.
IntervalUs = Annotated[int, Quantity(units.DURATION, at_least="7.5 ms", at_most="4 s")]
SupervisionUs = Annotated[int, Quantity(units.DURATION, at_least="100 ms", at_most="32 s")]
Switch = Annotated[bool, Field(strict=True)]
Starts = Annotated[int, Field(strict=True, ge=1, le=1000)]
Publishes = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Messages = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Groups = Annotated[tuple[str, ...], BeforeValidator(_as_set)]


class BleLink(Part):
    """The BLE link of one kind of gateway; times [us], losses [1] per connection event.

    With `drops` a link is lost when nothing comes through for the supervision
    timeout; without, it never is, and only the message is given up. Fades begin
    `fade_every_us` apart and last `fade_length_us` in the mean, both exponential;
    in one a connection event is lost with `fade_loss`.

    A drop is mended after `reconnect`. Meanwhile, every `connect_every_us`, one
    attempt silences the gateway's Wi-Fi for `connect_stall_us`. A scanner that
    is paired takes `connect` for one attempt; where it fails, as a share of
    `connect_failure` does, its worker waits out `pairing_timer_us`.
    """

    connection_interval_us: IntervalUs
    supervision_timeout_us: SupervisionUs
    loss_near: Fraction
    loss_far: Fraction
    range_m: PositiveLengthM
    packet_air_us: PositiveDurationUs
    drops: Switch
    fade_every_us: PositiveDurationUs
    fade_length_us: PositiveDurationUs
    fade_loss: Fraction
    reconnect: Annotated[Law, Field(description="drop to usable again")]
    connect: Annotated[Law, Field(description="one connection attempt while pairing")]
    connect_failure: Fraction
    pairing_timer_us: DurationUs
    connect_stall_us: DurationUs
    connect_every_us: PositiveDurationUs

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
        if self.connect_stall_us > self.connect_every_us:
            given = units.format_duration(self.connect_stall_us)
            allowed = f"at most connect_every, {units.format_duration(self.connect_every_us)}"
            findings.append(Finding("connect_stall", "out of range", given, allowed))
        refuse(findings)
        return self


class Ble(Part):
    """The links of both kinds of gateway, and what a wall costs: so many metres more [m].

    A phone refuses more than `scan_starts` starts of a scan within
    `scan_starts_window_us` [us]. A worker whose link stays down pairs with
    another gateway in range `roam_after_us` [us] after the drop, 0 for never.
    """

    stationary: BleLink
    mobile: BleLink
    wall_penalty_m: LengthM
    scan_starts: Starts
    scan_starts_window_us: PositiveDurationUs
    roam_after_us: DurationUs


class Outage(Part):
    """No uplink from `after_us` after the start of the run, for `duration_us` [us].

    `gateways` names groups of the fleet, all of whose gateways are cut off; none
    named means every gateway.
    """

    after_us: DurationUs
    duration_us: PositiveDurationUs
    gateways: Groups = ()

    @property
    def end_us(self) -> int:
        """The first moment with an uplink again, after the start of the run [us]."""
        return self.after_us + self.duration_us

    def meets(self, other: Outage) -> bool:
        """Say whether both cut the same gateway off at the same moment."""
        shared = not self.gateways or not other.gateways or {*self.gateways} & {*other.gateways}
        return bool(shared) and self.after_us < other.end_us and other.after_us < self.end_us


class Links(Part):
    """BLE, the gateway's own time per message, and its uplink to the network.

    A gateway sends at most `publish_limit` messages a second and holds at most
    `buffer_messages` for the uplink; both 0 for no limit. When it is full the
    newest is dropped. Of the publishes a share of `acknowledgement_loss` [1] is
    sent again, since the acknowledgement was lost; the cloud removes the double.
    """

    ble: Ble
    gateway_service: Annotated[Law, Field(description="host time per message")]
    round_trip: Annotated[Law, Field(description="Wi-Fi and uplink, there and back")]
    power_save: Switch
    round_trip_power_save: Annotated[
        Law, Field(description="Wi-Fi and uplink, there and back, with Wi-Fi power save on")
    ]
    publish_limit: Publishes
    buffer_messages: Messages
    acknowledgement_loss: Fraction
    outages: tuple[Outage, ...] = ()

    @property
    def uplink_trip(self) -> Law:
        """The round trip that applies, by whether Wi-Fi saves power."""
        return self.round_trip_power_save if self.power_save else self.round_trip

    @property
    def publish_spacing_us(self) -> int:
        """The least time between two publishes of a gateway [us], 0 without a limit."""
        return -(-1_000_000 // self.publish_limit) if self.publish_limit else 0

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Self:
        in_time = sorted(enumerate(self.outages), key=lambda item: (item[1].after_us, item[0]))
        findings = []
        for nth, (place, outage) in enumerate(in_time):
            ends = [other.end_us for _, other in in_time[:nth] if outage.meets(other)]
            if ends:
                key, given = f"outages.{place}.after", units.format_duration(outage.after_us)
                allowed = f"at least {units.format_duration(max(ends))}, the end of the one before"
                findings.append(Finding(key, "outages of one gateway overlap", given, allowed))
        refuse(findings)
        return self
