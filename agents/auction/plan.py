"""AuctionPlan: everything that decides a run, besides the model."""

from dataclasses import dataclass

from opentelemetry.trace import TracerProvider

from callboard.agents.auction.market import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionPlan:
    """Which market, which traders, how long; with the model's answers it decides the run."""

    market: Market
    constrained: bool = True
    """Whether quotes are bound by the budget constraint."""
    periods: int = 5
    """Each begins with the full endowments."""
    quotes: int = 500
    """How many of them end a period."""
    seed: int = 0
    """Decides whose turn it is."""
    patience: int = 12
    """After so many failed quotes in a row the run is given up."""
    period_timeout: float = 3600.0
    """Seconds for a period: a guard, not a rule of the market."""
    name: str = ""
    """What the run is called on the timeline."""
    tracer_provider: TracerProvider | None = None
    """Where spans go; None records no messages."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: If there are to be no periods or no quotes.
        """
        if self.periods < 1 or self.quotes < 1:
            raise ValueError(
                "an auction has at least one period and one quote, "
                f"got {self.periods} periods of {self.quotes} quotes"
            )
