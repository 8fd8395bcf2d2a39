"""The hosts behind the bridges: what they ask, poll, survey, upgrade and change over the mesh."""

from twin.world.hosts.change import changed
from twin.world.hosts.hosts import Hosts
from twin.world.hosts.jobs import Jobs

__all__ = ["Hosts", "Jobs", "changed"]
