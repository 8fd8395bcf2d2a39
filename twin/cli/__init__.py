"""The command line: `twin run`, `twin serve`, `twin routes`, `twin check` and others.

What a command needs is imported inside it: `twin --help` must not wait for numba,
pandas and matplotlib.
"""

# Their commands are there once they are imported.
from twin.cli import (
    experimenting,
    fitting,
    imaging,
    licensing,
    running,
    searching,
    serving,
    upgrading,
)
from twin.cli.base import app, main

__all__ = [
    "app",
    "experimenting",
    "fitting",
    "imaging",
    "licensing",
    "main",
    "running",
    "searching",
    "serving",
    "upgrading",
]
