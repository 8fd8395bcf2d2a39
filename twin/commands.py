"""Wishes that go down: what users ask of the site, and what the site tells the floor."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class InstallGateway:
    """Take a phone into service as a gateway, now: it walks with its worker.

    Its name and ``id`` are its own; ``station`` and ``usecase`` are what events say of it.
    """

    id: str
    name: str
    station: str
    usecase: str


@dataclass(frozen=True)
class SendMulticast:
    """Multicast a message over the mesh, now, from a node or from the host behind a bridge.

    ``to`` names nodes and groups of nodes for a directed multicast; a node that processes the
    message answers with ``reply_bytes`` [B], 0 for nothing, within ``reply_window_us`` [us], or
    after its place in the list times ``delay_factor``.
    """

    source: str
    groups: int
    ttl: int
    payload_bytes: int
    to: tuple[str, ...]
    reply_bytes: int
    reply_window_us: int
    delay_factor: int

    def __post_init__(self) -> None:
        """Take a list, as the journal gives it, for a tuple."""
        object.__setattr__(self, "to", tuple(self.to))


@dataclass(frozen=True)
class StartSurvey:
    """Survey the mesh, now, in the manner of a ``generation``: A, B or C."""

    generation: str


@dataclass(frozen=True)
class StartUpgrade:
    """Bring ``firmware`` (a version) and then an ``image`` to devices, now; "" leaves one out.

    ``devices`` names nodes and groups, nobody means all; ``size_bytes`` is that of the image [B].
    Two images of one name are told apart by their ``crc``.
    """

    image: str
    size_bytes: int
    firmware: str
    devices: tuple[str, ...]
    transport: str
    crc: int = 0

    def __post_init__(self) -> None:
        """Take a list, as the journal gives it, for a tuple."""
        object.__setattr__(self, "devices", tuple(self.devices))


@dataclass(frozen=True)
class StartUpgrades:
    """Carry out ``upgrades`` one after the other, behind all that were begun like this before."""

    upgrades: tuple[StartUpgrade, ...]

    def __post_init__(self) -> None:
        """Take lists and tables, as the journal gives them, for what they are."""
        given = (StartUpgrade(**one) if isinstance(one, dict) else one for one in self.upgrades)
        object.__setattr__(self, "upgrades", tuple(given))


@dataclass(frozen=True)
class SetCollector:
    """Let a collector poll ``devices`` every ``every_us`` [us], now and from now on.

    It takes the place of the one of the same name; without devices it ends. After
    ``unlimited_until_us`` [us] it polls only the first ``limit`` devices of the list [1].
    """

    name: str
    devices: tuple[str, ...]
    every_us: int
    limit: int
    unlimited_until_us: int

    def __post_init__(self) -> None:
        """Take a list, as the journal gives it, for a tuple."""
        object.__setattr__(self, "devices", tuple(self.devices))


@dataclass(frozen=True)
class CancelUpgrade:
    """Stop an upgrade, now, by its number."""

    upgrade: int


@dataclass(frozen=True)
class ChangeNetwork:
    """Tell the nodes of some bridges of another network, now, over the air; the bridges last.

    What is None stays as it is at the bridge; ``bridges`` names them, nobody means all.
    """

    bridges: tuple[str, ...]
    channel: int | None
    network_id: str | None
    feature_bits: int | None
    encryption: str | None
    encryption_key: str | None

    def __post_init__(self) -> None:
        """Take a list, as the journal gives it, for a tuple."""
        object.__setattr__(self, "bridges", tuple(self.bridges))


@dataclass(frozen=True)
class CutPower:
    """Switch ``nodes`` off, now, and on again after ``duration_us`` [us]."""

    nodes: tuple[str, ...]
    duration_us: int

    def __post_init__(self) -> None:
        """Take a list, as the journal gives it, for a tuple."""
        object.__setattr__(self, "nodes", tuple(self.nodes))


Command = (
    InstallGateway | SendMulticast | StartSurvey | StartUpgrade | StartUpgrades | CancelUpgrade
    | ChangeNetwork | CutPower | SetCollector
)  # fmt: skip
"""What users ask of the site: the journal keeps it, and the desk carries it out."""

ACTIONS: dict[str, type[Command]] = {
    "install gateway": InstallGateway,
    "send multicast": SendMulticast,
    "start survey": StartSurvey,
    "start upgrade": StartUpgrade,
    "start upgrades": StartUpgrades,
    "cancel upgrade": CancelUpgrade,
    "change network": ChangeNetwork,
    "cut power": CutPower,
    "set collector": SetCollector,
}
"""What the journal calls each command."""


@dataclass(frozen=True)
class Field:
    """One field of a command: its name, numpy type, unit and meaning."""

    name: str
    dtype: str
    unit: str
    meaning: str


SESSION_FIELDS = (
    Field("opened_us", "i8", "us", "moment the scanner is connected and work can begin"),
    Field("until_us", "i8", "us", "end of the shift; no scan or report begins at or after it"),
    Field("anchor_us", "i8", "us", "offset of this connection's events on the gateway's clock"),
    Field("interval_us", "i8", "us", "BLE connection interval"),
    Field("air_us", "i8", "us", "air time of one exchange within a connection event"),
    Field("charge_ppb", "i8", "1e-9", "charge of the scanner when taken"),
    Field("drain_ppb", "i8", "1e-9", "charge that one scan costs"),
    Field("loss", "f8", "1", "probability that one connection event fails"),
    Field("worker", "i4", "index", "who"),
    Field("scanner", "i4", "index", "with which scanner"),
    Field("gateway", "i4", "index", "paired with which gateway"),
    Field("attempts", "i4", "1", "connection events within the supervision timeout"),
    Field(
        "resumes",
        "i4",
        "enum",
        "FRESH: a shift begins; RESUMES: the worker goes on with the job "
        "in hand; RESCANS: and with the scan that failed",
    ),
    Field("first_window", "i4", "index", "first row of the offered working stretches"),
    Field("end_window", "i4", "index", "one past the last row of the working stretches"),
)

FRESH, RESUMES, RESCANS = range(3)

SESSION = np.dtype([(field.name, field.dtype) for field in SESSION_FIELDS])
"""Open a session: one worker, one scanner, one gateway, until the shift ends or charge runs low."""
