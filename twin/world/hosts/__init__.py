"""The hosts behind the bridges: what they ask, poll, survey and upgrade over the mesh."""

from twin.world.hosts.hosts import Hosts

__all__ = ["Hosts"]
