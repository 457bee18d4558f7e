"""What a failure leads to: pure decisions, no clocks and no tasks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")

Restart = Literal["permanent", "transient", "temporary"]
"""Whether an actor that fails starts anew: permanent and transient do, temporary does not.

An actor that is stopped stays stopped, whatever its kind."""

Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]
"""Whom a restart touches: the failed actor, all its siblings, or those started after it.

The touched stop in reverse order of their start, one after the other, and start in order. The two
group strategies count the failures of all siblings together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waiting times before restarts: exponential, with jitter."""

    initial: float = 0.1
    """Seconds before the first restart, and again after a stable period."""
    factor: float = 2.0
    """Growth from one restart to the next."""
    maximum: float = 30.0
    """Seconds that no wait exceeds."""
    jitter: float = 0.5
    """Share of the wait that chance may take away, 0 to 1."""
    reset_after: float = 60.0
    """Seconds without a failure since the last restart after which the waits start anew."""

    def __post_init__(self) -> None:
        if not (self.initial >= 0 and self.factor >= 1 and self.maximum >= self.initial):
            raise ValueError(f"need initial >= 0, factor >= 1, maximum >= initial, got {self}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter must lie between 0 and 1, got {self.jitter!r}")
        if not self.reset_after >= 0:
            raise ValueError(f"reset_after must be seconds >= 0, got {self.reset_after!r}")

    def delay(self, attempt: int, chance: float) -> float:
        """Return the seconds to wait.

        Args:
            attempt: 1 for the first restart, or the first after a stable period.
            chance: A draw from [0, 1).
        """
        # The exponent is capped: 2.0**2000 overflows, and the maximum rules long before.
        full = min(self.maximum, self.initial * self.factor ** min(attempt - 1, 256))
        return full * (1 - self.jitter * chance)


@dataclass(frozen=True, slots=True)
class Supervision:
    """How failures of an actor, and of the children that bring no terms of their own, are met."""

    strategy: Strategy = "one_for_one"
    """Whom a restart touches."""
    max_restarts: int = 3
    """Restarts allowed within the period; one failure more escalates to the parent."""
    period: float = 5.0
    """Seconds over which failures are counted."""
    backoff: Backoff | None = None
    """Waiting times before restarts; None restarts at once."""

    def __post_init__(self) -> None:
        if self.strategy not in ("one_for_one", "one_for_all", "rest_for_one"):
            raise ValueError(f"unknown supervision strategy {self.strategy!r}")
        if self.max_restarts < 0 or not self.period > 0:
            raise ValueError(f"need max_restarts >= 0 and period > 0, got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What supervision remembers about an actor."""

    failures: tuple[float, ...] = ()
    """Times of the failures that still count, oldest first."""
    attempt: int = 0
    """Restarts in a row, without a stable period in between."""
    up_since: float = math.inf
    """When the last restart was complete; infinite if it never was."""


FRESH = History()
"""The history of an actor that has not failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do about one failure."""

    action: Literal["restart", "stop", "escalate"]
    """Start anew, stop for good, or stop and fail the parent."""
    history: History
    """What to remember, this failure included."""
    delay: float = 0.0
    """Seconds to wait before the restart."""


def decide(
    *, restart: Restart, supervision: Supervision, history: History, now: float, chance: float
) -> Decision:
    """Decide what a failure leads to.

    Args:
        restart: The kind of the actor that failed.
        supervision: The terms that it is supervised on.
        history: What is remembered about it.
        now: Time of this failure, on the same clock.
        chance: A draw from [0, 1) for the jitter.
    """
    if restart == "temporary":
        return Decision(action="stop", history=history)
    recent = (*(at for at in history.failures if at > now - supervision.period), now)
    backoff = supervision.backoff
    stable = backoff is not None and now - history.up_since >= backoff.reset_after
    attempt = 1 if stable else history.attempt + 1
    remembered = History(failures=recent, attempt=attempt)
    if len(recent) > supervision.max_restarts:
        return Decision(action="escalate", history=remembered)
    delay = 0.0 if backoff is None else backoff.delay(attempt, chance)
    return Decision(action="restart", history=remembered, delay=delay)


def touched(strategy: Strategy, family: Sequence[T], failed: T) -> Sequence[T]:
    """Return whom the restart of one of a family touches, itself included, oldest first.

    Args:
        strategy: The strategy of the one that failed.
        family: The failed one and its siblings, oldest first.
        failed: The one that failed.
    """
    match strategy:
        case "one_for_one":
            return [failed]
        case "one_for_all":
            return family
        case "rest_for_one":
            return family[family.index(failed) :]
