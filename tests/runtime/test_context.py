"""The context of an actor: identity, forwarding, schedules, topics."""

from dataclasses import dataclass

import anyio
import anyio.lowlevel
import pytest

from callboard.runtime import (
    Actor,
    ActorRef,
    AskTimeoutError,
    HandlerError,
    MailboxFullError,
    MailboxOptions,
    Message,
    Runtime,
    Schedule,
    Topic,
)

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Who(Message[str]):
    pass


@dataclass(frozen=True, slots=True)
class AskWho(Message[str]):
    ref: ActorRef


@dataclass(frozen=True, slots=True)
class Slow(Message[str]):
    pass


@dataclass(frozen=True, slots=True)
class Fail(Message[str]):
    pass


@dataclass(frozen=True, slots=True)
class Tick(Message[None]):
    n: int = 0


@dataclass(frozen=True, slots=True)
class Begin(Message[None]):
    every: float | None = None


TICKS = Topic("ticks", Tick)


class Named(Actor):
    @Who.handler
    async def who(self, message: Who) -> str:
        sender = self.context.sender
        return "nobody" if sender is None else str(sender.address)

    @AskWho.handler
    async def ask_who(self, message: AskWho) -> str:
        return await message.ref.ask(Who())

    @Slow.handler
    async def slow(self, message: Slow) -> str:
        await anyio.sleep(60)
        return "late"

    @Fail.handler
    async def fail(self, message: Fail) -> str:
        raise KeyError("x")


class Desk(Actor):
    """Hands everything on."""

    def __init__(self, clerk: ActorRef) -> None:
        self.clerk = clerk

    @Who.handler
    async def who(self, message: Who) -> str:
        return await self.context.forward(self.clerk, message)

    @Slow.handler
    async def slow(self, message: Slow) -> str:
        return await self.context.forward(self.clerk, message)

    @Fail.handler
    async def fail(self, message: Fail) -> str:
        return await self.context.forward(self.clerk, message)

    @AskWho.handler
    async def ask_who(self, message: AskWho) -> str:
        return "free"


class Ticker(Actor):
    def __init__(self, heard: list[int], schedules: list[Schedule] | None = None) -> None:
        self.heard = heard
        self.schedules = schedules if schedules is not None else []

    async def on_start(self) -> None:
        self.context.subscribe(TICKS)

    @Begin.handler
    async def begin(self, message: Begin) -> None:
        self.schedules.append(self.context.schedule(0.005, Tick(1), every=message.every))

    @Tick.handler
    async def tick(self, message: Tick) -> None:
        self.heard.append(message.n)

    @Fail.handler
    async def fail(self, message: Fail) -> str:
        raise KeyError("x")


async def test_sender_and_ref() -> None:
    """A handler knows who sent its message, and what it sends says so."""
    async with Runtime(name="world") as runtime:
        a, b = await runtime.spawn(Named, name="a"), await runtime.spawn(Named, name="b")
        assert await a.ask(Who()) == "nobody"
        assert await a.ask(AskWho(b)) == "a"
        assert runtime.find(b.address) == b
        assert runtime.find("b") == b
        assert runtime.find("c") is None
        assert b.address.uri == "callboard://world/b"
        assert len({a, b, runtime.find("a")}) == 2


async def test_context_needs_a_runtime() -> None:
    """An actor that was not spawned says how it would be."""
    with pytest.raises(RuntimeError, match=r"runtime\.spawn\(Named"):
        _ = Named().context


async def test_context_exists_in_the_constructor() -> None:
    """An actor class can use its context from the first line on."""

    class Early(Actor):
        def __init__(self) -> None:
            self.name = self.context.ref.address.name

        @Who.handler
        async def who(self, message: Who) -> str:
            return self.name

    async with Runtime() as runtime:
        assert await (await runtime.spawn(Early, name="bird")).ask(Who()) == "bird"


