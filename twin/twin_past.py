"""What an open twin does with its past: forks of it, snapshots, files and queries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin import store
from twin.errors import RunError
from twin.events import EVENT, MESH_EVENT
from twin.world.clock import Calendar

if TYPE_CHECKING:
    from twin.analysis.tally import Tally
    from twin.commands import Command
    from twin.frames import Frames
    from twin.scenario import Scenario
    from twin.world.roster import Roster
    from twin.world.site import Site

__all__ = ["Past", "PastTwin", "Record", "last_past"]

_SAVED_AT_ONCE = 1 << 17  # rows

Record = Literal["rows", "kpis"]


class Past(NamedTuple):
    """What a twin goes on from: its frozen state, what that refers to, and the rows until then.

    ``entry`` is the last one of the journal that was carried out, ``in_file`` how many rows of each
    kind the file has [1].
    """

    state: bytes
    given: Mapping[str, object]
    rows: store.KeptRows
    mesh_rows: store.KeptRows
    entry: int = 0
    in_file: tuple[int, int] = (0, 0)


class PastTwin:
    """The past's part of an open twin."""

    if TYPE_CHECKING:  # what the rest of the twin has
        scenario: Scenario
        seed: int
        engine: str
        record: Record
        state: Path | None
        origin_us: int
        _site: Site
        _tally: Tally
        _rows: store.KeptRows
        _mesh_rows: store.KeptRows
        _counted: int
        _memory: tuple[tuple[int, int], store.Connection] | None
        _in_file: tuple[int, int]

        def __init__(
            self, scenario: Scenario, *, seed: int, engine: str, record: Record,
            state: Path | None, past: Past | None = None,
        ) -> None:  # fmt: skip
            """Build the site."""

        @property
        def roster(self) -> Roster:
            """Who and what there is."""

        @property
        def now_us(self) -> int:
            """The simulated moment [us]."""

        @property
        def frames(self) -> Frames:
            """What makes frames."""

        @property
        def database(self) -> store.Database:
            """Where account and journal are kept."""

        def _take(self, chunk: NDArray[np.void]) -> None:
            """Take rows."""

        def _take_mesh(self, chunk: NDArray[np.void]) -> None:
            """Take rows of the mesh."""

        def rows(self) -> NDArray[np.void]:
            """Return all rows so far."""

        def run_to_us(self, until_us: int, *, progress: bool | None = None) -> None:
            """Run to a moment [us]."""

        def carry_out(self, asked: Command) -> None:
            """Let the site do what the journal holds already."""

        def kpi_table(self) -> pd.DataFrame:
            """Return the key figures."""

        def provenance(self) -> dict[str, str]:
            """Return what makes this result again."""

    # --- fork -----------------------------------------------------------------------------------

    def fork(self) -> Self:
        """Return an independent twin at the same moment: what is done to one the other never knows.

        It has the same site, rows, account and journal, lies in memory, and runs on as this one
        would: ``fork().run(x)`` gives what ``run(x)`` gives. Clients log in anew. The compiled
        engine is copied; the one in SimPy sleeps in places that cannot be, so its fork runs again
        from the start, with what was asked of it on the way, and takes as long as that.
        """
        past = None
        if self.engine == "compiled":
            shared = self._site.given | _unchanging(self._site)
            past = Past(
                store.freeze((self._site, self._tally, self._counted), shared),
                shared, self._rows.fork(), self._mesh_rows.fork(),
            )  # fmt: skip
        found = type(self)(
            self.scenario, seed=self.seed, engine=self.engine, record=self.record, state=None,
            past=past,
        )  # fmt: skip
        if "database" in self.__dict__:
            found.__dict__["database"] = self.database.fork()
        if past is None:
            found.run_again(store.commands(found.database.connection), self.now_us)
        return found

    def run_again(self, entries: Iterable[store.Entry], until_us: int) -> None:
        """Run to a moment [us], and let the site do what the journal says was asked on the way."""
        for entry in entries:
            self.run_to_us(entry.now_us)
            self.carry_out(entry.command)
        self.run_to_us(until_us)

    def _take_up(self, past: Past) -> None:
        """Go on from a past, with rows that come to this twin; raises FrozenError."""
        given = {**past.given, "sink": self._take, "mesh_sink": self._take_mesh}
        self._site, self._tally, self._counted = store.thaw(past.state, given)
        self._rows, self._mesh_rows, self._in_file = past.rows, past.mesh_rows, past.in_file

    # --- snapshots ------------------------------------------------------------------------------

    def keep_snapshot(self) -> None:
        """Keep the state of this moment in the file, for a quick way back; nothing without a file.

        Raises
        ------
        OutputError
            The file cannot be written: the snapshot before is still there.
        """
        if self.state is None or self.engine != "compiled":
            return
        with self.database.transaction():
            self._snapshot(self.database.connection)
        self._in_file = len(self._rows), len(self._mesh_rows)

    def _snapshot(self, connection: store.Connection) -> None:
        """Write a snapshot into the own database, or into a copy of it."""
        if self.engine != "compiled":
            return
        given = self._site.given | store.named(scenario=self.scenario)
        store.keep_snapshot(
            connection, self.now_us,
            _made_by(self.scenario, self.seed, self.engine, self.record),
            store.freeze((self._site, self._tally, self._counted), given),
            (self._rows, self._mesh_rows), self._in_file,
        )  # fmt: skip

    def save(self, path: str | Path | None = None, *, snapshot: bool = True) -> Path:
        """Write the twin to an SQLite file: whole, or not at all.

        Parameters
        ----------
        path
            Where to; the state file by default.
        snapshot
            Keep the state, too, for a quick way back. Without it the file is written sooner, and
            opened by running again from the start.

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
        if self.state is not None and target.absolute() == self.state.absolute():
            store.save(self.database, self._content(self._snapshot if snapshot else None))
            self._in_file = (len(self._rows), len(self._mesh_rows)) if snapshot else self._in_file
        else:
            own = self.__dict__.get("database")
            store.write(target, self._content(self._snapshot if snapshot else None), own)
        return target

    def backup(self) -> bytes:
        """Return the twin as the bytes of an SQLite file, what ``save`` writes.

        ``twin.open`` of a file with these bytes goes on from this moment.
        """
        own = self.__dict__.get("database")
        connection = store.in_memory(self._content(self._snapshot), own)
        try:
            return connection.serialize()
        finally:
            connection.close()

    def _meta(self) -> dict[str, str]:
        """Return how this twin was made, as its database says it."""
        return {
            **self.provenance(),
            "scenario": json.dumps(self.scenario.document(), sort_keys=True),
            "name": self.scenario.name,
            "origin_us": str(self.origin_us),
            "saved_us": "0",
            "saved_entry": "0",
        }

    def _content(self, snapshot: Callable[[store.Connection], None] | None = None) -> store.Content:
        """Return what a saved twin holds beside its account."""
        table = self.kpi_table().itertuples(index=False)
        shown = (
            (name, None if pd.isna(v) else float(v), unit, text) for name, v, unit, text in table
        )
        return store.Content(
            meta=self._meta() | {"saved_us": str(self.now_us)},
            roster=self.roster,
            shifts=[shift.name for shift in self.scenario.work.shifts],
            kpis=shown,
            chunks=self._coded_rows,
            snapshot=snapshot,
        )

    def _coded_rows(self, first: int) -> Iterator[tuple[NDArray[np.void], list[str | None]]]:
        """Return the rows from one on, in pieces, and what each scan reads."""
        rows = self.rows() if self.record == "rows" else np.zeros(0, EVENT)
        for begin in range(first, len(rows), _SAVED_AT_ONCE):
            chunk = rows[begin : begin + _SAVED_AT_ONCE]
            yield chunk, self.frames.codes(chunk)

    def sql(self, query: str) -> pd.DataFrame:
        """Return the answer of a query on the twin so far; the tables are in store/schema.sql.

        Those of the account are filled once somebody has asked for it.

        Raises
        ------
        RunError
            No query, or one that would change something.
        """
        own: store.Database | None = self.__dict__.get("database")
        seen = self.now_us, own.connection.total_changes if own else 0
        if self._memory is None or self._memory[0] != seen:
            self._memory = seen, store.in_memory(self._content(), own)
        try:
            return pd.read_sql_query(query, self._memory[1])
        except (pd.errors.DatabaseError, TypeError) as error:
            said = str(error.__cause__ or error)
            raise RunError(f"not a query that can be answered: {said}") from error


def _unchanging(site: Site) -> dict[str, object]:
    """Return what is replaced and never changed, by name, so that forks may share it."""
    mesh = site.network
    return store.named(
        scenario=site.scenario, roster=site.roster, plan=site.plan, nodes=mesh.nodes,
        mesh_plan=mesh.plan,
    )  # fmt: skip


def last_past(
    path: Path, scenario: Scenario, *, seed: int, engine: str, record: Record
) -> Past | None:
    """Return what a saved twin may go on from, None where it has to run again from its start.

    That is its last snapshot, if it is whole, and of the same sources, scenario and settings.
    """
    found = store.read_snapshot(
        path, _made_by(scenario, seed, engine, record), {"floor": EVENT, "mesh": MESH_EVENT}
    )
    if found is None:
        return None
    snapshot, rows = found
    calendar = Calendar(scenario.run.start, scenario.run.time_zone)
    given = {"calendar": calendar, **store.named(scenario=scenario)}
    kept = store.KeptRows(), store.KeptRows(MESH_EVENT)
    for keeper, chunk in zip(kept, rows, strict=True):
        keeper.add(chunk)
    return Past(snapshot.state, given, *kept, snapshot.entry, snapshot.rows)


def _made_by(scenario: Scenario, seed: int, engine: str, record: str) -> str:
    """Return what has to be the same for a snapshot to be gone on from."""
    return store.makers(scenario=scenario.digest, seed=str(seed), engine=engine, record=record)
