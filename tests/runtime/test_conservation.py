"""No message is lost, no ask hangs: a runtime under any order of sends, failures and ends."""

from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import anyio
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from callboard.runtime import (
    Actor,
    ActorError,
    ActorRef,
    MailboxOptions,
    Message,
    Runtime,
    Supervision,
    Topic,
)
from callboard.runtime.mailbox import Overflow
from callboard.runtime.supervision import Restart, Strategy


@dataclass(frozen=True, slots=True)
class Quick(Message[int]):
    n: int


@dataclass(frozen=True, slots=True)
class Gated(Message[int]):
    """Handled when the gate opens next."""

    cancel_with_asker: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Beside(Message[int]):
    """As Gated, but reentrant."""


@dataclass(frozen=True, slots=True)
class Fail(Message[int]):
    pass


@dataclass(frozen=True, slots=True)
class AskOther(Message[int]):
    """Ask another actor, whoever that is; cycles included."""

    other: ActorRef
    message: Message[int]


@dataclass(frozen=True, slots=True)
class HandOn(Message[int]):
    other: ActorRef
    message: Message[int]


@dataclass(frozen=True, slots=True)
class Unknown(Message[int]):
    pass


TOPIC = Topic("everything", Message)


class Gate:
    """Opens for everybody who waits, and closes again."""

    def __init__(self) -> None:
        self.event = anyio.Event()

    async def wait(self) -> None:
        await self.event.wait()

    def open(self) -> None:
        self.event.set()
        self.event = anyio.Event()


class Subject(Actor):
    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    async def on_start(self) -> None:
        self.context.subscribe(TOPIC)

    @Quick.handler
    async def quick(self, message: Quick) -> int:
        return message.n

    @Gated.handler
    async def gated(self, message: Gated) -> int:
        await self.gate.wait()
        return 0

    @Beside.handler(reentrant=True)
    async def beside(self, message: Beside) -> int:
        await self.gate.wait()
        return 0

    @Fail.handler
    async def fail(self, message: Fail) -> int:
        await anyio.lowlevel.checkpoint()
        raise KeyError("planned")

    @AskOther.handler
    async def ask_other(self, message: AskOther) -> int:
        return await message.other.ask(message.message, timeout=10)

    @HandOn.handler
    async def hand_on(self, message: HandOn) -> int:
        return await self.context.forward(message.other, message.message)


LEAVES: st.SearchStrategy[Message[int]] = st.one_of(
    st.builds(Quick, st.integers()),
    st.just(Gated()),
    st.just(Beside()),
    st.just(Fail()),
    st.just(Unknown()),
)


