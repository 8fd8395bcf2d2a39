"""Opening a twin: of a scenario, or one that was saved."""

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from twin import store
from twin.errors import StateError
from twin.scenario import Scenario, from_document, load
from twin.twin import Record, Twin

__all__ = ["open"]

_SQLITE_MAGIC = b"SQLite format 3\0"


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
    opened = Twin(
        scenario or from_document(saved.document, file=str(path)),
        seed=saved.seed,
        engine=saved.engine,
        record=record,
        state=state,
    )
    opened.database = store.Database.of(state, path)
    _replay(opened, path, saved)
    return opened


def _replay(opened: Twin, path: Path, saved: store.Saved) -> None:
    """Run a twin again to where it stood, with what was asked of it on the way."""
    before = [entry for entry in saved.commands if entry.number <= saved.saved_entry]
    _run_through(opened, before, saved.saved_us)
    _same_figures(path, saved, opened.kpis())
    _run_through(opened, saved.commands[len(before) :], saved.now_us)


def _run_through(opened: Twin, entries: Sequence[store.Entry], until_us: int) -> None:
    """Run to a moment, and let the site do at each what was asked of it then."""
    for entry in entries:
        opened.run_to_us(entry.now_us)
        opened.carry_out(entry.command)
    opened.run_to_us(until_us)


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
