"""Fitted laws in the words of a scenario, and laws given by points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import TypeAdapter, ValidationError
from scipy import special

from twin import units
from twin.scenario import Law

__all__ = ["MOST_POINTS", "Points", "as_law", "points_of"]

Floats = NDArray[np.float64]
MOST_POINTS = 64
"""The most points that an empirical law may have in a scenario [1]."""
_GRID = 4000
_LAW: TypeAdapter[Any] = TypeAdapter(Law)


def _text(duration_us: float) -> str:
    """Return a duration as a scenario writes it, in whole microseconds."""
    return units.format_duration(max(0, round(duration_us)))


@dataclass(frozen=True)
class Points:
    """A law given by points: levels that rise from 0 to 1, and durations [us], even between two."""

    levels: Floats
    quantiles_us: Floats

    @property
    def law(self) -> dict[str, Any]:
        """The law as a scenario has it."""
        return {
            "law": "empirical",
            "levels": [round(float(level), 6) for level in self.levels],
            "quantiles": [_text(float(value)) for value in self.quantiles_us],
        }

    def cdf(self, at_us: ArrayLike) -> Floats:
        """Return the probability of at most so much [1].

        Parameters
        ----------
        at_us
            Durations [us].
        """
        return self._reached(np.asarray(at_us, float), "right")

    def below(self, at_us: ArrayLike) -> Floats:
        """Return the probability of less than so much [1], another one only where there is a step.

        Parameters
        ----------
        at_us
            Durations [us].
        """
        return self._reached(np.asarray(at_us, float), "left")

    def _reached(self, x_us: Floats, side: Any) -> Floats:
        values, levels = self.quantiles_us, self.levels
        place = np.searchsorted(values, x_us, side=side)
        low, high = np.clip(place - 1, 0, None), np.clip(place, None, len(values) - 1)
        width = values[high] - values[low]
        way = np.where(width > 0, (x_us - values[low]) / np.where(width > 0, width, 1.0), 0.0)
        inside = levels[low] + way * (levels[high] - levels[low])
        return np.where(place == 0, 0.0, np.where(place == len(values), 1.0, inside))

    def density(self, at_us: ArrayLike) -> Floats:
        """Return the density per microsecond; infinite where the law is one value.

        Parameters
        ----------
        at_us
            Durations [us].
        """
        x_us, widths = np.asarray(at_us, float), np.diff(self.quantiles_us)
        place = np.searchsorted(self.quantiles_us, x_us, side="right") - 1
        inside = (place >= 0) & (place < len(widths))
        at = np.clip(place, 0, len(widths) - 1)
        flat = np.where(widths > 0, np.diff(self.levels) / np.where(widths > 0, widths, 1), np.inf)
        return np.where(inside, flat[at], 0.0)


def points_of(x_us: Floats, most: int = MOST_POINTS) -> Points:
    """Return the points of samples that are nearest to them with straight lines between.

    Each further point goes where the line between two is farthest off for most samples, beside the
    mean of all and beside the width of that span: so neither the tails, where straight lines would
    cost the mean, nor what is narrow and frequent go without points.

    Parameters
    ----------
    x_us
        Samples in order, at least two [us].
    most
        How many points at most [1].
    """
    levels, mean_us = np.arange(len(x_us)) / (len(x_us) - 1), float(x_us.mean())
    chosen = [0, len(x_us) - 1]
    open_spans = [_farthest(x_us, 0, len(x_us) - 1, mean_us)]
    while len(chosen) < most:
        away, place, low, high = max(open_spans)
        if away <= 0:
            break
        chosen.append(place)
        open_spans.remove((away, place, low, high))
        open_spans += [_farthest(x_us, low, place, mean_us), _farthest(x_us, place, high, mean_us)]
    kept = np.sort(chosen)
    return Points(levels[kept], x_us[kept].astype(float))


def _farthest(x_us: Floats, low: int, high: int, scale_us: float) -> tuple[float, int, int, int]:
    """Return how far samples are off the line of two of them, and where they are farthest."""
    span = x_us[low : high + 1]
    off = np.abs(span - np.linspace(span[0], span[-1], len(span)))
    if float(off.max()) <= 0.5:  # what rounding leaves of a straight line is no reason for a point
        return 0.0, low, low, high

    away = float(off.sum()) * (1.0 / scale_us + 1.0 / float(span[-1] - span[0]))
    return away, low + int(off.argmax()), low, high


def as_law(name: str, numbers: Sequence[float]) -> Mapping[str, Any] | str:
    """Return a fitted law as a scenario has it, or why no scenario can say it.

    Parameters
    ----------
    name
        Of the family.
    numbers
        Its parameters, in their order, durations in microseconds.
    """
    try:
        law = _words(name, numbers)
        _LAW.validate_python(law)
    except (ValidationError, OverflowError) as error:
        where = error.errors()[0]["loc"] if isinstance(error, ValidationError) else ()
        place = ".".join(str(step) for step in where) or "a duration"
        return f"a scenario cannot say it: {place} is out of range"
    return law


def _words(name: str, numbers: Sequence[float]) -> dict[str, Any]:
    """Return a law as a scenario would have it, in range or not."""
    if name.startswith("mixture"):
        weights, mus, sigmas = np.reshape(numbers, (3, -1)).tolist()
        parts = [
            {"weight": round(weight, 6), **_words("lognormal", [mu, sigma])}
            for weight, mu, sigma in zip(weights, mus, sigmas, strict=True)
        ]
        return {"law": "mixture", "components": parts}
    first, *rest = numbers
    if name == "gamma":
        # No sampler inverts a gamma law: a scenario has it by its points.
        levels = np.append(np.arange(_GRID) / _GRID, 1.0 - 0.01 / _GRID)
        return points_of(np.asarray(rest[0] * special.gammaincinv(first, levels))).law
    if name == "lognormal":
        median_us = float(np.exp(first))
        return {"law": name, "median": _text(median_us), "sigma": round(rest[0], 6)}
    if name == "weibull":
        return {"law": name, "scale": _text(first), "shape": round(rest[0], 6)}
    keys = {"uniform": ("low", "high"), "normal": ("mean", "sd"), "constant": ("value",)}[name]
    return {"law": name, **{k: _text(v) for k, v in zip(keys, numbers, strict=True)}}
