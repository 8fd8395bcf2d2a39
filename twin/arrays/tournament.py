"""Which pending arrival is next: a tournament tree over keys that carry their own tie rule.

A key is ``moment << bits | leaf``, so comparing two keys compares the moments and, where they are
equal, the ranks. Putting a key in walks from its leaf to the root: the path is known beforehand
and each step is a minimum, so nothing is mispredicted and loads overlap. A binary heap needed
1.6 times as long for 2,000 leaves.
"""

import numpy as np
from numpy.typing import NDArray

from twin.arrays.memory import zeros
from twin.compiling import inlined_part, inlined_rule, prefetch
from twin.events import NEVER

_NEVER = int(NEVER)
MOMENT_BITS = 46
"""A moment must fit beside the leaf: 2**46 us are 814 days."""
_SUBTREES = 16
"""More: what was fetched is gone before it is used. Fewer: it is used before it is there."""


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
def put(tree: NDArray[np.int64], bits: int, leaf: int, moment_us: int) -> int:
    """Set when a leaf's arrival comes, NEVER for not at all.

    Who leads a sixteenth of the tree will be next soon, mostly not at once: time enough to bring
    what belongs to it near. With 20,000 workers this took 120 ns from each scan.

    Returns
    -------
    the leaf that now leads its part of the tree; any number where nothing is pending
    """
    key = _NEVER if moment_us == _NEVER else (moment_us << bits) | leaf
    node = (1 << bits) + leaf
    tree[node] = key
    while node >= 2 * _SUBTREES:
        key = min(key, tree[node ^ 1])
        node >>= 1
        tree[node] = key
    leader = key & ((1 << bits) - 1)
    _fetch_path(tree, (1 << bits) + leader)
    while node > 1:
        key = min(key, tree[node ^ 1])
        node >>= 1
        tree[node] = key
    return leader


@inlined_part
def _fetch_path(tree: NDArray[np.int64], node: int) -> None:
    """Bring the lower end of a leaf's path near; the upper end is there anyway."""
    prefetch(tree, node)
    prefetch(tree, node >> 1)
    prefetch(tree, node >> 2)
    prefetch(tree, node >> 3)
