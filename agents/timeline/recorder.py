"""SpanRecorder: the span processor that keeps what a timeline shows, and nothing else.

The one file that imports the OpenTelemetry SDK; it is itself imported when a recording begins.
"""

from threading import Lock

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from callboard.agents.timeline.events import (
    CallEvent,
    MessageEvent,
    PointEvent,
    Recorded,
    SectionEvent,
)
from callboard.agents.timeline.reading import Event, lane_of, read_span

LIMIT = 200_000
"""Events that one recording keeps; the page stays within some tens of megabytes."""


class SpanRecorder(SpanProcessor):
    """Turns spans into events as they end, so that no span outlives its end.

    Which actor a call belongs to is known when its span starts: it is the one whose handler is the
    nearest ancestor, or without any the request's own caller. Safe to feed from several threads.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        """Record.

        Args:
            limit: Events to keep; what comes later is counted and dropped.
        """
        self._limit = limit
        self._lock = Lock()
        self._lanes: dict[int | None, str] = {}
        self._events: list[Event] = []
        self._dropped = 0
        self._recording = True

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note whose span it is."""
        del parent_context
        if not self._recording:
            return
        parent = None if span.parent is None else span.parent.span_id
        lane = lane_of(span.attributes or {}, self._lanes.get(parent))
        if lane is not None:
            self._lanes[span.get_span_context().span_id] = lane

    def on_end(self, span: ReadableSpan) -> None:
        """Keep what the timeline shows of it."""
        context = span.get_span_context()
        lane = self._lanes.pop(context.span_id, "") if context is not None else ""
        event = read_span(span, lane) if self._recording else None
        if event is None:
            return
        with self._lock:
            if len(self._events) < self._limit or isinstance(event, SectionEvent):
                self._events.append(event)
            else:
                self._dropped += 1

    def stop(self) -> None:
        """Record nothing from now on."""
        self._recording = False
        self._lanes.clear()

    def recorded(self) -> Recorded:
        """Return what has been recorded so far, in order of time."""
        with self._lock:
            events = tuple(self._events)
        messages = [event for event in events if isinstance(event, MessageEvent)]
        calls = [event for event in events if isinstance(event, CallEvent)]
        points = [event for event in events if isinstance(event, PointEvent)]
        sections = [event for event in events if isinstance(event, SectionEvent)]
        return Recorded(
            messages=tuple(sorted(messages, key=lambda message: message.sent)),
            calls=tuple(sorted(calls, key=lambda call: call.started)),
            points=tuple(sorted(points, key=lambda point: point.at)),
            sections=tuple(sorted(sections, key=lambda section: section.started)),
            dropped=self._dropped,
        )
