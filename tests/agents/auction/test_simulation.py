"""The whole market: actors, messages, models and what happens when these fail."""

import json
from collections import Counter

import anyio
import pytest

from callboard.agents.auction.market import Market
from callboard.agents.auction.named_markets import find_market
from callboard.agents.auction.plan import AuctionPlan
from callboard.agents.auction.simulation import run_auction
from callboard.agents.timeline.recording import record_timeline
from callboard.backends.default_stack import default_stack
from callboard.backends.errors import ConnectionFailedError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.messages import AssistantMessage, ToolCall, ToolMessage
from callboard.backends.random_backend import RandomBackend

pytestmark = pytest.mark.anyio

EXPECTED = [(47, 82, 108, 131, 122), (120, 79, 67, 107, 90, 129, 92)]
"""The prices of `plan()` with random quotes, written down once."""

PAIR = Market(name="pair", values=((100, 90),), costs=((20, 30),))


def plan(**changes):
    values = {"market": find_market("classic"), "periods": 2, "quotes": 60, "seed": 3}
    return AuctionPlan(**{**values, **changes})


def answering(price_of):
    """A backend that quotes `price_of(request)`, or raises."""
    return FunctionBackend(lambda request: {"price": price_of(request)})


async def test_the_same_seed_gives_the_same_prices():
    """On whichever loop: this table was written down once, and holds for all of them."""
    result = await run_auction(plan(), RandomBackend(seed=3))
    again = await run_auction(plan(), RandomBackend(seed=3))
    assert [period.prices for period in result.periods] == EXPECTED
    assert result == again


async def test_another_seed_gives_other_prices():
    """The seed is what decides."""
    result = await run_auction(plan(seed=4), RandomBackend(seed=4))
    assert [period.prices for period in result.periods] != EXPECTED


async def test_periods_begin_with_full_endowments():
    """Each period of a pair that always agrees trades both of its units again."""
    fair = answering(lambda _: 60)
    result = await run_auction(plan(market=PAIR, periods=3), fair)
    assert [period.prices for period in result.periods] == [(60, 60)] * 3
    assert [period.efficiency for period in result.periods] == [1.0] * 3


async def test_a_trader_is_bounded_by_its_current_unit():
    """After the first trade the bound moves on to the second unit's value."""
    seen = set()

    def price(request):
        schema = request.response_format.schema
        seen.add((request.output.__name__, schema["properties"]["price"]["maximum"]))
        return 60

    await run_auction(plan(market=PAIR, periods=1), answering(price))
    assert {high for title, high in seen if title == "Bid"} == {100, 90}
    assert {high for title, high in seen if title == "Ask"} == {200}


async def test_failed_quotes_are_counted_and_the_run_goes_on():
    """Every third call fails; the market still trades."""
    calls = Counter()

    def price(_):
        calls["made"] += 1
        if calls["made"] % 3 == 0:
            raise ConnectionFailedError("no route to the model", retryable=False)
        return 60

    result = await run_auction(plan(market=PAIR, periods=4, quotes=6), answering(price))
    assert result.failures == calls["made"] // 3 > 0
    assert result.quotes == calls["made"]
    assert result.trades > 0
    assert not result.aborted


async def test_a_run_is_given_up_when_nothing_but_failures_comes():
    """A dead endpoint costs a dozen failures and no more, and its error is kept."""

    def price(_):
        raise ConnectionFailedError("no route to the model", retryable=False)

    result = await run_auction(plan(patience=12), answering(price))
    (period,) = result.periods
    assert (period.status, period.failures, period.trades) == ("aborted", 12, 0)
    assert isinstance(period.last_error, ConnectionFailedError)
    assert result.aborted
    assert result.mean_price is None


async def test_an_impossible_price_is_a_failure_and_no_trade():
    """A model that ignores its budget fails validation; it never gets to trade at a loss."""
    stack = default_stack(answering(lambda _: 0), max_retries=0)
    result = await run_auction(plan(patience=3), stack)
    assert (result.failures, result.trades) == (3, 0)


async def test_the_best_quotes_reach_the_model_through_the_auctioneer():
    """A tool call in the middle of a quote asks the auctioneer, who is waiting for that quote."""
    told = []

    async def answer(request):
        last = request.messages[-1]
        if not isinstance(last, ToolMessage):
            call = ToolCall(id="1", name="best_quotes", arguments="{}")
            return AssistantMessage(tool_calls=(call,))
        told.append(json.loads(last.content))
        bids = request.output.__name__ == "Bid"
        return {"price": 50 if bids else 70}

    result = await run_auction(plan(market=PAIR, periods=1, quotes=8), FunctionBackend(answer))
    assert result.failures == 0
    assert told[0] == {"bid": None, "ask": None}
    assert told[-1] == {"bid": 50, "ask": 70}


async def test_traders_hear_of_every_trade_and_of_their_own_refusals():
    """Each trade is told to all, each refusal to its maker."""
    with record_timeline() as timeline:
        traced = plan(tracer_provider=timeline.tracer_provider)
        result = await run_auction(traced, RandomBackend(seed=3))
    said = Counter(message.type for message in timeline.recorded.messages)
    marks = Counter(point.series for point in timeline.recorded.points)
    assert said["UnitTraded"] == 12 * result.trades == 12 * marks["trade"]
    assert said["QuoteRefused"] == marks["refused"]
    assert said["QuoteStands"] == marks["bid"] + marks["ask"]
    assert said["RequestQuote"] == result.quotes
    assert said["PeriodOpened"] == 24


async def test_progress_is_told_after_every_quote():
    """The watcher sees every quote of every period, and the last one agrees with the result."""
    seen = []
    result = await run_auction(plan(), RandomBackend(seed=3), on_quote=seen.append)
    assert [(now.period, now.quotes) for now in seen] == [
        (period.period, number + 1) for period in result.periods for number in range(period.quotes)
    ]
    assert seen[-1].efficiency == result.periods[-1].efficiency
    assert seen[-1].trades == result.periods[-1].trades


async def test_the_guard_ends_a_period_whose_model_hangs():
    """The deadline is for models that never answer; the run reports it and goes on."""

    async def answer(_):
        await anyio.sleep_forever()

    result = await run_auction(
        plan(periods=1, period_timeout=0.2, quotes=5), FunctionBackend(answer)
    )
    (period,) = result.periods
    assert period.status in ("timeout", "aborted")
    assert period.trades == 0


def test_a_plan_has_periods_and_quotes():
    """A run of nothing is a mistake."""
    with pytest.raises(ValueError, match="0 periods of 60 quotes"):
        plan(periods=0)
