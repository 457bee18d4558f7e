"""The markets that have names, and random ones.

Each has six buyers and six sellers with three units each and prices from 1 to 200, and each asks
something else of its traders: where the crossing lies, and how steep the two sides run into it.
"""

from random import Random

from callboard.agents.auction.market import Market

DEFAULT_MARKET = "classic"

RANDOM_MARKET = "random"
"""The name under which a market is drawn from the seed."""

_MARKETS = {
    market.name: market
    for market in (
        Market(
            name="classic",
            values=(
                *((180, 150, 98), (172, 146, 94), (165, 140, 90)),
                *((160, 136, 86), (156, 132, 82), (152, 124, 78)),
            ),
            costs=(
                *((40, 80, 128), (48, 84, 132), (54, 90, 136)),
                *((60, 96, 140), (66, 102, 144), (72, 110, 148)),
            ),
        ),
        Market(
            name="symmetric",
            values=(
                *((180, 130, 105), (170, 125, 100), (160, 120, 95)),
                *((155, 118, 85), (145, 112, 75), (135, 108, 65)),
            ),
            costs=(
                *((20, 70, 95), (30, 75, 100), (40, 80, 105)),
                *((45, 82, 115), (55, 88, 125), (65, 92, 135)),
            ),
        ),
        Market(
            name="flat-supply",
            values=(
                *((190, 140, 75), (180, 130, 70), (170, 120, 60)),
                *((160, 110, 50), (150, 100, 45), (145, 90, 40)),
            ),
            costs=(
                *((70, 78, 84), (71, 79, 85), (72, 80, 86)),
                *((74, 81, 87), (75, 82, 88), (76, 83, 90)),
            ),
        ),
        Market(
            name="flat-demand",
            values=(
                *((130, 122, 116), (129, 121, 115), (128, 120, 114)),
                *((126, 119, 113), (125, 118, 112), (124, 117, 110)),
            ),
            costs=(
                *((10, 60, 125), (20, 70, 130), (30, 80, 140)),
                *((40, 90, 150), (50, 100, 155), (55, 110, 160)),
            ),
        ),
        Market(
            name="scarce",
            values=(
                *((190, 160, 130), (185, 155, 125), (180, 150, 120)),
                *((175, 145, 110), (170, 140, 100), (165, 135, 90)),
            ),
            costs=(
                *((30, 90, 160), (45, 100, 165), (60, 110, 170)),
                *((70, 150, 175), (80, 155, 180), (85, 158, 190)),
            ),
        ),
    )
}


def market_names() -> tuple[str, ...]:
    """Return the names that `find_market` knows, `random` at the end."""
    return (*_MARKETS, RANDOM_MARKET)


def find_market(name: str, seed: int = 0) -> Market:
    """Return the market of that name; `random` draws one from the seed.

    Raises:
        ValueError: If no market has that name; the message lists those that there are.
    """
    if name == RANDOM_MARKET:
        return random_market(seed)
    if name not in _MARKETS:
        raise ValueError(f"no market is named {name!r}; there are {', '.join(market_names())}")
    return _MARKETS[name]


def random_market(
    seed: int,
    *,
    buyers: int = 6,
    sellers: int = 6,
    units: int = 3,
    floor: int = 1,
    ceiling: int = 200,
) -> Market:
    """Draw a market: values from the upper three quarters of the prices, costs from the lower.

    The two ranges overlap, so that some units gain from trade and some must not be traded.

    Args:
        seed: The same seed gives the same market.
        buyers: How many of them.
        sellers: How many of them.
        units: How many units each of them has.
        floor: The lowest price.
        ceiling: The highest price.
    """
    draw = Random(f"market/{seed}")  # noqa: S311 - a reproducible draw is the point
    margin = (ceiling - floor) // 4
    return Market(
        name=RANDOM_MARKET,
        values=tuple(
            tuple(
                sorted((draw.randint(floor + margin, ceiling) for _ in range(units)), reverse=True)
            )
            for _ in range(buyers)
        ),
        costs=tuple(
            tuple(sorted(draw.randint(floor, ceiling - margin) for _ in range(units)))
            for _ in range(sellers)
        ),
        floor=floor,
        ceiling=ceiling,
    )
