"""A sequence chart of a run, in text: a lane for each task and actor, time going down."""

from collections.abc import Iterator, Sequence

from callboard.runtime.simulation.history import Event

MOST_LANES = 12
"""Lanes that are drawn; who has none appears by name alone."""
MARKS = {
    "step": "o",
    "timer": "t",
    "thread": "h",
    "sent": "+",
    "begins": "[",
    "ends": "]",
}
"""What stands in a lane for each kind of event."""


def draw_chart(events: Sequence[Event], rows: int = 60) -> str:
    """Return the chart of the last events.

    Args:
        events: What happened, oldest first.
        rows: How many of the last events to draw.
    """
    shown = events[-rows:]
    lanes = _lanes(shown)
    return "\n".join(
        [
            "  o step of a task  +-> message sent  [ handler begins  ] ends  t timer  h thread",
            *(f"  {_column(lanes, lane)} {lane}" for lane in lanes),
            *(["    ..."] if len(events) > len(shown) else []),
            *_rows(shown, lanes),
        ]
    )


def _lanes(events: Sequence[Event]) -> list[str]:
    found: dict[str, None] = {}
    for event in events:
        found.setdefault(event.lane)
        if event.target:
            found.setdefault(event.target)
    return list(found)[:MOST_LANES]


def _column(lanes: Sequence[str], lane: str) -> str:
    """Return a row in which one lane is named by a corner, all before it go on."""
    before = lanes.index(lane)
    return " " * 10 + "|   " * before + "," + "---" * (len(lanes) - before)


def _rows(events: Sequence[Event], lanes: Sequence[str]) -> Iterator[str]:
    time = -1.0
    for event in events:
        clock = f"{event.time:9.3f}" if event.time != time else " " * 9
        time = event.time
        yield f"  {clock} {_cells(event, lanes)} {_label(event, lanes)}".rstrip()


def _cells(event: Event, lanes: Sequence[str]) -> str:
    cells = ["|   "] * len(lanes)
    if event.lane in lanes:
        cells[lanes.index(event.lane)] = f"{MARKS[event.kind]}   "
    if event.target in lanes and event.lane in lanes:
        _draw_arrow(cells, lanes.index(event.lane), lanes.index(event.target))
    return "".join(cells)


def _draw_arrow(cells: list[str], source: int, target: int) -> None:
    if source < target:
        cells[source] = "+---"
        cells[source + 1 : target] = ["----"] * (target - source - 1)
        cells[target] = ">   "
    elif target < source:
        cells[target] = "<---"
        cells[target + 1 : source] = ["----"] * (source - target - 1)
        cells[source] = "+   "


def _label(event: Event, lanes: Sequence[str]) -> str:
    if event.target:
        return f"{event.text} to {event.target}"
    return event.text if event.lane in lanes else f"{event.lane}: {event.text}"
