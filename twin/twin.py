"""One open twin: a site, its rows, and what can be asked of them."""

import json
import math
import platform
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin import store
from twin.analysis.kpis import kpi_row, kpi_table
from twin.analysis.tally import Tally
from twin.api.clients import Clients
from twin.errors import RunError, StateError
from twin.events import EVENT, Kind
from twin.floor.plan import orders_us
from twin.frames import Frames
from twin.scenario import Scenario, from_document, load
from twin.units import format_duration, parse_duration
from twin.world.pace import run_in_slices
from twin.world.site import Site

__all__ = ["Twin", "open"]

_SAVED_AT_ONCE = 1 << 17  # rows
_SQLITE_MAGIC = b"SQLite format 3\0"

Record = Literal["rows", "kpis"]


def open(  # noqa: A001 - the public name is twin.open
    path_or_scenario: str | Path | Scenario,
    *,
    seed: int | None = None,
    engine: str | None = None,
    record: Record = "rows",
    state: str | Path | None = None,
) -> "Twin":
    """Open a twin of a scenario, or bring a saved one back to where it stood.

    Parameters
    ----------
    path_or_scenario
        A scenario, the path of a TOML file, the name of a packaged scenario, or a saved twin.
    seed, engine
        Instead of the scenario's own.
    record
        ``"rows"`` keeps every event; ``"kpis"`` keeps only what key figures need.
    state
        File of the twin: opened again where it exists, written by ``save()``. With a saved twin:
        another, new file for ``save()``.

    Raises
    ------
    ScenarioError
        The scenario cannot be used.
    StateError
        The saved twin cannot be used, or is of another scenario, seed or engine.
    """
    file = None if state is None else Path(state)
    if not isinstance(path_or_scenario, Scenario) and _is_saved(Path(path_or_scenario)):
        saved_in = Path(path_or_scenario)
        if file is not None and file.exists() and not file.samefile(saved_in):
            raise StateError(file, "exists already", hint="choose a new file, or open this one")
        return _reopen(saved_in, None, seed, engine, record, file or saved_in)
    scenario = path_or_scenario
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    if file is not None and file.exists():
        return _reopen(file, scenario, seed, engine, record, file)
    return Twin(
        scenario,
        seed=scenario.run.seed if seed is None else seed,
        engine=engine or scenario.run.engine,
        record=record,
        state=file,
    )


