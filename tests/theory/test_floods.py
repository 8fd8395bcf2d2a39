"""Floods where the chance to be reached is a formula: chains, stars, relays.

Intervals at 99.9 % (Wilson), Pearson for counts. Frames have the length for which the reception of
links is given. Nothing collides on a chain: one node sends at a time. The relays of one receiver
would; their forward jitter of a minute against 1.3 ms on the air leaves 4e-4 to collisions.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.theory import intervals, meshes
from twin.events import MeshKind

COPIES, ROUNDS = 200, 100
MESSAGES = COPIES * ROUNDS


def chains(hops: int, q: float, seed: int, rounds: int = ROUNDS, ttl: int = 255) -> meshes.Run:
    one = meshes.both_ways([*pairwise(range(hops + 1))], q)
    mesh = meshes.plan(meshes.copies(one, hops + 1, COPIES), COPIES * (hops + 1), seed)
    return meshes.floods(mesh, range(0, COPIES * (hops + 1), hops + 1), rounds, ttl=ttl)


@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_the_end_of_a_chain_is_reached_with_q_to_the_hops(q: float) -> None:
    for hops in (1, 2, 3, 5, 10):
        heard = chains(hops, q, seed=hops).messages["heard"]
        assert len(heard) == MESSAGES
        # Who is n hops away has it or not: the counts of how far messages came are geometric.
        for n in range(1, hops + 1):
            found = intervals.share(int((heard >= n).sum()), MESSAGES)
            assert q**n in found
            assert q**n < 0.02 or q**n * 1.2 not in found


def test_no_message_passes_its_ttl() -> None:
    for ttl in (1, 2, 4):
        found = chains(5, 1.0, seed=1, rounds=5, ttl=ttl)
        assert (found.messages["heard"] == ttl).all()
        assert found.of(MeshKind.HEARD)["hops"].max() == ttl


@pytest.mark.parametrize("q", [0.3, 0.7])
def test_the_spokes_of_a_star_are_independent(q: float) -> None:
    spokes = 6
    one = meshes.both_ways([(0, n + 1) for n in range(spokes)], q)
    mesh = meshes.plan(meshes.copies(one, spokes + 1, COPIES), COPIES * (spokes + 1), seed=2)
    found = meshes.floods(mesh, range(0, COPIES * (spokes + 1), spokes + 1), ROUNDS, ttl=1)
    heard = found.messages["heard"]
    assert q in intervals.share(int(heard.sum()), MESSAGES * spokes)
    assert q * 1.03 not in intervals.share(int(heard.sum()), MESSAGES * spokes)
    counts = np.bincount(heard, minlength=spokes + 1)
    for p, as_it_should in ((q, True), (q * 1.03, False)):
        expected = [
            MESSAGES * math.comb(spokes, k) * p**k * (1 - p) ** (spokes - k)
            for k in range(spokes + 1)
        ]
        assert intervals.fits(counts, expected) == as_it_should


def test_messages_of_one_link_are_independent() -> None:
    # What came through twice in a row, on the same link: no streaks where reception is constant.
    heard = chains(1, 0.6, seed=3).messages["heard"].reshape(ROUNDS, COPIES) > 0
    pairs = int((heard[1:] & heard[:-1]).sum())
    assert 0.36 in intervals.share(pairs, heard[1:].size)
    lost = np.abs(np.corrcoef(heard[1:].ravel(), heard[:-1].ravel())[0, 1])
    assert lost < intervals.TWO_SIDED / math.sqrt(heard[1:].size)


def relayed(relays: int, first: float, second: float, seed: int) -> NDArray[np.bool_]:
    """Whether the target has it, that only hears relays, for each message."""
    middle, target, nodes = np.arange(1, relays + 1), relays + 1, relays + 2
    one = meshes.Links(
        np.concatenate([np.zeros(relays, int), middle]),
        np.concatenate([middle, np.full(relays, target)]),
        np.repeat([first, second], relays),
    )
    mesh = meshes.plan(
        meshes.copies(one, nodes, COPIES), COPIES * nodes, seed, forward_jitter_us=60 * meshes.S
    )
    run = meshes.floods(mesh, range(0, COPIES * nodes, nodes), ROUNDS, 100 * meshes.S)
    heard = run.of(MeshKind.HEARD)
    at_target = heard[heard["node"] % nodes == target]["message"]
    assert len(np.unique(at_target)) == len(at_target)
    return np.isin(np.arange(MESSAGES), at_target)


@pytest.mark.parametrize("relays", [1, 2, 3, 5])
def test_relays_are_independent(relays: int) -> None:
    for first, second in ((1.0, 0.5), (1.0, 0.2), (0.6, 0.5)):
        reached = relayed(relays, first, second, seed=relays)
        found = intervals.share(int(reached.sum()), MESSAGES)
        assert 1 - (1 - first * second) ** relays in found
        assert 1 - (1 - first * second) ** (relays + 1) not in found
        assert 1 - (1 - first * second * 1.1) ** relays not in found
