"""Laws of durations from samples: the most likely of each family, how well it fits, which is best.

>>> fits = fit_laws([2_000_000 + 10_000 * n for n in range(100)])
>>> fits.best.name, fits.best.law["low"]
('uniform', '2 s')

The goodness of fit is the largest distance between the law and the samples (Kolmogorov and
Smirnov) and their distance weighted towards the tails (Anderson and Darling). Tables of both hold
for a law that was known before; one that was fitted to the same samples is nearer to them, and the
tabled p-values are much too large. So p comes from a parametric bootstrap: samples are drawn from
the fitted law (with the twin's own draws), fitted again, and it is counted how many are as far off.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from twin.analysis.likelihood import FAMILIES, Family, Floats
from twin.analysis.sayable import Points, as_law, points_of
from twin.draws import fold, inner_unit, root
from twin.errors import RunError

__all__ = ["CLOSE", "FEWEST", "SURE", "Fit", "Fits", "fit_laws"]

FEWEST = 20
"""Fewer samples tell no law from another [1]."""
SURE = 0.01
"""A law is rejected when samples of its own are as far off with a smaller probability [1]."""
CLOSE = 0.01
"""A law that is nowhere farther off than this is taken as it is, however many samples could prove
that it is not exact [1]."""
_TRIED = 400
_HOPELESS = 1.95  # tabled p of 0.001, and those of fitted laws are smaller
_LONGEST_US = 400 * 86_400 * 10**6

Function = Callable[[ArrayLike], Floats]


@dataclass(frozen=True)
class Fit:
    """A law fitted to samples.

    Parameters
    ----------
    name
        What it is called.
    law
        The law as a scenario has it.
    parameters
        By name; durations in [us].
    free
        How many of them the samples decided [1].
    log_likelihood
        Of all samples, their density per microsecond; NaN where the law is the samples.
    aic, bic
        What it costs to have so many parameters, added to -2 times the log-likelihood.
    ks, ks_p
        Largest distance from the samples [1], and the probability that samples of this law are as
        far off, by parametric bootstrap; NaN where none was made.
    ad
        The statistic of Anderson and Darling [1].
    density, cdf
        Functions of durations in [us]: the density per microsecond, the probability of at most so
        much.
    """

    name: str
    law: Mapping[str, Any]
    parameters: Mapping[str, float]
    free: int
    log_likelihood: float
    aic: float
    bic: float
    ks: float
    ks_p: float
    ad: float
    density: Function = field(repr=False, compare=False)
    cdf: Function = field(repr=False, compare=False)

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the law: it is not rejected, or close enough."""
        return self.ks <= CLOSE or self.ks_p > SURE


@dataclass(frozen=True)
class Fits:
    """All laws that were fitted to one set of samples, the best first.

    Laws that hold come first, by BIC; then the empirical one, which is the samples themselves;
    then laws that were rejected. ``left_out`` says why a family could not be fitted at all.
    """

    samples_us: Floats
    fits: tuple[Fit, ...]
    left_out: Mapping[str, str]

    @property
    def best(self) -> Fit:
        """The law to put into a scenario."""
        return self.fits[0]

    def __getitem__(self, name: str) -> Fit:
        """Return the fit of one family by its name."""
        for fit in self.fits:
            if fit.name == name:
                return fit
        reason = self.left_out.get(name, "there is no such family")
        known = ", ".join(fit.name for fit in self.fits)
        raise RunError(f"{name!r} was not fitted: {reason}", hint=f"fitted were {known}")

    @cached_property
    def table(self) -> pd.DataFrame:
        """The fits, one line each, the best first."""
        names = ("name", "free", "log_likelihood", "aic", "bic", "ks", "ks_p", "ad", "holds")
        columns: dict[str, list[Any]] = {n: [getattr(fit, n) for fit in self.fits] for n in names}
        columns["parameters"] = [dict(fit.parameters) for fit in self.fits]
        return pd.DataFrame(columns)


