"""Bad answers once more, streamed through `default_stack`: mended by a layer, else typed errors."""

from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from callboard.backends import (
    BackendError,
    BackendProtocolError,
    BackendTimeoutError,
    ConnectionFailedError,
    Delta,
    OpenAIBackend,
    OverloadedError,
    RateLimitError,
    RefusalError,
    Request,
    Retry,
    Stack,
    StructuredOutputError,
    TruncatedError,
    default_stack,
    stream,
)

pytestmark = pytest.mark.anyio

HELLO = "Hello from the test server."


class Person(BaseModel):
    """What is asked for."""

    name: str
    age: int


ADA = {"do": "json", "value": {"name": "Ada", "age": 36}}
CUT = {"do": "plain", "text": '{"name": "A', "finish": "length"}


def backend_of(chat_server: Any, *steps: Any, **options: Any) -> tuple[Stack, str]:
    """Return a stack around a model that answers with these steps, and the model's name."""
    model = chat_server.script(*steps)
    options.setdefault("retry", Retry(2, base=0.0))
    return default_stack(OpenAIBackend(model, base_url=chat_server.url), **options), model


async def read(backend: Stack, request: Request[Any]) -> tuple[list[Delta], Any]:
    """Stream an answer to its end; return its pieces and the completion, or the error."""
    seen: list[Delta] = []
    try:
        async with stream(backend, request) as deltas:
            async for delta in deltas:
                seen.append(delta)
    except BackendError as error:
        return seen, error
    return seen, deltas.completion


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("garbage", BackendProtocolError),
        ("empty", BackendProtocolError),
        ("html_502", OverloadedError),
        ("null_choices", BackendProtocolError),
        ("no_choices", BackendProtocolError),
        ("error_in_200", OverloadedError),
        ("reset", ConnectionFailedError),
        ("reset_mid_body", ConnectionFailedError),
        ("rate_limited", RateLimitError),
        ({"do": "rate_limited", "retry_after": 0}, RateLimitError),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_was_not_shown_yet_is_tried_again(
    chat_server: Any, step: Any, kind: type[BackendError]
) -> None:
    """Two bad answers and a good one are a good one; three are the typed error."""
    backend, model = backend_of(chat_server, step, step, "plain")
    async with backend:
        seen, completion = await read(backend, Request("hi"))
    assert completion.text == HELLO
    assert "".join(delta.text for delta in seen) == HELLO
    assert len(chat_server.requests(model)) == 3

    backend, model = backend_of(chat_server, step)
    async with backend:
        _, error = await read(backend, Request("hi"))
    assert type(error) is kind
    assert len(chat_server.requests(model)) == 3


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("reset_mid_stream", ConnectionFailedError),
        ("close_mid_stream", ConnectionFailedError),
        ("hang_mid_stream", BackendTimeoutError),
    ],
)
async def test_what_was_shown_can_not_be_taken_back(
    chat_server: Any, step: str, kind: type[BackendError]
) -> None:
    """The pieces stand, the failure follows them, and nothing is asked again."""
    backend, model = backend_of(chat_server, step, "plain", between_deltas_timeout=0.2)
    async with backend:
        seen, error = await read(backend, Request("hi"))
    assert type(error) is kind
    assert "".join(delta.text for delta in seen).startswith("word0 ")
    assert len(chat_server.requests(model)) == 1


async def test_a_hang_before_the_first_piece(chat_server: Any) -> None:
    """The timeout ends it, and its connection."""
    backend, model = backend_of(
        chat_server, "plain", "hang", between_deltas_timeout=0.2, attempt_timeout=5.0
    )
    async with backend:
        await backend.generate(Request("hi"))  # Connected: what follows reaches the server.
        _, error = await read(backend, Request("hi", timeout=0.5))
        assert type(error) is BackendTimeoutError
        await anyio.to_thread.run_sync(chat_server.wait_for_closed, model)


@pytest.mark.parametrize("step", ["schema_violation", "null_content", "plain"])
async def test_what_does_not_fit_the_type_is_repaired_once(chat_server: Any, step: str) -> None:
    """A reset announces the second answer; if that is no better, the error says why."""
    backend, _ = backend_of(chat_server, step, ADA)
    async with backend:
        seen, completion = await read(backend, Request("Who?", output=Person))
    assert completion.parsed == Person(name="Ada", age=36)
    assert [delta.step for delta in seen if delta.kind == "reset"] == [1]

    backend, _ = backend_of(chat_server, step)
    async with backend:
        _, error = await read(backend, Request("Who?", output=Person))
    assert type(error) is StructuredOutputError
    assert error.problems


@pytest.mark.parametrize(("step", "kind"), [("refusal", RefusalError), (CUT, TruncatedError)])
async def test_refused_and_cut_off(chat_server: Any, step: Any, kind: type[BackendError]) -> None:
    """Neither is repaired: asking again would not change it."""
    backend, model = backend_of(chat_server, step)
    async with backend:
        _, error = await read(backend, Request("Who?", output=Person))
    assert type(error) is kind
    assert len(chat_server.requests(model)) == 1


async def test_an_unknown_finish_reason(chat_server: Any) -> None:
    """It is an answer like any other."""
    backend, _ = backend_of(chat_server, "unknown_finish")
    async with backend:
        _, completion = await read(backend, Request("hi"))
    assert (completion.text, completion.finish_reason) == (HELLO, "unknown")


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def test_truncated_arguments_go_back_to_the_model(chat_server: Any) -> None:
    """The tool is not called with half of them, and each further turn is a step of its own."""
    backend, _ = backend_of(chat_server, "truncated_arguments", "tools", "plain")
    async with backend:
        seen, completion = await read(backend, Request("1 + 2?", tools=[add]))
    assert completion.text == HELLO
    results = [delta.text for delta in seen if delta.kind == "tool_result"]
    assert results[1] == "3"
    assert "arguments" in results[0]
    assert [delta.step for delta in seen if delta.kind == "reset"] == [1, 2]
