"""The order book: improvement, crossing, clearing."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from callboard.agents.auction.book import Improved, OrderBook, Refused, Standing, Trade

PRICES = st.integers(1, 30)


def test_a_crossing_bid_trades_at_the_price_of_the_standing_ask():
    """Whoever stood first decides the price."""
    book = OrderBook()
    assert book.place("seller", "s", 40) == Improved(price=40)
    assert book.place("buyer", "b", 70) == Trade(buyer="b", seller="s", price=40)


def test_a_crossing_ask_trades_at_the_price_of_the_standing_bid():
    """The same holds for the other side."""
    book = OrderBook()
    book.place("buyer", "b", 70)
    assert book.place("seller", "s", 40) == Trade(buyer="b", seller="s", price=70)


def test_an_equal_quote_of_the_other_side_trades():
    """A bid that equals the ask is willing to pay it."""
    book = OrderBook()
    book.place("seller", "s", 40)
    assert book.place("buyer", "b", 40) == Trade(buyer="b", seller="s", price=40)


def test_an_equal_quote_of_the_same_side_is_refused():
    """Improving means beating; the first one stands."""
    book = OrderBook()
    book.place("buyer", "first", 40)
    assert book.place("buyer", "second", 40) == Refused(price=40, best=40)
    assert book.bid == Standing(trader="first", price=40)


@given(st.lists(st.tuples(st.sampled_from(["buyer", "seller"]), PRICES)))
def test_every_trade_suits_both_quotes(quotes):
    """A trade's price never exceeds the bid and never falls below the ask that made it."""
    book = OrderBook()
    for side, price in quotes:
        bid, ask = book.bid, book.ask
        placed = book.place(side, side, price)
        if isinstance(placed, Trade):
            paid = price if side == "buyer" else bid.price
            asked = price if side == "seller" else ask.price
            assert asked <= placed.price <= paid
            assert placed.price == (ask if side == "buyer" else bid).price


class Book(RuleBasedStateMachine):
    """The book against a list of all quotes since the last trade."""

    def __init__(self):
        super().__init__()
        self.book = OrderBook()
        self.bids: list[int] = []
        self.asks: list[int] = []

    @rule(price=PRICES)
    def bid(self, price):
        """A bid trades if any ask is low enough, stands if it is the highest, else is refused."""
        placed = self.book.place("buyer", "b", price)
        if self.asks and price >= min(self.asks):
            assert placed == Trade(buyer="b", seller="s", price=min(self.asks))
            self.bids, self.asks = [], []
        elif self.bids and price <= max(self.bids):
            assert placed == Refused(price=price, best=max(self.bids))
        else:
            assert placed == Improved(price=price)
            self.bids.append(price)

    @rule(price=PRICES)
    def ask(self, price):
        """The mirror image."""
        placed = self.book.place("seller", "s", price)
        if self.bids and price <= max(self.bids):
            assert placed == Trade(buyer="b", seller="s", price=max(self.bids))
            self.bids, self.asks = [], []
        elif self.asks and price >= min(self.asks):
            assert placed == Refused(price=price, best=min(self.asks))
        else:
            assert placed == Improved(price=price)
            self.asks.append(price)

    @rule()
    def clear(self):
        """Nothing stands any more."""
        self.book.clear()
        self.bids, self.asks = [], []

    @invariant()
    def best_quotes_do_not_cross(self):
        """The book holds the best of each side, and the bid is below the ask."""
        bid, ask = self.book.bid, self.book.ask
        assert (bid and bid.price) == max(self.bids, default=None)
        assert (ask and ask.price) == min(self.asks, default=None)
        assert bid is None or ask is None or bid.price < ask.price


TestBook = Book.TestCase
