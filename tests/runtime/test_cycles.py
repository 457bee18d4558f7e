"""Asks that would wait for themselves are found at once, with the path."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
import pytest

from callboard.ambient import ambient_deadline, set_ambient_deadline
from callboard.runtime import (
    Actor,
    ActorRef,
    AskCycleError,
    AskTimeoutError,
    HandlerError,
    Message,
    Runtime,
)

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Visit(Message[int]):
    """Ask the next actor of the route, until there is none."""

    route: tuple[ActorRef, ...]
    timeout: float = 20.0


@dataclass(frozen=True, slots=True)
class Status(Message[str]):
    pass


@dataclass(frozen=True, slots=True)
class Meet(Message[int]):
    """Wait until both are busy, then ask the other."""

    other: ActorRef


class Traveller(Actor):
    def __init__(self, meeting: anyio.Event | None = None) -> None:
        self.meeting = meeting or anyio.Event()

    @Visit.handler
    async def visit(self, message: Visit) -> int:
        if not message.route:
            return 1
        following = Visit(message.route[1:], message.timeout)
        return 1 + await message.route[0].ask(following, timeout=message.timeout)

    @Meet.handler
    async def meet(self, message: Meet) -> int:
        await self.meeting.wait()
        return await message.other.ask(Visit(()))

    @Status.handler(reentrant=True)
    async def status(self, message: Status) -> str:
        return "fine"


def cycle_in(error: BaseException) -> AskCycleError:
    """Follow the causes down to the cycle."""
    while isinstance(error, HandlerError):
        error = error.cause
    assert isinstance(error, AskCycleError)
    return error


async def test_chain_without_a_circle() -> None:
    """A long chain of asks is no cycle."""
    async with Runtime() as runtime:
        actors = [await runtime.spawn(Traveller) for _ in range(30)]
        assert await actors[0].ask(Visit(tuple(actors[1:]))) == 30


async def test_asking_oneself() -> None:
    """An actor that asks itself waits for its own handler."""
    async with Runtime() as runtime:
        a = await runtime.spawn(Traveller, name="a", restart="temporary")
        with pytest.raises(HandlerError) as caught:
            await a.ask(Visit((a,)))
        assert [str(x) for x in cycle_in(caught.value).path] == ["a", "a"]


async def test_circle_of_three() -> None:
    """The path names the actors in waiting order."""
    async with Runtime() as runtime:
        a, b, c = [await runtime.spawn(Traveller, name=name, restart="temporary") for name in "abc"]
        with anyio.fail_after(5), pytest.raises(HandlerError) as caught:
            await a.ask(Visit((b, c, a)))
        error = cycle_in(caught.value)
        assert "c -> a -> b -> c" in str(error)
        assert error.message_type == "Visit"


async def test_circle_of_independent_requests() -> None:
    """Two actors that ask one another, each on behalf of somebody else, are found too."""
    meeting = anyio.Event()
    errors: list[BaseException] = []
    replies: list[int] = []

    async def ask(one: ActorRef, other: ActorRef) -> None:
        try:
            replies.append(await one.ask(Meet(other)))
        except HandlerError as error:
            errors.append(error)

    async with Runtime() as runtime:
        a = await runtime.spawn(Traveller, meeting, name="a")
        b = await runtime.spawn(Traveller, meeting, name="b")
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(ask, a, b)
                group.start_soon(ask, b, a)
                await anyio.wait_all_tasks_blocked()
                meeting.set()
        assert len(errors) == len(replies) == 1
        assert {str(x) for x in cycle_in(errors[0]).path} == {"a", "b"}


async def test_waiting_in_spawn_is_waiting() -> None:
    """A child that asks its parent while the parent waits for it to start is found."""

    class Child(Actor):
        def __init__(self, parent: ActorRef) -> None:
            self.parent = parent

        async def on_start(self) -> None:
            await self.parent.ask(Visit(()))

    class Parent(Actor):
        @Visit.handler
        async def visit(self, message: Visit) -> int:
            await self.context.spawn(Child, self.context.ref)
            return 0

    async with Runtime() as runtime:
        parent = await runtime.spawn(Parent, restart="temporary")
        with anyio.fail_after(5), pytest.raises(HandlerError) as caught:
            await parent.ask(Visit(()))
        cycle_in(caught.value)


async def test_reentrant_handlers_break_the_circle() -> None:
    """An ask back to a reentrant handler is answered, ahead of what is queued."""

    class Asker(Traveller):
        def __init__(self, other: ActorRef | None = None) -> None:
            super().__init__()
            self.other = other

        @Meet.handler
        async def meet(self, message: Meet) -> int:
            status = await message.other.ask(Status())
            return len(status)

    async with Runtime() as runtime:
        asker = await runtime.spawn(Asker)

        class Between(Actor):
            @Status.handler
            async def status(self, message: Status) -> str:
                asker.tell_nowait(Visit(()))  # is queued behind the handler that waits for us
                return await asker.ask(Status(), timeout=20)

        between = await runtime.spawn(Between)
        with anyio.fail_after(5):
            assert await asker.ask(Meet(between)) == len("fine")
        await runtime.settle()
        assert runtime.statistics().handled == 4
        assert runtime.statistics().conserved


async def test_finished_waits_are_forgotten() -> None:
    """An ask that has ended, if only by its deadline, closes no circle later."""
    gave_up, asked = anyio.Event(), anyio.Event()

    class Impatient(Actor):
        @Visit.handler
        async def visit(self, message: Visit) -> int:
            if message.route:
                with pytest.raises(AskTimeoutError):
                    await message.route[0].ask(Meet(self.context.ref), timeout=0.005)
                gave_up.set()
                await asked.wait()
            return 7

    class AsksBack(Actor):
        @Meet.handler
        async def meet(self, message: Meet) -> int:
            await gave_up.wait()
            with deadline_shifted():
                async with anyio.create_task_group() as group:
                    group.start_soon(ask_back, message.other)
                    await anyio.wait_all_tasks_blocked()
                    asked.set()
            return 0

    replies: list[int] = []

    async def ask_back(other: ActorRef) -> None:
        replies.append(await other.ask(Visit(())))

    async with Runtime() as runtime:
        impatient, asks_back = await runtime.spawn(Impatient), await runtime.spawn(AsksBack)
        with anyio.fail_after(5):
            assert await impatient.ask(Visit((asks_back,))) == 7
            await runtime.settle()
        assert replies == [7]
        assert runtime.statistics().restarts == 0


@contextmanager
def deadline_shifted() -> Iterator[None]:
    """Forget the deadline that has passed."""
    before = ambient_deadline()
    set_ambient_deadline(float("inf"))
    try:
        yield
    finally:
        set_ambient_deadline(before)
