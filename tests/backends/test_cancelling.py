"""Cancelling calls at any point frees connections and leaves nothing running."""

import asyncio
import contextlib
import gc
import json

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from callboard.backends import (
    Delta,
    OpenAIBackend,
    Request,
    stream,
)

pytestmark = pytest.mark.anyio


async def collect(backend, request="hi"):
    """Call with a sink; return what it received and the completion."""
    deltas: list[Delta] = []

    async def sink(delta):
        deltas.append(delta)

    return deltas, await backend.generate(Request(request), sink)


async def in_thread(function, *arguments):
    return await anyio.to_thread.run_sync(function, *arguments)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("step", ["hang", "hang_mid_stream"])
async def test_cancelling_frees_the_connection(chat_server, step, streamed):
    """Cancelling at whatever point closes the connection and leaves nothing running."""
    model = chat_server.script(step)
    async with OpenAIBackend(model, base_url=chat_server.url) as backend:
        async with anyio.create_task_group() as tasks:
            call = collect if streamed else (lambda b: b.generate(Request("hi")))
            tasks.start_soon(call, backend)
            await in_thread(chat_server.wait_for_requests, model)
            tasks.cancel_scope.cancel()
        await in_thread(chat_server.wait_for_closed, model)


async def test_leaving_a_stream_early(chat_server):
    """Whoever stops reading frees the connection."""
    model = chat_server.script("hang_mid_stream")
    async with OpenAIBackend(model, base_url=chat_server.url) as backend:
        async with stream(backend, Request("hi")) as deltas:
            assert (await anext(aiter(deltas))).text == "word0 "
        await in_thread(chat_server.wait_for_closed, model)


async def test_cancelling_at_every_point(chat_server):
    """A call cancelled after any number of turns of the loop leaves the backend whole."""
    async with OpenAIBackend("plain", base_url=chat_server.url) as backend:
        await backend.generate(Request("hi"))
        for turns in range(40):
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(cancel_after, turns, scope)
                    await collect(backend)
                    tasks.cancel_scope.cancel()
        assert (await collect(backend))[1].text == "Hello from the test server."
        gc.collect()


async def cancel_after(turns, scope):
    for _ in range(turns):
        await anyio.lowlevel.checkpoint()
    scope.cancel()


async def test_connections_are_used_again(chat_server):
    """Calls one after the other share one connection, streamed ones too."""
    before = chat_server.connections()["accepted"]
    async with OpenAIBackend("plain", base_url=chat_server.url) as backend:
        for _ in range(5):
            await backend.generate(Request("hi"))
            await collect(backend)
        # Each look at the server is a connection as well.
        assert chat_server.connections()["accepted"] - before == 2


async def test_many_at_once(chat_server):
    """A backend serves any number of tasks."""
    texts = []

    async def one(backend, number):
        model = json.dumps({"number": number})
        completion = await backend.generate(Request(model))
        texts.append(json.loads(completion.text)["messages"][0]["content"])

    async with (
        OpenAIBackend("echo", base_url=chat_server.url) as backend,
        anyio.create_task_group() as tasks,
    ):
        for number in range(50):
            tasks.start_soon(one, backend, number)
    assert {json.loads(text)["number"] for text in texts} == set(range(50))


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_no_task_is_left(chat_server):
    """Whatever happened to its calls, a closed backend leaves no task behind."""
    before = asyncio.all_tasks()
    async with OpenAIBackend("hang_mid_stream", base_url=chat_server.url) as backend:
        async with stream(backend, Request("hi")) as deltas:
            await anext(aiter(deltas))
        with anyio.move_on_after(0.01):
            await backend.generate(Request("hi"))
    await anyio.wait_all_tasks_blocked()
    gc.collect()
    assert asyncio.all_tasks() == before


async def test_nothing_is_left_to_the_garbage_collector(chat_server):
    """A stream given up in the middle is finished, down to the HTTP library's generators."""

    async def sink(delta):
        raise ValueError

    async with OpenAIBackend("hang_mid_stream", base_url=chat_server.url) as backend:
        with contextlib.suppress(ValueError):
            await backend.generate(Request("hi"), sink)
        # Trio warns of each generator that ends up here, and warnings are errors.
        gc.collect()
        await anyio.lowlevel.checkpoint()
