"""Rows as tidy frames: names for indices, local time for microseconds, NaN for what is not."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.analysis.jobs import LINE, marks, pair_jobs, read_scans
from twin.errors import RunError
from twin.events import FULL_BATTERY, NEVER, Kind, Outcome, Role, Slip, scan_us
from twin.floor.fields import (
    JobTexts,
    event_ids,
    message_states,
    scan_codes,
    symbologies,
    trigger_s,
)
from twin.floor.plan import FloorPlan
from twin.scenario import Scenario
from twin.world.clock import Calendar
from twin.world.roster import Roster

_US_PER_MS = 1e3
_Paired = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


class Frames:
    """Makes frames of the rows of one site."""

    def __init__(
        self, scenario: Scenario, roster: Roster, plan: FloorPlan, calendar: Calendar
    ) -> None:
        """Remember what names the indices."""
        self._scenario = scenario
        self._roster = roster
        self._plan = plan
        self._calendar = calendar
        self._jobs = [JobTexts(j.start_barcode, j.end_barcode) for j in scenario.work.jobs]
        self._job_of = [worker.job for worker in roster.workers]
        self._temperature_degc = {z.name: z.temperature_degc for z in scenario.site.zones}
        self._whole_degc = [round(self._temperature_degc[w.zone]) for w in roster.workers]

    def events(self, rows: NDArray[np.void], columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return rows as a frame, one line each.

        Parameters
        ----------
        rows
            Array of ``EVENT`` rows, shape (n,).
        columns
            Only these, in this order; texts and ids take most of the time.

        Raises
        ------
        RunError
            A column that does not exist.
        """
        makers = self._makers(rows)
        chosen = list(makers) if columns is None else list(columns)
        for name in chosen:
            if name not in makers:
                raise RunError(f"events have no column {name!r}; they have {', '.join(makers)}")
        return pd.DataFrame({name: makers[name]() for name in chosen}, columns=chosen)

    def _makers(self, rows: NDArray[np.void]) -> dict[str, Callable[[], object]]:
        """Return what makes each column, in the order of the frame."""
        return {
            "time": lambda: self._times(rows["time_us"]),
            "kind": lambda: _enum(rows["kind"], Kind),
            "outcome": lambda: _enum(rows["outcome"], Outcome),
            **self._who(rows),
            **self._job_columns(rows),
            **self._time_columns(rows),
            **self._device_columns(rows),
            **self._text_columns(rows),
        }

    def _who(self, rows: NDArray[np.void]) -> dict[str, Callable[[], object]]:
        """Say who scanned with what, and where."""
        roster = self._roster
        shifts = [shift.name for shift in self._scenario.work.shifts]

        def named(column: str, names: list[str]) -> Callable[[], object]:
            return lambda: _named(rows[column], names)

        return {
            "worker": named("worker", [w.name for w in roster.workers]),
            "shift": named("worker", [shifts[w.shift] for w in roster.workers]),
            "zone": named("worker", [w.zone for w in roster.workers]),
            "device": named("scanner", [s.serial for s in roster.scanners]),
            "gateway": named("gateway", [g.name for g in roster.gateways]),
            "gateway_id": named("gateway", [g.id for g in roster.gateways]),
            "gateway_kind": named("gateway", [g.kind for g in roster.gateways]),
            "station": named("gateway", [g.station for g in roster.gateways]),
            "usecase": named("gateway", [g.usecase for g in roster.gateways]),
        }

    def _job_columns(self, rows: NDArray[np.void]) -> dict[str, Callable[[], object]]:
        """Say where in its worker's work a scan stands."""
        return {
            "number": lambda: _count(rows["number"]),
            "job": lambda: _count(rows["job"]),
            "line": lambda: _count(rows["line"]),
            "role": lambda: _enum(rows["role"], Role),
            "attempts": lambda: rows["attempts"],
            "copies": lambda: rows["copies"],
            "slip": lambda: _enum(rows["slip"], Slip),
        }

    def _time_columns(self, rows: NDArray[np.void]) -> dict[str, Callable[[], object]]:
        """Say when a message was made, arrived, beeped and showed, and what lies between."""
        made_us = scan_us(rows)
        return {
            "scan_time": lambda: self._times(made_us),
            "beep_time": lambda: self._times(rows["beep_us"]),
            "visible_time": lambda: self._times(rows["visible_us"]),
            "wait_ms": lambda: _where(_arrived(rows), rows["wait_us"] / _US_PER_MS),
            "scan_to_beep_ms": lambda: _between_ms(made_us, rows["beep_us"]),
            "scan_to_cloud_ms": lambda: _between_ms(made_us, rows["visible_us"]),
        }

    def _device_columns(self, rows: NDArray[np.void]) -> dict[str, Callable[[], object]]:
        """Say in what state the scanner is."""
        temperatures = [self._temperature_degc[w.zone] for w in self._roster.workers]
        degc = np.append(np.array(temperatures, float), np.nan)
        held = rows["scanner"] >= 0
        firmwares = [scanner.firmware for scanner in self._roster.scanners]
        return {
            "battery_percent": lambda: _where(held, rows["battery"] * (100 / FULL_BATTERY)),
            "temperature_degc": lambda: _where(held, degc[rows["worker"]]),
            "firmware": lambda: _named(rows["scanner"], firmwares),
        }

    def _text_columns(self, rows: NDArray[np.void]) -> dict[str, Callable[[], object]]:
        """Say the id of each message; text, symbology and trigger time of each scan."""
        is_scan = rows["kind"] == Kind.SCAN
        is_message = is_scan | (rows["kind"] == Kind.TELEMETRY)
        names = [name for name, _ in self._scenario.work.symbologies]
        names.append(self._scenario.work.job_symbology)

        def states(where: NDArray[np.bool_]) -> NDArray[np.int64]:
            return message_states(self._plan, rows[where])

        return {
            "scan_code": lambda: _spread(is_scan, self._codes(rows[is_scan], states(is_scan))),
            "symbology": lambda: _named(
                np.where(is_scan, self._symbologies(rows, message_states(self._plan, rows)), -1),
                names,
            ),
            "trigger_s": lambda: _where(
                is_scan, trigger_s(self._plan, message_states(self._plan, rows))
            ),
            "event_id": lambda: _spread(is_message, event_ids(states(is_message))),
        }

    def _symbologies(self, rows: NDArray[np.void], states: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the symbology of each row as an index; the job symbology comes last."""
        weights = np.array([weight for _, weight in self._scenario.work.symbologies], float)
        return symbologies(states, rows["role"], weights, len(weights))

    def _codes(self, scans: NDArray[np.void], states: NDArray[np.int64]) -> list[str]:
        """Return the text of each scan."""
        return scan_codes(states, scans, self._jobs, self._job_of)

    def codes(self, rows: NDArray[np.void]) -> list[str | None]:
        """Return the text of each row, None for what is no scan."""
        is_scan = rows["kind"] == Kind.SCAN
        states = message_states(self._plan, rows[is_scan])
        texts = iter(self._codes(rows[is_scan], states))
        return [next(texts) if scan else None for scan in is_scan.tolist()]

    def messages(self, rows: NDArray[np.void]) -> dict[str, list[Any]]:
        """Return what is read off messages as lists, without the cost of a frame.

        They are event_id, scan_code (None for a report), symbology, trigger_s [s] and
        temperature_degc in whole degrees [degC], one value for each row.
        """
        states = message_states(self._plan, rows)
        names = [name for name, _ in self._scenario.work.symbologies]
        names.append(self._scenario.work.job_symbology)
        return {
            "event_id": event_ids(states),
            "scan_code": self.codes(rows),
            "symbology": [names[i] for i in self._symbologies(rows, states).tolist()],
            "trigger_s": trigger_s(self._plan, states).tolist(),
            "temperature_degc": [self._whole_degc[w] for w in rows["worker"].tolist()],
        }

    def ids(self, messages: NDArray[np.void]) -> list[str]:
        """Return the event id of each message."""
        return event_ids(message_states(self._plan, messages))

    def pairs(
        self, scans: NDArray[np.void], start_barcode: str, end_barcode: str
    ) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Return the start scans and the end scans of the jobs that job analysis finds.

        Parameters
        ----------
        scans
            Rows of scans, in order, shape (n,).
        start_barcode, end_barcode
            What the text of a start, or of an end, begins with.
        """
        texts = JobTexts(start_barcode, end_barcode)
        candidates = np.flatnonzero(_may_mark_a_job(scans["role"], [*self._jobs, texts]))
        marking = scans[candidates]
        mark = np.full(len(scans), LINE, np.int64)
        codes = self._codes(marking, message_states(self._plan, marking))
        mark[candidates] = marks(codes, *texts)
        gateway, device = scans["gateway"].astype(np.int64), scans["scanner"].astype(np.int64)
        start, end, _ = pair_jobs(read_scans(gateway, device, scan_us(scans)), mark)
        return scans[start], scans[end]

    def jobs(self, rows: NDArray[np.void]) -> pd.DataFrame:
        """Return the finished jobs of every job configuration, as job analysis pairs them."""
        scans = rows[(rows["kind"] == Kind.SCAN) & (rows["visible_us"] != NEVER)]
        candidates = np.flatnonzero(_may_mark_a_job(scans["role"], self._jobs))
        marking = scans[candidates]
        texts = self._codes(marking, message_states(self._plan, marking))
        gateway, device = scans["gateway"].astype(np.int64), scans["scanner"].astype(np.int64)
        reading = read_scans(gateway, device, scan_us(scans))
        paired = []
        for config in self._jobs:
            mark = np.full(len(scans), LINE, np.int64)
            mark[candidates] = marks(texts, *config)
            paired.append(pair_jobs(reading, mark))
        return self._jobs_frame(scans, paired)

    def _jobs_frame(self, scans: NDArray[np.void], paired: list[_Paired]) -> pd.DataFrame:
        """Return the pairs of each configuration as one frame of jobs."""
        none = (np.zeros(0, np.int64),) * 3
        start, end, count = (np.concatenate(part) for part in zip(*(paired or [none]), strict=True))
        first, last = scans[start], scans[end]
        start_us, end_us = scan_us(first), scan_us(last)
        configs = [job.name for job in self._scenario.work.jobs]
        gateways = self._roster.gateways
        workers = [worker.name for worker in self._roster.workers]
        serials = [scanner.serial for scanner in self._roster.scanners]
        config = np.repeat(np.arange(len(paired)), [len(starts) for starts, _, _ in paired])
        return pd.DataFrame(
            {
                "job_config": _named(config, configs).astype("str"),
                "gateway": _named(first["gateway"], [g.name for g in gateways]).astype("str"),
                "station": _named(first["gateway"], [g.station for g in gateways]).astype("str"),
                "device": _named(first["scanner"], serials).astype("str"),
                "worker": _named(first["worker"], workers).astype("str"),
                "job": first["job"],
                "start": self._times(start_us),
                "end": self._times(end_us),
                "duration_s": (end_us - start_us) / 1e6,
                "scans": count,
            }
        )

    def gateways(
        self, messages: NDArray[np.int64], wait_us: NDArray[np.int64], use: NDArray[np.float64]
    ) -> pd.DataFrame:
        """Return the gateways with their load.

        Parameters
        ----------
        messages, wait_us
            Messages and the sum of their waits [us], of each gateway.
        use
            Share of time that each gateway serves [1].
        """
        fields = ("name", "id", "kind", "zone", "station", "usecase", "x_m", "y_m", "scanner_limit")
        frame = pd.DataFrame(
            {name: [getattr(g, name) for g in self._roster.gateways] for name in fields}
        )
        waits_ms = wait_us / np.maximum(messages, 1) / _US_PER_MS
        return frame.assign(
            x_m=frame["x_m"].astype(float),
            y_m=frame["y_m"].astype(float),
            messages=messages,
            use=use,
            mean_wait_ms=_where(messages > 0, waits_ms),
        )

    def _times(self, moments_us: NDArray[np.int64]) -> "pd.Series[pd.Timestamp]":
        """Return moments as local time, NaT where they never come."""
        origin_us = self._calendar.origin_us
        never = moments_us == NEVER
        stamps = np.where(never, 0, moments_us) + origin_us
        times = stamps.astype("datetime64[us]")
        times[never] = np.datetime64("NaT")
        return pd.Series(times).dt.tz_localize("UTC").dt.tz_convert(self._calendar.zone)


def _may_mark_a_job(roles: NDArray[np.uint8], jobs: list[JobTexts]) -> NDArray[np.bool_]:
    """Say which scans need their text looked at: items only where a prefix is like theirs."""
    item_like = any(text[0].isdigit() or text[0] == "#" for job in jobs for text in job)
    return (roles == Role.START) | (roles == Role.END) | item_like


def _enum(
    values: NDArray[np.uint8], enum: type[Kind | Outcome | Role | Slip]
) -> "pd.Categorical[str]":
    """Return the members of an enumeration as their names."""
    members = list(enum)
    codes = np.searchsorted([int(member) for member in members], values)
    return pd.Categorical.from_codes(codes, pd.Index([member.name.lower() for member in members]))


def _named(index: NDArray[np.integer[Any]], names: list[str]) -> "pd.Categorical[str]":
    """Return indices as names, missing where the index is -1."""
    unique = list(dict.fromkeys(names))
    place = {name: i for i, name in enumerate(unique)}
    codes = np.array([*(place[name] for name in names), -1], np.int64)[index]
    return pd.Categorical.from_codes(codes, pd.Index(unique, dtype="str"))


def _arrived(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Say which rows are messages that reached their gateway."""
    is_message = np.isin(rows["kind"], (Kind.SCAN, Kind.TELEMETRY))
    failed = np.isin(rows["outcome"], (Outcome.LOST_BLE, Outcome.NOT_CONNECTED))
    return np.asarray(is_message & ~failed)


def _count(values: NDArray[np.int32]) -> pd.Series:
    """Return counts, missing where they are -1."""
    return pd.Series(values.astype(np.int64), dtype="Int64").mask(values == -1)


def _where(filled: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values, NaN where they are not filled."""
    return np.where(filled, values, np.nan)


def _between_ms(from_us: NDArray[np.int64], to_us: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the time between two moments, NaN where one never comes [ms]."""
    both = (from_us != NEVER) & (to_us != NEVER)
    return _where(both, np.where(both, to_us - from_us, 0) / _US_PER_MS)


def _spread(where: NDArray[np.bool_], values: list[str]) -> "pd.Series[str]":
    """Return texts at the rows they belong to, missing elsewhere."""
    out = np.full(len(where), None, object)
    out[where] = values
    return pd.Series(out, dtype="str")
