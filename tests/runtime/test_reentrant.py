"""Reentrant handlers: started in order, then waiting for nobody, bounded and cancellable."""

from dataclasses import dataclass

import anyio
import anyio.lowlevel
import pytest

from callboard.runtime import Actor, MailboxFullError, MailboxOptions, Message, Runtime

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Generate(Message[str]):
    """Takes long, as a model call does."""


@dataclass(frozen=True, slots=True)
class Configure(Message[None]):
    value: str


@dataclass(frozen=True, slots=True)
class Block(Message[None]):
    pass


class Model(Actor):
    def __init__(self, gate: anyio.Event, log: list[str]) -> None:
        self.gate = gate
        self.log = log
        self.value = "none"

    @Generate.handler(reentrant=True)
    async def generate(self, message: Generate) -> str:
        self.log.append(f"begin {self.value}")
        await self.gate.wait()
        return self.value

    @Configure.handler
    async def configure(self, message: Configure) -> None:
        self.value = message.value

    @Block.handler
    async def block(self, message: Block) -> None:
        self.log.append("block")
        await self.gate.wait()


async def test_others_are_not_kept_waiting() -> None:
    """While a reentrant handler waits, other messages are handled, and more of its kind start."""
    gate, log = anyio.Event(), list[str]()
    async with Runtime() as runtime:
        model = await runtime.spawn(Model, gate, log)
        for value in "abc":
            await model.tell(Configure(value))
            await model.tell(Generate())
        await anyio.wait_all_tasks_blocked()
        assert log == ["begin a", "begin b", "begin c"] or log == ["begin c"] * 3
        with anyio.fail_after(5):
            await model.ask(Configure("d"))
        assert runtime.statistics().active == 3
        gate.set()
        assert await model.ask(Generate()) == "d"
        await runtime.settle()
        assert runtime.statistics().handled == 8
        assert runtime.statistics().conserved


async def test_they_start_in_order() -> None:
    """A message sent before a reentrant one is handled before that starts."""
    gate, log = anyio.Event(), list[str]()
    async with Runtime() as runtime:
        model = await runtime.spawn(Model, gate, log)
        await model.tell(Configure("first"))
        await model.tell(Generate())
        await anyio.wait_all_tasks_blocked()
        assert log == ["begin first"]
        gate.set()


async def test_they_start_beside_a_suspended_handler() -> None:
    """A reentrant message at the head does not wait for the exclusive handler before it."""
    gate, log = anyio.Event(), list[str]()
    async with Runtime() as runtime:
        model = await runtime.spawn(Model, gate, log)
        model.tell_nowait(Block())
        model.tell_nowait(Generate())
        await anyio.wait_all_tasks_blocked()
        model.tell_nowait(Generate())
        await anyio.wait_all_tasks_blocked()
        assert log == ["block", "begin none", "begin none"]
        gate.set()
        await runtime.settle()
        assert runtime.statistics().conserved


async def test_they_are_bounded() -> None:
    """Running handlers count against the capacity, so concurrency is bounded."""
    gate, log = anyio.Event(), list[str]()
    async with Runtime() as runtime:
        model = await runtime.spawn(Model, gate, log, mailbox=MailboxOptions(capacity=3))
        for _ in range(3):
            await model.tell(Generate())
            await anyio.wait_all_tasks_blocked()
        with pytest.raises(MailboxFullError):
            model.tell_nowait(Generate())
        async with anyio.create_task_group() as group:
            group.start_soon(model.tell, Generate())
            await anyio.wait_all_tasks_blocked()
            assert len(log) == 3
            gate.set()
        await runtime.settle()
        assert len(log) == 4
        assert runtime.statistics().conserved


async def test_stop_ends_them() -> None:
    """Stopping an actor waits for its running handlers, and then cancels them."""
    gate, log = anyio.Event(), list[str]()
    async with Runtime() as runtime:
        model = await runtime.spawn(Model, gate, log)
        for _ in range(3):
            await model.tell(Generate())
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(5):
            await model.stop(timeout=0.01)
        assert runtime.dead_letters.by_reason() == {"stopped": 3}
        assert runtime.statistics().active == 0
        assert runtime.statistics().conserved


async def test_others_come_one_at_a_time() -> None:
    """However long a handler takes, no other one of the actor starts before it has ended."""

    @dataclass(frozen=True, slots=True)
    class Turn(Message[int]):
        pass

    class Single(Actor):
        def __init__(self) -> None:
            self.inside = 0
            self.most = 0

        @Turn.handler
        async def turn(self, message: Turn) -> int:
            self.inside += 1
            self.most = max(self.most, self.inside)
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
            self.inside -= 1
            return self.most

    async with Runtime() as runtime:
        single = await runtime.spawn(Single)
        for _ in range(5):
            await single.tell(Turn())
        assert await single.ask(Turn()) == 1
