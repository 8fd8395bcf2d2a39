"""Who hears whom: links from places and walls by the radio's law, or as they were measured."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.compiling import rule
from twin.draws import exp, fold, inner_unit, normal_quantile, root
from twin.mesh.near import pairs_within, walls_between
from twin.mesh.nodes import MeshNode, node_word
from twin.mesh.plan import LINK, MAC, RADIO, ROUTING, MeshPlan
from twin.mesh.rules.radio import level_dbm, power_fw
from twin.mesh.rules.streams import METER
from twin.scenario import ANY_CHANNEL, Measured, Mesh, MeshRadio, Scenario

_LN10_OVER_10 = 0.23025850929940458
_REACH_SPREADS = 3.0
"""How many standard deviations above its mean a level may be to be found."""
_LONGEST_M = 20_000.0
_BLINDEST = 127


def make_mesh_plan(scenario: Scenario, nodes: Sequence[MeshNode], seed: int) -> MeshPlan:
    """Return a scenario's mesh as numbers, for one seed."""
    mesh = scenario.mesh
    radio = _radio(mesh.radio)
    words = np.array([node_word(node) for node in nodes], np.int64)
    if mesh.measured is not None:
        starts, links = _measured_links(mesh.measured, nodes, words, seed)
    else:
        starts, links = _computed_links(scenario, radio, nodes, words, seed)
    _finish(links, starts, nodes, mesh.radio)
    order = np.lexsort((links["end"], starts))
    counts = np.bincount(starts, minlength=len(nodes))
    return MeshPlan(
        mac=_mac(mesh, seed),
        radio=radio,
        routing=_routing(mesh),
        words=words,
        process_groups=np.array([node.process_groups for node in nodes], np.int32),
        forward_groups=np.array([node.forward_groups for node in nodes], np.int32),
        is_bridge=np.array([node.is_bridge for node in nodes], bool),
        links=links[order],
        first_link=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        buffers=mesh.mac.buffers,
        remembered=mesh.mac.remembered,
    )


def _radio(radio: MeshRadio) -> NDArray[np.void]:
    """Return the numbers of the radio."""
    record = np.zeros(1, RADIO)
    for name in RADIO.names or ():
        record[0][name] = getattr(radio, name)
    return record


def _mac(mesh: Mesh, seed: int) -> NDArray[np.void]:
    """Return the numbers of the medium access."""
    record, mac = np.zeros(1, MAC), mesh.mac
    own = {
        "seed": seed,
        "busy_fw": power_fw(mac.busy_dbm),
        "reference_bytes": mesh.radio.reference_bytes,
        "overhead_bytes": mac.header_bytes + mac.frame_bytes,
        "unicast_overhead_bytes": mac.unicast_header_bytes + mac.frame_bytes,
        "capture_ratio": exp(mac.capture_db * _LN10_OVER_10),
    }
    for name in MAC.names or ():
        record[0][name] = own[name] if name in own else getattr(mac, name)
    return record


def _routing(mesh: Mesh) -> NDArray[np.void]:
    """Return the numbers of route discovery."""
    record = np.zeros(1, ROUTING)
    for name in ROUTING.names or ():
        record[0][name] = getattr(mesh.routing, name)
    for name in ("request_bytes", "reply_bytes", "error_bytes"):
        record[0][name] += mesh.mac.frame_bytes
    return record


def _computed_links(
    scenario: Scenario,
    radio: NDArray[np.void],
    nodes: Sequence[MeshNode],
    words: NDArray[np.int64],
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.void]]:
    """Return senders and links of nodes that have places: all that may be stronger than noise."""
    x_m = np.array([node.x_m for node in nodes], float)
    y_m = np.array([node.y_m for node in nodes], float)
    channels = np.array([node.network.channel for node in nodes], np.int64)
    powers = np.array([node.power_dbm for node in nodes], float)
    walls = [(w.x1_m, w.y1_m, w.x2_m, w.y2_m) for w in scenario.site.walls]
    pairs = pairs_within(x_m, y_m, _reach_m(scenario.mesh.radio, float(powers.max(initial=-150.0))))
    pairs = pairs[channels[pairs[:, 0]] == channels[pairs[:, 1]]]
    links, starts = np.zeros(2 * len(pairs), LINK), np.zeros(2 * len(pairs), np.int64)
    used = fill_links(
        radio[0], root(seed), words, x_m, y_m, powers, channels,
        np.array(walls, float).reshape(-1, 4), pairs, scenario.mesh.radio.sensitivity_dbm,
        links, starts,
    )  # fmt: skip
    return starts[:used], links[:used]


