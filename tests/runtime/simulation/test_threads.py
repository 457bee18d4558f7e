"""Functions in threads run inline, at a moment that the policy chooses, and take simulated time."""

import asyncio
import threading
import time

import anyio
import pytest
from anyio.to_thread import run_sync

from callboard.runtime.simulation import explore, simulate


def test_the_function_runs_in_the_same_thread() -> None:
    """Its result comes back, and no thread was made."""

    async def program() -> tuple[int, int]:
        before = threading.active_count()
        identity = await run_sync(threading.get_ident)
        assert threading.active_count() == before
        return identity, await asyncio.to_thread(abs, -3)

    assert simulate(program).result == (threading.get_ident(), 3)


def test_what_it_raises_comes_back() -> None:
    """At the await, as from a real thread."""

    async def program() -> None:
        with pytest.raises(ZeroDivisionError):
            await run_sync(divmod, 1, 0)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await run_sync(next, iter(()))

    simulate(program)


def test_a_sleep_in_it_takes_simulated_time() -> None:
    """Others go on meanwhile; its own clock has moved."""

    async def program() -> tuple[float, float, float]:
        def work() -> float:
            before = time.monotonic()
            time.sleep(5)
            return time.monotonic() - before

        with anyio.move_on_after(1) as scope:
            await run_sync(work, abandon_on_cancel=True)
        abandoned = anyio.current_time() if scope.cancelled_caught else -1
        slept = await run_sync(work)
        return abandoned, slept, anyio.current_time()

    assert simulate(program).result == (1, 5, 6)


def test_a_limiter_bounds_them() -> None:
    """Its tokens are held for as long as the function takes."""

    async def program() -> float:
        limiter = anyio.CapacityLimiter(2)
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(lambda: run_sync(time.sleep, 1, limiter=limiter))
        return anyio.current_time()

    assert simulate(program).result == 3


def test_races_around_threads_are_found() -> None:
    """Others may run before and after the function: a check and a later use may disagree."""

    async def program() -> None:
        stock = 1

        def look() -> int:
            return stock

        async def buy() -> None:
            nonlocal stock
            if await run_sync(look):
                stock -= 1

        async with anyio.create_task_group() as group:
            group.start_soon(buy)
            group.start_soon(buy)
        assert stock >= 0

    assert explore(program, seeds=20).failures
