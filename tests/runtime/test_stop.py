"""Ends: of an actor, of a family, of the runtime. Nothing waits for ever."""

from dataclasses import dataclass

import anyio
import pytest

from callboard.runtime import (
    Actor,
    ActorRef,
    ActorStoppedError,
    Down,
    Message,
    NameTakenError,
    Runtime,
)

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Work(Message[str]):
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StopYourself(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class StopParent(Message[None]):
    parent: ActorRef


class Worker(Actor):
    def __init__(self, log: list[str], name: str = "worker", children: int = 0) -> None:
        self.log = log
        self.name = name
        self.children = children

    async def on_start(self) -> None:
        for n in range(self.children):
            await self.context.spawn(Worker, self.log, f"{self.name}.{n}")

    async def on_stop(self) -> None:
        self.log.append(f"{self.name} stopped")

    @Work.handler
    async def work(self, message: Work) -> str:
        await anyio.sleep(message.seconds)
        self.log.append(f"{self.name} worked")
        return "done"

    @StopYourself.handler
    async def stop_yourself(self, message: StopYourself) -> None:
        await self.context.ref.stop()

    @StopParent.handler
    async def stop_parent(self, message: StopParent) -> None:
        await message.parent.stop(timeout=0)


class Watcher(Actor):
    def __init__(self, downs: list[Down]) -> None:
        self.downs = downs

    @Work.handler
    async def work(self, message: Work) -> str:
        return "fine"

    @Down.handler
    async def down(self, message: Down) -> None:
        self.downs.append(message)


class Watch(Watcher):
    """Watches an actor as soon as it starts."""

    def __init__(self, downs: list[Down], ref: ActorRef) -> None:
        super().__init__(downs)
        self.ref = ref

    async def on_start(self) -> None:
        self.context.watch(self.ref)
        self.context.watch(self.ref)


async def test_stop_handles_what_is_queued_first() -> None:
    """A stop is orderly: what was accepted is handled, then comes the end."""
    log: list[str] = []
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, log)
        for _ in range(3):
            await worker.tell(Work())
        await worker.stop()
        assert log == ["worker worked"] * 3 + ["worker stopped"]
        await worker.stop()
        assert runtime.statistics().actors == 0


async def test_stop_cancels_after_its_timeout() -> None:
    """What takes too long is cancelled, and the rest is dead letters."""
    log: list[str] = []
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, log)
        await worker.tell(Work(60))
        await worker.tell(Work(60))
        with anyio.fail_after(5):
            await worker.stop(timeout=0.01)
        assert log == ["worker stopped"]
        assert runtime.dead_letters.by_reason() == {"stopped": 2}
        assert runtime.statistics().conserved


async def test_failed_instance_does_not_drain() -> None:
    """An actor that fails while it is being stopped handles nothing more with its broken state."""

    class Breaks(Worker):
        async def work(self, message: Work) -> str:
            self.log.append("broke")
            raise KeyError("x")

    log: list[str] = []
    async with Runtime() as runtime:
        breaks = await runtime.spawn(Breaks, log)
        for _ in range(3):
            breaks.tell_nowait(Work())
        await breaks.stop()
        assert log == ["broke", "worker stopped"]
        assert runtime.dead_letters.by_reason() == {"stopped": 2}
        assert runtime.statistics().conserved
        assert (await runtime.watch(breaks)).reason == "stopped"


async def test_impatient_stop_hurries_a_patient_one() -> None:
    """A second stop with less patience cuts the first one short."""
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, [])
        await worker.tell(Work(60))
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(lambda: worker.stop(timeout=60))
                await anyio.wait_all_tasks_blocked()
                await worker.stop(timeout=0)


async def test_family_ends_from_the_youngest_up() -> None:
    """Children end before their parent, the youngest first."""
    log: list[str] = []
    async with Runtime() as runtime:
        parent = await runtime.spawn(Worker, log, "p", 3)
        assert runtime.statistics().actors == 4
        await parent.stop()
    assert log == ["p.2 stopped", "p.1 stopped", "p.0 stopped", "p stopped"]


async def test_runtime_ends_from_the_youngest_up() -> None:
    """Leaving the runtime ends top-level actors in reverse order of their start."""
    log: list[str] = []
    async with Runtime() as runtime:
        for name in "abc":
            await runtime.spawn(Worker, log, name, name=name)
    assert log == ["c stopped", "b stopped", "a stopped"]


async def test_actor_stops_itself() -> None:
    """An actor may stop itself from a handler, without waiting for itself."""
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, [])
        await worker.ask(StopYourself())
        with anyio.fail_after(5):
            assert (await runtime.watch(worker)).reason == "stopped"


async def test_handler_stops_the_runtime() -> None:
    """A handler may stop the whole runtime, and finishes its own work."""
    log: list[str] = []

    class Last(Worker):
        async def work(self, message: Work) -> str:
            await runtime.stop()
            with pytest.raises(RuntimeError, match="no handler can call it"):
                await runtime.settle()
            return "the end"

    async with Runtime() as runtime:
        last = await runtime.spawn(Last, log, "last")
        other = await runtime.spawn(Worker, log, "other")
        with anyio.fail_after(5):
            assert await last.ask(Work()) == "the end"
            await runtime.watch(last)
        with pytest.raises(ActorStoppedError):
            await other.ask(Work())
    assert log == ["other stopped", "last stopped"]