def _is_saved(path: Path) -> bool:
    """Say whether a path is an SQLite file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC


def _reopen(
    path: Path,
    scenario: Scenario | None,
    seed: int | None,
    engine: str | None,
    record: Record,
    state: Path,
) -> "Twin":
    """Bring a saved twin back: the same scenario and seed, run again to the saved moment."""
    saved = store.read(path)
    if scenario is not None and scenario.digest != saved.digest:
        raise StateError(
            path,
            "saved from another scenario",
            hint="open the file alone, or choose another state file for this scenario",
        )
    for name, asked, found in (("seed", seed, saved.seed), ("engine", engine, saved.engine)):
        if asked is not None and asked != found:
            raise StateError(path, f"saved with {name} {found}, asked for {asked}")
    twin = Twin(
        scenario or from_document(saved.document, file=str(path)),
        seed=saved.seed,
        engine=saved.engine,
        record=record,
        state=state,
    )
    twin.run_to_us(saved.now_us)
    _same_figures(path, saved, twin.kpis())
    if saved.account is not None:
        twin.restore_account(saved.account)
    return twin


def _same_figures(path: Path, saved: store.Saved, now: pd.DataFrame) -> None:
    """Refuse a file whose figures this version does not reach again."""
    for name, before in saved.kpis.items():
        after = float(now[name].iloc[0]) if name in now else math.nan
        if after != before and not (before is None and math.isnan(after)):
            raise StateError(
                path,
                f"this version of twin gives other results: {name} {after}, saved was {before}",
                hint=f"open it with twin {saved.version}, which wrote it",
            )


class Twin(Clients):
    """A site in time; make one with ``twin.open``."""

    def __init__(
        self, scenario: Scenario, *, seed: int, engine: str, record: Record, state: Path | None
    ) -> None:
        """Build the site at its first moment."""
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
        self._chunks: list[NDArray[np.void]] = []
        self._counted = 0  # chunks that the tally has seen
        self._site = Site(scenario, seed, engine, self._take, keeps_rows=record == "rows")
        roster = self.roster = self._site.roster
        self.origin_us = self._site.calendar.origin_us
        self._tally = Tally(
            [w.job for w in roster.workers], len(roster.scanners), len(roster.gateways)
        )
        self._memory: tuple[int, store.Connection] | None = None

    def __repr__(self) -> str:
        at = f"{self.now:%Y-%m-%d %H:%M:%S %Z}"
        return f"<Twin {self.scenario.name!r} seed {self.seed} {self.engine} at {at}>"

    def _take(self, chunk: NDArray[np.void]) -> None:
        """Keep a chunk of rows, or only count it."""
        if self.record == "rows":
            self._chunks.append(chunk)
        else:
            self._tally.add(chunk)

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
        run_in_slices(self._site.run, self.now_us, until_us, self.scenario.name, progress)

    def rows(self) -> NDArray[np.void]:
        """Return all rows so far as one array of ``twin.events.EVENT``.

        Raises
        ------
        RunError
            The twin was opened with ``record="kpis"``.
        """
        if self.record != "rows":
            raise RunError(
                'this twin keeps no rows: it was opened with record="kpis"',
                hint='open it with record="rows"',
            )
        if len(self._chunks) > 1:
            self._count()
            self._chunks = [np.concatenate(self._chunks)]
            self._counted = 1
        return self._chunks[0] if self._chunks else np.zeros(0, EVENT)

    def _count(self) -> Tally:
        """Return the tally, brought up to date."""
        for chunk in self._chunks[self._counted :]:
            self._tally.add(chunk)
        self._counted = len(self._chunks)
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

    def kpis(self) -> pd.DataFrame:
        """Return the key figures so far as one row; names carry their units."""
        floor, now_us = self._site.floor, self.now_us
        orders = orders_us(self._site.plan, now_us) if self.scenario.work.orders else None
        return kpi_row(self._count(), floor.busy_us(now_us), floor.most_held(), orders, now_us)

    def kpi_table(self) -> pd.DataFrame:
        """Return the key figures one below the other: name, value, unit, definition."""
        return kpi_table(self.kpis())

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

    def save(self, path: str | Path | None = None) -> Path:
        """Write the twin to an SQLite file: whole, or not at all.

        Raises
        ------
        RunError
            No path is given and the twin was opened without a state file.
        OutputError
            The file cannot be written.
        """
        if path is None and self.state is None:
            raise RunError("save where? give a path, or open the twin with state=")
        target = Path(path if path is not None else self.state or "")
        store.write(target, self._content())
        return target

    def _content(self) -> store.Content:
        """Return what a saved twin holds."""
        table = self.kpi_table().itertuples(index=False)
        shown = (
            (name, None if pd.isna(v) else float(v), unit, text) for name, v, unit, text in table
        )
        rows = self.rows() if self.record == "rows" else np.zeros(0, EVENT)
        chunks = (rows[i : i + _SAVED_AT_ONCE] for i in range(0, len(rows), _SAVED_AT_ONCE))
        return store.Content(
            meta={
                **self.provenance(),
                "scenario": json.dumps(self.scenario.document(), sort_keys=True),
                "name": self.scenario.name,
                **self.saved_account(),
                "origin_us": str(self.origin_us),
            },
            roster=self._site.roster,
            shifts=[shift.name for shift in self.scenario.work.shifts],
            kpis=shown,
            chunks=((chunk, self.frames.codes(chunk)) for chunk in chunks),
        )

    def sql(self, query: str) -> pd.DataFrame:
        """Return the answer of a query on the events so far; the tables are in store/schema.sql."""
        if self._memory is None or self._memory[0] != self.now_us:
            self._memory = self.now_us, store.in_memory(self._content())
        return pd.read_sql_query(query, self._memory[1])
