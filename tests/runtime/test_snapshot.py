"""Snapshots: what an incarnation hands on to the next, and actors that are put to rest."""

from dataclasses import dataclass
from typing import Any

import anyio
import pytest
import structlog

from callboard.runtime import Actor, Down, EscalatedError, HandlerError, Message, Runtime

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    n: int


@dataclass(frozen=True, slots=True)
class Fail(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class Later(Message[None]):
    delay: float


class Keeps(Actor):
    def __init__(self, log: list[str] | None = None) -> None:
        self.total = 0
        self.log = [] if log is None else log

    def snapshot(self) -> Any:
        self.log.append("snapshot")
        return {"total": self.total}

    def restore(self, state: Any) -> None:
        self.log.append("restore")
        self.total = state["total"]

    async def on_start(self) -> None:
        self.log.append("start")

    async def on_stop(self) -> None:
        self.log.append("stop")

    @Add.handler
    async def add(self, message: Add) -> int:
        self.total += message.n
        return self.total

    @Fail.handler
    async def fail(self, message: Fail) -> None:
        raise KeyError("x")

    @Later.handler
    async def later(self, message: Later) -> None:
        self.context.schedule(message.delay, Add(1))


async def test_state_survives_a_restart() -> None:
    """A snapshot is taken before the last words, and restored before the first ones."""
    log: list[str] = []
    async with Runtime() as runtime:
        keeps = await runtime.spawn(Keeps, log)
        await keeps.ask(Add(5))
        with pytest.raises(HandlerError):
            await keeps.ask(Fail())
        assert await keeps.ask(Add(1)) == 6
        assert log == ["start", "snapshot", "stop", "restore", "start"]


async def test_a_failing_snapshot_costs_the_state_only() -> None:
    """Without a snapshot the next incarnation starts from what spawn was given."""

    class Leaky(Keeps):
        def snapshot(self) -> Any:
            raise OSError("no")

    with structlog.testing.capture_logs() as logs:
        async with Runtime() as runtime:
            leaky = await runtime.spawn(Leaky)
            await leaky.ask(Add(5))
            await leaky.tell(Fail())
            assert await leaky.ask(Add(1)) == 1
    assert "snapshot failed" in [entry["event"] for entry in logs]


async def test_a_failing_restore_is_tried_once() -> None:
    """A snapshot that can't be restored counts as one failed start, not as an endless loop."""

    class Picky(Keeps):
        def restore(self, state: Any) -> None:
            raise ValueError("what is this?")

    async with Runtime() as runtime:
        picky = await runtime.spawn(Picky)
        await picky.ask(Add(5))
        await picky.tell(Fail())
        assert await picky.ask(Add(1)) == 1


async def until_passive(runtime: Runtime) -> None:
    with anyio.fail_after(5):
        while "passive" not in str(runtime.tree()):  # noqa: ASYNC110  nothing tells
            await anyio.sleep(0.005)


async def test_an_idle_actor_rests_and_wakes() -> None:
    """Rest takes the instance, not the address, the mailbox or the state it asked to keep."""
    log: list[str] = []
    async with Runtime() as runtime:
        keeps = await runtime.spawn(Keeps, log, name="keeps", passivate_after=0.01)
        assert await keeps.ask(Add(5)) == 5
        await until_passive(runtime)
        assert log == ["start", "snapshot", "stop"]
        assert runtime.find("keeps") == keeps
        assert await keeps.ask(Add(1)) == 6
        assert log == ["start", "snapshot", "stop", "restore", "start"]
        statistics = runtime.statistics()
        assert (statistics.restarts, statistics.actors) == (0, 1)
        await until_passive(runtime)
        assert await keeps.ask(Add(1)) == 7
        assert runtime.statistics().conserved


async def test_a_resting_actor_ends_like_others() -> None:
    """A stop ends it without waking it; its watcher gets one Down; asks fail."""
    log: list[str] = []
    downs: list[Down] = []

    class Watches(Actor):
        @Down.handler
        async def down(self, message: Down) -> None:
            downs.append(message)

    async with Runtime() as runtime:
        keeps = await runtime.spawn(Keeps, log, passivate_after=0.01)
        watcher = await runtime.spawn(Watches)
        watcher.endpoint.watch(keeps)  # type: ignore[attr-defined]  # what context.watch does
        await until_passive(runtime)
        await keeps.stop()
        await runtime.settle()
        assert log == ["start", "snapshot", "stop"]
        assert [down.ref for down in downs] == [keeps]


async def test_a_timer_wakes_a_resting_actor() -> None:
    """A message that is scheduled for later comes, rest or not."""
    async with Runtime() as runtime:
        keeps = await runtime.spawn(Keeps, passivate_after=0.01)
        await keeps.ask(Later(0.1))
        await until_passive(runtime)
        with anyio.fail_after(5):
            while await keeps.ask(Add(0)) == 0:  # noqa: ASYNC110  nothing tells
                await anyio.sleep(0.02)


async def test_a_busy_actor_does_not_rest() -> None:
    """Whoever handles a message, or has children, is not idle."""

    class Parent(Keeps):
        async def on_start(self) -> None:
            await self.context.spawn(Keeps)

    async with Runtime() as runtime:
        await runtime.spawn(Parent, name="parent", passivate_after=0.01)
        other = await runtime.spawn(Keeps, passivate_after=0.01)
        await until_passive(runtime)
        await anyio.sleep(0.05)
        (parent, child) = runtime.tree().actors
        assert parent.state == "running"
        assert child.address == other.address


async def test_a_failing_wake_is_a_failed_restart() -> None:
    """An actor that can't wake is tried again, and then given up like any other."""

    class Sleepy(Keeps):
        async def on_start(self) -> None:
            await super().on_start()
            if self.log.count("start") > 1:
                raise OSError("bad morning")

    log: list[str] = []
    with pytest.raises(EscalatedError) as caught:
        async with Runtime() as runtime:
            sleepy = await runtime.spawn(Sleepy, log, passivate_after=0.01)
            await until_passive(runtime)
            await sleepy.tell(Add(1))
            await anyio.sleep(60)
    assert isinstance(caught.value.cause, OSError)
    assert runtime.statistics().conserved