def fit_laws(samples_us: ArrayLike, *, bootstrap: int = 99, seed: int = 0) -> Fits:
    """Fit every law that a scenario can say to durations, and rank the laws.

    Parameters
    ----------
    samples_us
        Durations, at least 20 of them [us].
    bootstrap
        How many samples each law is tried on for its p-value; 0 for no p-values.
    seed
        Of those samples.

    Raises
    ------
    RunError
        Too few samples, or some that are no durations.
    """
    x_us = _checked(samples_us)
    if x_us[0] == x_us[-1]:
        return Fits(x_us, (_constant(x_us),), {})
    fits, left_out = [], {}
    for family in FAMILIES:
        reason = _why_not(family, x_us)
        law: Mapping[str, Any] | str = reason or ""
        parameters = np.zeros((1, 0))
        if not reason:
            parameters = family.estimate(x_us[None, :])
            law = as_law(family.name, parameters[0].tolist())
        if isinstance(law, str):
            left_out[family.name] = law
        else:
            p = _p_value(family, parameters, x_us, bootstrap, seed)
            fits.append(_fit(family, parameters, law, x_us, p))
    return Fits(x_us, _ranked([*fits, _empirical(x_us)]), left_out)


def _ranked(fits: Sequence[Fit]) -> tuple[Fit, ...]:
    """Return the laws that hold by BIC, then the empirical, then what was rejected by BIC."""

    def rank(fit: Fit) -> tuple[int, float]:
        if fit.name == "empirical":
            return 1, 0.0
        return (0 if fit.holds else 2), fit.bic

    return tuple(sorted(fits, key=rank))


def _checked(samples_us: ArrayLike) -> Floats:
    """Return the samples in order, or say why they are no samples of durations."""
    x_us = np.asarray(samples_us, float).ravel()
    strange = ~np.isfinite(x_us) | (x_us < 0) | (x_us > _LONGEST_US)
    if strange.any():
        place = int(strange.argmax())
        raise RunError(
            f"sample {place} is {x_us[place]:g} us: {int(strange.sum())} of {len(x_us)} samples "
            "are no durations",
            hint="durations are from 0 us to 400 d; leave out what was not measured",
        )
    if len(x_us) < FEWEST:
        raise RunError(
            f"{len(x_us)} samples are too few to fit a law to: at least {FEWEST}",
            hint="take a longer export, or leave the law as it is",
        )
    return np.sort(x_us)


def _why_not(family: Family, x_us: Floats) -> str:
    """Say why a family cannot be fitted to samples, if it cannot."""
    if family.positive and x_us[0] <= 0:
        return f"{int((x_us <= 0).sum())} samples are 0 s"
    if family.name == "normal" and x_us.mean() < 3 * x_us.std():
        return "a scenario cuts a normal law at 0 s, and too much of this one lies below"
    return ""


# --- fits -----------------------------------------------------------------------------------------


def _fit(family: Family, parameters: Floats, law: Mapping[str, Any], x_us: Floats, p: float) -> Fit:
    """Return what is to be said of a fitted law."""
    likelihood = float(family.log_density(x_us[None, :], parameters).sum())
    reached = family.reached(x_us[None, :], parameters)

    def density(at_us: ArrayLike) -> Floats:
        x = np.asarray(at_us, float)
        inside = np.where(x > 0, x, 1.0).reshape(1, -1)
        found = np.exp(family.log_density(inside, parameters)).reshape(x.shape)
        return np.where((x > 0) | (not family.positive), found, 0.0)

    def cdf(at_us: ArrayLike) -> Floats:
        x = np.asarray(at_us, float)
        inside = np.where((x > 0) | (not family.positive), x, 1e-300).reshape(1, -1)
        return family.reached(inside, parameters).reshape(x.shape)

    return Fit(
        name=family.name,
        law=law,
        parameters=_named(family.name, parameters[0].tolist()),
        free=family.free,
        log_likelihood=likelihood,
        aic=2 * family.free - 2 * likelihood,
        bic=family.free * float(np.log(len(x_us))) - 2 * likelihood,
        ks=float(_distance(reached)[0]),
        ks_p=p,
        ad=float(_tail_distance(reached)[0]),
        density=density,
        cdf=cdf,
    )


