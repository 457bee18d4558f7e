"""Spans: a model call belongs to the message that caused it."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callboard.agents.agent import Agent
from callboard.backends.default_stack import default_stack
from callboard.backends.scripted_backend import ScriptedBackend
from callboard.runtime.system import Runtime

pytestmark = pytest.mark.anyio


async def test_model_calls_nest_under_the_message_of_their_actor() -> None:
    """From the ask's span down to the attempt's, one tree and one trace; the caller is named."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    stack = default_stack(ScriptedBackend(["hello", "again"]), tracer_provider=provider)
    async with Runtime(tracer_provider=provider) as runtime:
        ref = await Agent("critic", backend=stack).spawn(runtime, name="critic-1")
        await ref.run("hi", conversation="c1")
    spans = {span.name: span for span in exporter.get_finished_spans()}
    prompt = spans["ask Prompt"]
    calls = [span for span in spans.values() if span.name != "ask Prompt"]
    assert calls
    for span in calls:
        assert prompt in ancestors(span, list(spans.values()))
        assert span.attributes is not None
    assert "critic-1" in [
        span.attributes.get("callboard.caller") for span in calls if span.attributes
    ]


def ancestors(span: ReadableSpan, spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """Return a span's parent, the parent's parent, and so on."""
    for other in spans:
        if span.parent is not None and other.context.span_id == span.parent.span_id:
            return [other, *ancestors(other, spans)]
    return []
