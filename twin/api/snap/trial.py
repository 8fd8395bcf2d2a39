"""Whether the service is on trial: which licence was applied, and whether it still holds."""

from twin.api.host import Host
from twin.api.snap.licences import Licence, make_licence, read_licence
from twin.world.clock import day_ends_us

__all__ = ["NO_LICENCE", "applied", "licence_of", "unlimited_until_us"]

NO_LICENCE = ""
"""The setting of a service whose licence was deleted."""


def licence_of(host: Host) -> Licence | None:
    """Return the licence that holds now, None on trial."""
    found = applied(host)
    now_us = host.origin_us + host.now_us
    return found if found is not None and now_us < day_ends_us(found.expiration) else None


def applied(host: Host) -> Licence | None:
    """Return the licence that was applied last, expired or not."""
    text = host.things.setting("licence")
    if text is not None:
        return None if text == NO_LICENCE else read_licence(text)
    brought = host.scenario.snap.licence
    if brought is None:
        return None
    abilities = brought.site_director, brought.data_collector, brought.site_doctor
    return make_licence(brought.customer, brought.expiration, abilities, brought.types)


def unlimited_until_us(host: Host) -> int:
    """Return until when data collectors may poll all nodes [us]."""
    found = applied(host)
    if found is None or not found.dataCollector:
        return 0
    return max(0, day_ends_us(found.expiration) - host.origin_us)
