"""The period as an environment: whose turn it is, what a trade earns, when it ends."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.auction.book import Trade
from callboard.agents.auction.double_auction import DoubleAuction
from callboard.agents.auction.equilibrium import equilibrium
from callboard.agents.auction.market import Market
from callboard.agents.auction.messages import BestPrices, Quote
from callboard.agents.auction.named_markets import find_market, market_names
from callboard.agents.auction.result import efficiency
from callboard.agents.play import play

PAIR = Market(name="pair", values=((100, 90),), costs=((20, 30),))


def run(auction, price_of, seed=0):
    """Play without waiting: each trader quotes `price_of(name)`."""
    auction.reset(seed)
    rewards: dict[str, float] = {}
    while turn := auction.observe():
        (name,) = turn
        for trader, profit in auction.step({name: Quote(price=price_of(name))}).items():
            rewards[trader] = rewards.get(trader, 0) + profit
    return rewards


def test_a_trade_divides_the_surplus_between_buyer_and_seller():
    """At a price of 60 the pair earns 40 + 40 on the first unit and 30 + 30 on the second."""
    auction = DoubleAuction(PAIR, quotes=50)
    assert run(auction, lambda _: 60) == {"buyer-1": 70, "seller-1": 70}
    assert auction.surplus == 140 == equilibrium(PAIR).surplus
    assert efficiency(auction) == 1.0


def test_the_period_ends_when_one_side_has_nothing_left():
    """Two units, two trades, and nobody's turn after that."""
    auction = DoubleAuction(PAIR, quotes=10_000)
    run(auction, lambda _: 60)
    assert auction.trades == [Trade(buyer="buyer-1", seller="seller-1", price=60)] * 2
    assert auction.observe() == {}
    with pytest.raises(ValueError, match="the period is over"):
        auction.step({})


def test_nobody_quotes_to_an_empty_other_side():
    """The seller has sold out; the buyer who has units left is not asked any more."""
    market = Market(name="uneven", values=((100, 90, 80),), costs=((20,),))
    auction = DoubleAuction(market, quotes=1_000)
    run(auction, lambda _: 60)
    assert len(auction.trades) == 1
    assert auction.latest.number < 100
    assert auction.observe() == {}


def test_the_period_ends_with_the_quote_count():
    """Quotes that never meet still count."""
    auction = DoubleAuction(PAIR, quotes=7)
    run(auction, lambda name: 1 if name.startswith("buyer") else 200)
    assert auction.latest.number == 7
    assert auction.trades == []


def test_looking_changes_nothing():
    """Two observations in a row name the same trader."""
    auction = DoubleAuction(find_market("classic"))
    assert auction.observe() == auction.observe()


def test_the_seed_decides_whose_turn_it_is():
    """Same seed, same order; another seed or period, another order."""

    def order(seed, period=1):
        auction = DoubleAuction(find_market("classic"), quotes=40, period=period)
        auction.reset(seed)
        names = []
        while turn := auction.observe():
            names += turn
            auction.step({})
        return names

    assert order(1) == order(1)
    assert len({tuple(order(1)), tuple(order(2)), tuple(order(1, period=2))}) == 3


def test_a_forfeited_turn_counts_and_places_nothing():
    """A trader who fails to quote leaves the book as it was."""
    auction = DoubleAuction(PAIR, quotes=3)
    assert auction.step({}) == {}
    assert auction.latest.placement is None
    assert auction.best == BestPrices(bid=None, ask=None)


def test_an_impossible_price_is_refused():
    """The error names the trader, the price and the range."""
    auction = DoubleAuction(PAIR)
    (name,) = auction.observe()
    with pytest.raises(ValueError, match=f"{name} quoted 201; prices range from 1 to 200"):
        auction.step({name: Quote(price=201)})


def test_a_period_has_quotes():
    """A period without any is a mistake."""
    with pytest.raises(ValueError, match="at least one quote, got 0"):
        DoubleAuction(PAIR, quotes=0)


def test_a_market_without_gains_is_efficient_while_nobody_loses():
    """Dividing by a surplus of nothing is avoided."""
    auction = DoubleAuction(Market(name="dead", values=((10,),), costs=((90,),)), quotes=20)
    assert efficiency(auction) == 1.0
    run(auction, lambda _: 50)
    assert (auction.surplus, efficiency(auction)) == (-80, 0.0)


@given(st.integers(0, 2**32), st.sampled_from(market_names()), st.booleans())
def test_the_rewards_are_the_surplus_and_never_exceed_the_greatest(seed, name, constrained):
    """Prices only move money: profits sum up to values less costs, and nobody has over-traded."""
    market = find_market(name, seed)
    auction = DoubleAuction(market, quotes=150)
    units = {endowment.name: endowment for endowment in market.endowments()}
    draw = Random(seed)

    def price_of(trader):
        if not constrained:
            return draw.randint(1, 200)
        own = units[trader]
        unit = own.units[sum(trader in (trade.buyer, trade.seller) for trade in auction.trades)]
        return draw.randint(1, unit) if own.side == "buyer" else draw.randint(unit, 200)

    rewards = run(auction, price_of, seed)
    assert sum(rewards.values()) == auction.surplus <= equilibrium(market).surplus
    assert not constrained or min(rewards.values(), default=0) >= 0


@pytest.mark.anyio
async def test_the_period_is_played_like_any_environment():
    """Plain functions can trade: `play` needs no actors and no models."""

    async def fair(_):
        return Quote(price=60)

    auction = DoubleAuction(PAIR, quotes=50)
    episode = await play(auction, {"buyer-1": fair, "seller-1": fair}, seed=4)
    assert episode.status == "completed"
    assert episode.rewards == {"buyer-1": 70, "seller-1": 70}
