"""Injected clients: only `chat.completions.create` is touched, and whatever it returns is read."""

import asyncio
import gc
import pickle
import threading
from types import SimpleNamespace

import anyio
import anyio.from_thread
import anyio.to_thread
import openai
import pytest

from callboard.backends import (
    BackendError,
    ConnectionFailedError,
    Delta,
    ImagePart,
    OpenAIBackend,
    RateLimitError,
    Request,
    SamplingParams,
    TextPart,
    Usage,
    UserMessage,
    stream,
)

pytestmark = pytest.mark.anyio

ANSWER = {
    "id": "c1",
    "choices": [{"index": 0, "message": {"content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 2, "completion_tokens": 1},
}
CHUNKS = [
    {"id": "c1", "choices": [{"index": 0, "delta": {"content": "hel"}}]},
    {"id": "c1", "choices": [{"index": 0, "delta": {"content": "lo"}, "finish_reason": "stop"}]},
]


class Strict:
    """An object that has exactly the attributes it was given, and fails on any other."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def __getattr__(self, name):
        raise AssertionError(f"{name} was touched")


def client_of(create):
    """Return a client with `chat.completions.create` and not an attribute more."""
    return Strict(chat=Strict(completions=Strict(create=create)))


class Recorder:
    """Makes `create` functions that record what they are called with."""

    def __init__(self):
        self.calls = []

    def returning(self, make):
        async def create(**arguments):
            self.calls.append(arguments)
            return make(arguments)

        return client_of(create)

    def returning_in_a_thread(self, make):
        def create(**arguments):
            self.calls.append(arguments | {"thread": threading.current_thread()})
            return make(arguments)

        return client_of(create)


def as_object(value):
    if isinstance(value, dict):
        return SimpleNamespace(**{name: as_object(item) for name, item in value.items()})
    return [as_object(item) for item in value] if isinstance(value, list) else value


async def bare_stream():
    for chunk in CHUNKS:
        yield chunk


async def collect(backend):
    deltas = []

    async def sink(delta):
        deltas.append(delta)

    return deltas, await backend.generate(Request("hi"), sink)


WHOLE = [ANSWER, as_object(ANSWER), openai.types.chat.ChatCompletion.model_construct(**ANSWER)]


@pytest.mark.parametrize("answer", WHOLE, ids=["dict", "object", "sdk"])
async def test_whole_answers(answer):
    """Dicts, objects and SDK objects are read alike; nothing but `create` is touched."""
    recorder = Recorder()
    backend = OpenAIBackend("m", client=recorder.returning(lambda _: answer))
    completion = await backend.generate(Request("hi"))
    assert (completion.text, completion.id) == ("hello", "c1")
    assert completion.usage == Usage(input=2, output=1)
    assert completion.raw is answer
    assert recorder.calls == [{"model": "m", "messages": [{"role": "user", "content": "hi"}]}]
    await backend.aclose()


STREAMS = [
    lambda _: bare_stream(),
    lambda _: iter(CHUNKS),
    lambda _: (chunk for chunk in CHUNKS),
    lambda _: [as_object(chunk) for chunk in CHUNKS],
]


@pytest.mark.parametrize("make", STREAMS, ids=["async generator", "iterator", "generator", "list"])
@pytest.mark.parametrize("sync", [False, True], ids=["async client", "sync client"])
async def test_streams(make, sync):
    """Streams may be bare async generators, iterators or lists, without any further method."""
    recorder = Recorder()
    client = (recorder.returning_in_a_thread if sync else recorder.returning)(make)
    deltas, completion = await collect(OpenAIBackend("m", client=client))
    assert deltas == [Delta(kind="text", text="hel"), Delta(kind="text", text="lo")]
    assert completion.text == "hello"
    assert recorder.calls[0]["stream"] is True
    assert "stream_options" not in recorder.calls[0]


async def test_a_client_that_does_not_stream():
    """A whole answer to a streaming call is one delta."""
    client = Recorder().returning(lambda _: ANSWER)
    deltas, completion = await collect(OpenAIBackend("m", client=client))
    assert deltas == [Delta(kind="text", text="hello")]
    assert completion.text == "hello"


async def test_only_what_was_set():
    """Parameters are sent if they were explicitly set, unknown ones as extra body."""
    recorder = Recorder()
    backend = OpenAIBackend(
        "m",
        client=recorder.returning(lambda _: ANSWER),
        sampling=SamplingParams(max_completion_tokens=9),
        stream_usage=True,
    )
    sampling = SamplingParams(temperature=0.0, top_k=3, extra_headers={"h": "1"})
    message = UserMessage((TextPart("look"), ImagePart(url="data:x")))
    await backend.generate(Request([message], sampling=sampling))
    await collect(backend)
    assert recorder.calls[0] == {
        "model": "m",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "data:x"}},
                ],
            }
        ],
        "temperature": 0.0,
        "max_completion_tokens": 9,
        "extra_body": {"top_k": 3},
        "extra_headers": {"h": "1"},
    }
    assert recorder.calls[1]["stream_options"] == {"include_usage": True}


async def test_sync_clients_run_in_threads():
    """A synchronous client never blocks the loop."""
    recorder = Recorder()
    backend = OpenAIBackend("m", client=recorder.returning_in_a_thread(lambda _: ANSWER))
    assert (await backend.generate(Request("hi"))).text == "hello"
    assert recorder.calls[0]["thread"] is not threading.current_thread()


async def test_at_most_so_many_threads():
    """Calls of a synchronous client beyond the limit wait."""
    running, most = 0, 0
    lock = threading.Lock()
    both = threading.Barrier(2)

    def create(**_):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(10)
        with lock:
            running -= 1
        return ANSWER

    backend = OpenAIBackend("m", client=client_of(create), max_threads=2)
    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(backend.generate, Request("hi"))
    assert most == 2


async def test_a_plain_function_that_returns_an_awaitable():
    """A client whose create is async without looking so is awaited all the same."""

    async def answer():
        return ANSWER

    backend = OpenAIBackend("m", client=client_of(lambda **_: answer()))
    assert (await backend.generate(Request("hi"))).text == "hello"


async def test_async_in_disguise():
    """Coroutine functions are found behind decorators and in objects, and run in the loop."""
    import functools

    threads = []

    async def create(**_):
        threads.append(threading.current_thread())
        return ANSWER

    @functools.wraps(create)
    def wrapped(**arguments):
        return create(**arguments)

    class Callable:
        async def __call__(self, **arguments):
            return await create(**arguments)

    for disguised in (wrapped, Callable()):
        backend = OpenAIBackend("m", client=client_of(disguised))
        assert (await backend.generate(Request("hi"))).text == "hello"
    assert threads == [threading.current_thread()] * 2


async def test_streams_are_closed_where_they_can_be():
    """Leaving early closes an async generator, and calls `close` of whatever has one."""
    closed = []

    async def generator():
        try:
            for chunk in CHUNKS:
                yield chunk
        finally:
            closed.append("generator")

    class Closable:
        def __init__(self, name, is_async):
            self.name, self.is_async = name, is_async
            self.chunks = iter(CHUNKS)

        def __aiter__(self):
            return self

        async def __anext__(self):
            for chunk in self.chunks:
                return chunk
            raise StopAsyncIteration

        def close(self):
            closed.append(self.name)
            return self.later() if self.is_async else None

        async def later(self):
            await anyio.lowlevel.checkpoint()
            closed.append("awaited")

    for made in (generator(), Closable("plain", False), Closable("async", True)):
        client = Recorder().returning(lambda _, made=made: made)
        async with stream(OpenAIBackend("m", client=client), Request("hi")) as deltas:
            await anext(aiter(deltas))
    assert closed == ["generator", "plain", "async", "awaited"]


async def test_cancelling_an_async_client():
    """Cancellation reaches the client's own code."""
    reached = []
    started = anyio.Event()

    async def create(**_):
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            reached.append(True)

    backend = OpenAIBackend("m", client=client_of(create))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(backend.generate, Request("hi"))
        await started.wait()
        tasks.cancel_scope.cancel()
    assert reached == [True]


async def test_cancelling_a_sync_client():
    """A cancelled call returns at once; its thread discards what it comes back with."""
    started, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    class Stream:
        def __iter__(self):
            return iter(CHUNKS)

        def close(self):
            closed.set()

    def create(**_):
        started.set()
        go_on.wait(10)
        return Stream()

    backend = OpenAIBackend("m", client=client_of(create))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(collect, backend)
        await anyio.to_thread.run_sync(started.wait)
        tasks.cancel_scope.cancel()
    assert not closed.is_set()
    go_on.set()
    assert await anyio.to_thread.run_sync(closed.wait, 10)


async def test_cancelling_a_sync_stream():
    """A stream is closed by the thread that reads it, never while it is being read."""
    started, go_on, closed = threading.Event(), threading.Event(), threading.Event()
    reading = False

    class Stream:
        def __iter__(self):
            nonlocal reading
            yield CHUNKS[0]
            reading = True
            started.set()
            go_on.wait(10)
            reading = False
            yield CHUNKS[1]

        def close(self):
            assert not reading
            closed.set()

    backend = OpenAIBackend("m", client=client_of(lambda **_: Stream()))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(collect, backend)
        await anyio.to_thread.run_sync(started.wait)
        tasks.cancel_scope.cancel()
    go_on.set()
    assert await anyio.to_thread.run_sync(closed.wait, 10)


class StatusError(Exception):
    """An error of an SDK that nobody knows, with a status."""

    status_code = 429


FAILURES = [
    (StatusError("slow down"), RateLimitError, "slow down"),
    (ConnectionResetError("gone"), ConnectionFailedError, "the injected Strict"),
    (NotImplementedError("n > 1"), BackendError, "NotImplementedError: n > 1"),
    (ValueError("both max_tokens"), BackendError, "ValueError: both max_tokens"),
]


@pytest.mark.parametrize(("failure", "kind", "words"), FAILURES, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("sync", [False, True], ids=["async client", "sync client"])
async def test_failures(failure, kind, words, sync):
    """Whatever a client raises is one of our errors, with the cause kept."""

    def fail(_):
        raise failure

    recorder = Recorder()
    client = (recorder.returning_in_a_thread if sync else recorder.returning)(fail)
    with pytest.raises(kind, match=words) as caught:
        await OpenAIBackend("m", client=client).generate(Request("hi"))
    assert type(caught.value) is kind
    assert caught.value.__cause__ is failure or caught.value.status == 429


async def test_a_failure_in_the_stream():
    """A stream that breaks is a failed connection."""

    async def broken():
        yield CHUNKS[0]
        raise ConnectionResetError("gone")

    client = Recorder().returning(lambda _: broken())
    with pytest.raises(ConnectionFailedError, match="gone"):
        await collect(OpenAIBackend("m", client=client))


async def test_a_sink_that_fails_as_a_client_does():
    """What the sink raises is never taken for a failure of the client."""
    client = Recorder().returning(lambda _: bare_stream())

    async def sink(delta):
        raise ConnectionResetError("mine")

    with pytest.raises(ConnectionResetError, match="mine") as caught:
        await OpenAIBackend("m", client=client).generate(Request("hi"), sink)
    assert type(caught.value) is ConnectionResetError


# On trio the SDK leaves the generators that its stream is made of to the garbage collector.
SDK_ON_TRIO = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@SDK_ON_TRIO
@pytest.mark.parametrize("kind", [openai.AsyncOpenAI, openai.OpenAI])
async def test_the_sdks_own_clients(chat_server, kind):
    """Openai's clients, async and sync, are used as they are, over real sockets, and stay open."""
    client = kind(base_url=chat_server.url, api_key="theirs", max_retries=0)
    model = chat_server.script("plain", "plain", {"do": "rate_limited", "retry_after": 2}, "tools")
    backend = OpenAIBackend(model, client=client)
    assert (await backend.generate(Request("hi"))).text == "Hello from the test server."
    deltas, completion = await collect(backend)
    assert "".join(delta.text for delta in deltas) == completion.text
    with pytest.raises(RateLimitError) as caught:
        await backend.generate(Request("hi"))
    assert caught.value.retry_after == 2.0
    assert (await backend.generate(Request("hi"))).message.tool_calls[0].name == "add"
    await backend.aclose()
    assert not client.is_closed()
    closing = client.close()
    if closing is not None:
        await closing
    assert chat_server.requests(model)[0]["headers"]["authorization"] == "Bearer theirs"


@SDK_ON_TRIO
@pytest.mark.parametrize("kind", [openai.AsyncOpenAI, openai.OpenAI])
async def test_leaving_a_stream_of_an_sdk_client(chat_server, kind):
    """Leaving a stream early frees the injected client's connection."""
    client = kind(base_url=chat_server.url, api_key="theirs", max_retries=0)
    model = chat_server.script({"do": "plain", "text": "word " * 500})
    async with stream(OpenAIBackend(model, client=client), Request("hi")) as deltas:
        await anext(aiter(deltas))
    await anyio.to_thread.run_sync(chat_server.wait_for_closed, model)
    closing = client.close()
    if closing is not None:
        await closing


async def test_token_ids():
    """Token ids in AReaL's and vLLM's forms are kept."""
    answer = {"id": "c", "choices": [{"message": {"content": "x"}, "token_ids": [4, 5]}]}
    backend = OpenAIBackend("m", client=Recorder().returning(lambda _: answer))
    assert (await backend.generate(Request("hi"))).tokens.completion_ids == (4, 5)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_client_of_another_loop():
    """A client that belongs to another event loop fails with an error that says so."""
    owner = asyncio.new_event_loop()

    async def create(**_):
        if asyncio.get_running_loop() is not owner:
            raise RuntimeError("Event loop is closed")
        return ANSWER

    backend = OpenAIBackend("m", client=client_of(create))

    def first():
        owner.run_until_complete(backend.generate(Request("hi")))
        owner.close()

    await anyio.to_thread.run_sync(first)
    with pytest.raises(BackendError, match="another event loop"):
        await backend.generate(Request("hi"))


NO_CLIENTS = [object(), SimpleNamespace(chat=None), client_of("not to be called")]


@pytest.mark.parametrize("client", NO_CLIENTS, ids=["nothing", "half", "no function"])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_no_client(client):
    """What has no `create` is refused at once, by name."""
    with pytest.raises(TypeError, match=r"chat\.completions\.create"):
        OpenAIBackend("m", client=client)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_one_is_enough(monkeypatch):
    """An injected client needs no key, no address, and declares nothing that nobody checked."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    backend = OpenAIBackend("m", client=Recorder().returning(lambda _: ANSWER))
    assert backend.capabilities.structured == ("prompt",)
    assert (backend.name, backend.base_url) == ("Strict", None)
    assert repr(backend) == "OpenAIBackend('m', client=<Strict>)"
    gc.collect()


class Picklable:
    """A client that can travel."""

    class chat:  # noqa: N801 - the shape of a client
        class completions:  # noqa: N801
            @staticmethod
            async def create(**_):
                return ANSWER


async def test_an_injected_client_travels_if_it_can():
    """A backend pickles along with a client that does."""
    backend = pickle.loads(pickle.dumps(OpenAIBackend("m", client=Picklable())))
    assert (await backend.generate(Request("hi"))).text == "hello"