async def test_child_stops_its_parent() -> None:
    """A child may stop its parent, and with it itself, without waiting for itself."""
    log: list[str] = []
    async with Runtime() as runtime:
        parent = await runtime.spawn(Worker, log, "p", 1, name="p")
        child = runtime.find(runtime.tree().actors[0].children[0].address)
        assert child is not None
        await child.tell(StopParent(parent))
        with anyio.fail_after(5):
            await runtime.watch(parent)
        assert runtime.find("p") is None
        assert log[-1] == "p stopped"


async def test_name_is_free_after_the_end() -> None:
    """A name can be used again, and the old reference does not lead to the new actor."""
    async with Runtime() as runtime:
        old = await runtime.spawn(Worker, [], name="w")
        with pytest.raises(NameTakenError, match="'w'"):
            await runtime.spawn(Worker, [], name="w")
        await old.stop()
        new = await runtime.spawn(Worker, [], name="w")
        assert await new.ask(Work()) == "done"
        with pytest.raises(ActorStoppedError):
            await old.ask(Work())


async def test_down_comes_once() -> None:
    """Watching yields one Down, however often it was asked for, and however the end came."""
    downs: list[Down] = []
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, [])
        watcher = await runtime.spawn(Watch, downs, worker)
        assert await watcher.ask(Work()) == "fine"
        await worker.stop()
        await worker.stop()
        await runtime.settle()
        assert [down.ref for down in downs] == [worker]
        assert downs[0].reason == "stopped"


async def test_down_for_the_already_dead() -> None:
    """Watching an actor that has ended yields its Down at once."""
    downs: list[Down] = []
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, [])
        await worker.stop()
        await runtime.spawn(Watcher, downs)
        await runtime.spawn(Watch, downs, worker)
        await runtime.settle()
        assert len(downs) == 2  # it watched twice after the end: one for each watch
        assert (await runtime.watch(worker)).reason == "stopped"


async def test_down_skips_a_full_mailbox() -> None:
    """A Down arrives even where no message finds room."""
    from callboard.runtime import MailboxOptions

    downs: list[Down] = []
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, [])
        watcher = await runtime.spawn(Watch, downs, worker, mailbox=MailboxOptions(capacity=1))
        watcher.tell_nowait(Work())
        await worker.stop()
        await runtime.settle()
        assert len(downs) == 1


async def test_plain_exception_comes_out_plain() -> None:
    """An exception in the block is not wrapped, whatever the actors are doing."""
    with pytest.raises(KeyError, match="plain"):
        async with Runtime() as runtime:
            worker = await runtime.spawn(Worker, [])
            await worker.tell(Work(60))
            await anyio.wait_all_tasks_blocked()
            raise KeyError("plain")


async def test_exception_does_not_wait_for_handlers() -> None:
    """After an exception nothing is waited for; hooks still run, asks still end."""
    log: list[str] = []
    ends: list[BaseException] = []

    async def ask(worker: ActorRef) -> None:
        try:
            await worker.ask(Work(60), timeout=60)
        except ActorStoppedError as error:
            ends.append(error)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            with pytest.raises(ValueError, match="now"):
                async with Runtime() as runtime:
                    worker = await runtime.spawn(Worker, log)
                    group.start_soon(ask, worker)
                    group.start_soon(ask, worker)
                    await anyio.wait_all_tasks_blocked()
                    raise ValueError("now")
    assert log == ["worker stopped"]
    assert len(ends) == 2


async def test_cancelled_block_ends_quickly() -> None:
    """A cancelled runtime ends its actors, hooks included, and stays cancelled."""
    log: list[str] = []
    with anyio.move_on_after(0.02) as scope:
        async with Runtime() as runtime:
            await (await runtime.spawn(Worker, log)).tell(Work(60))
            await anyio.sleep(60)
    assert scope.cancelled_caught
    assert log == ["worker stopped"]


async def test_spawning_into_an_ended_runtime() -> None:
    """After the end nothing starts, and old references say so."""
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, [])
    with pytest.raises(ActorStoppedError):
        await runtime.spawn(Worker, [])
    with pytest.raises(ActorStoppedError):
        await worker.ask(Work())
    assert runtime.statistics().conserved


async def test_runtime_inside_a_handler() -> None:
    """A runtime may live inside a handler of another; the two know nothing of one another."""

    class Nests(Worker):
        async def work(self, message: Work) -> str:
            async with Runtime(name="inner") as inner:
                worker = await inner.spawn(Worker, self.log, "inner")
                with anyio.fail_after(5):
                    return await worker.ask(Work())

    log: list[str] = []
    async with Runtime(name="outer") as outer:
        nests = await outer.spawn(Nests, log, "outer")
        assert await nests.ask(Work()) == "done"
    assert log == ["inner worked", "inner stopped", "outer stopped"]


async def test_runtime_is_entered_first_and_once() -> None:
    """A runtime says how it wants to be used."""
    runtime = Runtime()
    with pytest.raises(RuntimeError, match="enter the runtime first"):
        await runtime.spawn(Worker, [])
    async with runtime:
        pass
    with pytest.raises(RuntimeError, match="entered once"):
        async with runtime:
            pass


async def test_stop_during_a_storm() -> None:
    """Stopping everything while everybody sends leaves nobody waiting and nothing uncounted."""
    async with Runtime() as runtime:
        workers = [await runtime.spawn(Worker, []) for _ in range(5)]

        async def storm(n: int) -> None:
            while True:
                try:
                    await workers[n % 5].ask(Work(0.001), timeout=5)
                except ActorStoppedError:
                    return

        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                for n in range(20):
                    group.start_soon(storm, n)
                await anyio.sleep(0.02)
                await runtime.stop(timeout=0)
        assert runtime.statistics().conserved
        assert runtime.statistics().queued == runtime.statistics().active == 0
