"""stream(): order, failures as themselves, and a call that ends when its block is left."""

import asyncio
import gc
import socket
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from typing import Any

import anyio
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import StreamingResponse
from starlette.routing import Route

from callboard.ambient.deadline import ambient_deadline, deadline_scope
from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta, Sink
from callboard.backends.errors import BackendTimeoutError, OverloadedError
from callboard.backends.messages import AssistantMessage
from callboard.backends.middleware.deadline import Deadline
from callboard.backends.request import Request
from callboard.backends.stack import stack
from callboard.backends.streaming import BUFFER, stream

pytestmark = pytest.mark.anyio

REQUEST = Request("count")


class Counting:
    """Sends numbers without end, or up to a limit, and remembers how its calls ended."""

    def __init__(
        self,
        limit: int | None = None,
        *,
        failure: BaseException | None = None,
        between: Callable[[], Awaitable[object]] = anyio.lowlevel.checkpoint,
    ) -> None:
        self.limit = limit
        self.failure = failure
        self.between = between
        self.sent = 0
        self.ends: list[str] = []

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def generate(self, request: Request[Any], sink: Sink | None = None) -> Completion[Any]:
        assert sink is not None
        try:
            while self.limit is None or self.sent < self.limit:
                await sink(Delta(kind="text", text=str(self.sent)))
                self.sent += 1
                await self.between()
            if self.failure is not None:
                raise self.failure
        except anyio.get_cancelled_exc_class():
            self.ends.append("cancelled")
            raise
        except BaseException:
            self.ends.append("failed")
            raise
        self.ends.append("finished")
        return Completion(message=AssistantMessage("done"))

    async def aclose(self) -> None: ...


async def texts(backend: Counting) -> AsyncGenerator[str]:
    """Read a stream inside a generator of one's own, as servers do."""
    async with stream(backend, REQUEST) as deltas:
        async for delta in deltas:
            yield delta.text


async def test_deltas_come_in_order_and_the_completion_after_them() -> None:
    """Nothing is lost or turned around, however many deltas the buffer can't hold."""
    backend = Counting(limit=3 * BUFFER)
    async with stream(backend, REQUEST) as deltas:
        read = [delta.text async for delta in deltas]
        assert read == [str(n) for n in range(3 * BUFFER)]
        assert deltas.completion.text == "done"
    assert deltas.completion.text == "done"
    assert backend.ends == ["finished"]


async def test_a_slow_reader_slows_the_call() -> None:
    """The call never runs ahead of its reader by more than the buffer."""
    backend = Counting(limit=5 * BUFFER)
    async with stream(backend, REQUEST) as deltas:
        read = 0
        async for _ in deltas:
            read += 1
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
            assert backend.sent <= read + BUFFER + 1
    assert read == 5 * BUFFER


async def test_the_completion_is_refused_before_the_end() -> None:
    """Reading it too early says what to do."""
    async with stream(Counting(), REQUEST) as deltas:
        with pytest.raises(RuntimeError, match="iterate over the stream to its end"):
            _ = deltas.completion


async def test_leaving_early_cancels_the_call_and_waits_for_its_end() -> None:
    """After the block nothing of the call is left running."""
    backend = Counting()
    async with stream(backend, REQUEST) as deltas:
        async for delta in deltas:
            if delta.text == "5":
                break
    assert backend.ends == ["cancelled"]


async def test_leaving_early_waits_for_a_slow_cleanup() -> None:
    """The call's own cleanup is finished when the block is."""
    cleaned: list[str] = []

    class Tidy(Counting):
        async def generate(
            self, request: Request[Any], sink: Sink | None = None
        ) -> Completion[Any]:
            try:
                return await super().generate(request, sink)
            finally:
                with anyio.CancelScope(shield=True):
                    for _ in range(5):
                        await anyio.lowlevel.checkpoint()
                    cleaned.append("yes")

    async with stream(Tidy(), REQUEST) as deltas:
        await anext(aiter(deltas))
    assert cleaned == ["yes"]


async def test_a_call_that_never_began_is_not_left_behind() -> None:
    """An empty block starts and ends the call."""
    backend = Counting()
    async with stream(backend, REQUEST):
        pass
    assert backend.ends in ([], ["cancelled"])


async def test_the_failure_of_the_call_is_raised_from_the_iteration_as_itself() -> None:
    """The very exception, in no group, after the deltas that came before it."""
    failure = OverloadedError("down")
    read: list[str] = []
    with pytest.raises(OverloadedError) as caught:
        async with stream(Counting(limit=2, failure=failure), REQUEST) as deltas:
            async for delta in deltas:
                read.append(delta.text)
    assert caught.value is failure
    assert read == ["0", "1"]


