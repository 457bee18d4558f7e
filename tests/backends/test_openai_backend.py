"""OpenAIBackend over real sockets, through the real SDK, on every event loop."""

import json
import pickle
import threading

import anyio
import anyio.lowlevel
import anyio.to_thread
import openai
import pytest

from callboard.backends import (
    AuthenticationError,
    Delta,
    OpenAIBackend,
    Request,
    SamplingParams,
    ToolCall,
    Usage,
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


async def test_plain(chat_server):
    """An answer, its usage and its id arrive, streamed or not."""
    async with OpenAIBackend("plain", base_url=chat_server.url) as backend:
        whole = await backend.generate(Request("hi"))
        deltas, streamed = await collect(backend)
    for completion in (whole, streamed):
        assert completion.text == "Hello from the test server."
        assert completion.usage == Usage(input=12, output=5, cached=4, reasoning=2)
        assert (completion.id, completion.finish_reason) == ("chatcmpl-test", "stop")
    assert [delta.text for delta in deltas] == ["Hello ", "from ", "the ", "test ", "server."]


async def test_tool_calls(chat_server):
    """Tool calls arrive whole, and in pieces with a sink."""
    async with OpenAIBackend("tools", base_url=chat_server.url) as backend:
        whole = await backend.generate(Request("hi"))
        deltas, streamed = await collect(backend)
    expected = (ToolCall(id="call_0", name="add", arguments='{"a": 1, "b": 2}'),)
    assert whole.message.tool_calls == streamed.message.tool_calls == expected
    assert whole.finish_reason == streamed.finish_reason == "tool_calls"
    assert "".join(delta.text for delta in deltas) == expected[0].arguments


async def test_reasoning(chat_server):
    """Thinking is streamed as such and kept apart."""
    model = chat_server.script({"do": "reasoning", "field": "reasoning"})
    async with OpenAIBackend(model, base_url=chat_server.url) as backend:
        deltas, completion = await collect(backend)
    assert (completion.text, completion.message.reasoning) == ("42", "Let me think.")
    assert [delta.kind for delta in deltas] == ["reasoning"] * 3 + ["text"]


async def test_the_request_as_sent(chat_server):
    """The body is ours, to the letter; headers of the call and of the backend are sent."""
    model = chat_server.script("plain")
    backend = OpenAIBackend(
        model,
        base_url=chat_server.url,
        api_key="secret-key",
        organization="org",
        project="pro",
        sampling=SamplingParams(temperature=0.5),
        default_headers={"x-mine": "1"},
        default_query={"version": "3"},
    )
    sampling = SamplingParams(seed=3, extra_headers={"x-call": "2"}, extra_body={"custom": [1]})
    async with backend:
        await backend.generate(Request("hé", sampling=sampling))
        await collect(backend)
    whole, streamed = chat_server.requests(model)
    sent = {"model": model, "messages": [{"role": "user", "content": "hé"}], "temperature": 0.5}
    assert whole["body"] == sent | {"seed": 3, "custom": [1]}
    assert streamed["body"] == sent | {
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    headers = whole["headers"]
    assert headers["authorization"] == "Bearer secret-key"
    assert (headers["openai-organization"], headers["openai-project"]) == ("org", "pro")
    assert (headers["x-mine"], headers["x-call"]) == ("1", "2")
    assert headers["x-stainless-retry-count"] == "0"
    assert "x-stainless-read-timeout" not in headers
    assert whole["query"] == "version=3"
    assert "x-call" not in streamed["headers"]


async def test_stream_usage_can_be_left_out(chat_server):
    """Servers that know no stream_options are not sent any."""
    model = chat_server.script("plain")
    async with OpenAIBackend(model, base_url=chat_server.url, stream_usage=False) as backend:
        _, completion = await collect(backend)
    (request,) = chat_server.requests(model)
    assert "stream_options" not in request["body"]
    assert completion.usage == Usage()


async def test_the_iteration_of_a_stream(chat_server):
    """`stream` reads the deltas with `async for`."""
    async with (
        OpenAIBackend("plain", base_url=chat_server.url) as backend,
        stream(backend, Request("hi")) as deltas,
    ):
        words = [delta.text async for delta in deltas]
    assert "".join(words) == deltas.completion.text


async def test_a_slow_sink_loses_nothing(chat_server):
    """The sink is awaited in line, piece by piece."""
    seen = []

    async def sink(delta):
        await anyio.lowlevel.checkpoint()
        seen.append(delta.text)

    async with OpenAIBackend("plain", base_url=chat_server.url) as backend:
        completion = await backend.generate(Request("hi"), sink)
    assert "".join(seen) == completion.text


async def test_a_failing_sink(chat_server):
    """What the sink raises comes out as it is, and the connection is freed."""
    model = chat_server.script("plain")

    async def sink(delta):
        raise ConnectionError("my own")

    async with OpenAIBackend(model, base_url=chat_server.url) as backend:
        with pytest.raises(ConnectionError, match="my own") as caught:
            await backend.generate(Request("hi"), sink)
        assert type(caught.value) is ConnectionError
        await in_thread(chat_server.wait_for_closed, model)


async def test_a_server_that_does_not_stream(chat_server):
    """A whole answer to a streaming call is read as one piece."""
    value = {"choices": [{"message": {"content": "all at once"}, "finish_reason": "stop"}]}
    model = chat_server.script({"do": "body", "value": value})
    async with OpenAIBackend(model, base_url=chat_server.url) as backend:
        deltas, completion = await collect(backend)
    assert deltas == [Delta(kind="text", text="all at once")]
    assert completion.text == "all at once"


async def test_streams_of_every_form(chat_server):
    """Line ends, comments, glued events and a missing end are all read."""
    one = json.dumps({"choices": [{"delta": {"content": "a"}}]})
    two = json.dumps({"choices": [{"delta": {"content": "b"}, "finish_reason": "stop"}]})
    forms = [
        f"data: {one}\r\n\r\ndata: {two}\r\n\r\ndata: [DONE]\r\n\r\n",
        f": ping\n\ndata:{one}\n\nevent: x\ndata:{two}\n\ndata:[DONE]\n\n",
        f"data: {one}\ndata: {two}\n\n",
        f"data: {one}\n\ndata: {two}",
        f"\ufeffdata: {one}\r\rdata: {two}\r\r",
    ]
    model = chat_server.script(*({"do": "sse", "text": text} for text in forms))
    async with OpenAIBackend(model, base_url=chat_server.url) as backend:
        for _ in forms:
            assert (await collect(backend))[1].text == "ab"


async def test_an_http_client_of_ones_own(chat_server):
    """A given HTTP client is used, and stays open."""
    seen = []

    async def watch(request):
        seen.append(request.url.path)

    async with openai.DefaultAsyncHttpxClient(event_hooks={"request": [watch]}) as http:
        async with OpenAIBackend("plain", base_url=chat_server.url, http_client=http) as backend:
            await backend.generate(Request("hi"))
            with pytest.raises(TypeError, match="http_client"):
                pickle.dumps(backend)
        assert seen == ["/v1/chat/completions"]
        assert not http.is_closed


async def test_credentials(chat_server):
    """Credentials may be functions, async or not, that return a key or headers; asked each time."""
    model = chat_server.script("plain")
    keys = iter(["one", "two"])

    def plain_function():
        assert threading.current_thread() is not threading.main_thread()
        return next(keys)

    async def headers():
        return {"x-key": "three"}

    class Provider:
        async def __call__(self):
            return "four"

    for credentials, calls in ((plain_function, 2), (headers, 1), (Provider(), 1), ("five", 1)):
        async with OpenAIBackend(
            model, base_url=chat_server.url, credentials=credentials
        ) as backend:
            for _ in range(calls):
                await backend.generate(Request("hi"))
    sent = [request["headers"] for request in chat_server.requests(model)]
    assert [headers["authorization"] for headers in sent] == [
        "Bearer one",
        "Bearer two",
        "Bearer unused",
        "Bearer four",
        "Bearer five",
    ]
    assert sent[2]["x-key"] == "three"


async def test_failing_credentials(chat_server):
    """Credentials that fail are an authentication error with the cause kept."""

    def broken():
        raise KeyError("vault")

    async with OpenAIBackend("plain", base_url=chat_server.url, credentials=broken) as backend:
        with pytest.raises(AuthenticationError, match="vault") as caught:
            await backend.generate(Request("hi"))
    assert isinstance(caught.value.__cause__, KeyError)

    async with OpenAIBackend("plain", base_url=chat_server.url, credentials=str) as backend:
        with pytest.raises(AuthenticationError, match="returned ''"):
            await backend.generate(Request("hi"))
