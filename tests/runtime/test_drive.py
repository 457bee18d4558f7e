"""Driving coroutines by hand: the event loop must not notice, and contexts must not mix."""

from collections.abc import AsyncIterator
from contextvars import ContextVar, copy_context
from dataclasses import dataclass

import anyio
import anyio.lowlevel
import pytest
from anyio import from_thread, to_thread

from callboard.runtime import Actor, ActorRef, Message, Runtime
from callboard.runtime.drive import drive

pytestmark = pytest.mark.anyio

color: ContextVar[str] = ContextVar("color", default="none")


@dataclass(frozen=True, slots=True)
class Paint(Message[str]):
    """Reply with the color seen before and after a suspension, and change it."""

    own: str


@dataclass(frozen=True, slots=True)
class Work(Message[str]):
    pass


class Painter(Actor):
    @Paint.handler(reentrant=True)
    async def paint(self, message: Paint) -> str:
        before = color.get()
        color.set(message.own)
        await anyio.sleep(0.001)
        return f"{before} {color.get()}"


async def test_result_and_error() -> None:
    """A driven coroutine returns and raises as an awaited one does."""

    async def good() -> int:
        await anyio.lowlevel.checkpoint()
        return 1

    async def bad() -> int:
        await anyio.lowlevel.checkpoint()
        raise KeyError("x")

    assert await drive(copy_context(), good()) == 1
    with pytest.raises(KeyError):
        await drive(copy_context(), bad())


async def test_context_of_the_sender_reaches_the_handler_and_stays_apart() -> None:
    """Each handler sees its sender's variables, and what it sets is seen by nobody else."""
    seen: dict[str, str] = {}

    async def ask(painter: ActorRef, mine: str) -> None:
        color.set(mine)
        seen[mine] = await painter.ask(Paint(f"not {mine}"))
        assert color.get() == mine

    async with Runtime() as runtime:
        painter = await runtime.spawn(Painter)
        async with anyio.create_task_group() as group:
            for name in ("red", "green", "blue"):
                group.start_soon(ask, painter, name)
    assert seen == {name: f"{name} not {name}" for name in ("red", "green", "blue")}
    assert color.get() == "none"


async def test_cancel_scopes_inside() -> None:
    """Timeouts inside of a handler work, nested ones too."""

    class Waiter(Actor):
        @Work.handler
        async def work(self, message: Work) -> str:
            with anyio.move_on_after(5):
                with anyio.move_on_after(0.005) as inner:
                    await anyio.sleep(60)
                with pytest.raises(TimeoutError), anyio.fail_after(0.005):
                    await anyio.sleep(60)
            return "cancelled" if inner.cancelled_caught else "not"

    async with Runtime() as runtime:
        waiter = await runtime.spawn(Waiter)
        assert await waiter.ask(Work()) == "cancelled"
        assert await waiter.ask(Work()) == "cancelled"


async def test_task_groups_inside() -> None:
    """Tasks of a handler share its variables, and their failure is its failure."""

    class Splitter(Actor):
        @Work.handler
        async def work(self, message: Work) -> str:
            seen: list[str] = []

            async def part() -> None:
                await anyio.lowlevel.checkpoint()
                seen.append(color.get())

            color.set("mine")
            async with anyio.create_task_group() as group:
                group.start_soon(part)
                group.start_soon(part)
            with pytest.raises(ExceptionGroup):
                async with anyio.create_task_group() as group:
                    group.start_soon(self.fail)
                    await anyio.sleep(60)
            return " ".join(seen)

        async def fail(self) -> None:
            raise ValueError("part")

    async with Runtime() as runtime:
        assert await (await runtime.spawn(Splitter)).ask(Work()) == "mine mine"


async def test_locks_generators_and_threads_inside() -> None:
    """Locks know their owner, generators are closed, threads find the loop again."""
    closed: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            for n in range(10):
                await anyio.lowlevel.checkpoint()
                yield n
        finally:
            closed.append(color.get())

    async def from_inside() -> str:
        await anyio.lowlevel.checkpoint()
        return color.get()

    class Busy(Actor):
        def __init__(self) -> None:
            self.lock = anyio.Lock()

        @Work.handler(reentrant=True)
        async def work(self, message: Work) -> str:
            color.set("inside")
            task = anyio.get_current_task().id
            async with self.lock:
                assert self.lock.statistics().owner is not None
                await anyio.lowlevel.checkpoint()
            stream = numbers()
            async for n in stream:
                if n == 3:
                    break
            await stream.aclose()  # type: ignore[attr-defined]
            assert anyio.get_current_task().id == task
            return await to_thread.run_sync(from_thread.run, from_inside)

    async with Runtime() as runtime:
        busy = await runtime.spawn(Busy)
        assert await busy.ask(Work()) == "inside"
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(busy.ask, Work())
    assert closed == ["inside"] * 6


async def test_closing_a_driver_closes_the_driven() -> None:
    """A driver that is never finished runs the driven coroutine's cleanup."""
    cleaned: list[bool] = []

    async def driven() -> None:
        try:
            await anyio.sleep(60)
        finally:
            cleaned.append(True)

    async def driver() -> None:
        await drive(copy_context(), driven())

    with anyio.move_on_after(0.005):
        await driver()
    assert cleaned == [True]
