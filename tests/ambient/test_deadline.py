"""The ambient deadline narrows, never widens, and belongs to its context."""

import math

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.ambient import (
    ambient_deadline,
    bounded_deadline,
    deadline_scope,
    set_ambient_deadline,
    time_left,
)

pytestmark = pytest.mark.anyio


async def test_without_a_deadline_time_is_endless() -> None:
    """Nobody is bounded by default."""
    assert ambient_deadline() == math.inf
    assert time_left() == math.inf
    assert bounded_deadline(None) == math.inf


async def test_a_timeout_becomes_a_deadline_from_now() -> None:
    """Seconds are counted on the event loop's own clock."""
    before = anyio.current_time()
    assert before + 5 <= bounded_deadline(5) <= anyio.current_time() + 5


async def test_the_smaller_deadline_wins() -> None:
    """Neither an inner scope nor a generous timeout outlives the scope around it."""
    outer = anyio.current_time() + 5
    with deadline_scope(outer):
        assert bounded_deadline(60) == bounded_deadline(None) == outer
        with deadline_scope(outer + 60) as effective:
            assert effective == ambient_deadline() == outer
        with deadline_scope(outer - 1) as effective:
            assert effective == ambient_deadline() == outer - 1
        assert ambient_deadline() == outer
    assert ambient_deadline() == math.inf


async def test_time_left_is_never_negative() -> None:
    """A deadline in the past leaves nothing, not less than nothing."""
    with deadline_scope(anyio.current_time() - 1):
        assert time_left() == 0


async def test_tasks_inherit_and_never_leak() -> None:
    """A child task sees the deadline around its start; what it sets stays with it."""
    seen: list[float] = []

    async def child() -> None:
        seen.append(ambient_deadline())
        set_ambient_deadline(1.0)

    deadline = anyio.current_time() + 5
    with deadline_scope(deadline):
        async with anyio.create_task_group() as group:
            group.start_soon(child)
        assert ambient_deadline() == deadline
    assert seen == [deadline]


@pytest.mark.parametrize("timeout", [-1, -0.001, math.nan, -math.inf])
async def test_an_impossible_timeout_is_refused(timeout: float) -> None:
    """A negative timeout, or none at all, is a mistake and says so."""
    with pytest.raises(ValueError, match="seconds >= 0"):
        bounded_deadline(timeout)


@given(st.lists(st.floats(min_value=0, max_value=1e9), min_size=1, max_size=6))
def test_nested_scopes_hold_the_minimum(deadlines: list[float]) -> None:
    """However scopes nest, the ambient deadline is the least of those around."""
    for depth in range(1, len(deadlines) + 1):
        assert _innermost(deadlines[:depth]) == min(deadlines[:depth])


def _innermost(deadlines: list[float]) -> float:
    if not deadlines:
        return ambient_deadline()
    with deadline_scope(deadlines[0]):
        return _innermost(deadlines[1:])
