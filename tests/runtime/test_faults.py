"""Faults of every kind: nothing hangs, nothing is lost silently, and everything is counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

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
    EscalatedError,
    HandlerError,
    Message,
    Runtime,
    Supervision,
    winding_down,
)

pytestmark = pytest.mark.anyio

PATIENT = Supervision(max_restarts=10**6)


@dataclass(frozen=True, slots=True)
class Do(Message[int]):
    what: str
    cancel_with_asker: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Beside(Message[int]):
    what: str


class Faulty(Actor):
    """Does what it is told to, and worse."""

    def __init__(self, other: ActorRef | None = None, gate: anyio.Event | None = None) -> None:
        self.other = other
        self.gate = gate

    @Do.handler
    async def do(self, message: Do) -> int:
        match message.what:
            case "raise":
                raise KeyError("planned")
            case "hang":
                await anyio.sleep_forever()
            case "swallow":
                try:
                    await anyio.sleep_forever()
                except anyio.get_cancelled_exc_class():
                    return 7
            case "shield":
                assert self.gate is not None
                with anyio.CancelScope(shield=True):
                    await self.gate.wait()
            case "reply twice":
                assert self.other is not None
                await self.context.forward(self.other, Do("work"))
                return 2  # not the token: a second reply to one ask
            case "fail after forwarding":
                assert self.other is not None
                await self.context.forward(self.other, Do("work"))
                raise KeyError("planned")
            case _:
                await anyio.lowlevel.checkpoint()
        return 1

    @Beside.handler(reentrant=True)
    async def beside(self, message: Beside) -> int:
        await anyio.sleep_forever()
        return 1


@asynccontextmanager
async def checked(**kwargs: Any) -> AsyncIterator[Runtime]:
    """A runtime that must end in time with its numbers adding up."""
    with anyio.fail_after(20):
        async with Runtime(supervision=PATIENT, shutdown_timeout=0, **kwargs) as runtime:
            yield runtime
            assert runtime.statistics().conserved, runtime.statistics()
    statistics = runtime.statistics()
    assert statistics.conserved, statistics
    assert statistics.queued == statistics.active == statistics.actors == 0, statistics


async def test_a_handler_that_raises() -> None:
    """Its asker is told, its teller is not, and the actor goes on."""
    async with checked() as runtime:
        faulty = await runtime.spawn(Faulty)
        with pytest.raises(HandlerError):
            await faulty.ask(Do("raise"))
        await faulty.tell(Do("raise"))
        assert await faulty.ask(Do("work")) == 1
        assert runtime.statistics().failed == 2


async def test_a_handler_that_hangs() -> None:
    """The deadline releases the asker; what is declared so is cancelled, and the actor goes on."""
    async with checked() as runtime:
        faulty = await runtime.spawn(Faulty)
        with pytest.raises(AskTimeoutError, match="handling"):
            await faulty.ask(Do("hang"), timeout=0.02)
        assert await faulty.ask(Do("work")) == 1
        assert runtime.dead_letters.by_reason() == {"asker_cancelled": 1}


async def test_a_handler_that_swallows_its_cancellation() -> None:
    """It gets away with returning: the message counts as handled, its reply as late."""
    async with checked() as runtime:
        faulty = await runtime.spawn(Faulty)
        with pytest.raises(AskTimeoutError):
            await faulty.ask(Do("swallow"), timeout=0.02)
        assert await faulty.ask(Do("work")) == 1
        assert runtime.statistics().handled == 2
        assert runtime.statistics().late_replies == 1


async def test_a_handler_that_shields_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its actor ends without it; leaving the runtime waits for its task, and says so."""
    monkeypatch.setattr(winding_down, "GRACE", 0.02)
    gate = anyio.Event()
    with structlog.testing.capture_logs() as logs:
        async with anyio.create_task_group() as group, checked() as runtime:
            faulty = await runtime.spawn(Faulty, None, gate, name="faulty")
            await faulty.tell(Do("shield"))
            await anyio.wait_all_tasks_blocked()
            await faulty.stop(timeout=0)
            assert runtime.statistics().active == 1

            async def open_gate() -> None:
                await anyio.sleep(0.1)
                gate.set()

            group.start_soon(open_gate)
    waiting = [entry for entry in logs if "runtime waits" in entry["event"]]
    assert waiting
    assert waiting[0]["message"] == "Do"
    assert waiting[0]["at"].startswith("Faulty.do (")


@pytest.mark.parametrize("what", ["reply twice", "fail after forwarding"])
async def test_a_handler_that_replies_twice(what: str) -> None:
    """Who has handed the duty to reply on can't reply any more: the asker hears one actor."""
    async with checked() as runtime:
        other = await runtime.spawn(Faulty)
        faulty = await runtime.spawn(Faulty, other)
        assert await faulty.ask(Do(what)) == 1
        await runtime.settle()
        assert runtime.statistics().accepted == 2


