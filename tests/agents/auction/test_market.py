"""Markets: what they accept, and where supply and demand cross."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.auction.equilibrium import equilibrium
from callboard.agents.auction.market import Market
from callboard.agents.auction.named_markets import find_market, market_names, random_market

PRICES = st.integers(1, 20)


def ladders(*, falling: bool) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    units = st.lists(PRICES, min_size=1, max_size=3)
    ordered = units.map(lambda prices: tuple(sorted(prices, reverse=falling)))
    return st.lists(ordered, min_size=1, max_size=2).map(tuple)


MARKETS = st.builds(
    Market,
    name=st.just("drawn"),
    values=ladders(falling=True),
    costs=ladders(falling=False),
    ceiling=st.just(20),
)


@given(MARKETS)
def test_no_set_of_trades_beats_the_equilibrium_surplus(market):
    """Brute force over every set of bought and of sold units finds the same greatest surplus."""
    values = [value for units in market.values for value in units]
    costs = [cost for units in market.costs for cost in units]
    sizes = range(min(len(values), len(costs)) + 1)
    greatest = max(
        max(map(sum, combinations(values, size))) - min(map(sum, combinations(costs, size)))
        for size in sizes
    )
    assert equilibrium(market).surplus == greatest


@given(MARKETS)
def test_exactly_the_prices_of_the_equilibrium_clear_the_market(market):
    """At a clearing price, nobody who gains is left out on either side."""
    found = equilibrium(market)
    clearing = [
        price
        for price in range(market.floor, market.ceiling + 1)
        if market.demand(price + 0.5) <= market.supply(price)
        and market.supply(price - 0.5) <= market.demand(price)
    ]
    assert clearing == list(range(found.low, found.high + 1))
    assert found.low <= found.price <= found.high


@given(MARKETS)
def test_the_equilibrium_quantity_is_all_that_can_be_traded_at_its_price(market):
    """Exactly as many units as both sides are willing to trade at a clearing price."""
    found = equilibrium(market)
    for price in (found.low, found.high):
        assert found.quantity == min(market.demand(price), market.supply(price))


@pytest.mark.parametrize("name", market_names())
def test_named_markets_have_twelve_traders_and_something_to_gain(name):
    """Every market of the demo has six buyers, six sellers, three units each and a crossing."""
    market = find_market(name)
    traders = list(market.endowments())
    assert [trader.side for trader in traders] == ["buyer"] * 6 + ["seller"] * 6
    assert {len(trader.units) for trader in traders} == {3}
    assert (market.name, market.floor, market.ceiling) == (name, 1, 200)
    found = equilibrium(market)
    assert 0 < found.quantity < 18
    assert found.surplus > 0


def test_a_random_market_comes_from_its_seed():
    """The same seed draws the same market, another seed another one."""
    assert random_market(3) == random_market(3) == find_market("random", 3)
    assert random_market(3) != random_market(4)


def test_an_unknown_market_is_refused_with_the_known_names():
    """The error lists what there is."""
    with pytest.raises(ValueError, match=r"no market is named 'x'; there are classic, .*random"):
        find_market("x")


@pytest.mark.parametrize(
    ("values", "costs", "says"),
    [
        ((), ((5,),), "at least one buyer"),
        (((5,),), (), "at least one buyer and one seller"),
        (((),), ((5,),), "buyer-1 has no units"),
        (((5, 6),), ((5,),), "buyer-1's units .* out of order"),
        (((5,),), ((5,), (6, 5)), "seller-2's units .* out of order"),
        (((201,),), ((5,),), "leave the range"),
        (((5,),), ((0,),), "leave the range"),
    ],
)
def test_an_impossible_market_is_refused(values, costs, says):
    """Empty sides, unordered units and impossible prices are named in the error."""
    with pytest.raises(ValueError, match=says):
        Market(name="bad", values=values, costs=costs)


def test_prices_range_upwards():
    """A market whose highest price is below its lowest has no prices at all."""
    with pytest.raises(ValueError, match="range upwards"):
        Market(name="bad", values=((5,),), costs=((5,),), floor=9, ceiling=9)
