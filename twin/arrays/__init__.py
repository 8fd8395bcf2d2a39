"""What both compiled engines stand on: arrays for random access, and which key comes next."""

from twin.arrays.memory import placed, zeros
from twin.arrays.tournament import empty_tree, leaf_bits, put

__all__ = ["empty_tree", "leaf_bits", "placed", "put", "zeros"]
