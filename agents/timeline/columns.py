"""Recorded events as columns of numbers: a fraction of the size of one object per event.

Times become whole microseconds since the run began. The starting times of a column are differences
from one row to the next, other times of a row are differences from its start. Names stand once, in
`names`, and elsewhere as their index there. A row's section is an index, too, -1 for unknown.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from callboard.agents.timeline.events import (
    CallEvent,
    MessageEvent,
    PointEvent,
    Recorded,
    SectionEvent,
)

E = TypeVar("E")


class _Names:
    """Gives each text an index."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.index.setdefault(text, len(self.index))


def to_columns(recorded: Recorded) -> dict[str, Any]:
    """Turn events into a value that becomes compact JSON."""
    origin = min(_times(recorded), default=0)
    names = _Names()
    numbers = {section.id: number for number, section in enumerate(recorded.sections)}
    return {
        "origin": origin // 1_000_000,
        "lanes": [names(lane) for lane in lanes(recorded)],
        "messages": {
            **_messages(recorded.messages, origin, names),
            "section": [numbers.get(message.section, -1) for message in recorded.messages],
        },
        "calls": {
            **_calls(recorded.calls, origin, names),
            "section": [numbers.get(call.section, -1) for call in recorded.calls],
        },
        "points": {
            **_points(recorded.points, origin, names),
            "section": [numbers.get(point.section, -1) for point in recorded.points],
        },
        "sections": [
            {**_section(section, origin), "outer": numbers.get(section.outer, -1)}
            for section in recorded.sections
        ],
        "dropped": recorded.dropped,
        "names": list(names.index),
    }


def lanes(recorded: Recorded) -> list[str]:
    """Return whoever took part: code outside of actors first, then the busiest, then by name."""
    traffic: dict[str, int] = {}
    for message in recorded.messages:
        for lane in {message.sender, message.recipient}:
            traffic[lane] = traffic.get(lane, 0) + 1
    for call in recorded.calls:
        traffic.setdefault(call.caller, 0)
    if not traffic:
        return []
    named = [lane for lane in traffic if lane]
    busiest = min(named, key=lambda lane: (-traffic[lane], _natural(lane)), default="")
    return sorted(traffic, key=lambda lane: (lane != "", lane != busiest, _natural(lane)))


def _natural(name: str) -> list[tuple[int, str]]:
    words = name.replace("-", " ").replace("/", " ").split()
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in words]


def _times(recorded: Recorded) -> Iterable[int]:
    yield from (message.sent for message in recorded.messages[:1])
    yield from (call.started for call in recorded.calls[:1])
    yield from (point.at for point in recorded.points[:1])
    yield from (section.started for section in recorded.sections[:1])


def _messages(messages: Sequence[MessageEvent], origin: int, names: _Names) -> dict[str, list[int]]:
    return {
        "from": [names(message.sender) for message in messages],
        "to": [names(message.recipient) for message in messages],
        "type": [names(message.type) for message in messages],
        "kind": [names(message.kind) for message in messages],
        "outcome": [names(message.outcome) for message in messages],
        "sent": _steps(messages, origin, lambda message: message.sent),
        "wait": [_micro(message.started - message.sent) for message in messages],
        "took": [_micro(message.ended - message.started) for message in messages],
    }


def _calls(calls: Sequence[CallEvent], origin: int, names: _Names) -> dict[str, list[int]]:
    return {
        "lane": [names(call.caller) for call in calls],
        "kind": [names(call.kind) for call in calls],
        "name": [names(call.name) for call in calls],
        "error": [names(call.error) for call in calls],
        "start": _steps(calls, origin, lambda call: call.started),
        "took": [_micro(call.ended - call.started) for call in calls],
        "input": [call.input_tokens for call in calls],
        "output": [call.output_tokens for call in calls],
        "attempt": [call.attempt for call in calls],
    }


def _points(points: Sequence[PointEvent], origin: int, names: _Names) -> dict[str, list[Any]]:
    return {
        "series": [names(point.series) for point in points],
        "look": [names(point.look) for point in points],
        "note": [names(point.note) for point in points],
        "value": [_short(point.value) for point in points],
        "at": _steps(points, origin, lambda point: point.at),
    }


def _section(section: SectionEvent, origin: int) -> dict[str, Any]:
    return {
        "name": section.name,
        "group": section.group,
        "axis": section.axis,
        "reference": section.reference,
        "referenceName": section.reference_name,
        "figures": list(section.figures.items()),
        "start": _micro(section.started - origin),
        "end": _micro(section.ended - origin),
    }


def _steps(rows: Sequence[E], origin: int, time: Callable[[E], int]) -> list[int]:
    steps, last = list[int](), 0
    for row in rows:
        now = _micro(time(row) - origin)
        steps.append(now - last)
        last = now
    return steps


def _micro(nanoseconds: int) -> int:
    return max(0, nanoseconds // 1_000)


def _short(value: float) -> float:
    return int(value) if value == int(value) else round(value, 6)
