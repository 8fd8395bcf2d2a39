"""The shell around the façade: real HTTP, and simulated time that passes by the wall clock."""

from twin.api.serve.shell import Ports, Speed, serve, speed_of

__all__ = ["Ports", "Speed", "serve", "speed_of"]
