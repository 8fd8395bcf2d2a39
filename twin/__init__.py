"""Digital twin of one warehouse site.

>>> import twin
>>> t = twin.open("pilot_line").run("1 h")
>>> int(t.kpis()["scans"].iloc[0]) > 0
True

Names are imported when they are first used, so that ``import twin`` is quick and compiles nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.experiments import compare, replicate, select, sweep
    from twin.opening import open  # noqa: A004
    from twin.scenario import Scenario, load, vary
    from twin.scenario.assumptions import assumptions
    from twin.twin import Twin

__all__ = [
    "Scenario",
    "Twin",
    "assumptions",
    "compare",
    "experiments",
    "load",
    "open",
    "radio",
    "replicate",
    "select",
    "sweep",
    "vary",
]

_ROOMS = {
    "Scenario": "twin.scenario",
    "Twin": "twin.twin",
    "assumptions": "twin.scenario",
    "compare": "twin.experiments",
    "experiments": "twin.experiments",
    "load": "twin.scenario",
    "open": "twin.opening",
    "radio": "twin.radio",
    "replicate": "twin.experiments",
    "select": "twin.experiments",
    "sweep": "twin.experiments",
    "vary": "twin.scenario",
}


def __getattr__(name: str) -> object:
    """Import a public name's room on first use."""
    if name not in _ROOMS:
        raise AttributeError(
            f"module 'twin' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    room = import_module(_ROOMS[name])
    value = room if _ROOMS[name] == f"twin.{name}" else getattr(room, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)
