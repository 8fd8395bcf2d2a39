"""BLE, Wi-Fi and the mesh share a band: what one does in a step, the others feel in the next.

The conductor calls ``due_us`` wherever it stops, and ``exchange`` at the end of every step in which
the mesh worked. What is remembered between is plain: counts of the last two steps, which gateway
each worker is at, and what the nodes of the mesh had sent.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.events import NEVER, Kind, Outcome
from twin.floor.engines import FloorEngine
from twin.mesh.rules.mac import airtime_us
from twin.radio import BLE_DATA_CHANNELS
from twin.scenario import Coexistence, Scenario
from twin.world.band import hops, near_nodes, share_of_hops, taken, wifi_load, wifi_on_mesh
from twin.world.network import Network
from twin.world.roster import Roster

__all__ = ["Figures", "SharedBand"]

_NEVER = int(NEVER)
_NOWHERE = -1
_TAKES = (Kind.SESSION_OPEN, Kind.SWAP, Kind.ROAM)
_SAYS = (Kind.SCAN, Kind.TELEMETRY)
_LOST = (Outcome.LOST_BLE, Outcome.NOT_CONNECTED)


class Figures(NamedTuple):
    """What the band cost so far.

    Parameters
    ----------
    ble_taken
        Share of each gateway's connection events that others took, mean over time, shape
        (gateways,) [1].
    ble_taken_max, mesh_taken_max, mesh_duty_max
        The most that was taken of a gateway's connection events and of a node's frames at
        -88 dBm, and the largest share of time that near nodes sent, each in one step [1].
    """

    ble_taken: NDArray[np.float64]
    ble_taken_max: float
    mesh_taken_max: float
    mesh_duty_max: float


class _Said(NamedTuple):
    """What BLE did in a step: messages at each gateway, and where each worker is at its end."""

    messages: NDArray[np.int64]
    gateway_of: NDArray[np.int64]


class _Activity:
    """What BLE did, from the rows of the floor: the step under way, and the one before."""

    def __init__(self, workers: int, gateways: int, step_us: int) -> None:
        """Begin before the first step."""
        self._step_us = step_us
        self._step = -1
        nothing = _Said(np.zeros(gateways, np.int64), np.full(workers, _NOWHERE))
        self._last = self._before = nothing

    def add(self, rows: NDArray[np.void]) -> None:
        """Count rows, the next in order."""
        if not len(rows):
            return
        steps = rows["time_us"] // self._step_us
        step = int(steps[-1])
        if step > self._step:
            older, old = np.searchsorted(steps, [step - 1, step]).tolist()
            known = self._last.messages if self._step == step - 1 else 0
            moved = _moved(self._last.gateway_of, rows[:old])
            self._before = _Said(known + self._count(rows[older:old]), moved)
            self._last = _Said(self._count(rows[old:]), _moved(moved, rows[old:]))
            self._step = step
        else:
            messages = self._last.messages + self._count(rows)
            self._last = _Said(messages, _moved(self._last.gateway_of, rows))

    def _count(self, rows: NDArray[np.void]) -> NDArray[np.int64]:
        """Return exchanges at each gateway: tries, and the answer to a scan that arrived [1]."""
        said = rows[np.isin(rows["kind"], _SAYS)]
        answered = (said["kind"] == Kind.SCAN) & ~np.isin(said["outcome"], _LOST)
        gateways = len(self._last.messages)
        tries = said["attempts"].astype(np.int64) + answered
        return np.bincount(said["gateway"], tries, gateways).astype(np.int64)

    def before(self, step: int) -> _Said:
        """Return what BLE did in the step before one; the floor has come into that one."""
        if step - 1 < self._step:
            return self._before
        if step - 1 == self._step:
            return self._last
        return _Said(np.zeros_like(self._last.messages), self._last.gateway_of)

    def grow(self, gateways: int) -> None:
        """Make room for so many gateways: more than before."""
        more = np.zeros(gateways - len(self._last.messages), np.int64)
        self._last = self._last._replace(messages=np.append(self._last.messages, more))
        self._before = self._before._replace(messages=np.append(self._before.messages, more))


def _moved(gateway_of: NDArray[np.int64], rows: NDArray[np.void]) -> NDArray[np.int64]:
    """Return where workers are after some rows, -1 for nowhere."""
    found = gateway_of.copy()
    for row in rows[np.isin(rows["kind"], (*_TAKES, Kind.SESSION_CLOSE))]:
        found[row["worker"]] = row["gateway"] if row["kind"] in _TAKES else _NOWHERE
    return found


class SharedBand:
    """Who disturbs whom on a site, step by step."""

    def __init__(
        self, scenario: Scenario, roster: Roster, floor: FloorEngine, network: Network
    ) -> None:
        """Let Wi-Fi disturb both from the first moment on; the scenario has a coexistence."""
        assert scenario.coexistence is not None
        self._scenario = scenario
        self._band: Coexistence = scenario.coexistence
        self._floor = floor
        self._network = network
        self._frame_us = int(airtime_us(scenario.mesh.radio.reference_bytes))
        self._moves = -1  # of nodes to other networks, when their channels were looked at
        self._look_at_channels()
        self.activity = _Activity(len(roster.workers), len(roster.gateways), self._band.step_us)
        self._sent = network.engine.use()
        self._told = -1  # the step of which the mesh knows
        self._works = False  # the mesh did in the step before
        self._since_us = 0
        self._ble_taken = self._ble_taken_us = np.zeros(0)
        self._ble_taken_max = self._mesh_taken_max = self._mesh_duty_max = 0.0
        self.grow(roster, 0)
        self._tell_mesh(0)

    def _look_at_channels(self) -> None:
        """Take up which node is on which channel, if any moved."""
        if self._moves == self._network.moves:
            return
        self._moves = self._network.moves
        channels = [node.network.channel for node in self._network.nodes]
        self._channels = sorted(set(channels))
        self._of_channel = [np.array(channels) == channel for channel in self._channels]
        self._hops = hops(self._band, self._channels)
        self._hop_share, self._wifi_load = np.zeros(len(channels)), np.zeros(len(channels))
        for channel, mine in zip(self._channels, self._of_channel, strict=True):
            duty = wifi_on_mesh(self._band, channel)
            self._hop_share[mine] = share_of_hops(self._band, channel)
            self._wifi_load[mine] = wifi_load(self._band, duty, self._frame_us)

    def grow(self, roster: Roster, now_us: int) -> None:
        """Take up the gateways that a roster has more than before."""
        self._roster = roster
        ble = self._scenario.links.ble
        links = [ble.mobile if g.kind == "mobile" else ble.stationary for g in roster.gateways]
        self._air_us = np.array([link.packet_air_us for link in links], np.int64)
        self._events = self._band.step_us // np.array(
            [link.connection_interval_us for link in links], np.int64
        )
        places = [(g.x_m, g.y_m) for g in roster.gateways]
        fixed = np.array(places, float).reshape(-1, 2)
        # A phone is where its worker is: nowhere yet.
        self._near = near_nodes(self._scenario, fixed, self._network.nodes)
        self._near_worker: dict[int, NDArray[np.bool_]] = {}
        self.activity.grow(len(links))
        known = len(self._ble_taken_us)
        self._ble_taken_us = np.append(self._ble_taken_us, np.zeros(len(links) - known))
        quiet = self._taken_at_gateways(np.zeros((len(links), len(self._channels)), np.int64))
        self._ble_taken = np.append(self._ble_taken, quiet[known:])
        self._ble_taken_max = max(self._ble_taken_max, float(quiet.max(initial=0.0)))
        self._floor.disturb(self._ble_taken, now_us)

    def due_us(self, now_us: int) -> int:
        """Return when both sides next tell each other what they did, NEVER for not yet [us].

        Floor and agenda have come up to this moment; where the mesh may work in this step, it is
        told what BLE did in the one before.
        """
        step_us, next_us = self._band.step_us, self._network.next_us
        ends_us = (now_us // step_us + 1) * step_us
        if next_us < ends_us:
            self._tell_mesh(now_us // step_us)
        if self._works or next_us < ends_us:
            return ends_us
        return _NEVER if next_us == _NEVER else next_us // step_us * step_us

    def exchange(self, now_us: int) -> None:
        """A step ends: let the links of the floor feel what the mesh did in it."""
        self._network.run(now_us)
        self._look_at_channels()
        used = self._network.engine.use()
        air_us, sent = (used[name] - self._sent[name] for name in ("air_us", "sent"))
        self._sent, self._works = used, bool(sent.any())
        near = self._near_to(self.activity.before(now_us // self._band.step_us))
        busy_us = np.zeros((len(near), len(self._channels)), np.int64)
        for place, mine in enumerate(self._of_channel):
            frames_us = near[:, mine] @ air_us[mine]
            busy_us[:, place] = frames_us + self._air_us * (near[:, mine] @ sent[mine])
        duty = (near @ air_us) / self._band.step_us
        self._mesh_duty_max = max(self._mesh_duty_max, float(duty.max(initial=0.0)))
        self._ble_taken_us = self._ble_taken_us + self._ble_taken * (now_us - self._since_us)
        self._since_us = now_us
        self._ble_taken = self._taken_at_gateways(busy_us)
        self._ble_taken_max = max(self._ble_taken_max, float(self._ble_taken.max(initial=0.0)))
        self._floor.disturb(self._ble_taken, now_us)

    def _taken_at_gateways(self, busy_us: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the share of connection events that the others take at each gateway [1].

        Parameters
        ----------
        busy_us
            Windows of the frames near each gateway on each channel, shape (gateways, channels)
            [us].
        """
        shares = np.zeros(len(busy_us))
        for g, (busy, air_us) in enumerate(
            zip(busy_us.tolist(), self._air_us.tolist(), strict=True)
        ):
            for hop in self._hops:
                load = sum(busy[place] for place in hop.mesh) / self._band.step_us
                load += wifi_load(self._band, hop.wifi_duty, air_us)
                shares[g] += hop.channels * taken(load)
        return shares / BLE_DATA_CHANNELS

    def _tell_mesh(self, step: int) -> None:
        """Let the mesh feel what BLE did in the step before, once."""
        if step == self._told:
            return
        self._look_at_channels()
        self._told = step
        said = self.activity.before(step)
        held = said.gateway_of[said.gateway_of >= 0]
        connected = np.bincount(held, minlength=len(self._air_us))
        windows_us = said.messages * (self._air_us + self._frame_us)
        windows_us += connected * self._events * (self._band.idle_air_us + self._frame_us)
        hits = windows_us @ self._near_to(said) / self._band.step_us
        loads, back = np.unique(hits * self._hop_share + self._wifi_load, return_inverse=True)
        shares = np.array([taken(load) for load in loads.tolist()])[back]
        self._mesh_taken_max = max(self._mesh_taken_max, float(shares.max(initial=0.0)))
        self._network.engine.disturb(shares)

    def _near_to(self, said: _Said) -> NDArray[np.bool_]:
        """Return which nodes are near which gateway, phones where their workers are."""
        near = self._near.copy()
        for w in np.flatnonzero(said.gateway_of >= 0).tolist():
            gateway = int(said.gateway_of[w])
            if self._roster.gateways[gateway].kind == "mobile":
                near[gateway] = self._near_this(w)
        return near

    def _near_this(self, w: int) -> NDArray[np.bool_]:
        """Return which nodes are near a worker."""
        if w not in self._near_worker:
            worker = self._roster.workers[w]
            place = np.array([(worker.x_m, worker.y_m)])
            self._near_worker[w] = near_nodes(self._scenario, place, self._network.nodes)[0]
        return self._near_worker[w]

    def figures(self, now_us: int) -> Figures:
        """Return what the band cost until now."""
        taken_us = self._ble_taken_us + self._ble_taken * (now_us - self._since_us)
        return Figures(
            taken_us / max(now_us, 1),
            self._ble_taken_max, self._mesh_taken_max, self._mesh_duty_max,
        )  # fmt: skip
