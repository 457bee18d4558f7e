"""The default stack over real sockets: each fault of a server ends as documented, and once."""

from typing import Any

import anyio
import anyio.to_thread
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from callboard.backends.default_stack import default_stack
from callboard.backends.delta import Delta
from callboard.backends.errors import (
    AuthenticationError,
    BackendError,
    BackendProtocolError,
    BackendTimeoutError,
    ConnectionFailedError,
    OverloadedError,
    RateLimitError,
)
from callboard.backends.middleware.retry import Retry, RetryEvent
from callboard.backends.middleware.usage_meter import UsageMeter
from callboard.backends.openai_backend import OpenAIBackend
from callboard.backends.request import Request
from callboard.backends.stack import Stack
from callboard.backends.streaming import stream

pytestmark = pytest.mark.anyio

OVERLOADED = {"do": "status", "status": 503, "message": "overloaded"}


def whole(chat_server: Any, model: str, **options: Any) -> Stack:
    """Build the stack around the server, with waits of no length."""
    options.setdefault("retry", Retry(2, base=0))
    return default_stack(OpenAIBackend(model, base_url=chat_server.url), **options)


async def sent(chat_server: Any, model: str) -> int:
    """How many requests the server has received."""
    return len(await anyio.to_thread.run_sync(chat_server.requests, model))


@pytest.mark.parametrize("max_retries", [0, 3])
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_server_that_is_down_gets_exactly_one_and_max_retries_requests(
    chat_server: Any, max_retries: int, streamed: bool
) -> None:
    """The SDK adds none of its own."""
    model = chat_server.script(OVERLOADED)
    deltas: list[Delta] = []

    async def sink(delta: Delta) -> None:
        deltas.append(delta)

    async with whole(chat_server, model, retry=Retry(max_retries, base=0)) as backend:
        with pytest.raises(OverloadedError) as caught:
            await backend.generate(Request("x"), sink if streamed else None)
    assert await sent(chat_server, model) == 1 + max_retries
    assert f"max_retries is {max_retries}" in caught.value.__notes__[0]
    assert deltas == []


@pytest.mark.parametrize("fault", ["reset", "reset_mid_body", "garbage", "empty", "html_502"])
async def test_a_fault_that_passes_is_mended(chat_server: Any, fault: str) -> None:
    """The second attempt is the answer, and nobody notices."""
    meter = UsageMeter()
    model = chat_server.script(fault, "plain")
    async with whole(chat_server, model, usage_meter=meter) as backend:
        assert (await backend.generate(Request("x"))).text == "Hello from the test server."
    total = meter.snapshot().total
    assert (total.calls, total.retries, total.failures) == (2, 1, 1)


async def test_a_rate_limit_with_retry_after_is_waited_for(chat_server: Any) -> None:
    """The server's word counts, also a fraction of a second of it."""
    waits: list[RetryEvent] = []
    model = chat_server.script({"do": "rate_limited", "retry_after": 1}, "plain")
    retry = Retry(2, base=0, on_retry=waits.append)
    async with whole(chat_server, model, retry=retry) as backend:
        await backend.generate(Request("x"))
    assert [type(event.error) for event in waits] == [RateLimitError]
    assert waits[0].delay >= 1


async def test_a_retry_after_beyond_the_deadline_is_raised_at_once(chat_server: Any) -> None:
    """Instead of waiting for a deadline that is certain to pass."""
    model = chat_server.script({"do": "rate_limited", "retry_after": 50})
    async with whole(chat_server, model) as backend:
        with pytest.raises(RateLimitError) as caught:
            await backend.generate(Request("x", timeout=20))
    assert "the deadline is in" in caught.value.__notes__[0]
    assert await sent(chat_server, model) == 1


async def test_a_rate_limit_without_retry_after_is_tried_again(chat_server: Any) -> None:
    """After a wait of our own."""
    model = chat_server.script("rate_limited", "plain")
    async with whole(chat_server, model) as backend:
        assert (await backend.generate(Request("x"))).text
    assert await sent(chat_server, model) == 2


