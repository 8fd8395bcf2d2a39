"""The `[cloud]` section: the customer's account and how long until a scan is visible there."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twin import units
from twin.scenario.base import Part
from twin.scenario.laws import Law
from twin.scenario.quantities import Quantity

__all__ = ["Cloud"]


class Cloud(Part):
    """The account, the delay of a scan, and the telemetry period [us], None when off."""

    customer_id: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
            max_length=64,
            description="letters, digits, - and _, at most 64",
        ),
    ]
    delay: Law
    telemetry_period_us: Annotated[
        int | None, Quantity(units.DURATION, at_least="1 s", at_most="7 d", or_off=True)
    ]
