"""The desk: takes what users ask of the site, and has it carried out."""

from twin.commands import Command, InstallGateway
from twin.errors import RunError
from twin.world.roster import Roster
from twin.world.site import Site


def check(roster: Roster, asked: Command) -> None:
    """Raise RunError for what the site could not do."""
    if not isinstance(asked, InstallGateway):
        raise RunError(f"no command of twin.commands: {asked!r}")
    for name in ("id", "name", "station", "usecase"):
        value = getattr(asked, name)
        if not isinstance(value, str) or not value.strip():
            raise RunError(f"the {name} of a gateway is a text, not {value!r}")
    for name in ("id", "name"):
        value = getattr(asked, name)
        if any(getattr(gateway, name) == value for gateway in roster.gateways):
            raise RunError(f"there is a gateway with the {name} {value!r} already")


def carry_out(site: Site, asked: Command) -> None:
    """Let a site do what is asked of it, at the moment that its clock shows."""
    match asked:
        case InstallGateway():
            site.install(asked)
