"""The orders of the site: whoever is free first takes the one that came first."""

from twin.floor.plan import FloorPlan, start_orders
from twin.floor.rules.orders import take_order


class Orders:
    """Orders that nobody has taken yet."""

    def __init__(self, plan: FloorPlan) -> None:
        """Begin at the start of the run."""
        self._come = start_orders(plan)
        self._per_h = plan.orders_per_h
        self.state = int(self._come[0]["state"])

    def take(self) -> tuple[int, int]:
        """Take the next order; return its number and when it arrives or arrived [us]."""
        number = int(self._come[0]["taken"])
        return number, int(take_order(self._come[0], self._per_h))