def _named(name: str, numbers: Sequence[float]) -> dict[str, float]:
    """Return the parameters of a family by their names."""
    if name.startswith("mixture"):
        parts = len(numbers) // 3
        found = {}
        for i in range(parts):
            found[f"weight_{i + 1}"] = numbers[i]
            found[f"median_{i + 1}_us"] = float(np.exp(numbers[parts + i]))
            found[f"sigma_{i + 1}"] = numbers[2 * parts + i]
        return found
    if name == "lognormal":
        return {"median_us": float(np.exp(numbers[0])), "sigma": numbers[1]}
    names = {
        "uniform": ("low_us", "high_us"), "normal": ("mean_us", "sd_us"),
        "gamma": ("shape", "scale_us"), "weibull": ("scale_us", "shape"),
    }  # fmt: skip
    return dict(zip(names[name], numbers, strict=True))


def _constant(x_us: Floats) -> Fit:
    """Return the law of samples that are all the same."""
    value_us = float(x_us[0])
    points = Points(np.array([0.0, 1.0]), np.array([value_us, value_us]))
    law, nan = as_law("constant", [value_us]), float("nan")
    assert not isinstance(law, str)
    return Fit("constant", law, {"value_us": value_us}, 1, nan, nan, nan, 0.0, nan, 0.0,
               points.density, points.cdf)  # fmt: skip


def _empirical(x_us: Floats) -> Fit:
    """Return the samples as a law of their own."""
    points, nan = points_of(x_us), float("nan")
    places = np.arange(len(x_us) + 1) / len(x_us)
    # Of samples that are the same the last is reached, and the first is not left behind.
    upto = np.searchsorted(x_us, x_us, side="right")
    below = np.searchsorted(x_us, x_us, side="left")
    off = max(
        float((places[upto] - points.cdf(x_us)).max()),
        float((points.below(x_us) - places[below]).max()),
    )
    middle = (points.cdf(x_us) + points.below(x_us)) / 2
    return Fit(
        "empirical", points.law, {"points": len(points.levels)}, 2 * len(points.levels) - 2,
        nan, nan, nan, off, nan, float(_tail_distance(middle[None, :])[0]),
        points.density, points.cdf,
    )  # fmt: skip


# --- goodness -------------------------------------------------------------------------------------


def _distance(reached: Floats) -> Floats:
    """Return the statistic of Kolmogorov and Smirnov of each row; rows in order."""
    n = reached.shape[1]
    steps = np.arange(n + 1) / n
    return np.asarray(np.maximum(
        (steps[1:] - reached).max(axis=1), (reached - steps[:-1]).max(axis=1)
    ))  # fmt: skip


def _tail_distance(reached: Floats) -> Floats:
    """Return the statistic of Anderson and Darling of each row; rows in order."""
    n = reached.shape[1]
    inside = np.clip(reached, 1e-300, 1.0 - 1e-16)
    odd = 2 * np.arange(1, n + 1) - 1
    logs = np.log(inside) + np.log1p(-inside[:, ::-1])
    return np.asarray(-n - (odd * logs).sum(axis=1) / n)


def _scaled(distance: Floats, n: int) -> Floats:
    """Return a distance so that its law hardly depends on how many samples there are (Stephens)."""
    root_n = float(np.sqrt(n))
    return distance * (root_n + 0.12 + 0.11 / root_n)


@lru_cache(maxsize=4)
def _even(seed: int, rows: int, n: int) -> Floats:
    """Return even numbers in (0, 1), shape (2, rows, n)."""
    state = root(seed)
    found = [inner_unit(fold(fold(state, i), 0)) for i in range(2 * rows * n)]
    return np.array(found).reshape(2, rows, n)


def _p_value(family: Family, parameters: Floats, x_us: Floats, rows: int, seed: int) -> float:
    """Return how probable a distance as large as that of the samples is, by parametric bootstrap.

    Large samples are tried with smaller ones: the law of the scaled distance is the same.
    """
    if not rows:
        return float("nan")
    own = _scaled(_distance(family.reached(x_us[None, :], parameters)), len(x_us))[0]
    if own > _HOPELESS:
        return 1 / (rows + 1)
    n = min(len(x_us), _TRIED)
    u, v = _even(seed, rows, n)
    same = np.repeat(parameters, rows, axis=0)
    tried = np.sort(family.drawn(u, v, same), axis=1)
    reached = _scaled(_distance(family.reached(tried, family.refit(tried, same))), n)
    return float((1 + (reached >= own).sum()) / (rows + 1))
