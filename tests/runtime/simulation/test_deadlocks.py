"""A program that would never end is told so, with a picture of who waits where, for whom."""

import asyncio
import re
import time
from dataclasses import dataclass

import anyio
import pytest

from callboard.runtime import Actor, ActorRef, Message, Runtime
from callboard.runtime.simulation import DeadlockError, Limits, LivelockError, simulate
from callboard.runtime.simulation.waiting import Wait, find_circle


@dataclass(frozen=True, slots=True)
class Knock(Message[None]):
    pass


class Door(Actor):
    """Asks the next door, and the last one waits for ever."""

    def __init__(self, beyond: ActorRef | None) -> None:
        self.beyond = beyond

    @Knock.handler
    async def knock(self, message: Knock) -> None:
        if self.beyond is None:
            await anyio.sleep_forever()
        else:
            await self.beyond.tell(message)
            await anyio.Event().wait()


def picture(error: pytest.ExceptionInfo[DeadlockError]) -> list[str]:
    """Return the lines of the picture, without paths and line numbers."""
    lines = error.value.picture.split("\n")
    return [re.sub(r" at \S+:\d+ in ", " in ", line.strip()) for line in lines]


def test_locks_in_opposite_order() -> None:
    """Every task with its place; owners of locks; and the circle itself."""

    async def program() -> None:
        left, right = anyio.Lock(), anyio.Lock()

        async def hold(first: anyio.Lock, second: anyio.Lock) -> None:
            async with first:
                await anyio.sleep(1)
                async with second:
                    pass

        async with anyio.create_task_group() as group:
            group.start_soon(hold, left, right, name="left")
            group.start_soon(hold, right, left, name="right")

    with pytest.raises(DeadlockError) as caught:
        simulate(program)
    lines = picture(caught)
    assert lines[0].endswith("program waits for its task group -> #2, #3")
    assert "#2 left in " in lines[1]
    assert lines[1].endswith("hold waits for a Lock -> #3")
    assert lines[2].endswith("hold waits for a Lock -> #2")
    assert lines[3] == "circle: #2 -> #3 -> #2"
    assert f"{__file__.rpartition('/')[2]}:" in caught.value.picture
    assert caught.value.time == 1


def test_what_tasks_wait_for_is_named() -> None:
    """Events, streams, limiters, conditions, other tasks."""

    async def program() -> None:
        send, receive = anyio.create_memory_object_stream[int](0)
        limiter, condition = anyio.CapacityLimiter(1), anyio.Condition()

        async def take() -> None:
            async with limiter:
                await anyio.sleep_forever()

        async def wait() -> None:
            async with condition:
                await condition.wait()

        async def native() -> None:
            await asyncio.get_running_loop().create_task(anyio.Event().wait())

        with send, receive:
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.Event().wait, name="event")
                group.start_soon(receive.receive, name="receive")
                group.start_soon(take, name="take")
                await anyio.lowlevel.checkpoint()
                group.start_soon(take, name="taken")
                group.start_soon(wait, name="condition")
                group.start_soon(anyio.Semaphore(0).acquire, name="semaphore")
                group.start_soon(native, name="native")

    with pytest.raises(DeadlockError) as caught:
        simulate(program, policy="fifo")
    text = caught.value.picture
    assert re.search(r"event at .* waits for an Event", text)
    assert re.search(r"receive at .* waits for an item from a stream with 1 open senders", text)
    assert re.search(r"take at .* waits for time to pass", text)
    assert re.search(r"taken at .* waits for a CapacityLimiter -> #\d+", text)
    assert re.search(r"condition at .* waits for a Condition", text)
    assert re.search(r"semaphore at .* waits for a Semaphore", text)
    assert re.search(r"native at .* waits for a task -> #\d+", text)


def test_full_stream_without_a_reader() -> None:
    """A sender that waits for room says how many could make some."""

    async def program() -> None:
        send, receive = anyio.create_memory_object_stream[int](0)
        with send, receive:
            await send.send(1)

    with pytest.raises(DeadlockError, match="room in a stream with 1 open receivers"):
        simulate(program)


def test_actors_show_what_they_handle_and_wait_for() -> None:
    """The handler's own line, though the runtime drives it by hand; and the actors' wait graph."""

    async def program() -> None:
        async with Runtime() as runtime:
            last = await runtime.spawn(Door, None, name="last")
            first = await runtime.spawn(Door, last, name="first")
            for _ in range(3):
                await first.tell(Knock())
            await runtime.settle()

    with pytest.raises(DeadlockError) as caught:
        simulate(program)
    text = caught.value.picture
    assert re.search(r"in Door.knock waits for time to pass", text)
    assert re.search(r"in Door.knock waits for an Event", text)
    assert "'first' handles Knock; 2 queued" in text
    assert "'last' handles Knock; 0 queued" in text


def test_asks_show_whom_they_wait_for() -> None:
    """The edge from one actor to the other, drawn at a livelock as well."""

    class Asker(Actor):
        def __init__(self, other: ActorRef) -> None:
            self.other = other

        @Knock.handler
        async def knock(self, message: Knock) -> None:
            await self.other.ask(message)

    async def program() -> None:
        async with Runtime() as runtime:
            last = await runtime.spawn(Door, None, name="last")
            asker = await runtime.spawn(Asker, last, name="asker")
            await asker.tell(Knock())
            while True:
                await anyio.lowlevel.checkpoint()

    with pytest.raises(LivelockError) as caught:
        simulate(program, limits=Limits(steps_at_once=200))
    assert "'asker' handles Knock, waits for Knock at 'last'; 0 queued" in caught.value.picture
    assert "waits for the reply to Knock from 'last'" in caught.value.picture


def test_a_deadline_is_no_deadlock() -> None:
    """Control: where a timer is set, time goes on."""

    async def program() -> bool:
        with anyio.move_on_after(1e6) as scope:
            await anyio.Event().wait()
        return scope.cancelled_caught

    assert simulate(program).result


def test_a_loop_that_polls_is_a_livelock() -> None:
    """Time doesn't move while it runs, so it would poll for ever."""

    async def program() -> None:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            await anyio.lowlevel.checkpoint()

    with pytest.raises(LivelockError, match="steps without the clock moving") as caught:
        simulate(program, limits=Limits(steps_at_once=1000))
    assert "test_deadlocks.py:" in caught.value.picture


def test_a_loop_that_polls_with_a_pause_is_none() -> None:
    """Control: one that sleeps between its looks comes to its end."""

    async def program() -> None:
        until = time.monotonic() + 1
        while time.monotonic() < until:  # noqa: ASYNC110  the very thing to be tested
            await anyio.sleep(0.01)

    simulate(program, limits=Limits(steps_at_once=1000))


def test_a_loop_that_never_awaits_is_a_livelock() -> None:
    """It looks at the clock a million times in one step; the place is named."""

    async def program() -> None:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            pass

    with pytest.raises(LivelockError, match=r"looks at the clock .*test_deadlocks.py:\d+"):
        simulate(program, limits=Limits(clock_reads=1000))


def test_circles_go_through_single_hopes_only() -> None:
    """A task that several others could wake is not stuck yet."""

    def wait(number: int, *others: int) -> Wait:
        return Wait(number=number, name="", place="", thing="", others=others)

    assert find_circle([wait(1, 2), wait(2, 3), wait(3, 2)]) == [2, 3, 2]
    assert find_circle([wait(1, 2), wait(2, 3, 1), wait(3)]) == []
    assert find_circle([]) == []
