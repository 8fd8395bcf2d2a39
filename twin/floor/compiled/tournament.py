"""Which pending arrival is next: a tournament tree over keys that carry their own tie rule.

A key is ``moment << bits | leaf``, so comparing two keys compares the moments and, where they are
equal, the ranks. Putting a key in walks from its leaf to the root: the path is known beforehand
and each step is a minimum, so nothing is mispredicted and loads overlap. A binary heap needed
1.6 times as long for 2,000 leaves.
"""

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_rule
from twin.events import NEVER
from twin.floor.compiled.memory import zeros

_NEVER = int(NEVER)
MOMENT_BITS = 46
"""A moment must fit beside the leaf: 2**46 us are 814 days."""


def leaf_bits(leaves: int) -> int:
    """Return how many bits number this many leaves.

    Raises
    ------
    ValueError
        So many leaves that the longest horizon would not fit beside them.
    """
    bits = max(1, (leaves - 1).bit_length())
    if bits + MOMENT_BITS > 63:
        raise ValueError(f"{leaves} pending arrivals, at most {1 << (63 - MOMENT_BITS)}")
    return bits


def empty_tree(bits: int) -> NDArray[np.int64]:
    """Return a tree of ``2**bits`` leaves in which nothing is pending."""
    tree = zeros(2 << bits, np.int64)
    tree[:] = _NEVER
    return tree


@inlined_rule
def put(tree: NDArray[np.int64], bits: int, leaf: int, moment_us: int) -> None:
    """Set when a leaf's arrival comes, NEVER for not at all."""
    key = _NEVER if moment_us == _NEVER else (moment_us << bits) | leaf
    node = (1 << bits) + leaf
    tree[node] = key
    while node > 1:
        key = min(key, tree[node ^ 1])
        node >>= 1
        tree[node] = key
