"""The known answer: what Gode and Sunder found, found again through actors and the whole stack."""

from functools import partial
from statistics import fmean

import anyio
import pytest

from callboard.agents.auction.named_markets import find_market, market_names
from callboard.agents.auction.plan import AuctionPlan
from callboard.agents.auction.simulation import run_auction
from callboard.backends.random_backend import RandomBackend

SEEDS = range(20)


async def efficiencies(market: str, *, constrained: bool) -> list[float]:
    """Hold one period of 200 quotes for each seed."""
    found = []
    for seed in SEEDS:
        plan = AuctionPlan(
            market=find_market(market, seed),
            constrained=constrained,
            periods=1,
            quotes=200,
            seed=seed,
        )
        result = await run_auction(plan, RandomBackend(seed=seed))
        assert result.failures == 0
        found.append(result.efficiency)
    return found


@pytest.mark.timeout(120)
@pytest.mark.parametrize("market", market_names())
def test_the_budget_constraint_alone_makes_a_market_efficient(market):
    """ZI-C reach 95 % in the mean over 20 seeds, and beat ZI-U with every single seed."""
    constrained = anyio.run(partial(efficiencies, market, constrained=True))
    unconstrained = anyio.run(partial(efficiencies, market, constrained=False))
    assert fmean(constrained) >= 0.95
    assert all(c > u for c, u in zip(constrained, unconstrained, strict=True))
    assert fmean(constrained) - fmean(unconstrained) > 0.05
    assert max(constrained) <= 1.0
