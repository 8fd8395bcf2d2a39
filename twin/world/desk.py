"""The desk: takes what users ask of the site, and has it carried out."""

from twin.commands import Command, InstallGateway
from twin.world.site import Site


def carry_out(site: Site, asked: Command) -> None:
    """Let a site do what is asked of it, at the moment that its clock shows."""
    match asked:
        case InstallGateway():
            site.install(asked)