def _reach_m(radio: MeshRadio, power_dbm: float) -> float:
    """Return how far a link can be that is stronger than the receivers' sensitivity [m]."""
    variance = sum(
        part * part
        for part in (
            radio.shadowing_db, radio.fading_db, radio.node_offset_db, radio.node_offset_db,
            radio.direction_db,
        )
    )  # fmt: skip
    budget_db = power_dbm - radio.sensitivity_dbm - radio.reference_loss_db
    budget_db += _REACH_SPREADS * float(np.sqrt(variance))
    return max(1.0, min(_LONGEST_M, exp(budget_db * _LN10_OVER_10 / radio.path_loss_exponent)))


@rule
def fill_links(
    radio: np.void,
    seed_state: int,
    words: NDArray[np.int64],
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
    powers_dbm: NDArray[np.float64],
    channels: NDArray[np.int64],
    walls: NDArray[np.float64],
    pairs: NDArray[np.int64],
    sensitivity_dbm: float,
    links: NDArray[np.void],
    starts: NDArray[np.int64],
) -> int:
    """Fill both links of every pair that are strong enough; return how many there are."""
    used = 0
    for k in range(len(pairs)):
        a, b = pairs[k, 0], pairs[k, 1]
        dx, dy = x_m[a] - x_m[b], y_m[a] - y_m[b]
        distance_m = np.sqrt(dx * dx + dy * dy)
        crossed = walls_between(walls, x_m[a], y_m[a], x_m[b], y_m[b])
        low, high = min(words[a], words[b]), max(words[a], words[b])
        pair = fold(fold(seed_state, low), high)
        for turn in range(2):
            start, end = (a, b) if turn == 0 else (b, a)
            from_state, to_state = fold(seed_state, words[start]), fold(seed_state, words[end])
            level = level_dbm(
                radio, distance_m, crossed, powers_dbm[start], from_state, to_state, pair,
                channels[a],
            )  # fmt: skip
            if level >= sensitivity_dbm:
                links[used]["level_dbm"] = level
                links[used]["state"] = fold(fold(from_state, words[end]), channels[a])
                links[used]["end"] = end
                links[used]["reception"] = -1.0
                starts[used] = start
                used += 1
    return used


def _measured_links(
    measured: Measured,
    nodes: Sequence[MeshNode],
    words: NDArray[np.int64],
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.void]]:
    """Return senders and links that were measured on the channels of their nodes."""
    index, seed_state = {node.name: n for n, node in enumerate(nodes)}, root(seed)
    found, starts = [], []
    rows = zip(
        measured.starts, measured.ends, measured.channels, measured.levels_dbm,
        measured.receptions, strict=True,
    )  # fmt: skip
    for start, end, channel, level, reception in rows:
        a, b = index[start], index[end]
        shared = nodes[a].network.channel
        if shared == nodes[b].network.channel and channel in (ANY_CHANNEL, shared):
            state = fold(fold(fold(seed_state, int(words[a])), int(words[b])), shared)
            found.append((level, reception, 0.0, state, 0.0, b, 0, 0))
            starts.append(a)
    return np.array(starts, np.int64), np.array(found, LINK)


def _finish(
    links: NDArray[np.void],
    starts: NDArray[np.int64],
    nodes: Sequence[MeshNode],
    radio: MeshRadio,
) -> None:
    """Fill what follows from the level of a link, and from the networks of its ends."""
    interfered = np.array([n.network.channel in radio.interfered_channels for n in nodes], bool)
    if not len(links):
        return
    links["interference"] = np.where(interfered[starts], radio.interference, 0.0)
    kinds = {network: k for k, network in enumerate({node.network: 0 for node in nodes})}
    of_node = np.array([kinds[node.network] for node in nodes], np.int64)
    hears = np.array([[b.hears(a) for b in kinds] for a in kinds], bool)
    links["hears"] = hears[of_node[starts], of_node[links["end"]]]
    fill_meters(links, radio.meter_error_db, -radio.meter_floor_dbm)


@rule
def fill_meters(links: NDArray[np.void], error_db: float, weakest: float) -> None:
    """Fill the power that arrives, and the link quality that the receiver's meter shows."""
    for k in range(len(links)):
        level = links[k]["level_dbm"]
        error = error_db * normal_quantile(inner_unit(fold(fold(links[k]["state"], METER), 0)))
        shown = min(weakest, max(0.0, -level + error))
        links[k]["power_fw"] = power_fw(level)
        links[k]["quality"] = int(min(_BLINDEST, shown) + 0.5)
