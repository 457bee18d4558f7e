"""Failures: what restarts, what ends, what escalates, and what is no failure at all."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

import anyio
import anyio.lowlevel
import pytest
import structlog

from callboard.runtime import (
    Actor,
    ActorRef,
    ActorRestartedError,
    ActorStoppedError,
    AskTimeoutError,
    Backoff,
    EscalatedError,
    HandlerError,
    Message,
    Runtime,
    Supervision,
)
from callboard.runtime.supervision import Strategy

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    n: int


@dataclass(frozen=True, slots=True)
class Fail(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class Refuse(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class Wait(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class WaitFor(Message[None]):
    ref: ActorRef


class RefusedError(Exception):
    pass


class Counter(Actor):
    reply_errors: ClassVar = (RefusedError,)

    def __init__(self, log: list[str] | None = None) -> None:
        self.total = 0
        self.log = log if log is not None else []

    async def on_start(self) -> None:
        self.log.append("start")

    async def on_stop(self) -> None:
        self.log.append("stop")

    async def on_restart(self, error: BaseException) -> None:
        self.log.append(f"restart after {type(error).__name__}")

    @Add.handler
    async def add(self, message: Add) -> int:
        self.total += message.n
        return self.total

    @Fail.handler
    async def fail(self, message: Fail) -> None:
        raise KeyError("secret-free")

    @Refuse.handler
    async def refuse(self, message: Refuse) -> None:
        raise RefusedError("no")

    @Wait.handler(reentrant=True)
    async def wait(self, message: Wait) -> None:
        await anyio.sleep(60)

    @WaitFor.handler
    async def wait_for(self, message: WaitFor) -> None:
        await message.ref.ask(Wait(), timeout=60)


async def test_restart_discards_state_and_keeps_the_mailbox() -> None:
    """A failure costs the state and its own message, never the messages behind it."""
    log: list[str] = []
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter, log)
        await counter.ask(Add(5))
        for message in (Fail(), Add(1), Add(1)):
            counter.tell_nowait(message)
        assert await counter.ask(Add(1)) == 3
        assert log == ["start", "stop", "restart after KeyError"]
        statistics = runtime.statistics()
        assert (statistics.failed, statistics.handled, statistics.restarts) == (1, 4, 1)
        assert statistics.conserved


async def test_failure_of_an_ask_restarts_too() -> None:
    """The asker gets the error, supervision gets the failure."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter)
        await counter.ask(Add(5))
        with pytest.raises(HandlerError):
            await counter.ask(Fail())
        assert await counter.ask(Add(1)) == 1
        assert runtime.statistics().restarts == 1


async def test_reply_errors_are_answers() -> None:
    """A declared error reaches the asker as it is, and nothing restarts."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter)
        await counter.ask(Add(5))
        with pytest.raises(RefusedError, match="no"):
            await counter.ask(Refuse())
        assert await counter.ask(Add(1)) == 6
        assert runtime.statistics().restarts == 0
        assert runtime.statistics().failed == 0


async def test_expired_deadline_is_no_failure() -> None:
    """A handler that runs into its asker's own deadline has not failed."""
    async with Runtime() as runtime:
        counter, other = await runtime.spawn(Counter), await runtime.spawn(Counter)
        await counter.ask(Add(5))
        with pytest.raises(AskTimeoutError):
            await counter.ask(WaitFor(other), timeout=0.01)
        assert await counter.ask(Add(1)) == 6
        assert runtime.statistics().restarts == 0
        await other.stop(timeout=0)


async def test_interrupted_asks_are_told() -> None:
    """A restart ends the handlers that run beside the failed one; their askers learn of it."""
    ends: list[type[BaseException]] = []

    async def ask(counter: ActorRef) -> None:
        with pytest.raises(ActorRestartedError) as caught:
            await counter.ask(Wait())
        ends.append(caught.type)

    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter)
        async with anyio.create_task_group() as group:
            group.start_soon(ask, counter)
            group.start_soon(ask, counter)
            await anyio.wait_all_tasks_blocked()
            await counter.tell(Fail())
        assert len(ends) == 2
        assert runtime.dead_letters.by_reason() == {"restarted": 2}
        assert runtime.statistics().conserved


