"""From exports of the real site to a scenario: laws fitted to what was recorded."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from twin import resources
from twin.analysis.fitting import Fits
from twin.errors import ExportError, OutputError, Problem
from twin.experiments.exports import Exports, read_exports
from twin.experiments.fit_mesh import of_topology
from twin.experiments.fit_work import Line, latencies, of_events, of_work
from twin.experiments.recognising import recognise
from twin.experiments.scenario_text import scenario_text
from twin.experiments.usual import Usual, usual_of
from twin.scenario import Scenario, from_document, load

__all__ = ["BASE", "Fitted", "fit"]

BASE = "pilot_line"
"""What is built on where no base is named."""
_LONGEST_NAME = 64
_SUFFIX = "_fitted"


@dataclass(frozen=True)
class Fitted:
    """A base scenario with the laws that an export told.

    Parameters
    ----------
    scenario
        Ready to be run.
    lines
        Each key with what was fitted to it, or why it was left.
    exports
        What was read.
    base
        What it was built on.
    extends
        The base's file as it was named, None where it was a scenario without a file.
    usual
        What the base does by itself and was taken off; None where the export says it.
    """

    scenario: Scenario
    lines: tuple[Line, ...]
    exports: Exports = field(repr=False)
    base: Scenario = field(repr=False)
    extends: Path | None
    usual: Usual | None

    @cached_property
    def table(self) -> pd.DataFrame:
        """What was fitted from how many samples and how well, and what was left and why."""
        names = ("key", "is_fitted", "samples", "law", "goodness", "note")
        columns: dict[str, list[Any]] = {
            name: [getattr(line, name) for line in self.lines] for name in names
        }
        return pd.DataFrame(columns).rename(columns={"is_fitted": "fitted"})

    @property
    def fits(self) -> Mapping[str, Fits]:
        """All laws that were tried for a key, with densities to draw."""
        return {line.key: line.fits for line in self.lines if line.fits is not None}

    def write(self, path: str | Path) -> Path:
        """Write the scenario as a TOML file, with comments on where each value comes from.

        The base is extended by its file; without one the whole scenario is written.

        Raises
        ------
        OutputError
            The file exists, or cannot be written.
        """
        place = Path(path)
        text = scenario_text(self._document(place), _comments(self.lines), list(self._heading()))
        try:
            with place.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            hint = "name another file, or remove it"
            raise OutputError(place, "exists already", hint=hint) from error
        except OSError as error:
            what = f"cannot be written: {error.strerror}"
            raise OutputError(place, what, hint="name another file") from error
        return place

    def _document(self, place: Path) -> dict[str, Any]:
        """Return what the file holds."""
        if self.extends is None:
            return self.scenario.document()
        found: dict[str, Any] = {
            "extends": _reached_from(place, self.extends), "name": self.scenario.name
        }  # fmt: skip
        for line in self.lines:
            if line.is_fitted:
                _put(found, line.key, line.value)
        return found

    def _heading(self) -> Iterator[str]:
        """Yield what stands at the top of the file."""
        yield f"Fitted to {', '.join(Path(file).name for file in self.exports.files)}"
        if self.usual is not None:
            yield (f"Time between scans is without {self.usual.beep_us / 1000:.0f} ms from scan to "
                   "beep, which the base takes.")  # fmt: skip
        for line in self.lines:
            if not line.is_fitted:
                yield f"{line.key} is left as the base has it: {line.note}"


def fit(
    exports: Exports | str | Path | Iterable[str | Path], base: str | Path | Scenario = BASE
) -> Fitted:
    """Fit a scenario to exports of a site: events of Insight, a topology of SNAP.

    What an export does not tell is left as the base says; the base also says what the export
    needs to be understood: shifts and breaks, prefixes of job barcodes, places of nodes.

    Parameters
    ----------
    exports
        Files, or what was read from them.
    base
        A scenario, its file, or the name of a packaged one.

    Raises
    ------
    ExportError
        Exports that cannot be read.
    ScenarioError
        The base cannot be used, or not with what was found.
    """
    read = exports if isinstance(exports, Exports) else read_exports(_listed(exports))
    extends = None if isinstance(base, Scenario) else resources.scenario_path(base)
    built_on = base if isinstance(base, Scenario) else load(base)
    if read.events is None and read.topology is None:
        problem = Problem("places alone tell no law", read.files[0],
                          hint="give events of Insight or a topology of SNAP as well")  # fmt: skip
        raise ExportError(problem)
    lines: list[Line] = []
    usual = None
    if read.events is not None:
        if read.events["beep_us"].isna().all():
            usual = usual_of(built_on)
        work = recognise(read.events, built_on, usual or Usual())
        lines += [*of_work(work, built_on), *of_events(read.events, built_on)]
        lines += latencies(read.events, built_on)
    if read.topology is not None:
        lines += of_topology(read.topology, read.places, built_on)
    document = built_on.document()
    document["name"] = f"{built_on.name[: _LONGEST_NAME - len(_SUFFIX)]}{_SUFFIX}"
    for line in lines:
        if line.is_fitted:
            _put(document, line.key, line.value)
    scenario = from_document(document, file="fit")
    return Fitted(scenario, tuple(lines), read, built_on, extends, usual)


def _listed(exports: str | Path | Iterable[str | Path]) -> list[str | Path]:
    return [exports] if isinstance(exports, (str, Path)) else list(exports)


def _put(document: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    here = document
    for step in path:
        here = here.setdefault(step, {})
    here[last] = value


def _comments(lines: Sequence[Line]) -> dict[str, str]:
    """Return what is written above each fitted key."""
    found = {}
    for line in lines:
        if line.is_fitted:
            parts = [f"{line.law} from {line.samples:,} samples", line.goodness, line.note]
            found[line.key] = ", ".join(part for part in parts[:2] if part) + f"; {parts[2]}"
    return found


def _reached_from(place: Path, base: Path) -> str:
    """Return how a file at a place names its base: a packaged one by its name."""
    if resources.shown_path(base).startswith("scenarios/") and base.is_absolute():
        return base.stem
    return Path(os.path.relpath(base, place.parent)).as_posix()
