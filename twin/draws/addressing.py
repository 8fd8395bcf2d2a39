"""Addresses to uniform numbers: a chain of SplitMix64 steps, one for each word of the address.

Each word is mixed in before the next is added, so no two addresses that differ in any word, or in
the order of words, meet. Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014; the finaliser is Stafford's variant 13.
"""

import hashlib

from twin.compiling import inlined_rule, rule
from twin.draws.bits import ALL_ONES, signed, unsigned, word

_GOLDEN = word(0x9E3779B97F4A7C15)
_MIX_1 = word(0xBF58476D1CE4E5B9)
_MIX_2 = word(0x94D049BB133111EB)
_ONE, _SHIFT_30, _SHIFT_27, _SHIFT_31 = (word(n) for n in (1, 30, 27, 31))
_SHIFT_11, _SHIFT_12 = word(11), word(12)
_ROOT = 0x7477696E2D726F6F  # "twin-roo": keeps the seed's own step apart from every other
_TO_UNIT = 1.0 / 9007199254740992.0  # 2**-53
_TO_INNER_UNIT = 1.0 / 4503599627370496.0  # 2**-52


@inlined_rule
def fold(state: int, address_word: int) -> int:
    """Return the state after one more word of the address.

    Parameters
    ----------
    state, address_word
        Signed 64-bit words.
    """
    x = (unsigned(state) + ((unsigned(address_word) + _ONE) & ALL_ONES) * _GOLDEN) & ALL_ONES
    x = ((x ^ (x >> _SHIFT_30)) * _MIX_1) & ALL_ONES
    x = ((x ^ (x >> _SHIFT_27)) * _MIX_2) & ALL_ONES
    return signed(x ^ (x >> _SHIFT_31))


@rule
def root(seed: int) -> int:
    """Return the state with which every address of a seed begins."""
    return fold(_ROOT, seed)


@inlined_rule
def unit(state: int) -> float:
    """Return a state as a number evenly spread over [0, 1) in steps of 2**-53 [1]."""
    return float(unsigned(state) >> _SHIFT_11) * _TO_UNIT


@inlined_rule
def inner_unit(state: int) -> float:
    """Return a state as a number in the open interval (0, 1), in the middles of 2**52 cells [1]."""
    return (float(unsigned(state) >> _SHIFT_12) + 0.5) * _TO_INNER_UNIT


@rule
def draw(seed: int, stream: int, a: int, b: int, c: int) -> float:
    """Return the uniform number in [0, 1) that decides what the address names.

    Parameters
    ----------
    seed
        The run's seed, 0 to 2**63 - 1.
    stream
        What is decided (a constant of the deciding room).
    a
        Who it is decided for: ``entity_word`` of a name or address, never an index.
    b, c
        The how-many-eth decision of this entity, and which part of it.
    """
    return unit(fold(fold(fold(fold(root(seed), a), b), stream), c))


def entity_word(name: str) -> int:
    """Return the address word of a named entity: 64 bits of BLAKE2b of its UTF-8 name."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
