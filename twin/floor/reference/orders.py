"""The orders of the site: whoever is free first takes the one that came first."""

import heapq
from typing import NamedTuple

from twin.floor.plan import FloorPlan, start_orders
from twin.floor.rules.orders import next_order_us


class Order(NamedTuple):
    """An order and when it arrives or arrived [us]."""

    number: int
    due_us: int


class Orders:
    """Orders that nobody has taken yet."""

    def __init__(self, plan: FloorPlan) -> None:
        """Begin at the start of the run."""
        self._come = start_orders(plan)
        self._per_h = plan.orders_per_h
        self._returned: list[Order] = []
        self.state = int(self._come[0]["state"])

    def take(self) -> Order:
        """Take the first order that nobody has."""
        if self._returned:
            return heapq.heappop(self._returned)
        number = int(self._come[0]["arrived"])
        return Order(number, int(next_order_us(self._come[0], self._per_h)))

    def give_back(self, order: Order) -> None:
        """Give an order back that was not begun: whoever is free next takes it."""
        heapq.heappush(self._returned, order)
