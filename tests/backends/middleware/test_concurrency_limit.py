"""ConcurrencyLimit: never too many, nobody overtakes, and no place is ever lost."""

import gc
import pickle
import threading
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.errors import BackendTimeoutError, OverloadedError
from callboard.backends.messages import AssistantMessage
from callboard.backends.middleware.concurrency_limit import ConcurrencyLimit
from callboard.backends.middleware.deadline import Deadline
from callboard.backends.request import Request
from callboard.backends.stack import stack

pytestmark = pytest.mark.anyio
VIRTUAL_TIME = True

REQUEST = Request("x")
DONE = Completion[None](message=AssistantMessage("done"))


async def turns(count: int = 10) -> None:
    """Let everybody else run until they wait."""
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


class Gate:
    """Holds every call until it is let go, and counts how many are inside."""

    def __init__(self) -> None:
        self.inside: list[Any] = []
        self.order: list[Any] = []
        self.most = 0
        self.exits: dict[Any, anyio.Event] = {}

    async def __call__(self, request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        who = request.metadata["caller"]
        self.inside.append(who)
        self.order.append(who)
        self.most = max(self.most, len(self.inside))
        self.exits[who] = anyio.Event()
        try:
            await self.exits[who].wait()
        finally:
            self.inside.remove(who)
        return DONE

    def let_go(self, who: Any) -> None:
        self.exits[who].set()


def named(who: object) -> Request[None]:
    return Request("x", metadata={"caller": who})


async def test_callers_enter_in_the_order_in_which_they_came() -> None:
    """First come, first served, one for each that leaves."""
    limit, gate = ConcurrencyLimit(2), Gate()
    async with anyio.create_task_group() as group:
        for who in range(6):
            group.start_soon(limit, named(who), None, gate)
            await turns()
        assert gate.inside == [0, 1]
        assert (limit.statistics().active, limit.statistics().waiting) == (2, 4)
        for who in range(6):
            gate.let_go(who)
            await turns()
    assert gate.order == list(range(6))
    assert gate.most == 2
    assert (limit.statistics().active, limit.statistics().waiting) == (0, 0)
    assert limit.statistics().peak == 2


async def test_a_newcomer_does_not_overtake_whoever_was_just_let_in() -> None:
    """The place is handed over, and not put up for whoever is quickest."""
    limit, gate = ConcurrencyLimit(1), Gate()
    async with anyio.create_task_group() as group:
        group.start_soon(limit, named("first"), None, gate)
        await turns()
        group.start_soon(limit, named("waiting"), None, gate)
        await turns()
        gate.let_go("first")
        while "first" in gate.inside:
            await anyio.lowlevel.checkpoint()
        group.start_soon(limit, named("newcomer"), None, gate)
        await turns()
        assert gate.inside == ["waiting"]
        gate.let_go("waiting")
        await turns()
        gate.let_go("newcomer")
    assert gate.order == ["first", "waiting", "newcomer"]


async def test_a_place_that_reaches_a_cancelled_waiter_goes_on() -> None:
    """Handed over and cancelled in the same moment: the next one gets it."""
    limit, gate = ConcurrencyLimit(1), Gate()
    scope = anyio.CancelScope()

    async def doomed() -> None:
        with scope:
            await limit(named("doomed"), None, gate)

    async with anyio.create_task_group() as group:
        group.start_soon(limit, named("first"), None, gate)
        await turns()
        group.start_soon(doomed)
        await turns()
        group.start_soon(limit, named("last"), None, gate)
        await turns()
        gate.let_go("first")
        while "first" in gate.inside:
            await anyio.lowlevel.checkpoint()
        scope.cancel()
        await turns()
        assert gate.inside in (["last"], [])
        gate.let_go("last")
    assert limit.statistics().active == 0


async def test_a_failing_call_gives_its_place_back() -> None:
    """Errors of every kind free it."""

    async def fail(request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        raise OverloadedError("down")

    limit = ConcurrencyLimit(1)
    for _ in range(3):
        with pytest.raises(OverloadedError):
            await limit(REQUEST, None, fail)
    assert limit.statistics().active == 0


async def test_waiting_counts_against_the_deadline() -> None:
    """A call that never gets its turn fails like one that is never answered."""
    limit, gate = ConcurrencyLimit(1), Gate()

    class Gated:
        capabilities: Any = None
        generate = staticmethod(gate)

        async def aclose(self) -> None: ...

    backend = stack(Gated(), Deadline(0.02), limit)
    async with anyio.create_task_group() as group:
        group.start_soon(limit, named("first"), None, gate)
        await turns()
        with pytest.raises(BackendTimeoutError):
            await backend.generate(named("second"))
        assert gate.order == ["first"]
        gate.let_go("first")


async def test_one_instance_is_one_limit_for_several_stacks() -> None:
    """Two stacks share the places."""
    limit, gate = ConcurrencyLimit(3), Gate()

    class Gated:
        capabilities: Any = None
        generate = staticmethod(gate)

        async def aclose(self) -> None: ...

    stacks = [stack(Gated(), limit), stack(Gated(), limit)]
    async with anyio.create_task_group() as group:
        for who in range(8):
            group.start_soon(stacks[who % 2].generate, named(who))
        await turns()
        assert len(gate.inside) == 3
        while len(gate.order) < 8 or gate.inside:
            for who in list(gate.inside):
                gate.let_go(who)
            await turns()
    assert gate.most == 3


operations = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(0, 9)),
        st.tuples(st.just("finish"), st.integers(0, 9)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("step"), st.integers(1, 3)),
    ),
    max_size=60,
)


