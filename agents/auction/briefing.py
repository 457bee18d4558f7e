"""What a trader tells its model: pure text, which a random policy ignores and a real one needs."""

from collections.abc import Sequence

from callboard.agents.auction.budget import PriceRange
from callboard.agents.auction.market import Endowment
from callboard.agents.auction.side import quote_kind

TRADES_TOLD = 5
"""How many of the latest trades a trader is reminded of."""


def instructions(endowment: Endowment) -> str:
    """Return the system message: the institution, and what this trader is after."""
    kind = quote_kind(endowment.side)
    buys = endowment.side == "buyer"
    profit = "your value of the unit minus the price" if buys else "the price minus your cost"
    better = "higher" if buys else "lower"
    other = "lowest ask" if buys else "highest bid"
    return (
        f"You are {endowment.name}, a {endowment.side} in a continuous double auction. "
        f"When it is your turn you quote one {kind}, a whole number. "
        f"Your profit on a unit is {profit}; earn as much as you can over all your units.\n"
        f"A {kind} that is not {better} than the best standing {kind} is refused. "
        f"A {kind} that reaches the {other} trades at once, at the price of that standing quote. "
        "After every trade all standing quotes are void. "
        "The tool best_quotes tells you which quotes stand."
    )


def prompt(
    endowment: Endowment, traded: int, prices: PriceRange, *, trades: Sequence[int], refusal: str
) -> str:
    """Return the user's message for one quote.

    Args:
        endowment: Whose turn it is.
        traded: How many units the trader has traded already.
        prices: What may be quoted.
        trades: Prices of this period's trades, the latest last.
        refusal: What became of the trader's quote before, empty if it was not refused.
    """
    buys = endowment.side == "buyer"
    unit = endowment.units[traded]
    worth = f"is worth {unit} to you" if buys else f"costs you {unit}"
    lines = [
        f"Unit {traded + 1} of {len(endowment.units)} {worth}.",
        f"You may {'bid' if buys else 'ask'} any price from {prices.low} to {prices.high}.",
    ]
    if trades:
        lines.append(f"Latest trades: {', '.join(map(str, trades[-TRADES_TOLD:]))}.")
    if refusal:
        lines.append(refusal)
    return "\n".join(lines)
