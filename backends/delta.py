"""Delta: one piece of an answer while it arrives."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

DeltaKind = Literal["text", "reasoning", "refusal", "tool_call", "tool_result", "reset"]
"""What a delta adds to. `reset` announces a new step: earlier provisional text is superseded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One piece of an answer, handed to the sink as it arrives. Pieces of a step come in order."""

    kind: DeltaKind
    text: str = ""
    """The new text, or the new piece of a tool call's arguments, or a tool's result."""
    step: int = 0
    """The model call that this piece belongs to, counted from 0 within one `generate`."""
    index: int = 0
    """Which tool call of the step, for `tool_call` and `tool_result`."""
    call_id: str | None = None
    """The tool call's id, where it is known by now."""
    name: str | None = None
    """The tool's name, where it is known by now."""
    partial: Any = None
    """The output so far as a provisional object; only the completion's is validated."""


Sink: TypeAlias = Callable[[Delta], Awaitable[None]]
"""Receives the deltas of one call. Its exceptions end the call and come out as they are."""
