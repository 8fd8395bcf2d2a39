"""The desk: takes what users ask of the site, and has it carried out."""

from twin.commands import Command, InstallGateway, SendMulticast
from twin.errors import RunError
from twin.resources import near
from twin.world.site import Site

_ADDRESS_BYTES = 3


def check(site: Site, asked: Command) -> None:
    """Raise RunError for what the site could not do."""
    match asked:
        case InstallGateway():
            _check_gateway(site, asked)
        case SendMulticast():
            _check_multicast(site, asked)
        case _:
            raise RunError(f"no command of twin.commands: {asked!r}")


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


def _check_multicast(site: Site, asked: SendMulticast) -> None:
    """Refuse a message from or to nobody, or one that fits into no packet."""
    mesh = site.scenario.mesh
    if not mesh.exists:
        raise RunError("this scenario has no mesh", hint="add [[mesh.nodes]] and [[mesh.bridges]]")
    for what, name, known in (
        ("source", asked.source, mesh.node_names),
        *(("to", name, tuple(mesh.places_to_name)) for name in asked.to),
    ):
        if name not in known:
            close = near(str(name), list(known))
            hint = f"did you mean {close}?" if close else "Twin.nodes() lists them all"
            raise RunError(f"{what}: no node of the mesh is called {name!r}", hint=hint)
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


def carry_out(site: Site, asked: Command) -> None:
    """Let a site do what is asked of it, at the moment that its clock shows."""
    match asked:
        case InstallGateway():
            site.install(asked)
        case SendMulticast():
            site.multicast(asked)
