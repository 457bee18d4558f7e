"""Supervision decides purely: tables and properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.runtime.supervision import Backoff, Restart, Supervision, decide


@pytest.mark.parametrize(
    ("restart", "failures", "now", "action"),
    [
        ("permanent", (), 0.0, "restart"),
        ("transient", (), 0.0, "restart"),
        ("temporary", (), 0.0, "stop"),
        ("permanent", (1.0, 2.0), 3.0, "restart"),
        ("permanent", (1.0, 2.0, 3.0), 4.0, "escalate"),
        ("transient", (1.0, 2.0, 3.0), 4.0, "escalate"),
        ("temporary", (1.0, 2.0, 3.0), 4.0, "stop"),
        ("permanent", (1.0, 2.0, 3.0), 6.0, "restart"),  # the first has just left the period
        ("permanent", (1.0, 2.0, 3.0), 5.9, "escalate"),
    ],
)
def test_table(restart: Restart, failures: tuple[float, ...], now: float, action: str) -> None:
    """Three restarts within five seconds; what follows depends on the kind of the actor."""
    decision = decide(
        restart=restart, supervision=Supervision(), failures=failures, now=now, chance=0.0
    )
    assert decision.action == action


@given(
    st.lists(st.floats(0, 1000), max_size=50).map(sorted),
    st.integers(0, 5),
    st.floats(0.1, 100),
)
def test_never_more_restarts_than_allowed(times: list[float], most: int, period: float) -> None:
    """No window of the period ever holds more than max_restarts restarts."""
    terms = Supervision(max_restarts=most, period=period)
    failures: tuple[float, ...] = ()
    restarts: list[float] = []
    for now in times:
        decision = decide(
            restart="permanent", supervision=terms, failures=failures, now=now, chance=0.5
        )
        failures = decision.failures
        if decision.action == "escalate":
            break
        restarts.append(now)
        assert sum(at > now - period for at in restarts) <= most


@given(
    st.integers(1, 5000),
    st.floats(0, 10),
    st.floats(1, 10),
    st.floats(0, 1),
    st.floats(0, 1, exclude_max=True),
)
def test_backoff_stays_in_bounds(
    attempt: int, initial: float, factor: float, jitter: float, chance: float
) -> None:
    """A wait is never negative, never above the maximum, and jitter only shortens it."""
    backoff = Backoff(initial=initial, factor=factor, maximum=30.0, jitter=jitter)
    full = backoff.delay(attempt, 0.0)
    assert 0 <= backoff.delay(attempt, chance) <= full <= 30.0
    assert backoff.delay(attempt + 1, 0.0) >= full


@pytest.mark.parametrize(
    "make",
    [
        lambda: Supervision(max_restarts=-1),
        lambda: Supervision(period=0),
        lambda: Supervision("all_for_one"),  # type: ignore[arg-type]
        lambda: Backoff(initial=-1),
        lambda: Backoff(factor=0.5),
        lambda: Backoff(jitter=2),
        lambda: Backoff(initial=5, maximum=1),
    ],
)
def test_rejects_nonsense(make: object) -> None:
    """Terms that cannot be met are refused where they are written."""
    with pytest.raises(ValueError):  # noqa: PT011  each has a message of its own
        make()  # type: ignore[operator]
