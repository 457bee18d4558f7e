"""Spans around calls: the one place of the backends that speaks to OpenTelemetry's API.

Import it lazily: the API alone takes a third as long to import as everything else together.
"""

from collections.abc import Mapping
from contextvars import Token
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from callboard.ambient.redaction import redact
from callboard.backends import telemetry


class SpanSource:
    """Opens spans of one kind.

    Args:
        name: The spans' name, or its beginning.
        client: Whether they are of kind CLIENT, for work done elsewhere, or INTERNAL.
        attributes: What every one of them says from its start, for samplers to see.
        tracer_provider: Makes the spans; the global one when None, also if it is set later.
    """

    def __init__(
        self,
        name: str,
        *,
        client: bool,
        attributes: Mapping[str, Any],
        tracer_provider: trace.TracerProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(telemetry.SCOPE, tracer_provider=tracer_provider)
        self._name = name
        self._kind = trace.SpanKind.CLIENT if client else trace.SpanKind.INTERNAL
        self._attributes = attributes

    def open(
        self, *, suffix: str = "", extra: Mapping[str, Any] | None = None
    ) -> "OpenSpan | None":
        """Start a span and make it the current one; None while tracing is switched off.

        Args:
            suffix: Follows the name.
            extra: Said from the start as well, so that span processors can go by it.
        """
        name = f"{self._name} {suffix}" if suffix else self._name
        attributes = {**self._attributes, **extra} if extra else self._attributes
        span = self._tracer.start_span(name, kind=self._kind, attributes=attributes)
        if not span.is_recording() and span is trace.get_current_span():
            return None
        return OpenSpan(span)


class OpenSpan:
    """The current span, until it is closed by the task that opened it."""

    __slots__ = ("_span", "_token", "recording")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._token: Token[Context] = otel_context.attach(trace.set_span_in_context(span))
        self.recording = span.is_recording()
        """False where it was sampled out: its children are then sampled out with it."""

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes."""
        self._span.set_attributes(attributes)

    def fail(self, error: BaseException) -> None:
        """Say what went wrong, without secrets; a cancellation is no failure.

        Not by `record_exception`, whose stack trace quotes the message unredacted.
        """
        if not isinstance(error, Exception):
            self._span.set_attribute(telemetry.CANCELLED, True)
            return
        kind, words = type(error).__qualname__, redact(str(error))
        self._span.set_attribute(telemetry.ERROR_TYPE, kind)
        self._span.set_status(trace.StatusCode.ERROR, words)
        self._span.add_event("exception", {"exception.type": kind, "exception.message": words})

    def close(self) -> None:
        """End the span; the one before it is the current one again."""
        otel_context.detach(self._token)
        self._span.end()
