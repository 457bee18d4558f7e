"""One backend in many event loops: each has a client of its own, closed in its own loop."""

import gc
import threading
import warnings

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from callboard.backends import (
    Delta,
    OpenAIBackend,
    Request,
)


async def collect(backend, request="hi"):
    """Call with a sink; return what it received and the completion."""
    deltas: list[Delta] = []

    async def sink(delta):
        deltas.append(delta)

    return deltas, await backend.generate(Request(request), sink)


async def in_thread(function, *arguments):
    return await anyio.to_thread.run_sync(function, *arguments)


@pytest.mark.anyio
async def test_closing_twice(chat_server):
    """Closing twice is fine, and a backend used again opens anew."""
    backend = OpenAIBackend("plain", base_url=chat_server.url)
    await backend.aclose()
    await backend.generate(Request("hi"))
    await backend.aclose()
    await backend.aclose()
    await backend.generate(Request("hi"))
    await backend.aclose()


def test_one_backend_in_many_loops(chat_server):
    """Each event loop has a client of its own, closed at the latest when the loop ends."""
    backend = OpenAIBackend("plain", base_url=chat_server.url)

    async def call():
        return (await backend.generate(Request("hi"))).text

    def run(name, options=None):
        return anyio.run(call, backend=name, backend_options=options or {})

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            assert run("asyncio") == run("trio") == run("asyncio", {"use_uvloop": True})
        gc.collect()
    assert len(backend._transport._clients._lives) == 0
    anyio.run(backend.aclose)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_closing_from_another_loop(chat_server, loop):
    """Closing in one loop closes the clients of the others, in theirs."""
    model = chat_server.script("plain")
    backend = OpenAIBackend(model, base_url=chat_server.url)
    called, closed = threading.Event(), threading.Event()

    async def call_and_stay():
        await backend.generate(Request("hi"))
        called.set()
        await in_thread(closed.wait)
        await in_thread(chat_server.wait_for_closed, model)

    thread = threading.Thread(target=anyio.run, args=(call_and_stay,), kwargs={"backend": loop})
    thread.start()
    called.wait()
    anyio.run(backend.aclose)
    closed.set()
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.parametrize("anyio_backend", [("asyncio", {}), ("asyncio", {"use_uvloop": True})])
@pytest.mark.anyio
async def test_a_backend_that_is_forgotten(chat_server):
    """A backend that nobody closed is closed when nobody has it any more."""
    model = chat_server.script("plain")
    backend = OpenAIBackend(model, base_url=chat_server.url)
    await backend.generate(Request("hi"))
    del backend
    gc.collect()
    await in_thread(chat_server.wait_for_closed, model)
