"""In which order the compiled mesh keeps its nodes: those that hear each other lie together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.compiling import rule
from twin.mesh.plan import MeshPlan


class Order(NamedTuple):
    """Nodes in the order of the compiled mesh.

    Parameters
    ----------
    numbers
        The plan's number of the node in each place, shape (nodes,).
    places
        The place of each node of the plan, shape (nodes,).
    """

    numbers: NDArray[np.int32]
    places: NDArray[np.int32]


def order_nodes(plan: MeshPlan) -> Order:
    """Return the order in which a flood would come to the nodes of a plan (breadth first).

    A flood is at work where its front is. With 10,000 nodes in any order that front is all over
    the memory, and an attempt takes a tenth longer (Cuthill and McKee 1969, for matrices).
    """
    numbers = np.zeros(plan.nodes, np.int32)
    _spread(plan.first_link, plan.links, numbers, np.zeros(plan.nodes, np.bool_))
    places = np.empty_like(numbers)
    places[numbers] = np.arange(plan.nodes, dtype=np.int32)
    return Order(numbers, places)


def order_links(
    plan: MeshPlan, numbers: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the links of the sender in each place begin, and the plan's number of each link.

    Parameters
    ----------
    plan, numbers
        Nodes and links, and the plan's number of the node in each place, shape (nodes,).

    Returns
    -------
    shapes (nodes + 1,) and (links,); a sender's links keep their order
    """
    counts = np.diff(plan.first_link)[numbers]
    first_link = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    links = np.arange(len(plan.links)) + np.repeat(
        plan.first_link[:-1][numbers] - first_link[:-1], counts
    )
    return first_link, links


@rule
def _spread(
    first_link: NDArray[np.int64], links: NDArray[np.void], numbers: NDArray[np.int32],
    reached: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Write the nodes in the order in which they are reached, part after part of the graph."""
    count = done = 0
    for seed in range(len(numbers)):
        if not reached[seed]:
            reached[seed] = True
            numbers[count] = seed
            count += 1
        while done < count:
            n = numbers[done]
            done += 1
            for link in range(first_link[n], first_link[n + 1]):
                end = links[link]["end"]
                if not reached[end]:
                    reached[end] = True
                    numbers[count] = end
                    count += 1
