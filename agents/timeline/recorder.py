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
from callboard.agents.timeline.reading import NOWHERE, Event, Place, place_of, read_span

LIMIT = 200_000
"""Events that one recording keeps; the page stays within some tens of megabytes."""

REMEMBERED = 10_000
"""Spans that have ended and may still turn out to be the cause of another."""


class SpanRecorder(SpanProcessor):
    """Turns spans into events as they end, so that no span outlives its end.

    Which actor and section a span belongs to is known when it starts. The actor is the one whose
    handler is the nearest ancestor, or without any the request's own caller; the section is the
    nearest one around whatever caused the span. Safe to feed from several threads.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        """Record.

        Args:
            limit: Events to keep; what comes later is counted and dropped.
        """
        self._limit = limit
        self._lock = Lock()
        self._places: dict[int, Place] = {}
        self._ended: dict[int, Place] = {}
        self._events: list[Event] = []
        self._dropped = 0
        self._recording = True

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note where it belongs."""
        del parent_context
        if not self._recording:
            return
        # What a message causes belongs where it was sent: its parent, or what it is linked to.
        sources = [span.parent, *(link.context for link in span.links)]
        known = [self._place(source.span_id) for source in sources if source is not None]
        inherited = next((place for place in known if place is not None), NOWHERE)
        span_id = span.get_span_context().span_id
        place = place_of(span.attributes or {}, span_id, inherited)
        if place != NOWHERE:
            self._places[span_id] = place

    def on_end(self, span: ReadableSpan) -> None:
        """Keep what the timeline shows of it."""
        context = span.get_span_context()
        place = NOWHERE if context is None else self._places.pop(context.span_id, NOWHERE)
        if context is not None and place != NOWHERE:
            self._remember(context.span_id, place)
        event = read_span(span, place) if self._recording else None
        if event is None:
            return
        with self._lock:
            if len(self._events) < self._limit or isinstance(event, SectionEvent):
                self._events.append(event)
            else:
                self._dropped += 1

    def _place(self, span_id: int) -> Place | None:
        place = self._places.get(span_id)
        return self._ended.get(span_id) if place is None else place

    def _remember(self, span_id: int, place: Place) -> None:
        # A tell may be handled when the span that sent it has long ended.
        with self._lock:
            self._ended[span_id] = place
            if len(self._ended) > REMEMBERED:
                del self._ended[next(iter(self._ended))]

    def stop(self) -> None:
        """Record nothing from now on."""
        self._recording = False
        self._places.clear()
        self._ended.clear()

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
