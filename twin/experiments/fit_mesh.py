"""What of a mesh a topology tells: the radio's law where places are known, else its links."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from twin import units
from twin.analysis.path_loss import FEWEST_LINKS, Pairs, fit_path_loss
from twin.errors import RunError
from twin.experiments.exports import Topology
from twin.experiments.fit_work import Line, left
from twin.mesh.near import walls_between
from twin.mesh.nodes import make_nodes
from twin.scenario import Scenario

__all__ = ["of_topology"]

Places = Mapping[str, tuple[float, float]]


def of_topology(topology: Topology, places: Places, base: Scenario) -> Iterator[Line]:
    """Yield the radio's law from links between known places, else the links as they are.

    Places come from a file, else from the base: its nodes by their names or addresses.
    """
    known = _known_places(places, base)
    powers = {name: node.power_dbm for node in make_nodes(base, base.run.seed)
              for name in (node.name, node.address.lower())}  # fmt: skip
    pairs, unplaced = _pairs(topology, known, powers, base)
    radio = ("path_loss_exponent", "reference_loss", "shadowing")
    if pairs is None:
        why = f"places of at least two nodes are due; {unplaced} of the topology have none"
        for name in radio:
            yield left(f"mesh.radio.{name}", why)
        yield from _as_it_is(topology, base)
        return
    heard = int(np.isfinite(pairs.level_dbm).sum())
    try:
        found = fit_path_loss(pairs)
    except RunError as error:
        for name in radio:
            yield left(f"mesh.radio.{name}", error.what, heard)
        return
    own = base.mesh.radio
    others = own.fading_db**2 + 2 * own.node_offset_db**2 + own.direction_db**2
    shadowing_db = float(np.sqrt(max(0.0, found.spread_db**2 - others)))
    less = "" if not unplaced else f"; {unplaced} nodes without a place left out"
    note = (f"{found.links} links heard, {found.silent} pairs silent below "
            f"{pairs.heard_dbm:.0f} dBm{less}")  # fmt: skip
    off = f"levels off by at most {found.ks:.1%}"
    n = found.links
    yield Line("mesh.radio.path_loss_exponent", n, "log-distance", round(found.exponent, 3),
               f"standard error {found.exponent_se:.2f}; {off}", note)  # fmt: skip
    yield Line("mesh.radio.reference_loss", n, "log-distance",
               units.format_level(round(found.reference_loss_db, 2)),
               f"standard error {found.reference_loss_se:.1f} dB", note)  # fmt: skip
    yield Line("mesh.radio.shadowing", n, "normal", units.format_level(round(shadowing_db, 2)),
               f"standard error {found.spread_se:.1f} dB", "the spread of levels, less fading, "
               "offsets of nodes and directions of the base")  # fmt: skip


def _known_places(places: Places, base: Scenario) -> dict[str, tuple[float, float]]:
    """Return where nodes stand, by every name a topology may call them."""
    found = {}
    for node in make_nodes(base, base.run.seed):
        if node.x_m is not None and node.y_m is not None:
            found[node.name] = found[node.address.lower()] = (node.x_m, node.y_m)
    return found | {name.lower(): place for name, place in places.items()} | dict(places)


def _pairs(
    topology: Topology, known: Places, powers: Mapping[str, float], base: Scenario
) -> tuple[Pairs | None, int]:
    """Return who could hear whom, and how many nodes have no place.

    A pair is silent only if its sender was heard by somebody and its receiver heard somebody: a
    node that was never asked, or whose report was lost, says nothing.
    """
    links = topology.links
    names = dict.fromkeys([*links["starts"], *links["ends"]])
    calls = {name: name if name in known else name.lower() for name in names}
    placed = {name: known[call] for name, call in calls.items() if call in known}
    if len(placed) < 2:
        return None, len(names) - len(placed)
    starts = [name for name in dict.fromkeys(links["starts"]) if name in placed]
    ends = [name for name in dict.fromkeys(links["ends"]) if name in placed]
    levels = dict(zip(zip(links["starts"], links["ends"], strict=True), links["levels"],
                      strict=True))  # fmt: skip
    walls = np.array([(w.x1_m, w.y1_m, w.x2_m, w.y2_m) for w in base.site.walls], float)
    rows = [
        _pair(placed[a], placed[b], levels.get((a, b), np.nan),
              powers.get(calls[a], base.mesh.radio.transmit_power_dbm), walls.reshape(-1, 4), base)
        for a in starts for b in ends if a != b
    ]  # fmt: skip
    index = {name: n for n, name in enumerate(placed)}
    both = [sorted((index[a], index[b])) for a in starts for b in ends if a != b]
    if not rows:
        return None, len(names) - len(placed)
    distance_m, level_dbm, power_dbm = np.array(rows).T
    own = base.mesh.radio
    pairs = Pairs(
        distance_m, level_dbm, power_dbm, own.meter_floor_dbm, _heard_dbm(base),
        own.meter_error_db, np.array([low * len(index) + high for low, high in both], np.int64),
    )  # fmt: skip
    return pairs, len(names) - len(placed)


def _pair(
    a: tuple[float, float], b: tuple[float, float], level_dbm: float, power_dbm: float,
    walls: Any, base: Scenario,
) -> tuple[float, float, float]:  # fmt: skip
    """Return distance, level, and power less the walls on the way."""
    crossed = int(walls_between(walls, *a, *b))
    lost_db = crossed * base.mesh.radio.wall_loss_db
    return float(np.hypot(a[0] - b[0], a[1] - b[1])), level_dbm, power_dbm - lost_db


def _heard_dbm(base: Scenario) -> float:
    """Return at which level the frame of a survey gets through every other time [dBm].

    The cliff is that of frames of the reference length; shorter ones get farther.
    """
    mesh = base.mesh
    size = mesh.mac.header_bytes + mesh.mac.frame_bytes + mesh.survey.command_bytes
    chance = 0.5 ** (mesh.radio.reference_bytes / size)
    shift_db = mesh.radio.cliff_width_db * float(np.log(chance / (1.0 - chance)))
    return max(mesh.radio.sensitivity_dbm, mesh.radio.cliff_dbm + shift_db)


def _as_it_is(topology: Topology, base: Scenario) -> Iterator[Line]:
    """Yield the topology as measured links, and its gateways as bridges."""
    links = topology.links
    count = len(links["starts"])
    names = {*links["starts"], *links["ends"]}
    bridges = [name for name in topology.gateways if name in names]
    own = [bridge.name for bridge in base.mesh.bridges if bridge.name in names]
    if not (bridges or own):
        why = "no gateway among its nodes: name one of them in [[mesh.bridges]] of the base"
        yield left("mesh.measured", why, count)
        return
    if count < FEWEST_LINKS:
        note = "a topology on trial shows five nodes: as it is, with all it lacks"
    else:
        note = "no places are known: the topology as it is"
    yield Line("mesh.measured", count, "links", {key: list(found) for key, found in links.items()},
               "", note)  # fmt: skip
    if not own:
        value = [{"name": name} for name in bridges]
        yield Line("mesh.bridges", len(bridges), "nodes", value, "", "gateways of the topology")
    if base.mesh.nodes:
        note = "the measured links have nodes of their own"
        yield Line("mesh.nodes", count, "nodes", [], "", note)
