"""The plain flood as users of other tools would write it, Cimba and SimPy, and the graph beneath.

Every node sends once, some time after it has first heard the message; floods follow each other on
the same graph. The same laws as ours; random numbers are each tool's own, so counts agree to a
percent, not to the frame. Both are written with callbacks, which are faster than processes: one
that waits for its turn at each node takes Cimba nearly twice as long, and so does one for each
frame SimPy. Each peer runs in an interpreter of its own, as in ``peers``; the graph is to be had
without loading Cimba.
"""

import random  # noqa: TID251 - the peer's own chance
import sys
import time
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

RANGE_M, CLEAR_M = 100.0, 60.0
RECEPTION_CLEAR, RECEPTION_EDGE = 0.99, 0.40
MEAN_DEGREE = 10
DELAY_US = 100_000.0
AIR_US = 32.0 * (64 + 6)
GRAPH_SEED = 1  # a source of nine neighbours or more, so that hardly a flood dies at once
RUN_SEED = 7
WARM_UP_FLOODS = 20


class Counts(NamedTuple):
    """What came of a run: counts over all floods, mean share of nodes reached, time taken [s]."""

    transmissions: int
    attempts: int
    decoded: int
    reach: float
    seconds: float


def graph(nodes: int, seed: int) -> tuple[Int64s, Int64s, Float64s]:
    """Return who hears whom and how well, as rows of senders: bounds, receivers, reception [1].

    Nodes lie uniformly in a square whose side is chosen so that the mean degree is 10 exactly: of
    all pairs, the nearest five a node are in range, and the last of these is 100 m apart.
    """
    chance = np.random.default_rng(seed)  # noqa: TID251 - the peers' own chance
    places = chance.random((nodes, 2))
    # Three times the area a node's neighbours take: enough at the walls as well.
    radius = np.sqrt(3 * MEAN_DEGREE / (np.pi * nodes))
    pairs = cKDTree(places).query_pairs(radius, output_type="ndarray")
    apart = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    near = np.argsort(apart, kind="stable")[: nodes * MEAN_DEGREE // 2]
    assert len(near) == nodes * MEAN_DEGREE // 2
    distances_m = np.tile(apart[near] * (RANGE_M / apart[near[-1]]), 2)
    senders, receivers = np.concatenate((pairs[near], pairs[near, ::-1])).T
    order = np.lexsort((receivers, senders))
    bounds = np.searchsorted(senders[order], np.arange(nodes + 1))
    reception = np.interp(distances_m[order], (CLEAR_M, RANGE_M), (RECEPTION_CLEAR, RECEPTION_EDGE))
    return bounds.astype(np.int64), receivers[order].astype(np.int64), reception


def source(indptr: Int64s, receivers: Int64s) -> int:
    """Return the lowest node of the largest component, which is node 0 where that lies in it."""
    nodes = len(indptr) - 1
    links = csr_array((np.ones(len(receivers)), receivers, indptr), shape=(nodes, nodes))
    labels = connected_components(links, directed=False)[1]
    return int(np.flatnonzero(labels == np.bincount(labels).argmax())[0])


@cache
def cimba_models() -> tuple[Any, Any]:
    """Return Cimba's models: the flood with its tables, and the node with its two events."""
    import cimba as cb  # noqa: PLC0415 - who wants the graph alone need not have it

    class Flood(cb.Model):
        floods: cb.Param[int]
        source: cb.Param[int]
        flood: int = 0
        pending: int = 0
        indptr: cb.Array[int]
        receivers: cb.Array[int]
        reception: cb.Array[float]
        heard: cb.Array[int]
        busy_until: cb.Array[float]
        sender: cb.Array[int]
        transmissions: cb.Output[int] = 0
        attempts: cb.Output[int] = 0
        decoded: cb.Output[int] = 0
        reached: cb.Output[int] = 0

        @cb.event
        def begin(self) -> None:
            self.flood += 1
            self.hears(self.source, 0.0)

        @cb.function
        def hears(self, node: int, delay_us: float) -> None:
            self.heard[node] = self.flood
            self.reached += 1
            self.pending += 1
            cb.schedule(self.nodes[node].begin, delay_us)

        @cb.on_start
        def first(self) -> None:
            cb.schedule(self.begin, 0.0)

    node = cimba_node(cb, Flood)
    # Each of the two names the other, so one of them has to be told afterwards.
    Flood.__annotations__["nodes"] = list[node]
    return Flood, node


def cimba_node(cb: Any, flood_model: Any) -> Any:
    """Return Cimba's model of a node, which begins a frame and ends it."""

    class Node(cb.Model):
        index: cb.Param[int]
        flood: cb.Ref[flood_model]

        def __init__(self, index: int) -> None:
            self.index = index

        def attached(self, owner: Any, _: str) -> None:
            self.flood = owner

        @cb.event
        def begin(self) -> None:
            flood, me, now = self.flood, self.index, cb.now()
            first, last = flood.indptr[me], flood.indptr[me + 1]
            flood.transmissions += 1
            flood.attempts += last - first
            flood.sender[me] = -1  # what it was hearing is lost
            flood.busy_until[me] = now + AIR_US
            for link in range(first, last):
                receiver = flood.receivers[link]
                flood.sender[receiver] = me if flood.busy_until[receiver] <= now else -1
                flood.busy_until[receiver] = now + AIR_US
            cb.schedule(self.end, AIR_US)

        @cb.event
        def end(self) -> None:
            flood, me = self.flood, self.index
            for link in range(flood.indptr[me], flood.indptr[me + 1]):
                receiver = flood.receivers[link]
                if (
                    flood.sender[receiver] == me
                    and cb.random.uniform(0.0, 1.0) < flood.reception[link]
                ):
                    flood.decoded += 1
                    if flood.heard[receiver] != flood.flood:
                        flood.hears(receiver, cb.random.uniform(0.0, DELAY_US))
            flood.pending -= 1
            if flood.pending == 0 and flood.flood < flood.floods:
                cb.schedule(flood.begin, 0.0)

    return Node


def cimba_run(links: tuple[Int64s, Int64s, Float64s], floods: int) -> Counts:
    """Run floods in Cimba on one core; the time [s] is that of its engine alone."""
    import cimba as cb  # noqa: PLC0415 - as above

    flood_model, node_model = cimba_models()
    indptr, receivers, reception = links
    nodes = len(indptr) - 1
    flood = flood_model()
    flood.floods, flood.source = floods, source(indptr, receivers)
    flood.indptr, flood.receivers = cb.Array(indptr.tolist()), cb.Array(receivers.tolist())
    flood.reception = cb.Array(reception.tolist())
    flood.heard, flood.sender = cb.Array(nodes), cb.Array([-1] * nodes)
    flood.busy_until = cb.Array(nodes)
    flood.nodes = [node_model(index) for index in range(nodes)]
    experiment = cb.Experiment(flood, replications=1, seed=RUN_SEED)
    results = experiment.run(workers=1, on_failure="raise")
    found = results[flood]
    totals = (found.transmissions, found.attempts, found.decoded, found.reached)
    *counts, reached = (int(total.values.sum()) for total in totals)
    return Counts(*counts, reached / (nodes * floods), results.meta["native_wall_time"])


def by_sender(indptr: Int64s, values: NDArray[Any]) -> list[list[Any]]:
    """Return the values of each sender's links as plain lists, which SimPy's loops pass fastest."""
    return [values[begin:end].tolist() for begin, end in pairwise(indptr)]


def simpy_run(links: tuple[Int64s, Int64s, Float64s], floods: int) -> Counts:
    """Run floods in SimPy, two timeouts a frame; the time [s] is that of the run alone."""
    env, chance, first = simpy.Environment(), random.Random(RUN_SEED), source(*links[:2])
    receivers, reception = (by_sender(links[0], values) for values in links[1:])
    outgoing = [list(zip(*row, strict=True)) for row in zip(receivers, reception, strict=True)]
    nodes = len(receivers)
    heard, sender, busy_until = [0] * nodes, [-1] * nodes, [0.0] * nodes
    flood = pending = transmissions = attempts = decoded = reached = 0

    def begin(timeout: simpy.Event) -> None:
        nonlocal transmissions, attempts
        me, now = timeout.value, env.now
        until = now + AIR_US
        transmissions += 1
        attempts += len(receivers[me])
        sender[me], busy_until[me] = -1, until  # what it was hearing is lost
        for receiver in receivers[me]:
            sender[receiver] = me if busy_until[receiver] <= now else -1
            busy_until[receiver] = until
        env.timeout(AIR_US, me).callbacks.append(end)

    def end(timeout: simpy.Event) -> None:
        nonlocal pending, decoded
        me = timeout.value
        for receiver, probability in outgoing[me]:
            if sender[receiver] == me and chance.random() < probability:
                decoded += 1
                if heard[receiver] != flood:
                    hears(receiver, chance.uniform(0.0, DELAY_US))
        pending -= 1
        if pending == 0 and flood < floods:
            start()

    def hears(node: int, delay_us: float) -> None:
        nonlocal pending, reached
        heard[node] = flood
        reached += 1
        pending += 1
        env.timeout(delay_us, node).callbacks.append(begin)

    def start() -> None:
        nonlocal flood
        flood += 1
        hears(first, 0.0)

    start()
    before = time.perf_counter()
    env.run()
    taken = time.perf_counter() - before
    return Counts(transmissions, attempts, decoded, reached / (nodes * floods), taken)


def main(name: str, nodes: int, floods: int) -> None:
    """Print what a peer counted and how long it took [s], itself warmed up."""
    run, links = {"cimba": cimba_run, "simpy": simpy_run}[name], graph(nodes, GRAPH_SEED)
    run(links, WARM_UP_FLOODS)
    print(*run(links, floods))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
