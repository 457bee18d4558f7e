"""Whether a failed attempt is tried again, and when: a decision without clock, dice or network."""

from dataclasses import dataclass

from callboard.backends.errors import BackendError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLimits:
    """What Retry may do; see `callboard.backends.middleware.retry.Retry` for the words."""

    max_retries: int = 2
    base: float = 0.5
    cap: float = 8.0
    max_retry_after: float = 60.0

    def __post_init__(self) -> None:
        """Refuse numbers that would wait for ever or backwards.

        Raises:
            ValueError: If one of them is negative or not a number.
        """
        for name in ("max_retries", "base", "cap", "max_retry_after"):
            if not (value := getattr(self, name)) >= 0:
                raise ValueError(f"{name} must be a number >= 0, got {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDecision:
    """What to do after a failed attempt."""

    retry: bool
    delay: float = 0.0
    """Seconds to wait before the next attempt."""
    reason: str = ""
    """Why there is no further attempt, where the error alone does not say it."""


def decide_retry(
    error: BackendError,
    *,
    attempt: int,
    delta_seen: bool,
    time_left: float,
    jitter: float,
    limits: RetryLimits,
) -> RetryDecision:
    """Decide what follows a failed attempt.

    The wait is drawn from the whole of `[0, min(cap, base * 2**(attempt - 1))]` ("full jitter",
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and begins where the
    server's Retry-After ends.

    Args:
        error: What the attempt failed with.
        attempt: Its number, from 1.
        delta_seen: Whether a piece of the answer has reached the caller.
        time_left: Seconds until the deadline, `math.inf` without one.
        jitter: Drawn uniformly from [0, 1).
        limits: What is allowed.
    """
    if not error.retryable:
        return RetryDecision(retry=False)
    if attempt > limits.max_retries:
        return RetryDecision(retry=False, reason=f"max_retries is {limits.max_retries}")
    if delta_seen:
        return RetryDecision(
            retry=False, reason="a part of the answer has already been handed to the sink"
        )
    asked = max(0.0, error.retry_after or 0.0)
    if asked > limits.max_retry_after:
        return RetryDecision(
            retry=False,
            reason=f"the server asks to wait {asked:g} s, and max_retry_after is "
            f"{limits.max_retry_after:g} s",
        )
    delay = asked + jitter * _backoff(attempt, limits)
    if delay >= time_left:
        return RetryDecision(
            retry=False,
            reason=f"the next attempt was due in {delay:.3g} s, and the deadline is in "
            f"{time_left:.3g} s",
        )
    return RetryDecision(retry=True, delay=delay)


def _backoff(attempt: int, limits: RetryLimits) -> float:
    # 2.0**1024 overflows; the cap is reached long before.
    return min(limits.cap, limits.base * 2.0 ** min(attempt - 1, 60))
