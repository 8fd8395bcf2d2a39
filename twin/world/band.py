"""The band at 2.4 GHz on a site: who is near whom, which channels overlap, and how often one hits
the other.

A hit is that of ALOHA without slots: frames that begin at random so many times a second leave an
exchange alone with probability exp(-rate x window), the window being the air time of both
(Abramson, "The ALOHA system", 1970). Rate times window is called the load here.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.draws import exp
from twin.mesh.nodes import MeshNode
from twin.radio import BLE_DATA_CHANNELS, ble_mhz, mesh_mhz, overlaps, wifi_mhz
from twin.scenario import Coexistence, Scenario
from twin.world.pairing import crosses

_LN10_OVER_10 = 0.23025850929940458


def taken(load: float) -> float:
    """Return the share of exchanges that a load takes [1].

    >>> taken(0.0)
    0.0
    """
    return 1.0 - exp(-load)


class Hops(NamedTuple):
    """BLE data channels that the same others disturb: how many, by which of the mesh's channels,
    and for which share of the time by Wi-Fi.
    """

    channels: int
    mesh: tuple[int, ...]
    wifi_duty: float


def hops(band: Coexistence, channels: Sequence[int]) -> list[Hops]:
    """Return the data channels of BLE by who disturbs them.

    Parameters
    ----------
    band
        What overlaps.
    channels
        SNAP channels of the mesh; ``Hops`` refers to their places here.
    """
    counts: dict[tuple[tuple[int, ...], float], int] = {}
    for channel in range(BLE_DATA_CHANNELS):
        centre_mhz = ble_mhz(channel)
        mesh = tuple(
            place
            for place, other in enumerate(channels)
            if overlaps(centre_mhz, mesh_mhz(other), band.mesh_reach_mhz)
        )
        key = mesh, _wifi_duty(band, centre_mhz, band.wifi_reach_mhz)
        counts[key] = counts.get(key, 0) + 1
    return [Hops(number, *key) for key, number in counts.items()]


def share_of_hops(band: Coexistence, channel: int) -> float:
    """Return on which share of its hops BLE meets a channel of the mesh [1]."""
    reach_mhz = band.mesh_reach_mhz
    met = [overlaps(ble_mhz(k), mesh_mhz(channel), reach_mhz) for k in range(BLE_DATA_CHANNELS)]
    return sum(met) / BLE_DATA_CHANNELS


def wifi_on_mesh(band: Coexistence, channel: int) -> float:
    """Return for which share of the time Wi-Fi is on a channel of the mesh [1]."""
    return _wifi_duty(band, mesh_mhz(channel), band.wifi_mesh_reach_mhz)


def _wifi_duty(band: Coexistence, centre_mhz: float, reach_mhz: float) -> float:
    """Return for which share of the time Wi-Fi is on a channel [1]."""
    return sum(
        cell.duty for cell in band.wifi if overlaps(wifi_mhz(cell.channel), centre_mhz, reach_mhz)
    )


def wifi_load(band: Coexistence, duty: float, air_us: int) -> float:
    """Return the load of Wi-Fi that is on the air so often, on exchanges of an air time [1]."""
    return duty * (1.0 + air_us / band.wifi_burst_us)


def near_nodes(
    scenario: Scenario, places: NDArray[np.float64], nodes: Sequence[MeshNode]
) -> NDArray[np.bool_]:
    """Return which nodes of the mesh are near places: their mean level there is high enough.

    A node without a place of its own is near nobody.

    Parameters
    ----------
    places
        Shape (p, 2) [m].
    nodes
        Of the mesh.

    Returns
    -------
    array of shape (p, nodes)
    """
    points = np.array([(n.x_m, n.y_m) for n in nodes], float).reshape(-1, 2)
    start, end = places[:, None, :], points[None, :, :]
    metres = np.sqrt(((end - start) ** 2).sum(axis=2))
    walls = np.zeros(metres.shape, np.int64)
    for wall in scenario.site.walls:
        walls += crosses(start, end, wall)
    powers = np.array([node.power_dbm for node in nodes])
    near = np.zeros(metres.shape, bool)
    for power_dbm in set(powers.tolist()):
        for crossed in set(walls.ravel().tolist()):
            reach_m = _reach_m(scenario, power_dbm, crossed)
            near |= (powers == power_dbm) & (walls == crossed) & (metres <= reach_m)
    return near


def _reach_m(scenario: Scenario, power_dbm: float, walls: int) -> float:
    """Return how far a node is near behind so many walls, -1 for nowhere [m]."""
    radio, band = scenario.mesh.radio, scenario.coexistence
    assert band is not None
    budget_db = power_dbm - radio.reference_loss_db - walls * radio.wall_loss_db - band.near_dbm
    if budget_db < 0.0:
        return -1.0
    return float(exp(budget_db * _LN10_OVER_10 / radio.path_loss_exponent))