@given(limit=st.integers(1, 3), script=operations)
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_no_order_of_events_breaks_it(
    backend: str, limit: int, script: list[tuple[str, int]]
) -> None:
    """Calls, ends and cancellations in any order: never too many, none lost, FIFO."""

    async def main() -> None:
        middleware, gate = ConcurrencyLimit(limit), Gate()
        scopes: dict[int, anyio.CancelScope] = {}
        started: list[int] = []

        async def call(who: int) -> None:
            with scopes[who]:
                started.append(who)
                await middleware(named(who), None, gate)

        async with anyio.create_task_group() as group:
            for step, (operation, number) in enumerate(script):
                if operation == "call":
                    scopes[step] = anyio.CancelScope()
                    group.start_soon(call, step)
                elif operation == "finish" and number < len(gate.inside):
                    gate.let_go(gate.inside[number])
                elif operation == "cancel" and number < len(scopes):
                    scopes[list(scopes)[number]].cancel()
                elif operation == "step":
                    await turns(number)
                assert len(gate.inside) <= limit
            await turns(20)
            while gate.inside:
                for who in list(gate.inside):
                    gate.let_go(who)
                await turns(20)
        assert gate.most <= limit
        assert middleware.statistics().active == 0
        assert middleware.statistics().waiting == 0
        entered = [who for who in started if who in gate.order]
        assert sorted(gate.order) == sorted(entered)
        if backend == "asyncio":  # trio shuffles those whose turn comes in the same moment
            assert gate.order == entered

    anyio.run(main, backend=backend)


def test_an_instance_outlives_its_loop() -> None:
    """Each loop counts for itself, one after the other and on either backend."""
    limit = ConcurrencyLimit(1)

    async def leave_it_taken() -> None:
        gate = Gate()
        async with anyio.create_task_group() as group:
            group.start_soon(limit, named("a"), None, gate)
            group.start_soon(limit, named("b"), None, gate)
            await turns()
            assert limit.statistics().active == 1
            assert limit.statistics().waiting == 1
            group.cancel_scope.cancel()

    for backend in ("asyncio", "trio", "asyncio", "trio"):
        anyio.run(leave_it_taken, backend=backend)


def test_loops_in_several_threads_do_not_meet() -> None:
    """A shared instance serves them side by side."""
    limit = ConcurrencyLimit(2)
    problems: list[BaseException] = []
    together = threading.Barrier(4)

    async def work() -> None:
        async def inner(request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
            assert limit.statistics().active <= 2
            await anyio.lowlevel.checkpoint()
            return DONE

        async with anyio.create_task_group() as group:
            for _ in range(200):
                group.start_soon(limit, REQUEST, None, inner)

    def thread(backend: str) -> None:
        try:
            together.wait(20)
            anyio.run(work, backend=backend)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=thread, args=(name,)) for name in ("asyncio", "trio") * 2]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert problems == []


def test_a_loop_that_has_ended_is_forgotten() -> None:
    """An instance that serves many short loops does not collect them."""
    limit = ConcurrencyLimit(1)

    async def ask() -> None:
        limit.statistics()

    for _ in range(5):
        anyio.run(ask)
    gc.collect()
    assert len(limit._queues) <= 1


def test_it_pickles_empty() -> None:
    """A copy has the limit and none of the waiters."""
    assert pickle.loads(pickle.dumps(ConcurrencyLimit(7))).limit == 7


def test_a_limit_is_at_least_one() -> None:
    """Zero would wait for ever."""
    with pytest.raises(ValueError, match="limit must be at least 1"):
        ConcurrencyLimit(0)