class World(RuleBasedStateMachine):
    """Drives a runtime on a loop of its own, from outside."""

    backend = "asyncio"
    backend_options: ClassVar[dict[str, Any]] = {}
    refs = Bundle("refs")

    def __init__(self) -> None:
        super().__init__()
        self.asks: list[Future[None]] = []
        self.manager: AbstractContextManager[BlockingPortal] = start_blocking_portal(
            self.backend, self.backend_options
        )
        self.portal = self.manager.__enter__()
        terms = Supervision(max_restarts=10**6)
        self.runtime = Runtime(supervision=terms, shutdown_timeout=0)
        self.entered = self.portal.wrap_async_context_manager(self.runtime)
        self.entered.__enter__()
        self.gate = self.portal.call(Gate)

    async def one_ask(self, ref: ActorRef, message: Message[int], timeout: float) -> None:
        with suppress(ActorError, KeyError):
            await ref.ask(message, timeout=timeout)

    @rule(
        target=refs,
        capacity=st.integers(1, 3),
        overflow=st.sampled_from(["block", "reject", "drop_oldest", "drop_newest"]),
        restart=st.sampled_from(["permanent", "transient", "temporary"]),
        redeliver=st.integers(0, 2),
        rated=st.booleans(),
        strategy=st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"]),
        passivate_after=st.sampled_from([None, 0.001]),
    )
    def spawn(
        self,
        capacity: int,
        overflow: Overflow,
        restart: Restart,
        redeliver: int,
        rated: bool,
        strategy: Strategy,
        passivate_after: float | None,
    ) -> ActorRef:
        async def spawn() -> ActorRef:
            options = MailboxOptions(
                capacity=capacity,
                overflow=overflow,
                redeliver=redeliver,
                priority=(lambda message: len(type(message).__name__)) if rated else None,
            )
            return await self.runtime.spawn(
                Subject,
                self.gate,
                mailbox=options,
                restart=restart,
                supervision=Supervision(strategy, max_restarts=10**6),
                passivate_after=passivate_after,
            )

        return self.portal.call(spawn)

    @rule(ref=refs, message=LEAVES, count=st.integers(1, 4))
    def tell(self, ref: ActorRef, message: Message[int], count: int) -> None:
        async def tell() -> None:
            for _ in range(count):
                with suppress(ActorError):
                    await ref.tell(message, timeout=0.001)

        self.portal.call(tell)

    @rule(ref=refs, message=LEAVES, timeout=st.sampled_from([0.002, 10.0]))
    def ask(self, ref: ActorRef, message: Message[int], timeout: float) -> None:
        self.asks.append(self.portal.start_task_soon(self.one_ask, ref, message, timeout))

    @rule(ref=refs, other=refs, message=LEAVES, kind=st.sampled_from([AskOther, HandOn]))
    def ask_through(self, ref: ActorRef, other: ActorRef, message: Any, kind: Any) -> None:
        wrapped = kind(other, message)
        self.asks.append(self.portal.start_task_soon(self.one_ask, ref, wrapped, 10.0))

    @rule(data=st.data())
    def cancel_an_ask(self, data: st.DataObject) -> None:
        if self.asks:
            data.draw(st.sampled_from(self.asks)).cancel()

    @rule(message=LEAVES)
    def publish(self, message: Message[int]) -> None:
        async def publish() -> None:
            with anyio.move_on_after(0.002):
                await self.runtime.publish(TOPIC, message)

        self.portal.call(publish)

    @rule()
    def open_gate(self) -> None:
        self.portal.call(self.gate.open)

    @rule(ref=refs, timeout=st.sampled_from([0.0, 0.002]))
    def stop(self, ref: ActorRef, timeout: float) -> None:
        async def stop() -> None:
            with anyio.fail_after(5):
                await ref.stop(timeout=timeout)

        self.portal.call(stop)

    @rule()
    def let_run(self) -> None:
        self.portal.call(anyio.sleep, 0.001)

    @invariant()
    def conserved(self) -> None:
        statistics = self.portal.call(self.runtime.statistics)
        assert statistics.conserved, statistics

    def teardown(self) -> None:
        try:
            self.entered.__exit__(None, None, None)
            statistics = self.portal.call(self.runtime.statistics)
            assert statistics.conserved, statistics
            assert statistics.queued == statistics.active == statistics.actors == 0
            for ask in self.asks:
                try:
                    ask.result(timeout=5)
                except CancelledError:
                    pass
                except FutureTimeoutError:
                    pytest.fail("an ask is still waiting after the end of its runtime")
        finally:
            self.portal.call(self.portal.stop, True)
            self.manager.__exit__(None, None, None)


class TrioWorld(World):
    """The same on trio."""

    backend = "trio"


class UvloopWorld(World):
    """The same on uvloop."""

    backend_options: ClassVar[dict[str, Any]] = {"use_uvloop": True}


PROFILE = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestOnAsyncio = World.TestCase
TestOnAsyncio.settings = PROFILE
TestOnUvloop = UvloopWorld.TestCase
TestOnUvloop.settings = PROFILE
TestOnTrio = TrioWorld.TestCase
TestOnTrio.settings = PROFILE
