"""The desk: takes what users ask of the site, and has it carried out."""

import re
from collections.abc import Callable
from typing import Any

from twin.commands import (
    CancelUpgrade,
    ChangeNetwork,
    Command,
    CutPower,
    InstallGateway,
    SendMulticast,
    SetCollector,
    StartSurvey,
    StartUpgrade,
    StartUpgrades,
)
from twin.errors import RunError
from twin.resources import near
from twin.world.hosts import changed
from twin.world.site import Site

_ADDRESS_BYTES = 3
_NO_MESH = "this scenario has no mesh"
_ADD_MESH = "add [[mesh.nodes]] and [[mesh.bridges]]"
_GENERATIONS = ("A", "B", "C")
_ENCRYPTIONS = ("none", "aes-128", "basic")
_TRANSPORTS = ("auto", "unicast", "multicast")


def check(site: Site, asked: Command) -> None:
    """Raise RunError for what the site could not do."""
    checking = _CHECKS.get(type(asked))
    if checking is None:
        raise RunError(f"no command of twin.commands: {asked!r}")
    checking(site, asked)


def _check_gateway(site: Site, asked: InstallGateway) -> None:
    """Refuse a gateway without a name, or one that there is."""
    for name in ("id", "name", "station", "usecase"):
        value = getattr(asked, name)
        if not isinstance(value, str) or not value.strip():
            raise RunError(f"the {name} of a gateway is a text, not {value!r}")
    for name in ("id", "name"):
        value = getattr(asked, name)
        if any(getattr(gateway, name) == value for gateway in site.roster.gateways):
            raise RunError(f"there is a gateway with the {name} {value!r} already")


def _check_host(site: Site) -> None:
    """Refuse what a host is to do where there is none."""
    if not site.scenario.mesh.exists:
        raise RunError(_NO_MESH, hint=_ADD_MESH)
    if not site.scenario.mesh.bridges:
        raise RunError("this mesh has no bridge, and so no host", hint="add [[mesh.bridges]]")


def _check_survey(site: Site, asked: StartSurvey) -> None:
    """Refuse a survey without a host, or in a manner that there is not."""
    _check_host(site)
    if asked.generation not in _GENERATIONS:
        raise RunError(f'a survey is of generation "A", "B" or "C", not {asked.generation!r}')


def _check_upgrade(site: Site, asked: StartUpgrade) -> None:
    """Refuse an upgrade of nobody, of nothing, or in a manner that there is not."""
    _check_host(site)
    if not asked.image and not asked.firmware:
        raise RunError("an upgrade brings an image or firmware", hint="make_image() makes an image")
    if asked.transport not in _TRANSPORTS:
        raise RunError(f'transport is "auto", "unicast" or "multicast", not {asked.transport!r}')
    mesh = site.scenario.mesh
    _check_names("devices", asked.devices, tuple(mesh.places_to_name))
    site.network.jobs.parts(asked.firmware, asked.image, asked.size_bytes, asked.crc)
    busy = site.network.jobs.busy(asked.devices)
    if busy:
        raise RunError(f"{busy} is being upgraded already", hint="wait for it, or cancel_upgrade()")


def _check_upgrades(site: Site, asked: StartUpgrades) -> None:
    """Refuse upgrades of which one could not be."""
    for one in asked.upgrades:
        _check_upgrade(site, one)


def _check_collector(site: Site, asked: SetCollector) -> None:
    """Refuse a collector without a host or a name, of nodes that there are not, or too often."""
    _check_host(site)
    if not asked.name:
        raise RunError("a collector has a name")
    _check_names("devices", asked.devices, tuple(site.scenario.mesh.places_to_name))
    if type(asked.every_us) is not int or asked.every_us <= 0:
        raise RunError(f"a collector polls every so many microseconds, not {asked.every_us!r}")
    if type(asked.limit) is not int or asked.limit < 0:
        raise RunError(f"limit is a number of devices, 0 for none, not {asked.limit!r}")


def _check_cancel(site: Site, asked: CancelUpgrade) -> None:
    """Refuse to cancel an upgrade that there is not, or that is over."""
    upgrades = site.network.jobs.upgrades
    if type(asked.upgrade) is not int or not 0 <= asked.upgrade < len(upgrades):
        raise RunError(f"there is no upgrade {asked.upgrade!r}", hint="upgrades() lists them")
    if upgrades[asked.upgrade].status not in ("planned", "running"):
        raise RunError(f"upgrade {asked.upgrade} is {upgrades[asked.upgrade].status} already")