async def test_a_refused_key_is_not_tried_again(chat_server: Any) -> None:
    """It would not be a better one."""
    model = chat_server.script({"do": "status", "status": 401, "message": "no such key"})
    async with whole(chat_server, model) as backend:
        with pytest.raises(AuthenticationError):
            await backend.generate(Request("x"))
    assert await sent(chat_server, model) == 1


async def test_a_server_that_hangs_costs_each_attempt_its_timeout(chat_server: Any) -> None:
    """Every attempt is given up, and its connection closed."""
    client = OpenAIBackend(chat_server.script("plain", "hang"), base_url=chat_server.url)
    await client.generate(Request("x"))  # the first call imports the SDK and opens a connection
    async with default_stack(client, attempt_timeout=0.5, retry=Retry(1, base=0)) as backend:
        with pytest.raises(BackendTimeoutError) as caught:
            await backend.generate(Request("x"))
        await anyio.to_thread.run_sync(chat_server.wait_for_closed, client.model, 3)
    assert caught.value.retryable
    assert await sent(chat_server, client.model) == 3


async def test_the_deadline_ends_a_server_that_hangs(chat_server: Any) -> None:
    """Whatever the attempts might still take."""
    model = chat_server.script("plain", "hang")
    async with whole(chat_server, model) as backend:
        await backend.generate(Request("x"))
        with pytest.raises(BackendTimeoutError, match=r"Request\(timeout=0.5\)") as caught:
            await backend.generate(Request("x", timeout=0.5))
        await anyio.to_thread.run_sync(chat_server.wait_for_closed, model)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset_mid_stream", ConnectionFailedError),
        ("close_mid_stream", BackendError),
        ("hang_mid_stream", BackendTimeoutError),
    ],
)
async def test_a_stream_that_breaks_off_is_not_begun_again(
    chat_server: Any, fault: str, error: type[BackendError]
) -> None:
    """The reader has its beginning already, and gets the error with what was read."""
    model = chat_server.script({"do": fault, "pieces": 2})
    read: list[str] = []

    async def consume() -> None:
        async with stream(backend, Request("x")) as deltas:
            async for delta in deltas:
                read.append(delta.text)

    async with whole(chat_server, model, between_deltas_timeout=0.3) as backend:
        with pytest.raises(error) as caught:
            await consume()
    assert read == ["word0 ", "word1 "]
    assert await sent(chat_server, model) == 1
    if caught.value.retryable:
        assert "handed to the sink" in caught.value.__notes__[0]


async def test_faults_lie_behind_a_typed_answer_and_its_spans(chat_server: Any) -> None:
    """A fault, an answer that does not fit, its repair: three attempts in one operation."""

    class Quote(BaseModel):
        price: int

    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    meter = UsageMeter()
    model = chat_server.script(
        OVERLOADED,
        {"do": "json", "value": {"price": "dear"}},
        {"do": "json", "value": {"price": 3}},
    )
    async with whole(chat_server, model, tracer_provider=provider, usage_meter=meter) as backend:
        completion = await backend.generate(
            Request("Quote!", output=Quote, metadata={"caller": "buyer/1"})
        )
    assert completion.parsed == Quote(price=3)
    assert len(completion.steps) == 2
    *attempts, operation = exporter.get_finished_spans()
    assert [span.name for span in attempts] == [f"chat {model}"] * 3
    assert operation.name == f"generate {model}"
    assert [(span.attributes or {})["callboard.attempt"] for span in attempts] == [1, 2, 1]
    assert meter.snapshot().total.usage == completion.usage
    assert meter.snapshot().rows[0].backend == "127.0.0.1"


async def test_garbage_for_ever_is_a_protocol_error(chat_server: Any) -> None:
    """With the number of attempts in a note."""
    model = chat_server.script("garbage")
    async with whole(chat_server, model) as backend:
        with pytest.raises(BackendProtocolError) as caught:
            await backend.generate(Request("x"))
    assert caught.value.__notes__[-1].startswith("raised after 3 attempts")
