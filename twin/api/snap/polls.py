"""What the site's collectors poll, kept up with devices, data collectors and the licence."""

from dataclasses import replace

from twin.api.host import Host
from twin.api.snap.trial import unlimited_until_us
from twin.commands import SetCollector
from twin.world.polling import nearest_first

__all__ = ["keep_polls"]

_US_PER_S = 1_000_000


def keep_polls(host: Host) -> None:
    """Tell the site of every collector that is to poll others than before, or at other times."""
    network = host.network
    if not any(node.is_bridge for node in network.nodes):
        return
    before, wanted = network.jobs.polled, _wanted(host)
    for name in before.keys() - wanted.keys():
        host.submit(replace(before[name], devices=()))
    for name, asked in wanted.items():
        if before.get(name) != asked and (asked.devices or name in before):
            host.submit(asked)


def _wanted(host: Host) -> dict[str, SetCollector]:
    """Return what each data collector is to poll: the nodes among the devices of its types."""
    network, things = host.network, host.things
    index = {node.address.lower(): n for n, node in enumerate(network.nodes)}
    devices, until_us = things.devices(), unlimited_until_us(host)
    found = {}
    for collector in things.collectors():
        some = [
            index[one.addr]
            for one in devices
            if one.addr in index and one.device_type in collector.device_types
        ]
        nearest = nearest_first(network.plan, network.nodes, some)
        found[collector.name] = SetCollector(
            name=collector.name,
            devices=tuple(network.nodes[n].name for n in nearest),
            every_us=collector.poll_interval_s * _US_PER_S,
            limit=host.scenario.snap.trial_collector,
            unlimited_until_us=until_us,
        )
    return found
