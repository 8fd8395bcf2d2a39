"""What an engine is built from: the site as numbers, without a name in it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.draws import LAW, entity_word, fold, root
from twin.floor.rules.orders import ORDERS, next_order_us

RULEBOOK = np.dtype(
    [
        ("seed", "i8"),
        ("smallest_job", "i8"),
        ("largest_job", "i8"),
        ("start_spread_us", "i8"),
        ("return_shortest_us", "i8"),
        ("return_spread_us", "i8"),
        ("telemetry_period_us", "i8"),  # 0: no reports
        ("idle_drain_ppm_per_h", "i8"),
        ("low_charge_ppb", "i8"),  # from here down the worker swaps; 0: never
        ("roam_after_us", "i8"),  # 0: never
        ("publish_spacing_us", "i8"),
        ("buffer_messages", "i8"),  # 0: no limit
        ("acknowledgement_loss", "f8"),
        ("wrong_scan", "f8"),
        ("forgotten_end", "f8"),
        ("picker_sd", "f8"),
        ("pick", LAW),
        ("job_setup", LAW),
        ("job_close", LAW),
        ("rescan", LAW),
        ("job_lines", LAW),
        ("service", LAW),
        ("round_trip", LAW),
        ("cloud_delay", LAW),
        ("trigger", LAW),
    ]
)
"""The numbers that rules need: one record, durations in whole microseconds."""

LINK_CLASS = np.dtype(
    [
        ("fade_every_us", "i8"),
        ("fade_length_us", "i8"),
        ("stall_us", "i8"),  # what a connection attempt takes from the gateway's Wi-Fi
        ("stall_every_us", "i8"),
        ("fade_loss", "f8"),
        ("drops", "i8"),  # 0: the link never drops
        ("reconnect", LAW),
    ]
)
"""How the links of one kind of gateway fail."""

LONG_AGO_US = -(1 << 40)
"""Before every moment of a run [us]."""

MOST_COUNTED = 1 << 17
"""How far messages are counted in a buffer without limit [1]."""


class Features(NamedTuple):
    """What may happen on a floor: what may not need not be looked for at every scan.

    Parameters
    ----------
    links
        Links fade and drop, and their reconnects stall a gateway's Wi-Fi.
    uplink
        Messages are held, limited, cut by an outage or sent again.
    orders
        Work arrives, and runs out.
    slips
        Workers scan the wrong barcode, forget one, or differ in pace.
    swaps
        Scanners run low and are swapped.
    """

    links: bool
    uplink: bool
    orders: bool
    slips: bool
    swaps: bool


class FloorPlan(NamedTuple):
    """Everything an engine needs to know before the first session is offered.

    Parameters
    ----------
    book
        Array of one ``RULEBOOK`` record.
    worker_words, scanner_words
        Address words of the entities, arrays of shape (workers,) and (scanners,).
    works_by_jobs
        Whether each worker works by jobs or just picks, shape (workers,).
    link_classes
        Array of two ``LINK_CLASS`` records: stationary and mobile.
    gateway_mobile
        Whether each gateway is a phone, shape (gateways,).
    outages, first_outage
        Stretches without uplink, shape (n, 2) [us], those of gateway g in the rows
        first_outage[g] to first_outage[g + 1], in order.
    orders_per_h
        Expected orders in each hour since the start [1/h]; after the end its last day is repeated.
        Empty: work never runs out.
    """

    book: NDArray[np.void]
    worker_words: NDArray[np.int64]
    scanner_words: NDArray[np.int64]
    works_by_jobs: NDArray[np.bool_]
    link_classes: NDArray[np.void]
    gateway_mobile: NDArray[np.bool_]
    outages: NDArray[np.int64]
    first_outage: NDArray[np.int64]
    orders_per_h: NDArray[np.float64]

    @property
    def gateways(self) -> int:
        """How many gateways there are."""
        return len(self.gateway_mobile)

    @property
    def counted_messages(self) -> int:
        """How many messages a gateway counts that wait for the uplink, 0 where none has to [1]."""
        book = self.book[0]
        waits = len(self.outages) > 0 or book["publish_spacing_us"] > 0
        return int(book["buffer_messages"]) or (MOST_COUNTED if waits else 0)

    @property
    def features(self) -> Features:
        """What may happen in this plan beyond scans that are sent, served and shown."""
        book = self.book[0]
        return Features(
            links=self.links_drop,
            uplink=self.counted_messages > 0 or bool(book["acknowledgement_loss"] > 0),
            orders=len(self.orders_per_h) > 0,
            slips=any(book[name] > 0 for name in ("wrong_scan", "forgotten_end", "picker_sd")),
            swaps=bool(book["low_charge_ppb"] > 0),
        )

    @property
    def links_drop(self) -> bool:
        """Whether any link may drop: then links are events of their own."""
        return bool(self.link_classes["drops"].any())


def start_orders(plan: FloorPlan) -> NDArray[np.void]:
    """Return an array of one ``ORDERS`` record at the beginning of a run."""
    orders = np.zeros(1, ORDERS)
    orders[0]["state"] = fold(root(int(plan.book[0]["seed"])), entity_word("orders"))
    return orders


def orders_us(plan: FloorPlan, until_us: int) -> NDArray[np.int64]:
    """Return when the orders before a moment arrive, in order, shape (orders,) [us]."""
    found: list[int] = []
    if len(plan.orders_per_h):
        coming = start_orders(plan)[0]
        while (moment_us := int(next_order_us(coming, plan.orders_per_h))) < until_us:
            found.append(moment_us)
    return np.array(found, np.int64)
