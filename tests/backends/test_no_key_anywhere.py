"""A canary for a key goes through all that can go wrong, and is seen by the server alone.

What is searched are the logs (ours and every library's, at their loudest), the spans with contents
captured, the exceptions with all they were caused by, and the reprs and pickles of what was used.
"""

import logging
import pickle
import traceback
from typing import Any

import anyio
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from callboard.backends import (
    BackendError,
    Delta,
    OpenAIBackend,
    Request,
    Retry,
    default_stack,
)

pytestmark = pytest.mark.anyio

KEY = "plainwordsthatlooklikenokeyatall"
"""Like nothing that could be known by its looks."""
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


class Person(BaseModel):
    """What is asked for."""

    name: str
    age: int


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


ECHOES = [
    {"do": "status", "status": 401, "message": f"Incorrect API key provided: {KEY}"},
    {"do": "status", "status": 400, "message": f"headers were authorization: Bearer {KEY}"},
    {"do": "status", "status": 429, "message": f"{KEY} is too fast"},
    {"do": "status", "status": 500, "message": KEY},
    {"do": "raw", "status": 502, "text": f"<html>{KEY}</html>", "type": "text/html"},
    {"do": "raw", "text": f"<html>{KEY}</html>", "type": "text/html"},
    {"do": "body", "value": {"error": {"message": f"who is {KEY}?", "code": 401}}},
    {"do": "body", "value": {"choices": KEY}},
    {"do": "sse", "text": f'data: {{"error": {{"message": "{KEY}"}}}}\n\n'},
    {"do": "sse", "text": f"data: {KEY}\n\n"},
]
FAULTS = [
    *("plain", "garbage", "empty", "html_502", "null_content", "null_choices", "no_choices"),
    *("unknown_finish", "truncated_arguments", "schema_violation", "error_in_200", "refusal"),
    *("rate_limited", "reset", "reset_mid_body", "reset_mid_stream", "close_mid_stream"),
    *("hang", "hang_mid_stream", "tools"),
]


class Watch:
    """Everything that may be read afterwards by people who may not have the key."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        self.caplog = caplog
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.events: list[str] = []
        self.kept: list[str] = []

    def debug(self, event: str, **fields: Any) -> None:
        self.events.append(f"{event} {fields!r}")

    warning = debug

    def keep(self, *things: Any) -> None:
        """Look at something as a log, a debugger or another process would."""
        for thing in things:
            self.kept += [repr(thing), str(thing), repr(pickle.dumps(thing))]
            if isinstance(thing, BaseException):
                self.kept += traceback.format_exception(thing)
                self.kept.append(repr(vars(thing)))

    def assert_nothing_seen(self) -> None:
        for record in self.caplog.records:
            assert KEY not in f"{record.getMessage()} {record.args!r} {record.exc_text!r}"
        assert KEY not in self.caplog.text
        for span in self.exporter.get_finished_spans():
            assert KEY not in span.to_json()
        assert not [text for text in (*self.events, *self.kept) if KEY in text]


async def ask(backend: Any, streamed: bool, **asked: Any) -> Any:
    """Ask; return the completion, or the typed error."""

    async def sink(_: Delta) -> None:
        """Take no notice."""

    try:
        return await backend.generate(Request("hi", **asked), sink if streamed else None)
    except BackendError as error:
        return error


@STREAMED
@pytest.mark.parametrize("step", [*FAULTS, *ECHOES], ids=lambda step: str(step)[:60])
async def test_nobody_sees_the_key(
    chat_server: Any,
    step: Any,
    streamed: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the server does, the answer is a completion or a typed error, without the key."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    watch = Watch(caplog)
    model = chat_server.script(step)
    backend = OpenAIBackend(model, base_url=chat_server.url, api_key=KEY)
    stack = default_stack(
        backend,
        retry=Retry(1, base=0.0),
        attempt_timeout=0.5,
        between_deltas_timeout=0.5,
        tracer_provider=watch.provider,
        logger=watch,
    )
    async with stack:
        with anyio.fail_after(30):
            if "hang" not in str(step):
                watch.keep(await ask(backend, streamed))
            watch.keep(await ask(stack, streamed))
            watch.keep(await ask(stack, streamed, output=Person))
            watch.keep(await ask(stack, streamed, tools=[add]))
        assert chat_server.requests(model)[-1]["headers"]["authorization"] == f"Bearer {KEY}"
        watch.keep(backend)
        watch.kept += [repr(stack), repr(stack.middleware)]
    assert watch.exporter.get_finished_spans()
    assert watch.events
    watch.assert_nothing_seen()


async def test_a_key_in_a_header_of_the_answer(chat_server: Any) -> None:
    """The request's id is kept for support desks, and may not take a key there."""
    echo = {"do": "status", "status": 403, "headers": {"x-request-id": f"r-{KEY}"}}
    model = chat_server.script(echo)
    async with OpenAIBackend(model, base_url=chat_server.url, credentials=lambda: KEY) as backend:
        error = await ask(backend, streamed=False)
    assert error.request_id.endswith("r-[redacted]")
    assert KEY not in repr(pickle.dumps(error))
