"""DoubleAuction: one trading period as an environment, decided by its seed and its traders."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from callboard.agents.auction.book import OrderBook, Placement, Trade
from callboard.agents.auction.market import Market
from callboard.agents.auction.messages import BestPrices, Quote, RequestQuote


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What became of the latest quote."""

    trader: str
    number: int
    """Which quote of the period, from 1; forfeited ones count."""
    placement: Placement | None
    """None where the trader failed to quote."""


class DoubleAuction:
    """One period of the continuous double auction; an `Environment`.

    Whose turn it is, is drawn from the seed among the traders who have units left. The period ends
    after a number of quotes, or when nobody of one side has anything left to trade. A quote that
    was never made counts, too: failing traders can't prolong a period. Rewards are the traders'
    profits.
    """

    def __init__(self, market: Market, *, quotes: int = 500, period: int = 1) -> None:
        """Set the rules.

        Args:
            market: The traders with their values and costs.
            quotes: How many of them end the period.
            period: Its number, for the record.

        Raises:
            ValueError: If there are to be no quotes.
        """
        if quotes < 1:
            raise ValueError(f"a period has at least one quote, got {quotes}")
        self.market = market
        self.quotes = quotes
        self.period = period
        self.book = OrderBook()
        self.trades: list[Trade] = []
        """In the order in which they happened."""
        self.surplus = 0
        """Values less costs of the units traded so far; prices only divide it up."""
        self.latest: Placed | None = None
        self._endowments = {endowment.name: endowment for endowment in market.endowments()}
        self.reset(0)

    @property
    def players(self) -> tuple[str, ...]:
        """The traders: first the buyers, then the sellers."""
        return tuple(self._endowments)

    @property
    def best(self) -> BestPrices:
        """The standing quotes."""
        bid, ask = self.book.bid, self.book.ask
        return BestPrices(
            bid=None if bid is None else bid.price, ask=None if ask is None else ask.price
        )

    def reset(self, seed: int) -> None:
        """Open the period anew, with every unit untraded."""
        self._draw = Random(f"double-auction/{seed}/{self.period}")  # noqa: S311 - must repeat
        self._traded = dict.fromkeys(self._endowments, 0)
        self._number = 0
        self.book.clear()
        self.trades.clear()
        self.surplus = 0
        self.latest = None
        self._next = self._draw_next()

    def observe(self) -> Mapping[str, RequestQuote]:
        """Return whose turn it is; empty when the period is over."""
        if self._next is None:
            return {}
        return {self._next: RequestQuote(period=self.period, number=self._number + 1)}

    def step(self, actions: Mapping[str, Quote]) -> Mapping[str, float]:
        """Place the quote of the trader whose turn it was, and draw the next one.

        Returns:
            The profits of buyer and seller if the quote led to a trade.

        Raises:
            ValueError: If the period is over, or the price lies outside the market's prices.
        """
        trader = self._next
        if trader is None:
            raise ValueError("the period is over: reset it before you quote again")
        quote = actions.get(trader)
        placement = None if quote is None else self._place(trader, quote.price)
        rewards = self._settle(placement)
        self._number += 1
        self.latest = Placed(trader=trader, number=self._number, placement=placement)
        self._next = self._draw_next()
        return rewards

    def _place(self, trader: str, price: int) -> Placement:
        if not self.market.floor <= price <= self.market.ceiling:
            raise ValueError(
                f"{trader} quoted {price}; prices range from {self.market.floor} to "
                f"{self.market.ceiling}"
            )
        return self.book.place(self._endowments[trader].side, trader, price)

    def _settle(self, trade: Placement | None) -> Mapping[str, float]:
        if not isinstance(trade, Trade):
            return {}
        value, cost = self._take_unit(trade.buyer), self._take_unit(trade.seller)
        self.trades.append(trade)
        self.surplus += value - cost
        return {trade.buyer: value - trade.price, trade.seller: trade.price - cost}

    def _take_unit(self, trader: str) -> int:
        unit = self._endowments[trader].units[self._traded[trader]]
        self._traded[trader] += 1
        return unit

    def _draw_next(self) -> str | None:
        able = [e for e in self._endowments.values() if self._traded[e.name] < len(e.units)]
        if self._number >= self.quotes or len({e.side for e in able}) < 2:
            return None
        return self._draw.choice(able).name
