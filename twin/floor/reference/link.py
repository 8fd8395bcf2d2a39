"""A worker's link as the reference engine sees it: good, fading, down."""

import numpy as np
import simpy

from twin.events import NEVER
from twin.floor.reference.session import Session
from twin.floor.rules.ble import attempts, exchange_us, first_event_us
from twin.floor.rules.link import (
    fade_begins_us,
    fade_ends_us,
    fading_attempts,
    fails_anew_us,
    fails_us,
    is_cut,
    reconnects_us,
)

_NEVER = int(NEVER)


class Link:
    """What connects a scanner with its gateway for one session."""

    def __init__(
        self, env: simpy.Environment, state: int, session: Session, facts: np.void
    ) -> None:
        """Connect; ``facts`` is the ``LINK_CLASS`` record of the gateway's kind."""
        self.drops = bool(facts["drops"])
        self.turned = simpy.Event(env)
        self.up_us = self.dropped_us = _NEVER
        self.changes = 0
        self._env = env
        self._facts = facts
        self._state = state
        self._session = session
        self._number = -1
        self._fade_from_us = self._fade_to_us = self.fails_us = _NEVER
        self._begin_stretch(session.opened_us)

    @property
    def is_down(self) -> bool:
        """Whether it has dropped and is not back yet."""
        return self.up_us != _NEVER

    @property
    def turns_us(self) -> int:
        """When something comes next: a drop, the end of a fade, a reconnect [us]."""
        return self.up_us if self.is_down else min(self.fails_us, self._fade_to_us)

    def knows(self, moment_us: int) -> bool:
        """Say whether what is known of the link reaches to a moment [us]."""
        return moment_us < self.turns_us

    def turn(self) -> None:
        """Let the next thing happen, now."""
        now_us = int(self._env.now)
        if not self.is_down and self.fails_us == now_us:
            self.dropped_us = now_us
            self.up_us = reconnects_us(self._facts, self._state, self._number, now_us)
        else:
            self.up_us = _NEVER
            self._begin_stretch(now_us)

    def tell(self) -> None:
        """Wake whoever waits for a turn."""
        told, self.turned = self.turned, simpy.Event(self._env)
        told.succeed()

    def _begin_stretch(self, since_us: int) -> None:
        """Look ahead to the end of the next fade."""
        if not self.drops:
            return
        self._number += 1
        session, where = self._session, (self._facts, self._state, self._number)
        self._fade_from_us = fade_begins_us(*where, since_us)
        self._fade_to_us = fade_ends_us(*where, self._fade_from_us)
        self.fails_us = fails_us(
            *where, since_us, self._fade_from_us, self._fade_to_us,
            session.loss, session.interval_us, session.limit,
        )  # fmt: skip

    def change(self, now_us: int) -> bool:
        """Take up another loss of the session, now; return whether it may turn at another time."""
        if not self.drops or self.is_down:
            return False
        session = self._session
        self.changes += 1
        self.fails_us = fails_anew_us(
            self._facts, self._state, self._number, max(now_us, session.opened_us),
            self._fade_from_us, self._fade_to_us, self.fails_us,
            session.loss, session.interval_us, session.limit,
        )  # fmt: skip
        return True

    def cross(self, message: int, stream: int, ready_us: int) -> tuple[int, int]:
        """Return the tries of a message, more than the limit if it fails, and when that is [us]."""
        session = self._session
        anchor_us, interval_us, limit = session.anchor_us, session.interval_us, session.limit
        if not self.drops:
            tries = attempts(message, stream, session.loss, limit)
            end_us = exchange_us(ready_us, anchor_us, interval_us, session.air_us, tries, limit)
            return tries, end_us
        if is_cut(ready_us, self.fails_us, interval_us, limit):
            return limit + 1, max(ready_us, self.fails_us)
        first_us = first_event_us(ready_us, anchor_us, interval_us)
        tries = fading_attempts(
            message, stream, first_us, interval_us, limit, session.loss,
            float(self._facts["fade_loss"]), self._fade_from_us, self._fade_to_us,
        )  # fmt: skip
        return tries, first_us + (tries - 1) * interval_us + session.air_us
