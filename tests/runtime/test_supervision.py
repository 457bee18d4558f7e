"""Supervision decides purely: tables and properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.runtime.mailbox import MailboxOptions
from callboard.runtime.supervision import (
    FRESH,
    Backoff,
    History,
    Restart,
    Strategy,
    Supervision,
    decide,
    touched,
)
from callboard.runtime.terms import Shutdown, Terms


def _terms(shutdown: Shutdown = None, passivate_after: float | None = None) -> Terms:
    return Terms(
        mailbox=MailboxOptions(),
        restart="permanent",
        supervision=Supervision(),
        shutdown=shutdown,
        passivate_after=passivate_after,
    )


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
        restart=restart,
        supervision=Supervision(),
        history=History(failures=failures),
        now=now,
        chance=0.0,
    )
    assert decision.action == action


@pytest.mark.parametrize(
    ("attempt", "up_since", "now", "delay"),
    [
        (0, math.inf, 0.0, 1.0),  # the first failure of all
        (1, 100.0, 101.0, 2.0),
        (2, 100.0, 109.9, 4.0),  # not yet stable
        (2, 100.0, 110.0, 1.0),  # stable: the waits start anew
        (3, math.inf, 500.0, 8.0),  # never came up in between, however long that took
        (9, 100.0, 101.0, 20.0),  # the maximum
    ],
)
def test_backoff_grows_until_a_stable_period(
    attempt: int, up_since: float, now: float, delay: float
) -> None:
    """The waits double from restart to restart, and start anew after ten seconds without any."""
    terms = Supervision(
        max_restarts=99, backoff=Backoff(initial=1.0, maximum=20.0, jitter=0, reset_after=10.0)
    )
    history = History(attempt=attempt, up_since=up_since)
    decision = decide(restart="permanent", supervision=terms, history=history, now=now, chance=0.5)
    assert decision.delay == delay
    assert decision.history.up_since == math.inf


@pytest.mark.parametrize(
    ("strategy", "failed", "expected"),
    [
        ("one_for_one", "b", "b"),
        ("one_for_all", "b", "abcd"),
        ("rest_for_one", "a", "abcd"),
        ("rest_for_one", "b", "bcd"),
        ("rest_for_one", "d", "d"),
    ],
)
def test_strategies_touch(strategy: Strategy, failed: str, expected: str) -> None:
    """A strategy says which of the siblings restart, oldest first."""
    assert "".join(touched(strategy, "abcd", failed)) == expected


@pytest.mark.parametrize(
    ("shutdown", "allowed", "seconds", "last_chance"),
    [
        (None, 5.0, 5.0, 0.0),
        (2.0, 5.0, 2.0, 2.0),
        (9.0, 5.0, 5.0, 9.0),
        (0.0, 5.0, 0.0, 0.0),
        ("kill", 5.0, 0.0, 0.0),
        (2.0, 0.0, 0.0, 2.0),
    ],
)
def test_shutdown(shutdown: Shutdown, allowed: float, seconds: float, last_chance: float) -> None:
    """An actor never gets more than whoever ends it allows, nor more than it was spawned with."""
    terms = _terms(shutdown=shutdown)
    assert terms.patience(allowed) == seconds
    assert terms.last_chance == last_chance


@given(
    st.lists(st.floats(0, 1000), max_size=50).map(sorted),
    st.integers(0, 5),
    st.floats(0.1, 100),
)
def test_never_more_restarts_than_allowed(times: list[float], most: int, period: float) -> None:
    """No window of the period ever holds more than max_restarts restarts."""
    terms = Supervision(max_restarts=most, period=period)
    history = FRESH
    restarts: list[float] = []
    for now in times:
        decision = decide(
            restart="permanent", supervision=terms, history=history, now=now, chance=0.5
        )
        history = decision.history
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
        lambda: Backoff(reset_after=-1),
        lambda: _terms(shutdown=-1.0),
        lambda: _terms(passivate_after=0.0),
        lambda: Backoff(initial=5, maximum=1),
    ],
)
def test_rejects_nonsense(make: object) -> None:
    """Terms that cannot be met are refused where they are written."""
    with pytest.raises(ValueError):  # noqa: PT011  each has a message of its own
        make()  # type: ignore[operator]
