"""Spans of messages: who handled what from whom, and how they hang together."""

from dataclasses import dataclass

import anyio
import anyio.lowlevel
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callboard.runtime import Actor, ActorRef, HandlerError, Message, Runtime, Topic, telemetry

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Ping(Message[int]):
    secret: str = "hunter2"


@dataclass(frozen=True, slots=True)
class PassOn(Message[int]):
    ref: ActorRef


@dataclass(frozen=True, slots=True)
class Fail(Message[None]):
    pass


class Node(Actor):
    def __init__(self, tracer: trace.Tracer) -> None:
        self.tracer = tracer

    @Ping.handler
    async def ping(self, message: Ping) -> int:
        with self.tracer.start_as_current_span("model call"):
            await anyio.lowlevel.checkpoint()
        return 1

    @PassOn.handler
    async def pass_on(self, message: PassOn) -> int:
        await message.ref.tell(Ping())
        reply: int = await message.ref.ask(Ping())
        return reply

    @Fail.handler
    async def fail(self, message: Fail) -> None:
        raise KeyError("hunter2")


class Recording:
    """A provider of its own, and what it has recorded."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("test")

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]


@pytest.fixture
def recording() -> Recording:
    return Recording()


def span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    identity: int = span.context.span_id
    return identity


async def test_ask_is_a_child_and_tell_a_linked_root(recording: Recording) -> None:
    """An ask belongs to its asker's trace; a tell starts one of its own, and both are linked."""
    async with Runtime(tracer_provider=recording.provider) as runtime:
        a = await runtime.spawn(Node, recording.tracer, name="a")
        b = await runtime.spawn(Node, recording.tracer, name="b")
        assert await a.ask(PassOn(b)) == 1
        await runtime.settle()
    (first,) = recording.named("ask PassOn")
    (asked,) = recording.named("ask Ping")
    (told,) = recording.named("tell Ping")
    assert first.parent is None
    assert asked.parent is not None
    assert asked.parent.span_id == span_id(first)
    assert [link.context.span_id for link in asked.links] == [span_id(first)]
    assert told.parent is None
    assert [link.context.span_id for link in told.links] == [span_id(first)]
    parents = {call.parent.span_id for call in recording.named("model call") if call.parent}
    assert parents == {span_id(asked), span_id(told)}


async def test_attributes(recording: Recording) -> None:
    """A span says who, whom, what and how it ended; never what the message holds."""
    async with Runtime(tracer_provider=recording.provider) as runtime:
        a = await runtime.spawn(Node, recording.tracer, name="a")
        b = await runtime.spawn(Node, recording.tracer, name="b")
        await a.ask(PassOn(b))
        with pytest.raises(HandlerError):
            await b.ask(Fail())
        await runtime.publish(Topic("pings", Ping), Ping())
        await b.stop()
        await b.tell(Ping())
    (asked,) = recording.named("ask Ping")
    attributes = dict(asked.attributes or {})
    queue_time = attributes.pop(telemetry.MESSAGE_QUEUE_TIME)
    assert isinstance(queue_time, float)
    assert queue_time >= 0
    assert attributes == {
        telemetry.MESSAGE_TYPE: "Ping",
        telemetry.MESSAGE_KIND: "ask",
        telemetry.MESSAGE_OUTCOME: "handled",
        telemetry.ACTOR_ADDRESS: "b",
        telemetry.SENDER_ADDRESS: "a",
    }
    (failed,) = recording.named("ask Fail")
    assert failed.attributes is not None
    assert failed.attributes[telemetry.MESSAGE_OUTCOME] == "failed"
    assert failed.attributes[telemetry.ERROR_TYPE] == "KeyError"
    dead = recording.named("tell Ping")[-1]
    assert dead.attributes is not None
    assert dead.attributes[telemetry.MESSAGE_OUTCOME] == "stopped"
    everything = "".join(span.to_json() for span in recording.exporter.get_finished_spans())
    assert "hunter2" not in everything


async def test_off_by_default(recording: Recording) -> None:
    """Without a provider no span is made, but the sender's trace still reaches the handler."""
    async with Runtime() as runtime:
        node = await runtime.spawn(Node, recording.tracer)
        with recording.tracer.start_as_current_span("caller") as caller:
            await node.ask(Ping())
    assert [span.name for span in recording.exporter.get_finished_spans()] == [
        "model call",
        "caller",
    ]
    (call,) = recording.named("model call")
    assert call.parent is not None
    assert call.parent.span_id == caller.get_span_context().span_id
