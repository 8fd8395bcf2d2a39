"""The `[work]` section: who works when and where, at what pace, in which jobs."""

from __future__ import annotations

import itertools
import math
from datetime import time
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from twin import units
from twin.resources import near
from twin.scenario.base import Count, Finding, Name, Part, refuse
from twin.scenario.catalogue import break_lengths, break_rules
from twin.scenario.laws import Law
from twin.scenario.quantities import DurationUs, Fraction, Quantity
from twin.scenario.site import doubles

__all__ = ["DAYS", "Break", "JobConfig", "JobLines", "Orders", "Shift", "Work"]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_BREAKS = 'a list of { after = "2 h", duration = "15 min" }, or "ArbZG", the German law'
_PROFILE = "24 weights of at least 0, not all 0, one for each local hour"
_MINUTE_US = 60_000_000
_CLOCK = 'a local time of day in whole minutes, like "06:00"'


def _clock(value: Any) -> time:
    """Read "06:00" or a TOML local time."""
    moment = value
    if isinstance(value, str):
        try:
            moment = time.fromisoformat(value)
        except ValueError:
            moment = None
    whole = isinstance(moment, time) and moment.replace(second=0, microsecond=0) == moment
    if not isinstance(moment, time) or moment.tzinfo is not None or not whole:
        context = {"what": "not a time of day", "allowed": _CLOCK, "hint": ""}
        raise PydanticCustomError("quantity", "{what}", context)
    return moment


def _in_week(value: Any) -> Any:
    # Days are a set: their order and repetition must not change the digest.
    if isinstance(value, (list, tuple)) and all(day in DAYS for day in value):
        return tuple(day for day in DAYS if day in value)
    return value


def _sorted_weights(value: Any) -> Any:
    # Likewise symbologies: kept sorted by name, as pairs, since a dict can be changed.
    return tuple(sorted(value.items())) if isinstance(value, dict) else value


ClockTime = Annotated[
    time,
    BeforeValidator(_clock),
    PlainSerializer(lambda moment: f"{moment:%H:%M}", return_type=str, when_used="json"),
    Field(description=_CLOCK),
]
Days = Annotated[
    tuple[Day, ...],
    BeforeValidator(_in_week),
    Field(min_length=1, description=f"a list out of {', '.join(DAYS)}"),
]
ShiftLengthUs = Annotated[int, Quantity(units.DURATION, at_least="1 min", at_most="16 h")]
BreakLengthUs = Annotated[int, Quantity(units.DURATION, at_least="1 min", at_most="16 h")]
Barcode = Annotated[str, Field(min_length=1, max_length=64)]
Symbology = Annotated[
    str, Field(pattern=r"^[A-Z0-9_]+$", description="capitals as in EAN_13, QR_CODE")
]
SymbologyWeight = Annotated[float, Field(strict=True, ge=0, le=1_000_000)]
Weights = Annotated[
    tuple[tuple[Symbology, SymbologyWeight], ...],
    BeforeValidator(_sorted_weights),
    PlainSerializer(dict, when_used="json"),
    Field(min_length=1, description="a table of symbology = weight"),
]
PickerSd = Annotated[float, Quantity(units.RATIO, at_least="0 %", at_most="30 %", bare=True)]
HourWeight = Annotated[float, Field(strict=True, ge=0, le=1_000_000)]
Profile = Annotated[tuple[HourWeight, ...], Field(description=_PROFILE)]
Lines = Annotated[int, Field(strict=True, ge=1, le=10_000)]


class Break(Part):
    """A break that begins `after_us` after the start of its shift and lasts `duration_us` [us]."""

    after_us: DurationUs
    duration_us: BreakLengthUs


