"""Quantities written with their units: "12 ms", "-92 dBm", "8 h", "3 %".

Each kind of quantity reads text into one base unit and writes it back, exactly:
decimal text goes through `decimal.Decimal`, never through binary fractions, so
"0.1 s" is 100000 us. A bare number is refused wherever a unit is due.

    kind          base                      read from
    duration      int, microseconds [us]    us ms s min h d, also "1 h 30 min"
    length        float, metres [m]         mm cm m km
    power         float [dBm]               dBm
    level         float [dB]                dB
    temperature   float [degC]              degC °C
    ratio         float, 0.03 for "3 %"     %
    rate          int [ppm/h]               %/h ppm/h
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from twin.errors import UnitError

__all__ = [
    "DURATION",
    "LENGTH",
    "LEVEL",
    "POWER",
    "RATE",
    "RATIO",
    "TEMPERATURE",
    "Kind",
    "format_duration",
    "format_length",
    "format_level",
    "format_power",
    "format_rate",
    "format_ratio",
    "format_temperature",
    "parse_duration",
    "parse_length",
    "parse_level",
    "parse_power",
    "parse_rate",
    "parse_ratio",
    "parse_temperature",
]

_TERM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([^\s\d.+-]\S*)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")

# The longest time the twin keeps is an int64 of microseconds; other quantities
# are far smaller. Beyond this the text is a slip, not a quantity.
_LARGEST = Decimal(2**63 - 1)


@dataclass(frozen=True, eq=False)  # told apart by identity: a table of units has no hash
class Kind:
    """One kind of quantity: its units in terms of the base, its reader and its writer."""

    name: str
    units: Mapping[str, Decimal]
    example: str
    parse: Callable[[object], float]
    format: Callable[[float], str]

    def refuse(self, value: object, reason: str) -> UnitError:
        """Build the error that names this kind's units and an example."""
        return _refusal(value, reason, self.units, self.example)


def _scales(**units: str) -> dict[str, Decimal]:
    return {name: Decimal(scale) for name, scale in units.items()}


_DURATIONS = _scales(us="1", ms="1e3", s="1e6", min="6e7", h="3.6e9", d="8.64e10")
_LENGTHS = _scales(mm="0.001", cm="0.01", m="1", km="1000")
_POWERS = _scales(dBm="1")
_LEVELS = _scales(dB="1")
_TEMPERATURES = {"degC": Decimal(1), "°C": Decimal(1)}
_RATIOS = {"%": Decimal("0.01")}
_RATES = {"%/h": Decimal(10_000), "ppm/h": Decimal(1)}


def _refusal(value: object, reason: str, units: Mapping[str, Decimal], example: str) -> UnitError:
    return UnitError(value, reason, units=units, example=example)


