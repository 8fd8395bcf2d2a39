"""Which devices the service's data collectors poll: those of their types, the nearest first."""

from collections.abc import Iterable, Sequence

from twin.commands import SetCollector
from twin.mesh.nodes import MeshNode
from twin.mesh.plan import MeshPlan
from twin.mesh.topology import hop_counts
from twin.scenario import Scenario
from twin.world.clock import Calendar, day_ends_us

_BEYOND_ALL = 1 << 30  # hops


def nearest_first(
    plan: MeshPlan, nodes: Sequence[MeshNode], some: Iterable[int] | None = None
) -> list[int]:
    """Return nodes by their hops from a bridge, then by address; who is out of reach last.

    Parameters
    ----------
    plan, nodes
        The mesh.
    some
        Which of its nodes, all by default.
    """
    hops = hop_counts(plan, [n for n, node in enumerate(nodes) if node.is_bridge]).tolist()
    wanted = range(len(nodes)) if some is None else some
    return sorted(
        wanted, key=lambda n: (hops[n] if hops[n] >= 0 else _BEYOND_ALL, nodes[n].address)
    )


def licensed_until_us(scenario: Scenario, origin_us: int) -> int:
    """Return until when the scenario's licence lets collectors poll all devices [us].

    Parameters
    ----------
    scenario
        What it brings; 0 for a trial.
    origin_us
        The start since 1970 [us].
    """
    licence = scenario.snap.licence
    if licence is None or not licence.data_collector:
        return 0
    return max(0, day_ends_us(licence.expiration) - origin_us)


def first_collectors(
    scenario: Scenario, plan: MeshPlan, nodes: Sequence[MeshNode]
) -> list[SetCollector]:
    """Return the data collectors that the scenario brings."""
    snap = scenario.snap
    if not snap.collectors or not scenario.mesh.bridges:
        return []
    origin_us = Calendar(scenario.run.start, scenario.run.time_zone).origin_us
    until_us = licensed_until_us(scenario, origin_us)
    index = {node.name: n for n, node in enumerate(nodes)}
    found = []
    for collector in snap.collectors:
        some = [
            index[name]
            for item in snap.devices
            if item.device_type in collector.device_types
            for named in item.nodes
            for name in scenario.mesh.named(named)
        ]
        names = tuple(nodes[n].name for n in nearest_first(plan, nodes, some))
        every_us = collector.poll_interval_us
        found.append(SetCollector(collector.name, names, every_us, snap.trial_collector, until_us))
    return found
