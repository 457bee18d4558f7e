"""OrderBook: the best bid and the best ask, and what a new quote does to them.

The rules of the continuous double auction in Gode and Sunder (Journal of Political Economy 101(1),
1993, p. 122): a quote stands only if it improves on the best of its side; a quote that reaches the
best of the other side trades at once, at the price of the quote that stood first; after a trade all
unaccepted quotes are void.
"""

from dataclasses import dataclass
from typing import TypeAlias

from callboard.agents.auction.side import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A quote that may be accepted by anyone of the other side."""

    trader: str
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Improved:
    """The quote now stands as the best of its side."""

    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The quote does not improve on the best of its side, and is forgotten."""

    price: int
    best: int
    """The price that it had to beat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A unit changed hands."""

    buyer: str
    seller: str
    price: int
    """The price of the quote that stood first."""


Placement: TypeAlias = Improved | Refused | Trade
"""What became of a quote."""


class OrderBook:
    """At most one standing bid and one standing ask; the bid is always below the ask."""

    def __init__(self) -> None:
        self.bid: Standing | None = None
        """The highest bid."""
        self.ask: Standing | None = None
        """The lowest ask."""

    def place(self, side: Side, trader: str, price: int) -> Placement:
        """Take a new quote: trade on it, let it stand, or refuse it."""
        own, other = (self.bid, self.ask) if side == "buyer" else (self.ask, self.bid)
        if other is not None and _reaches(side, price, other.price):
            return self._trade(side, trader, other)
        if own is not None and not _beats(side, price, own.price):
            return Refused(price=price, best=own.price)
        self._stand(side, Standing(trader=trader, price=price))
        return Improved(price=price)

    def clear(self) -> None:
        """Forget every standing quote."""
        self.bid = self.ask = None

    def _stand(self, side: Side, quote: Standing) -> None:
        if side == "buyer":
            self.bid = quote
        else:
            self.ask = quote

    def _trade(self, side: Side, trader: str, standing: Standing) -> Trade:
        self.clear()
        buyer, seller = (trader, standing.trader) if side == "buyer" else (standing.trader, trader)
        return Trade(buyer=buyer, seller=seller, price=standing.price)


def _reaches(side: Side, price: int, other: int) -> bool:
    return price >= other if side == "buyer" else price <= other


def _beats(side: Side, price: int, own: int) -> bool:
    return price > own if side == "buyer" else price < own
