"""decide_retry(): the whole decision as a table."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.backends.errors import (
    AuthenticationError,
    BackendError,
    OverloadedError,
    RateLimitError,
)
from callboard.backends.retry_decision import RetryDecision, RetryLimits, decide_retry

DOWN = OverloadedError("down")
LIMITS = RetryLimits(max_retries=3, base=1.0, cap=8.0, max_retry_after=60.0)


def limited(retry_after: float) -> RateLimitError:
    return RateLimitError("slower", retry_after=retry_after)


def wait(delay: float) -> RetryDecision:
    return RetryDecision(retry=True, delay=delay)


@pytest.mark.parametrize(
    ("error", "attempt", "jitter", "expected"),
    [
        (DOWN, 1, 0.5, wait(0.5)),
        (DOWN, 2, 0.5, wait(1.0)),
        (DOWN, 3, 0.5, wait(2.0)),
        (DOWN, 1, 0.0, wait(0.0)),
        (limited(0.0), 1, 0.5, wait(0.5)),
        (limited(5.0), 1, 0.5, wait(5.5)),
        (limited(60.0), 2, 0.25, wait(60.5)),
        (limited(-3.0), 1, 0.5, wait(0.5)),
        (OverloadedError("no", retryable=False), 1, 0.5, RetryDecision(retry=False)),
        (AuthenticationError("no"), 1, 0.5, RetryDecision(retry=False)),
        (AuthenticationError("odd", retryable=True), 1, 0.5, wait(0.5)),
    ],
)
def test_waits_and_refusals(
    error: BackendError, attempt: int, jitter: float, expected: RetryDecision
) -> None:
    """Full jitter over a doubling span, on top of the server's Retry-After."""
    decision = decide_retry(
        error, attempt=attempt, delta_seen=False, time_left=math.inf, jitter=jitter, limits=LIMITS
    )
    assert decision == expected


@pytest.mark.parametrize(
    ("error", "attempt", "delta_seen", "time_left", "reason"),
    [
        (DOWN, 4, False, math.inf, "max_retries is 3"),
        (DOWN, 1, True, math.inf, "handed to the sink"),
        (DOWN, 1, False, 0.5, "the deadline is in 0.5 s"),
        (DOWN, 1, False, 0.0, "the deadline is in 0 s"),
        (limited(10.0), 1, False, 5.0, "due in 10.5 s"),
        (limited(61.0), 1, False, math.inf, "asks to wait 61 s"),
        (limited(math.inf), 1, False, math.inf, "asks to wait inf s"),
    ],
)
def test_reasons_to_stop(
    error: BackendError, attempt: int, delta_seen: bool, time_left: float, reason: str
) -> None:
    """Each says why, for the note on the error."""
    decision = decide_retry(
        error,
        attempt=attempt,
        delta_seen=delta_seen,
        time_left=time_left,
        jitter=0.5,
        limits=LIMITS,
    )
    assert not decision.retry
    assert reason in decision.reason


@given(
    attempt=st.integers(1, 10**6),
    jitter=st.floats(0, 1, exclude_max=True),
    base=st.floats(0, 1e6),
    cap=st.floats(0, 1e6),
    retry_after=st.none() | st.floats(allow_nan=False),
    time_left=st.floats(0, allow_nan=False),
)
def test_a_wait_is_finite_and_ends_before_the_deadline(
    attempt: int,
    jitter: float,
    base: float,
    cap: float,
    retry_after: float | None,
    time_left: float,
) -> None:
    """Whatever the numbers, nobody waits in vain, and never less than the server asked."""
    limits = RetryLimits(max_retries=10**6, base=base, cap=cap, max_retry_after=60.0)
    decision = decide_retry(
        RateLimitError("slower", retry_after=retry_after),
        attempt=attempt,
        delta_seen=False,
        time_left=time_left,
        jitter=jitter,
        limits=limits,
    )
    if decision.retry:
        assert 0 <= decision.delay < time_left
        assert max(0.0, retry_after or 0.0) <= decision.delay <= 60 + cap
    else:
        assert decision.reason


@pytest.mark.parametrize("name", ["max_retries", "base", "cap", "max_retry_after"])
@pytest.mark.parametrize("value", [-1, math.nan])
def test_limits_are_not_negative(name: str, value: float) -> None:
    """Nonsense is refused where it is written."""
    with pytest.raises(ValueError, match=f"{name} must be a number >= 0"):
        RetryLimits(**{name: value})
