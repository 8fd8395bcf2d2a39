"""Sorting the rows of a chunk for hosts, in one pass: who is told of what.

A chunk has a thousand rows and few of them matter to a host: picking them with masks costs more
than the hosts themselves.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.compiling import inlined_part, rule
from twin.events import MeshKind, MessageKind

_DROPPED, _HEARD = int(MeshKind.DROPPED), int(MeshKind.HEARD)
_UNICAST, _MULTICAST = int(MessageKind.UNICAST), int(MessageKind.MULTICAST)


class Sieve(NamedTuple):
    """Where the places of rows are put, by what becomes of them; used again for every chunk.

    Parameters
    ----------
    dropped, to_host, to_node, flooded
        Places of rows in the chunk; the last group by group, shape (rows,).
    groups
        The message of each group of flooded rows, and where it ends, shape (groups, 2).
    group_of
        The group of each flooded row, shape (rows,).
    used
        How much there is of each: dropped, to host, to node, groups, shape (4,).
    """

    dropped: NDArray[np.int32]
    to_host: NDArray[np.int32]
    to_node: NDArray[np.int32]
    flooded: NDArray[np.int32]
    groups: NDArray[np.int32]
    group_of: NDArray[np.int32]
    used: NDArray[np.int32]


def make_sieve(rows: int) -> Sieve:
    """Return an empty sieve for chunks of up to so many rows."""
    dropped, to_host, to_node, flooded, group_of = np.empty((5, rows), np.int32)
    groups, used = np.empty((rows, 2), np.int32), np.zeros(4, np.int32)
    return Sieve(dropped, to_host, to_node, flooded, groups, group_of, used)


@rule
def sift(
    rows: NDArray[np.void], facts: NDArray[np.void], is_bridge: NDArray[np.bool_], sieve: Sieve
) -> None:
    """Sort the rows of a chunk.

    Parameters
    ----------
    rows
        Array of ``MESH_EVENT`` rows.
    facts
        Array of ``FACTS`` records, one for each message so far; each ``group`` is -1.
    is_bridge
        Which nodes have a host behind them, shape (nodes,).
    sieve
        What is filled.
    """
    dropped = to_host = to_node = groups = 0
    for i in range(len(rows)):
        row = rows[i]
        sieve.group_of[i] = -1
        if row["kind"] == _DROPPED:
            sieve.dropped[dropped] = i
            dropped += 1
        elif row["kind"] == _HEARD and row["processed"] == 1:
            fact = facts[row["message"]]
            is_unicast = fact["kind"] == _UNICAST
            if is_bridge[row["node"]] and (is_unicast or fact["asked"] >= 0):
                sieve.to_host[to_host] = i
                to_host += 1
            elif is_unicast:
                sieve.to_node[to_node] = i
                to_node += 1
            if fact["kind"] == _MULTICAST:
                groups = _put_in_group(row["message"], i, facts, sieve, groups)
    _lay_out(len(rows), groups, facts, sieve)
    sieve.used[0], sieve.used[1], sieve.used[2], sieve.used[3] = dropped, to_host, to_node, groups


@inlined_part
def _put_in_group(m: int, i: int, facts: NDArray[np.void], sieve: Sieve, groups: int) -> int:
    """Count a row of a flooded message in its group; return how many groups there are."""
    fact = facts[m]
    if fact["group"] < 0:
        fact["group"] = groups
        sieve.groups[groups, 0] = m
        sieve.groups[groups, 1] = 0
        groups += 1
    sieve.group_of[i] = fact["group"]
    sieve.groups[fact["group"], 1] += 1
    return groups


@inlined_part
def _lay_out(rows: int, groups: int, facts: NDArray[np.void], sieve: Sieve) -> None:
    """Put the places of flooded rows group by group, and take the groups off the messages."""
    end = 0
    for g in range(groups):
        facts[sieve.groups[g, 0]]["group"] = -1
        count = sieve.groups[g, 1]
        sieve.groups[g, 1] = end  # where it begins; every row moves it on
        end += count
    for i in range(rows):
        g = sieve.group_of[i]
        if g >= 0:
            sieve.flooded[sieve.groups[g, 1]] = i
            sieve.groups[g, 1] += 1
