"""The `[run]` section: when the simulated time starts, how long it lasts, with what luck."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from twin import units
from twin.resources import near
from twin.scenario.base import Finding, Part, refuse
from twin.scenario.quantities import Quantity

__all__ = ["Run"]

_LOCAL = "a local date and time without zone, like 2026-03-02T06:00:00"


def _local(value: Any) -> datetime:
    """Read a TOML local datetime, or the same as text (from JSON)."""
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is not None:
        context = {
            "what": "not a local date and time",
            "allowed": _LOCAL,
            "hint": "the zone is run.time_zone",
        }
        raise PydanticCustomError("quantity", "{what}", context)
    if not 1971 <= moment.year <= 2200:
        context = {"what": "out of range", "allowed": "a year from 1971 to 2200", "hint": ""}
        raise PydanticCustomError("quantity", "{what}", context)
    return moment


LocalTime = Annotated[
    datetime,
    BeforeValidator(_local),
    PlainSerializer(lambda moment: moment.isoformat(), return_type=str, when_used="json"),
    Field(description=_LOCAL),
]


class Run(Part):
    """When and how long: `start` is local time in `time_zone`, `horizon_us` [us] of it."""

    start: LocalTime
    time_zone: Annotated[str, Field(description="an IANA name, like Europe/Vienna")]
    horizon_us: Annotated[int, Quantity(units.DURATION, above="0 s", at_most="400 d")]
    seed: Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
    engine: Literal["compiled", "reference"]

    @model_validator(mode="after")
    def _exists(self) -> Self:
        zone = _zone(self.time_zone)
        if zone is None:
            close = near(self.time_zone, sorted(zoneinfo.available_timezones()))
            refuse(
                [
                    Finding(
                        "time_zone",
                        "no such time zone",
                        self.time_zone,
                        "an IANA name, like Europe/Vienna",
                        f"did you mean {close}?" if close else "",
                    )
                ]
            )
        elif _skipped(self.start, zone):
            refuse([_gap(self.start, zone)])
        return self


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _there_and_back(start: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    return start.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)


def _skipped(start: datetime, zone: zoneinfo.ZoneInfo) -> bool:
    # A local time that daylight saving skips does not survive the way to UTC.
    return _there_and_back(start, zone) != start


def _gap(start: datetime, zone: zoneinfo.ZoneInfo) -> Finding:
    after = _there_and_back(start, zone)
    return Finding(
        "start",
        f"this time is skipped in {zone.key}: clocks go forward",
        start.isoformat(),
        "a local time that exists that day",
        f"the same moment is {after.isoformat()}",
    )