def _check_change(site: Site, asked: ChangeNetwork) -> None:
    """Refuse a change to no network that there can be, or while the nodes do something else."""
    _check_host(site)
    network, jobs = site.network, site.network.jobs
    bridges = {network.nodes[bridge].name: bridge for bridge in jobs.bridges}
    for name in asked.bridges:
        if name not in bridges:
            close = near(str(name), list(bridges))
            hint = f"did you mean {close}?" if close else f"there are {', '.join(bridges)}"
            raise RunError(f"bridges: no bridge is called {name!r}", hint=hint)
    _check_settings(asked)
    for bridge in [bridges[name] for name in asked.bridges] or jobs.bridges:
        old = network.of(bridge)
        new = changed(old, asked)
        if new == old:
            raise RunError(
                f"the network of {network.nodes[bridge].name} is that already",
                hint="give another channel, for example",
            )
        if new.encryption != "none" and not new.key:
            raise RunError("encryption is due a key", hint="give encryption_key, 16 characters")
    what = jobs.under_way(site.now_us)
    if what:
        raise RunError(f"{what} is under way", hint="wait until it is over")


def _check_settings(asked: ChangeNetwork) -> None:
    """Refuse settings that no network has."""
    allowed = {
        "channel": (range(16), "a whole number from 0 to 15"),
        "feature_bits": (range(1 << 16), "a whole number from 0 to 65,535"),
        "encryption": (_ENCRYPTIONS, '"none", "aes-128" or "basic"'),
    }
    for name, (values, words) in allowed.items():
        value = getattr(asked, name)
        if value is not None and (isinstance(value, bool) or value not in values):
            raise RunError(f"{name} is {words}, not {value!r}")
    for name, pattern, words in (
        ("network_id", r"0x[0-9A-Fa-f]{4}", 'four hexadecimal digits, like "0x1C2C"'),
        ("encryption_key", r"(.{16})?", "exactly 16 characters, or empty for none"),
    ):
        value = getattr(asked, name)
        if value is not None and not re.fullmatch(pattern, str(value)):
            raise RunError(f"{name} is {words}, not {value!r}")


def _check_power(site: Site, asked: CutPower) -> None:
    """Refuse a cut of nobody's power, or one that does not last."""
    if not site.scenario.mesh.exists:
        raise RunError(_NO_MESH, hint=_ADD_MESH)
    if not asked.nodes:
        raise RunError("no node is named", hint="Twin.nodes() lists them all")
    _check_names("nodes", asked.nodes, tuple(site.scenario.mesh.places_to_name))
    if asked.duration_us <= 0:
        raise RunError("a cut lasts longer than 0 s")


def _check_names(what: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Refuse names of nodes or groups that there are not."""
    for name in names:
        if name not in known:
            close = near(str(name), list(known))
            hint = f"did you mean {close}?" if close else "Twin.nodes() lists them all"
            raise RunError(f"{what}: no node of the mesh is called {name!r}", hint=hint)


def _check_multicast(site: Site, asked: SendMulticast) -> None:
    """Refuse a message from or to nobody, or one that fits into no packet."""
    mesh = site.scenario.mesh
    if not mesh.exists:
        raise RunError(_NO_MESH, hint=_ADD_MESH)
    _check_names("source", (asked.source,), mesh.node_names)
    _check_names("to", asked.to, tuple(mesh.places_to_name))
    longest = mesh.mac.longest_payload_bytes
    limits = {
        "groups": (1, 0xFFFF), "ttl": (1, 255), "payload_bytes": (0, longest),
        "reply_bytes": (0, longest - _ADDRESS_BYTES),
        "reply_window_us": (0, 1 << 40), "delay_factor": (0, 255),
    }  # fmt: skip
    for name, (least, most) in limits.items():
        value = getattr(asked, name)
        if type(value) is not int or not least <= value <= most:
            raise RunError(f"{name} is a whole number from {least} to {most:,}, not {value!r}")
    named = len(site.network.addressees(asked.to))
    size = asked.payload_bytes + _ADDRESS_BYTES * named
    if size > longest:
        raise RunError(
            f"{asked.payload_bytes} bytes for {named} nodes take {size} bytes of a packet, "
            f"which holds {longest}",
            hint="name fewer nodes: each takes 3 bytes",
        )


_CHECKS: dict[type, Callable[[Site, Any], None]] = {
    InstallGateway: _check_gateway,
    SendMulticast: _check_multicast,
    StartSurvey: _check_survey,
    StartUpgrade: _check_upgrade,
    StartUpgrades: _check_upgrades,
    SetCollector: _check_collector,
    CancelUpgrade: _check_cancel,
    ChangeNetwork: _check_change,
    CutPower: _check_power,
}


def carry_out(site: Site, asked: Command) -> None:
    """Let a site do what is asked of it, at the moment that its clock shows."""
    match asked:
        case InstallGateway():
            site.install(asked)
        case SendMulticast():
            site.multicast(asked)
        case _:
            site.network.run(site.now_us)
            site.network.jobs.carry_out(asked, site.now_us)
