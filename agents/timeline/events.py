"""What a timeline keeps of each span: as little as the page needs to draw it.

Times are nanoseconds of the wall clock, as OpenTelemetry gives them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from callboard.agents.timeline.words import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent:
    """A message from one actor to another."""

    sender: str
    """Empty for code outside of actors."""
    recipient: str
    type: str
    kind: str
    """ask, tell, publish or control."""
    outcome: str
    """handled, failed, or why it became a dead letter."""
    sent: int
    started: int
    """When the handler began."""
    ended: int
    section: int = 0
    """The `SectionEvent.id` on whose behalf it was sent; 0 where that is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """A model call, or a tool call."""

    caller: str
    """The actor or agent on whose behalf it was made."""
    kind: str
    """chat, execute_tool, or another of the GenAI conventions' operations."""
    name: str
    """The model, or the tool."""
    started: int
    ended: int
    input_tokens: int = 0
    output_tokens: int = 0
    attempt: int = 1
    error: str = ""
    """The class of the error; empty where the call succeeded."""
    section: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PointEvent:
    """A point to draw."""

    series: str
    value: float
    look: Look
    note: str
    at: int
    section: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionEvent:
    """A stretch of the run that can be looked at by itself."""

    name: str
    group: str
    axis: str
    reference: tuple[float, float] | None
    reference_name: str
    figures: Mapping[str, str]
    started: int
    ended: int
    id: int = 0
    """Names it to the events inside; unique within a recording, and not 0 where there are any."""
    outer: int = 0
    """The section around it, 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Everything that was recorded; each kind in order of time."""

    messages: tuple[MessageEvent, ...] = ()
    calls: tuple[CallEvent, ...] = ()
    points: tuple[PointEvent, ...] = ()
    sections: tuple[SectionEvent, ...] = ()
    dropped: int = 0
    """Events beyond the recorder's limit."""
