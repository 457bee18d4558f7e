"""Asks: typed replies, and every way in which one can end without a reply."""

import gc
import weakref
from dataclasses import dataclass
from typing import ClassVar

import anyio
import anyio.lowlevel
import pytest

from callboard.ambient import ambient_deadline, deadline_scope, time_left
from callboard.runtime import (
    Actor,
    ActorRef,
    ActorStoppedError,
    AskTimeoutError,
    HandlerError,
    MailboxFullError,
    MailboxOptions,
    Message,
    Runtime,
    UnhandledMessageError,
)

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    n: int


@dataclass(frozen=True, slots=True)
class Fail(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class Hold(Message[str]):
    """Handled only once the gate is open."""


@dataclass(frozen=True, slots=True)
class Impatient(Message[str]):
    default_timeout: ClassVar[float] = 0.01


@dataclass(frozen=True, slots=True)
class Cancellable(Message[str]):
    cancel_with_asker: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Relay(Message[float]):
    """Ask another actor how much time is left."""


@dataclass(frozen=True, slots=True)
class TimeLeft(Message[float]):
    pass


class Counter(Actor):
    def __init__(self, start: int = 0) -> None:
        self.total = start

    @Add.handler
    async def add(self, message: Add) -> int:
        self.total += message.n
        return self.total

    @Fail.handler
    async def fail(self, message: Fail) -> None:
        raise KeyError("no such thing")


class Gate(Actor):
    """Holds its messages until it is opened; knows what was begun, and what was cancelled."""

    def __init__(self) -> None:
        self.gate = anyio.Event()
        self.begun = anyio.Event()
        self.cancelled = anyio.Event()

    async def pass_through(self) -> str:
        self.begun.set()
        try:
            await self.gate.wait()
        except anyio.get_cancelled_exc_class():
            self.cancelled.set()
            raise
        return "through"

    @Hold.handler
    async def hold(self, message: Hold) -> str:
        return await self.pass_through()

    @Impatient.handler
    async def impatient(self, message: Impatient) -> str:
        return await self.pass_through()

    @Cancellable.handler
    async def cancellable(self, message: Cancellable) -> str:
        return await self.pass_through()


class Clock(Actor):
    def __init__(self, other: ActorRef | None = None) -> None:
        self.other = other

    @TimeLeft.handler
    async def time_left(self, message: TimeLeft) -> float:
        return time_left()

    @Relay.handler
    async def relay(self, message: Relay) -> float:
        assert self.other is not None
        return await self.other.ask(TimeLeft(), timeout=1000.0)


async def test_reply() -> None:
    """The reply is what the handler returns."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter, 10, name="counter")
        assert await counter.ask(Add(5), timeout=2.0) == 15
        await counter.tell(Add(1))
        assert await counter.ask(Add(0)) == 16


async def test_many_asks_at_once() -> None:
    """Concurrent asks each get their own reply."""
    replies: dict[int, int] = {}

    async def ask(counter: ActorRef, n: int) -> None:
        replies[n] = await counter.ask(Add(n)) - n

    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter)
        async with anyio.create_task_group() as group:
            for n in range(200):
                group.start_soon(ask, counter, n)
        assert len(replies) == 200
        assert sum(1 for n in replies if replies[n] == 0) >= 1
        assert (await counter.ask(Add(0))) == sum(range(200))


async def test_handler_error() -> None:
    """What a handler raises reaches the asker, its cause kept."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter, name="counter")
        with pytest.raises(HandlerError, match="no such thing") as caught:
            await counter.ask(Fail())
        assert isinstance(caught.value.cause, KeyError)
        assert caught.value.__cause__ is caught.value.cause
        assert caught.value.address == counter.address
        assert caught.value.message_type == "Fail"


async def test_unhandled() -> None:
    """An ask without a handler fails at once, says what is handled, and harms nobody."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter)
        assert await counter.ask(Add(3)) == 3
        with pytest.raises(UnhandledMessageError, match="it handles Add, Fail"):
            await counter.ask(Hold())
        assert await counter.ask(Add(0)) == 3
        assert runtime.dead_letters.by_reason() == {"unhandled": 1}


async def test_not_a_message() -> None:
    """Something that is no Message is refused with the way to make it one."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter)
        with pytest.raises(TypeError, match=r"class str\(Message"):
            await counter.ask("hello")  # type: ignore[arg-type]


async def test_timeout_while_handling() -> None:
    """The asker is released at its deadline; the late reply is counted."""
    async with Runtime() as runtime:
        gates: list[Gate] = []

        def make() -> Gate:
            gates.append(Gate())
            return gates[-1]

        gate = await runtime.spawn(make)
        with pytest.raises(AskTimeoutError, match="handling") as caught:
            await gate.ask(Hold(), timeout=0.01)
        assert caught.value.timeout == pytest.approx(0.01)
        assert isinstance(caught.value, TimeoutError)
        gates[0].gate.set()
        await runtime.settle()
        assert runtime.dead_letters.by_reason() == {"late_reply": 1}
        assert runtime.statistics().late_replies == 1
        assert runtime.statistics().handled == 1
        assert runtime.statistics().conserved


async def test_timeout_while_queued() -> None:
    """A message whose deadline passes in the mailbox is not handled any more."""
    async with Runtime() as runtime:
        gates: list[Gate] = []

        def make() -> Gate:
            gates.append(Gate())
            return gates[-1]

        gate = await runtime.spawn(make)
        await gate.tell(Hold())
        with pytest.raises(AskTimeoutError, match="queued"):
            await gate.ask(Hold(), timeout=0.01)
        gates[0].gate.set()
        await runtime.settle()
        assert runtime.dead_letters.by_reason() == {"expired": 1}
        assert runtime.statistics().handled == 1
        assert runtime.statistics().conserved


async def test_default_timeout() -> None:
    """Without a timeout, the one declared on the message holds."""
    async with Runtime(shutdown_timeout=0) as runtime:
        gate = await runtime.spawn(Gate)
        with pytest.raises(AskTimeoutError):
            await gate.ask(Impatient())


@pytest.mark.parametrize("timeout", [-1.0, float("nan"), float("inf")])
async def test_impossible_timeout(timeout: float) -> None:
    """An ask is always bounded by a deadline that exists."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter)
        with pytest.raises(ValueError, match="finite number of seconds"):
            await counter.ask(Add(1), timeout=timeout)


@pytest.mark.parametrize("timeout", [0.0, 5.0])
async def test_deadline_that_has_passed(timeout: float) -> None:
    """An ask that could not be answered in time is not even sent."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter)
        past = anyio.current_time() - 1 if timeout else float("inf")
        with deadline_scope(past), pytest.raises(AskTimeoutError, match="unsent"):
            await counter.ask(Add(1), timeout=timeout)
        assert runtime.statistics().accepted == 0


async def test_deadline_is_ambient() -> None:
    """Inside a handler, an ask gets no more time than what is left of the asker's."""
    async with Runtime() as runtime:
        clock = await runtime.spawn(Clock)
        relay = await runtime.spawn(Clock, clock)
        rounding = 1e-6
        assert 0 < await relay.ask(Relay(), timeout=5.0) <= 5.0 + rounding
        assert 0 < await relay.ask(Relay(), timeout=500.0) <= 500.0 + rounding
        assert ambient_deadline() == float("inf")


async def test_tell_carries_no_deadline() -> None:
    """The handler of a tell is not bounded by the deadline of whoever sent it."""
    seen: list[float] = []

    class Listener(Actor):
        @TimeLeft.handler
        async def time_left(self, message: TimeLeft) -> float:
            seen.append(time_left())
            return 0.0

    async with Runtime() as runtime:
        listener = await runtime.spawn(Listener)
        with deadline_scope(anyio.current_time() + 5):
            await listener.tell(TimeLeft())
        await runtime.settle()
    assert seen == [float("inf")]


async def test_stopped() -> None:
    """Asking an actor that has stopped fails at once."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter, name="counter")
        await counter.stop()
        with pytest.raises(ActorStoppedError, match="counter"):
            await counter.ask(Add(1))
        assert runtime.statistics().rejected == 1


async def test_stop_resolves_queued_and_running_asks() -> None:
    """Nobody keeps waiting for an actor that is stopped."""
    ends: list[type[BaseException]] = []

    async def ask(gate: ActorRef) -> None:
        with pytest.raises(ActorStoppedError) as caught:
            await gate.ask(Hold(), timeout=30)
        ends.append(caught.type)

    async with Runtime() as runtime:
        gate = await runtime.spawn(Gate, mailbox=MailboxOptions(capacity=2))
        async with anyio.create_task_group() as group:
            for _ in range(5):  # one is handled, two are queued, two wait for room
                group.start_soon(ask, gate)
            await anyio.wait_all_tasks_blocked()
            await gate.stop(timeout=0)
        assert len(ends) == 5
        assert runtime.statistics().dead == 5
        assert runtime.statistics().conserved


async def test_full_mailbox_blocks_until_the_deadline() -> None:
    """An ask that never finds room ends as MailboxFullError, and leaves nothing behind."""
    async with Runtime(shutdown_timeout=0) as runtime:
        gate = await runtime.spawn(Gate, mailbox=MailboxOptions(capacity=1))
        await gate.tell(Hold())
        await anyio.wait_all_tasks_blocked()
        await gate.tell(Hold())
        with pytest.raises(MailboxFullError, match="1 messages"):
            await gate.ask(Hold(), timeout=0.01)
        assert runtime.statistics().queued == 1
        assert runtime.statistics().conserved


async def test_cancelled_asker_leaves_the_handler_alone() -> None:
    """By default a cancelled asker does not disturb the work; its reply is a late one."""
    gates: list[Gate] = []

    def make() -> Gate:
        gates.append(Gate())
        return gates[-1]

    async with Runtime() as runtime:
        gate = await runtime.spawn(make)
        with anyio.move_on_after(0.01):
            await gate.ask(Hold())
        assert not gates[0].cancelled.is_set()
        gates[0].gate.set()
        await runtime.settle()
        assert runtime.statistics().handled == 1
        assert runtime.statistics().late_replies == 1


@pytest.mark.parametrize("by_deadline", [False, True])
async def test_cancel_with_asker(by_deadline: bool) -> None:
    """A message may declare that its handler ends with its asker; the actor goes on."""
    gates: list[Gate] = []

    def make() -> Gate:
        gates.append(Gate())
        return gates[-1]

    async with Runtime() as runtime:
        gate = await runtime.spawn(make)
        if by_deadline:
            with pytest.raises(AskTimeoutError):
                await gate.ask(Cancellable(), timeout=0.01)
        else:
            with anyio.move_on_after(0.01):
                await gate.ask(Cancellable())
        with anyio.fail_after(5):
            await gates[0].cancelled.wait()
        gates[0].gate.set()
        assert await gate.ask(Hold()) == "through"
        assert runtime.statistics().restarts == 0
        assert runtime.dead_letters.by_reason() == {"asker_cancelled": 1}
        assert runtime.statistics().conserved


async def test_cancel_with_asker_while_queued() -> None:
    """What nobody waits for, and was not begun, is not begun."""
    gates: list[Gate] = []

    def make() -> Gate:
        gates.append(Gate())
        return gates[-1]

    async with Runtime() as runtime:
        gate = await runtime.spawn(make)
        await gate.tell(Hold())
        with anyio.move_on_after(0.01):
            await gate.ask(Cancellable())
        gates[0].gate.set()
        await runtime.settle()
        assert runtime.statistics().handled == 1
        assert runtime.dead_letters.by_reason() == {"asker_cancelled": 1}


async def test_thousands_of_asks_leave_no_timers() -> None:
    """Deadlines that were met do not pile up."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter)
        for _ in range(2000):
            await counter.ask(Add(1), timeout=30)
        timers = runtime._world().timers
        assert len(timers._heap) < 100


@pytest.mark.parametrize("kind", ["ask", "tell"])
async def test_messages_are_freed_at_once(kind: str) -> None:
    """A message that was handled leaves no circle of references behind for the collector."""
    seen: list[weakref.ref[Message[int]]] = []

    @dataclass(frozen=True)
    class Weak(Message[int]):
        pass

    class Sees(Actor):
        @Weak.handler
        async def sees(self, message: Weak) -> int:
            seen.append(weakref.ref(message))
            await anyio.lowlevel.checkpoint()
            return 1

    gc.disable()
    try:
        async with Runtime() as runtime:
            sees = await runtime.spawn(Sees)
            for _ in range(100):
                await (sees.ask(Weak()) if kind == "ask" else sees.tell(Weak()))
            await runtime.settle()
            for _ in range(100):  # turns over the heap of deadlines, which keeps a few
                await sees.tell(Add(1))
            await runtime.settle()
            assert sum(one() is not None for one in seen) <= 70
    finally:
        gc.enable()
