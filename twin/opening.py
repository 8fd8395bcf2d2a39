"""Opening a twin: of a scenario, or one that was saved."""

import math
from contextlib import suppress
from functools import partial
from pathlib import Path

import pandas as pd

from twin import store
from twin.errors import StateError
from twin.scenario import Scenario, from_document, load
from twin.twin import Record, Twin
from twin.twin_past import last_past

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
        another, new file for ``save()``. A saved twin is to be trusted like code: where it has a
        snapshot of this version it goes on from there, and else runs again from its start.

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
    scenario = scenario or from_document(saved.document, file=str(path))
    opened, entry = _gone_on(path, scenario, saved, record, state)
    opened.database = store.Database.of(state, path)
    _replay(opened, path, saved, entry)
    return opened


def _gone_on(
    path: Path, scenario: Scenario, saved: store.Saved, record: Record, state: Path
) -> tuple["Twin", int]:
    """Return a twin as of the last snapshot, and up to which entry of the journal that is.

    Who has no valid snapshot loses nothing but time: that twin stands at its start.
    """
    make = partial(
        Twin, scenario, seed=saved.seed, engine=saved.engine, record=record, state=state
    )  # fmt: skip
    past = last_past(path, scenario, seed=saved.seed, engine=saved.engine, record=record)
    if past is not None:
        with suppress(store.FrozenError):
            return make(past=past), past.entry
    return make(), 0


def _replay(opened: Twin, path: Path, saved: store.Saved, entry: int) -> None:
    """Run a twin on to where it stood, with what was asked of it behind an entry of the journal."""
    later = [one for one in saved.commands if one.number > entry]
    before = [one for one in later if one.number <= saved.saved_entry]
    if opened.now_us <= saved.saved_us and entry <= saved.saved_entry:
        opened.run_again(before, saved.saved_us)
        _same_figures(path, saved, opened.kpis())
    opened.run_again(later[len(before) :], max(saved.now_us, opened.now_us))


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
