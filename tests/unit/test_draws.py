"""Draws: evenness, independence of neighbours, exact functions, and one answer everywhere."""

import itertools
import json
import math
import os
import random  # noqa: TID251 - inputs of a test, not chance of the twin
import statistics
import subprocess
import sys

import numpy as np
import pytest

from twin import draws
from twin.draws import laws

ADDRESSES = [
    (0, 0, 0, 0, 0),
    (1, 2, 3, 4, 5),
    (2, 1, 3, 4, 5),
    (2**63 - 1, 15, -1, 2**62, 7),
]
_MASK = (1 << 64) - 1


def _mix(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def _described_draw(seed: int, stream: int, a: int, b: int, c: int) -> float:
    """The hash as its description says it, in Python integers of any size."""
    state = 0x7477696E2D726F6F
    for word in (seed, a, b, stream, c):
        state = _mix((state + ((word & _MASK) + 1) * 0x9E3779B97F4A7C15) & _MASK)
    return (state >> 11) / 2**53


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_draw_is_what_the_description_says(address: tuple[int, ...]) -> None:
    assert draws.draw(*address) == _described_draw(*address)


def test_known_answers_stay() -> None:
    # A changed hash changes every result ever published.
    assert draws.draw(1, 2, 3, 4, 5) == 0.2949599147784878
    assert draws.fold(-5, 7) == 8363090303678492032
    assert draws.entity_word("a") == 3405396810240292928


def _vectors() -> list[object]:
    """Values of every exact function and law at many points."""
    points = [i / 997 for i in range(1, 997)]
    law = laws.law_record([(0.9, laws.LOGNORMAL, 16.7, 0.5), (0.1, laws.NORMAL, 3e6, 1e6)])
    waits = laws.law_record([(1.0, laws.WEIBULL, 16.7, 0.7)])
    measured = laws.points_record([0.0, 0.1, 0.7, 1.0], [1e3, 5e6, 5e6, 9e7])
    return [
        [draws.draw(s, t, a, 4, 5) for s in range(3) for t in range(3) for a in (-9, 0, 2**62)],
        [draws.exp(40 * x - 20) for x in points],
        [draws.log(x) for x in points],
        [draws.cos2pi(x) for x in points],
        [draws.normal_quantile(x) for x in (*points, 1e-9, 1e-15, 1 - 1e-15)],
        [draws.sample_us(law, n, 3) for n in range(200)],
        [draws.sample_us(waits, n, 3) for n in range(200)],
        [draws.sample_us(measured, n, 3) for n in range(200)],
    ]


def test_the_compiler_changes_nothing() -> None:
    program = (
        "import json, sys; sys.path.insert(0, 'tests/unit');"
        "from test_draws import _vectors; print(json.dumps(_vectors()))"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    plain = subprocess.run(
        [sys.executable, "-c", program],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(plain.stdout) == json.loads(json.dumps(_vectors()))


def _sequence(kind: str, n: int = 20_000) -> np.ndarray:
    """Draws along one word of the address, everything else fixed."""
    if kind == "seed":
        return np.array([draws.draw(i, 1, 2, 3, 4) for i in range(n)])
    if kind == "stream":
        return np.array([draws.draw(1, i, 2, 3, 4) for i in range(n)])
    if kind == "a":
        return np.array([draws.draw(1, 2, i, 3, 4) for i in range(n)])
    if kind == "b":
        return np.array([draws.draw(1, 2, 3, i, 4) for i in range(n)])
    return np.array([draws.draw(1, 2, 3, 4, i) for i in range(n)])


WORDS = ("seed", "stream", "a", "b", "c")


@pytest.mark.parametrize("kind", WORDS)
def test_draws_along_a_word_are_even(kind: str) -> None:
    counts, _ = np.histogram(_sequence(kind), bins=100, range=(0, 1))
    chi_square = ((counts - 200) ** 2 / 200).sum()
    # 99 degrees of freedom: mean 99, sd 14; five sd either way.
    assert 30 < chi_square < 170


@pytest.mark.parametrize("kind", WORDS)
def test_neighbours_along_a_word_are_independent(kind: str) -> None:
    u = _sequence(kind)
    for lag in (1, 2, 7):
        r = np.corrcoef(u[:-lag], u[lag:])[0, 1]
        assert abs(r) < 5 / math.sqrt(len(u))


@pytest.mark.parametrize(("one", "other"), [("seed", "stream"), ("a", "b"), ("stream", "c")])
def test_two_words_do_not_meet(one: str, other: str) -> None:
    r = np.corrcoef(_sequence(one), _sequence(other))[0, 1]
    assert abs(r) < 5 / math.sqrt(20_000)


def test_seed_and_stream_cannot_be_exchanged() -> None:
    assert draws.draw(1, 2, 0, 0, 0) != draws.draw(2, 1, 0, 0, 0)
    grid = {draws.draw(*address, 0) for address in np.ndindex(7, 7, 7, 7)}
    assert len(grid) == 7**4


def test_all_63_bits_of_a_seed_count() -> None:
    assert len({draws.draw(1 << bit, 0, 0, 0, 0) for bit in range(63)}) == 63


def _ulps(found: float, right: float) -> float:
    return abs(found - right) / math.ulp(right)


def test_exp_and_log_are_right_to_one_unit_in_the_last_place() -> None:
    chance = random.Random(1)
    for _ in range(20_000):
        x = chance.uniform(-30, 30)
        assert _ulps(draws.exp(x), math.exp(x)) <= 1
        y = chance.random() + 1e-12
        assert _ulps(draws.log(y), math.log(y)) <= 1


def test_exp_is_cut_at_its_ends() -> None:
    assert draws.exp(1e9) == draws.exp(709.0) < math.inf
    assert draws.exp(-1e9) == draws.exp(-708.0) > 0


def test_cos2pi_is_right() -> None:
    chance = random.Random(2)
    for u in (*(chance.random() for _ in range(20_000)), 0.0, 0.25, 0.5, 0.75):
        assert abs(draws.cos2pi(u) - math.cos(2 * math.pi * u)) < 1.5e-15
    assert [draws.cos2pi(u) for u in (0.0, 0.25, 0.5, 0.75)] == [1.0, 0.0, -1.0, 0.0]


def test_the_normal_quantile_is_that_of_the_standard_library() -> None:
    right = statistics.NormalDist()
    for p in (*(i / 4999 for i in range(1, 4999)), 1e-6, 1e-12, 1e-16, 1 - 1e-12):
        assert math.isclose(
            draws.normal_quantile(p), right.inv_cdf(p), rel_tol=1e-13, abs_tol=1e-15
        )


def test_a_larger_uniform_gives_a_larger_normal() -> None:
    states = range(5000)
    pairs = sorted((draws.inner_unit(draws.fold(n, 0)), draws.normal(n)) for n in states)
    assert all(low[1] <= high[1] for low, high in itertools.pairwise(pairs))


@pytest.mark.parametrize(
    ("component", "mean", "sd"),
    [
        ((1.0, laws.CONSTANT, 5e6, 0.0), 5e6, 0.0),
        ((1.0, laws.UNIFORM, 2e6, 4e6), 4e6, 4e6 / math.sqrt(12)),
        ((1.0, laws.NORMAL, 5e7, 3e6), 5e7, 3e6),
        (
            (1.0, laws.LOGNORMAL, math.log(18e6), 0.5),
            18e6 * math.exp(0.125),
            18e6 * math.exp(0.125) * math.sqrt(math.exp(0.25) - 1),
        ),
    ],
)
def test_a_law_has_its_mean_and_spread(component: laws.Component, mean: float, sd: float) -> None:
    n = 20_000
    law = laws.law_record([component])
    x = np.array([draws.sample_us(law, i, 9) for i in range(n)], float)
    assert abs(x.mean() - mean) <= 5 * sd / math.sqrt(n) + 0.5
    assert sd == 0 or abs(x.std() / sd - 1) < 0.05


def test_a_mixture_has_its_weights() -> None:
    law = laws.law_record([(3.0, laws.CONSTANT, 1.0, 0.0), (1.0, laws.CONSTANT, 2.0, 0.0)])
    ones = sum(draws.sample_us(law, i, 9) == 1 for i in range(20_000))
    assert abs(ones / 20_000 - 0.75) < 5 * math.sqrt(0.75 * 0.25 / 20_000)


def test_durations_are_cut_to_what_a_clock_can_hold() -> None:
    negative = laws.law_record([(1.0, laws.NORMAL, 0.0, 1e6)])
    assert min(draws.sample_us(negative, i, 1) for i in range(100)) == 0
    huge = laws.law_record([(1.0, laws.CONSTANT, 1e30, 0.0)])
    assert draws.sample_us(huge, 1, 1) == laws.LONGEST_US


def test_counts_are_rounded_and_cut() -> None:
    law = laws.law_record([(1.0, laws.CONSTANT, 2.5, 0.0)])
    assert draws.sample_count(law, 1, 1, 1, 9) == 3
    assert draws.sample_count(law, 1, 1, 4, 9) == 4
    assert draws.sample_count(law, 1, 1, 1, 2) == 2