async def test_a_failure_that_nobody_read_is_raised_at_the_end_of_the_block() -> None:
    """It is not swallowed because the reader did not iterate."""
    failure = OverloadedError("down")
    backend = Counting(limit=0, failure=failure)
    with pytest.raises(OverloadedError) as caught:
        async with stream(backend, REQUEST):
            while not backend.ends:
                await anyio.lowlevel.checkpoint()
    assert caught.value is failure


async def test_a_failure_that_was_handled_is_not_raised_again() -> None:
    """Once is enough."""
    async with stream(Counting(limit=0, failure=OverloadedError("down")), REQUEST) as deltas:
        with pytest.raises(OverloadedError):
            await anext(aiter(deltas))
        assert [delta async for delta in deltas] == []


async def test_an_interrupt_in_the_call_reaches_the_reader_as_itself() -> None:
    """Also what is no Exception comes out in no group."""

    class Interrupt(BaseException): ...

    with pytest.raises(Interrupt):
        async with stream(Counting(limit=1, failure=Interrupt()), REQUEST) as deltas:
            async for _ in deltas:
                pass


async def test_the_exception_of_the_block_stays_plain() -> None:
    """A KeyError in the block is a KeyError outside, and the call is over."""
    backend = Counting()
    with pytest.raises(KeyError):
        async with stream(backend, REQUEST) as deltas:
            async for _ in deltas:
                raise KeyError("mine")
    assert backend.ends == ["cancelled"]


async def test_a_cancelled_scope_around_the_block_cancels_the_call() -> None:
    """The scope that was cancelled catches its own cancellation, and only it."""
    backend = Counting()
    with anyio.CancelScope() as scope:
        async with stream(backend, REQUEST) as deltas:
            async for delta in deltas:
                if delta.text == "3":
                    scope.cancel()
                    await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert backend.ends == ["cancelled"]
    await anyio.lowlevel.checkpoint()


async def test_a_cancelled_task_group_around_the_block_cancels_the_call() -> None:
    """A sibling that fails ends the stream, and the sibling's error is the one that comes out."""
    backend = Counting()
    began = anyio.Event()

    async def read() -> None:
        async with stream(backend, REQUEST) as deltas:
            async for _ in deltas:
                began.set()

    with pytest.raises(ExceptionGroup) as caught:
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await began.wait()
            raise KeyError("sibling")
    assert [type(error) for error in caught.value.exceptions] == [KeyError]
    assert backend.ends == ["cancelled"]


async def test_a_reader_may_open_scopes_of_its_own_inside() -> None:
    """A timeout in the reader's block ends what the reader does, and not the stream."""
    gate = anyio.Event()
    backend = Counting(limit=2, between=gate.wait)
    async with stream(backend, REQUEST) as deltas:
        read = [(await anext(aiter(deltas))).text]
        with anyio.move_on_after(0) as scope:
            await anext(aiter(deltas))
        assert scope.cancelled_caught
        gate.set()
        read += [delta.text async for delta in deltas]
    assert read == ["0", "1"]


async def test_streams_nest_and_interleave() -> None:
    """Two streams in one task, left in any order, don't disturb each other."""
    first, second = stream(Counting(), REQUEST), stream(Counting(limit=3), REQUEST)
    await first.__aenter__()
    await second.__aenter__()
    try:
        assert (await anext(aiter(first))).text == "0"
        assert [delta.text async for delta in second] == ["0", "1", "2"]
    finally:
        await first.__aexit__(None, None, None)
        await second.__aexit__(None, None, None)
    assert second.completion.text == "done"


async def test_a_stream_is_entered_once() -> None:
    """A second block would be a second call, and says so."""
    deltas = stream(Counting(limit=1), REQUEST)
    async with deltas:
        pass
    with pytest.raises(RuntimeError, match="one call"):
        await deltas.__aenter__()


async def test_a_stream_that_is_never_entered_leaves_nothing() -> None:
    """No channel is left unclosed, which would be a warning and so an error."""
    stream(Counting(), REQUEST)
    gc.collect()


async def test_context_variables_and_the_deadline_reach_the_call() -> None:
    """The call runs in a copy of the reader's context."""
    seen: list[object] = []
    variable: ContextVar[str] = ContextVar("variable", default="outside")

    class Curious(Counting):
        async def generate(
            self, request: Request[Any], sink: Sink | None = None
        ) -> Completion[Any]:
            seen.extend([variable.get(), ambient_deadline()])
            variable.set("changed")
            return await super().generate(request, sink)

    variable.set("inside")
    deadline = anyio.current_time() + 1000
    with deadline_scope(deadline):
        async with stream(Curious(limit=1), REQUEST) as deltas:
            assert [delta async for delta in deltas]
    assert seen == ["inside", deadline]
    assert variable.get() == "inside"


