"""Tracing: an OpenTelemetry span for each call, in the words of the GenAI conventions."""

import math
import os
from typing import Any, Literal

from opentelemetry import context as otel_context
from opentelemetry import trace

from callboard.ambient.deadline import time_left
from callboard.backends import telemetry
from callboard.backends.attempt import current_attempt
from callboard.backends.backend import Generate
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.identity import Identity
from callboard.backends.middleware.base import Wrapper
from callboard.backends.redaction import redact
from callboard.backends.request import Request
from callboard.backends.telemetry_content import input_messages, output_messages

Level = Literal["operation", "attempt"]


class Tracing(Wrapper):
    """Records a span for each call that passes it; it wraps one call, and is held over no yield.

    At the level `attempt`, next to the backend, a span is one model call: `chat MODEL`, of kind
    CLIENT (INTERNAL for a model in this process), with the conventions' attributes. At the level
    `operation`, outermost, it is one `generate` as its caller sees it, `generate MODEL`: the
    attempts, tools and repairs are its children, and its token counts stand under names of our
    own, so that no dashboard counts them twice. Message contents are recorded only if
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT is SPAN_ONLY or SPAN_AND_EVENT. Errors are
    recorded without secrets.

    Args:
        level: What a span is.
        identity: The provider and the model; see `callboard.backends.identity.identify`.
        tracer_provider: Makes the spans; the global one when None, also if it is set later.
        capture_content: Whether contents are recorded; None reads the environment variable, once.
    """

    def __init__(
        self,
        level: Level = "operation",
        *,
        identity: Identity | None = None,
        tracer_provider: trace.TracerProvider | None = None,
        capture_content: bool | None = None,
    ) -> None:
        self.level = level
        """What a span is: one `generate`, or one attempt."""
        self.identity = identity or Identity(provider="unknown")
        """The provider and model that the spans name."""
        self._capture = _capture_wanted() if capture_content is None else capture_content
        self._tracer = trace.get_tracer(telemetry.SCOPE, tracer_provider=tracer_provider)
        operation = telemetry.CHAT if level == "attempt" else telemetry.GENERATE
        self._name = f"{operation} {self.identity.model}".rstrip()
        client = level == "attempt" and not self.identity.in_process
        self._kind = trace.SpanKind.CLIENT if client else trace.SpanKind.INTERNAL
        self._fixed = {
            telemetry.OPERATION_NAME: operation,
            telemetry.PROVIDER_NAME: self.identity.provider,
            telemetry.LEVEL: level,
        }
        if self.identity.model:
            self._fixed[telemetry.REQUEST_MODEL] = self.identity.model

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request inside a span."""
        span = self._tracer.start_span(self._name, kind=self._kind, attributes=self._fixed)
        if not span.is_recording() and span is trace.get_current_span():
            return await call_next(request, sink)  # tracing is off: there is nothing to do
        token = otel_context.attach(trace.set_span_in_context(span))
        try:
            if not span.is_recording():
                return await call_next(request, sink)  # sampled out, and so are its children
            span.set_attributes(self._asked(request, streamed=sink is not None))
            completion = await call_next(request, sink)
            span.set_attributes(self._answered(completion))
        except BaseException as error:
            _record(error, span)
            raise
        else:
            return completion
        finally:
            otel_context.detach(token)
            span.end()

    def __reduce__(self) -> tuple[Any, ...]:
        """Crosses process boundaries with its settings, and then speaks to the global provider."""
        return _rebuild, (type(self), self.level, self.identity, self._capture)

    def _asked(self, request: Request[Any], *, streamed: bool) -> telemetry.Attributes:
        found = telemetry.request_attributes(request, streamed=streamed)
        if self.level == "attempt":
            found[telemetry.ATTEMPT] = current_attempt()
            if self._capture:
                found[telemetry.INPUT_MESSAGES] = input_messages(request.messages)
        if (left := time_left()) != math.inf:
            found[telemetry.DEADLINE_LEFT] = left
        return found

    def _answered(self, completion: Completion[Any]) -> telemetry.Attributes:
        if self.level == "operation":
            return telemetry.operation_attributes(completion)
        found = telemetry.response_attributes(completion)
        if self._capture:
            found[telemetry.OUTPUT_MESSAGES] = output_messages(completion)
        return found


def _record(error: BaseException, span: trace.Span) -> None:
    """Say what failed. Not by `record_exception`: its stack trace would carry foreign text."""
    if not isinstance(error, Exception):
        span.set_attribute(telemetry.CANCELLED, True)
        return
    kind, words = type(error).__qualname__, redact(str(error))
    span.set_attribute(telemetry.ERROR_TYPE, kind)
    span.set_status(trace.StatusCode.ERROR, words)
    span.add_event("exception", {"exception.type": kind, "exception.message": words})


def _capture_wanted() -> bool:
    return os.environ.get(telemetry.CAPTURE_CONTENT, "").upper() in telemetry.CAPTURE_IN_SPANS


def _rebuild(cls: type[Tracing], level: Level, identity: Identity, capture: bool) -> Tracing:
    return cls(level, identity=identity, capture_content=capture)
