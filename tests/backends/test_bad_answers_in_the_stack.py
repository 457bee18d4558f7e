"""The same bad answers through `default_stack`: repaired by a layer, else the typed error."""

from contextlib import suppress

import anyio
import pytest
from pydantic import BaseModel

from callboard.backends import (
    AuthenticationError,
    BackendProtocolError,
    BackendTimeoutError,
    ConnectionFailedError,
    OpenAIBackend,
    OverloadedError,
    RateLimitError,
    RefusalError,
    Request,
    Retry,
    StructuredOutputError,
    TruncatedError,
    default_stack,
)

pytestmark = pytest.mark.anyio


class Person(BaseModel):
    """What is asked for."""

    name: str
    age: int


ADA = {"do": "json", "value": {"name": "Ada", "age": 36}}


def backend_of(chat_server, *steps, **options):
    """Return a stack around a model that answers with these steps, and the model's name."""
    model = chat_server.script(*steps)
    options.setdefault("retry", Retry(2, base=0.0))
    backend = OpenAIBackend(model, base_url=chat_server.url)
    return default_stack(backend, **options), model


RETRIED = [
    ("garbage", BackendProtocolError),
    ("empty", BackendProtocolError),
    ("html_502", OverloadedError),
    ("null_choices", BackendProtocolError),
    ("error_in_200", OverloadedError),
    ("reset", ConnectionFailedError),
    ("reset_mid_body", ConnectionFailedError),
    ("rate_limited", RateLimitError),
    ({"do": "rate_limited", "retry_after": 0}, RateLimitError),
]


@pytest.mark.parametrize(("step", "kind"), RETRIED, ids=lambda value: str(value)[:30])
async def test_what_may_pass_is_tried_again(chat_server, step, kind):
    """Two bad answers and a good one are a good one; three are the typed error."""
    backend, model = backend_of(chat_server, step, step, "plain")
    async with backend:
        completion = await backend.generate(Request("hi"))
    assert completion.text == "Hello from the test server."
    assert len(chat_server.requests(model)) == 3

    backend, model = backend_of(chat_server, step)
    async with backend:
        with pytest.raises(kind):
            await backend.generate(Request("hi"))
    assert len(chat_server.requests(model)) == 3


async def test_what_does_not_pass_is_not_tried_again(chat_server):
    """A wrong key is one request."""
    backend, model = backend_of(chat_server, {"do": "status", "status": 401})
    async with backend:
        with pytest.raises(AuthenticationError):
            await backend.generate(Request("hi"))
    assert len(chat_server.requests(model)) == 1


async def test_a_stream_that_broke_is_not_begun_again(chat_server):
    """What has been shown can't be taken back."""
    backend, model = backend_of(chat_server, "close_mid_stream", "plain")
    seen = []

    async def sink(delta):
        seen.append(delta.text)

    async with backend:
        with pytest.raises(ConnectionFailedError):
            await backend.generate(Request("hi"), sink)
    assert "".join(seen) == "word0 word1 word2 "
    assert len(chat_server.requests(model)) == 1


async def test_a_hang(chat_server):
    """A server that says nothing runs into the timeout, and its connection is closed."""
    for timeout, options in (
        (0.3, {}),
        (None, {"attempt_timeout": 0.3, "retry": Retry(1, base=0.0)}),
    ):
        backend, model = backend_of(chat_server, "plain", "hang", **options)
        async with backend:
            # Connecting takes its time; what follows reaches the server before it runs out.
            with suppress(BackendTimeoutError):
                await backend.generate(Request("hi"))
            with pytest.raises(BackendTimeoutError):
                await backend.generate(Request("hi", timeout=timeout))
            await anyio.to_thread.run_sync(chat_server.wait_for_closed, model)


async def test_a_schema_violation_is_repaired(chat_server):
    """One wrong answer is put right in a second turn; two are an error that says why."""
    backend, model = backend_of(chat_server, "schema_violation", ADA)
    async with backend:
        completion = await backend.generate(Request("Who?", output=Person))
    assert completion.parsed == Person(name="Ada", age=36)
    first = chat_server.requests(model)[0]["body"]
    assert first["response_format"]["type"] == "json_schema"

    backend, _ = backend_of(chat_server, "schema_violation")
    async with backend:
        with pytest.raises(StructuredOutputError) as caught:
            await backend.generate(Request("Who?", output=Person))
    assert caught.value.problems


async def test_refusal_and_truncation(chat_server):
    """A refusal and a cut-off answer are errors where an output type was asked for."""
    cut = {"do": "plain", "text": '{"name": "A', "finish": "length"}
    for step, kind in (("refusal", RefusalError), (cut, TruncatedError)):
        backend, _ = backend_of(chat_server, step)
        async with backend:
            with pytest.raises(kind):
                await backend.generate(Request("Who?", output=Person))


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def test_truncated_arguments_go_back_to_the_model(chat_server):
    """The model is told that its arguments can't be read, and the tool is not called."""
    backend, model = backend_of(chat_server, "truncated_arguments", "tools", "plain")
    async with backend:
        completion = await backend.generate(Request("1 + 2?", tools=[add]))
    assert completion.text == "Hello from the test server."
    *_, last = chat_server.requests(model)
    answers = [m["content"] for m in last["body"]["messages"] if m["role"] == "tool"]
    assert len(answers) == 2
    assert "3" in answers[1]
    assert answers[0] != answers[1]