def _spread(rule: str, shift_us: int) -> list[dict[str, str]]:
    """Spread the breaks of a rule evenly over a shift, on whole minutes rounded down."""
    lengths = break_lengths(rule, shift_us)
    parts = len(lengths) + 1
    return [
        {
            "after": units.format_duration(shift_us * place // parts // _MINUTE_US * _MINUTE_US),
            "duration": units.format_duration(length_us),
        }
        for place, length_us in enumerate(lengths, start=1)
    ]


class Shift(Part):
    """A shift: local `start`, `duration_us` [us], how many workers, on which days.

    Workers are dealt to `zones` in turn; a zone named twice gets two turns, and
    no zones at all means every zone of the site. A rule named instead of breaks
    ("ArbZG") is replaced by the breaks it demands.
    """

    name: Name
    start: ClockTime
    duration_us: ShiftLengthUs
    workers: Count
    days: Days
    zones: tuple[str, ...] = ()
    breaks: Annotated[tuple[Break, ...], Field(description=_BREAKS)] = ()

    @field_validator("breaks", mode="before")
    @classmethod
    def _by_rule(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        if value not in break_rules():
            close = near(value, break_rules())
            hint = f"did you mean {close}?" if close else ""
            context = {"what": "no such rule for breaks", "allowed": _BREAKS, "hint": hint}
            raise PydanticCustomError("quantity", "{what}", context)
        # A duration that is wrong is missing here, and told by itself.
        return _spread(value, info.data.get("duration_us", 0))

    @model_validator(mode="after")
    def _breaks_fit(self) -> Self:
        end = 0
        findings = []
        for place, pause in enumerate(self.breaks):
            key, given = f"breaks.{place}.after", units.format_duration(pause.after_us)
            if pause.after_us < end:
                allowed = f"at least {units.format_duration(end)}, the end of the one before"
                findings.append(Finding(key, "breaks overlap or are out of order", given, allowed))
            end = pause.after_us + pause.duration_us
            if end > self.duration_us:
                latest = units.format_duration(max(0, self.duration_us - pause.duration_us))
                what = "the break ends after its shift"
                findings.append(Finding(key, what, given, f"at most {latest}"))
        refuse(findings)
        return self


class JobConfig(Part):
    """A kind of job: the prefixes of its start and end barcodes, and the zones it is done in.

    A worker does the first job whose zones include its own; no zones: all.
    """

    name: Name
    start_barcode: Barcode
    end_barcode: Barcode
    zones: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        start, end = self.start_barcode, self.end_barcode
        if start.startswith(end) or end.startswith(start):
            allowed = f"a prefix that does not begin with, or start, {start!r}"
            what = "an end scan would read as a start scan"
            refuse([Finding("end_barcode", what, repr(end), allowed)])
        return self


def _normal(score: float) -> float:
    """The share of a standard normal below a score [1]."""
    return math.erfc(-score / math.sqrt(2)) / 2


class JobLines(Part):
    """Lines of a job [1]: lognormal by median and mean, clipped to `min`..`max`."""

    median: Annotated[float, Field(strict=True, gt=0, le=10_000)]
    mean: Annotated[float, Field(strict=True, gt=0, le=100_000)]
    min: Lines
    max: Lines

    @property
    def sigma(self) -> float:
        """Sigma of the natural logarithm [1], from mean = median * exp(sigma**2 / 2)."""
        return math.sqrt(2.0 * math.log(self.mean / self.median))

    @property
    def expected(self) -> float:
        """The mean once clipped [1], less than `mean` where `max` cuts a long tail."""
        mu, sigma = math.log(self.median), self.sigma
        if not sigma:
            return self.median
        low, high = ((math.log(end) - mu) / sigma for end in (self.min, self.max))
        inside = self.mean * (_normal(high - sigma) - _normal(low - sigma))
        return self.min * _normal(low) + inside + self.max * (1 - _normal(high))

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        given = f"{self.median:g}"
        findings = []
        if self.max < self.min:
            findings.append(Finding("max", "is below min", str(self.max), f"at least {self.min}"))
        elif not self.min <= self.median <= self.max:
            allowed = f"from min to max, {self.min} to {self.max}"
            findings.append(Finding("median", "out of range", given, allowed))
        if self.mean < self.median:
            allowed = f"at least the median, {given}: a lognormal has no other mean"
            findings.append(Finding("mean", "out of range", f"{self.mean:g}", allowed))
        refuse(findings)
        return self


class Orders(Part):
    """Orders as they arrive: in the mean of a day `per_hour` [1/h], times `peak_factor` [1].

    `profile` says how the day's orders are spread over its 24 local hours, as
    weights relative to each other.
    """

    per_hour: Annotated[float, Field(strict=True, gt=0, le=1_000_000)]
    peak_factor: Annotated[float, Field(strict=True, gt=0, le=1000)]
    profile: Profile

    @property
    def rates_per_h(self) -> tuple[float, ...]:
        """The orders to expect in each local hour of a day, the first from midnight [1/h]."""
        day = 24 * self.per_hour * self.peak_factor
        total = math.fsum(self.profile)
        return tuple(day * weight / total for weight in self.profile)

    @model_validator(mode="after")
    def _whole_day(self) -> Self:
        if len(self.profile) != 24:
            given = f"{len(self.profile)} weights"
            refuse([Finding("profile", "is not a day of 24 hours", given, _PROFILE)])
        if not any(self.profile):
            refuse([Finding("profile", "all weights are zero", "0", _PROFILE)])
        return self


class Work(Part):
    """Shifts, jobs and pace; durations [us], `pick_scale` multiplies pick intervals [1].

    Shares [1]: of scans that read a wrong barcode, of jobs whose end barcode is
    forgotten; `picker_sd` is how much the pace differs between workers. Without
    `orders` work never runs out.
    """

    pick_interval: Law
    pick_scale: Annotated[float, Field(strict=True, gt=0, le=1000)]
    trigger: Annotated[Law, Field(description="trigger press to decoded barcode")]
    rescan_delay: Annotated[Law, Field(description="failure tone to next trigger press")]
    job_setup: Annotated[Law, Field(description="end of a job to the next start barcode")]
    job_close: Annotated[Law, Field(description="last line to end barcode")]
    job_lines: JobLines
    start_spread_us: DurationUs
    break_return_min_us: DurationUs
    break_return_max_us: DurationUs
    wrong_scan: Fraction
    forgotten_end: Fraction
    picker_sd: PickerSd
    symbologies: Weights
    job_symbology: Symbology
    orders: Orders | None = None
    shifts: tuple[Shift, ...] = ()
    jobs: tuple[JobConfig, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        findings = doubles("shifts", [shift.name for shift in self.shifts])
        findings += doubles("jobs", [job.name for job in self.jobs])
        least, most = self.break_return_min_us, self.break_return_max_us
        if most < least:
            given, allowed = units.format_duration(most), units.format_duration(least)
            what = "is below break_return_min"
            findings.append(Finding("break_return_max", what, given, f"at least {allowed}"))
        if not any(weight for _, weight in self.symbologies):
            what, allowed = "all weights are zero", "at least one weight above 0"
            findings.append(Finding("symbologies", what, "0", allowed))
        refuse(findings)
        return self

    def most_workers(self) -> int:
        """How many workers are on the floor at once in the fullest minute of a week [1]."""
        steps = sorted(itertools.chain.from_iterable(_steps(shift) for shift in self.shifts))
        levels = itertools.accumulate((change for _, change in steps), initial=0)
        return max(levels)

    def working_us(self, shift: Shift) -> float:
        """How long one worker of a shift works, breaks and the ways there taken off [us]."""
        way_us = (self.break_return_min_us + self.break_return_max_us) / 2
        away_us = sum(pause.duration_us + way_us for pause in shift.breaks)
        return max(0.0, shift.duration_us - self.start_spread_us / 2 - away_us)

    def expected_job_us(self) -> float:
        """How long a job takes a worker who never waits, the next set up included [us]."""
        picks_us = self.job_lines.expected * self.pick_scale * self.pick_interval.expected_us
        return self.job_setup.expected_us + picks_us + self.job_close.expected_us


_WEEK = 7 * 24 * 60


def _steps(shift: Shift) -> list[tuple[int, int]]:
    """Comings (+) and goings (-) of a shift by minute of the week; who leaves, leaves first."""
    steps = []
    for day in shift.days:
        begin = DAYS.index(day) * 1440 + shift.start.hour * 60 + shift.start.minute
        end = begin + -(-shift.duration_us // _MINUTE_US)
        if end > _WEEK:
            # It runs over Sunday midnight: those hours are also Monday's.
            steps += [(0, shift.workers), (end - _WEEK, -shift.workers)]
        steps += [(begin, shift.workers), (min(end, _WEEK), -shift.workers)]
    return steps
