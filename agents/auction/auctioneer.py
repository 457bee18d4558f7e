"""Auctioneer: the actor who runs the periods, keeps the book and tells everyone what happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from callboard.agents.auction.book import Improved, Refused, Trade
from callboard.agents.auction.chart import AuctionChart
from callboard.agents.auction.double_auction import DoubleAuction, Placed
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
from callboard.agents.auction.result import PeriodResult, efficiency
from callboard.agents.auction.trader import Trader
from callboard.agents.episode import Episode, Turn
from callboard.agents.play import play
from callboard.backends.backend import Backend
from callboard.runtime.actor import Actor
from callboard.runtime.message import Message
from callboard.runtime.ref import ActorRef


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPeriod(Message[PeriodResult]):
    """To the auctioneer: hold one period."""

    cancel_with_asker = True

    period: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a period is going."""

    period: int
    quotes: int
    trades: int
    failures: int
    efficiency: float
    """The part of the greatest surplus that has been realised so far."""


ProgressWatcher: TypeAlias = Callable[[Progress], None]


class Auctioneer(Actor):
    """Draws who quotes next, keeps the book, and tells trades to all and refusals to their makers.

    It spawns the traders as its children. While it waits for a quote it still answers for the best
    quotes: that handler is reentrant.

    Args:
        plan: What to run.
        backend: Where the traders' models are.
        watch: Called after every quote; None where nobody watches.
    """

    def __init__(
        self, plan: AuctionPlan, backend: Backend, watch: ProgressWatcher | None = None
    ) -> None:
        self._plan = plan
        self._backend = backend
        self._watch = watch
        self._chart = AuctionChart(plan)
        self._traders: dict[str, ActorRef] = {}
        self._auction = DoubleAuction(plan.market, quotes=plan.quotes)
        self._failures = 0

    async def on_start(self) -> None:
        """Spawn the traders."""
        for endowment in self._plan.market.endowments():
            self._traders[endowment.name] = await self.context.spawn(
                Trader,
                self._plan,
                endowment,
                self._backend,
                self.context.ref,
                name=endowment.name,
                restart="temporary",
            )

    @BestQuotes.handler(reentrant=True)
    async def best(self, message: BestQuotes) -> BestPrices:
        """Tell the standing quotes."""
        del message
        return self._auction.best

    @RunPeriod.handler
    async def run(self, message: RunPeriod) -> PeriodResult:
        """Hold one period, from the first quote to the last."""
        plan, period = self._plan, message.period
        self._auction = DoubleAuction(plan.market, quotes=plan.quotes, period=period)
        self._failures = 0
        with self._chart.period(period) as section:
            await self._tell_all(PeriodOpened(period=period))
            episode = await play(
                self._auction,
                {name: trader.ask for name, trader in self._traders.items()},
                seed=plan.seed,
                timeout=plan.period_timeout,
                patience=plan.patience,
                on_step=self._after_quote,
            )
            result = _result(self._auction, episode)
            self._chart.figures(section, result)
        return result

    async def _after_quote(self, turns: Sequence[Turn[RequestQuote, Quote]]) -> None:
        self._failures += sum(turn.error is not None for turn in turns)
        latest = self._auction.latest
        if latest is not None:
            self._chart.quote(latest)
            await self._tell(latest)
        if self._watch is not None:
            self._watch(
                Progress(
                    period=self._auction.period,
                    quotes=0 if latest is None else latest.number,
                    trades=len(self._auction.trades),
                    failures=self._failures,
                    efficiency=efficiency(self._auction),
                )
            )

    async def _tell(self, latest: Placed) -> None:
        maker = self._traders[latest.trader]
        match latest.placement:
            case Trade(buyer=buyer, seller=seller, price=price):
                await self._tell_all(UnitTraded(buyer=buyer, seller=seller, price=price))
            case Refused(price=price, best=best):
                await maker.tell(QuoteRefused(price=price, best=best))
            case Improved(price=price):
                await maker.tell(QuoteStands(price=price))
            case None:
                pass

    async def _tell_all(self, message: Message[None]) -> None:
        for trader in self._traders.values():
            await trader.tell(message)


def _result(auction: DoubleAuction, episode: Episode[RequestQuote, Quote]) -> PeriodResult:
    forfeits = episode.forfeits
    return PeriodResult(
        period=auction.period,
        status=episode.status,
        quotes=len(episode.turns),
        failures=len(forfeits),
        prices=tuple(trade.price for trade in auction.trades),
        surplus=auction.surplus,
        efficiency=efficiency(auction),
        last_error=forfeits[-1].error if forfeits else None,
    )
