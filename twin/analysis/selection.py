"""Which design is best, and which is good enough: decided run by run, with no run too many."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from twin.analysis.intervals import Interval, share_interval
from twin.errors import RunError

__all__ = ["Feasibility", "KimNelson"]


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
        if designs < 2 or not delta > 0 or first < 2 or not 1 / designs < confidence < 1:
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
        """
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
    """Whether something happens with a probability: Wald's sequential test.

    Decides "enough" where it happens with ``probability`` plus half of what is missing to 1, and
    "not enough" where with as much less, each wrongly with at most 1 - ``confidence``; between
    the two either is right. Wald, "Sequential Analysis", 1947, section 5.
    """

    def __init__(self, probability: float, *, confidence: float = 0.95) -> None:
        """Begin without a run.

        Parameters
        ----------
        probability
            What is asked for, above 0 and below 1 [1].
        confidence
            In the verdict, above 0.5 and below 1 [1].
        """
        if not 0 < probability < 1 or not 0.5 < confidence < 1:
            raise RunError(
                f"a probability lies above 0 and below 1, a confidence above 0.5, not at "
                f"{probability!r} and {confidence!r}"
            )
        self.probability, self.confidence = probability, confidence
        zone = min(probability, 1.0 - probability) / 2.0
        high, low = probability + zone, probability - zone
        self._for_ok = math.log(high / low)
        self._for_not = math.log((1.0 - high) / (1.0 - low))
        self._limit = math.log(confidence / (1.0 - confidence))
        self._evidence = 0.0
        self.count = self.of = 0
        self.verdict: str | None = None
        """ "enough", "not enough", or None while it is open."""

    def add(self, ok: bool) -> None:
        """Take one more run; after the verdict it changes only the estimates."""
        self.count += ok
        self.of += 1
        if self.verdict is None:
            self._evidence += self._for_ok if ok else self._for_not
            if abs(self._evidence) >= self._limit:
                self.verdict = "enough" if self._evidence > 0 else "not enough"

    @property
    def share(self) -> Interval:
        """How often it happened, with Wilson's interval [1]."""
        return share_interval(self.count, self.of, self.confidence)

    @property
    def chance_enough(self) -> float:
        """The probability that it is enough, after these runs and none before (Jeffreys) [1]."""
        failed = self.of - self.count
        return 1.0 - float(betainc(self.count + 0.5, failed + 0.5, self.probability))
