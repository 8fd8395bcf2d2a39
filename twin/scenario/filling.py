"""Completes a scenario: what it leaves out comes from the data rows and the catalogues.

Rows without `*` are the defaults of every scenario; those of a part that may be
absent, like the orders, only where it is there. Rows with `*` and catalogues
complete the elements of lists.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from twin.scenario.catalogue import gateway_kinds, gateway_model, scanner_model, scanner_models
from twin.scenario.defaults import Row, rows
from twin.scenario.schema import node_at, schema_keys

__all__ = ["defaults", "fill", "name_scanners"]

Document = dict[str, Any]


def defaults() -> Document:
    """Give the document that every scenario starts from."""
    found: Document = {}
    valid = set(schema_keys()) - {row.key for row in _rows_of_options()}
    for key, row in rows().items():
        if key in valid and "*" not in key:
            *parents, last = key.split(".")
            table = found
            for name in parents:
                table = table.setdefault(name, {})
            table[last] = copy.deepcopy(row.toml_value)
    return found


@cache
def _rows_of_options() -> tuple[Row, ...]:
    """List the rows below a part that may be absent."""
    found = []
    for key in set(schema_keys()) & set(rows()):
        parent = node_at(key.split(".")[:-1]) if "*" not in key else None
        if parent is not None and parent.may_be_absent:
            found.append(rows()[key])
    return tuple(sorted(found, key=lambda row: row.key))


def fill(document: Document) -> dict[str, str]:
    """Complete what a document began; say for each key where it came from."""
    origins: dict[str, str] = {}
    _fill_options(document, origins)
    for group in _elements(document, "fleet", "scanners"):
        # With an unknown model any other completes the group: the one slip is
        # then reported, and not also what follows from it.
        given = group.get("model")
        model = given if given in scanner_models() else scanner_models()[0]
        firmware = scanner_model(model).firmware
        _give(group, "fleet.scanners", "firmware", firmware, "data/scanners.toml", origins)
    for group in _elements(document, "fleet", "gateways"):
        _fill_gateway(group, origins)
    for key, row in rows().items():
        if key.split(".", 1)[0] in document and "*" in key:
            section, plural, _, field = key.split(".")
            for item in _elements(document, section, plural):
                value = copy.deepcopy(row.toml_value)
                _give(item, f"{section}.{plural}", field, value, row.file, origins)
    return origins


def _fill_options(document: Document, origins: dict[str, str]) -> None:
    for row in _rows_of_options():
        *parents, last = row.key.split(".")
        table: Any = document
        for name in parents:
            table = table.get(name) if isinstance(table, dict) else None
        if isinstance(table, dict) and last not in table:
            table[last] = copy.deepcopy(row.toml_value)
            origins[row.key] = row.file


def name_scanners(document: Document) -> None:
    """Call a group of scanners by its model where it has no name of its own."""
    for place, group in enumerate(_elements(document, "fleet", "scanners")):
        model = group.get("model")
        group.setdefault("name", model if model in scanner_models() else f"scanners {place}")


def _fill_gateway(group: Document, origins: dict[str, str]) -> None:
    stations = group.get("stations")
    if isinstance(stations, (list, tuple)) and stations:
        group.setdefault("count", len(stations))
    kind = group.get("kind")
    model = gateway_model(kind if kind in gateway_kinds() else gateway_kinds()[0])
    file = "data/gateways.toml"
    _give(group, "fleet.gateways", "scanner_limit", model.scanner_limit, file, origins)
    _give(group, "fleet.gateways", "firmware", model.firmware, file, origins)


def _elements(document: Document, section: str, plural: str) -> list[Document]:
    table = document.get(section)
    items = table.get(plural) if isinstance(table, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _give(
    item: Document, place: str, field: str, value: Any, file: str, origins: dict[str, str]
) -> None:
    if field not in item:
        item[field] = value
        origins[f"{place}.{item.get('name')}.{field}"] = file
