"""Answers that go wrong on purpose: statuses that no caller can cause, and slow ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from twin.api.host import Host
from twin.api.http import ApiError, Operation
from twin.draws import draw, entity_word
from twin.errors import RunError
from twin.units import parse_duration

__all__ = ["Fault", "Faults"]

_FAULT = 1  # the stream word of the only thing that is decided here


@dataclass
class Fault:
    """What happens to the calls of one operation.

    Parameters
    ----------
    operation
        As in the document: ``"GET /{customer_id}/events"``.
    status
        The answer, None where only the latency counts.
    probability
        How many of the calls it meets [1].
    latency_us
        How much simulated time passes before the answer [us].
    from_us, until_us
        When, on the simulated clock [us].
    """

    operation: str
    status: int | None
    probability: float
    latency_us: int
    from_us: int
    until_us: int
    calls: int = 0


class Faults:
    """The faults of one API; the one that was added last is asked first."""

    def __init__(
        self,
        host: Host,
        operations: Sequence[Operation],
        words: Mapping[tuple[str, int], str] | None = None,
    ) -> None:
        """Begin with none.

        Parameters
        ----------
        host, operations
            The twin, and the table of its API.
        words
            What the document says with a status of an operation.
        """
        self._host, self._words = host, words or {}
        self._statuses = {f"{one.method} {one.path}": one.statuses for one in operations}
        self._faults: list[Fault] = []

    def add(
        self,
        operation: str,
        status: int | None,
        probability: float,
        latency: str,
        window: tuple[str, str] | None,
    ) -> Fault:
        """Add a fault.

        Raises
        ------
        RunError
            An operation or status that the document does not know, or a share that is none.
        """
        known = self._statuses.get(operation)
        if known is None:
            near = get_close_matches(operation, self._statuses, 1) or [min(self._statuses)]
            raise RunError(f"no operation is called {operation!r}", hint=f"like {near[0]!r}")
        if status is not None and status not in known:
            listed = ", ".join(map(str, known))
            raise RunError(f"{operation} never answers {status}: the document lists {listed}")
        if not 0.0 <= probability <= 1.0:
            raise RunError(f"probability is a share from 0 to 1, not {probability}")
        span_us = (0, 2**62) if window is None else tuple(parse_duration(edge) for edge in window)
        fault = Fault(operation, status, probability, parse_duration(latency), *span_us)
        self._faults.insert(0, fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Let the operation work again; raises RunError where that fault is over already."""
        if fault not in self._faults:
            raise RunError("this fault was mended already")
        self._faults.remove(fault)

    def meet(self, operation: Operation) -> None:
        """Let a call meet the faults of its operation; raises ApiError where one answers."""
        name = f"{operation.method} {operation.path}"
        for fault in [one for one in self._faults if one.operation == name]:
            if not fault.from_us <= self._host.now_us < fault.until_us:
                continue
            fault.calls += 1
            word = entity_word(f"fault/{name}")
            if draw(self._host.seed, _FAULT, word, fault.calls, 0) >= fault.probability:
                continue
            if fault.latency_us:
                self._host.run_to_us(self._host.now_us + fault.latency_us, progress=False)
            if fault.status is not None:
                said = self._words.get((name, fault.status), "A fault was asked for.")
                raise ApiError(fault.status, said)
