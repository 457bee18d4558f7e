"""What auctioneer and traders say to one another."""

from dataclasses import dataclass

from callboard.runtime.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPrices:
    """The best standing quotes; None where none stands."""

    bid: int | None
    """The most that a buyer offers."""
    ask: int | None
    """The least that a seller demands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a trader is willing to pay, or to sell for."""

    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestQuote(Message[Quote]):
    """Auctioneer to trader: it is your turn."""

    cancel_with_asker = True
    default_timeout = 300.0

    period: int
    number: int
    """Which quote of the period, from 1."""


@dataclass(frozen=True, slots=True)
class BestQuotes(Message[BestPrices]):
    """Trader to auctioneer: which quotes do I have to beat?"""

    idempotent = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodOpened(Message[None]):
    """Auctioneer to all: everyone holds the endowment anew, and the book is empty."""

    period: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteStands(Message[None]):
    """Auctioneer to trader: your quote is the best of its side."""

    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRefused(Message[None]):
    """Auctioneer to trader: your quote does not improve on the best of its side."""

    price: int
    best: int
    """The price that it had to beat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTraded(Message[None]):
    """Auctioneer to all: a unit changed hands, and every standing quote is void."""

    buyer: str
    seller: str
    price: int