async def test_temporary_ends() -> None:
    """A temporary actor ends at its first failure; what is queued becomes dead letters."""
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter, restart="temporary")
        counter.tell_nowait(Fail())
        counter.tell_nowait(Add(1))
        with pytest.raises(ActorStoppedError):
            await counter.ask(Add(1))
        down = await runtime.watch(counter)
        assert down.reason == "failed"
        assert isinstance(down.error, KeyError)
        assert runtime.statistics().conserved


async def test_escalation_of_a_top_level_actor_ends_the_runtime() -> None:
    """Too many failures come out of the runtime as one typed error."""
    with pytest.raises(EscalatedError, match="3 times within 60 s") as caught:
        async with Runtime(supervision=Supervision(max_restarts=2, period=60)) as runtime:
            counter = await runtime.spawn(Counter, name="counter")
            for _ in range(5):
                await counter.tell(Fail())
            await anyio.sleep(60)
    assert str(caught.value.address) == "counter"
    assert isinstance(caught.value.cause, KeyError)


async def test_own_terms_of_supervision() -> None:
    """Terms given to spawn hold for that actor."""
    with pytest.raises(EscalatedError):
        async with Runtime() as runtime:
            counter = await runtime.spawn(Counter, supervision=Supervision(max_restarts=0))
            await counter.tell(Fail())
            await anyio.sleep(60)


async def test_escalation_to_a_parent_restarts_the_parent() -> None:
    """An actor that has used up its restarts fails its parent, which starts its children anew."""
    log: list[str] = []
    children: list[ActorRef] = []

    class Parent(Actor):
        async def on_start(self) -> None:
            terms = Supervision(max_restarts=1, period=60)
            children.append(await self.context.spawn(Counter, log, name="child", supervision=terms))

        async def on_restart(self, error: BaseException) -> None:
            log.append(type(error).__name__)
            await self.on_start()

        @Fail.handler
        async def fail(self, message: Fail) -> None:
            await children[-1].tell(message)

    async with Runtime() as runtime:
        parent = await runtime.spawn(Parent, name="parent")
        for _ in range(2):
            await parent.tell(Fail())
        await runtime.settle()
        assert "EscalatedError" in log
        assert len(children) == 2
        assert str(children[-1].address) == "parent/child"
        assert await children[-1].ask(Add(1)) == 1
        assert runtime.statistics().conserved


@pytest.mark.parametrize(
    ("strategy", "restarted"),
    [("one_for_one", ["b"]), ("one_for_all", ["a", "b", "c"]), ("rest_for_one", ["b", "c"])],
)
async def test_strategies(strategy: Strategy, restarted: list[str]) -> None:
    """A strategy says which siblings start anew with the one that failed."""
    async with Runtime(supervision=Supervision(strategy)) as runtime:
        refs = {name: await runtime.spawn(Counter, name=name) for name in "abc"}
        other = await runtime.spawn(Counter, name="temporary", restart="temporary")
        for ref in (*refs.values(), other):
            await ref.ask(Add(1))
        await refs["b"].tell(Fail())
        await runtime.settle()
        assert [name for name, ref in refs.items() if await ref.ask(Add(0)) == 0] == restarted
        assert (runtime.find("temporary") is None) is (strategy != "one_for_one")
        assert runtime.statistics().conserved


async def test_failing_restart_is_a_failure() -> None:
    """An actor that cannot start anew is tried again, and then given up."""
    starts: list[int] = []

    class Fragile(Actor):
        def __init__(self) -> None:
            starts.append(1)
            if len(starts) > 1:
                raise OSError("still broken")

        @Fail.handler
        async def fail(self, message: Fail) -> None:
            raise KeyError("x")

    with pytest.raises(EscalatedError) as caught:
        async with Runtime() as runtime:
            fragile = await runtime.spawn(Fragile)
            await fragile.tell(Fail())
            await anyio.sleep(60)
    assert isinstance(caught.value.cause, OSError)
    assert len(starts) == 4  # the first, and three attempts to restart


