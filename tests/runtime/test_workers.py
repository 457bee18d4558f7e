"""Workers: no task for idle actors, as many as there are suspended handlers, and fairness."""

from dataclasses import dataclass

import anyio
import anyio.lowlevel
import pytest

from callboard.runtime import Actor, ActorRef, Message, Runtime
from callboard.runtime.workers import BATCH, MOST_IDLE

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Ping(Message[int]):
    n: int = 0


@dataclass(frozen=True, slots=True)
class Wait(Message[int]):
    pass


class Node(Actor):
    def __init__(self, gate: anyio.Event) -> None:
        self.gate = gate
        self.following: ActorRef | None = None

    @Ping.handler
    async def ping(self, message: Ping) -> int:
        if message.n and self.following is not None:
            self.following.tell_nowait(Ping(message.n - 1))
        return message.n

    @Wait.handler
    async def wait(self, message: Wait) -> int:
        await self.gate.wait()
        return 0


def workers_of(runtime: Runtime) -> int:
    return len(runtime._world().workers._workers)


async def test_idle_actors_hold_no_task() -> None:
    """A thousand actors that have handled a message need one worker."""
    async with Runtime() as runtime:
        refs = [await runtime.spawn(Node, anyio.Event()) for _ in range(1000)]
        for ref in refs:
            ref.tell_nowait(Ping())
        await runtime.settle()
        assert runtime.statistics().handled == 1000
        assert workers_of(runtime) == 1


async def test_suspended_handlers_hold_one_each_and_give_it_back() -> None:
    """Handlers that wait do not keep others waiting; afterwards only a small stock is kept."""
    gate = anyio.Event()
    async with Runtime() as runtime:
        refs = [await runtime.spawn(Node, gate) for _ in range(500)]
        for ref in refs:
            ref.tell_nowait(Wait())
        await anyio.wait_all_tasks_blocked()
        assert runtime.statistics().active == 500
        free = await runtime.spawn(Node, gate)
        assert await free.ask(Ping(3), timeout=5) == 3
        gate.set()
        await runtime.settle()
        assert runtime.statistics().handled == 501
        assert workers_of(runtime) <= MOST_IDLE


async def test_busy_actors_let_others_run() -> None:
    """Actors that keep one another busy for ever do not keep the event loop."""
    async with Runtime(shutdown_timeout=0) as runtime:
        first, second = [await runtime.spawn(node) for node in _ring()]
        runtime._entered().ends.roots[first.address.name].actor.following = second  # type: ignore[union-attr]
        runtime._entered().ends.roots[second.address.name].actor.following = first  # type: ignore[union-attr]
        await first.tell(Ping(10**9))
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        before = runtime.statistics().handled
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        assert 0 < runtime.statistics().handled - before <= 4 * BATCH


def _ring() -> list[type[Node]]:
    class Bound(Node):
        def __init__(self) -> None:
            super().__init__(anyio.Event())

    return [Bound, Bound]
