"""Runs of designs: what is known is looked up, the rest simulated, and all put in order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from twin.errors import RunError
from twin.experiments.cache import Cache, sources_digest
from twin.experiments.executors import Serial, cpu_count, make_executor
from twin.experiments.how import Design, How, checked_count, is_whole, seed_of, telling
from twin.experiments.parts import FLOOR_KPIS, Part, named_kpis, parts_of
from twin.experiments.simulate import Figures, Task, simulate
from twin.scenario import Scenario
from twin.units import format_duration, parse_duration

__all__ = ["Runner", "checked_designs", "finite"]

_PATIENCE_S = 8.0
"""Work that takes longer is given to processes, which need a few seconds to come."""
_MOST_PER_TASK = 4
"""More runs in a task would save nothing, and leave workers without one at the end."""


class Runner:
    """Does runs of designs that are to be compared: the same windows, figures and seeds."""

    def __init__(self, scenario: Scenario, how: How) -> None:
        """Read how runs are to be done; ``scenario`` gives what was left out.

        Raises
        ------
        RunError
            Something is not possible, such as a warm-up beyond the end.
        UnitError
            A duration without its unit.
        """
        unknown = how.keys() - How.__annotations__.keys()
        if unknown:
            raise RunError(
                f"no such setting: {', '.join(sorted(unknown))}",
                hint=f"there are {', '.join(How.__annotations__)}",
            )
        until, warm_up = how.get("until"), how.get("warm_up")
        until_us = scenario.run.horizon_us if until is None else parse_duration(until)
        from_us = 0 if warm_up is None else parse_duration(warm_up)
        if not 0 <= from_us < until_us:
            raise RunError(
                f"the warm-up, {format_duration(from_us)}, does not end before the run, "
                f"{format_duration(until_us)}",
                hint="give a longer run (until), or a shorter warm-up",
            )
        self.edges_us: tuple[int, ...] = (from_us, until_us)
        self._own_until = until is None
        seed = how.get("seed")
        self.seed: int = scenario.run.seed if seed is None else seed
        if not is_whole(self.seed) or not 0 <= self.seed < 2**63:
            raise RunError(f"seed is a whole number from 0 to 2**63 - 1, not {self.seed!r}")
        self.seed = int(self.seed)
        self._asked = how.get("kpis")
        self._workers = how.get("workers")
        if self._workers is not None:
            self._workers = checked_count(self._workers, "workers")
        self._executor = make_executor(how.get("executor", "auto"), self._workers)
        self._cache = _cache_of(how.get("cache", True))
        self._progress = how.get("progress")
        self.simulated = 0
        """How many runs of parts were simulated, not looked up [1]."""

    def kpis(self, designs: Sequence[Design]) -> tuple[str, ...]:
        """Return the key figures that every one of the designs has, of those asked for.

        Raises
        ------
        RunError
            A design has no such figure, or it cannot be counted from a warm-up on.
        """
        each = [named_kpis(design.scenario, self._asked) for design in designs]
        names = tuple(name for name in each[0] if all(name in others for others in each))
        if self.edges_us[0] == 0:
            return names
        floor = [name for name in names if name in FLOOR_KPIS]
        if self._asked is not None and len(floor) < len(names):
            lost = ", ".join(name for name in names if name not in floor)
            raise RunError(
                f"counted since the start only: {lost}", hint="leave warm_up out for these"
            )
        return tuple(floor)

    def runs(self, designs: Sequence[Design], replications: Iterable[int]) -> pd.DataFrame:
        """Return a tidy frame: a row for each design and replication, in this order.

        Columns ``design``, the factors, ``replication``, ``seed`` and the key figures; in
        ``attrs["provenance"]`` what makes the rows again.

        Raises
        ------
        RunError
            Two designs have one name, or the designs' horizons differ and no length was given.
        """
        checked_designs(designs)
        self._same_length(designs)
        factors = dict.fromkeys(factor for design in designs for factor in design.factors)
        numbers, names = list(replications), self.kpis(designs)
        seeds = [seed_of(self.seed, number) for number in numbers]
        parts = [self._parts(design, names) for design in designs]
        found = self._figures([part for each in parts for part in each], seeds)
        rows = []
        for design, each in zip(designs, parts, strict=True):
            for number, seed in zip(numbers, seeds, strict=True):
                row = {"design": design.name, **factors, **design.factors}
                row |= {"replication": number, "seed": seed}
                values = _side_by_side([(part, found[part.digest][seed]) for part in each])
                rows.append(row | {name: values.get(name, np.nan) for name in names})
        frame = pd.DataFrame(rows)
        frame.attrs["provenance"] = self.provenance(designs)
        return frame

    def windows(
        self, design: Design, replications: Iterable[int], edges_us: Sequence[int]
    ) -> pd.DataFrame:
        """Return key figures between each two moments: a row for each replication and window."""
        names = tuple(name for name in self.kpis([design]) if name in FLOOR_KPIS)
        seeds = {number: seed_of(self.seed, number) for number in replications}
        (part,) = self._parts(design, names)
        found = self._figures([part], list(seeds.values()), tuple(edges_us))[part.digest]
        rows = [
            {"replication": number, "seed": seed, "from_us": begin_us, "until_us": end_us}
            | {name: row[name] for name in names}
            for number, seed in seeds.items()
            for begin_us, end_us, row in zip(edges_us, edges_us[1:], found[seed], strict=False)
        ]
        frame = pd.DataFrame(rows)
        frame.attrs["provenance"] = self.provenance([design])
        return frame

    def completions(self, designs: Sequence[Design], replications: Iterable[int]) -> pd.DataFrame:
        """Return when devices were through: ``design``, ``replication``, ``seed``, ``upgrade``,
        ``minutes`` since its begin and ``share`` of its devices, a row for each device.
        """  # fmt: skip
        numbers = list(replications)
        self._same_length(designs)
        parts = [self._parts(design, ["mesh_cut_off"])[0] for design in designs]
        seeds = [seed_of(self.seed, number) for number in numbers]
        found = self._figures(parts, seeds, (0, self.edges_us[-1]), completions=True)
        rows = [
            {"design": design.name, "replication": number, "seed": seed} | step
            for design, part in zip(designs, parts, strict=True)
            for number, seed in zip(numbers, seeds, strict=True)
            for step in found[part.digest][seed]
        ]
        columns = ["design", "replication", "seed", "upgrade", "minutes", "share"]
        frame = pd.DataFrame(rows, columns=columns)
        frame.attrs["provenance"] = self.provenance(designs)
        return frame

    def provenance(self, designs: Sequence[Design]) -> dict[str, str]:
        """Return what makes results again: scenarios, seed, windows and versions."""
        from_us, until_us = self.edges_us[0], self.edges_us[-1]
        return {
            **{f"scenario {design.name}": design.scenario.digest for design in designs},
            "seed": str(self.seed),
            "counted": f"from {format_duration(from_us)} to {format_duration(until_us)}",
            "twin": version("twin"),
            "sources": sources_digest(),
            "numpy": np.__version__,
        }

    def _parts(self, design: Design, kpis: Sequence[str]) -> list[Part]:
        return parts_of(design.scenario, kpis, until_us=self.edges_us[-1])

    def _same_length(self, designs: Sequence[Design]) -> None:
        """Refuse designs of several horizons where nobody said how long a run is."""
        horizons_us = {design.scenario.run.horizon_us for design in designs}
        if self._own_until and len(horizons_us) > 1:
            told = ", ".join(format_duration(us) for us in sorted(horizons_us))
            raise RunError(
                f"the designs have several horizons: {told}",
                hint='say how long each run is: until="8 h", or --until "8 h"',
            )

    def _figures(
        self, parts: Sequence[Part], seeds: Sequence[int], edges_us: tuple[int, ...] = (),
        *, completions: bool = False,
    ) -> dict[str, dict[int, Figures]]:  # fmt: skip
        """Return the figures of parts by digest and seed; what is not known is simulated."""
        edges_us = edges_us or self.edges_us
        found: dict[str, dict[int, Figures]] = {}
        tasks: list[Task] = []
        for part in parts:
            if part.digest not in found:
                whole = Task(part.document, part.digest, tuple(seeds), edges_us, completions)
                found[part.digest] = self._cache.found(whole)
                missing = [seed for seed in seeds if seed not in found[part.digest]]
                if missing:
                    tasks.append(whole._replace(seeds=tuple(dict.fromkeys(missing))))
        self._simulate(list(self._cut(tasks)))
        return found

    def _simulate(self, tasks: Sequence[Task]) -> None:
        """Do tasks and keep what they give, as it comes: whoever cancels loses nothing of it."""
        total = sum(len(task.seeds) for task in tasks)
        if not total:
            return
        done = 0
        with telling(self._progress, total) as tell, closing(self._results(tasks)) as results:
            for task, figures in results:
                self._cache.keep(task, figures)
                done += len(figures)
                self.simulated += len(figures)
                tell(done)

    def _cut(self, tasks: Sequence[Task]) -> Iterator[Task]:
        """Yield the same runs in smaller tasks, so that there is work for every worker."""
        total = sum(len(task.seeds) for task in tasks)
        if not total:
            return
        workers = self._executor.workers if self._executor else self._workers or cpu_count()
        most = max(1, min(_MOST_PER_TASK, total // (4 * workers)))
        for number, task in enumerate(tasks):
            left = task.seeds
            if number == 0 and self._executor is None:  # a single run tells how long all take
                yield task._replace(seeds=left[:1])
                left = left[1:]
            for first in range(0, len(left), most):
                yield task._replace(seeds=left[first : first + most])

    def _results(self, tasks: Sequence[Task]) -> Generator[tuple[Task, list[Figures]]]:
        """Yield tasks with their results; without an executor begin here, and call for help."""
        executor, begin = self._executor, 0
        if executor is None:
            began_s = time.perf_counter()
            for begin, task in enumerate(tasks, 1):
                yield task, simulate(task)
                passed_s = time.perf_counter() - began_s
                runs = sum(len(one.seeds) for one in tasks[:begin])
                left = sum(len(one.seeds) for one in tasks[begin:])
                if passed_s / runs * left > _PATIENCE_S:
                    break
            helper = make_executor("processes", self._workers)
            assert helper is not None
            executor = helper if helper.workers > 1 else Serial()
        rest = tasks[begin:]
        if rest:
            with closing(executor.results(simulate, rest)) as results:
                for place, result in results:
                    yield rest[place], result


def checked_designs(designs: Sequence[Design]) -> list[str]:
    """Return the names of designs that can be run beside each other.

    Raises
    ------
    RunError
        There is no design, or two have the same name.
    """
    names = [design.name for design in designs]
    hint = "grid(...), one_at_a_time(...) and others make designs"
    if not names:
        raise RunError("there is no design", hint=hint)
    doubles = [name for name, count in Counter(names).items() if count > 1]
    if doubles:
        raise RunError(f"two designs are called {doubles[0]!r}", hint="give each a name of its own")
    return names


def finite(runs: pd.DataFrame, kpi: str) -> pd.DataFrame:
    """Return runs of which each has a figure.

    Raises
    ------
    RunError
        One has none: nothing happened in it that could be measured.
    """
    unknown = runs[~np.isfinite(runs[kpi].to_numpy(float))]
    if len(unknown):
        first = unknown.iloc[0]
        raise RunError(
            f"{kpi} has no value in {len(unknown)} of {len(runs)} runs, such as replication "
            f"{first['replication']} of {first['design']!r}",
            hint="take a figure that every run has, or run longer (until)",
        )
    return runs


def _side_by_side(parts: Sequence[tuple[Part, Figures]]) -> dict[str, float]:
    """Put the figures of the parts of a run beside each other: of each part its own alone.

    A mesh without a floor has figures of that, too: those of a floor on which nothing happens.
    """
    return {
        name: windows[0][name]
        for part, windows in parts
        for name in part.kpis
        if name in windows[0]
    }  # fmt: skip


def _cache_of(given: bool | str | Path | Cache | None) -> Cache:
    """Return the cache that was asked for."""
    if isinstance(given, Cache):
        return given
    if given is None or isinstance(given, bool):
        return Cache.usual() if given else Cache()
    return Cache.at(Path(given))
