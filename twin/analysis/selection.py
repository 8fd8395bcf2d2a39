"""Which design is best, and which is good enough: decided run by run, with no run too many."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaincc, betaln

from twin.analysis.intervals import Interval, share_interval
from twin.errors import RunError

__all__ = ["Feasibility", "KimNelson", "Verdict"]

Verdict = Literal["enough", "not enough", "at the limit"]


class KimNelson:
    """The fully sequential selection of the best of some designs.

    With probability ``confidence`` the design that is left is the one with the best mean, where
    that is better by ``delta`` or more. Samples of the same replication may be correlated: common
    random numbers make it shorter. Kim and Nelson, "A fully sequential procedure for
    indifference-zone selection in simulation", ACM TOMACS 11, 2001, with c = 1.
    """

    def __init__(
        self, designs: int, delta: float, *, confidence: float = 0.95, first: int = 10,
        smaller_is_better: bool = True,
    ) -> None:  # fmt: skip
        """Begin with all designs.

        Parameters
        ----------
        designs
            How many, from 2 on [1].
        delta
            The smallest difference worth a decision, in the unit of the samples.
        confidence
            From one in so many designs on and below 1 [1].
        first
            Replications of all before the first is dropped, from 2 on [1].
        smaller_is_better
            Whether the smallest mean is the best.
        """
        try:
            is_one = designs >= 2 and delta > 0 and first >= 2 and 1 / designs < confidence < 1
        except TypeError:
            is_one = False
        if not is_one or not math.isfinite(delta):
            raise RunError(
                "a selection takes two designs, a difference above zero, two replications and a "
                f"confidence above chance, not {designs}, {delta}, {first} and {confidence}"
            )
        self._delta, self._first = delta, first
        self._sign = -1.0 if smaller_is_better else 1.0
        eta = 0.5 * ((2.0 * (1.0 - confidence) / (designs - 1)) ** (-2.0 / (first - 1)) - 1.0)
        self._h2 = 2.0 * eta * (first - 1)
        self._samples: list[NDArray[np.float64]] = []
        self._variances = np.zeros((designs, designs))
        self._sums = np.zeros(designs)
        self.survivors = list(range(designs))
        """Designs that may be the best, by their number."""
        self.spent = 0
        """Runs so far [1]."""

    @property
    def replications(self) -> int:
        """How many of each design that is left were taken [1]."""
        return len(self._samples)

    @property
    def best(self) -> int | None:
        """The design that is left, None while there are several."""
        return self.survivors[0] if len(self.survivors) == 1 else None

    @property
    def leader(self) -> int:
        """The design that is ahead [1]."""
        return max(self.survivors, key=lambda design: self._sums[design])

    def add(self, samples: ArrayLike) -> None:
        """Take the next replication of the designs that are left, in their order.

        Parameters
        ----------
        samples
            Shape (survivors,), finite.

        Raises
        ------
        RunError
            They are not that, or the best is known already.
        """
        if self.best is not None:
            raise RunError("the best is known: no more replications are taken")
        values = self._sign * np.asarray(samples, np.float64)
        if values.shape != (len(self.survivors),) or not np.isfinite(values).all():
            raise RunError(f"a sample of each of the {len(self.survivors)} designs is due")
        row = np.full(len(self._sums), np.nan)
        row[self.survivors] = values
        self._samples.append(row)
        self._sums[self.survivors] += values
        self.spent += len(self.survivors)
        if self.replications == self._first:
            found = np.array(self._samples)
            self._variances = (found[:, :, None] - found[:, None, :]).var(axis=0, ddof=1)
        if self.replications >= self._first:
            self._drop()

    def _drop(self) -> None:
        """Drop who is behind another by more than luck can make."""
        r, delta = self.replications, self._delta
        left = np.array(self.survivors)
        means = self._sums[left] / r
        variances = self._variances[np.ix_(left, left)]
        room = np.maximum(0.0, delta / (2.0 * r) * (self._h2 * variances / delta**2 - r))
        keeps = (means[:, None] >= means[None, :] - room).all(axis=1)
        if not keeps.any():  # pragma: no cover - the largest mean keeps itself
            keeps[int(means.argmax())] = True
        kept = left[keeps].tolist()
        # Equal means with no room left: all are as good, and the first is taken.
        done = len(kept) > 1 and not room[np.ix_(keeps, keeps)].any()
        self.survivors = kept[:1] if done else kept


class Feasibility:
    """Whether something happens with a probability at least, decided as soon as runs tell.

    Evidence against "less often" is by how much likelier the runs are, averaged over all larger
    probabilities, than with what was asked for; against "more often" likewise. If it is true,
    evidence against it ever exceeds 1 / (1 - ``confidence``) with at most 1 - ``confidence``
    (Ville's inequality), so one may look after every run: "enough" and "not enough" are wrong no
    more often. "at the limit" says that it is neither ``zone`` above nor ``zone`` below. Robbins,
    Annals of Mathematical Statistics 41, 1970, section 3.
    """

    def __init__(
        self, probability: float, *, confidence: float = 0.95, zone: float | None = None
    ) -> None:
        """Begin without a run.

        Parameters
        ----------
        probability
            What is asked for, above 0 and below 1 [1].
        confidence
            In the verdict, above 0.5 and below 1 [1].
        zone
            How far from it a difference matters; default half of what is missing to 0 or 1 [1].
        """
        numbers = (probability, confidence, 0.0 if zone is None else zone)
        if not all(isinstance(number, (int, float)) for number in numbers) or not (
            0 < probability < 1 and 0.5 < confidence < 1
        ):
            raise RunError(
                f"a probability lies above 0 and below 1, a confidence above 0.5, not at "
                f"{probability!r} and {confidence!r}"
            )
        room = min(probability, 1.0 - probability)
        zone = room / 2.0 if zone is None else zone
        if not 0 < zone < room:
            raise RunError(f"around {probability} a zone is above 0 and below {room:g}, not {zone}")
        self.probability, self.confidence, self.zone = probability, confidence, zone
        self._limit = -math.log1p(-confidence)
        self.count = self.of = 0
        self.verdict: Verdict | None = None
        """What is known; None while it is open."""

    def add(self, ok: bool) -> None:
        """Take one more run; after the verdict it changes only the estimates."""
        self.count += ok
        self.of += 1
        if self.verdict is None:
            self.verdict = self._verdict()

    def _verdict(self) -> Verdict | None:
        """Return what the runs so far tell."""
        if self._is_above(self.probability):
            return "enough"
        if self._is_below(self.probability):
            return "not enough"
        is_near = self._is_above(self.probability - self.zone)
        is_near = is_near and self._is_below(self.probability + self.zone)
        return "at the limit" if is_near else None

    def _is_above(self, bound: float) -> bool:
        return _log_evidence(self.count, self.of - self.count, bound) >= self._limit

    def _is_below(self, bound: float) -> bool:
        return _log_evidence(self.of - self.count, self.count, 1.0 - bound) >= self._limit

    @property
    def share(self) -> Interval:
        """How often it happened, with Wilson's interval [1]."""
        return share_interval(self.count, self.of, self.confidence)

    @property
    def chance_enough(self) -> float:
        """The probability that it is enough, after these runs and none before (Jeffreys) [1]."""
        failed = self.of - self.count
        return 1.0 - float(betainc(self.count + 0.5, failed + 0.5, self.probability))


def _log_evidence(count: int, others: int, bound: float) -> float:
    """Return the logarithm of the evidence that a probability is above a bound.

    The likelihood of the runs, its mean over all probabilities from the bound to 1, over that at
    the bound.
    """
    above = float(betaincc(count + 1.0, others + 1.0, bound))
    if above == 0.0:
        return -math.inf
    mean = betaln(count + 1.0, others + 1.0) + math.log(above) - math.log1p(-bound)
    return float(mean) - count * math.log(bound) - others * math.log1p(-bound)
