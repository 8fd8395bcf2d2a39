"""Laws of chance for durations: what a scenario may say about how long something takes.

A law is an inline table that names itself, `{ law = "uniform", low = "5 ms",
high = "20 ms" }`, or the name of one in `data/laws.toml`. No law gives a
negative duration: the normal is cut at zero.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from twin import units
from twin.scenario.base import Finding, Part, refuse
from twin.scenario.quantities import DurationUs, PositiveDurationUs

__all__ = [
    "Component",
    "Constant",
    "ConstantComponent",
    "Empirical",
    "Law",
    "Lognormal",
    "LognormalComponent",
    "Mixture",
    "Normal",
    "NormalComponent",
    "Uniform",
    "UniformComponent",
    "Weibull",
    "WeibullComponent",
]

# At sigma 3 the mean is already ninety times the median: beyond, it is a slip.
Sigma = Annotated[float, Field(strict=True, ge=0, le=3)]
# At shape 0.3 the mean is already nine times the scale; beyond 50 all values are the same.
Shape = Annotated[float, Field(strict=True, ge=0.3, le=50)]
Levels = Annotated[
    tuple[Annotated[float, Field(strict=True, ge=0, le=1)], ...],
    Field(min_length=2, max_length=64, description="2 to 64 shares, rising from 0.0 to 1.0"),
]
Quantiles = Annotated[
    tuple[DurationUs, ...],
    Field(min_length=2, max_length=64, description="2 to 64 durations, one for each level"),
]
Weight = Annotated[float, Field(strict=True, gt=0, le=1_000_000)]


class Constant(Part):
    """Always the same duration `value_us` [us]."""

    law: Literal["constant"]
    value_us: DurationUs

    @property
    def expected_us(self) -> float:
        """The mean [us]."""
        return float(self.value_us)


class Uniform(Part):
    """Evenly between `low_us` and `high_us` [us]."""

    law: Literal["uniform"]
    low_us: DurationUs
    high_us: DurationUs

    @property
    def expected_us(self) -> float:
        """The mean [us]."""
        return (self.low_us + self.high_us) / 2

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high_us < self.low_us:
            low = units.format_duration(self.low_us)
            given = units.format_duration(self.high_us)
            refuse([Finding("high", "is below low", given, f"at least low, {low}")])
        return self


class Lognormal(Part):
    """Lognormal with median `median_us` [us] and `sigma` of the natural logarithm [1]."""

    law: Literal["lognormal"]
    median_us: PositiveDurationUs
    sigma: Sigma

    @property
    def expected_us(self) -> float:
        """The mean, median * exp(sigma**2 / 2) [us]."""
        return self.median_us * math.exp(self.sigma**2 / 2)


class Normal(Part):
    """Normal with mean `mean_us` and standard deviation `sd_us` [us], cut at zero."""

    law: Literal["normal"]
    mean_us: DurationUs
    sd_us: DurationUs

    @property
    def expected_us(self) -> float:
        """The mean once what is negative counts as zero [us]."""
        if not self.sd_us:
            return float(self.mean_us)
        score = self.mean_us / self.sd_us
        below = math.erfc(score / math.sqrt(2)) / 2
        height = math.exp(-(score**2) / 2) / math.sqrt(2 * math.pi)
        return self.mean_us * (1 - below) + self.sd_us * height


class Weibull(Part):
    """Weibull with the scale `scale_us` [us], which 63 % stay below, and a `shape` [1].

    Shape 1 is the exponential law; above it long durations are rarer, below more frequent.
    """

    law: Literal["weibull"]
    scale_us: PositiveDurationUs
    shape: Shape

    @property
    def expected_us(self) -> float:
        """The mean, scale * gamma(1 + 1 / shape) [us]."""
        return self.scale_us * math.gamma(1 + 1 / self.shape)


class Empirical(Part):
    """As measured: a share `levels` [1] of durations is at most `quantiles_us` [us].

    Levels rise from 0 to 1, as many as quantiles and at most 64; between two of
    them the law is even.
    """

    law: Literal["empirical"]
    levels: Levels
    quantiles_us: Quantiles

    @property
    def expected_us(self) -> float:
        """The mean [us]."""
        shares = (above - below for below, above in pairwise(self.levels))
        middles = ((low + high) / 2 for low, high in pairwise(self.quantiles_us))
        return math.fsum(s * middle for s, middle in zip(shares, middles, strict=True))

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        levels, quantiles = self.levels, self.quantiles_us
        findings = []
        if len(levels) != len(quantiles):
            given = f"{len(levels)} levels, {len(quantiles)} quantiles"
            findings.append(Finding("levels", "lists of different length", given, "as many"))
        if (levels[0], levels[-1]) != (0.0, 1.0):
            given = f"from {levels[0]:g} to {levels[-1]:g}"
            findings.append(Finding("levels", "not the whole law", given, "from 0.0 to 1.0"))
        for n, (low, high) in enumerate(pairwise(levels), 1):
            if high <= low:
                given, allowed = f"{high:g} at place {n}", f"above the one before, {low:g}"
                findings.append(Finding("levels", "do not rise", given, allowed))
        for n, (low_us, high_us) in enumerate(pairwise(quantiles), 1):
            if high_us < low_us:
                given = f"{units.format_duration(high_us)} at place {n}"
                allowed = f"at least the one before, {units.format_duration(low_us)}"
                findings.append(Finding("quantiles", "fall", given, allowed))
        refuse(findings)
        return self


class ConstantComponent(Constant):
    """A constant as part of a mixture, with its `weight` [1]."""

    weight: Weight


class UniformComponent(Uniform):
    """A uniform law as part of a mixture, with its `weight` [1]."""

    weight: Weight


class LognormalComponent(Lognormal):
    """A lognormal as part of a mixture, with its `weight` [1]."""

    weight: Weight


class NormalComponent(Normal):
    """A normal law as part of a mixture, with its `weight` [1]."""

    weight: Weight


class WeibullComponent(Weibull):
    """A Weibull law as part of a mixture, with its `weight` [1]."""

    weight: Weight


Component = Annotated[
    ConstantComponent | UniformComponent | LognormalComponent | NormalComponent | WeibullComponent,
    Field(discriminator="law"),
]


class Mixture(Part):
    """One of at most eight laws, each with a chance in proportion to its weight."""

    law: Literal["mixture"]
    components: Annotated[tuple[Component, ...], Field(min_length=1, max_length=8)]

    @property
    def shares(self) -> tuple[float, ...]:
        """The weights scaled to a sum of one, in the order of the components [1]."""
        total = sum(part.weight for part in self.components)
        return tuple(part.weight / total for part in self.components)

    @property
    def expected_us(self) -> float:
        """The mean [us]."""
        parts = zip(self.shares, self.components, strict=True)
        return math.fsum(share * part.expected_us for share, part in parts)


Law = Annotated[
    Constant | Uniform | Lognormal | Normal | Weibull | Empirical | Mixture,
    Field(discriminator="law"),
]
