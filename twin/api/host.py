"""What a façade asks of the twin behind it: who and what there is, what happened, what time it is.

The façade knows this much of a twin, and no more, so that a twin may offer a façade.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin.commands import Command
from twin.frames import Frames
from twin.scenario import Scenario
from twin.store.account import Account
from twin.store.database import Database
from twin.store.things import Things
from twin.world.network import Network
from twin.world.roster import Roster

__all__ = ["Host", "now_ms"]


class Host(Protocol):
    """A twin as a façade sees it: ``origin_us`` is the start of the run since 1970 [us]."""

    scenario: Scenario
    seed: int
    origin_us: int

    @property
    def roster(self) -> Roster:
        """Who and what there is; the number of a thing is its place for ever."""

    @property
    def database(self) -> Database:
        """Where the account and the journal are kept."""

    def submit(self, asked: Command) -> None:
        """Write a command into the journal, and carry it out once that is durable."""

    @property
    def now_us(self) -> int:
        """The simulated moment [us]."""

    @property
    def frames(self) -> Frames:
        """What makes readable columns of rows."""

    @property
    def account(self) -> Account:
        """The customer's account in the cloud."""

    @property
    def things(self) -> Things:
        """What the service on the gateway knows."""

    @property
    def network(self) -> Network:
        """The mesh in time, with the hosts behind its bridges."""

    def backup(self) -> bytes:
        """Return the twin as the bytes of an SQLite file, as it is now."""

    def run_to_us(self, until_us: int, *, progress: bool | None = None) -> None:
        """Let time pass up to a moment [us]."""

    def rows(self) -> NDArray[np.void]:
        """All rows so far, in order."""


def now_ms(host: Host) -> int:
    """Return the simulated moment since 1970 [ms]."""
    return (host.origin_us + host.now_us) // 1000