async def test_deadline_in_a_handler() -> None:
    """The deadline of the message at hand is known, and infinite for a tell."""
    seen: list[float] = []

    class Punctual(Actor):
        @Who.handler
        async def who(self, message: Who) -> str:
            seen.append(self.context.deadline - anyio.current_time())
            return ""

    async with Runtime() as runtime:
        punctual = await runtime.spawn(Punctual)
        await punctual.ask(Who(), timeout=3.0)
        await punctual.tell(Who())
        await runtime.settle()
    assert 0 < seen[0] <= 3.0 + 1e-6
    assert seen[1] == float("inf")


async def test_references_do_not_pickle_but_addresses_do() -> None:
    """The error says what to pickle instead."""
    import pickle

    async with Runtime() as runtime:
        named = await runtime.spawn(Named)
        assert pickle.loads(pickle.dumps(named.address)) == named.address
        with pytest.raises(TypeError, match=r"pickle its \.address"):
            pickle.dumps(named)


async def test_forwarded_reply() -> None:
    """The reply, or the error, of the last actor reaches the asker; the desk itself is free."""
    async with Runtime() as runtime:
        clerk = await runtime.spawn(Named, name="clerk")
        desk = await runtime.spawn(Desk, clerk)
        assert await desk.ask(Who()) == "nobody"
        with pytest.raises(HandlerError) as caught:
            await desk.ask(Fail())
        assert str(caught.value.address) == "clerk"
        async with anyio.create_task_group() as group:
            group.start_soon(_expect_timeout, desk)
            await anyio.wait_all_tasks_blocked()
            assert await desk.ask(AskWho(desk)) == "free"
        await clerk.stop(timeout=0)
        assert runtime.statistics().conserved


async def _expect_timeout(desk: ActorRef) -> None:
    with pytest.raises(AskTimeoutError) as caught:
        await desk.ask(Slow(), timeout=0.02)
    assert str(caught.value.address) == "clerk"


async def test_forwarded_tell() -> None:
    """A tell is forwarded in the name of its sender."""
    heard: list[str] = []

    class Listener(Actor):
        @Who.handler
        async def who(self, message: Who) -> str:
            heard.append(str(self.context.sender))
            return ""

    async with Runtime() as runtime:
        desk = await runtime.spawn(Desk, await runtime.spawn(Listener))
        await desk.tell(Who())
        await runtime.settle()
    assert heard == ["None"]


async def test_forward_to_a_full_mailbox_keeps_the_duty() -> None:
    """If the other actor has no room, the asker learns of it from the first."""
    async with Runtime(shutdown_timeout=0) as runtime:
        clerk = await runtime.spawn(Named, mailbox=MailboxOptions(capacity=1, overflow="reject"))
        desk = await runtime.spawn(Desk, clerk, restart="temporary")
        await clerk.tell(Slow())
        await anyio.wait_all_tasks_blocked()
        await clerk.tell(Slow())
        with pytest.raises(HandlerError) as caught:
            await desk.ask(Slow())
        assert isinstance(caught.value.cause, MailboxFullError)


async def test_forward_outside_of_a_handler() -> None:
    """There is nothing to hand on outside of a handler."""

    class Eager(Actor):
        async def on_start(self) -> None:
            await self.context.forward(self.context.ref, Who())

    async with Runtime() as runtime:
        with pytest.raises(RuntimeError, match="inside a handler"):
            await runtime.spawn(Eager)


async def test_schedule_once_and_again() -> None:
    """A message is told later, once or until it is cancelled."""
    heard: list[int] = []
    schedules: list[Schedule] = []
    async with Runtime() as runtime:
        ticker = await runtime.spawn(Ticker, heard, schedules)
        await ticker.ask(Begin())
        with anyio.fail_after(5):
            while not heard:  # noqa: ASYNC110  the actor writes to a plain list
                await anyio.sleep(0.001)
        await ticker.ask(Begin(every=0.002))
        with anyio.fail_after(5):
            while len(heard) < 4:  # noqa: ASYNC110  the same
                await anyio.sleep(0.001)
        schedules[-1].cancel()
        await runtime.settle()
        before = len(heard)
        await anyio.sleep(0.01)
        assert len(heard) == before
        assert runtime.statistics().conserved


