"""Spans for messages: who handled what from whom. Off, they cost one test for None.

One span per message covers the handler, and is current in it, so that spans of model calls nest
under it. For an ask it is a child of the asker's span and linked to it; for a tell or a publication
it is the root of a trace of its own, linked to the sender's. An undeliverable message gets a span
without duration. Attributes never hold what the message says.
"""

import math
import random
import time
from dataclasses import dataclass
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, TracerProvider

from callboard.runtime.envelope import Envelope

MESSAGE_TYPE = "callboard.message.type"
"""Name of the message's class."""
MESSAGE_KIND = "callboard.message.kind"
"""ask, tell, publish, control."""
MESSAGE_OUTCOME = "callboard.message.outcome"
"""handled, failed, or the reason of a dead letter."""
MESSAGE_QUEUE_TIME = "callboard.message.queue_time"
"""Seconds from send to start; the span's start minus this is when it was sent."""
ACTOR_ADDRESS = "callboard.actor.address"
"""Path of the receiving actor."""
SENDER_ADDRESS = "callboard.sender.address"
"""Path of the sending actor; absent when code outside of actors sent it."""
ERROR_TYPE = "error.type"
"""Class of the exception that a handler raised."""
INSTRUMENTATION = "callboard.runtime"
"""Name of the tracer."""


@dataclass(slots=True)
class Trace:
    """The span of one message, and when it was sent."""

    sent: int
    """Wall clock, ns."""
    span: Span | None = None


class MessageTracer:
    """Records one span per message.

    Args:
        provider: Where the tracer comes from; None means the global one.
        share: Share of the messages that get a span, chosen by chance, above 0 and up to 1.
    """

    def __init__(self, provider: TracerProvider | None, share: float = 1.0) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"the share of traced messages lies in (0, 1], got {share!r}")
        self._tracer: Tracer = trace.get_tracer(INSTRUMENTATION, tracer_provider=provider)
        self._share = share
        self._skip = _gap(share)

    def sent(self, envelope: Envelope) -> None:
        """Note when a message was sent, if it is one of those that get a span."""
        if self._skip:
            self._skip -= 1
            return
        self._skip = _gap(self._share)
        envelope.trace = Trace(time.time_ns())

    def begin(self, envelope: Envelope) -> None:
        """Start the message's span and make it current in the handler's context."""
        record: Trace | None = getattr(envelope, "trace", None)
        if record is not None:
            record.span = envelope.context.run(self._start, envelope, record)

    def end(self, envelope: Envelope, outcome: str, error: BaseException | None = None) -> None:
        """End the message's span, after starting it if it never was."""
        record: Trace | None = getattr(envelope, "trace", None)
        if record is None:
            return
        if record.span is None:
            self.begin(envelope)
        span = record.span
        if span is None:
            return
        span.set_attribute(MESSAGE_OUTCOME, outcome)
        if error is not None:
            span.set_attribute(ERROR_TYPE, type(error).__qualname__)
            span.set_status(Status(StatusCode.ERROR, type(error).__qualname__))
        span.end()
        envelope.trace = Trace(time.time_ns()) if outcome == "redelivered" else None

    def _start(self, envelope: Envelope, record: Trace) -> Span:
        source = trace.get_current_span().get_span_context()
        span = self._tracer.start_span(
            f"{envelope.kind} {envelope.type_name}",
            context=None if envelope.kind == "ask" else otel_context.Context(),
            kind=SpanKind.CONSUMER,
            attributes=_attributes(envelope, record),
            links=[Link(source)] if source.is_valid else [],
        )
        otel_context.attach(trace.set_span_in_context(span))
        return span


def _gap(share: float) -> int:
    """Draw how many messages to pass over until the next one of a random sample."""
    if share >= 1:
        return 0
    return int(math.log(1.0 - random.random()) / math.log(1.0 - share))  # noqa: S311  a sample


def _attributes(envelope: Envelope, record: Trace) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        MESSAGE_TYPE: envelope.type_name,
        MESSAGE_KIND: envelope.kind,
        ACTOR_ADDRESS: str(envelope.recipient.address),
        MESSAGE_QUEUE_TIME: (time.time_ns() - record.sent) / 1e9,
    }
    if envelope.sender is not None:
        attributes[SENDER_ADDRESS] = str(envelope.sender.address)
    return attributes
