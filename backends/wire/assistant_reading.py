"""Reads the model's message out of a foreign answer."""

from typing import Any

from callboard.backends.messages import AssistantMessage
from callboard.backends.wire.foreign import field, items, text
from callboard.backends.wire.tool_call_reading import read_tool_calls


def read_assistant(message: Any, answer_id: str | None) -> AssistantMessage:
    """Read a foreign message; null content stays None.

    Args:
        message: A dict or object in the shape of a chat completions message.
        answer_id: The answer's id, out of which missing ids of tool calls are made.
    """
    return AssistantMessage(
        read_text(field(message, "content")),
        read_tool_calls(message, answer_id),
        read_reasoning(message),
        text(field(message, "refusal")),
    )


def read_text(content: Any) -> str | None:
    """Return a message's text: a string, or the text parts of a list; else None."""
    if content is None or isinstance(content, str):
        return content
    parts = [part if isinstance(part, str) else field(part, "text") for part in items(content)]
    words = [part for part in parts if isinstance(part, str)]
    return "".join(words) if words else None


def read_reasoning(message: Any) -> str | None:
    """Return the model's thinking, under either of the names that servers give it."""
    return text(field(message, "reasoning_content")) or text(field(message, "reasoning")) or None
