"""Side: who buys and who sells, and the words for what each of them quotes."""

from typing import Literal

Side = Literal["buyer", "seller"]
"""A buyer quotes bids, a seller quotes asks."""

QuoteKind = Literal["bid", "ask"]


def quote_kind(side: Side) -> QuoteKind:
    """Return the word for what this side quotes."""
    return "bid" if side == "buyer" else "ask"
