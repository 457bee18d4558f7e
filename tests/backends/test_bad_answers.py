"""What foreign servers do wrong, over real sockets: the table of docs/errors.md."""

import traceback

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from callboard.backends import (
    AuthenticationError,
    BackendProtocolError,
    ConnectionFailedError,
    Delta,
    OpenAIBackend,
    OverloadedError,
    RateLimitError,
    Request,
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


BAD = [
    ("garbage", BackendProtocolError),
    ("empty", BackendProtocolError),
    ("html_502", OverloadedError),
    ("null_choices", BackendProtocolError),
    ("no_choices", BackendProtocolError),
    ("error_in_200", OverloadedError),
    ("reset", ConnectionFailedError),
    ("reset_mid_body", ConnectionFailedError),
    ("reset_mid_stream", ConnectionFailedError),
    ("rate_limited", RateLimitError),
    ({"do": "raw", "text": "<html>login</html>", "type": "text/html"}, BackendProtocolError),
    ({"do": "raw", "text": "[]"}, BackendProtocolError),
    ({"do": "status", "status": 401}, AuthenticationError),
]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("step", "kind"), BAD, ids=lambda value: str(value)[:40])
async def test_bad_answers(chat_server, step, kind, streamed):
    """Each bad answer ends in its typed error, and the backend goes on working."""
    model = chat_server.script(step, "plain")
    async with OpenAIBackend(
        model, base_url=chat_server.url, api_key="sk-secret-123456"
    ) as backend:
        with pytest.raises(kind) as caught:
            await (collect(backend) if streamed else backend.generate(Request("hi")))
        assert type(caught.value) is kind
        assert "sk-secret" not in repr(caught.value)
        assert (await backend.generate(Request("hi"))).text == "Hello from the test server."


async def test_a_stream_that_ends_early(chat_server):
    """A stream that is closed cleanly before the answer is whole is a broken connection."""
    async with OpenAIBackend("close_mid_stream", base_url=chat_server.url) as backend:
        with pytest.raises(ConnectionFailedError, match="before the answer did"):
            await collect(backend)


MENDED = ["null_content", "unknown_finish", "sparse", "truncated_arguments", "refusal"]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", MENDED)
async def test_odd_answers_are_answers(chat_server, model, streamed):
    """What can be read is read; judging it is the business of middleware."""
    async with OpenAIBackend(model, base_url=chat_server.url) as backend:
        if streamed:
            _, completion = await collect(backend)
        else:
            completion = await backend.generate(Request("hi"))
    seen = (
        completion.text,
        completion.finish_reason,
        completion.refusal,
        [call.arguments for call in completion.message.tool_calls],
    )
    assert (
        seen
        == {
            "null_content": ("", "stop", None, []),
            "unknown_finish": ("Hello from the test server.", "unknown", None, []),
            "sparse": ("hi", "unknown", None, []),
            "truncated_arguments": ("", "tool_calls", None, ['{"a": 1, "b']),
            "refusal": ("", "stop", "I won't.", []),
        }[model]
    )


async def test_retry_after(chat_server):
    """The server's waiting time is on the error; the SDK does not retry behind our back."""
    model = chat_server.script({"do": "rate_limited", "retry_after": 7})
    async with OpenAIBackend(model, base_url=chat_server.url) as backend:
        with pytest.raises(RateLimitError) as caught:
            await backend.generate(Request("hi"))
    assert (caught.value.retry_after, caught.value.status) == (7.0, 429)
    assert caught.value.request_id == "req_test"
    assert len(chat_server.requests(model)) == 1


async def test_nobody_listens():
    """An address where nothing listens is a failed connection that says what to check."""
    async with OpenAIBackend("m", base_url="http://127.0.0.1:9/v1") as backend:
        with pytest.raises(ConnectionFailedError, match=r"127\.0\.0\.1:9/v1.*base_url"):
            await backend.generate(Request("hi"))


KEY = "an unguessable one".replace(" ", "")
GIVEN = [{"api_key": KEY}, {"credentials": KEY}, {"credentials": lambda: KEY}]


@pytest.mark.parametrize("given", GIVEN, ids=["key", "credentials", "function"])
async def test_no_key_in_a_traceback(chat_server, given):
    """A key that the server echoes is hidden, whatever it looks like, in the whole chain."""
    echo = {"do": "status", "status": 401, "message": f"who is {KEY}?"}
    model = chat_server.script(echo)
    async with OpenAIBackend(model, base_url=chat_server.url, **given) as backend:
        with pytest.raises(AuthenticationError) as caught:
            await backend.generate(Request("hi"))
    assert "who is [redacted]?" in str(caught.value)
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in f"{shown} {caught.value!r} {caught.value.body} {backend!r}"


async def test_an_answer_without_end(chat_server, monkeypatch):
    """An answer that is larger than the limit is given up."""
    monkeypatch.setattr("callboard.backends.sdk.BODY_LIMIT", 1000)
    model = chat_server.script({"do": "raw", "text": "x" * 2000}, "plain")
    async with OpenAIBackend(model, base_url=chat_server.url) as backend:
        with pytest.raises(BackendProtocolError, match="larger than 1000 bytes"):
            await backend.generate(Request("hi"))
        await backend.generate(Request("hi"))
