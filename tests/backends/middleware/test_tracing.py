"""Tracing: spans in the conventions' words, without contents or secrets, and none when off."""

import json
import pickle
from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind, StatusCode

from callboard.ambient.deadline import deadline_scope
from callboard.backends import telemetry
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta
from callboard.backends.errors import OverloadedError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.identity import Identity
from callboard.backends.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage
from callboard.backends.middleware.retry import Retry
from callboard.backends.middleware.tracing import Tracing
from callboard.backends.parts import ImagePart, TextPart
from callboard.backends.request import Request
from callboard.backends.sampling import SamplingParams
from callboard.backends.stack import Stack, stack
from callboard.backends.usage import Usage

pytestmark = pytest.mark.anyio

WHO = Identity(provider="openai", model="gpt-x")
ANSWER = Completion[None](
    message=AssistantMessage("the answer is secret words"),
    usage=Usage(input=10, output=4, cached=3, reasoning=2),
    model="gpt-x-2026",
    id="answer-1",
)


class Recorder:
    """A tracer provider of its own, and what it has recorded."""

    def __init__(self, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **options)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def tracing(self, level: Any, identity: Identity = WHO, **options: Any) -> Tracing:
        return Tracing(level, identity=identity, tracer_provider=self.provider, **options)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    @property
    def only(self) -> ReadableSpan:
        (span,) = self.spans
        return span

    @property
    def everything(self) -> str:
        return "".join(span.to_json() for span in self.spans)


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    assert span.attributes is not None
    return span.attributes


def answering(*middleware: Any, answer: Any = ANSWER) -> Stack:
    def function(_: Request[Any]) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return stack(FunctionBackend(function), *middleware)


async def test_a_model_call_is_a_client_span_in_the_conventions_words() -> None:
    """Name, kind and attributes, to the letter."""
    recorder = Recorder()
    sampling = SamplingParams(
        temperature=0.5, top_p=0.9, max_tokens=7, stop=("a", "b"), seed=3, n=2
    )
    request = Request("hello", sampling=sampling, metadata={"caller": "agent/1"})
    await answering(recorder.tracing("attempt")).generate(request)
    assert recorder.only.name == "chat gpt-x"
    assert recorder.only.kind == SpanKind.CLIENT
    assert attributes(recorder.only) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-x",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 7,
        "gen_ai.request.stop_sequences": ("a", "b"),
        "gen_ai.request.seed": 3,
        "gen_ai.request.choice.count": 2,
        "gen_ai.response.model": "gpt-x-2026",
        "gen_ai.response.id": "answer-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 2,
        "callboard.level": "attempt",
        "callboard.attempt": 1,
        "callboard.caller": "agent/1",
    }


async def test_a_model_in_this_process_is_internal() -> None:
    """Nothing is called over a network there."""
    recorder = Recorder()
    local = Identity(provider="local", model="tiny", in_process=True)
    await answering(recorder.tracing("attempt", local)).generate(Request("x"))
    assert recorder.only.kind == SpanKind.INTERNAL


async def test_an_operation_counts_its_tokens_under_names_of_our_own() -> None:
    """A dashboard that sums the conventions' counts sees each token once."""
    recorder = Recorder()
    backend = answering(recorder.tracing("operation"), recorder.tracing("attempt"))
    await backend.generate(Request("x", output=int))
    attempt, operation = recorder.spans
    assert operation.name == "generate gpt-x"
    assert operation.kind == SpanKind.INTERNAL
    found = attributes(operation)
    assert found[telemetry.TOTAL_INPUT] == 10
    assert found[telemetry.TOTAL_OUTPUT] == 4
    assert found[telemetry.STEPS] == 1
    assert found[telemetry.OUTPUT_TYPE] == "json"
    assert telemetry.USAGE_INPUT not in found
    assert attempt.parent is not None
    assert attempt.parent.span_id == operation.get_span_context().span_id


async def test_each_attempt_has_its_span_and_number() -> None:
    """Retries are visible, with what went wrong in each."""
    recorder = Recorder()
    backend = answering(
        recorder.tracing("operation"),
        Retry(2, base=0),
        recorder.tracing("attempt"),
        answer=OverloadedError("down", status=503),
    )
    with pytest.raises(OverloadedError):
        await backend.generate(Request("x"))
    *attempts, operation = recorder.spans
    assert [attributes(span)["callboard.attempt"] for span in attempts] == [1, 2, 3]
    for span in recorder.spans:
        assert attributes(span)["error.type"] == "OverloadedError"
        assert span.status.status_code == StatusCode.ERROR
        assert span.status.description == "down"
    assert operation.name == "generate gpt-x"


async def test_the_deadline_is_told_as_time_left() -> None:
    """Absolute times mean nothing to a reader."""
    recorder = Recorder()
    with deadline_scope(anyio.current_time() + 500):
        await answering(recorder.tracing("operation")).generate(Request("x"))
    assert 400 < attributes(recorder.only)["callboard.deadline_left"] <= 500


async def test_streams_are_said_to_be_streams() -> None:
    """With a sink the span says so."""
    recorder = Recorder()

    async def sink(delta: Delta) -> None: ...

    await answering(recorder.tracing("attempt")).generate(Request("x"), sink)
    assert attributes(recorder.only)["gen_ai.request.stream"] is True


