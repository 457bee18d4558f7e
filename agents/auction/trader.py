"""Trader: the actor who knows one trader's values or costs, and has a model quote for it."""

from typing import ClassVar

from callboard.agents.agent import Agent
from callboard.agents.auction.briefing import instructions, prompt
from callboard.agents.auction.budget import price_range, quote_type
from callboard.agents.auction.market import Endowment
from callboard.agents.auction.messages import (
    BestPrices,
    BestQuotes,
    PeriodOpened,
    Quote,
    QuoteRefused,
    QuoteStands,
    RequestQuote,
    UnitTraded,
)
from callboard.agents.auction.plan import AuctionPlan
from callboard.agents.auction.side import quote_kind
from callboard.backends.backend import Backend
from callboard.backends.errors import BackendError
from callboard.runtime.actor import Actor
from callboard.runtime.ref import ActorRef


class Trader(Actor):
    """One trader. Every quote is one run of its agent; a failed run is an answer, not a crash.

    Nothing of what it is told about the others gets lost: the auctioneer's messages arrive in
    order, so that a request always finds it knowing of every trade before.

    Args:
        plan: The market, and whether the budget binds.
        endowment: Private to this actor.
        backend: Where its model is.
        auctioneer: Whom it asks for the best quotes.
    """

    reply_errors: ClassVar[tuple[type[BaseException], ...]] = (BackendError,)

    def __init__(
        self, plan: AuctionPlan, endowment: Endowment, backend: Backend, auctioneer: ActorRef
    ) -> None:
        self._plan = plan
        self._endowment = endowment
        self._auctioneer = auctioneer
        self._agent = Agent(
            endowment.name,
            backend=backend,
            instructions=instructions(endowment),
            tools=[self.best_quotes],
        )
        self._traded = 0
        self._trades: list[int] = []
        self._refusal = ""

    @RequestQuote.handler
    async def quote(self, message: RequestQuote) -> Quote:
        """Have the model quote a price for the current unit."""
        del message
        endowment, traded = self._endowment, self._traded
        prices = price_range(
            self._plan.market,
            endowment.side,
            endowment.units[traded],
            constrained=self._plan.constrained,
        )
        answer = await self._agent.run(
            prompt(endowment, traded, prices, trades=self._trades, refusal=self._refusal),
            output=quote_type(endowment.side, prices),
        )
        return Quote(price=answer.output.price)

    async def best_quotes(self) -> BestPrices:
        """Tell the highest bid and the lowest ask that stand now; null where none does."""
        return await self._auctioneer.ask(BestQuotes())

    @PeriodOpened.handler
    async def open(self, message: PeriodOpened) -> None:
        """Begin with the full endowment."""
        del message
        self._traded = 0
        self._trades.clear()
        self._refusal = ""

    @UnitTraded.handler
    async def traded(self, message: UnitTraded) -> None:
        """Take note of a trade, one's own or others'."""
        self._trades.append(message.price)
        self._refusal = ""
        if self._endowment.name in (message.buyer, message.seller):
            self._traded += 1

    @QuoteRefused.handler
    async def refused(self, message: QuoteRefused) -> None:
        """Remember why, for the next prompt."""
        kind = quote_kind(self._endowment.side)
        self._refusal = (
            f"Your last {kind} of {message.price} was refused: the best {kind} was {message.best}."
        )

    @QuoteStands.handler
    async def stands(self, message: QuoteStands) -> None:
        """Forget an earlier refusal."""
        del message
        self._refusal = ""
