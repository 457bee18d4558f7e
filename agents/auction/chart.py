"""What an auction marks on the timeline: each period, each quote, and how it went."""

from contextlib import AbstractContextManager

from callboard.agents.auction.book import Improved, Refused, Trade
from callboard.agents.auction.double_auction import Placed
from callboard.agents.auction.equilibrium import equilibrium
from callboard.agents.auction.plan import AuctionPlan
from callboard.agents.auction.result import PeriodResult
from callboard.agents.timeline.marks import Section, mark_point, mark_section
from callboard.agents.timeline.words import Look


class AuctionChart:
    """Marks one run of the plan; without a tracer provider in it, nothing is marked."""

    def __init__(self, plan: AuctionPlan) -> None:
        self._provider = plan.tracer_provider
        self._group = plan.name
        self._crossing = equilibrium(plan.market)

    def period(self, number: int) -> AbstractContextManager[Section]:
        """Make a block the section of one period, with the equilibrium behind its prices."""
        return mark_section(
            f"period {number}",
            group=self._group,
            axis="price",
            reference=(self._crossing.low, self._crossing.high),
            reference_name="equilibrium",
            tracer_provider=self._provider,
        )

    def quote(self, placed: Placed) -> None:
        """Draw a quote as what became of it."""
        match placed.placement:
            case Trade(buyer=buyer, seller=seller, price=price):
                self._point("trade", price, "line", f"{seller} to {buyer}")
            case Refused(price=price):
                self._point("refused", price, "faint", placed.trader)
            case Improved(price=price) if placed.trader.startswith("buyer"):
                self._point("bid", price, "up", placed.trader)
            case Improved(price=price):
                self._point("ask", price, "down", placed.trader)
            case None:
                pass

    def figures(self, section: Section, result: PeriodResult) -> None:
        """Show with a period how it went, against what was possible."""
        section.figure("Efficiency", f"{result.efficiency:.1%}")
        section.figure("Trades", f"{result.trades} of {self._crossing.quantity}")
        mean = "none" if result.mean_price is None else f"{result.mean_price:.1f}"
        section.figure("Mean price", f"{mean} (eq. {self._crossing.price:g})")

    def _point(self, series: str, price: int, look: Look, note: str) -> None:
        if self._provider is not None:
            mark_point(series, price, look=look, note=note, tracer_provider=self._provider)
