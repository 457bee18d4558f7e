"""DetachedTask: it ends when it is stopped, from wherever, and however it has begun."""

import asyncio
from contextvars import ContextVar

import anyio
import anyio.lowlevel
import pytest

from callboard.backends.detached_task import DetachedTask

pytestmark = pytest.mark.anyio


class Work:
    """Runs until it is cancelled, and notes what happens to it."""

    def __init__(self) -> None:
        self.journal: list[str] = []

    async def __call__(self) -> None:
        self.journal.append("began")
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
            self.journal.append("ended")


async def test_stopping_waits_for_the_end_and_may_be_repeated() -> None:
    """Cleanup is finished when stop() returns."""
    work = Work()
    task = DetachedTask(work)
    while not work.journal:
        await anyio.lowlevel.checkpoint()
    await task.stop()
    assert work.journal == ["began", "ended"]
    await task.stop()


async def test_a_task_that_returns_by_itself_can_be_stopped() -> None:
    """There is nothing to wait for."""
    task = DetachedTask(anyio.lowlevel.checkpoint)
    for _ in range(5):
        await anyio.lowlevel.checkpoint()
    await task.stop()


async def test_it_lies_outside_of_its_makers_scopes() -> None:
    """A scope of the maker's neither cancels it nor waits for it, and stop() still gets through."""
    work = Work()
    with anyio.CancelScope() as scope:
        task = DetachedTask(work)
        while not work.journal:
            await anyio.lowlevel.checkpoint()
        scope.cancel()
        with anyio.CancelScope(shield=True):
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
        assert work.journal == ["began"]
        await task.stop()
        assert work.journal == ["began", "ended"]


async def test_another_task_may_stop_it() -> None:
    """Whoever holds it."""
    work = Work()
    task = DetachedTask(work)
    async with anyio.create_task_group() as group:
        group.start_soon(task.stop)
    assert work.journal in ([], ["began", "ended"])


async def test_it_runs_in_a_copy_of_the_present_context() -> None:
    """What it sets there stays there."""
    variable: ContextVar[str] = ContextVar("variable", default="outside")
    seen: list[str] = []
    ran = anyio.Event()

    async def look() -> None:
        seen.append(variable.get())
        variable.set("changed")
        ran.set()

    variable.set("inside")
    task = DetachedTask(look)
    await ran.wait()
    await task.stop()
    assert (seen, variable.get()) == (["inside"], "inside")


def test_a_native_cancellation_before_its_first_step_is_no_hang() -> None:
    """Its function never runs then, and stop() returns all the same."""
    work = Work()

    async def main() -> None:
        task = DetachedTask(work)
        for each in asyncio.all_tasks() - {asyncio.current_task()}:
            each.cancel()
        with anyio.fail_after(5):
            await task.stop()

    asyncio.run(main())
    assert work.journal == []
