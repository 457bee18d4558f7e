"""Market: who trades, and at which private values and costs.

The induced values of a market experiment: a buyer earns value - price on each unit bought, a seller
price - cost on each unit sold. Units are traded in order, so a buyer's values never rise and a
seller's costs never fall from one unit to the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from callboard.agents.auction.side import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Endowment:
    """One trader's place in a market."""

    name: str
    """The trader's name, for example `buyer-3`."""
    side: Side
    units: tuple[int, ...]
    """Private values (of a buyer) or costs (of a seller), in the order in which they are traded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Values, costs and the range of prices that may be quoted, in whole units of money."""

    name: str
    values: tuple[tuple[int, ...], ...]
    """For each buyer, the value of each unit; never rising."""
    costs: tuple[tuple[int, ...], ...]
    """For each seller, the cost of each unit; never falling."""
    floor: int = 1
    """The lowest price that may be quoted."""
    ceiling: int = 200
    """The highest price that may be quoted."""

    def __post_init__(self) -> None:
        """Check that there is something to trade, in range and in order.

        Raises:
            ValueError: If a side is empty, a price is out of range, or units are out of order.
        """
        if not 0 <= self.floor < self.ceiling:
            raise ValueError(f"prices range upwards from >= 0, got {self.floor} to {self.ceiling}")
        if not self.values or not self.costs:
            raise ValueError("a market needs at least one buyer and one seller")
        for endowment in self.endowments():
            self._check(endowment)

    def endowments(self) -> Iterator[Endowment]:
        """Yield the traders: first the buyers, then the sellers, numbered from 1."""
        for number, units in enumerate(self.values, start=1):
            yield Endowment(name=f"buyer-{number}", side="buyer", units=units)
        for number, units in enumerate(self.costs, start=1):
            yield Endowment(name=f"seller-{number}", side="seller", units=units)

    def demand(self, price: float) -> int:
        """Return how many units buyers gain from buying at this price, or lose nothing by it."""
        return sum(value >= price for units in self.values for value in units)

    def supply(self, price: float) -> int:
        """Return how many units sellers gain from selling at this price, or lose nothing by it."""
        return sum(cost <= price for units in self.costs for cost in units)

    def _check(self, endowment: Endowment) -> None:
        name, units = endowment.name, endowment.units
        if not units:
            raise ValueError(f"{name} has no units; leave the trader out instead")
        if not all(self.floor <= unit <= self.ceiling for unit in units):
            raise ValueError(
                f"{name}'s units {units} leave the range of prices {self.floor} to {self.ceiling}"
            )
        falling = [first > second for first, second in pairwise(units) if first != second]
        if any(down != (endowment.side == "buyer") for down in falling):
            raise ValueError(
                f"{name}'s units {units} are out of order: "
                "a buyer's values never rise, a seller's costs never fall"
            )
