"""DemoArm: one of the demonstration's runs, with what is counted of it."""

from dataclasses import dataclass, field

from callboard.agents.auction.auctioneer import ProgressWatcher
from callboard.agents.auction.plan import AuctionPlan
from callboard.agents.auction.result import AuctionResult, PeriodResult
from callboard.agents.auction.simulation import run_auction
from callboard.backends.backend import Backend
from callboard.backends.default_stack import default_stack
from callboard.backends.middleware.usage_meter import UsageMeter, UsageRow


@dataclass(slots=True, kw_only=True)
class DemoArm:
    """One kind of trader in one market; readable at any moment, also when it was cut short."""

    plan: AuctionPlan
    backend: Backend
    meter: UsageMeter = field(default_factory=UsageMeter)
    periods: list[PeriodResult] = field(default_factory=list[PeriodResult])

    @property
    def name(self) -> str:
        """What its column is called."""
        return self.plan.name

    @property
    def result(self) -> AuctionResult:
        """The figures of the periods that have ended."""
        return AuctionResult(
            market=self.plan.market,
            constrained=self.plan.constrained,
            periods=tuple(self.periods),
        )

    @property
    def calls(self) -> UsageRow:
        """What was asked of the model, periods under way included."""
        return self.meter.snapshot().total

    async def run(self, watch: ProgressWatcher | None) -> None:
        """Hold all periods.

        Args:
            watch: Called after every quote.
        """
        stack = default_stack(
            self.backend, usage_meter=self.meter, tracer_provider=self.plan.tracer_provider
        )
        await run_auction(self.plan, stack, on_quote=watch, on_period=self.periods.append)
