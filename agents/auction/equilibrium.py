"""Equilibrium: what a market would do if every unit traded at one price that clears it."""

from dataclasses import dataclass

from callboard.agents.auction.market import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Equilibrium:
    """Where supply and demand cross."""

    quantity: int
    """Units traded: the most that can be without a loss on the last one."""
    low: int
    """The lowest price that clears the market."""
    high: int
    """The highest price that clears the market."""
    surplus: int
    """The most that all traders together can earn: values less costs of the units traded."""

    @property
    def price(self) -> float:
        """The middle of the prices that clear the market."""
        return (self.low + self.high) / 2


def equilibrium(market: Market) -> Equilibrium:
    """Cross supply and demand.

    Pairing the dearest values with the cheapest costs gives the greatest surplus; the prices that
    clear the market lie between the last unit inside on either side and the first one outside.
    """
    values = sorted((unit for units in market.values for unit in units), reverse=True)
    costs = sorted(unit for units in market.costs for unit in units)
    gains = [value - cost for value, cost in zip(values, costs, strict=False)]
    quantity = sum(gain >= 0 for gain in gains)
    return Equilibrium(
        quantity=quantity,
        low=max([market.floor, *costs[:quantity][-1:], *values[quantity:][:1]]),
        high=min([market.ceiling, *values[:quantity][-1:], *costs[quantity:][:1]]),
        surplus=sum(gains[:quantity]),
    )