async def test_a_deadline_ends_a_stream_with_its_own_error() -> None:
    """The reader of a stuck call gets the timeout, from the iteration."""
    backend = stack(Counting(between=anyio.sleep_forever), Deadline(timeout=0.01))
    with pytest.raises(BackendTimeoutError):
        async with stream(backend, REQUEST) as deltas:
            async for _ in deltas:
                pass


async def test_aclosing_ones_own_generator_ends_the_call_at_once() -> None:
    """GeneratorExit passes through the block as itself."""
    backend = Counting()
    async with aclosing(texts(backend)) as generator:
        async for text in generator:
            if text == "2":
                break
    assert backend.ends == ["cancelled"]


async def test_a_generator_that_is_closed_from_another_task_ends_the_call() -> None:
    """The block need not be left by the task that entered it."""
    backend = Counting()
    generator = texts(backend)
    assert await anext(generator) == "0"
    async with anyio.create_task_group() as group:
        group.start_soon(generator.aclose)
    assert backend.ends == ["cancelled"]
    with anyio.move_on_after(0) as scope:
        await anyio.sleep_forever()
    assert scope.cancelled_caught  # this task's own scopes are still in order


@pytest.mark.filterwarnings("ignore:Async generator .* was garbage collected:ResourceWarning")
async def test_a_generator_that_is_dropped_ends_its_call_when_it_is_collected() -> None:
    """Without aclosing the call ends later, and still ends, without an error anywhere."""
    backend = Counting()
    generator = texts(backend)
    assert await anext(generator) == "0"
    del generator
    gc.collect()
    with anyio.fail_after(5):
        while not backend.ends:
            await anyio.lowlevel.checkpoint()
    assert backend.ends == ["cancelled"]


@pytest.mark.parametrize("moment", ["reading", "elsewhere"])
def test_a_native_cancellation_comes_out_as_itself(moment: str) -> None:
    """The cancel() of an asyncio task ends block and call; it is not swallowed and not grouped."""

    async def main() -> None:
        backend = Counting(between=anyio.sleep_forever)
        began = anyio.Event()

        async def read() -> None:
            async with stream(backend, REQUEST) as deltas:
                await anext(aiter(deltas))
                began.set()
                if moment == "reading":
                    await anext(aiter(deltas))
                await anyio.Event().wait()

        async with asyncio.TaskGroup() as group:
            task = group.create_task(read())
            await began.wait()
            task.cancel()
        assert task.cancelled()
        assert backend.ends == ["cancelled"]
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_call_whose_loop_ends_ends_with_it() -> None:
    """A reader that is cancelled by the end of asyncio.run leaves no task behind."""
    backend = Counting(between=anyio.sleep_forever)

    async def read(began: anyio.Event) -> None:
        async with stream(backend, REQUEST) as deltas:
            await anext(aiter(deltas))
            began.set()
            await anext(aiter(deltas))

    tasks: list[asyncio.Task[None]] = []

    async def main() -> None:
        began = anyio.Event()
        tasks.append(asyncio.get_running_loop().create_task(read(began)))
        await began.wait()

    asyncio.run(main())
    assert tasks[0].cancelled()
    assert backend.ends == ["cancelled"]


@contextmanager
def served(app: Starlette) -> Iterator[int]:
    """Serve an app on a free loopback port from a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive()


@pytest.mark.parametrize("closing", [True, False], ids=["aclosing", "bare"])
async def test_a_server_sent_events_handler_ends_the_call_of_a_client_that_went_away(
    closing: bool,
) -> None:
    """The client hangs up in the middle; the model call behind it is cancelled."""
    backend = Counting()
    problems: list[object] = []

    async def events() -> AsyncGenerator[str]:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: problems.append(what))
        if closing:
            async with aclosing(texts(backend)) as generator:
                async for text in generator:
                    yield f"data: {text}\n\n"
        else:
            async for text in texts(backend):
                yield f"data: {text}\n\n"

    async def handler(request: HttpRequest) -> StreamingResponse:
        return StreamingResponse(events(), media_type="text/event-stream")

    with served(Starlette(routes=[Route("/events", handler)])) as port:
        client = await anyio.connect_tcp("127.0.0.1", port)
        await client.send(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n")
        received = b""
        while b"data: 3\n" not in received:
            received += await client.receive()
        await client.aclose()
        with anyio.fail_after(20):
            while not backend.ends:  # noqa: ASYNC110 - see below
                await anyio.sleep(0.01)  # the call lives in another thread's loop
    assert backend.ends == ["cancelled"]
    assert problems == []
