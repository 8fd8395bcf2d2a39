"""What a scenario rests on: every number it did not measure itself, with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twin.scenario.catalogue import NODE_PLATFORM
from twin.scenario.defaults import Row, catalogue, rows
from twin.scenario.document import Scenario
from twin.scenario.problems import shown
from twin.scenario.schema import leaves

__all__ = ["Assumption", "assumptions"]


@dataclass(frozen=True)
class Assumption:
    """One value: its key, unit, source, certainty A to D ("-": set), and the file it is in."""

    key: str
    value: str
    unit: str
    source: str
    certainty: str
    origin: str

    @property
    def unsourced(self) -> bool:
        """Whether no source gives the value: we assumed it."""
        return self.certainty == "D"


def assumptions(scenario: Scenario) -> tuple[Assumption, ...]:
    """List the values that a scenario rests on, sorted by key.

    Data rows in use, keys that the scenario sets over such a row, and the
    catalogue rows of its models and named laws.
    """
    found = [*_of_keys(scenario), *_of_catalogues(scenario)]
    return tuple(sorted(found, key=lambda item: item.key))


def _of_keys(scenario: Scenario) -> Iterator[Assumption]:
    origins = scenario.provenance.origins
    named = scenario.provenance.laws
    for key, pattern, value in leaves(scenario.document()):
        if key.startswith("mesh.") and not scenario.mesh.exists:
            continue
        row = rows().get(pattern) or _catalogue_row(scenario, key, pattern)
        if row is None:
            continue
        origin = origins.get(key, "")
        if origin.startswith("data/"):
            # Catalogue rows are listed once for the model, not once for each group.
            if row.key == pattern:
                yield _from_row(row, key)
        else:
            yield _set(key, named.get(key, value), row, origin)


def _catalogue_row(scenario: Scenario, key: str, pattern: str) -> Row | None:
    """Find the catalogue row that an element of the fleet could have left standing."""
    head, _, field = pattern.rpartition(".*.")
    name = key.removeprefix(f"{head}.").removesuffix(f".{field}")
    if head == "fleet.gateways" and field in ("scanner_limit", "firmware"):
        kinds = {group.name: group.kind for group in scenario.fleet.gateways}
        return rows().get(f"gateways.{kinds[name]}.{field}")
    if head == "fleet.scanners" and field == "firmware":
        models = {group.name: group.model for group in scenario.fleet.scanners}
        return rows().get(f"models.{models[name]}.{field}")
    return None


def _of_catalogues(scenario: Scenario) -> Iterator[Assumption]:
    used: dict[str, set[str]] = {
        "models": {group.model for group in scenario.fleet.scanners},
        "gateways": {str(group.kind) for group in scenario.fleet.gateways},
        "platforms": {NODE_PLATFORM} if scenario.mesh.exists else set(),
    }
    for kind, names in used.items():
        for name in names:
            for row in catalogue(kind)[name].values():
                yield _from_row(row, row.key)
    for name in set(scenario.provenance.laws.values()):
        yield _from_row(rows()[f"laws.{name}"], f"laws.{name}")


def _from_row(row: Row, key: str) -> Assumption:
    return Assumption(key, _text(row.value), row.unit, row.source, row.certainty, row.file)


def _set(key: str, value: Any, row: Row, origin: str) -> Assumption:
    text, unit = _text(value), row.unit
    if isinstance(value, str) and row.toml_value != row.value:
        # A quantity: its unit is in the text, and need not be that of the row.
        text, _, unit = value.rpartition(" ") if value.count(" ") == 1 else (value, "", "")
    return Assumption(key, text, unit, "set in the scenario", "-", origin)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and "law" in value:
        return _law_text(value)
    return shown(value)


def _law_text(law: Mapping[str, Any]) -> str:
    if law["law"] == "mixture":
        parts = (f"{part['weight']:g} {_law_text(part)}" for part in law["components"])
        return " + ".join(parts)
    numbers = ", ".join(
        f"{name} {value}" for name, value in law.items() if name not in ("law", "weight")
    )
    return f"{law['law']}({numbers})"