async def test_schedule_ends_with_its_incarnation() -> None:
    """After a restart, the old incarnation's schedules tell nothing."""
    heard: list[int] = []
    async with Runtime() as runtime:
        ticker = await runtime.spawn(Ticker, heard)
        await ticker.ask(Begin(every=0.003))
        with pytest.raises(HandlerError):
            await ticker.ask(Fail())
        await anyio.sleep(0.015)
        assert heard == []


@pytest.mark.parametrize(("delay", "every"), [(-1.0, None), (float("nan"), None), (1.0, 0.0)])
async def test_impossible_schedule(delay: float, every: float | None) -> None:
    """Times that cannot be are refused."""

    class Hasty(Actor):
        async def on_start(self) -> None:
            self.context.schedule(delay, Tick(), every=every)

    async with Runtime() as runtime:
        with pytest.raises(ValueError, match="seconds"):
            await runtime.spawn(Hasty)


async def test_publish_reaches_all_subscribers_in_order() -> None:
    """Every subscriber gets every message, in the order of publication."""
    heard: list[list[int]] = [[] for _ in range(10)]
    async with Runtime() as runtime:
        tickers = [await runtime.spawn(Ticker, one) for one in heard]
        for n in range(20):
            assert await runtime.publish(TICKS, Tick(n)) == 10
        await runtime.settle()
        assert heard == [list(range(20))] * 10
        runtime.unsubscribe(TICKS, tickers[0])
        await tickers[1].stop()
        assert await runtime.publish(TICKS, Tick(99)) == 8
        assert await runtime.publish(Topic("nobody", Tick), Tick(1)) == 0


async def test_publish_checks_the_type() -> None:
    """A topic carries one type."""
    async with Runtime() as runtime:
        with pytest.raises(TypeError, match="'ticks' carries Tick, got Who"):
            await runtime.publish(TICKS, Who())  # type: ignore[misc]


async def test_slow_subscriber_costs_only_itself() -> None:
    """A subscriber without room gets a dead letter in the end; the others are served at once."""

    class Stuck(Actor):
        @Tick.handler
        async def tick(self, message: Tick) -> None:
            await anyio.sleep(60)

    heard: list[int] = []
    async with Runtime(shutdown_timeout=0) as runtime:
        bound = MailboxOptions(capacity=1, overflow="reject")
        runtime.subscribe(TICKS, await runtime.spawn(Stuck, mailbox=bound))
        await runtime.spawn(Ticker, heard)
        for n in range(4):
            await runtime.publish(TICKS, Tick(n))
            await anyio.wait_all_tasks_blocked()
        assert heard == [0, 1, 2, 3]
        assert runtime.dead_letters.by_reason() == {"mailbox_full": 2}
        assert runtime.statistics().conserved


async def test_blocking_subscriber_is_waited_for() -> None:
    """A subscriber whose mailbox blocks slows the publisher down instead of losing messages."""
    heard: list[int] = []
    quick: list[int] = []

    class Careful(Ticker):
        @Tick.handler
        async def tick(self, message: Tick) -> None:
            await anyio.lowlevel.checkpoint()
            self.heard.append(message.n)

    async with Runtime() as runtime:
        await runtime.spawn(Careful, heard, mailbox=MailboxOptions(capacity=1))
        await runtime.spawn(Ticker, quick)
        for n in range(20):
            assert await runtime.publish(TICKS, Tick(n)) == 2
        await runtime.settle()
        assert heard == quick == list(range(20))
        assert runtime.statistics().conserved


async def test_failing_subscriber_is_supervised() -> None:
    """What a subscriber raises is its own supervision's business."""

    class Fragile(Actor):
        async def on_start(self) -> None:
            self.context.subscribe(TICKS)

        @Tick.handler
        async def tick(self, message: Tick) -> None:
            raise KeyError("x")

    heard: list[int] = []
    async with Runtime() as runtime:
        await runtime.spawn(Fragile)
        await runtime.spawn(Ticker, heard)
        assert await runtime.publish(TICKS, Tick(1)) == 2
        assert await runtime.publish(TICKS, Tick(2)) == 2
        await runtime.settle()
        assert heard == [1, 2]
        assert runtime.statistics().restarts == 2
