"""What every part of a scenario has in common: frozen, strict about keys, TOML names.

Attribute names carry their unit (`connection_interval_us`), TOML keys do not
(`connection_interval = "50 ms"`): the unit is in the value there. This is the
one place where the one becomes the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

__all__ = ["Count", "Finding", "Name", "Number", "Part", "refuse", "toml_key"]

_SUFFIXES = ("_ppm_per_h", "_degc", "_dbm", "_db", "_us", "_m")


def toml_key(attribute: str) -> str:
    """Give the TOML key of an attribute: its name without the unit."""
    for suffix in _SUFFIXES:
        if attribute.endswith(suffix):
            return attribute.removesuffix(suffix)
    return attribute


class Part(BaseModel):
    """A part of a scenario: immutable, and no key is accepted that it does not know."""

    # Deferred: only the whole scenario is compiled, at its first use, not each
    # part at import, which takes twice as long.
    model_config = ConfigDict(
        alias_generator=toml_key,
        defer_build=True,
        allow_inf_nan=False,
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
    )


@dataclass(frozen=True)
class Finding:
    """What a check across several keys found, with the key below the part it was found in."""

    key: str
    what: str
    value: str
    allowed: str
    hint: str = ""


def refuse(findings: Iterable[Finding]) -> None:
    """Stop the validation if there is any finding; every one of them is reported."""
    found = tuple(findings)
    if found:
        raise PydanticCustomError("finding", "{what}", {"what": found[0].what, "findings": found})


# A dot would break the dotted keys by which `vary` finds an element.
Name = Annotated[
    str,
    Field(
        pattern=r"^\w([\w \-]*[\w\-])?$",
        max_length=64,
        description="a name of letters, digits, blanks, - and _, at most 64",
    ),
]
Count = Annotated[int, Field(strict=True, ge=0, le=100_000)]
Number = Annotated[float, Field(strict=True)]
