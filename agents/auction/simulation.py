"""Runs a whole auction: a runtime, its auctioneer and traders, period after period."""

from collections.abc import Callable

from callboard.agents.auction.auctioneer import Auctioneer, ProgressWatcher, RunPeriod
from callboard.agents.auction.plan import AuctionPlan
from callboard.agents.auction.result import AuctionResult, PeriodResult
from callboard.backends.backend import Backend
from callboard.runtime.system import Runtime

GRACE = 60.0
"""Seconds that a period may take to wind up after its own guard has ended it."""


async def run_auction(
    plan: AuctionPlan,
    backend: Backend,
    *,
    on_quote: ProgressWatcher | None = None,
    on_period: Callable[[PeriodResult], None] | None = None,
) -> AuctionResult:
    """Hold all periods of an auction.

    The result depends on the plan and on what the model answers, never on the clock or the event
    loop. A failed model call costs its trader the turn; when nothing but failures comes any more
    (see `AuctionPlan.patience`) the run ends early, with the periods that it had.

    Args:
        plan: What to run.
        backend: Answers the traders; a plain backend is wrapped in `default_stack`. It stays open.
        on_quote: Called after every quote, with the period's figures so far.
        on_period: Called after every period.
    """
    periods: list[PeriodResult] = []
    async with Runtime(name=plan.name or "auction", tracer_provider=plan.tracer_provider) as world:
        auctioneer = await world.spawn(Auctioneer, plan, backend, on_quote, name="auctioneer")
        for period in range(1, plan.periods + 1):
            timeout = plan.period_timeout + GRACE
            result = await auctioneer.ask(RunPeriod(period=period), timeout=timeout)
            periods.append(result)
            if on_period is not None:
                on_period(result)
            if result.status == "aborted":
                break
    return AuctionResult(market=plan.market, constrained=plan.constrained, periods=tuple(periods))
