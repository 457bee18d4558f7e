"""Tracing: an OpenTelemetry span for each call, in the words of the GenAI conventions."""

import math
import os
from typing import TYPE_CHECKING, Any, Literal

from callboard.ambient.deadline import time_left
from callboard.ambient.redaction import redact
from callboard.backends import telemetry
from callboard.backends.attempt import current_attempt
from callboard.backends.backend import Generate
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.identity import Identity
from callboard.backends.middleware.base import Wrapper
from callboard.backends.request import Request
from callboard.backends.telemetry_content import input_messages, output_messages

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from callboard.backends.spans import SpanSource

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
        tracer_provider: "TracerProvider | None" = None,
        capture_content: bool | None = None,
    ) -> None:
        self.level = level
        """What a span is: one `generate`, or one attempt."""
        self.identity = identity or Identity(provider="unknown")
        """The provider and model that the spans name."""
        self._capture = _capture_wanted() if capture_content is None else capture_content
        self._spans = _spans(level, self.identity, tracer_provider)

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request inside a span."""
        caller = request.metadata.get("caller")
        span = self._spans.open(
            extra=None if caller is None else {telemetry.CALLER: redact(str(caller))}
        )
        if span is None:
            return await call_next(request, sink)
        try:
            if not span.recording:
                return await call_next(request, sink)
            span.set(self._asked(request, streamed=sink is not None))
            completion = await call_next(request, sink)
            span.set(self._answered(completion))
        except BaseException as error:
            span.fail(error)
            raise
        else:
            return completion
        finally:
            span.close()

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


def _spans(
    level: Level, identity: Identity, tracer_provider: "TracerProvider | None"
) -> "SpanSource":
    from callboard.backends.spans import SpanSource  # noqa: PLC0415 - see there

    attempt = level == "attempt"
    operation = telemetry.CHAT if attempt else telemetry.GENERATE
    attributes = {
        telemetry.OPERATION_NAME: operation,
        telemetry.PROVIDER_NAME: identity.provider,
        telemetry.LEVEL: level,
    }
    if identity.model:
        attributes[telemetry.REQUEST_MODEL] = identity.model
    return SpanSource(
        f"{operation} {identity.model}".rstrip(),
        client=attempt and not identity.in_process,
        attributes=attributes,
        tracer_provider=tracer_provider,
    )


def _capture_wanted() -> bool:
    return os.environ.get(telemetry.CAPTURE_CONTENT, "").upper() in telemetry.CAPTURE_IN_SPANS


def _rebuild(cls: type[Tracing], level: Level, identity: Identity, capture: bool) -> Tracing:
    return cls(level, identity=identity, capture_content=capture)
