"""The data rows: every default and catalogue value with its unit, source and certainty.

A row is a table of `data/*.toml` that has the four keys. Its dotted key is the
scenario key it is the default of; `*` in it stands for every element of a list.
Rows under `models`, `gateways`, `platforms` and `laws` are catalogues.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from twin import resources, units

__all__ = ["Row", "catalogue", "rows"]

_ROW_KEYS = frozenset({"value", "unit", "source", "certainty"})
_UNITS = frozenset(
    unit
    for kind in (
        units.DURATION,
        units.LENGTH,
        units.POWER,
        units.LEVEL,
        units.TEMPERATURE,
        units.RATIO,
        units.RATE,
    )
    for unit in kind.units
)


@dataclass(frozen=True)
class Row:
    """One sourced value; `certainty` is A, B, C or D (D: our assumption)."""

    key: str
    value: Any
    unit: str
    source: str
    certainty: str
    file: str

    @property
    def toml_value(self) -> Any:
        """The value as a scenario would write it: 50 in "ms" is "50 ms"."""
        plain = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
        return f"{self.value} {self.unit}" if plain and self.unit in _UNITS else self.value


@cache
def rows() -> Mapping[str, Row]:
    """Read all data rows, by dotted key."""
    found: dict[str, Row] = {}
    for name in resources.data_names():
        for key, table in _tables(tomllib.loads(resources.data_text(name)), ""):
            found[key] = Row(key=key, file=f"data/{name}", **table)
    return MappingProxyType(found)


def _tables(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, item in table.items():
        if not isinstance(item, dict):
            continue
        if item.keys() == _ROW_KEYS:
            yield prefix + name, item
        else:
            yield from _tables(item, f"{prefix}{name}.")


def catalogue(kind: str) -> Mapping[str, Mapping[str, Row]]:
    """Give the rows of one catalogue ("models", "platforms"), by name, then by property."""
    found: dict[str, dict[str, Row]] = {}
    for key, row in rows().items():
        head, _, rest = key.partition(".")
        if head == kind:
            name, _, prop = rest.rpartition(".")
            found.setdefault(name or prop, {})[prop] = row
    return found