def _terms(value: object, units: Mapping[str, Decimal], example: str) -> list[tuple[Decimal, str]]:
    """Split text into numbers with known units, or say which rule it breaks."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise _refusal(value, "a number without a unit", units, example)
    if not isinstance(value, str):
        raise _refusal(value, f"not a quantity but {type(value).__name__}", units, example)
    text = value.strip()
    if _NUMBER.fullmatch(text):
        raise _refusal(value, "a number without a unit", units, example)
    found = _TERM.findall(text)
    if not found or _TERM.sub("", text).strip():
        raise _refusal(value, "not a quantity", units, example)
    for _, unit in found:
        if unit not in units:
            raise _refusal(value, f"unit {unit!r} is not known here", units, example)
    return [(Decimal(number), unit) for number, unit in found]


def _exact(value: object, units: Mapping[str, Decimal], example: str) -> Decimal:
    terms = _terms(value, units, example)
    if len(terms) > 1:
        raise _refusal(value, "one number with one unit is due", units, example)
    number, unit = terms[0]
    return _within(value, number * units[unit], units, example)


def _within(value: object, total: Decimal, units: Mapping[str, Decimal], example: str) -> Decimal:
    if abs(total) > _LARGEST:
        raise _refusal(value, "too large to be meant", units, example)
    return total


def _whole(
    value: object, total: Decimal, base: str, units: Mapping[str, Decimal], example: str
) -> int:
    if total != total.to_integral_value():
        raise _refusal(value, f"not a whole number of {base}", units, example)
    return int(total)


def parse_duration(value: object) -> int:
    """Read "12 ms", "8 h" or "1 h 30 min".

    [us], exactly. Raises UnitError for a bare number, an unknown unit, units
    that do not fall in size, or what is not a whole number of microseconds.
    """
    example = "1 h 30 min"
    with localcontext() as context:
        context.prec = 60
        terms = _terms(value, _DURATIONS, example)
        sizes = [_DURATIONS[unit] for _, unit in terms]
        if any(big <= small for big, small in itertools.pairwise(sizes)):
            raise _refusal(value, "units must fall from large to small", _DURATIONS, example)
        if len(terms) > 1 and any(number.is_signed() for number, _ in terms):
            raise _refusal(value, "a sign needs a single unit", _DURATIONS, example)
        total = sum((number * _DURATIONS[unit] for number, unit in terms), Decimal(0))
        _within(value, total, _DURATIONS, example)
        return _whole(value, total, "microseconds", _DURATIONS, example)


# Adding 0.0 turns -0.0 into 0.0: equal quantities must read as the same bytes.


def parse_length(value: object) -> float:
    """Read "1.5 m" or "80 cm"; [m]; raises UnitError."""
    return float(_exact(value, _LENGTHS, "1.5 m")) + 0.0


def parse_power(value: object) -> float:
    """Read "-92 dBm"; [dBm]; raises UnitError."""
    return float(_exact(value, _POWERS, "-92 dBm")) + 0.0


def parse_level(value: object) -> float:
    """Read "7 dB"; [dB]; raises UnitError."""
    return float(_exact(value, _LEVELS, "7 dB")) + 0.0


def parse_temperature(value: object) -> float:
    """Read "21 degC"; [degC]; raises UnitError."""
    return float(_exact(value, _TEMPERATURES, "21 degC")) + 0.0


def parse_ratio(value: object) -> float:
    """Read "3 %" as 0.03; [1]; raises UnitError."""
    return float(_exact(value, _RATIOS, "3 %")) + 0.0


def parse_rate(value: object) -> int:
    """Read "4 %/h" as 40000; [ppm/h]; raises UnitError if not a whole number of ppm/h."""
    return _whole(value, _exact(value, _RATES, "4 %/h"), "ppm/h", _RATES, "4 %/h")


def _plain(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimal(number: float) -> Decimal:
    # repr is the shortest text that reads back as the same float.
    return Decimal(repr(number))


def format_duration(us: int) -> str:
    """Write a duration [us] so that `parse_duration` reads the same number back."""
    if us < 0 or us < 1_000_000:
        unit = "us" if abs(us) < 1_000 and us else "ms" if abs(us) < 1_000_000 else "s"
        return f"{_plain(Decimal(us) / _DURATIONS[unit])} {unit}" if us else "0 s"
    days, rest = divmod(us, 86_400_000_000) if us >= 172_800_000_000 else (0, us)
    hours, rest = divmod(rest, 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    text = [f"{number} {unit}" for number, unit in parts if number]
    if rest:
        text.append(f"{_plain(Decimal(rest) / 1_000_000)} s")
    return " ".join(text)


def format_length(metres: float) -> str:
    """Write a length [m]."""
    return f"{_plain(_decimal(metres))} m"


def format_power(dbm: float) -> str:
    """Write a power [dBm]."""
    return f"{_plain(_decimal(dbm))} dBm"


def format_level(decibel: float) -> str:
    """Write a ratio of powers [dB]."""
    return f"{_plain(_decimal(decibel))} dB"


def format_temperature(degc: float) -> str:
    """Write a temperature [degC]."""
    return f"{_plain(_decimal(degc))} degC"


def format_ratio(ratio: float) -> str:
    """Write a ratio [1] in per cent."""
    return f"{_plain(_decimal(ratio) * 100)} %"


def format_rate(ppm_per_h: int) -> str:
    """Write a rate [ppm/h] in per cent an hour."""
    return f"{_plain(Decimal(ppm_per_h) / 10_000)} %/h"


DURATION = Kind(
    "duration", _DURATIONS, "1 h 30 min", parse_duration, lambda us: format_duration(int(us))
)
LENGTH = Kind("length", _LENGTHS, "1.5 m", parse_length, format_length)
POWER = Kind("power", _POWERS, "-92 dBm", parse_power, format_power)
LEVEL = Kind("ratio of powers", _LEVELS, "7 dB", parse_level, format_level)
TEMPERATURE = Kind("temperature", _TEMPERATURES, "21 degC", parse_temperature, format_temperature)
RATIO = Kind("ratio", _RATIOS, "3 %", parse_ratio, format_ratio)
RATE = Kind("rate", _RATES, "4 %/h", parse_rate, lambda ppm: format_rate(int(ppm)))
