"""What an open twin says of the hosts behind its bridges, and what they can be asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from twin.analysis.hosts import (
    change_lines,
    collector_lines,
    device_lines,
    moved_lines,
    survey_lines,
    upgrade_lines,
)
from twin.commands import (
    CancelUpgrade,
    ChangeNetwork,
    Command,
    CutPower,
    StartSurvey,
    StartUpgrade,
)
from twin.errors import RunError
from twin.mesh.images import read_image
from twin.units import parse_duration

if TYPE_CHECKING:
    from twin.world.hosts import Jobs
    from twin.world.network import Network
    from twin.world.site import Site

__all__ = ["HostsTwin"]

T = TypeVar("T")


def _numbered(items: Sequence[T], number: int, what: str, *, by: str = "") -> T:
    """Return the item of a number, from behind where it is negative; raises RunError."""
    if not -len(items) <= number < len(items):
        raise RunError(f"there is no {what} {number}", hint=f"{by or what}() makes one")
    return items[number]


class HostsTwin:
    """The hosts' part of an open twin."""

    if TYPE_CHECKING:  # what the rest of the twin has
        _site: Site

        @property
        def network(self) -> Network:
            """The mesh in time."""

        @property
        def now_us(self) -> int:
            """The simulated moment [us]."""

        def submit(self, asked: Command) -> None:
            """Ask something of the site."""

    @property
    def _jobs(self) -> Jobs:
        """What the hosts do."""
        return self.network.jobs

    @property
    def _node_names(self) -> list[str]:
        """What the nodes are called, in the order in which rows number them."""
        return [node.name for node in self.network.nodes]

    def survey(self, generation: str | None = None) -> int:
        """Survey the mesh from now on; return the survey's number in ``surveys()``.

        Parameters
        ----------
        generation
            "A" (node by node), "B" (all at once) or "C" (until each has a good link); what
            ``[mesh.survey]`` says by default.

        Raises
        ------
        RunError
            No bridge, or no such generation.
        """
        self.submit(StartSurvey(generation or self._site.scenario.mesh.survey.generation))
        return len(self._jobs.surveys) - 1

    def surveys(self) -> pd.DataFrame:
        """Return the surveys, one line each; ``minutes`` is how long it took [min].

        ``silent`` counts the nodes that were commanded and that nobody was heard to report.
        """
        return survey_lines(self._jobs.surveys)

    def survey_links(self, survey: int = -1) -> pd.DataFrame:
        """Return the directed links that a survey found, the last one's by default.

        ``start``, ``end`` and ``link_quality`` [-dBm], as the API's topology has them.

        Raises
        ------
        RunError
            There is no such survey.
        """
        found, names = _numbered(self._jobs.surveys, survey, "survey"), self._node_names
        rows = [(names[a], names[b], q) for (a, b), q in sorted(found.links.items())]
        return pd.DataFrame(rows, columns=["start", "end", "link_quality"])

    def collections(self) -> pd.DataFrame:
        """Return the polls of all collectors, one line each; times in [us].

        ``success`` is the share of devices that answered in time [1]; ``late`` counts answers that
        came when the poll was over, ``left_out`` polls before it that could not begin.
        """
        return collector_lines(self._jobs.collectors)

    def upgrade(
        self,
        image: bytes | None = None,
        *,
        firmware: str | None = None,
        devices: Sequence[str] = (),
        transport: str | None = None,
    ) -> int:
        """Upgrade devices from now on, firmware first; return its number in ``upgrades()``.

        Parameters
        ----------
        image
            A SPY file, as ``make_image`` gives it.
        firmware
            The version of a firmware package.
        devices
            Names of nodes and groups of nodes; all but bridges by default.
        transport
            "unicast", "multicast" or "auto"; what ``[mesh.upgrade]`` says by default.

        Raises
        ------
        ImageError
            The image is none, or there is no such firmware.
        RunError
            Nothing to bring, nobody to bring it to, or no such transport.
        """
        script = None if image is None else read_image(image)
        settings = self._site.scenario.mesh.upgrade
        self.submit(StartUpgrade(
            image="" if script is None else script.name,
            size_bytes=0 if script is None else script.size_bytes,
            firmware=firmware or "",
            devices=(devices,) if isinstance(devices, str) else tuple(devices),
            transport=transport or settings.transport,
            crc=0 if script is None else script.crc,
        ))  # fmt: skip
        return len(self._jobs.upgrades) - 1

    def cancel_upgrade(self, upgrade: int = -1) -> None:
        """Stop an upgrade now, the last one by default; who was erased stays without a script.

        Raises
        ------
        RunError
            There is no such upgrade, or it is over.
        """
        count = len(self._jobs.upgrades)
        self.submit(CancelUpgrade(upgrade + count if -count <= upgrade < 0 else upgrade))

    def change_network(
        self,
        bridges: Sequence[str] = (),
        *,
        channel: int | None = None,
        network_id: str | None = None,
        feature_bits: int | None = None,
        encryption: str | None = None,
        encryption_key: str | None = None,
    ) -> int:
        """Tell nodes of another network, from now on, over the air; their bridges go last.

        Nodes keep what they are told for their next restart, and restart together. Who missed
        either is stranded in the old network; ``network_changed`` tells. What is None stays.

        Parameters
        ----------
        bridges
            Those whose networks change, all by default; all bridges of a network go along.
        channel, network_id, feature_bits, encryption, encryption_key
            0 to 15, like "0x1C2C", 0 to 65,535, "none", "aes-128" or "basic", 16 characters.

        Returns
        -------
        the number of the change in ``network_changes()``, of the first where several networks are
        meant

        Raises
        ------
        RunError
            No bridge, nothing to change, no such value, or a change or an upgrade is under way.
        """
        before = len(self._jobs.changes)
        names = (bridges,) if isinstance(bridges, str) else tuple(bridges)
        self.submit(ChangeNetwork(
            names, channel, network_id, feature_bits, encryption, encryption_key
        ))  # fmt: skip
        return before

    def network_changes(self) -> pd.DataFrame:
        """Return the changes of networks, one line each: who went along, and how long it took.

        ``stranded`` counts the nodes that stayed in the old network when their bridge left.
        """
        return change_lines(self._jobs.changes, self._node_names)

    def network_changed(self, change: int = -1) -> pd.DataFrame:
        """Return what a change of network did to each node, one line each; the last by default.

        ``outcome`` (pending, changed, stranded) and ``reason``, and when it heard the settings
        first [us], -1 for never.

        Raises
        ------
        RunError
            There is no such change.
        """
        found = _numbered(self._jobs.changes, change, "change", by="change_network")
        return moved_lines(found, self._node_names)

    def cut_power(self, nodes: Sequence[str], duration: str = "10 s") -> None:
        """Switch nodes off now, and on again after a while; what is off hears and sends nothing.

        A node that was taking an image stays without a script until it gets it anew.

        Parameters
        ----------
        nodes
            Names of nodes and groups of nodes.
        duration
            For how long, like "10 min".

        Raises
        ------
        RunError
            No mesh, no such node, or no time.
        """
        names = (nodes,) if isinstance(nodes, str) else tuple(nodes)
        self.submit(CutPower(names, parse_duration(duration)))

    def upgrades(self) -> pd.DataFrame:
        """Return the upgrades, one line each: how it stands, and when shares were through.

        ``rounds`` is how often what was missed was sent again;
        ``t50_min``, ``t95_min`` and ``t100_min`` [min]: until half, 95 % and all of the devices
        had succeeded, missing where fewer did.
        """
        return upgrade_lines(self._jobs.upgrades)

    def upgraded(self, upgrade: int = -1) -> pd.DataFrame:
        """Return what an upgrade did to each device, one line each; the last one by default.

        ``outcome`` (pending, success, failure, cancelled) and ``reason``, moments of the first and
        the last chunk and of the end [us], bytes received [B], and how often it was tried anew.

        Raises
        ------
        RunError
            There is no such upgrade.
        """
        found = _numbered(self._jobs.upgrades, upgrade, "upgrade")
        return device_lines(found, self._node_names)