async def test_an_actor_that_never_replies() -> None:
    """An ask without a reply ends with its deadline, whatever the handler goes on doing."""
    async with checked() as runtime:
        faulty = await runtime.spawn(Faulty)
        with pytest.raises(AskTimeoutError):
            await faulty.ask(Beside("hang"), timeout=0.02)
        assert runtime.statistics().active == 1


class Dies(Actor):
    """Dies in the hooks that it is told to."""

    def __init__(self, log: list[str], *hooks: str) -> None:
        self.log = log
        self.hooks = hooks

    async def _enter(self, hook: str) -> None:
        self.log.append(hook)
        await anyio.lowlevel.checkpoint()
        if hook in self.hooks:
            raise OSError(hook)

    async def on_start(self) -> None:
        await self._enter("start")

    async def on_stop(self) -> None:
        await self._enter("stop")

    async def on_restart(self, error: BaseException) -> None:
        await self._enter("restart")

    @Do.handler
    async def do(self, message: Do) -> int:
        raise KeyError("planned")

    @Beside.handler(reentrant=True)
    async def beside(self, message: Beside) -> int:
        await anyio.sleep_forever()
        return 1


async def test_death_in_on_start() -> None:
    """What on_start raises comes out of spawn; the name is free, on_stop does not run."""
    log: list[str] = []
    async with checked() as runtime:
        with pytest.raises(OSError, match="start"):
            await runtime.spawn(Dies, log, "start", name="dies")
        assert log == ["start"] or log == ["start", "stop"]
        assert runtime.find("dies") is None


async def test_death_in_on_stop() -> None:
    """An actor whose last words fail has ended, and restarts, all the same."""
    log: list[str] = []
    async with checked() as runtime:
        dies = await runtime.spawn(Dies, log, "stop")
        await dies.tell(Do(""))
        await runtime.settle()
        assert log == ["start", "stop", "restart"]
        await dies.stop()
        assert (await runtime.watch(dies)).reason == "stopped"


async def test_death_during_a_restart() -> None:
    """A restart that fails again and again escalates; asks that waited for it are told."""
    ends: list[type[BaseException]] = []

    async def ask(ref: ActorRef) -> None:
        with pytest.raises((ActorRestartedError, ActorStoppedError)) as caught:
            await ref.ask(Beside(""))
        ends.append(caught.type)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            with pytest.raises(EscalatedError) as caught:
                async with Runtime(supervision=Supervision(max_restarts=3)) as runtime:
                    dies = await runtime.spawn(Dies, [], "restart")
                    group.start_soon(ask, dies)
                    await anyio.wait_all_tasks_blocked()
                    dies.tell_nowait(Do(""))
                    group.start_soon(ask, dies)
                    await anyio.sleep_forever()
    assert isinstance(caught.value.cause, OSError)
    assert ends == [ActorRestartedError, ActorStoppedError]
    assert runtime.statistics().conserved


async def test_many_messages_to_a_dead_address() -> None:
    """Each is a counted dead letter; memory keeps the last thousand."""
    async with checked() as runtime:
        faulty = await runtime.spawn(Faulty)
        await faulty.stop()
        for _ in range(20_000):
            faulty.tell_nowait(Do("work"))
        assert len(runtime.dead_letters) == 20_000
        assert len(list(runtime.dead_letters)) == 1000


async def test_stop_during_a_storm_of_crashes() -> None:
    """Everybody sends, crashes, restarts in groups and is stopped: nobody waits for ever."""
    terms = Supervision("one_for_all", max_restarts=10**6)
    async with checked() as runtime:
        refs = [await runtime.spawn(Faulty, supervision=terms) for _ in range(5)]
        kinds = ("work", "raise", "hang", "swallow")

        async def storm(n: int) -> None:
            while True:
                try:
                    await refs[n % 5].ask(Do(kinds[n % 4]), timeout=0.01)
                except ActorStoppedError:
                    return
                except (HandlerError, AskTimeoutError, ActorRestartedError):
                    pass

        async with anyio.create_task_group() as group:
            for n in range(20):
                group.start_soon(storm, n)
            await anyio.sleep(0.1)
            await runtime.stop(timeout=0)


@pytest.mark.parametrize("turns", range(12))
async def test_cancelled_anywhere(turns: int) -> None:
    """Wherever a runtime is cancelled, it ends in order and its numbers add up."""
    runtime = Runtime(supervision=PATIENT)

    async def live() -> None:
        async with runtime:
            faulty = await runtime.spawn(Faulty)
            while True:
                await faulty.tell(Do("work"))
                await faulty.ask(Do("work"))
                await faulty.tell(Do("raise"))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(live)
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
    if runtime._kernel is not None:
        assert runtime.statistics().conserved
        assert runtime.statistics().actors == 0
