"""The budget constraint as a schema."""

import pytest
from pydantic import ValidationError

from callboard.agents.auction.briefing import instructions, prompt
from callboard.agents.auction.budget import PriceRange, price_range, quote_type
from callboard.agents.auction.market import Endowment
from callboard.agents.auction.named_markets import find_market

MARKET = find_market("classic")
BUYER = Endowment(name="buyer-1", side="buyer", units=(180, 150, 98))
SELLER = Endowment(name="seller-1", side="seller", units=(40, 80, 128))


@pytest.mark.parametrize(
    ("side", "constrained", "low", "high"),
    [
        ("buyer", True, 1, 120),
        ("seller", True, 120, 200),
        ("buyer", False, 1, 200),
        ("seller", False, 1, 200),
    ],
)
def test_a_constrained_trader_cannot_quote_at_a_loss(side, constrained, low, high):
    """Bids end at the value, asks begin at the cost; without the constraint all prices go."""
    prices = price_range(MARKET, side, 120, constrained=constrained)
    assert prices == PriceRange(low=low, high=high)


@pytest.mark.parametrize(("side", "name"), [("buyer", "Bid"), ("seller", "Ask")])
def test_the_bounds_stand_in_the_schema(side, name):
    """The model sees them, and the server can enforce them."""
    schema = quote_type(side, PriceRange(low=7, high=9)).model_json_schema()
    assert schema["title"] == name
    assert schema["properties"]["price"]["minimum"] == 7
    assert schema["properties"]["price"]["maximum"] == 9
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("price", [6, 10, 7.5, "cheap", None])
def test_a_price_out_of_bounds_is_no_quote(price):
    """Whatever the server lets through is validated here."""
    with pytest.raises(ValidationError):
        quote_type("buyer", PriceRange(low=7, high=9)).model_validate({"price": price})


def test_the_same_bounds_are_the_same_type():
    """Making a model costs far more than a quote does."""
    bounds = PriceRange(low=1, high=50)
    assert quote_type("buyer", bounds) is quote_type("buyer", PriceRange(low=1, high=50))
    assert quote_type("buyer", bounds) is not quote_type("seller", bounds)


def test_a_trader_is_told_its_own_side_of_the_institution():
    """Instructions name the trader, what it quotes and the tool; nobody else's values."""
    assert "You are buyer-1, a buyer" in instructions(BUYER)
    assert "higher than the best standing bid is refused" not in instructions(SELLER)
    assert "best_quotes" in instructions(SELLER)
    assert "180" not in instructions(BUYER)


def test_a_prompt_tells_the_unit_the_bounds_and_what_happened():
    """The latest five trades and the last refusal are in it, earlier ones are not."""
    told = prompt(
        SELLER,
        1,
        PriceRange(low=80, high=200),
        trades=[101, 102, 103, 104, 105, 106],
        refusal="Your last ask of 150 was refused: the best ask was 140.",
    )
    assert told == (
        "Unit 2 of 3 costs you 80.\n"
        "You may ask any price from 80 to 200.\n"
        "Latest trades: 102, 103, 104, 105, 106.\n"
        "Your last ask of 150 was refused: the best ask was 140."
    )


def test_a_first_prompt_is_short():
    """Nothing has happened yet, so nothing is told."""
    told = prompt(BUYER, 0, PriceRange(low=1, high=180), trades=[], refusal="")
    assert told == "Unit 1 of 3 is worth 180 to you.\nYou may bid any price from 1 to 180."
