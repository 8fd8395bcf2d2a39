"""The table of SNAP's operations: empty until there is a mesh that could answer them."""

from typing import Any

from twin.api.host import Host
from twin.api.http import Api, Call

__all__ = ["envelope", "make_snap"]


def make_snap(host: Host) -> Api:
    """Return the SNAP API of a twin.

    Parameters
    ----------
    host
        The twin behind it.
    """
    return Api([], host, envelope, _nobody)


def envelope(_status: int, details: str) -> dict[str, Any]:
    """Return the body of an error.

    Parameters
    ----------
    details
        What was wrong.
    """
    return {"error": {"message": details}}


def _nobody(_call: Call) -> None:
    """Know nobody: no operation asks who calls."""
