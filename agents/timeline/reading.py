"""Reads finished spans as events; what is none of ours is left alone."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from callboard.agents.timeline import words
from callboard.agents.timeline.events import CallEvent, MessageEvent, PointEvent, SectionEvent
from callboard.backends import telemetry as backend_words
from callboard.runtime import telemetry as runtime_words

Event: TypeAlias = MessageEvent | CallEvent | PointEvent | SectionEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a span belongs, by its own word or its ancestors'."""

    lane: str = ""
    """The actor or agent; empty where nobody is named."""
    section: int = 0
    """The section's span, 0 outside of any."""
    outer: int = 0
    """Of a section itself: the one around it."""


NOWHERE = Place()

OPERATION_SPANS = frozenset({backend_words.GENERATE, "invoke_agent", "create_agent"})
"""Operations that only wrap calls: drawing them as well would show every call twice."""


class FinishedSpan(Protocol):
    """What we read of the SDK's `ReadableSpan`."""

    @property
    def attributes(self) -> Mapping[str, Any] | None:
        """What is said of it."""
        ...

    @property
    def start_time(self) -> int | None:
        """Wall clock, ns."""
        ...

    @property
    def end_time(self) -> int | None:
        """Wall clock, ns."""
        ...


def place_of(attributes: Mapping[str, Any], span_id: int, inherited: Place) -> Place:
    """Return where a span belongs.

    Args:
        attributes: The span's own, as it starts.
        span_id: Its id, which names the section if it is one.
        inherited: Where its parent belongs, or for a message whoever sent it.
    """
    actor = attributes.get(runtime_words.ACTOR_ADDRESS)
    lane = inherited.lane if actor is None else str(actor)
    lane = lane or str(attributes.get(backend_words.CALLER, ""))
    if words.SECTION in attributes:
        return Place(lane=lane, section=span_id, outer=inherited.section)
    return Place(lane=lane, section=inherited.section)


def read_span(span: FinishedSpan, place: Place) -> Event | None:
    """Read one span.

    Args:
        span: A span that has ended.
        place: Where it belongs.

    Returns:
        The event; None if the span is nothing that a timeline shows.
    """
    attributes = span.attributes or {}
    started, ended = span.start_time or 0, span.end_time or 0
    if words.POINT_SERIES in attributes:
        return _point(attributes, place, ended)
    if words.SECTION in attributes:
        return _section(attributes, place, started, ended)
    if runtime_words.MESSAGE_TYPE in attributes:
        return _message(attributes, place, started, ended)
    operation = attributes.get(backend_words.OPERATION_NAME)
    if operation is None or operation in OPERATION_SPANS:
        return None
    return _call(attributes, str(operation), place, started, ended)


def _message(attributes: Mapping[str, Any], place: Place, started: int, ended: int) -> MessageEvent:
    queued = float(attributes.get(runtime_words.MESSAGE_QUEUE_TIME, 0.0))
    return MessageEvent(
        sender=str(attributes.get(runtime_words.SENDER_ADDRESS, "")),
        recipient=str(attributes.get(runtime_words.ACTOR_ADDRESS, "")),
        type=str(attributes[runtime_words.MESSAGE_TYPE]),
        kind=str(attributes.get(runtime_words.MESSAGE_KIND, "tell")),
        outcome=str(attributes.get(runtime_words.MESSAGE_OUTCOME, "handled")),
        sent=started - round(queued * 1e9),
        started=started,
        ended=ended,
        section=place.section,
    )


def _call(
    attributes: Mapping[str, Any], operation: str, place: Place, started: int, ended: int
) -> CallEvent:
    name = (
        attributes.get(backend_words.TOOL_NAME)
        or attributes.get(backend_words.RESPONSE_MODEL)
        or attributes.get(backend_words.REQUEST_MODEL)
        or operation
    )
    return CallEvent(
        caller=place.lane,
        kind=operation,
        name=str(name),
        started=started,
        ended=ended,
        input_tokens=int(attributes.get(backend_words.USAGE_INPUT, 0)),
        output_tokens=int(attributes.get(backend_words.USAGE_OUTPUT, 0)),
        attempt=int(attributes.get(backend_words.ATTEMPT, 1)),
        error=str(attributes.get(backend_words.ERROR_TYPE, "")),
        section=place.section,
    )


def _point(attributes: Mapping[str, Any], place: Place, at: int) -> PointEvent | None:
    value = float(attributes.get(words.POINT_VALUE, math.nan))
    if not math.isfinite(value):
        return None
    return PointEvent(
        series=str(attributes[words.POINT_SERIES]),
        value=value,
        look=attributes.get(words.POINT_LOOK, "line"),
        note=str(attributes.get(words.POINT_NOTE, "")),
        at=at,
        section=place.section,
    )


def _section(attributes: Mapping[str, Any], place: Place, started: int, ended: int) -> SectionEvent:
    low, high = attributes.get(words.REFERENCE_LOW), attributes.get(words.REFERENCE_HIGH)
    return SectionEvent(
        name=str(attributes[words.SECTION]),
        group=str(attributes.get(words.SECTION_GROUP, "")),
        axis=str(attributes.get(words.SECTION_AXIS, "")),
        reference=None if low is None or high is None else (float(low), float(high)),
        reference_name=str(attributes.get(words.REFERENCE_NAME, "reference")),
        figures={
            key.removeprefix(words.FIGURE): _shown(value)
            for key, value in attributes.items()
            if key.startswith(words.FIGURE)
        },
        started=started,
        ended=ended,
        id=place.section,
        outer=place.outer,
    )


def _shown(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
