"""One open twin: a site, its rows, and what can be asked of them."""

import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin import store
from twin.analysis.coexistence import BAND_KPIS
from twin.analysis.hosts import HOST_KPIS
from twin.analysis.kpis import KPIS, Counted, between, counted, kpi_row, kpi_table
from twin.analysis.mesh import MESH_KPIS
from twin.analysis.tally import Tally
from twin.api.clients import Clients
from twin.commands import ACTIONS, Command, InstallGateway
from twin.errors import RunError
from twin.events import MESH_EVENT, Kind
from twin.floor.plan import orders_us
from twin.frames import Frames
from twin.scenario import Scenario
from twin.twin_hosts import HostsTwin
from twin.twin_mesh import MeshTwin
from twin.twin_past import Past, PastTwin, Record
from twin.units import format_duration, parse_duration
from twin.world.desk import carry_out, check
from twin.world.pace import run_in_slices
from twin.world.roster import Roster
from twin.world.site import Site

__all__ = ["Record", "Twin"]

_COUNTED_AT_ONCE = 1 << 18


class Twin(Clients, MeshTwin, HostsTwin, PastTwin):
    """A site in time; make one with ``twin.open``."""

    def __init__(
        self, scenario: Scenario, *, seed: int, engine: str, record: Record, state: Path | None,
        past: Past | None = None,
    ) -> None:  # fmt: skip
        """Build the site at its first moment, or let it go on from a past."""
        if engine not in ("compiled", "reference"):
            raise RunError(f'engine is "compiled" or "reference", not {engine!r}')
        if record not in ("rows", "kpis"):
            raise RunError(f'record is "rows" or "kpis", not {record!r}')
        if type(seed) is not int or not 0 <= seed < 2**63:
            raise RunError(f"seed is a whole number from 0 to 2**63 - 1, not {seed!r}")
        self.scenario = scenario
        self.seed = seed
        self.engine = engine
        self.record: Record = record
        self.state = state
        self._rows, self._mesh_rows = store.KeptRows(), store.KeptRows(MESH_EVENT)
        self._counted = 0  # rows that the tally has seen
        self._in_file = 0, 0  # rows of each kind that stand there with the last snapshot
        if past is None:
            self._site = Site(
                scenario, seed, engine, self._take, keeps_rows=record == "rows",
                mesh_sink=self._take_mesh,
            )  # fmt: skip
            roster = self._site.roster
            self._tally = Tally(
                [w.job for w in roster.workers], len(roster.scanners), len(roster.gateways)
            )
        else:
            self._take_up(past)
        self.origin_us = self._site.calendar.origin_us
        self._memory: tuple[tuple[int, int], store.Connection] | None = None

    def __repr__(self) -> str:
        at = f"{self.now:%Y-%m-%d %H:%M:%S %Z}"
        return f"<Twin {self.scenario.name!r} seed {self.seed} {self.engine} at {at}>"

    def _take(self, chunk: NDArray[np.void]) -> None:
        """Keep a chunk of rows, or only count it."""
        if self.record == "rows":
            self._rows.add(chunk)
        else:
            self._tally.add(chunk)

    @property
    def roster(self) -> Roster:
        """Who and what there is, in the order in which rows number them."""
        return self._site.roster

    @property
    def now_us(self) -> int:
        """How much time has passed since the start [us]."""
        return self._site.now_us

    @property
    def start(self) -> datetime:
        """The date and local time at which the simulated clock shows 0."""
        return self._site.calendar.at(0)

    @property
    def now(self) -> datetime:
        """The date and local time on the site."""
        return self._site.calendar.at(self.now_us)

    @property
    def horizon_us(self) -> int:
        """How long the scenario's run is [us]."""
        return self.scenario.run.horizon_us

    def run(
        self,
        duration: str | None = None,
        *,
        until: str | datetime | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Let time pass.

        Parameters
        ----------
        duration
            How much more, like ``"2 h"``; nothing for the rest of the scenario's horizon.
        until
            Instead: how much since the start, like ``"8 h"``, or a date (local time where it has
            no time zone).
        progress
            Show a bar; by default when the run is long enough to wait for.

        Raises
        ------
        RunError
            The moment lies in the past, or both ``duration`` and ``until`` are given.
        UnitError
            A duration without its unit.
        """
        until_us = self._until_us(duration, until)
        if until_us < self.now_us:
            raise RunError(
                f"cannot run back to {format_duration(until_us)}: "
                f"the clock shows {format_duration(self.now_us)}",
                hint="open a new twin to begin again",
            )
        self.run_to_us(until_us, progress=progress)
        return self

    def _until_us(self, duration: str | None, until: str | datetime | None) -> int:
        """Return the moment a run is to end at [us]."""
        if duration is not None and until is not None:
            raise RunError("give a duration or until, not both")
        if duration is not None:
            return self.now_us + parse_duration(duration)
        if isinstance(until, datetime):
            return self._site.calendar.moment_us(until)
        if until is not None:
            return parse_duration(until)
        return max(self.now_us, self.horizon_us)

    def run_to_us(self, until_us: int, *, progress: bool | None = None) -> None:
        """Run to a moment in slices; any slicing gives the same rows.

        Ctrl-C ends the run after the slice under way: the twin stays whole, and can go on.

        Parameters
        ----------
        until_us
            The moment [us].
        """
        try:
            run_in_slices(self._site.run, self.now_us, until_us, self.scenario.name, progress)
        finally:
            if "newsroom" in self.__dict__:
                self.newsroom.look()

    @cached_property
    def database(self) -> store.Database:
        """Where account and journal are kept: the state file, in memory where there is none.

        Raises
        ------
        StateError
            The state file was made by somebody else meanwhile.
        """
        if self.state is None:
            return store.Database.in_memory()
        return store.Database.begin(self.state, self._meta())

    def submit(self, asked: Command) -> None:
        """Ask something of the site: kept in the journal first, then carried out, now.

        Parameters
        ----------
        asked
            One of ``twin.commands``, such as ``InstallGateway``.

        Raises
        ------
        OutputError
            The state file cannot be written: nothing was done.
        RunError
            The site could not do it, such as install a gateway that there is.
        """
        check(self._site, asked)
        names = {kind: name for name, kind in ACTIONS.items()}
        account = self.account  # as it was before
        with self.database.transaction():
            if isinstance(asked, InstallGateway):
                account.install(asked)
            self.database.note(self.now_us, names[type(asked)], asdict(asked))
            self.database.once_committed(partial(self.carry_out, asked))

    def carry_out(self, asked: Command) -> None:
        """Let the site do what the journal holds already; ``submit`` does both."""
        if isinstance(asked, InstallGateway):
            self._count().grow(len(self.roster.gateways) + 1)
            self.__dict__.pop("frames", None)  # it knew the old roster
        carry_out(self._site, asked)

    def rows(self) -> NDArray[np.void]:
        """Return all rows so far as one array of ``twin.events.EVENT``.

        Raises
        ------
        RunError
            The twin was opened with ``record="kpis"``.
        """
        return self._kept(self._rows)

    def _count(self) -> Tally:
        """Return the tally, brought up to date."""
        if self.record == "rows":
            rows = self._rows.whole()
            for first in range(self._counted, len(rows), _COUNTED_AT_ONCE):
                self._tally.add(rows[first : first + _COUNTED_AT_ONCE])
            self._counted = len(rows)
        return self._tally

    @cached_property
    def frames(self) -> Frames:
        """What makes frames of this site's rows."""
        site = self._site
        return Frames(self.scenario, site.roster, site.plan, site.calendar)

    def events(
        self, kind: str | None = None, *, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events so far as a tidy frame, one line each.

        Parameters
        ----------
        kind
            Only this kind: scan, telemetry, session_open, session_close or unequipped.
        columns
            Only these columns, in this order; without texts and ids it is several times quicker.

        Raises
        ------
        RunError
            A kind or a column that does not exist.
        """
        rows = self.rows()
        if kind is not None:
            if kind.upper() not in Kind.__members__:
                kinds = ", ".join(member.name.lower() for member in Kind)
                raise RunError(f"no kind of event is called {kind!r}; there are {kinds}")
            rows = rows[rows["kind"] == Kind[kind.upper()]]
        return self.frames.events(rows, columns)

    def jobs(self) -> pd.DataFrame:
        """Return the finished jobs of every job configuration, as Insight's job analysis does."""
        return self.frames.jobs(self.rows())

    def gateways(self) -> pd.DataFrame:
        """Return the gateways with their load so far."""
        counted = self._count().gateways
        use = self._site.floor.busy_us(self.now_us) / max(self.now_us, 1)
        return self.frames.gateways(counted["messages"], counted["wait_us"], use)

    def counted(self) -> Counted:
        """Return what was counted on the floor so far: what ``kpis`` may begin at."""
        floor, now_us = self._site.floor, self.now_us
        orders = orders_us(self._site.plan, now_us) if self.scenario.work.orders else None
        return counted(self._count(), floor.busy_us(now_us), floor.most_held(), orders, now_us)

    def kpis(self, since: Counted | None = None) -> pd.DataFrame:
        """Return the key figures so far as one row; names carry their units.

        Parameters
        ----------
        since
            What ``counted`` gave at an earlier moment: only the floor's figures from there on, as
            after a warm-up.
        """
        found = self.counted()
        if since is not None:
            return kpi_row(between(since, found))
        return pd.concat([kpi_row(found), *self.mesh_kpis()], axis=1)

    def kpi_table(self) -> pd.DataFrame:
        """Return the key figures one below the other: name, value, unit, definition."""
        return kpi_table(self.kpis(), (*KPIS, *MESH_KPIS, *HOST_KPIS, *BAND_KPIS))

    def provenance(self) -> dict[str, str]:
        """Return what makes this result again: scenario, digest, seed, moment, versions."""
        return {
            "scenario": self.scenario.name,
            "digest": self.scenario.digest,
            "seed": str(self.seed),
            "engine": self.engine,
            "record": self.record,
            "start": self.start.isoformat(),
            "time_zone": self.scenario.run.time_zone,
            "now_us": str(self.now_us),
            "simulated": format_duration(self.now_us),
            "twin": version("twin"),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "numba": version("numba"),
        }
