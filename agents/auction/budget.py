"""Budget: which prices a trader may quote, as the type that the model has to answer in.

With the constraint a trader can't lose: bids end at the value of the current unit, asks begin at
its cost. This is all that tells the paper's constrained zero-intelligence traders (ZI-C) from the
unconstrained ones (ZI-U), and here it is all in the schema of the structured output.
"""

from dataclasses import dataclass
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field, create_model

from callboard.agents.auction.market import Market
from callboard.agents.auction.side import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRange:
    """The prices that a trader may quote, both ends included."""

    low: int
    high: int


class PricedQuote(BaseModel):
    """A quote as the model writes it; `quote_type` makes the subclasses that bound the price."""

    model_config = ConfigDict(extra="forbid")

    price: int


def price_range(market: Market, side: Side, unit: int, *, constrained: bool) -> PriceRange:
    """Return the prices that may be quoted for a unit.

    Args:
        market: Says which prices there are at all.
        side: Who quotes.
        unit: The unit's private value or cost.
        constrained: Whether the trader must not lose by the trade.
    """
    if not constrained:
        return PriceRange(low=market.floor, high=market.ceiling)
    if side == "buyer":
        return PriceRange(low=market.floor, high=unit)
    return PriceRange(low=unit, high=market.ceiling)


@lru_cache(maxsize=2048)  # a pure function; making a model costs as much as a hundred quotes
def quote_type(side: Side, prices: PriceRange) -> type[PricedQuote]:
    """Return the output type for a quote in this range: `Bid` or `Ask`, with a bounded price."""
    words = "The price that you bid" if side == "buyer" else "The price that you ask"
    description = f"{words}, from {prices.low} to {prices.high}."
    price = Field(ge=prices.low, le=prices.high, description=description)
    return create_model(
        "Bid" if side == "buyer" else "Ask", __base__=PricedQuote, price=(int, price)
    )
