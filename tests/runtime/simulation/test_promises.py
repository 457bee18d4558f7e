"""The runtime's promises under ten thousand schedules: each with a control that breaks it.

A program draws its scenario from the simulation's own chance: every seed is another scenario under
another schedule. A failure prints the line that repeats it.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import anyio
import pytest

from callboard.runtime import (
    Actor,
    ActorError,
    ActorRef,
    AskTimeoutError,
    Context,
    Down,
    MailboxOptions,
    Message,
    Runtime,
    Supervision,
)
from callboard.runtime.simulation import explore

SEEDS = 1000
"""Each promise is explored under so many seeds, by two policies."""
OFTEN = Supervision(max_restarts=1000)


@dataclass(frozen=True, slots=True)
class Work(Message[int]):
    """Takes some awaits, then fails or replies."""

    number: int
    pauses: int = 0
    fails: bool = False
    sender: int = 0


@dataclass(frozen=True, slots=True)
class Bound(Work):
    """The same, cancelled with its asker."""

    cancel_with_asker: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Beside(Work):
    """The same, reentrant."""


@dataclass(frozen=True, slots=True)
class Relay(Message[int]):
    """Is passed on to the next actor as Work."""

    number: int


class Worker(Actor):
    """Does what messages say, and notes what it did."""

    context: Context

    def __init__(self, log: list[Work], peer: ActorRef | None = None) -> None:
        self.log = log
        self.peer = peer
        self.at_work = 0
        self.most = 0

    @Work.handler
    async def work(self, message: Work) -> int:
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            return await self.do(message)
        finally:
            self.at_work -= 1

    @Bound.handler
    async def bound(self, message: Bound) -> int:
        return await self.work(message)

    @Beside.handler(reentrant=True)
    async def beside(self, message: Beside) -> int:
        return await self.do(message)

    @Relay.handler
    async def relay(self, message: Relay) -> int:
        assert self.peer is not None
        return await self.peer.ask(Work(message.number, pauses=1), timeout=2.0)

    async def do(self, message: Work) -> int:
        self.log.append(message)
        for _ in range(message.pauses):
            await pause()
        if message.fails:
            raise ValueError(message.number)
        return message.number


async def pause() -> None:
    """Give way, with or without time passing."""
    if random.random() < 0.5:
        await anyio.lowlevel.checkpoint()
    else:
        await anyio.sleep(random.choice((0.5, 1.0)))


def drawn(number: int) -> Message[int]:
    """Return a message of any kind."""
    kind: Any = random.choice((Work, Work, Bound, Beside, Relay))
    if kind is Relay:
        return Relay(number)
    return kind(number, random.randrange(4), random.random() < 0.2)


def settled_well(runtime: Runtime) -> None:
    """Check the law of conservation."""
    statistics = runtime.statistics()
    assert statistics.conserved, statistics


Program = Callable[..., Awaitable[None]]


def holds(program: Program, *args: Any, seeds: int = SEEDS) -> None:
    """Explore a program and expect nothing."""
    explore(program, *args, seeds=seeds).check()


def is_caught(program: Program, *args: Any) -> None:
    """Control: explore a broken program and expect a finding that repeats."""
    (failure,) = explore(program, *args, seeds=SEEDS).failures
    assert failure.reproduced, failure


# Asks end, messages are conserved


async def storm(*, loses_one: bool = False) -> None:
    """Ask, tell, stop, crash and cancel all at once; then look where everything went."""
    log: list[Work] = []
    ends: Counter[int] = Counter()
    started: list[int] = []
    too_late: list[Message[int]] = []
    async with Runtime(supervision=OFTEN, shutdown_timeout=3.0) as runtime:
        options = MailboxOptions(
            2, random.choice(("block", "reject", "drop_oldest", "drop_newest"))
        )
        first = await runtime.spawn(Worker, log, mailbox=options)
        second = await runtime.spawn(Worker, log, first)
        actors = (first, second)

        async def ask(number: int) -> None:
            started.append(number)
            timeout = random.choice((0.5, 1.0, 5.0))
            before = anyio.current_time()
            with anyio.move_on_after(random.choice((0.5, 1.0, 60.0))):
                message = drawn(number)
                try:
                    assert await second.ask(message, timeout=timeout) == number
                except AskTimeoutError as error:
                    if error.address == second.address and error.state == "queued":
                        too_late.append(message)
                except ActorError:
                    pass
                finally:
                    ends[number] += 1
                    assert anyio.current_time() <= before + timeout

        async def tell(number: int) -> None:
            await pause()
            with suppress(ActorError):
                await random.choice(actors).tell(drawn(100 + number), timeout=1.0)
            settled_well(runtime)

        async def stop() -> None:
            await pause()
            await random.choice(actors).stop(timeout=random.choice((0.0, 1.0)))
            settled_well(runtime)

        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(ask, number)
            for number in range(3):
                group.start_soon(tell, number)
            if random.random() < 0.5:
                group.start_soon(stop)
        if loses_one:
            runtime._kernel.counters.handled -= 1
    settled_well(runtime)
    statistics = runtime.statistics()
    assert statistics.queued == statistics.active == 0, statistics
    assert ends == Counter(started), "each ask ends exactly once"
    assert not [message for message in too_late if message in log], "handled though it expired"


def test_asks_end_once_and_every_message_is_accounted_for() -> None:
    """Under stops, crashes, timeouts, cancellations and full mailboxes, by any schedule."""
    holds(storm)


def test_a_message_that_gets_lost_is_noticed() -> None:
    """Control: one message less in the books."""

    async def lossy() -> None:
        await storm(loses_one=True)

    is_caught(lossy)


# Order, at most once


async def in_order(*, repeats: bool = False) -> None:
    """Tell numbered messages to an actor that fails now and then."""
    log: list[Work] = []
    async with Runtime(supervision=OFTEN) as runtime:
        worker = await runtime.spawn(Worker, log, mailbox=MailboxOptions(2))

        async def send(sender: int) -> None:
            for number in range(4):
                message = Work(number, random.randrange(2), random.random() < 0.2, sender)
                with anyio.move_on_after(random.choice((0.5, 60.0))) as scope:
                    await worker.tell(message)
                if repeats and scope.cancelled_caught:
                    worker.tell_nowait(Work(number + 1, sender=sender))
                if random.random() < 0.3:
                    await pause()

        async with anyio.create_task_group() as group:
            for sender in range(3):
                group.start_soon(send, sender)
    settled_well(runtime)
    for sender in range(3):
        numbers = [message.number for message in log if message.sender == sender]
        assert numbers == sorted(set(numbers)), f"sender {sender}: {numbers}"


def test_one_senders_messages_come_in_order_and_at_most_once() -> None:
    """Through a full mailbox, across restarts, and where some sends are cancelled."""
    holds(in_order)


def test_a_message_that_comes_twice_is_noticed() -> None:
    """Control: a sender that sends a later message early, and then again."""

    async def repeating() -> None:
        await in_order(repeats=True)

    with pytest.raises((AssertionError, ActorError, ExceptionGroup)):
        explore(repeating, seeds=SEEDS).check()


# One at a time


async def one_at_a_time(kind: type[Work] = Work) -> None:
    """Load an actor that counts its own handlers."""
    log: list[Work] = []
    kept: list[Worker] = []

    def make() -> Worker:
        kept.append(Counting(log))
        return kept[-1]

    async with Runtime(supervision=OFTEN) as runtime:
        worker = await runtime.spawn(make)

        async def load(number: int) -> None:
            chosen: Any = random.choice((kind, Bound))
            message = chosen(number, random.randrange(4), random.random() < 0.2)
            with anyio.move_on_after(random.choice((0.5, 1.0, 60.0))):
                with suppress(ActorError):
                    await worker.ask(message, timeout=random.choice((1.0, 60.0)))

        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(load, number)
                if random.random() < 0.3:
                    await pause()
        assert await worker.ask(Work(99)) == 99, "it goes on with what comes next"
    assert max(worker.most for worker in kept) == 1


class Counting(Worker):
    """Counts its reentrant handlers along."""

    @Beside.handler(reentrant=True)
    async def beside(self, message: Beside) -> int:
        return await self.work(message)


def test_an_actor_handles_one_message_at_a_time() -> None:
    """Also while handlers are cancelled and fail; afterwards the actor goes on."""
    holds(one_at_a_time)


def test_two_handlers_at_a_time_are_noticed() -> None:
    """Control: a handler that is declared reentrant."""
    is_caught(one_at_a_time, Beside)


# Down comes once


class Watcher(Actor):
    """Watches on start, also after a restart, and keeps what it is told."""

    def __init__(self, watched: ActorRef, seen: list[Down], *, twice: bool = False) -> None:
        self.watched = watched
        self.seen = seen
        self.twice = twice

    async def on_start(self) -> None:
        self.context.watch(self.watched)

    @Down.handler
    async def down(self, message: Down) -> None:
        self.seen.append(message)
        if self.twice:
            self.seen.append(message)


async def watched(*, twice: bool = False) -> None:
    """End an actor in one of several ways while others watch it and send to it."""
    seen: list[Down] = []
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, [], restart="temporary")
        outside: list[Down] = []

        async def watch() -> None:
            outside.append(await runtime.watch(worker))

        async def end() -> None:
            await pause()
            if random.random() < 0.5:
                await worker.stop(timeout=random.choice((0.0, 1.0)))
            else:
                await worker.tell(Work(1, random.randrange(2), fails=True))

        async def spawn() -> None:
            await pause()
            await runtime.spawn(lambda: Watcher(worker, seen, twice=twice))

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            group.start_soon(spawn)
            group.start_soon(end)
            group.start_soon(end)
        await runtime.settle()
        assert len(outside) == 1
        assert len(seen) == 1, seen


def test_a_watch_yields_one_down() -> None:
    """Whether the actor is stopped, fails, or has ended before."""
    holds(watched)


def test_a_second_down_is_noticed() -> None:
    """Control: a watcher that is told twice."""

    async def telling_twice() -> None:
        await watched(twice=True)

    is_caught(telling_twice)


# Cancellation at every await point


async def interrupted(point: int, what: str) -> None:
    """Cancel, stop or crash something after so many steps, whatever is going on then."""
    log: list[Work] = []
    ended = 0
    async with Runtime(supervision=OFTEN, shutdown_timeout=2.0) as runtime:
        first = await runtime.spawn(Worker, log, mailbox=MailboxOptions(1))
        second = await runtime.spawn(Worker, log, first)

        async def client(scope: anyio.CancelScope) -> None:
            nonlocal ended
            with scope:
                for message in (Bound(1, 2), Relay(2), Work(3, 1), Beside(4, 1)):
                    await first.tell(Work(0, 1))
                    try:
                        await second.ask(message, timeout=3.0)
                    except ActorError:
                        continue
            ended += 1

        async def interrupt(scope: anyio.CancelScope) -> None:
            for _ in range(point):
                await anyio.lowlevel.checkpoint()
            if what == "cancel":
                scope.cancel()
            elif what == "crash":
                await first.tell(Work(9, fails=True))
            elif what == "stop":
                await first.stop(timeout=0)
            else:
                await runtime.stop(timeout=1.0)

        async with anyio.create_task_group() as group:
            scope = anyio.CancelScope()
            group.start_soon(client, scope)
            group.start_soon(interrupt, scope)
    assert ended == 1
    settled_well(runtime)
    statistics = runtime.statistics()
    assert statistics.queued == statistics.active == 0, statistics


@pytest.mark.parametrize("what", ["cancel", "crash", "stop", "end"])
def test_nothing_hangs_wherever_it_is_interrupted(what: str) -> None:
    """Every await point of a client and its actors, in order and by chance."""
    for point in range(40):
        explore(interrupted, point, what, seeds=1, policies=["fifo"]).check()
        holds(interrupted, point, what, seeds=6)


def test_a_hang_is_noticed() -> None:
    """Control: a wait that nobody ends, where the promise says that it ends."""

    async def hanging() -> None:
        async with Runtime() as runtime:
            worker = await runtime.spawn(Worker, [])
            async with anyio.create_task_group() as group:
                group.start_soon(runtime.watch, worker)

    is_caught(hanging)