async def test_failing_start_comes_out_of_spawn() -> None:
    """What on_start or the constructor raises reaches whoever spawns, as it is; nothing lives."""

    class Broken(Actor):
        async def on_start(self) -> None:
            await self.context.spawn(Counter, name="child")
            raise OSError("no disk")

    class Unmade(Actor):
        def __init__(self) -> None:
            raise ValueError("no")

    async with Runtime() as runtime:
        with pytest.raises(OSError, match="no disk"):
            await runtime.spawn(Broken, name="broken")
        with pytest.raises(ValueError, match="no"):
            await runtime.spawn(Unmade)
        assert runtime.statistics().actors == 0
        assert await (await runtime.spawn(Counter, name="broken")).ask(Add(1)) == 1


async def test_backoff_waits_before_the_restart() -> None:
    """With a backoff, the restart comes later; messages wait for it, and a stop cuts it short."""
    terms = Supervision(backoff=Backoff(initial=0.02, jitter=0))
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter, supervision=terms)
        before = anyio.current_time()
        await counter.tell(Fail())
        assert await counter.ask(Add(1)) == 1
        assert anyio.current_time() - before >= 0.02
        slow = await runtime.spawn(
            Counter, supervision=Supervision(backoff=Backoff(initial=60, maximum=60))
        )
        await slow.tell(Fail())
        await anyio.wait_all_tasks_blocked()
        assert "restarting" in str(runtime.tree())
        slow.tell_nowait(Add(1))
        with anyio.fail_after(5):
            await slow.stop()
        assert runtime.statistics().conserved


async def test_failure_is_logged_without_values() -> None:
    """The log says who failed, how, where and what follows; never what variables held."""
    with structlog.testing.capture_logs() as logs:
        async with Runtime() as runtime:
            counter = await runtime.spawn(Counter, name="counter")
            await counter.tell(Fail())
            await runtime.settle()
    entry, restarted = logs
    assert (restarted["event"], restarted["log_level"]) == ("actor restarted", "info")
    assert entry["log_level"] == "error"
    assert entry["action"] == "restart"
    assert "KeyError" in entry["exception"]
    assert "in fail" in entry["exception"]


async def test_failing_on_stop_is_only_logged() -> None:
    """Last words that fail change nothing about the end."""

    class Bitter(Actor):
        async def on_stop(self) -> None:
            raise RuntimeError("never!")

    with structlog.testing.capture_logs() as logs:
        async with Runtime() as runtime:
            bitter = await runtime.spawn(Bitter)
            await bitter.stop()
            assert (await runtime.watch(bitter)).reason == "stopped"
    assert logs[0]["event"] == "on_stop failed"


async def test_keyboard_interrupt_in_a_handler_ends_the_program() -> None:
    """An interrupt is nobody's failure: it comes out of the runtime as itself."""

    class Interrupted(Actor):
        @Fail.handler
        async def fail(self, message: Fail) -> None:
            await anyio.lowlevel.checkpoint()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with Runtime() as runtime:
            await (await runtime.spawn(Interrupted)).tell(Fail())
            await anyio.sleep(60)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_cancellation_of_something_else_is_a_failure(at_once: bool) -> None:
    """On asyncio a handler can await a future that somebody cancels: that is its failure."""

    class Awaits(Actor):
        @Add.handler
        async def add(self, message: Add) -> int:
            future = asyncio.get_running_loop().create_future()
            if at_once:
                future.cancel()
            else:
                asyncio.get_running_loop().call_soon(future.cancel)
            await future
            return 1

        @Fail.handler
        async def fail(self, message: Fail) -> None:
            pass

    async with Runtime() as runtime:
        awaits = await runtime.spawn(Awaits)
        with pytest.raises(HandlerError) as caught:
            await awaits.ask(Add(1))
        assert isinstance(caught.value.cause, asyncio.CancelledError)
        await awaits.ask(Fail())
        assert runtime.statistics().restarts == 1
        assert runtime.statistics().conserved
