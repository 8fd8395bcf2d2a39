"""Quantities as field types: read from "50 ms", kept as a number, written back as "50 ms".

A `Quantity` in an annotation gives the kind and the bounds, both as text with
units, so that an error message and a dashboard can show the range as written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from twin import units
from twin.errors import UnitError

__all__ = [
    "DurationUs",
    "Fraction",
    "LengthM",
    "LevelDb",
    "PositiveDurationUs",
    "PositiveLengthM",
    "PowerDbm",
    "Quantity",
    "RatePpmPerH",
    "Share",
    "TemperatureDegC",
]


@dataclass(frozen=True)
class Quantity:
    """One kind of quantity between bounds, each bound written with its unit or left empty."""

    kind: units.Kind
    at_least: str = ""
    above: str = ""
    at_most: str = ""
    below: str = ""
    or_off: bool = False
    bare: bool = False

    @property
    def allowed(self) -> str:
        """The range as a phrase: "a duration above 0 s, like ..."."""
        bounds = (
            ("at least", self.at_least),
            ("above", self.above),
            ("at most", self.at_most),
            ("below", self.below),
        )
        given = " and ".join(f"{word} {bound}" for word, bound in bounds if bound)
        text = f"a {self.kind.name} {given}".rstrip() + f" in {', '.join(self.kind.units)}"
        return text + (' or "off"' if self.or_off else "")

    @property
    def example(self) -> str:
        """A quantity that would be accepted."""
        try:
            self._inside(self.kind.parse(self.kind.example))
        except PydanticCustomError:
            return self.at_least or self.at_most
        return self.kind.example

    def read(self, value: object) -> float | None:
        """Turn a TOML value into the base unit; raises what pydantic reports."""
        if self.or_off and value == "off":
            return None
        if self.bare and isinstance(value, (int, float)) and not isinstance(value, bool):
            return self._inside(float(value) + 0.0)
        try:
            return self._inside(self.kind.parse(value))
        except UnitError as error:
            raise self._refusal(error.reason, f'write it like "{self.example}"') from error

    def _inside(self, number: float) -> float:
        for bound, broken in _BOUNDS:
            text = getattr(self, bound)
            if text and broken(number, self.kind.parse(text)):
                raise self._refusal("out of range", "")
        return number

    def _refusal(self, what: str, hint: str) -> PydanticCustomError:
        context = {"what": what, "allowed": self.allowed, "hint": hint}
        return PydanticCustomError("quantity", "{what}; allowed: {allowed}", context)

    def write(self, number: float | None) -> str:
        """Write a number in the base unit as a TOML value."""
        return "off" if number is None else self.kind.format(number)

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> Any:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.write, when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "description": self.allowed, "examples": [self.example]}


_BOUNDS: tuple[tuple[str, Callable[[float, float], bool]], ...] = (
    ("at_least", lambda number, bound: number < bound),
    ("above", lambda number, bound: number <= bound),
    ("at_most", lambda number, bound: number > bound),
    ("below", lambda number, bound: number >= bound),
)

# 400 days: no quantity of a scenario is longer than the longest horizon.
_LONGEST = "400 d"

DurationUs = Annotated[int, Quantity(units.DURATION, at_least="0 s", at_most=_LONGEST)]
PositiveDurationUs = Annotated[int, Quantity(units.DURATION, above="0 s", at_most=_LONGEST)]
LengthM = Annotated[float, Quantity(units.LENGTH, at_least="0 m", at_most="10 km")]
PositiveLengthM = Annotated[float, Quantity(units.LENGTH, above="0 m", at_most="10 km")]
PowerDbm = Annotated[float, Quantity(units.POWER, at_least="-150 dBm", at_most="30 dBm")]
LevelDb = Annotated[float, Quantity(units.LEVEL, at_least="0 dB", at_most="150 dB")]
TemperatureDegC = Annotated[
    float, Quantity(units.TEMPERATURE, at_least="-60 degC", at_most="80 degC")
]
Fraction = Annotated[float, Quantity(units.RATIO, at_least="0 %", below="100 %", bare=True)]
Share = Annotated[float, Quantity(units.RATIO, at_least="0 %", at_most="100 %", bare=True)]
RatePpmPerH = Annotated[int, Quantity(units.RATE, at_least="0 %/h", at_most="100 %/h")]