async def test_contents_stay_out_unless_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is read when the middleware is made; the default is no content."""
    for value, captured in [("", False), ("NO_CONTENT", False), ("SPAN_ONLY", True)]:
        monkeypatch.setenv(telemetry.CAPTURE_CONTENT, value)
        recorder = Recorder()
        backend = answering(recorder.tracing("operation"), recorder.tracing("attempt"))
        await backend.generate(Request("a private question"))
        assert ("private question" in recorder.everything) == captured
        assert ("secret words" in recorder.everything) == captured


async def test_captured_contents_have_the_conventions_form_and_no_keys() -> None:
    """Roles and parts as JSON; images are named and not quoted; secrets are masked."""
    recorder = Recorder()
    conversation = [
        SystemMessage("be kind"),
        {"role": "user", "content": [TextPart("api_key='canary-0123456789'"), IMAGE]},
        AssistantMessage(
            "thinking", (ToolCall(id="c1", name="look", arguments='{"a": 1}'),), reasoning="hm"
        ),
        ToolMessage("found", "c1"),
    ]
    await answering(recorder.tracing("attempt", capture_content=True)).generate(
        Request(conversation)
    )
    sent = json.loads(attributes(recorder.only)[telemetry.INPUT_MESSAGES])
    assert sent == [
        {"role": "system", "parts": [{"type": "text", "content": "be kind"}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "api_key='[redacted]'"},
                {"type": "blob", "modality": "image", "mime_type": "image/png"},
            ],
        },
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "text", "content": "thinking"},
                {"type": "tool_call", "id": "c1", "name": "look", "arguments": '{"a": 1}'},
            ],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "c1", "response": "found"}],
        },
    ]
    came = json.loads(attributes(recorder.only)[telemetry.OUTPUT_MESSAGES])
    assert came[0]["finish_reason"] == "stop"


IMAGE = ImagePart.from_bytes(b"\x89PNG\r\n\x1a\n")


async def test_no_key_enters_a_span_with_an_error() -> None:
    """Not by the message of a foreign exception, nor by a stack trace."""
    recorder = Recorder()
    error = ValueError("401 for Authorization: Bearer canary-0123456789")
    with pytest.raises(ValueError, match="canary"):
        await answering(recorder.tracing("attempt"), answer=error).generate(Request("x"))
    assert "canary" not in recorder.everything
    assert recorder.only.events[0].name == "exception"
    assert attributes(recorder.only)["error.type"] == "ValueError"


async def test_a_cancelled_call_is_no_error() -> None:
    """It says that it was cancelled, and its span ends."""
    recorder = Recorder()

    async def hang(_: Request[Any]) -> str:
        await anyio.sleep_forever()
        raise AssertionError

    with anyio.move_on_after(0.01):
        await stack(FunctionBackend(hang), recorder.tracing("attempt")).generate(Request("x"))
    assert attributes(recorder.only)["callboard.cancelled"] is True
    assert recorder.only.status.status_code == StatusCode.UNSET


async def test_the_current_span_is_the_callers_again_afterwards() -> None:
    """Also after a failure, and while it runs it is the call's."""
    recorder = Recorder()
    seen: list[trace.Span] = []

    def look(_: Request[Any]) -> str:
        seen.append(trace.get_current_span())
        raise OverloadedError("down")

    before = trace.get_current_span()
    with pytest.raises(OverloadedError):
        await stack(FunctionBackend(look), recorder.tracing("attempt")).generate(Request("x"))
    assert trace.get_current_span() is before
    assert seen[0].get_span_context().span_id == recorder.only.get_span_context().span_id


async def test_children_of_a_call_that_was_sampled_out_are_too() -> None:
    """No torn traces, and nothing is computed for them."""
    recorder = Recorder(sampler=ParentBased(ALWAYS_OFF))
    inner = Recorder()
    backend = answering(recorder.tracing("operation"), inner.tracing("attempt"))
    await backend.generate(Request("x"))
    assert recorder.spans == ()
    assert inner.spans == ()


async def test_without_a_provider_nothing_happens() -> None:
    """The API's own no-op: no span, no context, no attribute is computed."""
    seen: list[trace.Span] = []

    def look(_: Request[Any]) -> str:
        seen.append(trace.get_current_span())
        return "x"

    before = trace.get_current_span()
    await stack(FunctionBackend(look), Tracing("operation"), Tracing("attempt")).generate(
        Request("x")
    )
    assert seen == [before]


async def test_the_sampler_and_processors_see_the_caller_from_the_start() -> None:
    """They decide before anything else is known."""
    recorder = Recorder()
    started: list[Mapping[str, Any]] = []

    class Processor(SimpleSpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            started.append(dict(span.attributes))

    recorder.provider.add_span_processor(Processor(recorder.exporter))
    await answering(recorder.tracing("operation")).generate(Request("x", metadata={"caller": "me"}))
    assert started[0]["callboard.caller"] == "me"
    assert started[0]["gen_ai.operation.name"] == "generate"


def test_it_pickles_with_its_settings() -> None:
    """A copy speaks to the provider of its own process."""
    copy = pickle.loads(pickle.dumps(Tracing("attempt", identity=WHO)))
    assert (copy.level, copy.identity) == ("attempt", WHO)
