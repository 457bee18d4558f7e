"""What came of an auction: a period's figures, and a whole run's."""

from dataclasses import dataclass
from statistics import fmean

from callboard.agents.auction.double_auction import DoubleAuction
from callboard.agents.auction.equilibrium import Equilibrium, equilibrium
from callboard.agents.auction.market import Market
from callboard.agents.episode import EpisodeStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodResult:
    """One period's figures."""

    period: int
    status: EpisodeStatus
    quotes: int
    """Requested from traders, the failed ones included."""
    failures: int
    """Quotes that never came: the model call failed."""
    prices: tuple[int, ...]
    """Of each trade, in order."""
    surplus: int
    """What the traders earned together."""
    efficiency: float
    """The surplus as a part of the greatest one; below 0 if the traders lost more than they won."""
    last_error: Exception | None = None
    """What the latest failed quote failed of."""

    @property
    def trades(self) -> int:
        """How many units changed hands."""
        return len(self.prices)

    @property
    def mean_price(self) -> float | None:
        """Over the trades; None without any."""
        return fmean(self.prices) if self.prices else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionResult:
    """A run's figures: some periods of one market with one kind of trader."""

    market: Market
    constrained: bool
    """Whether quotes were bound by the budget constraint."""
    periods: tuple[PeriodResult, ...]

    @property
    def equilibrium(self) -> Equilibrium:
        """What the market would do at the price that clears it."""
        return equilibrium(self.market)

    @property
    def trades(self) -> int:
        """Units that changed hands in all periods."""
        return sum(period.trades for period in self.periods)

    @property
    def quotes(self) -> int:
        """Quotes requested in all periods."""
        return sum(period.quotes for period in self.periods)

    @property
    def failures(self) -> int:
        """Quotes that never came, in all periods."""
        return sum(period.failures for period in self.periods)

    @property
    def fatal_error(self) -> Exception | None:
        """What the last quote failed of, if not a single one came; None otherwise."""
        if not self.periods or self.failures < self.quotes:
            return None
        return self.periods[-1].last_error

    @property
    def mean_price(self) -> float | None:
        """Over all trades; None without any."""
        prices = [price for period in self.periods for price in period.prices]
        return fmean(prices) if prices else None

    @property
    def efficiency(self) -> float | None:
        """The mean over the periods; None without any."""
        return fmean(period.efficiency for period in self.periods) if self.periods else None

    @property
    def aborted(self) -> bool:
        """Whether the run was given up because its traders kept failing to quote."""
        return any(period.status == "aborted" for period in self.periods)


def efficiency(auction: DoubleAuction) -> float:
    """Return the part of the greatest possible surplus that was realised so far.

    A market without anything to gain is efficient as long as nobody loses.
    """
    greatest = equilibrium(auction.market).surplus
    if greatest == 0:
        return 1.0 if auction.surplus == 0 else 0.0
    return auction.surplus / greatest
