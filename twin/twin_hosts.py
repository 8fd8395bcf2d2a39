"""What an open twin says of the hosts behind its bridges, and what they can be asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from twin.analysis.hosts import collector_lines, device_lines, survey_lines, upgrade_lines
from twin.commands import CancelUpgrade, Command, CutPower, StartSurvey, StartUpgrade
from twin.errors import RunError
from twin.mesh.images import read_image
from twin.units import parse_duration

if TYPE_CHECKING:
    from twin.world.hosts import Jobs
    from twin.world.site import Site

__all__ = ["HostsTwin"]


class HostsTwin:
    """The hosts' part of an open twin."""

    if TYPE_CHECKING:  # what the rest of the twin has
        _site: Site

        @property
        def now_us(self) -> int:
            """The simulated moment [us]."""

        def submit(self, asked: Command) -> None:
            """Ask something of the site."""

    @property
    def _jobs(self) -> Jobs:
        """What the hosts do."""
        return self._site.network.jobs

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
        surveys = self._jobs.surveys
        if not -len(surveys) <= survey < len(surveys):
            raise RunError(f"there is no survey {survey}", hint="survey() makes one")
        names = [node.name for node in self._site.network.nodes]
        rows = [(names[a], names[b], q) for (a, b), q in sorted(surveys[survey].links.items())]
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
        upgrades = self._jobs.upgrades
        if not -len(upgrades) <= upgrade < len(upgrades):
            raise RunError(f"there is no upgrade {upgrade}", hint="upgrade() makes one")
        names = [node.name for node in self._site.network.nodes]
        return device_lines(upgrades[upgrade], names)
