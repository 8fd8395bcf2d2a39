"""What of a scenario decides which key figures: its floor, its mesh, or the whole of it.

Where nothing joins them (no ``[coexistence]``), floor and mesh do not feel each other, and chance
is addressed by what it decides: each alone gives the figures that it gives beside the other. So
what a design leaves alone is not simulated again for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twin.analysis.coexistence import BAND_KPIS
from twin.analysis.hosts import HOST_KPIS
from twin.analysis.kpis import KPIS, Kpi
from twin.analysis.mesh import MESH_KPIS
from twin.errors import RunError
from twin.resources import near
from twin.scenario import Scenario

__all__ = ["FLOOR_KPIS", "Part", "known_kpis", "named_kpis", "parts_of", "unit_of"]

FLOOR_KPIS = frozenset(kpi.name for kpi in KPIS)
"""The key figures of the floor, which can be counted from any moment on."""
_DAY_US = 86_400_000_000
_FLOOR_ALONE = ("mesh", "snap")
"""Sections that the floor does not feel."""
_MESH_ALONE = ("work", "fleet", "links", "cloud")
"""Sections that the mesh does not feel."""


@dataclass(frozen=True)
class Part:
    """What has to be simulated for some key figures: its document, and their names in order."""

    document: dict[str, Any]
    digest: str
    kpis: tuple[str, ...]


def known_kpis(scenario: Scenario) -> tuple[Kpi, ...]:
    """Return the key figures that a run of a scenario has."""
    found: tuple[Kpi, ...] = KPIS
    if scenario.mesh.node_count:
        found += (*MESH_KPIS, *HOST_KPIS)
    return (*found, *BAND_KPIS) if scenario.coexistence is not None else found


def unit_of(kpi: str) -> str:
    """Return the unit of a key figure."""
    units = {one.name: one.unit for one in (*KPIS, *MESH_KPIS, *HOST_KPIS, *BAND_KPIS)}
    return units[kpi]


def named_kpis(scenario: Scenario, asked: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the key figures that were asked for, None for all that there are.

    Raises
    ------
    RunError
        A run of the scenario has no such figure.
    """
    known = [kpi.name for kpi in known_kpis(scenario)]
    if asked is None:
        return tuple(known)
    if isinstance(asked, str):
        asked = (asked,)
    for name in asked:
        if name not in known:
            close = near(name, known)
            hint = f"did you mean {close}?" if close else f"there are {', '.join(known)}"
            raise RunError(f"{scenario.name} has no key figure {name!r}", hint=hint)
    if not asked:
        raise RunError("no key figure was asked for", hint=f"there are {', '.join(known)}")
    return tuple(dict.fromkeys(asked))


def parts_of(scenario: Scenario, kpis: Sequence[str], *, until_us: int = 0) -> list[Part]:
    """Return what has to be simulated for some key figures, each figure in one part.

    Parameters
    ----------
    scenario
        Whose figures they are.
    kpis
        Their names.
    until_us
        How long a run is, where that is longer than the horizon [us].
    """
    document = scenario.document()
    # What a run expects of its days is laid out for as many as it may have.
    days = -(-max(scenario.run.horizon_us, until_us) // _DAY_US)
    document["run"] = {**document["run"], "horizon": f"{days} d"}
    if scenario.coexistence is not None:
        return [_part(document, (), tuple(kpis))]
    of_floor = tuple(name for name in kpis if name in FLOOR_KPIS)
    of_mesh = tuple(name for name in kpis if name not in FLOOR_KPIS)
    parts = [(_FLOOR_ALONE, of_floor), (_MESH_ALONE, of_mesh)]
    return [_part(document, without, names) for without, names in parts if names]


def _part(document: dict[str, Any], without: Sequence[str], kpis: tuple[str, ...]) -> Part:
    """Return a part: a document without some sections, and without what changes no result."""
    kept = {key: value for key, value in document.items() if key not in without}
    kept |= {"name": "part", "question": "What does this part of the site do?"}
    # The seed is given with each run, its length, too; both engines give the same rows.
    kept["run"] = {**document["run"], "seed": 0, "engine": "compiled"}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return Part(kept, hashlib.sha256(text.encode()).hexdigest(), kpis)
